//! Dates, times, lists and structs, and conditions with subqueries.

use super::{Generator, Scope, Type};

const INTERVALS: [&str; 4] = [
    "INTERVAL '1 month'",
    "INTERVAL '3 days'",
    "INTERVAL '36 hours'",
    "INTERVAL '1 year 2 months'",
];

impl Generator {
    pub(super) fn date(&mut self, scope: &Scope, depth: usize) -> String {
        let one = self.expr(Type::Date, scope, depth);
        match self.rng.below(3) {
            0 => {
                self.uses("date and interval");
                let op = self.rng.pick(&["+", "-"]);
                let interval = self.rng.pick(&INTERVALS);
                format!("CAST(({one} {op} {interval}) AS DATE)")
            }
            1 => {
                self.uses("date truncated");
                let unit = self.rng.pick(&["month", "year", "week"]);
                format!("CAST(date_trunc('{unit}', {one}) AS DATE)")
            }
            _ => {
                self.uses("time to date");
                let from = self.rng.pick(&[Type::Time, Type::Instant]);
                let from = self.expr(from, scope, depth);
                format!("CAST({from} AS DATE)")
            }
        }
    }

    pub(super) fn time(&mut self, scope: &Scope, depth: usize) -> String {
        let one = self.expr(Type::Time, scope, depth);
        match self.rng.below(4) {
            0 => {
                self.uses("time and interval");
                let op = self.rng.pick(&["+", "-"]);
                let interval = self.rng.pick(&INTERVALS);
                format!("({one} {op} {interval})")
            }
            1 => {
                self.uses("time truncated");
                let unit = self.rng.pick(&["hour", "day", "quarter"]);
                format!("date_trunc('{unit}', {one})")
            }
            2 => {
                self.uses("instant to time");
                let from = self.expr(Type::Instant, scope, depth);
                format!("CAST({from} AS TIMESTAMP)")
            }
            _ => {
                self.uses("time of another unit");
                let unit = self.rng.pick(&["Second", "Millisecond", "Microsecond"]);
                format!("CAST(arrow_cast({one}, 'Timestamp({unit}, None)') AS TIMESTAMP)")
            }
        }
    }

    pub(super) fn instant(&mut self, scope: &Scope, depth: usize) -> String {
        let one = self.expr(Type::Instant, scope, depth);
        match self.rng.below(4) {
            0 => {
                self.uses("instant and interval");
                let interval = self.rng.pick(&INTERVALS);
                format!("({one} + {interval})")
            }
            1 => {
                self.uses("time zone");
                let zone = self
                    .rng
                    .pick(&["Europe/Brussels", "+02:00", "America/New_York"]);
                format!("CAST(({one} AT TIME ZONE '{zone}') AS TIMESTAMPTZ)")
            }
            2 => {
                self.uses("instant truncated");
                format!("date_trunc('day', {one})")
            }
            _ => {
                self.uses("time to instant");
                let from = self.expr(Type::Time, scope, depth);
                format!("CAST({from} AS TIMESTAMPTZ)")
            }
        }
    }

    pub(super) fn list(&mut self, scope: &Scope, depth: usize) -> String {
        let one = self.expr(Type::List, scope, depth);
        match self.rng.below(5) {
            0 => {
                self.uses("array of values");
                let first = self.expr(Type::Int, scope, depth);
                let second = self.expr(Type::Int, scope, depth);
                format!("make_array({first}, {second})")
            }
            1 => {
                self.uses("array grown");
                let item = self.expr(Type::Int, scope, depth);
                let call = self.rng.pick(&["array_append", "array_remove"]);
                format!("{call}({one}, {item})")
            }
            2 => {
                self.uses("array slice");
                format!("({one})[1:{}]", self.rng.below(3) + 1)
            }
            3 => {
                self.uses("array function");
                let name = self
                    .rng
                    .pick(&["array_sort", "array_reverse", "array_distinct"]);
                format!("{name}({one})")
            }
            _ => {
                self.uses("arrays joined");
                let other = self.expr(Type::List, scope, depth);
                format!("array_concat({one}, {other})")
            }
        }
    }

    pub(super) fn structure(&mut self, scope: &Scope, depth: usize) -> String {
        self.uses("struct");
        let x = self.expr(Type::Int, scope, depth);
        let y = self.expr(Type::Text, scope, depth);
        format!("named_struct('x', {x}, 'y', {y})")
    }

    /// A condition with a subquery, correlated or not.
    pub(super) fn subquery_condition(&mut self, scope: &Scope, depth: usize) -> String {
        if !scope.outer.is_empty() || !self.spend(8) {
            return self.condition(scope, depth);
        }
        let table = self.rng.pick(&["u", "v"]);
        let alias = self.name("q");
        let (key, value) = if table == "u" {
            ("k", "a")
        } else {
            ("id", "parent")
        };
        let mut conditions = vec![format!("{alias}.{value} > {}", self.rng.below(3))];
        if self.rng.percent(60)
            && let Some(column) = self.column(Type::Int, &scope.columns)
        {
            self.uses("correlated subquery");
            let op = self.rng.pick(&["=", "=", "=", "<", "<>"]);
            conditions.push(format!("{alias}.{key} {op} {column}"));
        }
        let from = format!("FROM {table} AS {alias} WHERE {}", conditions.join(" AND "));
        let not = self.rng.pick(&["", "NOT "]);
        match self.rng.below(4) {
            0 => {
                self.uses("exists");
                format!("({not}EXISTS (SELECT 1 {from}))")
            }
            1 => {
                self.uses("in subquery");
                let tested = self.leaf(Type::Int, scope);
                format!("({tested} {not}IN (SELECT {alias}.{value} {from}))")
            }
            2 => {
                self.uses("scalar subquery");
                let tested = self.leaf(Type::Int, scope);
                let name = self.rng.pick(&["max", "min", "count"]);
                format!("({tested} < (SELECT {name}({alias}.{value}) {from}))")
            }
            _ => {
                self.uses("any and all");
                let tested = self.leaf(Type::Int, scope);
                let quantifier = self.rng.pick(&["ANY", "ALL"]);
                let op = self.rng.pick(&["=", ">", "<="]);
                format!("({tested} {op} {quantifier} (SELECT {alias}.{value} {from}))")
            }
        }
    }
}

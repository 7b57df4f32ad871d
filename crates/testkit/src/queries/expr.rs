//! Scalar expressions of a type.

use super::{Column, Generator, Scope, Type};

impl Generator {
    /// An expression of a type over the columns of a scope.
    pub(super) fn expr(&mut self, of: Type, scope: &Scope, depth: usize) -> String {
        if depth == 0 || !self.spend(1) || self.rng.percent(25) {
            return self.leaf(of, scope);
        }
        let depth = depth - 1;
        if self.rng.percent(12) {
            return self.any_typed(of, scope, depth);
        }
        match of {
            Type::Int => self.int(scope, depth),
            Type::Float => self.float(scope, depth),
            Type::Decimal => self.decimal(scope, depth),
            Type::Text => self.text(scope, depth),
            Type::Bool => self.condition(scope, depth),
            Type::Date => self.date(scope, depth),
            Type::Time => self.time(scope, depth),
            Type::Instant => self.instant(scope, depth),
            Type::List => self.list(scope, depth),
            Type::Struct => self.structure(scope, depth),
        }
    }

    /// A column of the type, else a literal.
    pub(super) fn leaf(&mut self, of: Type, scope: &Scope) -> String {
        if !self.rng.percent(20)
            && let Some(column) = self.column(of, &scope.columns)
        {
            return column;
        }
        self.literal(of)
    }

    pub(super) fn column(&mut self, of: Type, columns: &[Column]) -> Option<String> {
        let of_type: Vec<&Column> = columns.iter().filter(|column| column.of == of).collect();
        if of_type.is_empty() {
            return None;
        }
        Some(of_type[self.rng.below(of_type.len())].sql.clone())
    }

    pub(super) fn literal(&mut self, of: Type) -> String {
        if self.rng.percent(6) {
            self.uses("typed null");
            return format!("CAST(NULL AS {})", of.sql());
        }
        let text = match of {
            Type::Int => return format!("{}", self.rng.below(7)),
            Type::Float => self
                .rng
                .pick(&["0.5e0", "1e0", "-1.5e0", "CAST('NaN' AS DOUBLE)"]),
            Type::Decimal => self.rng.pick(&[
                "CAST(1.25 AS DECIMAL(15, 2))",
                "CAST(-3 AS DECIMAL(15, 2))",
                "CAST(0.01 AS DECIMAL(15, 2))",
            ]),
            Type::Text => self.rng.pick(&["'x'", "''", "'x_y'", "'100%'", "'7'"]),
            Type::Bool => self.rng.pick(&["TRUE", "FALSE"]),
            Type::Date => self.rng.pick(&["DATE '2022-01-08'", "DATE '1970-01-01'"]),
            Type::Time => self.rng.pick(&[
                "TIMESTAMP '2022-04-15 06:40:00'",
                "TIMESTAMP '2022-04-15 06:40:00.000001'",
            ]),
            Type::Instant => "TIMESTAMPTZ '2022-04-15T06:40:00Z'",
            Type::List => self.rng.pick(&["[1, 2, NULL]", "make_array(3)"]),
            Type::Struct => "named_struct('x', CAST(1 AS BIGINT), 'y', 'z')",
        };
        text.to_owned()
    }

    /// What there is for every type.
    fn any_typed(&mut self, of: Type, scope: &Scope, depth: usize) -> String {
        let one = self.expr(of, scope, depth);
        let other = self.expr(of, scope, depth);
        match self.rng.below(6) {
            0 => {
                self.uses("coalesce");
                format!("coalesce({one}, {other})")
            }
            1 => {
                self.uses("nullif");
                format!("nullif({one}, {other})")
            }
            2 => {
                self.uses("searched case");
                let when = self.condition(scope, depth);
                format!("CASE WHEN {when} THEN {one} ELSE {other} END")
            }
            3 => {
                self.uses("simple case");
                let tested = self.expr(Type::Int, scope, depth);
                format!("CASE {tested} WHEN 1 THEN {one} WHEN 2 THEN {other} END")
            }
            4 => {
                self.uses("cast");
                format!("CAST({one} AS {})", of.sql())
            }
            _ => {
                self.uses("try cast");
                format!("TRY_CAST({one} AS {})", of.sql())
            }
        }
    }

    fn int(&mut self, scope: &Scope, depth: usize) -> String {
        let one = self.expr(Type::Int, scope, depth);
        match self.rng.below(12) {
            0 | 1 => {
                self.uses("arithmetic");
                let op = self.rng.pick(&["+", "-", "*"]);
                let other = self.expr(Type::Int, scope, depth);
                format!("({one} {op} {other})")
            }
            2 => {
                self.uses("division");
                let op = self.rng.pick(&["/", "%"]);
                let other = self.expr(Type::Int, scope, depth);
                format!("({one} {op} nullif({other}, 0))")
            }
            3 => {
                self.uses("bits");
                let op = self.rng.pick(&["&", "|", "^", "<<", ">>"]);
                let other = self.rng.below(4);
                format!("({one} {op} {other})")
            }
            4 => {
                self.uses("negation");
                format!("(- {one})")
            }
            5 => {
                self.uses("number function");
                let name = self.rng.pick(&["abs", "signum"]);
                format!("CAST({name}({one}) AS BIGINT)")
            }
            6 => {
                self.uses("text to number");
                let text = self.expr(Type::Text, scope, depth);
                let name = self
                    .rng
                    .pick(&["length", "ascii", "octet_length", "bit_length"]);
                format!("CAST({name}({text}) AS BIGINT)")
            }
            7 => {
                self.uses("date part");
                let part = self
                    .rng
                    .pick(&["year", "month", "day", "dow", "hour", "epoch"]);
                let from = self.rng.pick(&[Type::Date, Type::Time, Type::Instant]);
                let from = self.expr(from, scope, depth);
                format!("CAST(date_part('{part}', {from}) AS BIGINT)")
            }
            8 => {
                self.uses("array element");
                let list = self.expr(Type::List, scope, depth);
                format!("({list})[{}]", self.rng.below(3) + 1)
            }
            9 => {
                self.uses("array to number");
                let list = self.expr(Type::List, scope, depth);
                let name = self.rng.pick(&["cardinality", "array_length"]);
                format!("CAST({name}({list}) AS BIGINT)")
            }
            10 => {
                self.uses("struct field");
                let whole = self.expr(Type::Struct, scope, depth);
                format!("({whole})['x']")
            }
            _ => {
                self.uses("greatest");
                let name = self.rng.pick(&["greatest", "least"]);
                let other = self.expr(Type::Int, scope, depth);
                format!("{name}({one}, {other})")
            }
        }
    }

    fn float(&mut self, scope: &Scope, depth: usize) -> String {
        let one = self.expr(Type::Float, scope, depth);
        match self.rng.below(5) {
            0 | 1 => {
                self.uses("float arithmetic");
                let op = self.rng.pick(&["+", "-", "*", "/"]);
                let other = self.expr(Type::Float, scope, depth);
                format!("({one} {op} {other})")
            }
            2 => {
                self.uses("float function");
                let name = self
                    .rng
                    .pick(&["floor", "ceil", "round", "sin", "exp", "trunc"]);
                format!("{name}({one})")
            }
            3 => {
                self.uses("nanvl");
                format!("nanvl({one}, 0e0)")
            }
            _ => {
                self.uses("number cast");
                let from = self.rng.pick(&[Type::Int, Type::Decimal]);
                let from = self.expr(from, scope, depth);
                format!("CAST({from} AS DOUBLE)")
            }
        }
    }

    fn decimal(&mut self, scope: &Scope, depth: usize) -> String {
        let one = self.expr(Type::Decimal, scope, depth);
        match self.rng.below(3) {
            0 => {
                self.uses("decimal arithmetic");
                let op = self.rng.pick(&["+", "-", "*"]);
                let other = self.expr(Type::Decimal, scope, depth);
                format!("CAST(({one} {op} {other}) AS DECIMAL(15, 2))")
            }
            1 => {
                self.uses("decimal function");
                let name = self.rng.pick(&["abs", "round", "floor"]);
                format!("CAST({name}({one}) AS DECIMAL(15, 2))")
            }
            _ => {
                self.uses("decimal cast");
                let from = self.expr(Type::Int, scope, depth);
                format!("CAST({from} AS DECIMAL(15, 2))")
            }
        }
    }

    fn text(&mut self, scope: &Scope, depth: usize) -> String {
        let one = self.expr(Type::Text, scope, depth);
        match self.rng.below(9) {
            0 => {
                self.uses("concatenation");
                let other = self.expr(Type::Text, scope, depth);
                format!("({one} || {other})")
            }
            1 => {
                self.uses("concat");
                let other = self.expr(Type::Text, scope, depth);
                let name = self.rng.pick(&["concat(", "concat_ws('-', "]);
                format!("{name}{one}, {other})")
            }
            2 => {
                self.uses("text function");
                let name = self.rng.pick(&[
                    "upper", "lower", "reverse", "trim", "ltrim", "initcap", "md5",
                ]);
                format!("{name}({one})")
            }
            3 => {
                self.uses("substring");
                let (start, length) = (self.rng.below(3) + 1, self.rng.below(3));
                format!("substr({one}, {start}, {length})")
            }
            4 => {
                self.uses("replace");
                format!("replace({one}, 'x', 'zz')")
            }
            5 => {
                self.uses("left and right");
                let name = self.rng.pick(&["left", "right", "repeat", "lpad"]);
                format!("{name}({one}, {})", self.rng.below(4))
            }
            6 => {
                self.uses("number to text");
                let from = self
                    .rng
                    .pick(&[Type::Int, Type::Decimal, Type::Bool, Type::Date]);
                let from = self.expr(from, scope, depth);
                format!("CAST({from} AS VARCHAR)")
            }
            7 => {
                self.uses("regular replacement");
                format!("regexp_replace({one}, '[xy]+', '.')")
            }
            _ => {
                self.uses("split");
                format!("split_part({one}, '_', {})", self.rng.below(2) + 1)
            }
        }
    }

    /// A condition.
    pub(super) fn condition(&mut self, scope: &Scope, depth: usize) -> String {
        if depth == 0 || !self.spend(1) {
            return self.comparison(scope, 0);
        }
        let depth = depth - 1;
        match self.rng.below(12) {
            0 | 1 => self.comparison(scope, depth),
            2 | 3 => {
                self.uses("connective");
                let op = self.rng.pick(&["AND", "OR"]);
                let one = self.condition(scope, depth);
                let other = self.condition(scope, depth);
                format!("({one} {op} {other})")
            }
            4 => {
                self.uses("not");
                format!("(NOT {})", self.condition(scope, depth))
            }
            5 => {
                self.uses("null test");
                let of = self.any_type();
                let tested = self.expr(of, scope, depth);
                let not = self.rng.pick(&["", "NOT "]);
                format!("({tested} IS {not}NULL)")
            }
            6 => {
                self.uses("truth test");
                let tested = self.expr(Type::Bool, scope, depth);
                let not = self.rng.pick(&["", "NOT "]);
                let truth = self.rng.pick(&["TRUE", "FALSE", "UNKNOWN"]);
                format!("({tested} IS {not}{truth})")
            }
            7 => {
                self.uses("between");
                let of = self.ordered_type();
                let tested = self.expr(of, scope, depth);
                let low = self.leaf(of, scope);
                let high = self.leaf(of, scope);
                let not = self.rng.pick(&["", "NOT "]);
                format!("({tested} {not}BETWEEN {low} AND {high})")
            }
            8 => {
                self.uses("in list");
                let of = self.rng.pick(&[Type::Int, Type::Text, Type::Date]);
                let tested = self.expr(of, scope, depth);
                let count = self.rng.below(5) + 1;
                let list: Vec<String> = (0..count).map(|_| self.leaf(of, scope)).collect();
                let not = self.rng.pick(&["", "NOT "]);
                format!("({tested} {not}IN ({}))", list.join(", "))
            }
            9 | 10 => self.pattern(scope, depth),
            _ => self.subquery_condition(scope, depth),
        }
    }

    fn comparison(&mut self, scope: &Scope, depth: usize) -> String {
        self.uses("comparison");
        let of = self.ordered_type();
        let one = self.expr(of, scope, depth);
        let other = self.expr(of, scope, depth);
        let op = self.rng.pick(&[
            "=",
            "=",
            "<>",
            "<",
            "<=",
            ">",
            ">=",
            "IS DISTINCT FROM",
            "IS NOT DISTINCT FROM",
        ]);
        format!("({one} {op} {other})")
    }

    fn pattern(&mut self, scope: &Scope, depth: usize) -> String {
        let tested = self.expr(Type::Text, scope, depth);
        match self.rng.below(5) {
            0 | 1 => {
                self.uses("like");
                let op = self.rng.pick(&["LIKE", "ILIKE", "NOT LIKE", "NOT ILIKE"]);
                let pattern = self.rng.pick(&["x%", "%_y", "%", "X", "_"]);
                format!("({tested} {op} '{pattern}')")
            }
            2 => {
                self.uses("like with escape");
                format!("({tested} LIKE '%#%' ESCAPE '#')")
            }
            3 => {
                self.uses("regular expression");
                let op = self.rng.pick(&["~", "~*", "!~", "!~*"]);
                format!("({tested} {op} '^x')")
            }
            _ => {
                self.uses("text test");
                let name = self.rng.pick(&["starts_with", "ends_with", "contains"]);
                format!("{name}({tested}, 'x')")
            }
        }
    }
}

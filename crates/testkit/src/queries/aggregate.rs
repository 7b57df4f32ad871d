//! Calls of aggregate functions.

use super::{Generator, Scope, Type};

impl Generator {
    /// A call of an aggregate function, and the type of its value. The value does not depend on
    /// the order of rows: where an order matters, the call has one.
    pub(super) fn aggregate(&mut self, scope: &Scope) -> (String, Type) {
        let order = self.total_order(scope);
        let (call, of) = match self.rng.below(14) {
            0 => {
                self.uses("count of rows");
                ("count(*)".to_owned(), Type::Int)
            }
            1 | 2 => {
                self.uses("sum");
                let of = self.rng.pick(&[Type::Int, Type::Decimal, Type::Float]);
                let call = self.over("sum", of, scope);
                if of == Type::Decimal {
                    return (format!("CAST({call} AS {})", of.sql()), of);
                }
                (call, of)
            }
            3 => {
                self.uses("minimum");
                let name = self.rng.pick(&["min", "max"]);
                let of = self.ordered_type();
                (self.over(name, of, scope), of)
            }
            4 => {
                self.uses("average");
                (self.over("avg", Type::Float, scope), Type::Float)
            }
            5 => {
                self.uses("variance");
                let name = self
                    .rng
                    .pick(&["stddev", "var_pop", "var_samp", "stddev_pop"]);
                (self.over(name, Type::Float, scope), Type::Float)
            }
            6 => {
                self.uses("correlation");
                let name = self.rng.pick(&["corr", "covar_pop", "regr_slope"]);
                let one = self.leaf(Type::Float, scope);
                let other = self.leaf(Type::Float, scope);
                (format!("{name}({one}, {other})"), Type::Float)
            }
            7 => {
                self.uses("median");
                (self.over("median", Type::Int, scope), Type::Int)
            }
            8 => {
                self.uses("truth of all");
                let name = self.rng.pick(&["bool_and", "bool_or"]);
                (self.over(name, Type::Bool, scope), Type::Bool)
            }
            9 => {
                self.uses("bits of all");
                let name = self.rng.pick(&["bit_and", "bit_or", "bit_xor"]);
                (self.over(name, Type::Int, scope), Type::Int)
            }
            10 => {
                self.uses("array of all");
                let item = self.leaf(Type::Int, scope);
                (format!("array_agg({item}{order})"), Type::List)
            }
            11 => {
                self.uses("text of all");
                let item = self.leaf(Type::Text, scope);
                (format!("string_agg({item}, '-'{order})"), Type::Text)
            }
            12 => {
                self.uses("first of all");
                let name = self.rng.pick(&["first_value", "last_value"]);
                let of = self.ordered_type();
                let item = self.leaf(of, scope);
                let mut call = format!("{name}({item}{order})");
                if self.rng.percent(30) {
                    self.uses("aggregate without nulls");
                    call.push_str(" IGNORE NULLS");
                }
                (call, of)
            }
            _ => {
                self.uses("count");
                let of = self.any_type();
                let distinct = self.rng.pick(&["", "DISTINCT "]);
                let item = self.leaf(of, scope);
                (format!("count({distinct}{item})"), Type::Int)
            }
        };
        if self.rng.percent(20) {
            self.uses("filter of an aggregate");
            let condition = self.condition(scope, 0);
            return (format!("{call} FILTER (WHERE {condition})"), of);
        }
        (call, of)
    }

    fn over(&mut self, name: &str, of: Type, scope: &Scope) -> String {
        let depth = self.rng.below(2);
        let item = self.expr(of, scope, depth);
        let distinct = if self.rng.percent(15) {
            self.uses("distinct aggregate");
            "DISTINCT "
        } else {
            ""
        };
        format!("{name}({distinct}{item})")
    }

    /// ` ORDER BY` columns of every ordered type.
    fn total_order(&mut self, scope: &Scope) -> String {
        let keys: Vec<String> = scope
            .columns
            .iter()
            .filter(|column| Type::ORDERED.contains(&column.of))
            .map(|column| column.sql.clone())
            .collect();
        if keys.is_empty() {
            return String::new();
        }
        let order = self.rng.pick(&["", " DESC", " NULLS FIRST"]);
        format!(" ORDER BY {}{order}", keys.join(", "))
    }
}

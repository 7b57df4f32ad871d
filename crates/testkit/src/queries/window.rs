//! Window functions.

use super::{Generator, Scope, Type};

impl Generator {
    /// A window function, and the type of its value. The window's order has all ordered columns,
    /// so that the value depends on the rows alone.
    pub(super) fn window(&mut self, scope: &Scope) -> (String, Type) {
        let partition = match self.column(Type::Int, &scope.columns) {
            Some(column) if self.rng.percent(50) => format!("PARTITION BY {column} "),
            _ => String::new(),
        };
        let (order, single) = self.window_order(scope);
        if self.rng.percent(45) {
            let (call, of) = self.ranking(scope);
            self.uses("window function");
            let call = format!("{call} OVER ({partition}{order})");
            if of == Type::Int {
                // Ranks are unsigned.
                return (format!("CAST({call} AS BIGINT)"), of);
            }
            return (call, of);
        }
        let (call, of) = self.windowed_aggregate(scope);
        let frame = if order.is_empty() {
            String::new()
        } else {
            self.frame(single)
        };
        (format!("{call} OVER ({partition}{order}{frame})"), of)
    }

    /// An order, and whether it is by one number, as a frame of distances needs it.
    fn window_order(&mut self, scope: &Scope) -> (String, bool) {
        let single = self.rng.percent(30);
        let keys: Vec<String> = scope
            .columns
            .iter()
            .filter(|column| {
                if single {
                    column.of == Type::Int
                } else {
                    Type::ORDERED.contains(&column.of)
                }
            })
            .map(|column| column.sql.clone())
            .take(if single { 1 } else { usize::MAX })
            .collect();
        if keys.is_empty() {
            return (String::new(), false);
        }
        let direction = self
            .rng
            .pick(&["", " DESC", " NULLS FIRST", " DESC NULLS LAST"]);
        let keys = keys.join(&format!("{direction}, "));
        (format!("ORDER BY {keys}{direction}"), single)
    }

    fn ranking(&mut self, scope: &Scope) -> (String, Type) {
        let of = self.ordered_type();
        let item = self.leaf(of, scope);
        let nulls = if self.rng.percent(25) {
            self.uses("window function without nulls");
            " IGNORE NULLS"
        } else {
            ""
        };
        match self.rng.below(6) {
            0 => {
                self.uses("rank");
                let name = self
                    .rng
                    .pick(&["row_number", "rank", "dense_rank", "ntile"]);
                let argument = if name == "ntile" { "3" } else { "" };
                (format!("{name}({argument})"), Type::Int)
            }
            1 => {
                self.uses("relative rank");
                let name = self.rng.pick(&["percent_rank", "cume_dist"]);
                (format!("{name}()"), Type::Float)
            }
            2 => {
                self.uses("row before or after");
                let name = self.rng.pick(&["lag", "lead"]);
                let distance = self.rng.below(3);
                (format!("{name}({item}, {distance}){nulls}"), of)
            }
            3 => {
                self.uses("first of a window");
                let name = self.rng.pick(&["first_value", "last_value"]);
                (format!("{name}({item}){nulls}"), of)
            }
            4 => {
                self.uses("row of a number");
                (format!("nth_value({item}, 2)"), of)
            }
            _ => {
                self.uses("row before with a default");
                let default = self.literal(of);
                (format!("lag({item}, 1, {default})"), of)
            }
        }
    }

    fn windowed_aggregate(&mut self, scope: &Scope) -> (String, Type) {
        self.uses("aggregate over a window");
        let name = self.rng.pick(&["sum", "min", "max", "count"]);
        let item = self.leaf(Type::Int, scope);
        if self.rng.percent(10) {
            self.uses("filter over a window");
            let condition = self.condition(scope, 0);
            return (
                format!("{name}({item}) FILTER (WHERE {condition})"),
                Type::Int,
            );
        }
        (format!("{name}({item})"), Type::Int)
    }

    fn frame(&mut self, single: bool) -> String {
        let bounds = self.rng.pick(&[
            "UNBOUNDED PRECEDING AND CURRENT ROW",
            "UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
            "CURRENT ROW AND UNBOUNDED FOLLOWING",
            "1 PRECEDING AND CURRENT ROW",
            "2 PRECEDING AND 1 FOLLOWING",
            "1 FOLLOWING AND 3 FOLLOWING",
        ]);
        match self.rng.below(4) {
            0 => String::new(),
            1 | 2 => {
                self.uses("frame of rows");
                format!(" ROWS BETWEEN {bounds}")
            }
            _ if single => {
                let units = self.rng.pick(&["RANGE", "GROUPS"]);
                self.uses("frame of values");
                format!(" {units} BETWEEN {bounds}")
            }
            _ => {
                self.uses("frame of groups");
                format!(" GROUPS BETWEEN {bounds}")
            }
        }
    }
}

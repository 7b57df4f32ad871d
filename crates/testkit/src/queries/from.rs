//! What a query reads: tables, joins, subqueries, constants.

use super::{Column, Generator, Part, Scope, Type, tables};

impl Generator {
    /// The text after `FROM`, with the columns that it gives, under the names of their tables.
    pub(super) fn from(&mut self, depth: usize) -> Part {
        let first = self.source(depth);
        if depth == 0 || !self.rng.percent(45) || !self.spend(4) {
            return first;
        }
        let second = self.source(depth - 1);
        let joined = self.join(first, second);
        if self.rng.percent(20) && self.spend(4) {
            let third = self.source(0);
            return self.join(joined, third);
        }
        joined
    }

    fn source(&mut self, depth: usize) -> Part {
        match self.rng.below(10) {
            0 | 1 if depth > 0 && self.spend(6) => {
                self.uses("derived table");
                let query = self.select(depth - 1);
                self.named(&format!("({})", query.sql), &query)
            }
            2 => {
                self.uses("values");
                let int = Column {
                    sql: "column1".to_owned(),
                    of: Type::Int,
                };
                let text = Column {
                    sql: "column2".to_owned(),
                    of: Type::Text,
                };
                let rows = self
                    .rng
                    .pick(&["(1, 'x'), (2, NULL)", "(0, ''), (NULL, 'y'), (3, 'x')"]);
                let part = Part {
                    sql: String::new(),
                    columns: vec![int, text],
                };
                self.named(&format!("(VALUES {rows})"), &part)
            }
            3 if depth > 0 && self.spend(6) => {
                self.uses("unnest");
                let alias = self.name("n");
                let column = |name: &str, of| Column {
                    sql: format!("{alias}.{name}"),
                    of,
                };
                Part {
                    sql: format!("(SELECT k, unnest(list) AS item FROM t) AS {alias}"),
                    columns: vec![column("k", Type::Int), column("item", Type::Int)],
                }
            }
            _ => self.table(),
        }
    }

    fn table(&mut self) -> Part {
        let tables = tables();
        let table = &tables[self.rng.below(tables.len())];
        let alias = self.name("x");
        Part {
            sql: format!("{} AS {alias}", table.name),
            columns: table.columns(&alias),
        }
    }

    /// A part as a table of its own name.
    pub(super) fn named(&mut self, sql: &str, part: &Part) -> Part {
        let alias = self.name("x");
        let columns = part
            .columns
            .iter()
            .map(|column| Column {
                sql: format!("{alias}.{}", column.sql),
                of: column.of,
            })
            .collect();
        Part {
            sql: format!("{sql} AS {alias}"),
            columns,
        }
    }

    fn join(&mut self, left: Part, right: Part) -> Part {
        let (kind, feature) = self.rng.pick(&[
            ("JOIN", "inner join"),
            ("JOIN", "inner join"),
            ("LEFT JOIN", "left join"),
            ("RIGHT JOIN", "right join"),
            ("FULL JOIN", "full join"),
            ("LEFT SEMI JOIN", "semi join"),
            ("LEFT ANTI JOIN", "anti join"),
            ("CROSS JOIN", "cross join"),
            ("LATERAL", "lateral join"),
        ]);
        self.uses(feature);
        if kind == "LATERAL" {
            return self.lateral(left);
        }
        if kind == "CROSS JOIN" {
            let columns = [left.columns, right.columns].concat();
            return Part {
                sql: format!("{} CROSS JOIN {}", left.sql, right.sql),
                columns,
            };
        }
        let condition = self.join_condition(&left, &right);
        let sql = format!("{} {kind} {} ON {condition}", left.sql, right.sql);
        let columns = if kind.ends_with("SEMI JOIN") || kind.ends_with("ANTI JOIN") {
            left.columns
        } else {
            [left.columns, right.columns].concat()
        };
        Part { sql, columns }
    }

    fn join_condition(&mut self, left: &Part, right: &Part) -> String {
        let one = self.column(Type::Int, &left.columns);
        let other = self.column(Type::Int, &right.columns);
        let (Some(one), Some(other)) = (one, other) else {
            return "TRUE".to_owned();
        };
        let op = if self.rng.percent(12) {
            self.uses("join where null equals null");
            "IS NOT DISTINCT FROM"
        } else {
            "="
        };
        let mut condition = format!("{one} {op} {other}");
        if self.rng.percent(35) {
            self.uses("condition of a join");
            let scope = Scope {
                columns: [&left.columns[..], &right.columns[..]].concat(),
                outer: Vec::new(),
            };
            let of = self.ordered_type();
            let (one, other) = (self.leaf(of, &scope), self.leaf(of, &scope));
            let op = self.rng.pick(&["<", "<=", "<>"]);
            condition = format!("{condition} AND {one} {op} {other}");
        }
        condition
    }

    fn lateral(&mut self, left: Part) -> Part {
        let alias = self.name("l");
        let condition = match self.column(Type::Int, &left.columns) {
            Some(column) => format!("WHERE u.k = {column}"),
            None => String::new(),
        };
        let mut columns = left.columns;
        columns.push(Column {
            sql: format!("{alias}.m"),
            of: Type::Int,
        });
        Part {
            sql: format!(
                "{} CROSS JOIN LATERAL (SELECT max(u.a) AS m FROM u {condition}) AS {alias}",
                left.sql
            ),
            columns,
        }
    }
}

//! Whole queries.

use super::{Column, Generator, Part, Scope, Type};

impl Generator {
    /// A query, as a view has one.
    pub(super) fn statement(&mut self) -> String {
        match self.rng.below(12) {
            0 => self.recursive(),
            1 | 2 => self.with(),
            _ => self.query(2).sql,
        }
    }

    /// A query with set operations, order and limit.
    fn query(&mut self, depth: usize) -> Part {
        if self.rng.percent(18) && self.spend(6) {
            return self.set_operation(depth);
        }
        let query = self.select(depth);
        self.ordered(query)
    }

    fn ordered(&mut self, query: Part) -> Part {
        let Part { sql, columns } = query;
        // A list or a struct has an order too, but not for every kind of sort.
        let sortable = columns
            .iter()
            .all(|column| !matches!(column.of, Type::List | Type::Struct));
        if !sortable || !self.rng.percent(35) {
            return Part { sql, columns };
        }
        self.uses("order");
        let keys: Vec<String> = (1..=columns.len())
            .map(|number| {
                let direction = self
                    .rng
                    .pick(&["", " DESC", " NULLS FIRST", " DESC NULLS LAST"]);
                format!("{number}{direction}")
            })
            .collect();
        let mut sql = format!("{sql} ORDER BY {}", keys.join(", "));
        if self.rng.percent(60) {
            self.uses("limit");
            sql = format!("{sql} LIMIT {}", self.rng.below(6));
        }
        if self.rng.percent(30) {
            self.uses("offset");
            sql = format!("{sql} OFFSET {}", self.rng.below(3));
        }
        Part { sql, columns }
    }

    /// One `SELECT`.
    pub(super) fn select(&mut self, depth: usize) -> Part {
        let from = self.from(depth);
        let scope = Scope {
            columns: from.columns,
            outer: Vec::new(),
        };
        let condition = if self.rng.percent(55) {
            self.uses("filter");
            format!(" WHERE {}", self.condition(&scope, 2))
        } else {
            String::new()
        };
        let from = format!("FROM {}{condition}", from.sql);
        match self.rng.below(10) {
            0..=3 => self.plain(&from, &scope),
            4..=6 => self.grouped(&from, &scope),
            7 | 8 => self.windowed(&from, &scope),
            _ => self.distinct_on(&from, &scope),
        }
    }

    fn plain(&mut self, from: &str, scope: &Scope) -> Part {
        let count = self.rng.below(3) + 1;
        let items: Vec<(String, Type)> = (0..count)
            .map(|_| {
                let of = self.any_type();
                (self.expr(of, scope, 2), of)
            })
            .collect();
        let distinct = if self.rng.percent(15) {
            self.uses("distinct");
            "DISTINCT "
        } else {
            ""
        };
        self.listed(distinct, items, from)
    }

    fn grouped(&mut self, from: &str, scope: &Scope) -> Part {
        let count = self.rng.below(3);
        let keys: Vec<(String, Type)> = (0..count)
            .filter_map(|_| {
                let of = self.ordered_type();
                let column = self.column(of, &scope.columns)?;
                Some((column, of))
            })
            .collect();
        let mut items = keys.clone();
        for _ in 0..=self.rng.below(2) {
            items.push(self.aggregate(scope));
        }
        let mut tail = String::new();
        if !keys.is_empty() {
            let names: Vec<&str> = keys.iter().map(|(key, _)| key.as_str()).collect();
            let names = names.join(", ");
            let sets = match self.rng.below(8) {
                0 => {
                    self.uses("rollup");
                    format!("ROLLUP ({names})")
                }
                1 => {
                    self.uses("cube");
                    format!("CUBE ({names})")
                }
                2 => {
                    self.uses("grouping sets");
                    format!("GROUPING SETS (({names}), ())")
                }
                _ => {
                    self.uses("group");
                    names
                }
            };
            tail = format!(" GROUP BY {sets}");
        }
        if self.rng.percent(25) {
            self.uses("having");
            tail = format!("{tail} HAVING count(*) > {}", self.rng.below(2));
        }
        self.listed("", items, &format!("{from}{tail}"))
    }

    fn windowed(&mut self, from: &str, scope: &Scope) -> Part {
        let of = self.any_type();
        let mut items = vec![(self.leaf(of, scope), of)];
        for _ in 0..=self.rng.below(2) {
            items.push(self.window(scope));
        }
        self.listed("", items, from)
    }

    fn distinct_on(&mut self, from: &str, scope: &Scope) -> Part {
        let Some(key) = self.column(Type::Int, &scope.columns) else {
            return self.plain(from, scope);
        };
        self.uses("distinct on");
        let rest: Vec<String> = scope
            .columns
            .iter()
            .filter(|column| Type::ORDERED.contains(&column.of))
            .map(|column| column.sql.clone())
            .collect();
        let of = self.ordered_type();
        let item = self.leaf(of, scope);
        let items = vec![(key.clone(), Type::Int), (item, of)];
        let order = format!(" ORDER BY {key}, {}", rest.join(", "));
        self.listed(
            &format!("DISTINCT ON ({key}) "),
            items,
            &format!("{from}{order}"),
        )
    }

    fn listed(&mut self, distinct: &str, items: Vec<(String, Type)>, from: &str) -> Part {
        let mut texts = Vec::new();
        let mut columns = Vec::new();
        for (item, of) in items {
            let name = self.name("c");
            texts.push(format!("{item} AS {name}"));
            columns.push(Column { sql: name, of });
        }
        Part {
            sql: format!("SELECT {distinct}{} {from}", texts.join(", ")),
            columns,
        }
    }

    /// Two queries with the same types.
    fn set_operation(&mut self, depth: usize) -> Part {
        let (op, feature) = self.rng.pick(&[
            ("UNION ALL", "union all"),
            ("UNION ALL", "union all"),
            ("UNION", "union"),
            ("INTERSECT", "intersect"),
            ("INTERSECT ALL", "intersect all"),
            ("EXCEPT", "except"),
            ("EXCEPT ALL", "except all"),
        ]);
        self.uses(feature);
        let count = self.rng.below(2) + 1;
        let types: Vec<Type> = (0..count).map(|_| self.ordered_type()).collect();
        let side = |generator: &mut Self| {
            let from = generator.from(depth.saturating_sub(1));
            let scope = Scope {
                columns: from.columns,
                outer: Vec::new(),
            };
            let items = types
                .iter()
                .map(|of| (generator.expr(*of, &scope, 1), *of))
                .collect();
            generator.listed("", items, &format!("FROM {}", from.sql))
        };
        let (one, other) = (side(self), side(self));
        let part = Part {
            sql: format!("{} {op} {}", one.sql, other.sql),
            columns: one.columns,
        };
        self.ordered(part)
    }

    fn with(&mut self) -> String {
        self.uses("common table expression");
        let inner = self.select(1);
        let name = self.name("w");
        let (one, other) = (self.named(&name, &inner), self.named(&name, &inner));
        let (Some(first), Some(second)) = (one.columns.first(), other.columns.first()) else {
            return inner.sql;
        };
        if self.rng.percent(50) {
            return format!(
                "WITH {name} AS ({}) SELECT {} AS p FROM {}",
                inner.sql, first.sql, one.sql
            );
        }
        self.uses("common table expression used twice");
        format!(
            "WITH {name} AS ({}) SELECT {} AS p, {} AS q FROM {} LEFT JOIN {} ON {} = {}",
            inner.sql, first.sql, second.sql, one.sql, other.sql, first.sql, second.sql
        )
    }

    fn recursive(&mut self) -> String {
        self.uses("recursive query");
        let name = self.name("r");
        let all = self.rng.pick(&[" ALL", ""]);
        let (start, end) = (self.rng.below(3), self.rng.below(6) + 2);
        if self.rng.percent(50) {
            return format!(
                "WITH RECURSIVE {name} AS (SELECT CAST({start} AS BIGINT) AS n UNION{all} \
                 SELECT n + 1 FROM {name} WHERE n < {end}) SELECT n FROM {name}"
            );
        }
        format!(
            "WITH RECURSIVE {name} AS (SELECT id, 0 AS depth FROM v WHERE id = {start} UNION{all} \
             SELECT v.id, {name}.depth + 1 FROM {name} JOIN v ON v.parent = {name}.id \
             WHERE {name}.depth < {end}) SELECT id, depth FROM {name}"
        )
    }
}

//! Random queries whose outcome the data alone decides: no ties under a limit, no random order.

use super::data::{Random, TEXTS};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Int,
    Text,
}

use Type::{Int, Text};

/// Something to select from: a `FROM` item and its columns.
#[derive(Clone)]
struct Relation {
    from: String,
    columns: Vec<(String, Type)>,
}

struct Generator<'r> {
    random: &'r mut Random,
    aliases: usize,
    /// Common table expressions in reach.
    shared: Vec<(String, Vec<(String, Type)>)>,
}

/// A query with columns `c0`, `c1` and so on.
pub(super) fn query(random: &mut Random) -> String {
    let mut generator = Generator {
        random,
        aliases: 0,
        shared: Vec::new(),
    };
    let with = generator.with();
    let (mut sql, types) = generator.query(3);
    if generator.random.once_in(4) {
        let all = (1..=types.len()).map(|number| number.to_string());
        let all = all.collect::<Vec<_>>().join(", ");
        let limit = 1 + generator.random.below(4);
        sql = format!("SELECT * FROM ({sql}) ORDER BY {all} LIMIT {limit}");
    }
    format!("{with}{sql}")
}

impl Generator<'_> {
    fn with(&mut self) -> String {
        match self.random.below(6) {
            0 => {
                let (sql, types) = self.query(2);
                self.shared.push(("shared".to_owned(), named(&types)));
                format!("WITH shared AS ({sql}) ")
            }
            1 => {
                let (start, step) = (self.random.below(4), self.random.below(3));
                let union = self.random.pick(&["UNION", "UNION ALL"]).to_string();
                let columns = vec![
                    ("n".to_owned(), Int),
                    ("d".to_owned(), Int),
                    ("p".to_owned(), Int),
                ];
                self.shared.push(("reach".to_owned(), columns));
                let key = *self.random.pick(&["t.a", "t.b", "t.id"]);
                let carried = *self.random.pick(&["r.n", "r.p", "t.a", "r.d + r.p"]);
                format!(
                    "WITH RECURSIVE reach(n, d, p) AS (\
                         SELECT k, 0, v FROM u WHERE v >= {start} {union} \
                         SELECT t.b + {step}, r.d + 1, {carried} FROM reach r JOIN t ON {key} = r.n WHERE r.d < 2) "
                )
            }
            _ => String::new(),
        }
    }

    fn query(&mut self, depth: usize) -> (String, Vec<Type>) {
        match self.random.below(if depth == 0 { 4 } else { 8 }) {
            0 | 1 => self.select(depth),
            2 => self.aggregate(depth),
            3 => self.window(depth),
            4 | 5 => self.set_operation(depth),
            6 => self.distinct_on(depth),
            _ => self.select(depth),
        }
    }

    fn select(&mut self, depth: usize) -> (String, Vec<Type>) {
        let relation = self.from(depth);
        let mut types = vec![Int];
        for _ in 0..self.random.below(3) {
            types.push(*self.random.pick(&[Int, Text]));
        }
        let columns = self.outputs(&types, &relation, depth);
        let distinct = if self.random.once_in(5) {
            "DISTINCT "
        } else {
            ""
        };
        let filter = self.filter(&relation, depth);
        (
            format!("SELECT {distinct}{columns} FROM {}{filter}", relation.from),
            types,
        )
    }

    fn aggregate(&mut self, depth: usize) -> (String, Vec<Type>) {
        let relation = self.from(depth);
        let keys = self.random.below(3);
        let mut outputs = Vec::new();
        let mut groups = Vec::new();
        let mut types = Vec::new();
        for _ in 0..keys {
            let of = *self.random.pick(&[Int, Text]);
            let key = self.column(&relation, of);
            outputs.push(key.clone());
            groups.push(key);
            types.push(of);
        }
        for _ in 0..1 + self.random.below(2) {
            let (aggregate, of) = self.aggregate_call(&relation, depth);
            outputs.push(aggregate);
            types.push(of);
        }
        let filter = self.filter(&relation, depth);
        let columns = aliased(&outputs);
        let mut sql = format!("SELECT {columns} FROM {}{filter}", relation.from);
        if !groups.is_empty() {
            let keys = groups.join(", ");
            let by = match self.random.below(5) {
                0 => format!("ROLLUP ({keys})"),
                1 => format!("CUBE ({keys})"),
                2 => format!("GROUPING SETS (({keys}), ())"),
                _ => keys,
            };
            sql.push_str(&format!(" GROUP BY {by}"));
        }
        if self.random.once_in(3) {
            let (aggregate, of) = self.aggregate_call(&relation, depth);
            let bound = self.literal(of);
            sql.push_str(&format!(" HAVING {aggregate} >= {bound}"));
        }
        (sql, types)
    }

    fn aggregate_call(&mut self, relation: &Relation, depth: usize) -> (String, Type) {
        let mut inner = depth.min(1);
        let int = self.expr(Int, relation, inner);
        inner = 0;
        let text = self.expr(Text, relation, inner);
        let (call, of) = match self.random.below(7) {
            0 => ("count(*)".to_owned(), Int),
            1 => (format!("sum({int})"), Int),
            2 => (format!("max({int})"), Int),
            3 => (format!("min({text})"), Text),
            4 => (format!("count(DISTINCT {int})"), Int),
            5 => {
                let second = self.column(relation, Text);
                let call = format!("string_agg({second}, '-' ORDER BY {second})");
                return (call, Text);
            }
            _ => (format!("count({text})"), Int),
        };
        if self.random.once_in(3) {
            let condition = self.condition(relation, 0);
            (format!("{call} FILTER (WHERE {condition})"), of)
        } else {
            (call, of)
        }
    }

    fn window(&mut self, depth: usize) -> (String, Vec<Type>) {
        let relation = self.from(depth);
        let all = relation.columns.iter().map(|(name, _)| name.clone());
        let all = all.collect::<Vec<_>>().join(", ");
        let partition = self.column(&relation, *[Int, Text].get(depth % 2).unwrap());
        let partition = match self.random.below(3) {
            0 => String::new(),
            _ => format!("PARTITION BY {partition} "),
        };
        let value = self.expr(Int, &relation, 0);
        let key = self.column(&relation, Int);
        let condition = self.condition(&relation, 0);
        let call = match self.random.below(7) {
            0 => format!("row_number() OVER ({partition}ORDER BY {all})"),
            1 => format!("rank() OVER ({partition}ORDER BY {key})"),
            2 => format!(
                "sum({value}) OVER ({partition}ORDER BY {all} ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)"
            ),
            3 => format!("lag({value}) OVER ({partition}ORDER BY {all})"),
            4 => {
                format!("max({value}) FILTER (WHERE {condition}) OVER ({partition}ORDER BY {key})")
            }
            5 => format!("count(*) OVER ({partition})"),
            _ => format!("first_value({value}) OVER ({partition}ORDER BY {all})"),
        };
        let types = vec![Int, Int, Text];
        let other = self.outputs(&types[1..], &relation, 0);
        let other = other
            .replace(" AS c1", " AS c2")
            .replace(" AS c0", " AS c1");
        let filter = self.filter(&relation, depth.min(1));
        let sql = format!(
            "SELECT {call} AS c0, {other} FROM {}{filter}",
            relation.from
        );
        if self.random.once_in(3) {
            let bound = self.random.below(4);
            (format!("SELECT * FROM ({sql}) WHERE c0 >= {bound}"), types)
        } else {
            (sql, types)
        }
    }

    fn set_operation(&mut self, depth: usize) -> (String, Vec<Type>) {
        let (left, types) = self.query(depth - 1);
        let relation = self.from(0);
        let columns = self.outputs(&types, &relation, 0);
        let filter = self.filter(&relation, 0);
        let operation =
            *self
                .random
                .pick(&["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL"]);
        let names = (0..types.len()).map(|number| format!("c{number}"));
        let names = names.collect::<Vec<_>>().join(", ");
        let right = format!("SELECT {columns} FROM {}{filter}", relation.from);
        (
            format!("SELECT {names} FROM ({left}) {operation} {right}"),
            types,
        )
    }

    fn distinct_on(&mut self, depth: usize) -> (String, Vec<Type>) {
        let (sql, types) = self.query(depth - 1);
        let names = (0..types.len()).map(|number| format!("c{number}"));
        let names = names.collect::<Vec<_>>().join(", ");
        let direction = *self.random.pick(&["", " DESC"]);
        let order = names.replace(',', &format!("{direction},"));
        (
            format!("SELECT DISTINCT ON (c0) {names} FROM ({sql}) ORDER BY {order}{direction}"),
            types,
        )
    }

    fn from(&mut self, depth: usize) -> Relation {
        let first = self.item(depth);
        match self.random.below(7) {
            0 | 1 => {
                let second = self.item(depth.saturating_sub(1));
                let kind = *self
                    .random
                    .pick(&["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]);
                let on = format!(
                    "{} = {}",
                    self.column(&first, Int),
                    self.column(&second, Int)
                );
                join(&first, kind, &second, &format!(" ON {on}"))
            }
            2 => {
                let second = self.item(0);
                let on = format!(
                    "{} < {}",
                    self.column(&first, Int),
                    self.column(&second, Int)
                );
                let also = format!(
                    "{} = {}",
                    self.column(&first, Int),
                    self.column(&second, Int)
                );
                join(
                    &first,
                    "LEFT JOIN",
                    &second,
                    &format!(" ON {also} AND {on}"),
                )
            }
            3 if depth > 0 => {
                let alias = self.alias();
                let inner = self.item(0);
                let (value, inner_key) = (self.column(&inner, Int), self.column(&inner, Int));
                let outer_key = self.column(&first, Int);
                let second = Relation {
                    from: format!(
                        "LATERAL (SELECT max({value}) AS m FROM {} WHERE {inner_key} = {outer_key}) {alias}",
                        inner.from
                    ),
                    columns: vec![(format!("{alias}.m"), Int)],
                };
                join(&first, "CROSS JOIN", &second, "")
            }
            _ => first,
        }
    }

    fn item(&mut self, depth: usize) -> Relation {
        let alias = self.alias();
        let qualified = |columns: &[(&str, Type)]| {
            let columns = columns
                .iter()
                .map(|(name, of)| (format!("{alias}.{name}"), *of));
            columns.collect::<Vec<_>>()
        };
        if !self.shared.is_empty() && self.random.once_in(2) {
            let (name, columns) = &self.shared[0];
            let columns: Vec<(&str, Type)> = columns
                .iter()
                .map(|(name, of)| (name.as_str(), *of))
                .collect();
            return Relation {
                from: format!("{name} AS {alias}"),
                columns: qualified(&columns),
            };
        }
        match self.random.below(if depth == 0 { 6 } else { 9 }) {
            0 | 1 => Relation {
                from: format!("t AS {alias}"),
                columns: qualified(&[("id", Int), ("a", Int), ("b", Int), ("s", Text)]),
            },
            2 => Relation {
                from: format!("u AS {alias}"),
                columns: qualified(&[("k", Int), ("v", Int), ("s", Text)]),
            },
            3 => Relation {
                from: format!("w AS {alias}"),
                columns: {
                    let mut columns = qualified(&[("k", Int), ("x", Int), ("items[1]", Int)]);
                    columns.push((format!("cardinality({alias}.items)"), Int));
                    columns.extend(qualified(&[("st['p']", Int), ("st['q']", Text)]));
                    columns
                },
            },
            4 => Relation {
                from: format!("(SELECT k, unnest(items) AS item, st['q'] AS q FROM w) AS {alias}"),
                columns: qualified(&[("k", Int), ("item", Int), ("q", Text)]),
            },
            5 => Relation {
                from: format!("(VALUES (1, 'a'), (2, 'b'), (3, 'ab')) AS {alias}(n, m)"),
                columns: qualified(&[("n", Int), ("m", Text)]),
            },
            _ => {
                let (sql, types) = self.query(depth - 1);
                let names = named(&types);
                let names: Vec<(&str, Type)> = names
                    .iter()
                    .map(|(name, of)| (name.as_str(), *of))
                    .collect();
                Relation {
                    from: format!("({sql}) AS {alias}"),
                    columns: qualified(&names),
                }
            }
        }
    }

    fn outputs(&mut self, types: &[Type], relation: &Relation, depth: usize) -> String {
        let exprs: Vec<String> = types
            .iter()
            .map(|of| self.expr(*of, relation, depth))
            .collect();
        aliased(&exprs)
    }

    fn filter(&mut self, relation: &Relation, depth: usize) -> String {
        match self.random.below(3) {
            0 => String::new(),
            _ => format!(" WHERE {}", self.condition(relation, depth)),
        }
    }

    fn column(&mut self, relation: &Relation, of: Type) -> String {
        let columns = relation.columns.iter().filter(|(_, it)| *it == of);
        let columns: Vec<&String> = columns.map(|(name, _)| name).collect();
        if columns.is_empty() {
            self.literal(of)
        } else {
            (*self.random.pick(&columns)).clone()
        }
    }

    fn literal(&mut self, of: Type) -> String {
        match of {
            Int => self.random.below(5).to_string(),
            Text => format!("'{}'", self.random.pick(&TEXTS)),
        }
    }

    fn expr(&mut self, of: Type, relation: &Relation, depth: usize) -> String {
        let column = self.column(relation, of);
        let kind = self.random.below(if depth == 0 { 9 } else { 12 });
        match (kind, of) {
            (0..=3, _) => column,
            (4, Int) => format!("({column} + {})", self.column(relation, Int)),
            (5, Int) => format!("length({})", self.column(relation, Text)),
            (4, Text) => format!("upper({column})"),
            (5, Text) => format!("concat({column}, {})", self.column(relation, Text)),
            (6, _) => {
                let condition = self.condition(relation, 0);
                format!(
                    "CASE WHEN {condition} THEN {column} ELSE {} END",
                    self.column(relation, of)
                )
            }
            (7, _) => format!("coalesce({column}, {})", self.column(relation, of)),
            (8, _) => format!("nullif({column}, {})", self.literal(of)),
            (9, _) => {
                let inner = self.item(0);
                let (value, key) = (self.column(&inner, of), self.column(&inner, Int));
                let outer = self.column(relation, Int);
                format!(
                    "(SELECT max({value}) FROM {} WHERE {key} = {outer})",
                    inner.from
                )
            }
            (10, _) => {
                let inner = self.item(0);
                let value = self.column(&inner, of);
                let filter = self.filter(&inner, 0);
                format!("(SELECT min({value}) FROM {}{filter})", inner.from)
            }
            _ => {
                let condition = self.condition(relation, depth - 1);
                format!("CASE WHEN {condition} THEN {column} END")
            }
        }
    }

    fn condition(&mut self, relation: &Relation, depth: usize) -> String {
        let (one, other) = (self.column(relation, Int), self.column(relation, Int));
        let text = self.column(relation, Text);
        match self.random.below(if depth == 0 { 7 } else { 12 }) {
            0 => format!("{one} > {}", self.literal(Int)),
            1 => format!("{one} <> {other}"),
            2 => format!("{text} LIKE '%a%'"),
            3 => format!("{one} IS NOT NULL"),
            4 => format!("({one} <= 2 OR {text} = 'b')"),
            5 => format!("{one} IN (0, 2, {other})"),
            6 => format!("NOT ({one} BETWEEN 1 AND {other})"),
            kind => {
                let inner = self.item(0);
                let (value, key) = (self.column(&inner, Int), self.column(&inner, Int));
                let filter = self.filter(&inner, 0);
                let from = &inner.from;
                match kind {
                    7 => {
                        format!("EXISTS (SELECT 1 FROM {from} WHERE {key} = {one} AND {value} > 1)")
                    }
                    8 => format!("NOT EXISTS (SELECT 1 FROM {from} WHERE {key} = {one})"),
                    9 => format!("{one} IN (SELECT {value} FROM {from}{filter})"),
                    10 => format!(
                        "({other} = 1 OR {one} NOT IN (SELECT {value} FROM {from}{filter}))"
                    ),
                    _ => format!("{one} >= ALL (SELECT {value} FROM {from}{filter})"),
                }
            }
        }
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("x{}", self.aliases)
    }
}

fn join(first: &Relation, kind: &str, second: &Relation, on: &str) -> Relation {
    Relation {
        from: format!("{} {kind} {}{on}", first.from, second.from),
        columns: [first.columns.clone(), second.columns.clone()].concat(),
    }
}

fn named(types: &[Type]) -> Vec<(String, Type)> {
    let types = types.iter().enumerate();
    types
        .map(|(number, of)| (format!("c{number}"), *of))
        .collect()
}

fn aliased(exprs: &[String]) -> String {
    let exprs = exprs.iter().enumerate();
    let exprs = exprs.map(|(number, expr)| format!("{expr} AS c{number}"));
    exprs.collect::<Vec<_>>().join(", ")
}

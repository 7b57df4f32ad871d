//! Random queries: their digest does not depend on how they are spelled or when they are planned.

use codeanatomy_plan::plan_digest;
use proptest::prelude::*;

use crate::support::Session;

/// A query without names of its own and without an order of its conditions.
#[derive(Debug, Clone)]
struct Query {
    joined: bool,
    outputs: Vec<Value>,
    conditions: Vec<Condition>,
    grouped: bool,
    limit: Option<u8>,
}

#[derive(Debug, Clone)]
enum Value {
    /// A column of the first or the second table.
    Column(bool, &'static str),
    Number(i8),
    Sum(Box<Value>, Box<Value>),
    Absolute(Box<Value>),
    Case(Box<Condition>, Box<Value>, Box<Value>),
}

#[derive(Debug, Clone)]
enum Condition {
    Equal(Value, Value),
    Less(Value, Value),
    Null(Value),
    OneOf(Value, Vec<i8>),
    Either(Box<Condition>, Box<Condition>),
}

/// How a query is written down.
#[derive(Debug, Clone, Copy)]
struct Spelling {
    names: [&'static str; 3],
    reversed: bool,
    wrapped: bool,
}

const PLAIN: Spelling = Spelling {
    names: ["x", "y", "w"],
    reversed: false,
    wrapped: false,
};
const RENAMED: Spelling = Spelling {
    names: ["left_side", "right_side", "inner_query"],
    reversed: false,
    wrapped: true,
};
const REVERSED: Spelling = Spelling {
    reversed: true,
    ..RENAMED
};

impl Query {
    fn sql(&self, spelling: Spelling) -> String {
        let [one, two, whole] = spelling.names;
        let outputs: Vec<String> = self
            .outputs
            .iter()
            .enumerate()
            .map(|(number, value)| {
                let value = value.sql(self.joined, spelling);
                let value = if self.grouped {
                    format!("sum({value})")
                } else {
                    value
                };
                format!("{value} AS o{number}")
            })
            .collect();
        let mut conditions: Vec<String> = self
            .conditions
            .iter()
            .map(|condition| condition.sql(self.joined, spelling))
            .collect();
        if spelling.reversed {
            conditions.reverse();
        }
        let mut sql = format!("SELECT {} FROM t AS {one}", outputs.join(", "));
        if self.joined {
            let (l, r) = if spelling.reversed {
                (two, one)
            } else {
                (one, two)
            };
            sql += &format!(" JOIN u AS {two} ON {l}.k = {r}.k");
        }
        if !conditions.is_empty() {
            sql += &format!(" WHERE {}", conditions.join(" AND "));
        }
        if self.grouped {
            sql += &format!(" GROUP BY {one}.c");
        }
        if let Some(limit) = self.limit {
            sql += &format!(" ORDER BY o0 LIMIT {limit}");
        }
        if spelling.wrapped {
            let names: Vec<String> = (0..outputs.len()).map(|n| format!("o{n}")).collect();
            sql = format!(
                "WITH {whole} AS ({sql}) SELECT {} FROM {whole}",
                names.join(", ")
            );
        }
        sql
    }
}

impl Value {
    fn sql(&self, joined: bool, spelling: Spelling) -> String {
        match self {
            Self::Column(second, name) => {
                let table = spelling.names[usize::from(*second && joined)];
                format!("{table}.{name}")
            }
            Self::Number(number) => format!("({number})"),
            Self::Sum(a, b) => {
                format!(
                    "({} + {})",
                    a.sql(joined, spelling),
                    b.sql(joined, spelling)
                )
            }
            Self::Absolute(a) => format!("abs({})", a.sql(joined, spelling)),
            Self::Case(when, then, otherwise) => format!(
                "CASE WHEN {} THEN {} ELSE {} END",
                when.sql(joined, spelling),
                then.sql(joined, spelling),
                otherwise.sql(joined, spelling)
            ),
        }
    }
}

impl Condition {
    fn sql(&self, joined: bool, spelling: Spelling) -> String {
        match self {
            Self::Equal(a, b) => {
                let (a, b) = (a.sql(joined, spelling), b.sql(joined, spelling));
                if spelling.reversed {
                    format!("{b} = {a}")
                } else {
                    format!("{a} = {b}")
                }
            }
            Self::Less(a, b) => {
                let (a, b) = (a.sql(joined, spelling), b.sql(joined, spelling));
                if spelling.reversed {
                    format!("{b} > {a}")
                } else {
                    format!("{a} < {b}")
                }
            }
            Self::Null(a) => format!("{} IS NULL", a.sql(joined, spelling)),
            Self::OneOf(a, list) => {
                let mut list: Vec<String> = list.iter().map(ToString::to_string).collect();
                if spelling.reversed {
                    list.reverse();
                }
                format!("{} IN ({})", a.sql(joined, spelling), list.join(", "))
            }
            Self::Either(a, b) => {
                let (a, b) = (a.sql(joined, spelling), b.sql(joined, spelling));
                let (a, b) = if spelling.reversed { (b, a) } else { (a, b) };
                format!("({a} OR {b})")
            }
        }
    }
}

fn column() -> impl Strategy<Value = Value> {
    (any::<bool>(), prop_oneof![Just("a"), Just("b"), Just("k")])
        .prop_map(|(second, name)| Value::Column(second, name))
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![3 => column(), 1 => any::<i8>().prop_map(Value::Number)];
    leaf.prop_recursive(2, 6, 3, |inner| {
        let simple = (inner.clone(), inner.clone()).prop_map(|(a, b)| Condition::Less(a, b));
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Value::Sum(a.into(), b.into())),
            inner.clone().prop_map(|a| Value::Absolute(a.into())),
            (simple, inner.clone(), inner).prop_map(|(when, then, otherwise)| {
                Value::Case(when.into(), then.into(), otherwise.into())
            }),
        ]
    })
}

fn condition() -> impl Strategy<Value = Condition> {
    let leaf = prop_oneof![
        (column(), column()).prop_map(|(a, b)| Condition::Equal(a, b)),
        (column(), column()).prop_map(|(a, b)| Condition::Less(a, b)),
        column().prop_map(Condition::Null),
        (column(), prop::collection::vec(any::<i8>(), 4..7))
            .prop_map(|(a, list)| Condition::OneOf(a, list)),
    ];
    leaf.prop_recursive(2, 4, 2, |inner| {
        (inner.clone(), inner).prop_map(|(a, b)| Condition::Either(a.into(), b.into()))
    })
}

fn query() -> impl Strategy<Value = Query> {
    (
        any::<bool>(),
        prop::collection::vec(value(), 1..4),
        prop::collection::vec(condition(), 0..4),
        any::<bool>(),
        prop::option::of(1_u8..9),
    )
        .prop_map(|(joined, outputs, conditions, grouped, limit)| Query {
            joined,
            outputs,
            conditions,
            grouped,
            limit,
        })
}

thread_local! {
    static SESSION: Session = Session::new();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..Default::default() })]

    #[test]
    fn a_query_planned_again_has_the_same_digest(query in query()) {
        let sql = query.sql(PLAIN);
        let (one, other) = SESSION.with(|s| (s.digest(&sql), s.digest(&sql)));
        prop_assert_eq!(one, other, "{}", sql);
    }

    #[test]
    fn a_query_with_other_aliases_has_the_same_digest(query in query()) {
        let (one, other) = (query.sql(PLAIN), query.sql(RENAMED));
        SESSION.with(|session| {
            prop_assert_eq!(
                session.digest(&one),
                session.digest(&other),
                "{}",
                crate::support::side_by_side(session, &one, &other)
            );
            Ok(())
        })?;
    }

    /// Before the optimizer: its rules look at pairs of conditions, and do not find the same pairs
    /// in every order.
    #[test]
    fn a_query_with_its_conditions_in_another_order_has_the_same_digest(query in query()) {
        let (one, other) = (query.sql(PLAIN), query.sql(REVERSED));
        let digest = |sql: &str| SESSION.with(|s| plan_digest(&s.analyzed(sql)).unwrap().digest);
        prop_assert_eq!(digest(&one), digest(&other), "{}\n{}", one, other);
    }

    #[test]
    fn a_query_with_one_more_condition_has_another_digest(query in query(), number in any::<i64>()) {
        let mut more = query.clone();
        more.limit = None;
        let mut base = query;
        base.limit = None;
        // No generated condition mentions this column.
        let one = base.sql(PLAIN);
        let other = {
            let condition = format!("x.d > {number}");
            if one.contains(" WHERE ") {
                one.replacen(" WHERE ", &format!(" WHERE {condition} AND "), 1)
            } else if one.contains(" GROUP BY ") {
                one.replacen(" GROUP BY ", &format!(" WHERE {condition} GROUP BY "), 1)
            } else {
                format!("{one} WHERE {condition}")
            }
        };
        SESSION.with(|session| {
            let plan = session.plan(&one).display_indent().to_string();
            // A query that the optimizer proves empty stays empty.
            if !plan.contains("EmptyRelation") {
                prop_assert_ne!(session.digest(&one), session.digest(&other), "{}", other);
            }
            Ok(())
        })?;
    }
}

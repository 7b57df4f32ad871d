//! The digests of released formats, kept as fixtures that never change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use codeanatomy_plan::{FINGERPRINT_FORMAT, plan_digest};
use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::common::{JoinType, NullEquality, ScalarValue};
use datafusion::functions::expr_fn::{concat, random, upper};
use datafusion::functions_aggregate::expr_fn::{count, first_value, sum};
use datafusion::functions_window::expr_fn::lag;
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::logical_plan::{LogicalPlanBuilder, table_scan};
use datafusion::logical_expr::{
    Expr, ExprFunctionExt, LogicalPlan, WindowFrame, cast, col, in_subquery, lit, out_ref_col,
    rollup, scalar_subquery, when,
};

const FIXTURE: &str = include_str!("../goldens/format_2.txt");

#[test]
fn a_digest_of_a_released_format_never_changes() {
    assert_eq!(
        FINGERPRINT_FORMAT, 2,
        "compare with the fixture of the format"
    );
    let recorded: BTreeMap<&str, &str> = FIXTURE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .collect();
    let computed: BTreeMap<&str, String> = plans()
        .into_iter()
        .chain(plans_of_format_2())
        .map(|(name, plan)| (name, plan_digest(&plan).unwrap().digest.to_hex()))
        .collect();
    let lines: Vec<String> = computed
        .iter()
        .map(|(name, digest)| format!("{name} {digest}"))
        .collect();
    let same = recorded.len() == computed.len()
        && computed
            .iter()
            .all(|(name, digest)| recorded.get(name) == Some(&digest.as_str()));
    assert!(
        same,
        "The digest of a plan changed, so every view of every project would be built again. If \
         that is meant, raise FINGERPRINT_FORMAT by one, write these lines to a new file \
         tests/goldens/format_<number>.txt, read that file here, keep the old one, and describe \
         the change in docs/specs/fingerprint.md:\n{}",
        lines.join("\n")
    );
}

/// Every digest holds the number of its format.
#[test]
fn the_digests_of_two_formats_have_nothing_in_common() {
    let digests = |fixture: &'static str| -> BTreeSet<&'static str> {
        let lines = fixture.lines().filter(|line| !line.starts_with('#'));
        lines
            .filter_map(|line| Some(line.rsplit_once(' ')?.1))
            .collect()
    };
    let (one, two) = (
        digests(include_str!("../goldens/format_1.txt")),
        digests(FIXTURE),
    );
    assert!(one.len() >= 13 && two.len() >= one.len());
    assert!(one.is_disjoint(&two));
}

fn scan(name: &str) -> LogicalPlanBuilder {
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    let schema = Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        field("amount", DataType::Decimal128(15, 2)),
        field("name", DataType::Utf8),
        field("ratio", DataType::Float64),
        field(
            "at",
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        ),
    ]);
    table_scan(Some(name), &schema, None).unwrap()
}

fn built(builder: datafusion::common::Result<LogicalPlanBuilder>) -> LogicalPlan {
    builder.unwrap().build().unwrap()
}

/// Plans built by hand, so that no planner or optimizer has a say in them.
fn plans() -> Vec<(&'static str, LogicalPlan)> {
    vec![
        ("scan", scan("orders").build().unwrap()),
        (
            "filter",
            built(
                scan("orders").filter(
                    col("orders.id")
                        .gt(lit(10_i64))
                        .and(col("orders.name").like(lit("a%")))
                        .and(
                            col("orders.ratio")
                                .not_eq(lit(0.5_f64))
                                .or(col("orders.at").is_null()),
                        ),
                ),
            ),
        ),
        (
            "projection",
            built(scan("orders").project(vec![
                (col("orders.id") + lit(1_i64)).alias("next"),
                cast(col("orders.id"), DataType::Float32).alias("real"),
                upper(col("orders.name")).alias("loud"),
                concat(vec![col("orders.name"), lit("!")]).alias("louder"),
                when(col("orders.id").eq(lit(1_i64)), lit("one"))
                    .otherwise(lit("many"))
                    .unwrap()
                    .alias("word"),
            ])),
        ),
        (
            "literals",
            built(LogicalPlanBuilder::empty(true).project(vec![
                lit(ScalarValue::Null).alias("a"),
                lit(ScalarValue::Decimal128(Some(12345), 10, 2)).alias("b"),
                lit(ScalarValue::TimestampNanosecond(Some(1), Some("+02:00".into()))).alias("c"),
                lit(ScalarValue::Float64(Some(-0.0))).alias("d"),
                lit(ScalarValue::List(ScalarValue::new_list_nullable(
                    &[ScalarValue::Int64(Some(1)), ScalarValue::Int64(None)],
                    &DataType::Int64,
                )))
                .alias("e"),
            ])),
        ),
        (
            "aggregate",
            built(scan("orders").aggregate(
                vec![col("orders.name")],
                vec![
                    sum(col("orders.amount")).alias("total"),
                    count(lit(1_i64)).alias("n"),
                    sum(col("orders.ratio"))
                        .distinct()
                        .filter(col("orders.id").lt(lit(9_i64)))
                        .build()
                        .unwrap()
                        .alias("some"),
                    first_value(col("orders.id"), vec![col("orders.at").sort(false, true)])
                        .alias("last"),
                ],
            )),
        ),
        (
            "window",
            built(scan("orders").window(vec![
                lag(col("orders.id"), Some(2), Some(ScalarValue::Int64(Some(0))))
                    .partition_by(vec![col("orders.name")])
                    .order_by(vec![col("orders.at").sort(true, false)])
                    .window_frame(WindowFrame::new(Some(true)))
                    .build()
                    .unwrap()
                    .alias("before"),
            ])),
        ),
        (
            "join",
            built(scan("orders").join_detailed(
                scan("lines").build().unwrap(),
                JoinType::Left,
                (vec!["orders.id"], vec!["lines.id"]),
                Some(col("orders.ratio").lt(col("lines.ratio"))),
                NullEquality::NullEqualsNull,
            )),
        ),
        (
            "sort and limit",
            built(
                scan("orders")
                    .sort(vec![col("orders.at").sort(false, true)])
                    .unwrap()
                    .limit(5, Some(10)),
            ),
        ),
        (
            "union",
            built(scan("orders").union(scan("archive").build().unwrap())),
        ),
        (
            "subqueries",
            built(
                scan("orders").filter(
                    in_subquery(col("orders.id"), Arc::new(id_of("lines"))).and(
                        col("orders.amount").gt(scalar_subquery(Arc::new(correlated_maximum()))),
                    ),
                ),
            ),
        ),
        (
            "values",
            built(LogicalPlanBuilder::values(vec![
                vec![lit(1_i64), lit("a")],
                vec![lit(2_i64), Expr::Literal(ScalarValue::Utf8(None), None)],
            ])),
        ),
        (
            "volatile",
            built(scan("orders").filter(random().lt(lit(0.5_f64)).and(random().lt(lit(0.5_f64))))),
        ),
        (
            "distinct",
            built(
                scan("orders")
                    .project(vec![col("orders.name")])
                    .unwrap()
                    .distinct(),
            ),
        ),
    ]
}

/// Plans that are digested as another plan.
fn plans_of_format_2() -> Vec<(&'static str, LogicalPlan)> {
    let joined = |join_type| {
        scan("orders").join_detailed(
            scan("lines").build().unwrap(),
            join_type,
            (vec!["orders.id"], vec!["lines.id"]),
            Some(col("orders.ratio").lt(col("lines.ratio"))),
            NullEquality::NullEqualsNothing,
        )
    };
    let case = |expr: Expr| {
        let arms = vec![(Box::new(lit(1_i64)), Box::new(lit("one")))];
        Expr::Case(Case::new(Some(Box::new(expr)), arms, None)).alias("word")
    };
    vec![
        ("right join", built(joined(JoinType::Right))),
        ("full join", built(joined(JoinType::Full))),
        ("right mark join", built(joined(JoinType::RightMark))),
        (
            "some columns",
            built(
                scan("orders")
                    .project(vec![col("orders.name"), col("orders.id")])
                    .unwrap()
                    .filter(col("orders.id").gt(lit(3_i64))),
            ),
        ),
        (
            "rollup",
            built(scan("orders").aggregate(
                vec![rollup(vec![col("orders.name"), col("orders.at")])],
                vec![count(lit(1_i64)).alias("n")],
            )),
        ),
        (
            "keys in another order",
            built(scan("orders").aggregate(
                vec![col("orders.ratio"), col("orders.at"), col("orders.name")],
                vec![
                    count(lit(1_i64)).alias("n"),
                    count(col("orders.id")).alias("m"),
                ],
            )),
        ),
        (
            "simple case and sum",
            built(scan("orders").project(vec![
                case(col("orders.id")),
                (lit(1_i64) + col("orders.id")).alias("next"),
            ])),
        ),
        (
            "repeated sort key",
            built(scan("orders").sort(vec![
                col("orders.at").sort(false, true),
                col("orders.at").sort(true, true),
                col("orders.id").sort(true, true),
            ])),
        ),
    ]
}

fn id_of(table: &str) -> LogicalPlan {
    built(scan(table).project(vec![col(format!("{table}.id"))]))
}

fn correlated_maximum() -> LogicalPlan {
    let other = out_ref_col(DataType::Int64, "orders.id");
    built(
        scan("lines")
            .filter(col("lines.id").eq(other))
            .unwrap()
            .aggregate(Vec::<Expr>::new(), vec![sum(col("lines.amount"))]),
    )
}

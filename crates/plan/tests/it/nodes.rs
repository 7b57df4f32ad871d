//! Plan nodes that SQL does not reach easily, built by hand.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use codeanatomy_plan::{codes, plan_digest};
use codeanatomy_vocab::Fingerprint;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{DFSchemaRef, Result, ScalarValue, TableReference};
use datafusion::logical_expr::logical_plan::{
    Extension, LogicalPlanBuilder, TableScanBuilder, UserDefinedLogicalNodeCore, table_scan,
};
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalTableSource, Partitioning, Subquery, col, exists, lit, out_ref_col,
};

use crate::support::Session;

fn digest(plan: &LogicalPlan) -> Fingerprint {
    plan_digest(plan).unwrap().digest
}

fn schema(names: &[&str]) -> Schema {
    let field = |name: &&str| Field::new(*name, DataType::Int64, true);
    Schema::new(names.iter().map(field).collect::<Vec<_>>())
}

fn scan(name: &str) -> LogicalPlanBuilder {
    table_scan(Some(name), &schema(&["a", "b"]), None).unwrap()
}

#[test]
fn a_statement_is_not_a_query() {
    let session = Session::new();
    for sql in [
        "EXPLAIN SELECT a FROM t",
        "EXPLAIN ANALYZE SELECT a FROM t",
        "INSERT INTO u SELECT a, b, c, k FROM t",
        "CREATE TABLE w AS SELECT a FROM t",
        "CREATE VIEW w AS SELECT a FROM t",
        "DROP TABLE t",
        "COPY t TO 'x.parquet' STORED AS PARQUET",
        "DESCRIBE t",
        "SET datafusion.execution.batch_size = 1",
    ] {
        let error = plan_digest(&session.logical(sql)).unwrap_err();
        assert_eq!(error.code(), codes::NOT_A_QUERY, "{sql}");
    }
}

#[test]
fn a_reference_that_does_not_resolve_is_an_error() {
    let plan = scan("t").build().unwrap();
    let orphan = LogicalPlan::Filter(
        datafusion::logical_expr::Filter::try_new(col("z").eq(lit(1)), Arc::new(plan)).unwrap(),
    );
    assert_eq!(plan_digest(&orphan).unwrap_err().code(), codes::UNRESOLVED);
}

#[test]
fn a_table_is_its_reference_and_the_fields_that_are_read() {
    let read = |name: &str, all: &[&str], projection: Vec<usize>| {
        let plan = table_scan(Some(name), &schema(all), Some(projection)).unwrap();
        digest(&plan.build().unwrap())
    };
    let base = read("t", &["a", "b"], vec![0]);
    assert_eq!(
        base,
        read("t", &["z", "a"], vec![1]),
        "an unread column before it"
    );
    assert_ne!(base, read("t", &["a", "b"], vec![1]));
    assert_ne!(base, read("s.t", &["a", "b"], vec![0]));
    assert_ne!(read("s.t", &["a"], vec![0]), read("c.s.t", &["a"], vec![0]));
}

#[test]
fn the_dots_of_a_reference_are_not_the_dots_of_a_name() {
    let named = |reference: TableReference| {
        let source = Arc::new(LogicalTableSource::new(Arc::new(schema(&["a"]))));
        digest(&LogicalPlan::TableScan(
            TableScanBuilder::new(reference, source).build().unwrap(),
        ))
    };
    assert_ne!(
        named(TableReference::bare("s.t")),
        named(TableReference::partial("s", "t"))
    );
}

#[test]
fn filters_and_limits_of_a_scan_count() {
    let source = Arc::new(LogicalTableSource::new(Arc::new(schema(&["x", "a", "b"]))));
    let build = |filters: Vec<Expr>, fetch| {
        let scan = TableScanBuilder::new("t", Arc::clone(&source) as _)
            .with_projection(Some(vec![1]))
            .with_filters(filters)
            .with_fetch(fetch);
        digest(&LogicalPlan::TableScan(scan.build().unwrap()))
    };
    let (one, other) = (col("t.b").gt(lit(1_i64)), col("t.x").lt(lit(5_i64)));
    let base = build(vec![one.clone(), other.clone()], None);
    assert_eq!(base, build(vec![other.clone(), one.clone()], None), "a set");
    let mutants = [
        build(vec![], None),
        build(vec![one.clone()], None),
        build(vec![one.clone(), col("t.b").lt(lit(5_i64))], None),
        build(vec![one.clone(), other.clone()], Some(3)),
        build(vec![one.clone(), other.clone()], Some(4)),
        build(vec![], Some(3)),
    ];
    let distinct: BTreeSet<_> = mutants.iter().chain([&base]).collect();
    assert_eq!(distinct.len(), mutants.len() + 1);
}

#[test]
fn an_outer_column_is_its_place_in_the_outer_query() {
    let correlated = |outer: [&str; 2], table: [&str; 2], refers_to: &str| {
        let inner = scan("u")
            .filter(col("u.a").eq(out_ref_col(DataType::Int64, refers_to)))
            .unwrap()
            .build()
            .unwrap();
        let plan = scan(table[0])
            .alias(outer[0])
            .unwrap()
            .cross_join(scan(table[1]).alias(outer[1]).unwrap().build().unwrap())
            .unwrap()
            .filter(exists(Arc::new(inner)))
            .unwrap()
            .build()
            .unwrap();
        digest(&plan)
    };
    let base = correlated(["x", "y"], ["t", "t"], "x.a");
    assert_eq!(base, correlated(["p", "q"], ["t", "t"], "p.a"), "alias");
    assert_ne!(
        base,
        correlated(["x", "y"], ["t", "t"], "y.a"),
        "other side"
    );
    assert_ne!(
        base,
        correlated(["y", "x"], ["t", "t"], "x.a"),
        "swapped aliases"
    );
    assert_ne!(base, correlated(["x", "y"], ["t", "t"], "x.b"), "column");
}

#[test]
fn the_nearest_outer_query_that_has_the_column_is_meant() {
    let nested = |middle_alias: &str, outer_alias: &str, refers_to: &str| {
        let inner = scan("u")
            .filter(col("u.a").eq(out_ref_col(DataType::Int64, refers_to)))
            .unwrap();
        let middle = scan("t")
            .alias(middle_alias)
            .unwrap()
            .filter(exists(Arc::new(inner.build().unwrap())))
            .unwrap();
        let outer = scan("t")
            .alias(outer_alias)
            .unwrap()
            .filter(exists(Arc::new(middle.build().unwrap())))
            .unwrap();
        digest(&outer.build().unwrap())
    };
    assert_eq!(nested("m", "o", "o.a"), nested("x", "y", "y.a"));
    assert_eq!(nested("m", "o", "m.a"), nested("x", "x", "x.a"));
    assert_ne!(nested("m", "o", "o.a"), nested("m", "o", "m.a"));
}

#[test]
fn a_lateral_subquery_sees_the_left_side_of_its_join() {
    let lateral = |left_alias: &str, refers_to: &str| {
        let left = scan("t").alias(left_alias).unwrap();
        let inner = scan("u")
            .filter(col("u.a").eq(out_ref_col(DataType::Int64, refers_to)))
            .unwrap()
            .build()
            .unwrap();
        let right = LogicalPlan::Subquery(Subquery {
            subquery: Arc::new(inner),
            outer_ref_columns: vec![],
            spans: Default::default(),
        });
        digest(&left.cross_join(right).unwrap().build().unwrap())
    };
    assert_eq!(lateral("x", "x.a"), lateral("y", "y.a"));
    assert_ne!(lateral("x", "x.a"), lateral("x", "x.b"));
}

#[test]
fn a_repeated_condition_is_one_but_a_repeated_operand_is_an_operation() {
    let plan = |expr: Expr| digest(&scan("t").filter(expr).unwrap().build().unwrap());
    let (a, b) = (col("t.a").gt(lit(1_i64)), col("t.b").gt(lit(1_i64)));
    assert_eq!(plan(a.clone().and(a.clone())), plan(a.clone()));
    assert_eq!(
        plan(a.clone().and(b.clone().and(a.clone()))),
        plan(b.clone().and(a.clone()))
    );
    assert_ne!(plan(a.clone()), plan(b.clone()));
    let output = |expr: Expr| {
        let plan = scan("t").project(vec![expr.alias("x")]).unwrap();
        digest(&plan.build().unwrap())
    };
    assert_ne!(output(a.clone().and(a.clone())), output(a.clone()));
    assert_eq!(
        output(a.clone().or(b.clone()).or(a.clone())),
        output(b.or(a))
    );
}

#[test]
fn partitioning_counts() {
    let schemes = [
        Partitioning::RoundRobinBatch(4),
        Partitioning::RoundRobinBatch(5),
        Partitioning::Hash(vec![col("t.a")], 4),
        Partitioning::Hash(vec![col("t.b")], 4),
        Partitioning::DistributeBy(vec![col("t.a")]),
    ];
    let digests: BTreeSet<_> = schemes
        .iter()
        .map(|scheme| {
            digest(
                &scan("t")
                    .repartition(scheme.clone())
                    .unwrap()
                    .build()
                    .unwrap(),
            )
        })
        .collect();
    assert_eq!(digests.len(), schemes.len());
}

#[test]
fn the_same_plan_shared_or_repeated_has_one_digest() {
    let shared = Arc::new(
        scan("t")
            .filter(col("t.a").gt(lit(1_i64)))
            .unwrap()
            .build()
            .unwrap(),
    );
    let repeated = || {
        scan("t")
            .filter(col("t.a").gt(lit(1_i64)))
            .unwrap()
            .build()
            .unwrap()
    };
    let union = |inputs| {
        digest(&LogicalPlan::Union(
            datafusion::logical_expr::Union::try_new(inputs).unwrap(),
        ))
    };
    assert_eq!(
        union(vec![Arc::clone(&shared), Arc::clone(&shared)]),
        union(vec![Arc::new(repeated()), Arc::new(repeated())])
    );
}

#[test]
fn every_kind_of_scalar_value_is_told_apart() {
    let zone = |zone: &str| Some(Arc::from(zone));
    let list = |values: &[Option<i64>]| {
        let values: Vec<_> = values.iter().map(|v| ScalarValue::Int64(*v)).collect();
        ScalarValue::List(ScalarValue::new_list_nullable(&values, &DataType::Int64))
    };
    let values = vec![
        ScalarValue::Null,
        ScalarValue::Boolean(None),
        ScalarValue::Boolean(Some(false)),
        ScalarValue::Boolean(Some(true)),
        ScalarValue::Float32(Some(0.0)),
        ScalarValue::Float32(Some(-0.0)),
        ScalarValue::Float32(Some(f32::NAN)),
        ScalarValue::Float64(Some(0.0)),
        ScalarValue::Float64(Some(f64::NAN)),
        ScalarValue::Float64(Some(f64::from_bits(f64::NAN.to_bits() + 1))),
        ScalarValue::Decimal128(Some(10), 10, 1),
        ScalarValue::Decimal128(Some(10), 10, 2),
        ScalarValue::Decimal128(Some(10), 11, 1),
        ScalarValue::Decimal128(None, 10, 1),
        ScalarValue::Decimal256(Some(10.into()), 10, 1),
        ScalarValue::Decimal64(Some(10), 10, 1),
        ScalarValue::Decimal32(Some(10), 9, 1),
        ScalarValue::Int8(Some(0)),
        ScalarValue::Int16(Some(0)),
        ScalarValue::Int32(Some(0)),
        ScalarValue::Int64(Some(0)),
        ScalarValue::UInt8(Some(0)),
        ScalarValue::UInt16(Some(0)),
        ScalarValue::UInt32(Some(0)),
        ScalarValue::UInt64(Some(0)),
        ScalarValue::UInt64(None),
        ScalarValue::Utf8(Some("x".into())),
        ScalarValue::Utf8(Some(String::new())),
        ScalarValue::Utf8(None),
        ScalarValue::Utf8View(Some("x".into())),
        ScalarValue::LargeUtf8(Some("x".into())),
        ScalarValue::Binary(Some(b"x".to_vec())),
        ScalarValue::BinaryView(Some(b"x".to_vec())),
        ScalarValue::LargeBinary(Some(b"x".to_vec())),
        ScalarValue::FixedSizeBinary(1, Some(b"x".to_vec())),
        ScalarValue::FixedSizeBinary(1, None),
        ScalarValue::FixedSizeBinary(2, None),
        ScalarValue::Date32(Some(1)),
        ScalarValue::Date64(Some(1)),
        ScalarValue::Time32Second(Some(1)),
        ScalarValue::Time32Millisecond(Some(1)),
        ScalarValue::Time64Microsecond(Some(1)),
        ScalarValue::Time64Nanosecond(Some(1)),
        ScalarValue::TimestampSecond(Some(1), None),
        ScalarValue::TimestampSecond(Some(1), zone("UTC")),
        ScalarValue::TimestampSecond(Some(1), zone("+00:00")),
        ScalarValue::TimestampSecond(None, zone("UTC")),
        ScalarValue::TimestampMillisecond(Some(1), None),
        ScalarValue::TimestampMicrosecond(Some(1), None),
        ScalarValue::TimestampNanosecond(Some(1), None),
        ScalarValue::IntervalYearMonth(Some(1)),
        ScalarValue::new_interval_dt(1, 0),
        ScalarValue::new_interval_dt(0, 1),
        ScalarValue::new_interval_mdn(1, 0, 0),
        ScalarValue::new_interval_mdn(0, 1, 0),
        ScalarValue::new_interval_mdn(0, 0, 1),
        ScalarValue::DurationSecond(Some(1)),
        ScalarValue::DurationMillisecond(Some(1)),
        ScalarValue::DurationMicrosecond(Some(1)),
        ScalarValue::DurationNanosecond(Some(1)),
        list(&[]),
        list(&[Some(1)]),
        list(&[Some(1), Some(2)]),
        list(&[Some(2), Some(1)]),
        list(&[None, Some(1)]),
        ScalarValue::new_null_list(DataType::Int64, true, 1),
        ScalarValue::try_new_null(&DataType::new_list(DataType::Int32, true)).unwrap(),
        ScalarValue::try_new_null(&DataType::new_large_list(DataType::Int64, true)).unwrap(),
        ScalarValue::try_from(&DataType::Dictionary(
            Box::new(DataType::Int32),
            Box::new(DataType::Utf8),
        ))
        .unwrap(),
        ScalarValue::Dictionary(
            Box::new(DataType::Int32),
            Box::new(ScalarValue::Utf8(Some("x".into()))),
        ),
        ScalarValue::Dictionary(
            Box::new(DataType::Int8),
            Box::new(ScalarValue::Utf8(Some("x".into()))),
        ),
        struct_of("p", 1),
        struct_of("p", 2),
        struct_of("q", 1),
    ];
    let digests: BTreeSet<_> = values
        .iter()
        .map(|value| {
            let plan = LogicalPlanBuilder::empty(true)
                .project(vec![
                    Expr::Literal(value.clone(), None).is_null().alias("x"),
                ])
                .unwrap();
            digest(&plan.build().unwrap())
        })
        .collect();
    assert_eq!(digests.len(), values.len());
}

fn struct_of(name: &str, value: i64) -> ScalarValue {
    let field = Field::new(name, DataType::Int64, true);
    let array = datafusion::arrow::array::Int64Array::from(vec![value]);
    let array: Vec<(Arc<Field>, datafusion::arrow::array::ArrayRef)> =
        vec![(Arc::new(field), Arc::new(array))];
    ScalarValue::Struct(Arc::new(array.into()))
}

#[test]
fn an_extension_node_is_opaque_and_all_that_it_shows_counts() {
    let node = |times, expr: Expr, table: &str, alias: &str| {
        let input = scan(table).alias(alias).unwrap().build().unwrap();
        let node = Repeat { times, expr, input };
        plan_digest(&LogicalPlan::Extension(Extension {
            node: Arc::new(node),
        }))
        .unwrap()
    };
    let base = node(2, col("x.a"), "t", "x");
    assert_eq!(base.opaque, ["Repeat"]);
    let mutants = [
        node(3, col("x.a"), "t", "x"),
        node(2, col("x.b"), "t", "x"),
        node(2, col("x.a"), "u", "x"),
        node(2, col("y.a"), "t", "y"),
        node(2, col("unknown"), "t", "x"),
    ];
    let distinct: BTreeSet<_> = mutants.iter().chain([&base]).map(|d| d.digest).collect();
    assert_eq!(distinct.len(), mutants.len() + 1);
}

/// An operator of somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Repeat {
    times: usize,
    expr: Expr,
    input: LogicalPlan,
}

impl PartialOrd for Repeat {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.times.partial_cmp(&other.times)
    }
}

impl UserDefinedLogicalNodeCore for Repeat {
    fn name(&self) -> &str {
        "Repeat"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![self.expr.clone()]
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Repeat: {}", self.times)
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        let [expr] = exprs.try_into().unwrap();
        let [input] = inputs.try_into().unwrap();
        Ok(Self {
            times: self.times,
            expr,
            input,
        })
    }
}

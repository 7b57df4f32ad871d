//! How long a user waits for the digest of a plan.

#![expect(
    clippy::expect_used,
    reason = "a bench that cannot run has nothing to say"
)]

use std::sync::Arc;

use codeanatomy_plan::plan_digest;
use datafusion_common::arrow::datatypes::{DataType, Field, Schema};
use datafusion_expr::logical_plan::{Filter, LogicalPlanBuilder, Projection, table_scan};
use datafusion_expr::{LogicalPlan, col, lit};

fn main() {
    divan::main();
}

/// The digest of a plan with this many nodes: filters and projections by turns.
#[divan::bench(args = [10, 100, 1_000, 10_000])]
fn nodes(bencher: divan::Bencher<'_, '_>, count: usize) {
    let plan = plan_of(count);
    bencher.bench(|| plan_digest(divan::black_box(&plan)));
}

/// The digest of one filter with this many conditions.
#[divan::bench(args = [10, 100, 1_000])]
fn conditions(bencher: divan::Bencher<'_, '_>, count: i64) {
    let predicate = (1..count).fold(col("t.a").not_eq(lit(0_i64)), |predicate, number| {
        predicate.and(col("t.a").not_eq(lit(number)))
    });
    let plan = LogicalPlan::Filter(
        Filter::try_new(predicate, Arc::new(scan("t"))).expect("the predicate is boolean"),
    );
    bencher.bench(|| plan_digest(divan::black_box(&plan)));
}

fn scan(name: &str) -> LogicalPlan {
    let fields: Vec<Field> = ["a", "b", "c", "d"]
        .into_iter()
        .map(|name| Field::new(name, DataType::Int64, true))
        .collect();
    table_scan(Some(name), &Schema::new(fields), None)
        .and_then(LogicalPlanBuilder::build)
        .expect("the scan is valid")
}

fn plan_of(nodes: usize) -> LogicalPlan {
    (0_i64..)
        .take(nodes.saturating_sub(1))
        .fold(scan("t"), |input, number| {
            let built = if number % 2 == 0 {
                let predicate = col("t.a")
                    .gt(lit(number))
                    .and(col("t.b").lt(col("t.c") + lit(number)));
                Filter::try_new(predicate, Arc::new(input)).map(LogicalPlan::Filter)
            } else {
                let exprs = vec![
                    (col("t.a") + lit(number)).alias_qualified(Some("t"), "a"),
                    col("t.b"),
                    col("t.c"),
                ];
                Projection::try_new(exprs, Arc::new(input)).map(LogicalPlan::Projection)
            };
            built.expect("the node is valid")
        })
}

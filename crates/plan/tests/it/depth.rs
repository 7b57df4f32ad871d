//! Deep, large and shared plans, on the stack of a worker thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use codeanatomy_plan::{determinism, plan_digest, required_functions};
use codeanatomy_vocab::Fingerprint;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::logical_expr::logical_plan::{Filter, LogicalPlanBuilder, Projection, table_scan};
use datafusion::logical_expr::{Expr, LogicalPlan, Union, col, lit, when};

const WORKER_STACK_BYTES: usize = 2 * 1024 * 1024;

/// Plans are built and dropped on a large stack: the engine's own code recurses there.
fn on_large_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(512 * 1024 * 1024)
        .spawn(test)
        .unwrap()
        .join()
        .unwrap();
}

fn on_worker_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(WORKER_STACK_BYTES)
            .spawn_scoped(scope, work)
            .unwrap()
            .join()
            .unwrap()
    })
}

fn digest_on_worker(plan: &LogicalPlan) -> Fingerprint {
    on_worker_stack(|| {
        required_functions(plan);
        determinism(plan);
        plan_digest(plan).unwrap().digest
    })
}

fn scan() -> LogicalPlan {
    let field = |name: &str| Field::new(name, DataType::Int64, true);
    let schema = Schema::new(vec![field("a"), field("b")]);
    table_scan(Some("t"), &schema, None)
        .unwrap()
        .build()
        .unwrap()
}

/// `count` nodes, one above the other: filters and projections by turns.
fn chain(count: i64) -> LogicalPlan {
    (0..count).fold(scan(), |input, number| {
        if number % 2 == 0 {
            let predicate = col("t.a").not_eq(lit(number));
            LogicalPlan::Filter(Filter::try_new(predicate, Arc::new(input)).unwrap())
        } else {
            let exprs = vec![(col("t.a") + lit(number)).alias_qualified(Some("t"), "a")];
            LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input)).unwrap())
        }
    })
}

fn filtered(predicate: Expr) -> LogicalPlan {
    LogicalPlanBuilder::from(scan())
        .filter(predicate)
        .unwrap()
        .build()
        .unwrap()
}

#[test]
fn a_plan_of_10_000_nodes_fits_on_a_small_stack() {
    on_large_stack(|| {
        let (one, other) = (chain(10_000), chain(10_001));
        let digest = digest_on_worker(&one);
        assert_eq!(digest, digest_on_worker(&one));
        assert_ne!(digest, digest_on_worker(&other));
    });
}

#[test]
fn expressions_of_2_000_levels_fit_on_a_small_stack() {
    on_large_stack(|| {
        let levels = 2_000;
        let sum = |levels: i64| {
            (0..levels)
                .fold(col("t.a"), |expr, number| expr + lit(number))
                .gt(lit(0_i64))
        };
        let any = |levels: i64| {
            (1..levels).fold(col("t.a").eq(lit(0_i64)), |expr, number| {
                expr.or(col("t.a").eq(lit(number)))
            })
        };
        let cases = |levels: i64| {
            (0..levels)
                .fold(lit(0_i64), |expr, number| {
                    when(col("t.b").eq(lit(number)), expr)
                        .otherwise(lit(1_i64))
                        .unwrap()
                })
                .gt(lit(0_i64))
        };
        let not = |levels: i64| {
            (0..levels).fold(col("t.a").gt(lit(0_i64)), |expr, _| {
                Expr::Not(Box::new(expr))
            })
        };
        for (one, other) in [
            (sum(levels), sum(levels + 1)),
            (any(levels), any(levels + 1)),
            (cases(levels), cases(levels + 1)),
            (not(levels), not(levels + 1)),
        ] {
            let (one, other) = (filtered(one), filtered(other));
            assert_ne!(digest_on_worker(&one), digest_on_worker(&other));
        }
    });
}

#[test]
fn a_shared_subtree_is_visited_once() {
    on_large_stack(|| {
        // As a tree, this plan has two to the power of sixty leaves.
        let mut plan = Arc::new(scan());
        for _ in 0..60 {
            let inputs = vec![Arc::clone(&plan), Arc::clone(&plan)];
            let schema = Arc::clone(plan.schema());
            plan = Arc::new(LogicalPlan::Union(Union { inputs, schema }));
        }
        digest_on_worker(&plan);
    });
}

#[test]
fn the_time_grows_with_the_plan_and_no_faster() {
    on_large_stack(|| {
        let time = |count| {
            let plan = chain(count);
            (0..5)
                .map(|_| {
                    let start = Instant::now();
                    plan_digest(&plan).unwrap();
                    start.elapsed()
                })
                .min()
                .unwrap()
                .max(Duration::from_micros(1))
        };
        let (small, large) = (time(1_000), time(8_000));
        let growth = large.as_secs_f64() / small.as_secs_f64();
        // Eight times the nodes: 8 where it is linear, 64 where it is quadratic.
        assert!(growth < 24.0, "{growth}");
    });
}

#[test]
fn a_wide_projection_takes_time_linear_in_its_width() {
    on_large_stack(|| {
        let time = |width: usize| {
            let fields: Vec<_> = (0..width)
                .map(|number| Field::new(format!("column_{number}"), DataType::Int64, true))
                .collect();
            let names: Vec<_> = fields.iter().map(|field| field.name().clone()).collect();
            let plan = table_scan(Some("t"), &Schema::new(fields), None)
                .unwrap()
                .project(names.iter().rev().map(|name| col(format!("t.{name}"))))
                .unwrap()
                .build()
                .unwrap();
            (0..5)
                .map(|_| {
                    let start = Instant::now();
                    plan_digest(&plan).unwrap();
                    start.elapsed()
                })
                .min()
                .unwrap()
        };
        let (small, large) = (time(300), time(2_400));
        let growth = large.as_secs_f64() / small.as_secs_f64();
        assert!(growth < 24.0, "{growth}");
    });
}

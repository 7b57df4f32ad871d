//! Deep, large and shared plans, on the stack of a worker thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use codeanatomy_plan::{determinism, plan_digest, required_functions};
use codeanatomy_vocab::Fingerprint;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::logical_expr::expr::Case;
use datafusion::logical_expr::logical_plan::{Filter, Projection, table_scan};
use datafusion::logical_expr::{Expr, LogicalPlan, Union, col, lit};

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
            LogicalPlan::Filter(Filter::new(predicate, Arc::new(input)))
        } else {
            let exprs = vec![(col("t.a") + lit(number)).alias_qualified(Some("t"), "a")];
            LogicalPlan::Projection(Projection::try_new(exprs, Arc::new(input)).unwrap())
        }
    })
}

/// Without the check of types, which takes longer than all the rest.
fn filtered(predicate: Expr) -> LogicalPlan {
    LogicalPlan::Filter(Filter::new(predicate, Arc::new(scan())))
}

/// The shortest of a few runs: the others waited for other programs.
fn shortest_time(plan: &LogicalPlan) -> Duration {
    (0..5)
        .map(|_| {
            let start = Instant::now();
            plan_digest(plan).unwrap();
            start.elapsed()
        })
        .min()
        .unwrap()
}

/// Whether 32 times the work takes clearly less than 32 times 32 times the time.
#[track_caller]
fn check_linear(small: &LogicalPlan, large: &LogicalPlan) {
    let growth = shortest_time(large).as_secs_f64() / shortest_time(small).as_secs_f64();
    assert!(growth < 300.0, "{growth}");
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
                    let when = (Box::new(col("t.b").eq(lit(number))), Box::new(expr));
                    Expr::Case(Case::new(None, vec![when], Some(Box::new(lit(1_i64)))))
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
    on_large_stack(|| check_linear(&chain(500), &chain(16_000)));
}

#[test]
fn the_time_grows_with_the_width_and_no_faster() {
    let wide = |width: usize| {
        let fields: Vec<_> = (0..width)
            .map(|number| Field::new(format!("column_{number}"), DataType::Int64, true))
            .collect();
        let schema = Schema::new(fields);
        let scan = table_scan(Some("t"), &schema, None)
            .unwrap()
            .build()
            .unwrap();
        let exprs = scan.schema().columns().into_iter().rev().map(Expr::Column);
        // Every column has the same type, so the schema of the scan will do.
        let schema = Arc::clone(scan.schema());
        let projection =
            Projection::try_new_with_schema(exprs.collect(), Arc::new(scan), schema).unwrap();
        LogicalPlan::Projection(projection)
    };
    on_large_stack(move || check_linear(&wide(100), &wide(3_200)));
}

//! How long a user waits until ten million rows are held against a contract with a key, in 512 MiB,
//! and what the same aggregation costs that somebody writes by hand.
//!
//! The figure to hold: at most 1.3 times the aggregation by hand. Both spill, or the bench stops.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a bench that cannot run has nothing to say"
)]

use std::sync::Arc;

use codeanatomy_schema::SchemaContract;
use codeanatomy_schema::validate::{ValidationOptions, validate};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_expr::LogicalPlan;
use divan::Bencher;
use tokio::runtime::Runtime;

const MEMORY_BYTES: usize = 512 << 20;
const PARTITIONS: usize = 2;

/// Ten million rows; one key stands twice, and one amount is null.
const ROWS: &str = "SELECT CAST(value % 9999999 AS VARCHAR) || '-a-key-of-text-as-they-are-in-life' AS id, \
                    value % 1000 AS region, nullif(value, 7) AS amount FROM generate_series(1, 10000000)";

/// What somebody would write who wants to know the same.
const BY_HAND: &str = "SELECT sum(n), sum(no_id), sum(no_amount), sum(CASE WHEN n > 1 THEN n ELSE 0 END) FROM \
                       (SELECT id, count(*) AS n, count(CASE WHEN id IS NULL THEN 1 END) AS no_id, \
                       count(CASE WHEN amount IS NULL THEN 1 END) AS no_amount FROM";

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn ten_million_rows_validated(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let ctx = session();
    let columns = ["id", "amount"].map(|name| (name.to_owned(), None, Some(false)));
    let contract =
        SchemaContract::build("ADDITIVE", vec!["id".to_owned()], columns.to_vec()).unwrap();
    let counts = runtime.block_on(async {
        let state = ctx.state();
        let plan = state.create_logical_plan(ROWS).await.unwrap();
        let validation = validate(&plan, &contract, &ValidationOptions::default(), &state);
        validation.unwrap().counts().unwrap().clone()
    });
    bencher.bench_local(|| runtime.block_on(run(&ctx, &counts)));
}

#[divan::bench(sample_count = 5, sample_size = 1)]
fn ten_million_rows_by_hand(bencher: Bencher<'_, '_>) {
    let runtime = runtime();
    let ctx = session();
    let sql = format!("{BY_HAND} ({ROWS}) GROUP BY id)");
    let plan = runtime.block_on(async { ctx.state().create_logical_plan(&sql).await.unwrap() });
    bencher.bench_local(|| runtime.block_on(run(&ctx, &plan)));
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().build().unwrap()
}

fn session() -> SessionContext {
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(Arc::new(FairSpillPool::new(MEMORY_BYTES)))
        .build_arc()
        .unwrap();
    let config = SessionConfig::new().with_target_partitions(PARTITIONS);
    SessionContext::new_with_config_rt(config, runtime)
}

async fn run(ctx: &SessionContext, plan: &LogicalPlan) -> usize {
    let physical = ctx.state().create_physical_plan(plan).await.unwrap();
    let rows = collect(Arc::clone(&physical), ctx.task_ctx())
        .await
        .unwrap();
    if spills(&physical) == 0 {
        panic!("the memory is enough, so nothing is measured");
    }
    rows.len()
}

fn spills(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let own = plan.metrics().and_then(|metrics| metrics.spill_count());
    let below = plan.children().into_iter().map(spills);
    own.unwrap_or_default() + below.sum::<usize>()
}

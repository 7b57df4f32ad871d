//! A session with a few rows, and rows as text.

use std::sync::Arc;

use arrow_schema::Schema;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use datafusion_expr::LogicalPlan;

/// A session with a table `sales` of these rows, as SQL values of `id`, `region` and `amount`.
pub(crate) async fn session(rows: &str) -> SessionContext {
    let ctx = SessionContext::new();
    let sql = format!(
        "CREATE TABLE sales AS SELECT CAST(id AS BIGINT) AS id, CAST(region AS VARCHAR) AS region, \
         CAST(amount AS DOUBLE) AS amount FROM (VALUES {rows}) AS v(id, region, amount)"
    );
    ctx.sql(&sql).await.unwrap().collect().await.unwrap();
    ctx
}

pub(crate) async fn plan(ctx: &SessionContext, sql: &str) -> LogicalPlan {
    ctx.state().create_logical_plan(sql).await.unwrap()
}

/// A table without rows, for plans that nobody runs.
pub(crate) fn register_empty(ctx: &SessionContext, name: &str, schema: Schema) {
    let table = MemTable::try_new(Arc::new(schema), vec![vec![]]).unwrap();
    ctx.register_table(name, Arc::new(table)).unwrap();
}

pub(crate) async fn batches(ctx: &SessionContext, plan: &LogicalPlan) -> Vec<RecordBatch> {
    let frame = ctx.execute_logical_plan(plan.clone()).await.unwrap();
    frame.collect().await.unwrap()
}

/// The rows that a plan yields, sorted, values separated by spaces.
pub(crate) async fn rows(ctx: &SessionContext, plan: &LogicalPlan) -> Vec<String> {
    let mut rows = in_order(ctx, plan).await;
    rows.sort_unstable();
    rows
}

/// The rows that a plan yields, in their order.
pub(crate) async fn in_order(ctx: &SessionContext, plan: &LogicalPlan) -> Vec<String> {
    let options = FormatOptions::default().with_null("-");
    let mut rows = Vec::new();
    for batch in batches(ctx, plan).await {
        let columns = batch.columns().iter();
        let formatters: Vec<_> = columns
            .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let values = formatters
                .iter()
                .map(|column| column.value(row).to_string());
            rows.push(values.collect::<Vec<_>>().join(" "));
        }
    }
    rows
}

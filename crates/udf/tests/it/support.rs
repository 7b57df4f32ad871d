//! Sessions with the functions, and rows as text.

use std::sync::Arc;

use codeanatomy_udf::{Platform, PlatformOptions};
use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use datafusion::execution::context::SessionContext;
use datafusion::prelude::SessionConfig;

/// A session with the functions.
pub(crate) fn session() -> SessionContext {
    session_with(PlatformOptions {
        enable_expr_planners: true,
        ..PlatformOptions::default()
    })
}

pub(crate) fn session_with(options: PlatformOptions) -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(2);
    let context = SessionContext::new_with_config(config);
    let notices = Platform::new(options).register_context(&context).unwrap();
    assert_eq!(notices, []);
    context
}

/// The rows of a query as text: columns separated by ` | `, nulls as `NULL`.
pub(crate) async fn rows_of(context: &SessionContext, sql: &str) -> Result<Vec<String>> {
    let batches = context.sql(sql).await?.collect().await?;
    Ok(batches.iter().flat_map(texts).collect())
}

pub(crate) fn rows(context: &SessionContext, sql: &str) -> Vec<String> {
    run(rows_of(context, sql)).unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// The error of a query.
pub(crate) fn error(context: &SessionContext, sql: &str) -> String {
    let error = run(rows_of(context, sql)).expect_err(sql);
    error.strip_backtrace()
}

fn texts(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<ArrayFormatter> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            let values: Vec<String> = columns
                .iter()
                .map(|column| column.value(row).to_string())
                .collect();
            values.join(" | ")
        })
        .collect()
}

/// Registers a table `t` of these columns, in batches of the sizes, which add up to its rows.
pub(crate) fn register(context: &SessionContext, columns: &[(&str, ArrayRef)], sizes: &[usize]) {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, array)| Field::new(*name, array.data_type().clone(), true))
        .collect();
    let schema = Arc::new(Schema::new(fields));
    let columns = columns.iter().map(|(_, array)| Arc::clone(array)).collect();
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
    let mut batches = Vec::new();
    let mut start = 0;
    for size in sizes {
        batches.push(batch.slice(start, *size));
        start += size;
    }
    assert_eq!(start, batch.num_rows());
    let table = MemTable::try_new(schema, vec![batches]).unwrap();
    let _ = context.deregister_table("t").unwrap();
    context.register_table("t", Arc::new(table)).unwrap();
}

/// Waits for a future on a thread of its own runtime.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}

//! How long a user waits for rows to be on disk: our writer, and the engine's own Parquet writer
//! with the same settings, over the same rows in memory.
//!
//! The figure to hold: at most 1.1 times the engine's writer.

#![expect(
    clippy::unwrap_used,
    reason = "a bench that cannot run has nothing to say"
)]

use std::path::Path;
use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use arrow::compute::cast;
use codeanatomy_delta::{OverwriteSpec, Provenance, TableLocation, delta_schema, overwrite};
use codeanatomy_vocab::{Fingerprint, RunId, SystemClock, UnixMillis, ViewName};
use datafusion::config::TableParquetOptions;
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use divan::Bencher;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tpchgen::generators::LineItemGenerator;
use tpchgen_arrow::LineItemArrow;

/// Of TPC-H: 1.2 million rows of 16 columns.
const SCALE_FACTOR: f64 = 0.2;
const PARTITIONS: usize = 2;

/// How the rows come out of the plan, and how they lie in the table.
const SHAPES: [&str; 3] = ["two_partitions", "one_partition", "by_month"];

fn main() {
    divan::main();
}

#[divan::bench(args = SHAPES, sample_count = 10)]
fn ours(bencher: Bencher<'_, '_>, shape: &str) {
    let runtime = Runtime::new().unwrap();
    let session = session();
    bencher
        .with_inputs(|| tempfile::tempdir().unwrap())
        .bench_refs(|folder| runtime.block_on(write_ours(&session, shape, folder.path())));
}

#[divan::bench(args = SHAPES, sample_count = 10)]
fn engine(bencher: Bencher<'_, '_>, shape: &str) {
    let runtime = Runtime::new().unwrap();
    let session = session();
    bencher
        .with_inputs(|| tempfile::tempdir().unwrap())
        .bench_refs(|folder| runtime.block_on(write_engine(&session, shape, folder.path())));
}

fn query(shape: &str) -> &'static str {
    match shape {
        "by_month" => "select *, date_part('month', l_shipdate) as month from lineitem",
        _ => "select * from lineitem",
    }
}

fn partition_by(shape: &str) -> Vec<String> {
    match shape {
        "by_month" => vec!["month".to_owned()],
        _ => Vec::new(),
    }
}

async fn write_ours(session: &SessionContext, shape: &str, folder: &Path) {
    let plan = session.sql(&sql(shape)).await.unwrap();
    let plan = plan.create_physical_plan().await.unwrap();
    let spec = OverwriteSpec {
        options: codeanatomy_delta::StoreOptions::new(),
        layout: codeanatomy_delta::OutputLayout::default(),
        location: TableLocation::parse("out", folder).unwrap(),
        view: ViewName::new("lineitem").unwrap(),
        schema: plan.schema(),
        partition_by: partition_by(shape),
        expected: None,
        run_id: RunId::generate(UnixMillis(0)),
        result_key: Fingerprint::from_bytes([0; 32]),
        plan_fingerprint: Fingerprint::from_bytes([0; 32]),
        provenance: Provenance::default(),
        clock: Arc::new(SystemClock),
    };
    overwrite(
        spec,
        plan,
        session.task_ctx(),
        Arc::new(|_, _| {}),
        None,
        CancellationToken::new(),
    )
    .await
    .unwrap();
}

async fn write_engine(session: &SessionContext, shape: &str, folder: &Path) {
    let mut options = TableParquetOptions::default();
    options.global.compression = Some("zstd(1)".to_owned());
    session
        .sql(&sql(shape))
        .await
        .unwrap()
        .write_parquet(
            folder.join("out/").to_str().unwrap(),
            DataFrameWriteOptions::new().with_partition_by(partition_by(shape)),
            Some(options),
        )
        .await
        .unwrap();
}

fn sql(shape: &str) -> String {
    match shape {
        // A limit takes the rows through one partition.
        "one_partition" => format!("{} limit 1000000000", query(shape)),
        _ => query(shape).to_owned(),
    }
}

fn session() -> SessionContext {
    let config = SessionConfig::new().with_target_partitions(PARTITIONS);
    let session = SessionContext::new_with_config(config);
    let rows = lineitem().clone();
    let table = MemTable::try_new(rows[0][0].schema(), rows).unwrap();
    session.register_table("lineitem", Arc::new(table)).unwrap();
    session
}

/// The generator's text comes as views, that of a table does not.
fn as_a_scan_gives_it(batch: &RecordBatch) -> RecordBatch {
    let schema = delta_schema(&batch.schema()).unwrap();
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| cast(column, field.data_type()).unwrap())
        .collect();
    RecordBatch::try_new(schema, columns).unwrap()
}

fn lineitem() -> &'static Vec<Vec<RecordBatch>> {
    static ROWS: OnceLock<Vec<Vec<RecordBatch>>> = OnceLock::new();
    ROWS.get_or_init(|| {
        let parts = i32::try_from(PARTITIONS).unwrap();
        (1..=parts)
            .map(|part| {
                LineItemArrow::new(LineItemGenerator::new(SCALE_FACTOR, part, parts))
                    .with_batch_size(8192)
                    .map(|batch| as_a_scan_gives_it(&batch.unwrap()))
                    .collect()
            })
            .collect()
    })
}

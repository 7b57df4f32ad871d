//! Writing and reading again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use arrow_schema::{DataType, TimeUnit};
use codeanatomy_vocab::{DeltaVersionSelector, Result};
use tokio_util::sync::CancellationToken;

use super::support::{Output, query, rows, session};
use crate::{RowHook, codes, delta_schema, overwrite};

/// A row for every type that Delta has or that becomes one.
const ALL_TYPES: &str = "
    select
        arrow_cast(n, 'Int8') as i8, arrow_cast(n, 'Int16') as i16, arrow_cast(n, 'Int32') as i32,
        n as i64, arrow_cast(n + 10, 'UInt8') as u8, arrow_cast(n + 10, 'UInt32') as u32,
        arrow_cast(18446744073709551615, 'UInt64') as u64,
        arrow_cast(n * 1.5, 'Float32') as f32, case when n = 2 then 'NaN'::double else n * 0.1 end as f64,
        n % 2 = 0 as yes,
        case when n = 1 then null else concat('text ', n) end as text,
        arrow_cast(concat('view ', n), 'Utf8View') as view,
        arrow_cast(concat('key ', n), 'Dictionary(Int32, Utf8)') as dict,
        arrow_cast(concat('bytes ', n), 'Binary') as bytes,
        date '2020-02-29' + arrow_cast(n, 'Int32') as day,
        arrow_cast(timestamp '1969-12-31T23:59:59.123456', 'Timestamp(Nanosecond, None)') as ns,
        arrow_cast(253402300799, 'Timestamp(Second, Some(\"+02:00\"))') as utc,
        arrow_cast(n * 1.23, 'Decimal128(12, 2)') as money,
        arrow_cast('-99999999999999999999999999999999999.999', 'Decimal128(38, 3)') as much,
        make_array(n, null, n + 1) as list,
        named_struct('a', n, 'b', case when n = 1 then null else make_array('x') end) as nested,
        map(make_array('k'), make_array(n)) as map
    from (select unnest(generate_series(-3, 3)) as n)";

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_all_types_come_back_as_they_were() {
    let output = Output::new();
    let committed = output.write(ALL_TYPES).await.unwrap();
    assert_eq!((committed.version, committed.rows), (0, 7));

    let table = output.open().await;
    let session = session(2);
    let written = session.sql(ALL_TYPES).await.unwrap();
    let promised = delta_schema(written.schema().as_arrow()).unwrap();
    assert_eq!(table.schema(), promised);
    let written = written.collect().await.unwrap();
    assert_eq!(output.rows().await, rows(&written, &promised));
    assert_eq!(table.n_rows(), Some(7));
    let by_name = |name: &str| {
        table
            .schema()
            .field_with_name(name)
            .unwrap()
            .data_type()
            .clone()
    };
    assert_eq!(by_name("u64"), DataType::Decimal128(20, 0));
    assert_eq!(
        by_name("ns"),
        DataType::Timestamp(TimeUnit::Microsecond, None)
    );

    // The library reads the same.
    let provider = output.library_table().await.table_provider().await.unwrap();
    let theirs = query(provider, "select * from t").await.unwrap();
    assert_eq!(output.rows().await, rows(&theirs, &promised));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_without_rows_is_a_table_without_files() {
    let output = Output::new();
    let committed = output
        .write("select 1 as a, 'x' as b where false")
        .await
        .unwrap();
    assert_eq!((committed.rows, committed.files), (0, 0));
    let table = output.open().await;
    assert_eq!((table.n_files(), table.n_rows()), (0, Some(0)));
    assert_eq!(table.schema().fields().len(), 2);
    assert_eq!(
        output.answer("select count(*), max(a) from t").await,
        ["0|NULL"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn partitions_with_nulls_and_odd_characters_come_back() {
    let output = Output::partitioned_by(&["p", "day"]);
    let long = "l".repeat(300);
    let sql = format!(
        "select n, p, date '2020-01-01' + arrow_cast(n, 'Int32') as day, n * 2 as twice from (values
            (1, 'a b'), (2, 'a/b'), (3, '100%'), (4, 'a=b'), (5, 'ä☃'), (6, null), (7, '..'), (8, '.'),
            (9, 'x:y?z#w'), (10, '\"quoted\" {{}} [] \\ ~ ^ | < >'), (11, '%20'), (12, ' '), (13, '__null__'),
            (14, 'NULL'), (15, '{long}'), (16, 'tab\there')
        ) as v(n, p)"
    );
    output.write(&sql).await.unwrap();
    let session = session(2);
    let expected = session.sql(&sql).await.unwrap().collect().await.unwrap();
    let table = output.open().await;
    assert_eq!(output.rows().await, rows(&expected, &table.schema()));
    assert_eq!(table.schema().field(1).name(), "p");
    assert_eq!(table.partition_by(), ["p", "day"]);
    for (filter, n) in [
        ("p = 'a/b'", "2"),
        ("p is null", "6"),
        ("p = '%20'", "11"),
        ("day = date '2020-01-04'", "3"),
        ("day > date '2020-01-16' and p like 'tab%'", "16"),
        ("p = 'a b' or n = 7", "1 7"),
    ] {
        let sql = format!("select string_agg(n::varchar, ' ' order by n) from t where {filter}");
        assert_eq!(output.answer(&sql).await, [n], "{filter}");
    }
    let provider = output.library_table().await.table_provider().await.unwrap();
    let theirs = query(provider, "select * from t").await.unwrap();
    assert_eq!(output.rows().await, rows(&theirs, &table.schema()));
    // Overwriting finds and removes every one of these files.
    output
        .write("select 1 as n, 'q' as p, date '2020-01-01' as day, 2 as twice")
        .await
        .unwrap();
    assert_eq!(output.rows().await, ["1|q|2020-01-01|2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_that_may_partition_does() {
    let output = Output::partitioned_by(&["i", "d", "yes", "t", "z"]);
    let sql = "
        select n, arrow_cast(n, 'Int16') as i, arrow_cast(n * 1.5, 'Decimal128(5, 1)') as d, n > 0 as yes,
            arrow_cast(timestamp '2020-01-01T00:00:00.000001', 'Timestamp(Microsecond, None)') as t,
            arrow_cast(n * 1000001, 'Timestamp(Microsecond, Some(\"UTC\"))') as z
        from (select unnest(make_array(-1, 0, 1, null)) as n)";
    output.write(sql).await.unwrap();
    let session = session(2);
    let expected = session.sql(sql).await.unwrap().collect().await.unwrap();
    let table = output.open().await;
    assert_eq!(output.rows().await, rows(&expected, &table.schema()));
    let provider = output.library_table().await.table_provider().await.unwrap();
    let theirs = query(provider, "select * from t").await.unwrap();
    assert_eq!(output.rows().await, rows(&theirs, &table.schema()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_write_takes_the_place_of_the_first() {
    let output = Output::new();
    output.write("select 1 as a").await.unwrap();
    let old = output.open().await;
    let committed = output.write("select 2 as a, 'new' as b").await.unwrap();
    assert_eq!(committed.version, 1);
    assert_eq!(output.rows().await, ["2|new"]);
    assert_ne!(output.open().await.footprint(), old.footprint());
    assert_eq!(output.open().await.pin().table_id, old.pin().table_id);
    let first = output
        .open_at(DeltaVersionSelector::Version(0))
        .await
        .unwrap();
    assert_eq!(first.footprint(), old.footprint());
    let batches = query(first.provider().unwrap(), "select * from t")
        .await
        .unwrap();
    assert_eq!(rows(&batches, &first.schema()), ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_gets_its_first_time_without_zone_later() {
    let output = Output::new();
    output.write("select 1 as a").await.unwrap();
    assert_eq!(output.open().await.pin().min_reader_version, 1);
    output
        .write("select arrow_cast(0, 'Timestamp(Microsecond, None)') as a")
        .await
        .unwrap();
    let table = output.open().await;
    assert_eq!(table.pin().reader_features, ["timestampNtz"]);
    assert_eq!(output.rows().await, ["1970-01-01T00:00:00"]);
    assert_eq!(output.library_table().await.version(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_writes_make_a_checkpoint_and_keep_the_log() {
    let output = Output::new();
    for n in 0..3 {
        output.write(&format!("select {n} as a")).await.unwrap();
    }
    let mut table = output.library_table().await;
    deltalake_core::checkpoints::create_checkpoint(&table, None)
        .await
        .unwrap();
    output.write("select 3 as a").await.unwrap();
    table.load().await.unwrap();
    assert_eq!(output.state().await.unwrap().txn_version, Some(4));
    assert_eq!(output.rows().await, ["3"]);
    let log: Vec<String> = output
        .files()
        .into_iter()
        .filter(|file| file.ends_with(".json"))
        .collect();
    assert_eq!(log.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_counted_and_shown_to_the_hook() {
    struct Count(AtomicU64);
    impl RowHook for Count {
        fn rows(&self, batch: &RecordBatch) -> Result<()> {
            self.0.fetch_add(batch.num_rows() as u64, Ordering::SeqCst);
            Ok(())
        }
        fn before_commit(&self) -> Result<Option<String>> {
            Ok(Some(format!("{} rows", self.0.load(Ordering::SeqCst))))
        }
    }
    let output = Output::new();
    let session = session(2);
    let plan = session
        .sql("select unnest(generate_series(1, 20000)) as n")
        .await
        .unwrap();
    let plan = plan.create_physical_plan().await.unwrap();
    let seen = Arc::new(AtomicU64::new(0));
    let progress = Arc::clone(&seen);
    let committed = overwrite(
        output.spec(plan.schema(), None),
        plan,
        session.task_ctx(),
        Arc::new(move |rows, _| {
            progress.fetch_max(rows, Ordering::SeqCst);
        }),
        Some(Arc::new(Count(AtomicU64::new(0)))),
        CancellationToken::new(),
    )
    .await
    .unwrap();
    assert_eq!(committed.rows, 20_000);
    assert_eq!(seen.load(Ordering::SeqCst), 20_000);
    assert_eq!(committed.result_hash.as_deref(), Some("20000 rows"));
    let stamp = output.state().await.unwrap().stamp.unwrap();
    assert_eq!(
        (stamp.rows, stamp.result_hash),
        (20_000, committed.result_hash)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_write_leaves_no_file() {
    let output = Output::partitioned_by(&["p"]);
    let session = session(2);
    let plan = session
        .sql("select a.n, a.n % 3 as p from generate_series(1, 1000000) as a(n), generate_series(1, 10000) as b(n)")
        .await
        .unwrap();
    let plan = plan.create_physical_plan().await.unwrap();
    let cancel = CancellationToken::new();
    let progress = cancel.clone();
    let error = overwrite(
        output.spec(plan.schema(), None),
        plan,
        session.task_ctx(),
        Arc::new(move |rows, _| {
            if rows > 50_000 {
                progress.cancel();
            }
        }),
        None,
        cancel,
    )
    .await
    .unwrap_err();
    assert_eq!(error.code(), codes::INTERRUPTED);
    assert_eq!(output.files(), [""; 0]);
    assert!(!output.location.local_path().unwrap().exists());
    // The next build starts anew.
    output.write("select 1 as n, 2 as p").await.unwrap();
    assert_eq!(output.rows().await, ["1|2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_fails_in_the_middle_leaves_the_old_rows() {
    let output = Output::new();
    output.write("select 1 as a").await.unwrap();
    let before = output.files();
    let error = output
        .write("select 10 / (a - 90000) as a from generate_series(1, 100000) as t(a)")
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::QUERY_FAILED);
    assert!(error.to_string().contains("ivide by zero"), "{error}");
    assert_eq!(output.files(), before);
    assert_eq!(output.rows().await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_would_be_cut_short_is_refused() {
    let output = Output::new();
    let error = output
        .write("select arrow_cast(1234567891, 'Timestamp(Nanosecond, None)') as t")
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::UNREPRESENTABLE_VALUE);
    assert!(error.to_string().contains("`t`"));
    let partitioned = Output::partitioned_by(&["p"]);
    let error = partitioned
        .write("select '' as p, 1 as a")
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::UNREPRESENTABLE_VALUE);
    assert_eq!(partitioned.files(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_cannot_partition_are_named() {
    for (columns, sql) in [
        (vec!["q"], "select 1 as p, 2 as a"),
        (vec!["p", "p"], "select 1 as p, 2 as a"),
        (vec!["p"], "select 1.5::double as p, 2 as a"),
        (vec!["p"], "select 1 as p"),
    ] {
        let output = Output::partitioned_by(&columns);
        let error = output.write(sql).await.unwrap_err();
        assert_eq!(error.code(), codes::INVALID_PARTITION, "{error}");
        assert_eq!(output.files(), [""; 0]);
    }
}

/// A session with so many bytes of memory and no disk.
fn session_with_memory(bytes: usize) -> datafusion::prelude::SessionContext {
    use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
    use datafusion::execution::runtime_env::RuntimeEnvBuilder;
    use datafusion::prelude::{SessionConfig, SessionContext};
    let disk = DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled);
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_limit(bytes, 1.0)
        .with_disk_manager_builder(disk)
        .build_arc()
        .unwrap();
    let config = SessionConfig::new().with_target_partitions(2);
    SessionContext::new_with_config_rt(config, runtime)
}

async fn write_in(
    session: &datafusion::prelude::SessionContext,
    output: &Output,
    sql: &str,
) -> Result<crate::Committed> {
    let plan = session.sql(sql).await.unwrap();
    let plan = plan.create_physical_plan().await.unwrap();
    overwrite(
        output.spec(plan.schema(), None),
        plan,
        session.task_ctx(),
        Arc::new(|_, _| {}),
        None,
        CancellationToken::new(),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_with_little_memory_writes_smaller_row_groups() {
    let output = Output::new();
    let session = session_with_memory(1 << 20);
    let sql = "select n, sha512(n::varchar) as h from generate_series(1, 50000) as t(n)";
    write_in(&session, &output, sql).await.unwrap();
    assert_eq!(
        output
            .answer("select count(*), sum(n), count(distinct h) from t")
            .await,
        ["50000|1250025000|50000"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_with_too_little_memory_says_so_and_nothing_stays() {
    let output = Output::new();
    let session = session_with_memory(1 << 20);
    let sql = "select n from generate_series(1, 1000000) as t(n) order by -n";
    let error = write_in(&session, &output, sql).await.unwrap_err();
    assert_eq!(error.code(), codes::RESOURCES_EXHAUSTED, "{error:?}");
    assert_eq!(output.files(), [""; 0]);
}

#[tokio::test]
async fn the_schema_in_each_file_has_the_metadata_of_the_rows() {
    let output = Output::new();
    let session = session(2);
    let plan = session.sql("select 7 as n").await.unwrap();
    let plan = plan.create_physical_plan().await.unwrap();
    let metadata = std::iter::once(("who".to_owned(), "me".to_owned())).collect();
    let schema = plan.schema().as_ref().clone().with_metadata(metadata);
    overwrite(
        output.spec(Arc::new(schema), None),
        plan,
        session.task_ctx(),
        Arc::new(|_, _| {}),
        None,
        CancellationToken::new(),
    )
    .await
    .unwrap();
    let files = output.files();
    let file = files
        .iter()
        .find(|file| file.ends_with(".parquet"))
        .unwrap();
    let file = std::fs::File::open(output.folder.path().join(file)).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file);
    let schema = Arc::clone(reader.unwrap().schema());
    assert_eq!(schema.metadata().get("who").map(String::as_str), Some("me"));
    assert_eq!(output.rows().await, ["7"]);
}

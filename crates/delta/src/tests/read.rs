//! Reading pinned tables: versions, plans, statistics and damage.

use arrow_schema::DataType;
use codeanatomy_vocab::{DatasetName, DeltaVersionSelector, ErrorKind, Stage, UnixMillis};
use datafusion::physical_plan::{ExecutionPlan, displayable};
use std::sync::Arc;

use super::support::{Output, location, query, rows, session};
use crate::{StoreOptions, codes, is_delta_table, open};

async fn plan(output: &Output, sql: &str) -> (String, Arc<dyn ExecutionPlan>) {
    let session = session(2);
    let table = output.open().await;
    session
        .register_table("t", table.provider().unwrap())
        .unwrap();
    let plan = session.sql(sql).await.unwrap();
    let plan = plan.create_physical_plan().await.unwrap();
    let text = displayable(plan.as_ref()).indent(false).to_string();
    (text, plan)
}

/// One file for each value of `p`, 100 rows each.
async fn partitioned() -> Output {
    let output = Output::partitioned_by(&["p"]);
    output
        .write(
            "select n, n / 100 as p, date '2020-01-01' + arrow_cast(n, 'Int32') as day,
                concat('name ', n) as name,
                arrow_cast(n * 1000001, 'Timestamp(Microsecond, Some(\"UTC\"))') as at
            from (select arrow_cast(value, 'Int32') as n from generate_series(0, 999))",
        )
        .await
        .unwrap();
    output
}

#[tokio::test(flavor = "multi_thread")]
async fn counts_minima_and_maxima_need_no_scan_and_are_right() {
    let output = partitioned().await;
    let sql =
        "select count(*), min(n), max(n), min(p), max(p), min(day), max(day), count(n) from t";
    let (text, _) = plan(&output, sql).await;
    assert!(!text.contains("DataSourceExec"), "{text}");
    assert_eq!(
        output.answer(sql).await,
        ["1000|0|999|0|9|2020-01-01|2022-09-26|1000"]
    );
    // Text may be cut and times may be rounded in the log, so these are read from the files.
    let sql = "select min(name), max(name), max(at) from t";
    let (text, _) = plan(&output, sql).await;
    assert!(text.contains("DataSourceExec"), "{text}");
    assert_eq!(
        output.answer(sql).await,
        ["name 0|name 999|1970-01-01T00:16:39.000999Z"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_files_that_may_hold_a_row_are_planned() {
    let output = partitioned().await;
    let n_files = |text: &str| text.matches(".parquet").count();
    let (all, _) = plan(&output, "select n from t").await;
    let per_partition = n_files(&all) / 10;
    for (filter, n_partitions) in [
        ("p = 3", 1),
        ("p in (1, 2) and n > 0", 2),
        ("p > 6", 3),
        ("n = 250", 1),
        ("n < 150", 2),
        ("day >= date '2022-09-01'", 1),
        ("at < timestamp '1970-01-01T00:01:00Z'", 1),
        ("p = 3 or n = 999", 2),
        ("name = 'name 5'", 1),
        ("p is null", 0),
        ("n < 0", 0),
        ("p + 1 = 4", 1),
    ] {
        let sql = format!("select n from t where {filter}");
        let (text, _) = plan(&output, &sql).await;
        assert_eq!(
            n_files(&text),
            n_partitions * per_partition,
            "{filter}\n{text}"
        );
    }
    let (text, _) = plan(&output, "select n from t where p = 3").await;
    assert!(!text.contains("FilterExec"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_keep_the_order_of_the_table_whatever_is_asked_for() {
    let output = Output::partitioned_by(&["b", "d"]);
    output
        .write("select 1 as a, 2 as b, 3 as c, 4 as d, 5 as e")
        .await
        .unwrap();
    let names: Vec<String> = output
        .open()
        .await
        .schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    assert_eq!(names, ["a", "b", "c", "d", "e"]);
    assert_eq!(output.answer("select * from t").await, ["1|2|3|4|5"]);
    assert_eq!(output.answer("select d, a, b from t").await, ["4|1|2"]);
    assert_eq!(output.answer("select b from t").await, ["2"]);
    assert_eq!(
        output.answer("select count(b) from t where e = 5").await,
        ["1"]
    );
    assert_eq!(
        output.answer("select e from t where d = 4 and b < 3").await,
        ["5"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_of_a_column_that_is_all_null_are_right() {
    let output = Output::partitioned_by(&["p"]);
    output
        .write("select * from (values (1, null::int, 1), (2, 5, 2), (3, null, null)) as v(a, b, p)")
        .await
        .unwrap();
    assert_eq!(
        output
            .answer("select min(b), max(b), count(b), count(p), min(p), max(p), count(*) from t")
            .await,
        ["5|5|1|2|1|2|3"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_and_a_time_select_what_was_there() {
    let output = Output::new();
    let start = 1_700_000_000_000;
    for n in 0..4 {
        output.write(&format!("select {n} as a")).await.unwrap();
    }
    let version = |selector| {
        let output = &output;
        async move {
            output
                .open_at(selector)
                .await
                .map(|table| table.pin().version)
        }
    };
    assert_eq!(version(DeltaVersionSelector::Latest).await.unwrap(), 3);
    assert_eq!(version(DeltaVersionSelector::Version(1)).await.unwrap(), 1);
    for (millis, expected) in [(1_000, 0), (2_999, 1), (3_000, 2), (1_000_000, 3)] {
        let time = DeltaVersionSelector::Timestamp(UnixMillis(start + millis));
        assert_eq!(version(time).await.unwrap(), expected, "{millis}");
    }
    let error = version(DeltaVersionSelector::Version(9)).await.unwrap_err();
    assert_eq!(error.code(), codes::VERSION_NOT_FOUND);
    assert!(error.to_string().contains("no version 9"), "{error}");
    assert!(error.help().unwrap().contains("0..3"), "{error:?}");
    let error = version(DeltaVersionSelector::Timestamp(UnixMillis(start)))
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::VERSION_NOT_FOUND);
    assert!(
        error.help().unwrap().contains("2023-11-14T22:13:21"),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_without_a_table_is_said_to_be_one() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    std::fs::create_dir_all(folder.path().join("empty/_delta_log")).unwrap();
    let name = DatasetName::new("orders").unwrap();
    for (place, message) in [
        ("missing", "nothing at"),
        ("file", "is a file"),
        ("empty", "`_delta_log` is missing or empty"),
        (".", "`_delta_log` is missing or empty"),
    ] {
        let location = location(&folder.path().join(place));
        assert!(
            !is_delta_table(&location, &StoreOptions::new())
                .await
                .unwrap()
        );
        let error = open(
            &name,
            &location,
            DeltaVersionSelector::Latest,
            &StoreOptions::new(),
        )
        .await
        .unwrap_err();
        assert_eq!(error.code(), codes::NOT_A_TABLE);
        assert_eq!(error.code().stage(), Stage::Data);
        assert!(error.to_string().contains(message), "{error}");
        assert_eq!(error.context(), [("dataset", "orders".to_owned())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_log_is_said_to_be_one() {
    let output = Output::new();
    for n in 0..3 {
        output.write(&format!("select {n} as a")).await.unwrap();
    }
    let log = output.location.local_path().unwrap().join("_delta_log");
    let commit = log.join("00000000000000000001.json");
    let text = std::fs::read(&commit).unwrap();

    std::fs::write(&commit, &text[..text.len() / 2]).unwrap();
    let error = output
        .open_at(DeltaVersionSelector::Latest)
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::DAMAGED_TABLE, "{error:?}");

    std::fs::remove_file(&commit).unwrap();
    let error = output
        .open_at(DeltaVersionSelector::Latest)
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::DAMAGED_TABLE, "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Data);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_file_that_is_gone_or_cut_is_named() {
    let output = Output::new();
    output.write("select 1 as a").await.unwrap();
    let file = output
        .files()
        .into_iter()
        .find(|file| file.ends_with(".parquet"))
        .unwrap();
    let path = output.folder.path().join(&file);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    let error = output
        .open_at(DeltaVersionSelector::Latest)
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::DAMAGED_TABLE);
    std::fs::remove_file(&path).unwrap();
    let error = output
        .open_at(DeltaVersionSelector::Latest)
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::DAMAGED_TABLE);
    assert!(error.context()[0].1.ends_with(&file), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_that_lie_about_themselves_are_not_used() {
    let output = Output::new();
    output
        .write("select 5 as a, 'x' as b union all select 7, null")
        .await
        .unwrap();
    let log = output
        .location
        .local_path()
        .unwrap()
        .join("_delta_log/00000000000000000000.json");
    let text = std::fs::read_to_string(&log).unwrap();
    for (from, to) in [
        // A minimum above the maximum, more nulls than rows, a number that is none of the type.
        (r#"\"minValues\":{\"a\":5"#, r#"\"minValues\":{\"a\":9"#),
        (r#"\"nullCount\":{\"a\":0"#, r#"\"nullCount\":{\"a\":99"#),
        (r#"\"maxValues\":{\"a\":7"#, r#"\"maxValues\":{\"a\":1e300"#),
        (r#"\"tightBounds\":true"#, r#"\"tightBounds\":false"#),
        (r#"\"numRecords\":2,"#, ""),
    ] {
        let lie = text.replace(from, to);
        if lie == text {
            // The statistics lie in another file of the two.
            continue;
        }
        std::fs::write(&log, lie).unwrap();
        assert_eq!(
            output
                .answer("select min(a), max(a), count(a), count(b), count(*) from t")
                .await,
            ["5|7|2|1|2"],
            "{to}"
        );
        assert_eq!(
            output.answer("select a from t where a > 6").await,
            ["7"],
            "{to}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn text_is_never_a_view_even_where_the_session_wants_it() {
    let output = Output::new();
    output
        .write("select 'x' as a, make_array('y') as b")
        .await
        .unwrap();
    let session = datafusion::prelude::SessionContext::new();
    let table = output.open().await;
    session
        .register_table("t", table.provider().unwrap())
        .unwrap();
    let batches = session
        .sql("select * from t")
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    assert_eq!(batches[0].schema().field(0).data_type(), &DataType::Utf8);
    assert_eq!(batches[0].schema().fields(), table.schema().fields());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_may_not_be_null_is_read_from_files_where_it_may() {
    let output = Output::new();
    output
        .write("select a from (values (1), (null)) as v(a) where a is not null")
        .await
        .unwrap();
    // The log promises more than the files, as other writers' logs do.
    let log = output
        .location
        .local_path()
        .unwrap()
        .join("_delta_log/00000000000000000000.json");
    let text = std::fs::read_to_string(&log).unwrap();
    let changed = text.replace(r#"\"nullable\":true"#, r#"\"nullable\":false"#);
    assert_ne!(text, changed);
    std::fs::write(&log, changed).unwrap();
    let table = output.open().await;
    assert!(!table.schema().field(0).is_nullable());
    assert_eq!(output.rows().await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_footprint_changes_with_the_rows_and_with_nothing_else() {
    let output = Output::new();
    output.write("select 1::bigint as a").await.unwrap();
    let before = output.open().await.footprint();
    output
        .library_table()
        .await
        .set_tbl_properties()
        .with_properties([("delta.checkpointInterval".to_owned(), "20".to_owned())].into())
        .await
        .unwrap();
    let table = output.open().await;
    assert_eq!((table.pin().version, table.footprint()), (1, before));
    let library = output.library_table().await;
    deltalake_core::checkpoints::create_checkpoint(&library, None)
        .await
        .unwrap();
    assert_eq!(output.open().await.footprint(), before);
    output.write("select 1::bigint as a").await.unwrap();
    assert_ne!(output.open().await.footprint(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_with_deleted_rows_has_its_row_count_in_the_plan() {
    let output = Output::new();
    output
        .write("select n as a from generate_series(1, 100) as t(n)")
        .await
        .unwrap();
    let table = output.open().await;
    let batches = query(table.provider().unwrap(), "select a from t where a <= 2")
        .await
        .unwrap();
    assert_eq!(rows(&batches, &table.schema()), ["1", "2"]);
}

#[test]
fn work_can_move_between_threads() {
    fn can_move<T: Send>(_: T) {}
    let output = Output::new();
    let name = DatasetName::new("t").unwrap();
    let options = StoreOptions::new();
    can_move(is_delta_table(&output.location, &options));
    can_move(open(
        &name,
        &output.location,
        DeltaVersionSelector::Timestamp(UnixMillis(0)),
        &options,
    ));
    can_move(crate::output_state(
        &output.location,
        &options,
        &output.view,
    ));
    can_move(output.write("select 1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_column_that_became_wider_is_read_from_older_files() {
    let output = Output::partitioned_by(&["p"]);
    output
        .write("select arrow_cast(5, 'Int32') as a, date '2020-01-02' as d, arrow_cast(7, 'Int16') as p")
        .await
        .unwrap();
    // As another writer widens types: the log changes, the files stay.
    let log = output
        .location
        .local_path()
        .unwrap()
        .join("_delta_log/00000000000000000000.json");
    let text = std::fs::read_to_string(&log).unwrap();
    let changed = text
        .replace(r#"\"integer\""#, r#"\"long\""#)
        .replace(r#"\"date\""#, r#"\"timestamp_ntz\""#)
        .replace(r#"\"short\""#, r#"\"long\""#)
        .replace(
            r#""minReaderVersion":1,"minWriterVersion":2"#,
            r#""minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["typeWidening","timestampNtz"],"writerFeatures":["typeWidening","timestampNtz"]"#,
        );
    assert_ne!(text, changed);
    std::fs::write(&log, changed).unwrap();
    assert_eq!(
        output.open().await.pin().reader_features,
        ["timestampNtz", "typeWidening"]
    );
    assert_eq!(output.rows().await, ["5|2020-01-02T00:00:00|7"]);
    assert_eq!(
        output
            .answer("select max(a), max(d), max(p) from t where a > 4 and p > 6")
            .await,
        ["5|2020-01-02T00:00:00|7"]
    );
}

//! What an output says of itself, and what others do to it.

use arrow::array::{Int64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use codeanatomy_vocab::ViewName;
use deltalake_core::DeltaTable;
use deltalake_core::kernel::transaction::CommitProperties;
use std::sync::Arc;

use super::support::{Output, session};
use crate::{StoreOptions, codes, output_state};

fn batch(values: Vec<i64>) -> RecordBatch {
    let schema = Schema::new(vec![Field::new("a", DataType::Int64, true)]);
    RecordBatch::try_new(Arc::new(schema), vec![Arc::new(Int64Array::from(values))]).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_no_state_where_there_is_no_table() {
    let output = Output::new();
    assert!(output.state().await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stamp_says_what_was_built() {
    let output = Output::new();
    output
        .write("select 1 as a union all select 2")
        .await
        .unwrap();
    let state = output.state().await.unwrap();
    let stamp = state.stamp.unwrap();
    assert_eq!((stamp.view, stamp.rows), (output.view.clone(), 2));
    assert_eq!((state.stamp_version, state.txn_version), (Some(0), Some(1)));
    assert_eq!(state.stamped_at, output.open().await.pin().committed_at);
    assert!(state.is_ours);
    // Another view did not build this.
    let other = ViewName::new("other").unwrap();
    let state = output_state(&output.location, &StoreOptions::new(), &other)
        .await
        .unwrap()
        .unwrap();
    assert!(state.stamp.is_none() && state.is_ours);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stamp_outlives_a_compaction_and_properties() {
    let output = Output::new();
    output
        .write("select distinct n as a from generate_series(1, 30000) as t(n)")
        .await
        .unwrap();
    let stamp = output.state().await.unwrap().stamp;
    assert!(stamp.is_some());
    let rows = output.rows().await;
    assert!(output.open().await.n_files() > 1);
    let (_, metrics) = output.library_table().await.optimize().await.unwrap();
    assert!(metrics.num_files_removed > 1);
    output
        .library_table()
        .await
        .set_tbl_properties()
        .with_properties([("delta.checkpointInterval".to_owned(), "20".to_owned())].into())
        .await
        .unwrap();
    let state = output.state().await.unwrap();
    assert_eq!((state.version, state.stamp_version), (2, Some(0)));
    assert_eq!(state.stamp, stamp);
    assert_eq!(output.rows().await, rows);
    // And the next build goes on from there.
    let committed = output.write("select 1 as a").await.unwrap();
    assert_eq!(committed.version, 3);
    assert_eq!(output.rows().await, ["1"]);
    assert_eq!(output.state().await.unwrap().txn_version, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stamp_is_lost_after_rows_of_somebody_else() {
    let output = Output::new();
    output.write("select 1::bigint as a").await.unwrap();
    output
        .library_table()
        .await
        .write(vec![batch(vec![2])])
        .await
        .unwrap();
    let state = output.state().await.unwrap();
    assert!(state.stamp.is_none() && state.is_ours);
    assert_eq!(output.rows().await, ["1", "2"]);
    output.write("select 3::bigint as a").await.unwrap();
    assert_eq!(output.rows().await, ["3"]);
    assert!(output.state().await.unwrap().stamp.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stamp_is_lost_after_a_delete_and_after_a_new_column() {
    let output = Output::new();
    output
        .write("select n as a from generate_series(1, 10) as t(n)")
        .await
        .unwrap();
    let (_, metrics) = output
        .library_table()
        .await
        .delete()
        .with_predicate("a = 3")
        .await
        .unwrap();
    assert_eq!(metrics.num_deleted_rows, Some(1));
    assert!(output.state().await.unwrap().stamp.is_none());

    output.write("select 1::bigint as a").await.unwrap();
    assert!(output.state().await.unwrap().stamp.is_some());
    let column =
        deltalake_core::kernel::StructField::nullable("b", deltalake_core::kernel::DataType::LONG);
    output
        .library_table()
        .await
        .add_columns()
        .with_fields([column])
        .await
        .unwrap();
    assert!(output.state().await.unwrap().stamp.is_none());
    assert_eq!(output.rows().await, ["1|NULL"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stamp_is_lost_with_its_commit() {
    let output = Output::new();
    output.write("select 1::bigint as a").await.unwrap();
    output.library_table().await.optimize().await.unwrap();
    let table = output.library_table().await;
    table
        .set_tbl_properties()
        .with_properties([("delta.checkpointInterval".to_owned(), "20".to_owned())].into())
        .await
        .unwrap();
    let table = output.library_table().await;
    deltalake_core::checkpoints::create_checkpoint(&table, None)
        .await
        .unwrap();
    let log = output.location.local_path().unwrap().join("_delta_log");
    std::fs::remove_file(log.join("00000000000000000000.json")).unwrap();
    let state = output.state().await.unwrap();
    assert!(state.stamp.is_none());
    // The application transaction in the checkpoint still says whose table it is.
    assert_eq!((state.is_ours, state.txn_version), (true, Some(1)));
    output.write("select 2::bigint as a").await.unwrap();
    assert_eq!(output.state().await.unwrap().txn_version, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stamp_is_lost_with_a_data_file() {
    let output = Output::new();
    output.write("select 1::bigint as a").await.unwrap();
    let file = output
        .files()
        .into_iter()
        .find(|file| file.ends_with(".parquet"))
        .unwrap();
    std::fs::remove_file(output.folder.path().join(file)).unwrap();
    assert!(output.state().await.unwrap().stamp.is_none());
    output.write("select 2::bigint as a").await.unwrap();
    assert_eq!(output.rows().await, ["2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_somebody_else_is_never_overwritten() {
    let output = Output::new();
    let folder = output.location.local_path().unwrap();
    std::fs::create_dir_all(&folder).unwrap();
    let table = DeltaTable::try_from_url(output.location.url().expose().clone())
        .await
        .unwrap();
    table.write(vec![batch(vec![1])]).await.unwrap();
    let state = output.state().await.unwrap();
    assert!(!state.is_ours && state.stamp.is_none());
    let before = output.files();
    for expected in [None, Some(0)] {
        let error = output
            .write_at("select 2 as a", expected)
            .await
            .unwrap_err();
        assert_eq!(error.code(), codes::FOREIGN_OUTPUT);
    }
    assert_eq!(output.files(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_files_of_somebody_else_is_refused() {
    let output = Output::new();
    let folder = output.location.local_path().unwrap();
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("thesis.docx"), "years of work").unwrap();
    let error = output.write("select 1 as a").await.unwrap_err();
    assert_eq!(error.code(), codes::FOREIGN_OUTPUT);
    assert_eq!(output.files(), ["out/by region/thesis.docx"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_build_left_is_no_obstacle() {
    let output = Output::new();
    output.write("select 1 as a").await.unwrap();
    let folder = output.location.local_path().unwrap();
    std::fs::remove_dir_all(folder.join("_delta_log")).unwrap();
    assert_eq!(output.files().len(), 1);
    output.write("select 2 as a").await.unwrap();
    assert_eq!(output.rows().await, ["2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_gone_or_new_is_a_conflict() {
    let output = Output::new();
    let error = output.write_at("select 1 as a", Some(0)).await.unwrap_err();
    assert_eq!(error.code(), codes::CONFLICT);
    output.write("select 1 as a").await.unwrap();
    for expected in [None, Some(7)] {
        let error = output
            .write_at("select 2 as a", expected)
            .await
            .unwrap_err();
        assert_eq!(error.code(), codes::CONFLICT);
        assert!(error.is_retryable());
    }
    std::fs::remove_dir_all(output.location.local_path().unwrap()).unwrap();
    let error = output.write_at("select 2 as a", Some(0)).await.unwrap_err();
    assert_eq!(error.code(), codes::CONFLICT);
    assert!(error.to_string().contains("removed"));
    output.write("select 3 as a").await.unwrap();
    assert_eq!(output.rows().await, ["3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_builds_at_the_same_time_one_wins() {
    for first in [false, true] {
        let output = Output::new();
        if first {
            output.write("select 0 as a").await.unwrap();
        }
        let expected = output.state().await.map(|state| state.version);
        let (one, two) = tokio::join!(
            output.write_at("select 1 as a", expected),
            output.write_at("select 2 as a", expected)
        );
        let rows = output.rows().await;
        match (one, two) {
            (Ok(_), Err(error)) => {
                assert_eq!(
                    (rows, error.code()),
                    (vec!["1".to_owned()], codes::CONFLICT)
                );
            }
            (Err(error), Ok(_)) => {
                assert_eq!(
                    (rows, error.code()),
                    (vec!["2".to_owned()], codes::CONFLICT)
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn constraints_that_somebody_gave_the_table_are_kept() {
    let output = Output::new();
    output
        .write("select 1::bigint as a, 'x' as b")
        .await
        .unwrap();
    output
        .library_table()
        .await
        .add_constraint()
        .with_constraint("positive", "a > 0 AND a > -5 AND b != 'xyz'")
        .await
        .unwrap();
    assert!(output.state().await.unwrap().stamp.is_some());
    // Broken, and unknown of a null.
    for broken in [
        "select 2::bigint as a, 'xyz' as b",
        "select null::bigint as a, 'x' as b",
        "select n as a, 'x' as b from (values (1), (2), (0), (7)) as t(n)",
    ] {
        let error = output.write(broken).await.unwrap_err();
        assert_eq!(error.code(), codes::CONSTRAINT_BROKEN, "{broken}");
        assert!(
            error
                .to_string()
                .contains("1 row breaks the table's constraint `positive`")
        );
        assert_eq!(output.rows().await, ["1|x"], "{broken}");
    }
    // Other columns, among them times without a zone, which make the table's protocol newer.
    output
        .write("select 'yy' as b, 7::bigint as a, timestamp '2024-01-01 00:00:00' as t")
        .await
        .unwrap();
    let table = output.library_table().await;
    let snapshot = table.snapshot().unwrap();
    assert_eq!(
        snapshot.metadata().configuration()["delta.constraints.positive"],
        "a > 0 AND a > -5 AND b != 'xyz'"
    );
    let protocol = serde_json::to_value(snapshot.protocol()).unwrap();
    assert!(
        protocol["writerFeatures"]
            .as_array()
            .unwrap()
            .contains(&"checkConstraints".into()),
        "{protocol}"
    );
    let error = output
        .write("select 'yy' as b, -7::bigint as a, timestamp '2024-01-01 00:00:00' as t")
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::CONSTRAINT_BROKEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn constraints_that_cannot_be_checked_are_not_trampled_on() {
    for (condition, why) in [
        ("a / 2 > 0", "engines do not agree about `"),
        ("a * 2 < 100", "engines do not agree about `"),
        ("a > 0", "it does not fit the view's columns"),
    ] {
        let output = Output::new();
        output.write("select 4::bigint as a").await.unwrap();
        output
            .library_table()
            .await
            .add_constraint()
            .with_constraint("positive", condition)
            .await
            .unwrap();
        let query = if condition == "a > 0" {
            "select 4::bigint as b"
        } else {
            "select 6::bigint as a"
        };
        let error = output.write(query).await.unwrap_err();
        assert_eq!(error.code(), codes::UNSUPPORTED_OUTPUT, "{condition}");
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!(output.rows().await, ["4"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_somebody_gave_the_table_are_not_trampled_on() {
    let output = Output::new();
    output.write("select 1::bigint as a").await.unwrap();
    output
        .library_table()
        .await
        .set_tbl_properties()
        .with_properties([("delta.appendOnly".to_owned(), "true".to_owned())].into())
        .await
        .unwrap();
    let error = output.write("select -1::bigint as a").await.unwrap_err();
    assert_eq!(error.code(), codes::UNSUPPORTED_OUTPUT);
    assert!(error.to_string().contains("delta.appendOnly"));
    assert_eq!(output.rows().await, ["1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stamp_of_a_later_form_is_none() {
    let output = Output::new();
    output.write("select 1::bigint as a").await.unwrap();
    let table = output.library_table().await;
    let stamp = serde_json::json!({ "format_version": 99, "view": "by_region" });
    table
        .write(vec![batch(vec![2])])
        .with_commit_properties(
            CommitProperties::default().with_metadata([("codeanatomy".to_owned(), stamp)]),
        )
        .await
        .unwrap();
    let state = output.state().await.unwrap();
    assert!(state.stamp.is_none() && state.is_ours);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_cannot_be_written_is_named() {
    let output = Output::new();
    // A file where a folder should be, which also stops a superuser.
    std::fs::write(output.folder.path().join("out"), "").unwrap();
    let error = output.write_at("select 1 as a", None).await.unwrap_err();
    assert_eq!(error.code(), codes::UNWRITABLE, "{error:?}");
    assert!(error.help().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_with_few_partitions_writes_plans_with_many() {
    let output = Output::new();
    let session = session(2);
    let parts: Vec<String> = (0..9).map(|n| format!("select {n} as a")).collect();
    let plan = session.sql(&parts.join(" union all ")).await.unwrap();
    let plan = plan.create_physical_plan().await.unwrap();
    let committed = crate::overwrite(
        output.spec(plan.schema(), None),
        plan,
        session.task_ctx(),
        Arc::new(|_, _| {}),
        None,
        tokio_util::sync::CancellationToken::new(),
    )
    .await
    .unwrap();
    assert_eq!(committed.rows, 9);
    assert!(committed.files <= 2);
}

//! Rows that come to others, and rows that replace those of their partitions.

use std::collections::HashMap;

use super::support::Output;
use crate::{WriteMode, codes};

const START: &str = "select * from (values ('a', 1), ('b', 2), (null, 3)) as v(p, n)";

async fn started() -> Output {
    let output = Output::partitioned_by(&["p"]);
    output.write(START).await.unwrap();
    output
}

#[tokio::test(flavor = "multi_thread")]
async fn appended_rows_come_to_those_that_are_there_once() {
    let output = started().await;
    let sql = "select 'a' as p, 4 as n";
    let done = output
        .write_as(sql, WriteMode::Append, Some(0))
        .await
        .unwrap();
    assert_eq!((done.version, done.rows), (1, 1));
    let expected = ["NULL|3", "a|1", "a|4", "b|2"];
    assert_eq!(output.rows().await, expected);
    let stamp = output.state().await.unwrap().stamp.unwrap();
    assert_eq!(stamp.based_on, Some(0));
    // Another build that began at the same time does not give the rows twice.
    let error = output
        .write_as(sql, WriteMode::Append, Some(0))
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::CONFLICT);
    assert_eq!(output.rows().await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_follows_what_changes_nothing_and_says_what_it_does_not_know() {
    let output = started().await;
    output.library_table().await.optimize().await.unwrap();
    output
        .append_by_others("select 'b' as p, cast(9 as bigint) as n")
        .await;
    output.library_table().await.optimize().await.unwrap();
    let sql = "select 'a' as p, 4 as n";
    output
        .write_as(sql, WriteMode::Append, Some(0))
        .await
        .unwrap();
    assert_eq!(output.rows().await, ["NULL|3", "a|1", "a|4", "b|2", "b|9"]);
    // The rows of somebody else are no part of what the stamp stands for.
    assert!(output.state().await.unwrap().stamp.is_none());

    let output = started().await;
    let property = HashMap::from([("delta.checkpointInterval".to_owned(), "7".to_owned())]);
    let table = output.library_table().await;
    table
        .set_tbl_properties()
        .with_properties(property)
        .await
        .unwrap();
    let error = output
        .write_as(sql, WriteMode::Append, Some(0))
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::CONFLICT);
    output
        .write_as(sql, WriteMode::Append, Some(1))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn only_partitions_with_new_rows_are_replaced() {
    let output = started().await;
    let sql = "select * from (values ('a', 5), (null, 6), ('d', 7)) as v(p, n)";
    let mode = WriteMode::OverwritePartitions;
    output.write_as(sql, mode, Some(0)).await.unwrap();
    assert_eq!(output.rows().await, ["NULL|6", "a|5", "b|2", "d|7"]);
    // Rows that somebody else put elsewhere stay; those in the way are a conflict.
    output
        .append_by_others("select 'b' as p, cast(8 as bigint) as n")
        .await;
    output
        .write_as("select 'a' as p, 9 as n", mode, Some(1))
        .await
        .unwrap();
    assert_eq!(output.rows().await, ["NULL|6", "a|9", "b|2", "b|8", "d|7"]);
    output
        .append_by_others("select 'b' as p, cast(0 as bigint) as n")
        .await;
    let before = output.rows().await;
    let error = output
        .write_as("select 'b' as p, 1 as n", mode, Some(3))
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::CONFLICT);
    assert_eq!(output.rows().await, before);

    let plain = Output::new();
    plain.write("select 1 as a").await.unwrap();
    let error = plain
        .write_as("select 1 as a", mode, Some(0))
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::INVALID_PARTITION);
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_that_do_not_fit_are_named_and_new_ones_may_come() {
    let output = started().await;
    for (sql, column) in [
        ("select 'a' as p, 'x' as n", "`n`"),
        ("select 'a' as p, 1 as m", "`n` is missing"),
        ("select 'a' as p, 1 as n, 2 as m", "`m` may not be null"),
    ] {
        let error = output
            .write_as(sql, WriteMode::Append, Some(0))
            .await
            .unwrap_err();
        assert_eq!(error.code(), codes::COLUMNS_DIFFER, "{sql}");
        assert!(error.to_string().contains(column), "{error}");
    }
    let schema = output.open().await.schema();
    let p_null = schema.field(0).is_nullable();
    assert!(p_null);
    output
        .write_as(
            "select p, n, m from (values ('a', 4, 'new'), (null, 5, null)) as v(p, n, m)",
            WriteMode::Append,
            Some(0),
        )
        .await
        .unwrap();
    assert_eq!(
        output.rows().await,
        [
            "NULL|3|NULL",
            "NULL|5|NULL",
            "a|1|NULL",
            "a|4|new",
            "b|2|NULL"
        ]
    );
}

//! Change feeds and cursors.

use std::collections::{BTreeMap, HashMap};

use codeanatomy_vocab::{DatasetName, Result};
use datafusion_expr::{col, lit};

use super::support::{Output, query, rows};
use crate::{
    ChangeFeed, FeedWindow, StoreOptions, codes, feed_cursors, open_change_feed, reset_feed_cursor,
};

fn name() -> DatasetName {
    DatasetName::new("orders").unwrap()
}

async fn feed(output: &Output, start: u64, end: Option<u64>, lenient: bool) -> Result<ChangeFeed> {
    let window = FeedWindow {
        starting_version: start,
        ending_version: end,
        allow_out_of_range: lenient,
    };
    open_change_feed(&name(), &output.location, window, &StoreOptions::new()).await
}

/// Version 1 turns the feed on, 2 appends, 3 deletes, 4 updates.
async fn recorded() -> Output {
    let output = Output::new();
    output.write("select 1 as id, 'a' as s").await.unwrap();
    let on = HashMap::from([("delta.enableChangeDataFeed".to_owned(), "true".to_owned())]);
    let table = output.library_table().await;
    table
        .set_tbl_properties()
        .with_properties(on)
        .await
        .unwrap();
    let more = super::support::session(1)
        .sql("select id, s from (values (2, 'b'), (3, 'c')) as v(id, s)")
        .await
        .unwrap()
        .collect()
        .await
        .unwrap();
    output.library_table().await.write(more).await.unwrap();
    let delete = output.library_table().await.delete();
    delete.with_predicate(col("id").eq(lit(1))).await.unwrap();
    let update = output.library_table().await.update();
    update
        .with_predicate(col("id").eq(lit(3)))
        .with_update("s", lit("z"))
        .await
        .unwrap();
    output
}

async fn changes(feed: &ChangeFeed) -> Vec<String> {
    let sql = "select id, s, _change_type, _commit_version from t";
    let batches = query(feed.provider(), sql).await.unwrap();
    match batches.first() {
        Some(batch) => rows(&batches, &batch.schema()),
        None => Vec::new(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_gives_every_change_of_its_versions() {
    let output = recorded().await;
    let all = feed(&output, 1, None, false).await.unwrap();
    assert_eq!(all.versions, Some((1, 4)));
    assert_eq!(
        changes(&all).await,
        [
            "1|a|delete|3",
            "2|b|insert|2",
            "3|c|insert|2",
            "3|c|update_preimage|4",
            "3|z|update_postimage|4",
        ]
    );
    let some = feed(&output, 3, Some(3), false).await.unwrap();
    assert_eq!(changes(&some).await, ["1|a|delete|3"]);
    let beyond = feed(&output, 4, Some(9), false).await.unwrap();
    assert_eq!(beyond.versions, Some((4, 4)));
    let batches = query(all.provider(), "select * from t").await.unwrap();
    assert_eq!(batches[0].schema().fields(), all.schema().fields());
    let counted = query(all.provider(), "select count(*) as n from t where id = 3").await;
    let counted = counted.unwrap();
    assert_eq!(rows(&counted, &counted[0].schema()), ["3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_that_cannot_be_is_refused_by_its_kind() {
    let output = recorded().await;
    let error = feed(&output, 7, None, false).await.unwrap_err();
    assert_eq!(error.code(), codes::FEED_OUT_OF_RANGE);
    let empty = feed(&output, 5, None, true).await.unwrap();
    assert_eq!((empty.versions, changes(&empty).await.len()), (None, 0));
    for lenient in [false, true] {
        let error = feed(&output, 3, Some(2), lenient).await.unwrap_err();
        assert_eq!(error.code(), codes::FEED_BACKWARDS);
        let error = feed(&output, 0, None, lenient).await.unwrap_err();
        assert_eq!(error.code(), codes::FEED_NOT_ENABLED);
    }
    let off = HashMap::from([("delta.enableChangeDataFeed".to_owned(), "false".to_owned())]);
    let table = output.library_table().await;
    table
        .set_tbl_properties()
        .with_properties(off)
        .await
        .unwrap();
    let error = feed(&output, 2, None, false).await.unwrap_err();
    assert_eq!(error.code(), codes::FEED_NOT_ENABLED);
    assert!(error.to_string().contains("in version 5"), "{error}");
    assert!(feed(&output, 2, Some(4), false).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_moves_with_the_commit_that_holds_the_rows_and_by_hand() {
    let output = Output::new();
    let cursors = |output: &Output| {
        let (location, view) = (output.location.clone(), output.view.clone());
        async move {
            let options = StoreOptions::new();
            let cursors = feed_cursors(&location, &options, &view, &[name()])
                .await
                .unwrap();
            cursors[&name()]
        }
    };
    assert_eq!(cursors(&output).await, None);
    output.write("select 1 as a").await.unwrap();
    assert_eq!(cursors(&output).await, None);
    output
        .write_with_cursor("select 2 as a", &name(), 7)
        .await
        .unwrap();
    assert_eq!(cursors(&output).await, Some(7));
    let stamp = output.state().await.unwrap().stamp.unwrap();
    assert_eq!(stamp.provenance.cursors, BTreeMap::from([(name(), 7)]));
    // A write of other rows says nothing of the feed.
    output.write("select 3 as a").await.unwrap();
    assert_eq!(cursors(&output).await, Some(7));
    for to in [Some(2), None, Some(0)] {
        let before = cursors(&output).await;
        let reset = reset_feed_cursor(
            &output.location,
            &StoreOptions::new(),
            &output.view,
            &name(),
            to,
            output.clock.as_ref(),
        )
        .await
        .unwrap();
        assert_eq!((reset.before, reset.after), (before, to));
        assert_eq!(cursors(&output).await, to);
    }
    // The rows are as they were, and so is what is known of them.
    let state = output.state().await.unwrap();
    assert_eq!((state.version, state.stamp_version), (5, Some(2)));
    assert_eq!(output.rows().await, ["3"]);
}

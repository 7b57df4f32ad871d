//! Layouts of outputs: what changes no row.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use codeanatomy_vocab::DatasetName;

use super::support::Output;
use crate::maintain::{table_files, table_info};
use crate::{FeedWindow, OutputLayout, StoreOptions, codes, open_change_feed};

const ROWS: &str = "select value as n, value % 5 as k, cast(value as text) as t \
                    from generate_series(1, 20000)";

fn with(layout: OutputLayout) -> Output {
    let mut output = Output::new();
    output.layout = layout;
    output
}

fn properties(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    pairs.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn properties_are_set_changed_and_kept_beside_those_of_others() {
    let mut output = with(OutputLayout {
        properties: properties(&[("owner", "me"), ("delta.checkpointInterval", "7")]),
        ..OutputLayout::default()
    });
    let options = StoreOptions::new();
    output.write("select 1 as n").await.unwrap();
    let info = table_info(&output.location, &options).await.unwrap();
    assert_eq!(info.properties, output.layout.properties);
    let stamp = output.state().await.unwrap().stamp.unwrap();
    assert_eq!(stamp.layout, output.layout.fingerprint());
    let id = info.id;
    output.layout.properties =
        properties(&[("team", "us"), ("delta.enableChangeDataFeed", "true")]);
    output.write("select 2 as n").await.unwrap();
    let info = table_info(&output.location, &options).await.unwrap();
    assert_eq!(info.id, id);
    assert_eq!(info.properties["owner"], "me");
    assert_eq!(info.properties["team"], "us");
    assert_eq!(info.protocol.min_writer_version, 4);
    let version = info.version;
    // The same layout again changes no metadata, and the changes can be read.
    output.write("select 3 as n").await.unwrap();
    let log = output.location.local_path().unwrap().join("_delta_log");
    let commit = std::fs::read_to_string(log.join(format!("{:020}.json", version + 1))).unwrap();
    assert!(
        !commit.contains("\"metaData\"") && !commit.contains("\"protocol\""),
        "{commit}"
    );
    let window = FeedWindow {
        starting_version: version,
        ending_version: None,
        allow_out_of_range: false,
    };
    let name = DatasetName::new("t").unwrap();
    let feed = open_change_feed(&name, &output.location, window, &options)
        .await
        .unwrap();
    let changes = super::support::query(
        feed.provider(),
        "select n, _change_type from t order by 1, 2",
    )
    .await
    .unwrap();
    let n: usize = changes
        .iter()
        .map(arrow::array::RecordBatch::num_rows)
        .sum();
    assert_eq!(n, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_closed_at_the_size_that_was_asked_for() {
    let output = with(OutputLayout {
        target_file_bytes: NonZeroU64::new(20_000),
        ..OutputLayout::default()
    });
    let committed = output.write(ROWS).await.unwrap();
    assert!(committed.files > 2, "{committed:?}");
    assert_eq!(committed.rows, 20_000);
    let plain = Output::new();
    assert!(plain.write(ROWS).await.unwrap().files <= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_columns_that_are_named_get_statistics() {
    let output = with(OutputLayout {
        statistics_columns: Some(vec!["k".to_owned()]),
        ..OutputLayout::default()
    });
    output.write(ROWS).await.unwrap();
    let latest = codeanatomy_vocab::DeltaVersionSelector::Latest;
    let files = table_files(&output.location, latest, &StoreOptions::new())
        .await
        .unwrap();
    for file in files {
        let statistics = file.statistics.unwrap();
        assert!(statistics["numRecords"].as_u64() > Some(0));
        let columns: Vec<&String> = statistics["maxValues"]
            .as_object()
            .unwrap()
            .keys()
            .collect();
        assert_eq!(columns, ["k"]);
        assert!(statistics["nullCount"].get("n").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_in_an_order_stay_the_rows_of_their_stamp() {
    let output = with(OutputLayout {
        z_order_by: vec!["k".to_owned(), "n".to_owned()],
        ..OutputLayout::default()
    });
    let committed = output
        .write("select * from (values (3, 1), (1, 2), (2, 3)) as t(k, n)")
        .await;
    let state = output.state().await.unwrap();
    assert_eq!(state.stamp_version, Some(committed.unwrap().version));
    assert_eq!(state.version, 1, "a commit brought the rows in order");
    assert_eq!(output.rows().await, ["1|2", "2|3", "3|1"]);
    output
        .write("select * from (values (9, 9)) as t(k, n)")
        .await
        .unwrap();
    assert_eq!(output.rows().await, ["9|9"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_layout_that_does_not_fit_is_refused_before_anything_is_written() {
    for layout in [
        OutputLayout {
            z_order_by: vec!["m".to_owned()],
            ..OutputLayout::default()
        },
        OutputLayout {
            properties: properties(&[("delta.appendOnly", "true")]),
            ..OutputLayout::default()
        },
    ] {
        let output = with(layout);
        let error = output.write("select 1 as n").await.unwrap_err();
        assert_eq!(error.code(), codes::INVALID_LAYOUT, "{error:?}");
        assert!(!output.location.local_path().unwrap().exists());
    }
}

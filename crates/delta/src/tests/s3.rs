//! Tables in a store that speaks the protocol of S3.

use std::path::Path;
use std::sync::Arc;

use codeanatomy_testkit::s3::{ACCESS_KEY_ID, S3Server, SECRET_ACCESS_KEY};
use codeanatomy_vocab::{
    DatasetName, DeltaVersion, DeltaVersionSelector, Fingerprint, ManualClock, Result, RunId,
    Secret, UnixMillis, ViewName,
};
use tokio_util::sync::CancellationToken;

use super::support::{query, rows, session};
use crate::maintain::{create_checkpoint, inspect_checkpoints, optimize, restore, table_history};
use crate::{
    Committed, OutputLayout, OverwriteSpec, Provenance, StoreOptions, TableLocation, WriteMode,
    codes, open, output_state, write,
};

const BUCKET: &str = "lake";

fn options(server: &S3Server) -> StoreOptions {
    StoreOptions::new()
        .with("endpoint", Secret::new(server.endpoint()))
        .with("allow_http", Secret::new("true"))
        .with("region", Secret::new("eu-central-1"))
        .with("aws_access_key_id", Secret::new(ACCESS_KEY_ID))
        .with("aws_secret_access_key", Secret::new(SECRET_ACCESS_KEY))
}

fn at(path: &str) -> TableLocation {
    TableLocation::parse(&format!("s3://{BUCKET}/{path}"), Path::new("/")).unwrap()
}

fn view() -> ViewName {
    ViewName::new("by_region").unwrap()
}

fn name() -> DatasetName {
    DatasetName::new("t").unwrap()
}

async fn write_as(
    location: &TableLocation,
    options: &StoreOptions,
    mode: WriteMode,
    sql: &str,
    partition_by: &[&str],
    expected: Option<DeltaVersion>,
) -> Result<Committed> {
    let session = session(2);
    let frame = session.sql(sql).await.unwrap();
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let plan = frame.create_physical_plan().await.unwrap();
    let clock = Arc::new(ManualClock::new(UnixMillis(1_700_000_000_000)));
    let spec = OverwriteSpec {
        location: location.clone(),
        options: options.clone(),
        view: view(),
        schema,
        partition_by: partition_by.iter().map(|c| (*c).to_owned()).collect(),
        layout: OutputLayout::default(),
        expected,
        run_id: RunId::generate(UnixMillis(1_700_000_000_000)),
        result_key: Fingerprint::from_bytes([7; 32]),
        plan_fingerprint: Fingerprint::from_bytes([8; 32]),
        provenance: Provenance::default(),
        clock,
    };
    let progress = Arc::new(|_, _| {});
    let token = CancellationToken::new();
    write(spec, mode, plan, session.task_ctx(), progress, None, token).await
}

async fn read(location: &TableLocation, options: &StoreOptions) -> Vec<String> {
    let latest = DeltaVersionSelector::Latest;
    let table = open(&name(), location, latest, options).await.unwrap();
    let batches = query(table.provider().unwrap(), "select * from t")
        .await
        .unwrap();
    rows(&batches, &table.schema())
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_go_to_a_bucket_and_come_back() {
    let server = S3Server::start(&[BUCKET]);
    let options = options(&server);
    let location = at("out/by region/ü");
    assert!(
        output_state(&location, &options, &view())
            .await
            .unwrap()
            .is_none()
    );
    let sql = "select * from (values ('a b', 1), ('c=d', 2), (null, 3)) as t(region, n)";
    let first = write_as(
        &location,
        &options,
        WriteMode::Overwrite,
        sql,
        &["region"],
        None,
    );
    assert_eq!(first.await.unwrap().version, 0);
    assert_eq!(
        read(&location, &options).await,
        ["NULL|3", "a b|1", "c=d|2"]
    );
    let more = "select 'e' as region, cast(4 as bigint) as n";
    write_as(
        &location,
        &options,
        WriteMode::Append,
        more,
        &["region"],
        Some(0),
    )
    .await
    .unwrap();
    assert_eq!(read(&location, &options).await.len(), 4);
    let state = output_state(&location, &options, &view())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((state.version, state.stamp_version), (1, Some(1)));
    let keys = server.keys(BUCKET);
    assert!(keys.iter().all(|key| !key.contains("_probe_")), "{keys:?}");
    assert_eq!(server.n_open_uploads(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_rows_go_up_in_parts() {
    let server = S3Server::start(&[BUCKET]);
    let options = options(&server);
    let location = at("large");
    // Text that does not shrink, so that the file is larger than one part.
    let sql = "select value, md5(cast(value as text)) || md5(cast(-value as text)) as noise, \
               sha256(cast(value as text)) as more from generate_series(1, 250000)";
    write_as(&location, &options, WriteMode::Overwrite, sql, &[], None)
        .await
        .unwrap();
    let latest = DeltaVersionSelector::Latest;
    let table = open(&name(), &location, latest, &options).await.unwrap();
    assert!(table.size_bytes() > 10 << 20, "{}", table.size_bytes());
    let count = "select count(*), count(distinct noise) from t where value > 10";
    let batches = query(table.provider().unwrap(), count).await.unwrap();
    assert_eq!(rows(&batches, &batches[0].schema()), ["249990|249990"]);
    assert_eq!(server.n_open_uploads(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_of_one_version_one_wins() {
    let server = S3Server::start(&[BUCKET]);
    let options = options(&server);
    let location = at("race");
    for round in 0..8_u64 {
        let expected = round.checked_sub(1);
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                let (location, options) = (location.clone(), options.clone());
                tokio::spawn(async move {
                    let sql = format!("select {writer} as writer, {round} as round");
                    write_as(
                        &location,
                        &options,
                        WriteMode::Overwrite,
                        &sql,
                        &[],
                        expected,
                    )
                    .await
                })
            })
            .collect();
        let mut won = 0;
        for writer in writers {
            match writer.await.unwrap() {
                Ok(committed) => {
                    assert_eq!(committed.version, round);
                    won += 1;
                }
                Err(error) => assert_eq!(error.code(), codes::CONFLICT, "{error:?}"),
            }
        }
        assert_eq!(won, 1, "round {round}");
        assert_eq!(read(&location, &options).await.len(), 1);
    }
    let history = table_history(&location, &options, 100).await.unwrap();
    assert_eq!(history.len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_that_add_rows_follow_each_other() {
    let server = S3Server::start(&[BUCKET]);
    let options = options(&server);
    let location = at("appends");
    let sql = "select 0 as writer";
    write_as(&location, &options, WriteMode::Overwrite, sql, &[], None)
        .await
        .unwrap();
    let second = write_as(
        &location,
        &options,
        WriteMode::Append,
        "select 1 as writer",
        &[],
        Some(0),
    );
    second.await.unwrap();
    // A build of the same view that saw version 0 adds nothing a second time.
    let late = write_as(
        &location,
        &options,
        WriteMode::Append,
        "select 1 as writer",
        &[],
        Some(0),
    );
    assert_eq!(late.await.unwrap_err().code(), codes::CONFLICT);
    assert_eq!(read(&location, &options).await, ["0", "1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_in_a_bucket_are_looked_after() {
    let server = S3Server::start(&[BUCKET]);
    let options = options(&server);
    let location = at("looked/after");
    for n in 0..3_u64 {
        let sql = format!("select {n} as n");
        write_as(
            &location,
            &options,
            WriteMode::Append,
            &sql,
            &[],
            n.checked_sub(1),
        )
        .await
        .unwrap();
    }
    let report = optimize(&location, &options, Default::default())
        .await
        .unwrap();
    assert_eq!((report.files_added, report.files_removed), (1, 3));
    assert_eq!(
        create_checkpoint(&location, &options)
            .await
            .unwrap()
            .version,
        3
    );
    inspect_checkpoints(&location, &options)
        .await
        .unwrap()
        .check()
        .unwrap();
    assert_eq!(read(&location, &options).await, ["0", "1", "2"]);
    let to = DeltaVersionSelector::Version(0);
    assert_eq!(restore(&location, &options, to).await.unwrap().version, 4);
    assert_eq!(read(&location, &options).await, ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_is_noticed_before_anything_runs() {
    let server = S3Server::start(&[BUCKET]);
    let options = options(&server);
    let location = at("gone");
    write_as(
        &location,
        &options,
        WriteMode::Overwrite,
        "select 1 as n",
        &[],
        None,
    )
    .await
    .unwrap();
    let data = |keys: &[String]| keys.iter().find(|key| key.ends_with(".parquet")).cloned();
    let file = data(&server.keys(BUCKET)).unwrap();
    let content = server.get(BUCKET, &file).unwrap();
    let latest = DeltaVersionSelector::Latest;
    server.put(BUCKET, &file, &content[1..]);
    let error = open(&name(), &location, latest, &options)
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::DAMAGED_TABLE, "{error:?}");
    server.remove(BUCKET, &file);
    let error = open(&name(), &location, latest, &options)
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::DAMAGED_TABLE, "{error:?}");
    server.put(BUCKET, &file, &content);
    assert!(open(&name(), &location, latest, &options).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_and_a_wrong_bucket_are_told_apart() {
    let server = S3Server::start(&[BUCKET]);
    let good = options(&server);
    let bad = good
        .clone()
        .with("aws_secret_access_key", Secret::new("hunter2"));
    let latest = DeltaVersionSelector::Latest;
    let error = open(&name(), &at("t"), latest, &bad).await.unwrap_err();
    assert_eq!(error.code(), codes::UNREADABLE, "{error:?}");
    assert!(
        error
            .help()
            .is_some_and(|help| help.contains("credentials"))
    );
    assert!(!format!("{error:?}").contains("hunter2"));
    let nowhere = TableLocation::parse("s3://other/t", Path::new("/")).unwrap();
    let error = open(&name(), &nowhere, latest, &good).await.unwrap_err();
    assert_eq!(error.code(), codes::UNREADABLE, "{error:?}");
    assert!(
        error
            .help()
            .is_some_and(|help| help.contains("name of the bucket"))
    );
    assert!(format!("{error:?}").contains("NoSuchBucket"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_ignores_conditions_gets_no_commit() {
    let server = S3Server::start(&["careless"]);
    server.ignore_conditions();
    let location = TableLocation::parse("s3://careless/t", Path::new("/")).unwrap();
    let options = options(&server);
    let written = write_as(
        &location,
        &options,
        WriteMode::Overwrite,
        "select 1 as n",
        &[],
        None,
    );
    assert_eq!(written.await.unwrap_err().code(), codes::NO_CONDITIONAL_PUT);
    assert!(server.keys("careless").is_empty());
}

#[tokio::test]
async fn what_would_make_commits_unsafe_is_refused() {
    let server = S3Server::start(&[BUCKET]);
    let latest = DeltaVersionSelector::Latest;
    for (key, value) in [
        ("AWS_S3_ALLOW_UNSAFE_RENAME", "true"),
        ("aws_s3_locking_provider", "dynamodb"),
        ("log_store", "dynamodb"),
        ("conditional_put", "disabled"),
        ("aws_bucket_name", "other"),
        ("regoin", "eu-central-1"),
    ] {
        let options = options(&server).with(key, Secret::new(value));
        let error = open(&name(), &at("t"), latest, &options).await.unwrap_err();
        assert_eq!(error.code(), codes::INVALID_OPTION, "{key}");
    }
    let typo = options(&server).with("regoin", Secret::new("x"));
    let error = open(&name(), &at("t"), latest, &typo).await.unwrap_err();
    assert_eq!(error.nearest(), Some("region"));
    let nobody = StoreOptions::new().with("region", Secret::new("eu-central-1"));
    let error = open(&name(), &at("t"), latest, &nobody).await.unwrap_err();
    assert_eq!(error.code(), codes::NO_CREDENTIALS);
    assert!(server.keys(BUCKET).is_empty());
}

//! Maintenance of whole tables.

use std::time::Duration;

use codeanatomy_vocab::{DeltaVersionSelector, ManualClock, UnixMillis};

use super::support::Output;
use crate::maintain::{
    OptimizeSpec, VacuumSpec, cleanup_log, create_checkpoint, inspect_checkpoints, optimize,
    restore, table_files, table_history, table_info, table_protocol, vacuum,
};
use crate::{StoreOptions, codes};

async fn appended() -> Output {
    let output = Output::new();
    output.write("select 1 as a, 'x' as s").await.unwrap();
    for n in 2..5 {
        let batches = super::support::session(1)
            .sql(&format!("select {n} as a, 'y' as s"))
            .await
            .unwrap()
            .collect()
            .await
            .unwrap();
        output.library_table().await.write(batches).await.unwrap();
    }
    output
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_says_what_it_is_and_what_was_done_to_it() {
    let output = appended().await;
    let options = StoreOptions::new();
    let info = table_info(&output.location, &options).await.unwrap();
    assert_eq!((info.version, info.oldest_version, info.n_files), (3, 0, 4));
    assert_eq!((info.n_rows, info.checkpoint_version), (Some(4), None));
    assert_eq!(info.columns[1].name, "s");
    assert_eq!(info.columns[1].data_type, "Utf8");
    let protocol = table_protocol(&output.location, &options).await.unwrap();
    assert_eq!(protocol, info.protocol);
    assert!(protocol.unsupported_writer_features.is_empty());
    let history = table_history(&output.location, &options, 2).await.unwrap();
    let versions: Vec<u64> = history.iter().map(|entry| entry.version).collect();
    assert_eq!(versions, [3, 2]);
    let all = table_history(&output.location, &options, 100)
        .await
        .unwrap();
    let first = all.last().unwrap();
    assert_eq!(first.view.as_ref().unwrap(), &output.view);
    assert_eq!((first.files_added, first.files_removed), (1, 0));
    assert!(first.data_change && history[0].view.is_none());
    let selector = DeltaVersionSelector::Version(1);
    let files = table_files(&output.location, selector, &options)
        .await
        .unwrap();
    assert_eq!(files.len(), 2);
    assert_eq!(files[0].statistics.as_ref().unwrap()["numRecords"], 1);
    serde_json::to_string(&(info, all, files)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compaction_a_vacuum_and_a_restoration_do_what_they_say() {
    let output = appended().await;
    let options = StoreOptions::new();
    let before = output.rows().await;
    let report = optimize(&output.location, &options, OptimizeSpec::default())
        .await
        .unwrap();
    assert_eq!(
        (report.version, report.files_added, report.files_removed),
        (4, 1, 4)
    );
    assert_eq!(output.rows().await, before);

    let at_once = |dry_run, force| VacuumSpec {
        dry_run,
        retention: Some(Duration::ZERO),
        force,
        unknown_files: false,
    };
    let error = vacuum(&output.location, &options, at_once(true, false))
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::RETENTION_TOO_SHORT);
    assert!(error.to_string().contains("7 days"), "{error}");
    let files = output.files();
    let dry = vacuum(&output.location, &options, at_once(true, true))
        .await
        .unwrap();
    assert_eq!((dry.dry_run, dry.files.len()), (true, 4));
    let data = |files: &[String]| files.iter().filter(|f| f.ends_with(".parquet")).count();
    assert_eq!(data(&output.files()), data(&files));
    let restored = restore(&output.location, &options, DeltaVersionSelector::Version(0))
        .await
        .unwrap();
    assert_eq!((restored.files_restored, restored.files_removed), (1, 1));
    assert_eq!(output.rows().await, ["1|x"]);
    restore(&output.location, &options, DeltaVersionSelector::Version(4))
        .await
        .unwrap();
    let wet = vacuum(&output.location, &options, at_once(false, true))
        .await
        .unwrap();
    assert!(!wet.files.is_empty());
    assert_eq!(data(&output.files()), 1);
    assert_eq!(output.rows().await, before);
    let error = restore(
        &output.location,
        &options,
        DeltaVersionSelector::Version(99),
    )
    .await
    .unwrap_err();
    assert_eq!(error.code(), codes::VERSION_NOT_FOUND);
    let error = restore(&output.location, &options, DeltaVersionSelector::Version(0))
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::MAINTENANCE_FAILED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_is_torn_or_missing_is_found() {
    let output = appended().await;
    let options = StoreOptions::new();
    let none = inspect_checkpoints(&output.location, &options)
        .await
        .unwrap();
    assert!(none.checkpoints.is_empty() && none.check().is_ok());
    let made = create_checkpoint(&output.location, &options).await.unwrap();
    assert_eq!(made.version, 3);
    let whole = inspect_checkpoints(&output.location, &options)
        .await
        .unwrap();
    assert_eq!(
        (whole.last_checkpoint, whole.checkpoints.len()),
        (Some(3), 1)
    );
    whole.check().unwrap();

    let log = output.location.local_path().unwrap().join("_delta_log");
    let file = log.join(&whole.checkpoints[0].files[0]);
    let bytes = std::fs::read(&file).unwrap();
    for length in [0, 5, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&file, &bytes[..length]).unwrap();
        let torn = inspect_checkpoints(&output.location, &options)
            .await
            .unwrap();
        let error = torn.check().unwrap_err();
        assert_eq!(error.code(), codes::DAMAGED_CHECKPOINT);
        assert!(error.to_string().contains("is torn"), "{error}");
    }
    std::fs::remove_file(&file).unwrap();
    let missing = inspect_checkpoints(&output.location, &options)
        .await
        .unwrap();
    assert!(
        missing
            .check()
            .unwrap_err()
            .to_string()
            .contains("names version 3")
    );
    let part = "00000000000000000003.checkpoint.0000000001.0000000002.parquet";
    std::fs::write(log.join(part), &bytes).unwrap();
    let partial = inspect_checkpoints(&output.location, &options)
        .await
        .unwrap();
    assert!(partial.problems[0].contains("1 of 2 parts"), "{partial:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_cleaned_up_to_a_whole_checkpoint_and_no_further() {
    let output = appended().await;
    let options = StoreOptions::new();
    // Long after the files were written.
    let later = ManualClock::new(UnixMillis(4_000_000_000_000));
    let clean = |dry_run| cleanup_log(&output.location, &options, dry_run, &later);
    assert!(clean(false).await.unwrap().files.is_empty());
    create_checkpoint(&output.location, &options).await.unwrap();
    let dry = clean(true).await.unwrap();
    assert_eq!((dry.files.len(), dry.oldest_version), (3, Some(0)));
    assert!(
        output
            .open_at(DeltaVersionSelector::Version(0))
            .await
            .is_ok()
    );
    let early = ManualClock::new(UnixMillis(0));
    let nothing = cleanup_log(&output.location, &options, false, &early).await;
    assert!(nothing.unwrap().files.is_empty());
    let before = output.rows().await;
    let wet = clean(false).await.unwrap();
    assert_eq!((wet.files, wet.oldest_version), (dry.files, Some(3)));
    assert_eq!(output.rows().await, before);
    let error = output
        .open_at(DeltaVersionSelector::Version(0))
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::VERSION_NOT_FOUND);
}

//! Versions that cannot be pinned, and what is said of them.

use codeanatomy_vocab::{DeltaVersionSelector, UnixMillis};

use super::support::Output;
use crate::codes;

async fn four_versions() -> Output {
    let output = Output::new();
    for n in 0..4 {
        output.write(&format!("select {n} as a")).await.unwrap();
    }
    output
}

/// Takes the commits before a version out of the log, as a cleanup does after a checkpoint.
async fn clean_up(output: &Output, before: u64) {
    let mut table = output.library_table().await;
    table.load_version(before).await.unwrap();
    deltalake_core::protocol::checkpoints::create_checkpoint(&table, None)
        .await
        .unwrap();
    let log = output.location.local_path().unwrap().join("_delta_log");
    for version in 0..before {
        std::fs::remove_file(log.join(format!("{version:020}.json"))).unwrap();
    }
}

/// Takes away the data file that a version added.
fn vacuum(output: &Output, version: u64) {
    let folder = output.location.local_path().unwrap();
    let commit = folder.join(format!("_delta_log/{version:020}.json"));
    let text = std::fs::read_to_string(commit).unwrap();
    let add = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .find_map(|action| Some(action.get("add")?["path"].as_str().unwrap().to_owned()))
        .unwrap();
    std::fs::remove_file(folder.join(add)).unwrap();
}

async fn refusal(output: &Output, selector: DeltaVersionSelector) -> (String, String) {
    let error = output.open_at(selector).await.unwrap_err();
    assert_eq!(error.code(), codes::VERSION_NOT_FOUND, "{error:?}");
    (error.to_string(), error.help().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_not_there_yet_is_told_from_one_that_was_cleaned() {
    let output = four_versions().await;
    clean_up(&output, 2).await;
    let (message, help) = refusal(&output, DeltaVersionSelector::Version(9)).await;
    assert!(
        message.ends_with("has no version 9: its newest is 3"),
        "{message}"
    );
    assert!(help.contains("2..3"), "{help}");
    let (message, help) = refusal(&output, DeltaVersionSelector::Version(1)).await;
    assert!(message.contains("version 1 of") && message.contains("was cleaned from the log"));
    assert!(
        help.contains("the oldest version that still works is 2"),
        "{help}"
    );
    let first = UnixMillis(1_700_000_000_000);
    let (message, _) = refusal(&output, DeltaVersionSelector::Timestamp(first)).await;
    assert!(
        message.contains("any more: older versions were cleaned"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_whose_files_were_vacuumed_is_refused_with_the_oldest_that_works() {
    let output = four_versions().await;
    vacuum(&output, 1);
    assert!(
        output
            .open_at(DeltaVersionSelector::Version(0))
            .await
            .is_ok()
    );
    vacuum(&output, 0);
    for version in [0, 1] {
        let (message, help) = refusal(&output, DeltaVersionSelector::Version(version)).await;
        assert!(
            message.contains("its data files were vacuumed"),
            "{message}"
        );
        assert!(
            help.contains("the oldest version that still works is 2"),
            "{help}"
        );
    }
    // What the log could still rebuild need not work.
    vacuum(&output, 2);
    clean_up(&output, 2).await;
    let (_, help) = refusal(&output, DeltaVersionSelector::Version(0)).await;
    assert!(
        help.contains("the oldest version that still works is 3"),
        "{help}"
    );
    assert!(output.open_at(DeltaVersionSelector::Latest).await.is_ok());
    // The newest version was not vacuumed, it is damaged.
    vacuum(&output, 3);
    let error = output
        .open_at(DeltaVersionSelector::Latest)
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::DAMAGED_TABLE);
}

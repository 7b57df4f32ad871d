//! Footprints where the log says little, or lies.

use codeanatomy_vocab::DeltaVersionSelector;
use datafusion_expr::{col, lit};
use serde_json::{Value, json};

use super::support::{Output, session};
use crate::{FootprintChange, ProofKind, ScanFootprint, ScanScope};

fn scope(columns: &[&str]) -> ScanScope {
    ScanScope {
        columns: columns.iter().map(|column| (*column).to_owned()).collect(),
        filters: vec![col("n").lt(lit(10_i64))],
    }
}

async fn footprint(output: &Output) -> ScanFootprint {
    let table = output.open().await;
    table
        .scan_footprint(&session(1).state(), &[scope(&["n"])])
        .await
        .unwrap()
}

async fn change(output: &Output, since: &ScanFootprint) -> FootprintChange {
    let table = output.open().await;
    table
        .footprint_change(&session(1).state(), since, &[scope(&["n"])])
        .await
}

fn log(output: &Output) -> std::path::PathBuf {
    output.location.local_path().unwrap().join("_delta_log")
}

/// Adds a commit as it stands.
async fn commit(output: &Output, actions: &[Value]) {
    let version = output.open().await.pin().version + 1;
    let lines: Vec<String> = actions.iter().map(Value::to_string).collect();
    std::fs::write(
        log(output).join(format!("{version:020}.json")),
        lines.join("\n"),
    )
    .unwrap();
}

/// A copy of the table's first data file under another name, as actions add and remove it.
fn copied(output: &Output, name: &str, data_change: bool, n_rows: u64) -> Value {
    let folder = output.location.local_path().unwrap();
    let file = output
        .files()
        .into_iter()
        .find(|file| file.ends_with(".parquet"))
        .unwrap();
    let file = output.folder.path().join(file);
    std::fs::copy(&file, folder.join(name)).unwrap();
    json!({"add": {"path": name, "partitionValues": {}, "dataChange": data_change,
        "size": std::fs::metadata(file).unwrap().len(), "modificationTime": 0,
        "stats": json!({"numRecords": n_rows}).to_string()}})
}

fn is_changed(change: &FootprintChange, why: &str) {
    match change {
        FootprintChange::Changed { .. } => {
            assert!(change.to_string().contains(why), "{change}");
        }
        other => panic!("{other:?}"),
    }
}

fn is_unknown(change: &FootprintChange, why: &str) {
    match change {
        FootprintChange::Unknown { reason } => assert!(reason.contains(why), "{reason}"),
        other => panic!("{other:?}"),
    }
}

async fn numbers() -> Output {
    let output = Output::new();
    output
        .write("select arrow_cast(1, 'Int64') as n, 'x' as s")
        .await
        .unwrap();
    output
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_version_is_unchanged_and_a_compaction_carries_the_hash() {
    let output = numbers().await;
    let since = footprint(&output).await;
    let verdict = change(&output, &since).await;
    assert_eq!(verdict.proof().unwrap().kind, ProofKind::SameFiles);
    assert!(
        verdict.to_string().contains("still at version 0"),
        "{verdict}"
    );

    let file = output.open().await.files()[0].path.clone();
    let add = copied(&output, "compacted.parquet", false, 1);
    let remove = json!({"remove": {"path": file, "dataChange": false, "deletionTimestamp": 1}});
    commit(
        &output,
        &[
            json!({"commitInfo": {"operation": "OPTIMIZE"}}),
            remove,
            add,
        ],
    )
    .await;
    let verdict = change(&output, &since).await;
    assert_eq!(
        verdict.proof().unwrap().kind,
        ProofKind::SameRows,
        "{verdict}"
    );
    let now = footprint(&output).await;
    assert_ne!(now.hash, since.hash);
    let carried = now.carried_from(&since);
    assert_eq!((carried.hash, carried.version), (since.hash, 1));
    let text = serde_json::to_string(&carried).unwrap();
    assert_eq!(
        serde_json::from_str::<ScanFootprint>(&text).unwrap(),
        carried
    );
    let verdict = change(&output, &carried).await;
    assert_eq!(verdict.proof().unwrap().kind, ProofKind::SameFiles);
    // An older version is compared in the same way.
    let older = output
        .open_at(DeltaVersionSelector::Version(0))
        .await
        .unwrap();
    let verdict = older
        .footprint_change(&session(1).state(), &carried, &[scope(&["n"])])
        .await;
    assert_eq!(
        verdict.proof().unwrap().kind,
        ProofKind::SameRows,
        "{verdict}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_only_says_that_it_changes_nothing_is_not_believed() {
    let output = numbers().await;
    let since = footprint(&output).await;
    let add = copied(&output, "new.parquet", false, 1);
    commit(&output, &[add]).await;
    is_changed(&change(&output, &since).await, "adds 1 row");

    let output = numbers().await;
    let since = footprint(&output).await;
    let file = output.open().await.files()[0].path.clone();
    let stats = json!({"numRecords": 2}).to_string();
    commit(
        &output,
        &[
            json!({"remove": {"path": file, "dataChange": false, "stats": stats}}),
            copied(&output, "new.parquet", false, 1),
        ],
    )
    .await;
    is_changed(&change(&output, &since).await, "removes 2 rows");

    // New statistics for a file that is there already.
    let output = numbers().await;
    let since = footprint(&output).await;
    let table = output.open().await;
    let file = &table.files()[0];
    commit(
        &output,
        &[
            json!({"add": {"path": file.path, "partitionValues": {}, "dataChange": false,
            "size": file.size_bytes, "modificationTime": 5, "stats": file.stats}}),
        ],
    )
    .await;
    let verdict = change(&output, &since).await;
    assert_eq!(
        verdict.proof().unwrap().kind,
        ProofKind::SameRows,
        "{verdict}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_comes_again_and_goes_is_gone() {
    let output = numbers().await;
    let since = footprint(&output).await;
    let table = output.open().await;
    let file = &table.files()[0];
    let add = json!({"add": {"path": file.path, "partitionValues": {}, "dataChange": true,
        "size": file.size_bytes, "modificationTime": file.modified.0, "stats": file.stats}});
    let remove = json!({"remove": {"path": file.path, "dataChange": true}});
    commit(&output, std::slice::from_ref(&add)).await;
    commit(&output, &[remove]).await;
    is_changed(&change(&output, &since).await, "adds 1 row");
    commit(&output, &[add]).await;
    assert!(change(&output, &since).await.proof().is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_not_the_same_proves_nothing() {
    // A commit that is gone.
    let output = numbers().await;
    let since = footprint(&output).await;
    commit(&output, &[copied(&output, "new.parquet", true, 1)]).await;
    commit(&output, &[json!({"commitInfo": {"operation": "X"}})]).await;
    deltalake_core::protocol::checkpoints::create_checkpoint(&output.library_table().await, None)
        .await
        .unwrap();
    std::fs::remove_file(log(&output).join("00000000000000000001.json")).unwrap();
    is_unknown(&change(&output, &since).await, "the commit of version 1");
    std::fs::remove_file(log(&output).join("00000000000000000000.json")).unwrap();
    is_unknown(&change(&output, &since).await, "no longer holds its commit");

    // The same files are the same files, whatever the log holds.
    let since = footprint(&output).await;
    commit(&output, &[json!({"commitInfo": {"operation": "Y"}})]).await;
    std::fs::remove_file(log(&output).join("00000000000000000002.json")).unwrap();
    assert!(change(&output, &since).await.proof().is_some());

    // Another history with the same numbers.
    let output = numbers().await;
    let since = footprint(&output).await;
    let first = log(&output).join("00000000000000000000.json");
    let mut text = std::fs::read_to_string(&first).unwrap();
    text.push_str("\n{\"commitInfo\":{\"operation\":\"Z\"}}\n");
    std::fs::write(first, text).unwrap();
    commit(&output, &[copied(&output, "new.parquet", true, 1)]).await;
    is_unknown(&change(&output, &since).await, "another one");

    // An action of which nothing is known, in a version that the library can load.
    let output = numbers().await;
    let since = footprint(&output).await;
    commit(
        &output,
        &[
            copied(&output, "new.parquet", true, 1),
            json!({"futureAction": {"x": 1}}),
        ],
    )
    .await;
    is_unknown(&change(&output, &since).await, "futureAction");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_table_another_column_or_another_scan_is_no_proof() {
    let output = numbers().await;
    let since = footprint(&output).await;
    let table = output.open().await;
    let other = table
        .footprint_change(&session(1).state(), &since, &[scope(&["n", "s"])])
        .await;
    is_unknown(&other, "something else");

    // A column that the scan does not read may become another one.
    let schema = |n: &str, s: &str| {
        let field = |name: &str, data_type: &str| json!({"name": name, "type": data_type, "nullable": true, "metadata": {}});
        json!({"type": "struct", "fields": [field("s", s), field("n", n)]}).to_string()
    };
    let metadata = |id: &str, schema: String| {
        json!({"metaData": {"id": id, "format": {"provider": "parquet", "options": {}},
            "schemaString": schema, "partitionColumns": [], "configuration": {}}})
    };
    let id = since.table_id.clone();
    let text = std::fs::read_to_string(log(&output).join("00000000000000000000.json")).unwrap();
    let nullable = text.contains("\\\"nullable\\\":true");
    commit(&output, &[metadata(&id, schema("long", "binary"))]).await;
    let verdict = change(&output, &since).await;
    if nullable {
        assert!(verdict.proof().is_some(), "{verdict}");
    } else {
        is_changed(&verdict, "changed the definition");
    }

    let since = footprint(&output).await;
    commit(&output, &[metadata(&id, schema("integer", "string"))]).await;
    commit(&output, &[metadata(&id, schema("long", "string"))]).await;
    commit(&output, &[copied(&output, "new.parquet", true, 1)]).await;
    let verdict = change(&output, &since).await;
    is_changed(&verdict, "changed the definition of a column");
    assert!(verdict.to_string().contains("version 2"), "{verdict}");

    let since = footprint(&output).await;
    commit(&output, &[metadata("another", schema("long", "string"))]).await;
    is_changed(&change(&output, &since).await, "another table");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_commits_that_do_not_matter_are_read_through() {
    let output = numbers().await;
    let since = footprint(&output).await;
    for version in 1..=1_000 {
        let actions = match version % 3 {
            0 => vec![json!({"txn": {"appId": "a", "version": version}})],
            1 => vec![
                json!({"add": {"path": format!("{version}.parquet"), "partitionValues": {},
                "dataChange": true, "size": 1, "modificationTime": 0,
                "stats": json!({"numRecords": 1, "minValues": {"n": 10}, "maxValues": {"n": 99}})
                    .to_string()}}),
            ],
            _ => vec![
                json!({"remove": {"path": format!("{}.parquet", version - 1),
                "partitionValues": {}, "dataChange": true, "deletionTimestamp": 0}}),
            ],
        };
        let lines: Vec<String> = std::iter::once(json!({"commitInfo": {"operation": "X"}}))
            .chain(actions)
            .map(|action| action.to_string())
            .collect();
        let path = log(&output).join(format!("{version:020}.json"));
        std::fs::write(path, lines.join("\n")).unwrap();
    }
    // The last file is not there, so the version is pinned at which it is gone.
    let table = output
        .open_at(DeltaVersionSelector::Version(999))
        .await
        .unwrap();
    let verdict = table
        .footprint_change(&session(1).state(), &since, &[scope(&["n"])])
        .await;
    // The file that matters is the same one, so nothing else is looked at.
    assert_eq!(
        verdict.proof().unwrap().kind,
        ProofKind::SameFiles,
        "{verdict}"
    );
    let file = table.files()[0].path.clone();
    let last = output.location.local_path().unwrap().join("1000.parquet");
    std::fs::write(last, "x").unwrap();
    let remove = json!({"remove": {"path": file, "dataChange": false, "deletionTimestamp": 1}});
    let add = copied(&output, "compacted.parquet", false, 1);
    let lines = format!("{remove}\n{add}");
    std::fs::write(log(&output).join("00000000000000001001.json"), lines).unwrap();
    let table = output.open().await;
    let started = std::time::Instant::now();
    let verdict = table
        .footprint_change(&session(1).state(), &since, &[scope(&["n"])])
        .await;
    println!("1,001 commits in {:?}", started.elapsed());
    let proof = verdict.proof().unwrap();
    assert_eq!(
        (proof.commits, proof.rearranging, proof.elsewhere),
        (1_001, 1, 667)
    );
}

//! Tables with many files: as in the benchmarks, but small.

use codeanatomy_testkit::DeltaLog;
use codeanatomy_vocab::{DatasetName, DeltaVersionSelector};
use datafusion_expr::{col, lit};

use super::support::{location, session};
use crate::maintain::create_checkpoint;
use crate::{PinnedTable, ProofKind, ScanScope, StoreOptions, TableLocation, open};

async fn pinned(location: &TableLocation) -> PinnedTable {
    let name = DatasetName::new("t").unwrap();
    let latest = DeltaVersionSelector::Latest;
    open(&name, location, latest, &StoreOptions::new())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_files_those_of_one_partition_are_left_also_from_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let log = DeltaLog {
        n_files: 600,
        n_partitions: 20,
        files_per_commit: 250,
    };
    assert_eq!(log.write(folder.path()).unwrap(), 2);
    let location = location(folder.path());
    let session = session(2);
    for has_checkpoint in [false, true] {
        if has_checkpoint {
            create_checkpoint(&location, &StoreOptions::new())
                .await
                .unwrap();
        }
        let table = pinned(&location).await;
        assert_eq!((table.n_files(), table.n_rows()), (600, Some(600_000)));
        let in_partition = [col("day").eq(lit("d00007"))];
        let left = table.prune(&session.state(), &in_partition);
        assert_eq!(left.candidate_paths.len(), 30);
        let and_low = [col("day").eq(lit("d00007")), col("n").lt(lit(100_000_i64))];
        let left = table.prune(&session.state(), &and_low);
        assert_eq!(left.candidate_paths.len(), 5, "{:?}", left.candidate_paths);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_elsewhere_leave_a_scan_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let log = DeltaLog {
        n_files: 40,
        n_partitions: 4,
        files_per_commit: 40,
    };
    let newest = log.write(folder.path()).unwrap();
    let location = location(folder.path());
    let session = session(1);
    let scope = [ScanScope {
        columns: ["n".to_owned()].into(),
        filters: vec![col("day").eq(lit("d00001"))],
    }];
    let before = pinned(&location).await;
    let since = before
        .scan_footprint(&session.state(), &scope)
        .await
        .unwrap();
    let newest = log.append_elsewhere(folder.path(), newest, 60).unwrap();
    let after = pinned(&location).await;
    assert_eq!(after.pin().version, newest);
    let verdict = after
        .footprint_change(&session.state(), &since, &scope)
        .await;
    assert_eq!(
        verdict.proof().unwrap().kind,
        ProofKind::SameFiles,
        "{verdict}"
    );
}

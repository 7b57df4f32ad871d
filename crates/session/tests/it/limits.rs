//! Limits of memory and disk, as a session enforces them.

use std::path::Path;
use std::time::{Duration, Instant};

use codeanatomy_session::Session;

use crate::{RUN_TIME, answer, profile, session};

/// Sorts about 6 MB of rows; the answer tells whether they came out in order.
const SORT: &str = "select count(*) as n, count(*) filter (where v < previous) as wrong from (
    select v, lag(v) over (order by v) as previous from (
        select (value * 7919) % 1000003 as v, value as w from generate_series(1, 400000)))";

/// Collects about 6 MB of distinct rows in a join, which cannot spill.
const JOIN: &str = "select count(*) as n from generate_series(1, 400000) as l(v) \
    join (select value as v from generate_series(1, 400000)) as r on l.v = r.v";

/// Waits for `done`: tasks of a failed query hold on to its memory and files until they notice that
/// they are cancelled.
fn assert_soon(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !done() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn assert_left_clean(folder: &Path) {
    assert_soon("spill files are left behind", || {
        std::fs::read_dir(folder).unwrap().count() == 0
    });
}

fn assert_memory_returned(session: &Session) {
    let pool = session.runtime_env();
    assert_soon("memory is not returned", || {
        pool.memory_pool.reserved() == 0
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sort_beyond_the_memory_limit_spills_and_is_right() {
    let unlimited = answer(&session(&[]), SORT).await.unwrap();
    for (pool, partitions) in [("fair_spill", "1"), ("fair_spill", "4"), ("greedy", "1")] {
        let folder = tempfile::tempdir().unwrap();
        let spill = folder.path().join("deep/spill");
        let settings = [
            ("memory_limit", "4MiB"),
            ("memory_pool", pool),
            ("target_partitions", partitions),
            ("spill_dir", spill.to_str().unwrap()),
        ];
        let session = session(&settings);
        let limited = answer(&session, SORT).await.unwrap();
        assert_eq!(limited, unlimited, "{settings:?}");
        assert_memory_returned(&session);
        drop(session);
        assert_left_clean(&spill);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_spill_fails_and_names_its_consumers() {
    let session = session(&[("memory_limit", "2MiB"), ("target_partitions", "2")]);
    let error = answer(&session, JOIN).await.unwrap_err().to_string();
    assert!(error.contains("HashJoinInput"), "{error}");
    assert!(error.contains("top memory consumers"), "{error}");
    assert_memory_returned(&session);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spill_files_beyond_their_limit_fail_and_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let session = session(&[
        ("memory_limit", "4MiB"),
        ("target_partitions", "2"),
        ("spill_limit", "1MiB"),
        ("spill_dir", folder.path().to_str().unwrap()),
    ]);
    let error = answer(&session, SORT).await.unwrap_err().to_string();
    assert!(
        error.contains("max_temp_directory_size") || error.contains("limit"),
        "{error}"
    );
    drop(session);
    assert_left_clean(folder.path());
}

#[test]
fn a_spill_folder_that_cannot_be_made_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let in_the_way = folder.path().join("file");
    std::fs::write(&in_the_way, "x").unwrap();
    for spill_dir in [in_the_way.clone(), in_the_way.join("below")] {
        let profile = profile(&[("spill_dir", spill_dir.to_str().unwrap())]);
        let error = Session::build(&profile, RUN_TIME).unwrap_err();
        assert_eq!(error.code().id(), "CA-SESSION-0004");
        assert!(error.to_string().contains("file"), "{error}");
        assert!(error.help().unwrap().contains("spill_dir"));
    }
}

#[test]
fn a_small_memory_limit_lowers_what_sorts_keep_back() {
    let kept = |settings: &[(&str, &str)]| {
        let key = "datafusion.execution.sort_spill_reservation_bytes";
        profile(settings).setting(key).unwrap()
    };
    assert_eq!(kept(&[]).value, (10 << 20).to_string());
    let small = kept(&[("memory_limit", "32MiB"), ("target_partitions", "4")]);
    assert_eq!(small.value, (2 << 20).to_string());
    assert_eq!(
        small.source.to_string(),
        "computed from memory_limit, target_partitions"
    );
    let explicit = kept(&[
        ("memory_limit", "32MiB"),
        ("datafusion.execution.sort_spill_reservation_bytes", "12345"),
    ]);
    assert_eq!(explicit.value, "12345");
}

#[test]
fn a_small_memory_limit_lowers_the_files_that_are_merged_at_once() {
    let files = |settings: &[(&str, &str)]| {
        let key = "datafusion.runtime.max_spill_merge_fan_in";
        profile(settings).setting(key).unwrap().value
    };
    assert_eq!(files(&[]), "0");
    assert_eq!(files(&[("memory_limit", "32MiB")]), "8");
    assert_eq!(files(&[("memory_limit", "1MiB")]), "2");
    let explicit = [
        ("memory_limit", "1MiB"),
        ("datafusion.runtime.max_spill_merge_fan_in", "5"),
    ];
    assert_eq!(files(&explicit), "5");
}

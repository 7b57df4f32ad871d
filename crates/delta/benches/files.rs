//! How long a user waits before anything runs, over a table of many files: fixing its version, leaving out
//! the files that a query does not need, proving that newer commits changed nothing, planning a scan.
//!
//! The figures to hold, with 100,000 files in 1,000 partitions: pin and prune under 1 s warm and under
//! 300 MiB at the peak; a footprint over 1,000 commits that change nothing relevant under 200 ms; the cost
//! of planning for each further file constant.
//!
//! `cargo bench -p codeanatomy-delta --bench files -- --files 100000 --partitions 1000 --commits 1000`

#![expect(
    clippy::unwrap_used,
    reason = "a bench that cannot run has nothing to say"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use codeanatomy_delta::maintain::create_checkpoint;
use codeanatomy_delta::{PinnedTable, ScanScope, StoreOptions, TableLocation, open};
use codeanatomy_testkit::{DeltaLog, exponent};
use codeanatomy_vocab::{DatasetName, DeltaVersionSelector};
use datafusion::prelude::{SessionConfig, SessionContext, col, lit};

/// How often each figure is measured; the median counts.
const SAMPLES: usize = 5;

/// How many files each commit of the generated table adds.
const FILES_PER_COMMIT: usize = 10_000;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let number = |name: &str, default: usize| {
        let place = arguments.iter().position(|argument| argument == name);
        let value = place.and_then(|place| arguments.get(place + 1));
        value.map_or(default, |value| value.parse().unwrap())
    };
    let n_files = number("--files", 100_000);
    let n_partitions = number("--partitions", 1_000);
    let n_commits = number("--commits", 1_000);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let place = arguments
        .iter()
        .position(|argument| argument == "--measure");
    if let Some(folder) = place.and_then(|place| arguments.get(place + 1)) {
        runtime.block_on(measure(Path::new(folder), n_files, n_partitions));
        return;
    }
    runtime.block_on(pin_and_prune(n_files, n_partitions));
    runtime.block_on(footprint(n_partitions, n_commits));
    runtime.block_on(planning(n_files, n_partitions));
}

/// The version is fixed and the files of one partition are found, from commits alone and from a
/// checkpoint; each in a process of its own, whose memory holds nothing else.
async fn pin_and_prune(n_files: usize, n_partitions: usize) {
    let folder = tempfile::tempdir().unwrap();
    let location = table(folder.path(), n_files, n_partitions);
    for from in ["commits", "a checkpoint"] {
        if from == "a checkpoint" {
            create_checkpoint(&location, &StoreOptions::new())
                .await
                .unwrap();
        }
        println!("pin and prune {n_files} files in {n_partitions} partitions from {from}:");
        let measured = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--measure", folder.path().to_str().unwrap()])
            .args(["--files", &n_files.to_string()])
            .args(["--partitions", &n_partitions.to_string()])
            .status();
        assert!(measured.unwrap().success());
    }
}

async fn measure(folder: &Path, n_files: usize, n_partitions: usize) {
    let location = TableLocation::parse(folder.to_str().unwrap(), Path::new("/")).unwrap();
    let session = session();
    let mut times = Vec::new();
    // The first is not counted: afterwards the files of the log are in the page cache.
    for sample in 0..=SAMPLES {
        let began = Instant::now();
        let table = pin(&location).await;
        let left = table.prune(&session.state(), &[col("day").eq(lit("d00007"))]);
        if sample > 0 {
            times.push(began.elapsed());
        }
        assert_eq!(table.n_files(), n_files);
        assert_eq!(left.candidate_paths.len(), n_files.div_ceil(n_partitions));
    }
    let peak = peak_mib().map_or("unknown here".to_owned(), |peak| format!("{peak} MiB"));
    println!("  {}, peak memory {peak}", shown(median(times)));
}

/// Newer commits, all outside of the scan's filter, are proved to change nothing.
async fn footprint(n_partitions: usize, n_commits: usize) {
    let folder = tempfile::tempdir().unwrap();
    let log = DeltaLog {
        n_files: n_partitions,
        n_partitions,
        files_per_commit: FILES_PER_COMMIT,
    };
    let newest = log.write(folder.path()).unwrap();
    let location = TableLocation::parse(folder.path().to_str().unwrap(), Path::new("/")).unwrap();
    let session = session();
    let scope = [ScanScope {
        columns: ["n".to_owned()].into(),
        filters: vec![col("day").eq(lit("d00001"))],
    }];
    let before = pin(&location).await;
    let since = before
        .scan_footprint(&session.state(), &scope)
        .await
        .unwrap();
    log.append_elsewhere(folder.path(), newest, n_commits)
        .unwrap();
    let after = pin(&location).await;
    let mut times = Vec::new();
    for _ in 0..=SAMPLES {
        let began = Instant::now();
        let verdict = after
            .footprint_change(&session.state(), &since, &scope)
            .await;
        times.push(began.elapsed());
        assert!(verdict.proof().is_some(), "{verdict}");
    }
    println!(
        "footprint over {n_commits} commits that change nothing relevant: {}",
        shown(median(times))
    );
}

/// A scan of all files is planned; the cost of each further file must not grow.
async fn planning(n_files: usize, n_partitions: usize) {
    let mut points = Vec::new();
    for size in [n_files / 100, n_files / 10, n_files] {
        let folder = tempfile::tempdir().unwrap();
        let location = table(folder.path(), size, n_partitions.min(size));
        let pinned = pin(&location).await;
        let mut times = Vec::new();
        for _ in 0..SAMPLES {
            let session = session();
            let began = Instant::now();
            session
                .register_table("t", pinned.provider().unwrap())
                .unwrap();
            let frame = session
                .sql("select n, note from t where price > 1")
                .await
                .unwrap();
            frame.create_physical_plan().await.unwrap();
            times.push(began.elapsed());
        }
        let median = median(times);
        println!(
            "planning a scan of {size} files: {}, {:.1} µs a file",
            shown(median),
            median.as_secs_f64() * 1e6 / size as f64
        );
        points.push((size as f64, median.as_secs_f64()));
    }
    println!(
        "planning grows with the number of files to the power of {:.2} (1 is constant for each)",
        exponent(&points)
    );
}

fn table(folder: &Path, n_files: usize, n_partitions: usize) -> TableLocation {
    let log = DeltaLog {
        n_files,
        n_partitions,
        files_per_commit: FILES_PER_COMMIT,
    };
    log.write(folder).unwrap();
    TableLocation::parse(folder.to_str().unwrap(), Path::new("/")).unwrap()
}

async fn pin(location: &TableLocation) -> PinnedTable {
    let name = DatasetName::new("t").unwrap();
    let latest = DeltaVersionSelector::Latest;
    open(&name, location, latest, &StoreOptions::new())
        .await
        .unwrap()
}

fn session() -> SessionContext {
    SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

fn shown(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

/// The most memory that was resident so far.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024)
}

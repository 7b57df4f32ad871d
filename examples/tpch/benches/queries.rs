//! What a query costs over a Delta table, against the same query over the same Parquet files registered
//! straight with the engine: the 22 queries of TPC-H, and a chain of five inner joins with long text.
//!
//! `cargo bench -p codeanatomy-tpch --bench queries -- --scale 1 --pairs 5`. Each side runs in a process of
//! its own, under a memory pool of 4 GiB, and says its peak. The figure to hold: at most 1.03 times the
//! plain files, in time and in peak memory. With `--plain-text` the plain files are read with text as our
//! scans give it, and not as string views.

#![expect(clippy::panic, reason = "a bench that cannot run has nothing to say")]

mod plain;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use codeanatomy::delta::{StoreOptions, TableLocation, open};
use codeanatomy::session::Session;
use codeanatomy::vocab::{DatasetName, DeltaVersionSelector, UnixMillis};
use codeanatomy::{Configured, Overrides};
use codeanatomy_tpch::{Table, generate, write_project};
use datafusion::prelude::SessionContext;
use futures::StreamExt;

use self::plain::{Outcome, Text, register};

/// Joins whose build sides are large and full of text.
const CHAIN: &str = "select l.l_orderkey, l.l_comment, o.o_comment, c.c_name, c.c_comment, s.s_comment, \
    ps.ps_comment, p.p_name from lineitem l join orders o on o.o_orderkey = l.l_orderkey \
    join customer c on c.c_custkey = o.o_custkey join supplier s on s.s_suppkey = l.l_suppkey \
    join partsupp ps on ps.ps_partkey = l.l_partkey and ps.ps_suppkey = l.l_suppkey \
    join part p on p.p_partkey = l.l_partkey";

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().collect();
    // The test runner asks every bench for its tests.
    if args.iter().any(|arg| arg == "--list" || arg == "--test") {
        return Ok(());
    }
    let given = |name: &str| {
        let at = args.iter().position(|arg| arg == name);
        at.and_then(|at| args.get(at + 1))
    };
    let scale: f64 = given("--scale").map_or(Ok(0.1), |text| text.parse())?;
    let n_pairs: usize = given("--pairs").map_or(Ok(3), |text| text.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(16 << 20)
        .build()?;
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("tpch-{scale}"));
    let plain_text = args.iter().any(|arg| arg == "--plain-text");
    if let Some(side) = given("--side") {
        return runtime.block_on(run(&root, side));
    }
    let plain = if plain_text {
        "parquet-text"
    } else {
        "parquet"
    };
    write_project(&root)?;
    let summary = runtime.block_on(generate(&root.join("data"), scale, &|_| {}))?;
    println!("{summary}");
    let mut figures: BTreeMap<(String, &str), Vec<f64>> = BTreeMap::new();
    for pair in 0..n_pairs.max(1) {
        let sides = if pair % 2 == 0 {
            ["delta", plain]
        } else {
            [plain, "delta"]
        };
        for side in sides {
            for (name, figure) in child(side, scale)? {
                figures.entry((name, side)).or_default().push(figure);
            }
        }
    }
    let names: Vec<String> = figures.keys().map(|(name, _)| name.clone()).collect();
    let mut names = names;
    names.dedup();
    for name in names {
        let mut median = |side| {
            let found = figures.get_mut(&(name.clone(), side));
            let found = found.unwrap_or_else(|| panic!("{side} says nothing of {name}"));
            found.sort_by(f64::total_cmp);
            found[found.len() / 2]
        };
        let (delta, parquet) = (median("delta"), median(plain));
        println!(
            "{name}: {delta:.2}, plain files {parquet:.2}, ratio {:.3}",
            delta / parquet
        );
    }
    Ok(())
}

/// How a side of plain files reads text; none for the side of Delta tables.
fn plain_text_of(side: &str) -> Option<Text> {
    match side {
        "parquet" => Some(Text::Views),
        "parquet-text" => Some(Text::Plain),
        _ => None,
    }
}

/// Runs one side in a process of its own, and reads what it says: a name and a figure in each line.
fn child(side: &str, scale: f64) -> Outcome<Vec<(String, f64)>> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--side", side, "--scale", &scale.to_string()])
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let text = String::from_utf8(output.stdout)?;
    let lines = text.lines().filter_map(|line| line.rsplit_once(' '));
    lines
        .map(|(name, figure)| Ok((name.to_owned(), figure.parse()?)))
        .collect()
}

/// Runs all queries over one sort of tables, and says how long each took and how much memory all needed.
async fn run(root: &Path, side: &str) -> Outcome<()> {
    let overrides = Overrides {
        settings: vec![("memory_limit".to_owned(), "4GiB".to_owned())],
        ..Overrides::default()
    };
    let configured = Configured::load(root, overrides)?;
    let session = Session::build(configured.profile(), UnixMillis(1_700_000_000_000))?;
    let context = session.context();
    for table in Table::ALL {
        let folder = root.join("data").join(table.name());
        if let Some(text) = plain_text_of(side) {
            register(&context, table.name(), &folder, text).await?;
        } else {
            let location = TableLocation::parse(&folder.display().to_string(), root)?;
            let name = DatasetName::new(table.name())?;
            let latest = DeltaVersionSelector::Latest;
            let pinned = open(&name, &location, latest, &StoreOptions::new()).await?;
            context.register_table(table.name(), pinned.provider()?)?;
        }
    }
    let mut total = 0.0;
    for view in configured.graph().order() {
        let name = view.name().as_str();
        if name.starts_with('q') {
            let seconds = time(&context, view.sql()).await?;
            println!("{name} seconds {seconds}");
            total += seconds;
        }
        let frame = context.sql(view.sql()).await?;
        context.register_table(name, frame.into_view())?;
    }
    println!("tpch seconds {total}");
    println!("tpch peak MiB {}", peak_mib());
    println!("chain seconds {}", time(&context, CHAIN).await?);
    println!("chain peak MiB {}", peak_mib());
    Ok(())
}

/// Runs a query and throws its rows away.
async fn time(context: &SessionContext, sql: &str) -> Outcome<f64> {
    let began = Instant::now();
    let mut rows = context.sql(sql).await?.execute_stream().await?;
    while let Some(batch) = rows.next().await {
        batch?;
    }
    Ok(began.elapsed().as_secs_f64())
}

/// The most memory that was resident so far; 1 where the system does not say it.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kib.map_or(1, |kib| kib / 1024)
}

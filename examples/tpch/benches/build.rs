//! What building the example costs, against the same SQL run straight on the engine over the same
//! Parquet files with the same settings.
//!
//! `cargo bench -p codeanatomy-tpch --bench build -- --scale 1 --pairs 5`. Prints the median of both
//! and the median ratio of paired runs; with `--plain-text` the engine reads text as our scans give it,
//! and not as string views. Each side plans everything, runs the views of the project
//! and writes what is stored as Parquet with the same codec; ours also pins, hashes every row,
//! keeps statistics and commits to Delta.

#![expect(clippy::panic, reason = "a bench that cannot run has nothing to say")]

mod plain;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use codeanatomy::obs::NoObserver;
use codeanatomy::session::Session;
use codeanatomy::vocab::UnixMillis;
use codeanatomy::{BuildOptions, CancellationToken, Configured, Overrides};
use codeanatomy_testkit::paired;
use codeanatomy_tpch::{Table, generate, write_project};
use datafusion::common::config::TableParquetOptions;
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::prelude::ParquetReadOptions;

use self::plain::{Outcome, Text, register};

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().collect();
    // The test runner asks every bench for its tests.
    if args.iter().any(|arg| arg == "--list" || arg == "--test") {
        return Ok(());
    }
    let option = |name: &str, default: f64| -> Outcome<f64> {
        let given = args
            .iter()
            .position(|arg| arg == name)
            .and_then(|at| args.get(at + 1));
        Ok(given.map_or(Ok(default), |text| text.parse())?)
    };
    let scale = option("--scale", 0.1)?;
    let n_pairs = option("--pairs", 3.0)? as usize;
    let text = match args.iter().any(|arg| arg == "--plain-text") {
        true => Text::Plain,
        false => Text::Views,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("tpch-{scale}"));
    write_project(&root)?;
    let summary = runtime.block_on(generate(&root.join("data"), scale, &|_| {}))?;
    println!("{summary}");
    let found = paired(
        n_pairs,
        || {
            runtime
                .block_on(build(&root))
                .unwrap_or_else(|error| panic!("{error}"))
        },
        || {
            runtime
                .block_on(run_on_engine(&root, text))
                .unwrap_or_else(|error| panic!("{error}"))
        },
    );
    println!(
        "build/tpch_scale_{scale}: {:.2} s, engine alone {:.2} s, ratio {:.3}",
        found.first.as_secs_f64(),
        found.second.as_secs_f64(),
        found.ratio
    );
    Ok(())
}

/// Builds everything from nothing.
async fn build(root: &Path) -> Outcome<()> {
    remove(&root.join("out"))?;
    let observer: Arc<dyn codeanatomy::obs::Observer> = Arc::new(NoObserver);
    let pinned = Configured::load(root, Overrides::default())?
        .pin(&[], Arc::clone(&observer))
        .await?;
    let planned = pinned.plan(Arc::clone(&observer)).await?;
    let ran = planned
        .build(BuildOptions::default(), observer, CancellationToken::new())
        .await?;
    match ran.failures().first() {
        Some((view, error)) => Err(format!("{view}: {error}").into()),
        None => Ok(()),
    }
}

/// Runs the same queries in the same order on a bare session.
async fn run_on_engine(root: &Path, text: Text) -> Outcome<()> {
    let out = root.join("engine-out");
    remove(&out)?;
    let configured = Configured::load(root, Overrides::default())?;
    let session = Session::build(configured.profile(), UnixMillis(1_700_000_000_000))?;
    let context = session.context();
    for table in Table::ALL {
        register(
            &context,
            table.name(),
            &root.join("data").join(table.name()),
            text,
        )
        .await?;
    }
    let mut codec = TableParquetOptions::default();
    codec.global.compression = Some("zstd(1)".to_owned());
    for view in configured.graph().order() {
        let frame = context.sql(view.sql()).await?;
        let name = view.name().as_str();
        let stored = configured
            .definitions()
            .get(view.name())
            .and_then(|v| v.output.as_ref());
        if stored.is_none() {
            context.register_table(name, frame.into_view())?;
            continue;
        }
        let path = out.join(name).display().to_string() + "/";
        std::fs::create_dir_all(&path)?;
        frame
            .write_parquet(&path, DataFrameWriteOptions::new(), Some(codec.clone()))
            .await?;
        if configured.graph().consumers(view.name()).next().is_some() {
            context
                .register_parquet(name, &path, ParquetReadOptions::default())
                .await?;
        }
    }
    Ok(())
}

fn remove(folder: &Path) -> Outcome<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

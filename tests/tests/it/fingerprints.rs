//! The identities of all views of every example project are those of its snapshot.
//!
//! A snapshot is what planning took in, with a nominal identity for each dataset (its columns
//! instead of its files), so it is the same on every machine and for data of any size.
//! `cargo xtask fingerprints --bless` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use codeanatomy::exec::{Comparison, RunInputs, ViewFingerprints};
use codeanatomy::obs::NoObserver;
use codeanatomy::session::Machine;
use codeanatomy::vocab::UnixMillis;
use codeanatomy::{Configured, Overrides};

use crate::tpch;

const SNAPSHOT: &str = "fingerprints.json";
/// Set by `cargo xtask fingerprints --bless`.
const BLESS: &str = "CODEANATOMY_BLESS";
/// 2026-01-01T00:00:00Z.
const RUN_TIME: UnixMillis = UnixMillis(1_767_225_600_000);

#[test]
fn fingerprints_of_example_projects_are_those_of_their_snapshots() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let bless = std::env::var_os(BLESS).is_some();
    let mut differences = String::new();
    for project in projects(&examples) {
        let found = tpch::block_on(|| present(&project));
        let path = project.join(SNAPSHOT);
        let text = || {
            let mut text = serde_json::to_string_pretty(&found).unwrap();
            text.push('\n');
            text
        };
        let recorded = match fs::read(&path) {
            Ok(bytes) => RunInputs::from_json(&bytes).unwrap(),
            Err(_) if bless => {
                fs::write(&path, text()).unwrap();
                continue;
            }
            Err(error) => panic!("{}: {error}", path.display()),
        };
        let different = compare(&project, &recorded, &found);
        if bless && !different.is_empty() {
            fs::write(&path, text()).unwrap();
            eprint!("{different}");
        } else {
            differences.push_str(&different);
        }
    }
    assert!(
        differences.is_empty(),
        "\n{differences}\n\
         if this is meant, write new snapshots with `cargo xtask fingerprints --bless`\n"
    );
}

/// The folders below `examples` that hold a project.
fn projects(examples: &Path) -> Vec<PathBuf> {
    let mut projects: Vec<PathBuf> = fs::read_dir(examples)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("codeanatomy.toml").is_file())
        .collect();
    projects.sort();
    assert!(!projects.is_empty());
    projects
}

/// What planning the project takes in, with nominal identities of its data.
async fn present(project: &Path) -> RunInputs {
    let dir = tempfile::tempdir().unwrap();
    let name = project.file_name().unwrap().to_string_lossy().into_owned();
    match name.as_str() {
        "tpch" => {
            codeanatomy_tpch::write_project(dir.path()).unwrap();
            codeanatomy_tpch::generate(&dir.path().join("data"), 0.001, &|_| {})
                .await
                .unwrap();
        }
        other => panic!("nobody says how the data of the example `{other}` is made"),
    }
    let overrides = Overrides {
        machine: Machine {
            cores: 8,
            memory_bytes: 64 << 30,
        },
        as_of: Some(RUN_TIME),
        ..Overrides::default()
    };
    let configured = Configured::load(dir.path(), overrides).unwrap();
    let pinned = configured.pin(&[], Arc::new(NoObserver)).await.unwrap();
    let planned = pinned.plan(Arc::new(NoObserver)).await.unwrap();
    let mut inputs = planned.inputs();
    for dataset in inputs.datasets.values_mut() {
        let nominal = codeanatomy::schema::fingerprint(&dataset.schema);
        dataset.identity = nominal;
        dataset.footprint = nominal;
        dataset.reads.clear();
        dataset.store_policy = None;
        dataset.pin = None;
        dataset.detail = "nominal".to_owned();
    }
    let views = inputs.views.keys().cloned().collect();
    let (nominal, _) = inputs.plan(dir.path(), &views).unwrap();
    let keys: BTreeMap<_, _> = nominal
        .iter()
        .map(|view| (view.name().clone(), ViewFingerprints::of(view)))
        .collect();
    for (name, view) in &mut inputs.views {
        view.keys = keys[name];
    }
    inputs
}

/// Every view whose identity differs, with the causes.
fn compare(project: &Path, recorded: &RunInputs, found: &RunInputs) -> String {
    let comparison = Comparison::new(project, recorded, found);
    let mut text = String::new();
    for view in comparison.views() {
        let why = comparison.why(view).unwrap();
        if !why.identity_changed {
            continue;
        }
        let what = match why.changed {
            true => "another result key",
            false => "another plan fingerprint",
        };
        writeln!(text, "{}: `{view}` has {what}", project.display()).unwrap();
        for cause in &why.causes {
            writeln!(text, "  {}: {}", cause.component, cause.detail).unwrap();
        }
        if let Some(note) = &why.note {
            writeln!(text, "  note: {note}").unwrap();
        }
    }
    text
}

//! What planning a whole project costs, against the engine's own parse, plan and optimize of the
//! same queries.
//!
//! `cargo bench -p codeanatomy --bench planning`. Prints, for 100, 500 and 1,000 synthetic views in
//! ten layers: the ratio of paired runs on one thread, the speedup of two threads, and the fitted
//! exponent of the cost in the number of views.

#![expect(clippy::panic, reason = "a bench that cannot run has nothing to say")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use codeanatomy::exec::{DatasetInputs, Environment, PinnedFootprints, PlannedViews, TableInput};
use codeanatomy::session::{RuntimeProfile, Session};
use codeanatomy::vocab::DatasetName;
use codeanatomy::{Configured, Overrides};
use codeanatomy_testkit::{SyntheticProject, exponent, paired};
use datafusion::catalog::{
    CatalogProvider, MemoryCatalogProvider, MemoryCatalogProviderList, MemorySchemaProvider,
};
use datafusion::datasource::empty::EmptyTable;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::prelude::SessionContext;

const PAIRS: usize = 5;

struct Prepared {
    project: SyntheticProject,
    folder: tempfile::TempDir,
    datasets: BTreeMap<DatasetName, TableInput>,
    footprints: PinnedFootprints,
    session: Session,
    profile: RuntimeProfile,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The test runner asks every bench for its tests.
    if std::env::args().any(|arg| arg == "--list" || arg == "--test") {
        return Ok(());
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let mut points = Vec::new();
    for n_views in [100, 500, 1_000] {
        let one = prepare(&runtime, n_views, 1)?;
        let two = prepare(&runtime, n_views, 2)?;
        let against = paired(PAIRS, || plan(&one), || plan_with_engine(&runtime, &one));
        let threads = paired(PAIRS, || plan(&one), || plan(&two));
        println!(
            "planning/{n_views}_views: {:.1} ms, engine alone {:.1} ms, ratio {:.2}; \
             two threads {:.1} ms, speedup {:.2}",
            against.first.as_secs_f64() * 1e3,
            against.second.as_secs_f64() * 1e3,
            against.ratio,
            threads.second.as_secs_f64() * 1e3,
            threads.ratio,
        );
        points.push((n_views as f64, against.first.as_secs_f64()));
    }
    println!(
        "planning: cost grows with the number of views to the power {:.2}",
        exponent(&points)
    );
    Ok(())
}

fn prepare(
    runtime: &tokio::runtime::Runtime,
    n_views: usize,
    n_threads: usize,
) -> Result<Prepared, Box<dyn std::error::Error>> {
    let project = SyntheticProject::new(n_views);
    let folder = tempfile::tempdir()?;
    project.write(folder.path(), 10)?;
    let configured = configured(folder.path(), n_threads)?;
    let profile = configured.profile().clone();
    let session = Session::build(&profile, codeanatomy::vocab::UnixMillis(1_700_000_000_000))?;
    let mut datasets = BTreeMap::new();
    let mut pinned = BTreeMap::new();
    for spec in configured.datasets() {
        let dataset = runtime.block_on(spec.pin(&session))?;
        datasets.insert(spec.name.clone(), dataset.table_input());
        pinned.insert(spec.name.clone(), Arc::new(dataset));
    }
    let footprints = {
        let _in_runtime = runtime.enter();
        PinnedFootprints::new(&session, pinned, &BTreeMap::new())
    };
    Ok(Prepared {
        project,
        folder,
        datasets,
        footprints,
        session,
        profile,
    })
}

fn configured(root: &Path, n_threads: usize) -> Result<Configured, codeanatomy::vocab::Errors> {
    let setting = |key: &str| (key.to_owned(), n_threads.to_string());
    let settings = vec![setting("datafusion.execution.planning_concurrency")];
    Configured::load(
        root,
        Overrides {
            settings,
            ..Overrides::default()
        },
    )
}

/// Reads the project's files, parses and plans all views, and makes their fingerprints.
fn plan(prepared: &Prepared) -> usize {
    let configured = configured(
        prepared.folder.path(),
        prepared.profile.planning_concurrency(),
    )
    .unwrap_or_else(|errors| panic!("{errors}"));
    let planned = PlannedViews::plan(
        configured.graph(),
        configured.definitions().clone(),
        &DatasetInputs {
            tables: &prepared.datasets,
            footprints: &prepared.footprints,
        },
        &prepared.session,
        &prepared.profile,
        &Environment::of(&prepared.session),
    )
    .unwrap_or_else(|errors| panic!("{errors}"));
    planned
        .iter()
        .filter(|view| view.bundle().result_key.as_bytes()[0] < 255)
        .count()
}

/// The engine's own work for the same queries against the same schemas.
fn plan_with_engine(runtime: &tokio::runtime::Runtime, prepared: &Prepared) -> usize {
    // Sessions made from one state share their catalog; each run has one of its own.
    let state = SessionStateBuilder::new_from_existing(prepared.session.planning_state())
        .with_catalog_list(Arc::new(MemoryCatalogProviderList::new()))
        .build();
    let catalog = &state.config_options().catalog;
    let schemas = MemoryCatalogProvider::new();
    schemas
        .register_schema(
            &catalog.default_schema,
            Arc::new(MemorySchemaProvider::new()),
        )
        .unwrap_or_else(|error| panic!("{error}"));
    state
        .catalog_list()
        .register_catalog(catalog.default_catalog.clone(), Arc::new(schemas));
    let context = SessionContext::new_with_state(state);
    for (name, dataset) in &prepared.datasets {
        let table = Arc::new(EmptyTable::new(Arc::clone(&dataset.schema)));
        context
            .register_table(name.as_str(), table)
            .unwrap_or_else(|error| panic!("{error}"));
    }
    for (name, sql) in prepared.project.views() {
        let plan = runtime
            .block_on(async { context.state().create_logical_plan(sql).await })
            .and_then(|plan| context.state().optimize(&plan))
            .unwrap_or_else(|error| panic!("{error}"));
        let schema = Arc::clone(plan.schema().inner());
        let table = Arc::new(EmptyTable::new(schema));
        context
            .register_table(name.as_str(), table)
            .unwrap_or_else(|error| panic!("{error}"));
    }
    prepared.project.views().len()
}

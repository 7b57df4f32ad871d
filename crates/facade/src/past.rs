//! Past runs: compared with each other and with the present, and run again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use codeanatomy_delta::StoreOptions;
use codeanatomy_exec::{
    BuildReport, Comparison, Replay, ReplayOutcome, ReplayedView, RunInputs, Why, codes,
};
use codeanatomy_obs::RunStore;
use codeanatomy_plan::PlanBundleArtifact;
use codeanatomy_vocab::{DatasetName, Error, Location, Result, RunId, ViewName};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::Configured;

/// The artifact that holds what planning took in.
pub(crate) const INPUTS: &str = "inputs.json";
/// The Delta table of invalid ids, in the folder of a run.
pub(crate) const QUALITY: &str = "quality";
/// The artifact that holds what a build did.
pub(crate) const REPORT: &str = "build.json";

/// The name of the artifacts that hold a view's bundle, without their endings.
pub(crate) fn bundle_name(view: &ViewName) -> String {
    format!("bundles/{view}")
}

/// The records of a project's runs.
#[derive(Debug)]
pub struct PastRuns {
    root: PathBuf,
    store: RunStore,
}

/// What to replay of a run.
#[derive(Debug, Clone, Default)]
pub struct ReplayOptions {
    /// The views; empty for all that the run computed and stored.
    pub views: Vec<ViewName>,
    /// Whether to compare the rows with the recorded ones.
    pub verify: bool,
}

/// What a replay gave.
#[derive(Debug, Serialize)]
pub struct ReplayReport {
    /// The run.
    pub run_id: RunId,
    /// Whether rows were compared.
    pub verify: bool,
    /// The views, by name.
    pub views: Vec<ReplayedView>,
}

/// What differs between two runs.
#[derive(Debug, Serialize)]
pub struct RunDiff {
    /// The earlier run.
    pub before: RunId,
    /// The later run; none for the project as it is now.
    pub after: Option<RunId>,
    /// Every view of either side, by name.
    pub views: Vec<ViewDiff>,
}

/// What differs in one view.
#[derive(Debug, Serialize)]
pub struct ViewDiff {
    /// Identities and causes.
    #[serde(flatten)]
    pub why: Why,
    /// The rows that each side has, where they are known.
    pub rows: [Option<u64>; 2],
    /// The hashes of the rows, where they are known.
    pub result_hash: [Option<String>; 2],
}

impl PastRuns {
    /// The runs of the project in `root`. Nothing is read yet.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            store: RunStore::new(root),
        }
    }

    /// The id that `id` or its beginning stands for.
    ///
    /// # Errors
    ///
    /// Those of [`RunStore::load`].
    pub fn find(&self, id: &str) -> Result<RunId> {
        Ok(self.store.load(id)?.run_id)
    }

    /// What a run took in. Takes the beginning of an id too.
    ///
    /// # Errors
    ///
    /// Those of [`RunStore::folder`] and [`RunInputs::from_json`].
    pub fn inputs(&self, id: &str) -> Result<RunInputs> {
        let path = self.store.folder(id)?.join(INPUTS);
        RunInputs::from_json(&read(&path)?).map_err(|error| error.at(Location::file(&path)))
    }

    /// What a run did. Takes the beginning of an id too.
    ///
    /// # Errors
    ///
    /// Those of [`RunStore::folder`], and [`RECORD_DAMAGED`](codes::RECORD_DAMAGED).
    pub fn report(&self, id: &str) -> Result<BuildReport> {
        let path = self.store.folder(id)?.join(REPORT);
        serde_json::from_slice(&read(&path)?).map_err(|error| damaged(&path).with_source(error))
    }

    /// The newest run before `id` that planned `view`.
    ///
    /// # Errors
    ///
    /// As [`newest_with`](Self::newest_with).
    pub fn newest_before(&self, id: &str, view: &ViewName) -> Result<RunId> {
        let id = self.find(id)?;
        self.newest_where(view, |run| *run < id)
    }

    /// The newest run that planned `view`.
    ///
    /// # Errors
    ///
    /// [`NOT_IN_RUN`](codes::NOT_IN_RUN) when there is none, and those of [`RunStore::list`].
    pub fn newest_with(&self, view: &ViewName) -> Result<RunId> {
        self.newest_where(view, |_| true)
    }

    fn newest_where(&self, view: &ViewName, counts: impl Fn(&RunId) -> bool) -> Result<RunId> {
        for run in self.store.list(None)?.runs {
            if !counts(&run.run_id) {
                continue;
            }
            let inputs = self.inputs(run.run_id.as_str());
            if inputs.is_ok_and(|inputs| inputs.views.contains_key(view)) {
                return Ok(run.run_id);
            }
        }
        Err(Error::new(
            codes::NOT_IN_RUN,
            format!("no such run that is still recorded planned the view `{view}`"),
        )
        .with_help("build it once; then a later change has something to be compared with"))
    }

    /// Why the identity of a view differs between two records.
    ///
    /// # Errors
    ///
    /// Those of [`Comparison::why`].
    pub fn why(&self, view: &ViewName, before: &RunInputs, after: &RunInputs) -> Result<Why> {
        Comparison::new(&self.root, before, after).why(view)
    }

    /// As [`why`](Self::why), with what the logs of Delta tables say of the changes between the two
    /// records, as far as the tables still have the later versions. Of the project as it is now only
    /// the options of stores are taken, because records hold none.
    ///
    /// # Errors
    ///
    /// Those of [`why`](Self::why).
    pub async fn why_with_commits(
        &self,
        view: &ViewName,
        before: &RunInputs,
        after: &RunInputs,
        configured: Option<&Configured>,
    ) -> Result<Why> {
        let mut why = self.why(view, before, after)?;
        let options = stores(configured);
        let planned = after.clone().plan_since(before, view, &self.root, &options);
        // Where a side cannot be planned again, `why` has said so.
        if let Ok(planned) = planned.await {
            why.tell_changes(before, &planned);
        }
        Ok(why)
    }

    /// Compares all views of two runs.
    ///
    /// # Errors
    ///
    /// Those of reading the records of either run.
    pub fn diff(&self, before: &str, after: &str) -> Result<RunDiff> {
        let (was, is) = (self.inputs(before)?, self.inputs(after)?);
        let (report_before, report_after) = (self.report(before)?, self.report(after)?);
        let comparison = Comparison::new(&self.root, &was, &is);
        let result = |report: &BuildReport, view: &ViewName| {
            let found = report.views.iter().find(|result| result.name == *view);
            (
                found.and_then(|result| result.rows),
                found.and_then(|result| result.result_hash.clone()),
            )
        };
        let views = comparison
            .views()
            .into_iter()
            .map(|view| {
                let (rows_before, hash_before) = result(&report_before, view);
                let (rows_after, hash_after) = result(&report_after, view);
                Ok(ViewDiff {
                    why: comparison.why(view)?,
                    rows: [rows_before, rows_after],
                    result_hash: [hash_before, hash_after],
                })
            })
            .collect::<Result<_>>()?;
        Ok(RunDiff {
            before: report_before.run_id,
            after: Some(report_after.run_id),
            views,
        })
    }

    /// Runs views of a past run again at the inputs that it had. Nothing is written. Of the project
    /// as it is now only the options of stores are taken, because records hold none.
    ///
    /// # Errors
    ///
    /// Those of reading the run's records, of making a session for its settings, of names of views,
    /// and an interruption.
    pub async fn replay(
        &self,
        id: &str,
        options: &ReplayOptions,
        configured: Option<&Configured>,
        cancel: &CancellationToken,
    ) -> Result<ReplayReport> {
        let report = self.report(id)?;
        let folder = self.store.folder(id)?;
        let inputs = self.inputs(id)?;
        let replay = Replay::new(&self.root, inputs, report.views, stores(configured))?;
        let names: BTreeSet<ViewName> = match options.views.is_empty() {
            true => replay.built().cloned().collect(),
            false => options.views.iter().cloned().collect(),
        };
        let mut views = Vec::new();
        for name in &names {
            let bundle = bundle(&folder, name);
            views.push(replay.view(name, bundle, options.verify, cancel).await?);
        }
        Ok(ReplayReport {
            run_id: report.run_id,
            verify: options.verify,
            views,
        })
    }
}

impl ReplayReport {
    /// Whether any view has this outcome.
    pub fn has(&self, outcome: ReplayOutcome) -> bool {
        self.views.iter().any(|view| view.outcome == outcome)
    }
}

/// The options of the stores of all datasets.
fn stores(configured: Option<&Configured>) -> BTreeMap<DatasetName, StoreOptions> {
    configured
        .into_iter()
        .flat_map(Configured::datasets)
        .map(|spec| (spec.name.clone(), spec.options.clone()))
        .collect()
}

fn bundle(folder: &Path, view: &ViewName) -> Result<PlanBundleArtifact> {
    let path = folder.join(format!("{}.msgpack", bundle_name(view)));
    PlanBundleArtifact::from_msgpack(&read(&path)?)
        .map_err(|error| error.at(Location::file(&path)).with("view", view))
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| {
        damaged(path)
            .with_source(error)
            .with_help("the run was recorded by an earlier version, or its record was deleted")
    })
}

fn damaged(path: &Path) -> Error {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Error::new(
        codes::RECORD_DAMAGED,
        format!("the record `{name}` of the run cannot be read"),
    )
    .at(Location::file(path))
    .with_help("compare with another run, or build again")
}

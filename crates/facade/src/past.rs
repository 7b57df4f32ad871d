//! Past runs: compared with each other and with the present, and run again.

use std::path::{Path, PathBuf};

use codeanatomy_exec::{BuildReport, Comparison, RunInputs, Why, codes};
use codeanatomy_obs::RunStore;
use codeanatomy_vocab::{Error, Location, Result, RunId, ViewName};
use serde::Serialize;

/// The artifact that holds what planning took in.
pub(crate) const INPUTS: &str = "inputs.json";
/// The artifact that holds what a build did.
pub(crate) const REPORT: &str = "build.json";

/// The records of a project's runs.
#[derive(Debug)]
pub struct PastRuns {
    root: PathBuf,
    store: RunStore,
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

//! The summary of one run, as `run.json` holds it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use codeanatomy_vocab::{
    DatasetName, DeltaInputPin, DeltaVersion, Error, Fingerprint, RunId, UnixMillis, ViewName,
};
use serde::{Deserialize, Serialize};

use crate::{Outcome, RunEvent, RunStatus};

/// The version of the format of `run.json` that this crate writes.
///
/// A reader takes this and every older version; new keys alone do not raise it.
pub const RUN_FORMAT_VERSION: u32 = 1;

/// One run: when, with what, and what became of each view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunEnvelope {
    /// The version of this format; see [`RUN_FORMAT_VERSION`].
    pub format_version: u32,
    /// The run's id.
    pub run_id: RunId,
    /// The project's name.
    pub project: String,
    /// What the user calls this run.
    #[serde(default)]
    pub label: Option<String>,
    /// When the run began.
    pub started_at: UnixMillis,
    /// When it ended; null while it runs and after it was killed.
    #[serde(default)]
    pub ended_at: Option<UnixMillis>,
    /// Where the run stands.
    pub status: RunState,
    /// The version of this program that ran.
    pub product_version: String,
    /// The engine and its version, for example `datafusion 55.2.0`.
    pub engine_version: String,
    /// The views whose fate is known, sorted by name.
    #[serde(default)]
    pub views: Vec<ViewSummary>,
    /// The inputs as they were fixed for the run, sorted by name.
    #[serde(default)]
    pub pins: Vec<PinSummary>,
    /// What went wrong outside of any one view.
    #[serde(default)]
    pub errors: Vec<RecordedError>,
    /// The names of the artifacts beside this file, sorted.
    #[serde(default)]
    pub artifacts: BTreeSet<String>,
    /// Whatever else the caller wants to remember. Never a secret.
    #[serde(default)]
    pub metadata: BTreeMap<String, String>,
}

/// Where a run stands, as far as its record tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// It is at work.
    Running,
    /// It ended, and every view was built, skipped or reused.
    Ok,
    /// It ended with a failure.
    Failed,
    /// The user stopped it, and it ended in good order.
    Interrupted,
    /// Its process went away before the end. Never written, only found when a record is read.
    Killed,
}

/// What became of one view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ViewSummary {
    /// The view.
    pub view: ViewName,
    /// What became of it.
    pub outcome: Outcome,
    /// Rows of its result, where they were counted.
    #[serde(default)]
    pub rows: Option<u64>,
    /// The version of its output table that holds the result.
    #[serde(default)]
    pub delta_version: Option<DeltaVersion>,
    /// How long it took.
    pub elapsed_ms: u64,
    /// Why, in one line for people.
    #[serde(default)]
    pub detail: Option<String>,
    /// The error that stopped it.
    #[serde(default)]
    pub error: Option<RecordedError>,
}

/// One input of a run as it was fixed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PinSummary {
    /// The dataset's name in the project.
    pub dataset: DatasetName,
    /// `delta`, `parquet`, `csv` or `json`.
    pub format: String,
    /// The version, for a Delta table.
    #[serde(default)]
    pub version: Option<DeltaVersion>,
    /// The table's id, for a Delta table.
    #[serde(default)]
    pub table_id: Option<String>,
    /// What identifies the content where there is no version: a fingerprint of the file list.
    #[serde(default)]
    pub content: Option<Fingerprint>,
    /// The protocol of a Delta table, for people: `reader 3 [deletionVectors], writer 7 []`.
    #[serde(default)]
    pub protocol: Option<String>,
    /// A hash of how its store is reached, which holds no secret.
    #[serde(default)]
    pub storage_options_hash: Option<Fingerprint>,
}

/// An error as a record keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedError {
    /// The stable code.
    pub code: String,
    /// The message.
    pub message: String,
    /// `file`, or `file:line:column`.
    #[serde(default)]
    pub place: Option<String>,
}

impl RunEnvelope {
    /// How long the run took, where it ended; never negative.
    pub fn elapsed_ms(&self) -> Option<u64> {
        let ended_at = self.ended_at?;
        Some(u64::try_from(ended_at.0.saturating_sub(self.started_at.0)).unwrap_or(0))
    }

    /// How many views had `outcome`.
    pub fn count(&self, outcome: Outcome) -> usize {
        let same = |view: &&ViewSummary| view.outcome == outcome;
        self.views.iter().filter(same).count()
    }
}

impl ViewSummary {
    /// The summary of a view whose fate `event` tells; none for other events.
    pub(crate) fn of(event: &RunEvent) -> Option<Self> {
        match event {
            RunEvent::ViewFinished {
                view,
                outcome,
                rows,
                delta_version,
                elapsed_ms,
                detail,
            } => Some(Self {
                view: view.clone(),
                outcome: *outcome,
                rows: *rows,
                delta_version: *delta_version,
                elapsed_ms: *elapsed_ms,
                detail: detail.clone(),
                error: None,
            }),
            _ => None,
        }
    }
}

impl RunState {
    /// The name as JSON has it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Killed => "killed",
        }
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<RunStatus> for RunState {
    fn from(status: RunStatus) -> Self {
        match status {
            RunStatus::Ok => Self::Ok,
            RunStatus::Failed => Self::Failed,
            RunStatus::Interrupted => Self::Interrupted,
        }
    }
}

impl From<&DeltaInputPin> for PinSummary {
    fn from(pin: &DeltaInputPin) -> Self {
        Self {
            dataset: pin.dataset_name.clone(),
            format: "delta".to_owned(),
            version: Some(pin.version),
            table_id: Some(pin.table_id.clone()),
            content: None,
            protocol: Some(format!(
                "reader {} [{}], writer {} [{}]",
                pin.min_reader_version,
                pin.reader_features.join(", "),
                pin.min_writer_version,
                pin.writer_features.join(", ")
            )),
            storage_options_hash: Some(pin.storage_options_hash),
        }
    }
}

impl From<&Error> for RecordedError {
    fn from(error: &Error) -> Self {
        Self {
            code: error.code().id().to_owned(),
            message: error.to_string(),
            place: error.location().map(ToString::to_string),
        }
    }
}

//! Events of a run.

use std::fmt;

use codeanatomy_vocab::{RunId, UnixMillis, ViewName};
use serde::{Deserialize, Serialize};

/// One thing that happened in a run.
///
/// In JSON the key `event` holds the kind in snake case, for example
/// `{"event":"view_started","view":"by_region"}`. Times are milliseconds. Of one view the order is
/// started, progress, finished; views that are skipped or blocked are finished without having
/// started. Events of different views interleave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum RunEvent {
    /// A run began.
    RunStarted {
        /// Its id.
        run_id: RunId,
        /// When it began.
        at: UnixMillis,
        /// How many views it will decide on.
        n_views: usize,
    },
    /// A phase began. Phases follow each other and do not nest.
    PhaseStarted {
        /// The phase.
        phase: Phase,
    },
    /// A phase ended, well or not.
    PhaseEnded {
        /// The phase.
        phase: Phase,
        /// How long it took.
        elapsed_ms: u64,
    },
    /// A view began to execute.
    ViewStarted {
        /// The view.
        view: ViewName,
    },
    /// A view is at work. Sent now and then, not for every batch.
    ViewProgress {
        /// The view.
        view: ViewName,
        /// Rows so far.
        rows: u64,
        /// Bytes of these rows in memory, as Arrow counts them.
        bytes: u64,
        /// Time since the view began.
        elapsed_ms: u64,
    },
    /// The fate of a view is known. Sent once for each view of the run.
    ViewFinished {
        /// The view.
        view: ViewName,
        /// What became of it.
        outcome: Outcome,
        /// Rows of its result, where they were counted.
        rows: Option<u64>,
        /// The version of its output table that holds the result, where it has one.
        delta_version: Option<u64>,
        /// Time since the view began; 0 for a view that did not execute.
        elapsed_ms: u64,
        /// Why, in one line for people: the reason to skip, the message of the error.
        detail: Option<String>,
    },
    /// A view has made no progress for a while.
    Stalled {
        /// The view.
        view: ViewName,
        /// What it waits for, in words.
        waits_for: String,
        /// For how long it has waited.
        for_ms: u64,
    },
    /// A run ended. Nothing follows.
    RunFinished {
        /// Its id.
        run_id: RunId,
        /// How it ended.
        status: RunStatus,
        /// Time since the run began.
        elapsed_ms: u64,
    },
}

/// A part of a run. Its order is the order of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Reading the project folder.
    Load,
    /// Fixing the version of every input.
    Pin,
    /// Planning the views and finding the graph.
    Plan,
    /// Deciding what to build.
    Decide,
    /// Executing and committing.
    Execute,
}

/// What became of a view in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Its query ran and its result was committed.
    Built,
    /// Its output already holds the result.
    Skipped,
    /// A result from elsewhere was taken over.
    Reused,
    /// Its query, its contract or its commit failed.
    Failed,
    /// It did not run, because a view that it reads failed or the run was stopped.
    Blocked,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Every view was built, skipped or reused.
    Ok,
    /// A view failed, or the run did before any view began.
    Failed,
    /// The user asked to stop.
    Interrupted,
}

impl Phase {
    /// The name as JSON has it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Pin => "pin",
            Self::Plan => "plan",
            Self::Decide => "decide",
            Self::Execute => "execute",
        }
    }
}

impl Outcome {
    /// The name as JSON has it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Built => "built",
            Self::Skipped => "skipped",
            Self::Reused => "reused",
            Self::Failed => "failed",
            Self::Blocked => "blocked",
        }
    }
}

impl RunStatus {
    /// The name as JSON has it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for RunStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_flat_json_object_and_reads_back() {
        let event = RunEvent::ViewFinished {
            view: "by_region".parse().unwrap(),
            outcome: Outcome::Skipped,
            rows: None,
            delta_version: Some(3),
            elapsed_ms: 0,
            detail: Some("nothing changed".into()),
        };
        let json = serde_json::to_string(&event).unwrap();
        assert_eq!(
            json,
            r#"{"event":"view_finished","view":"by_region","outcome":"skipped","rows":null,"delta_version":3,"elapsed_ms":0,"detail":"nothing changed"}"#
        );
        assert_eq!(serde_json::from_str::<RunEvent>(&json).unwrap(), event);
    }

    #[test]
    fn names_for_people_and_names_in_json_are_the_same() {
        for phase in [
            Phase::Load,
            Phase::Pin,
            Phase::Plan,
            Phase::Decide,
            Phase::Execute,
        ] {
            assert_eq!(serde_json::to_value(phase).unwrap(), phase.as_str());
        }
        for outcome in [
            Outcome::Built,
            Outcome::Skipped,
            Outcome::Reused,
            Outcome::Failed,
            Outcome::Blocked,
        ] {
            assert_eq!(serde_json::to_value(outcome).unwrap(), outcome.as_str());
        }
        for status in [RunStatus::Ok, RunStatus::Failed, RunStatus::Interrupted] {
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
    }
}

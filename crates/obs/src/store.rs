//! Reading the records of past runs.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use codeanatomy_vocab::{Error, Location, Result, RunId, UnixMillis};
use serde::{Deserialize, Serialize};

use crate::files::{self, ENVELOPE, EVENTS, LOCK};
use crate::{RUN_FORMAT_VERSION, RunEnvelope, RunEvent, RunState, ViewSummary, codes};

/// The runs of one project.
#[derive(Debug, Clone)]
pub struct RunStore {
    folder: PathBuf,
}

/// The runs that were found.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct RunList {
    /// The runs, newest first.
    pub runs: Vec<RunEnvelope>,
    /// Folders with the name of a run whose record cannot be understood, newest first.
    pub damaged: Vec<DamagedRun>,
}

/// A run whose record cannot be understood.
#[derive(Debug)]
#[non_exhaustive]
pub struct DamagedRun {
    /// The run's id.
    pub run_id: RunId,
    /// What is wrong with the record.
    pub error: Error,
}

/// One line of `events.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedEvent {
    /// When the event was written.
    pub recorded_at: UnixMillis,
    /// The event.
    #[serde(flatten)]
    pub event: RunEvent,
}

impl RunStore {
    /// The runs of the project in `project_dir`. Nothing is read yet; there may be none.
    pub fn new(project_dir: &Path) -> Self {
        Self {
            folder: files::runs_folder(project_dir),
        }
    }

    /// The newest runs, at most `limit` of them; all of them without a limit.
    ///
    /// A run that says `running` and whose process is gone is listed as
    /// [`Killed`](RunState::Killed), with the views that it had finished. A project without runs
    /// gives an empty list.
    ///
    /// # Errors
    ///
    /// [`CA-OBS-0002`](codes::RUNS_NOT_READABLE) when the folder of the runs cannot be listed.
    pub fn list(&self, limit: Option<usize>) -> Result<RunList> {
        let mut list = RunList::default();
        let ids = self.ids()?;
        for run_id in ids.into_iter().rev().take(limit.unwrap_or(usize::MAX)) {
            match self.read(&run_id) {
                Ok(run) => list.runs.push(run),
                Err(error) => list.damaged.push(DamagedRun { run_id, error }),
            }
        }
        Ok(list)
    }

    /// The run whose id is `id` or, alone among all, begins with it.
    ///
    /// # Errors
    ///
    /// [`CA-OBS-0003`](codes::UNKNOWN_RUN) for no such run, [`CA-OBS-0004`](codes::AMBIGUOUS_RUN)
    /// for several, [`CA-OBS-0005`](codes::DAMAGED_RUN) or
    /// [`CA-OBS-0006`](codes::NEWER_RUN_FORMAT) for a record that cannot be understood, and
    /// [`CA-OBS-0002`](codes::RUNS_NOT_READABLE) when the folder cannot be listed.
    pub fn load(&self, id: &str) -> Result<RunEnvelope> {
        self.read(&self.find(id)?)
    }

    /// The events of a run, in the order in which they were written. Takes ids like
    /// [`load`](Self::load). A line that cannot be understood is left out: the last one of a
    /// killed run, or an event of a newer version.
    ///
    /// # Errors
    ///
    /// Those of [`load`](Self::load) but for the record itself, and
    /// [`CA-OBS-0005`](codes::DAMAGED_RUN) when the list of events cannot be read.
    pub fn events(&self, id: &str) -> Result<Vec<RecordedEvent>> {
        self.read_events(&self.find(id)?)
    }

    /// The folder of a run. Takes ids like [`load`](Self::load).
    ///
    /// # Errors
    ///
    /// Those of [`load`](Self::load) but for the record itself.
    pub fn folder(&self, id: &str) -> Result<PathBuf> {
        Ok(self.folder.join(self.find(id)?.as_str()))
    }

    /// All run ids, oldest first.
    fn ids(&self) -> Result<Vec<RunId>> {
        let not_readable = |error: io::Error| {
            Error::new(
                codes::RUNS_NOT_READABLE,
                format!("the runs of this project cannot be listed: {error}"),
            )
            .at(Location::file(&self.folder))
            .with_source(error)
            .with_help("make the folder readable, or delete it: results do not depend on it")
        };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(not_readable(error)),
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.map_err(not_readable)?.file_name();
            // Other names are none of ours.
            ids.extend(name.to_str().and_then(|name| name.parse::<RunId>().ok()));
        }
        ids.sort();
        Ok(ids)
    }

    fn find(&self, id: &str) -> Result<RunId> {
        let wanted = id.to_ascii_lowercase();
        let mut ids = self.ids()?;
        ids.retain(|run_id| !wanted.is_empty() && run_id.as_str().starts_with(&wanted));
        match ids.len() {
            1 => Ok(ids.remove(0)),
            0 => Err(
                Error::new(codes::UNKNOWN_RUN, format!("there is no run `{id}`"))
                    .with_help("`codeanatomy runs list` shows the ids"),
            ),
            several => Err(Error::new(
                codes::AMBIGUOUS_RUN,
                format!("{several} runs begin with `{id}`"),
            )
            .with_help("give more of the id; `codeanatomy runs list` shows them in full")),
        }
    }

    fn read(&self, run_id: &RunId) -> Result<RunEnvelope> {
        let folder = self.folder.join(run_id.as_str());
        let path = folder.join(ENVELOPE);
        let damaged = |message: String| {
            Error::new(codes::DAMAGED_RUN, message)
                .at(Location::file(&path))
                .with("run", run_id)
                .with_help("delete the folder of this run; results do not depend on it")
        };
        let text = fs::read(&path).map_err(|error| {
            damaged(format!("the record of the run cannot be read: {error}")).with_source(error)
        })?;

        #[derive(Deserialize)]
        struct Version {
            format_version: u32,
        }
        if let Ok(Version { format_version }) = serde_json::from_slice(&text)
            && format_version > RUN_FORMAT_VERSION
        {
            return Err(Error::new(
                codes::NEWER_RUN_FORMAT,
                format!("the record of the run has format {format_version}; this program reads up to {RUN_FORMAT_VERSION}"),
            )
            .at(Location::file(&path))
            .with("run", run_id)
            .with_help("use the program that wrote it, or a newer one"));
        }
        let mut run: RunEnvelope = serde_json::from_slice(&text).map_err(|error| {
            damaged(format!(
                "the record of the run cannot be understood: {error}"
            ))
            .with_source(error)
        })?;
        if run.run_id != *run_id {
            return Err(damaged(format!(
                "the record is of another run, `{}`",
                run.run_id
            )));
        }
        if run.status == RunState::Running {
            if !is_at_work(&folder) {
                run.status = RunState::Killed;
            }
            // Until a run ends, only its events know the fate of its views.
            let events = self.read_events(run_id).unwrap_or_default();
            let views: BTreeMap<_, _> = events
                .iter()
                .filter_map(|recorded| ViewSummary::of(&recorded.event))
                .map(|view| (view.view.clone(), view))
                .collect();
            run.views = views.into_values().collect();
        }
        Ok(run)
    }

    fn read_events(&self, run_id: &RunId) -> Result<Vec<RecordedEvent>> {
        let path = self.folder.join(run_id.as_str()).join(EVENTS);
        let text = fs::read(&path).map_err(|error| {
            Error::new(
                codes::DAMAGED_RUN,
                format!("the events of the run cannot be read: {error}"),
            )
            .at(Location::file(&path))
            .with("run", run_id)
            .with_source(error)
            .with_help("nothing can bring them back; `codeanatomy runs show` shows the rest")
        })?;
        Ok(text
            .split(|byte| *byte == b'\n')
            .filter_map(|line| serde_json::from_slice(line).ok())
            .collect())
    }
}

/// Whether the process that runs still holds its lock; also true where that cannot be known.
fn is_at_work(folder: &Path) -> bool {
    match File::open(folder.join(LOCK)) {
        Ok(lock) => !matches!(lock.try_lock_shared(), Ok(())),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests;

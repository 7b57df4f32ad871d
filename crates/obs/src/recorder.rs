//! Writing the record of a run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use codeanatomy_vocab::{Clock, Error, Location, RunId, ViewName};
use serde::Serialize;

use crate::files::{self, ENVELOPE, EVENTS, LOCK};
use crate::store::RecordedEvent;
use crate::{
    Observer, PinSummary, RUN_FORMAT_VERSION, RecordedError, RunEnvelope, RunEvent, RunState,
    RunStatus, ViewSummary, codes,
};

/// What is known of a run before it begins.
#[derive(Debug, Clone)]
pub struct RunStart {
    /// The run's id.
    pub run_id: RunId,
    /// The project's name.
    pub project: String,
    /// What the user calls this run.
    pub label: Option<String>,
    /// The version of this program.
    pub product_version: String,
    /// The engine and its version.
    pub engine_version: String,
    /// Whatever else to remember. Never a secret.
    pub metadata: BTreeMap<String, String>,
}

/// Writes the record of one run under `<project>/.codeanatomy/runs/<run_id>/`.
///
/// The folder and a `run.json` with status `running` come first, so a run that is killed leaves a
/// trace. As an [`Observer`] it appends every event to `events.jsonl` and gathers the fate of each
/// view. A recorder whose folder cannot be written stays usable and keeps a warning instead.
///
/// # Example: how is a run recorded?
///
/// ```
/// use std::sync::Arc;
///
/// use codeanatomy_obs::{RunRecorder, RunStart, RunStatus, RunStore};
/// use codeanatomy_vocab::{RunId, SystemClock, UnixMillis};
///
/// let project = tempfile::tempdir()?;
/// let start = RunStart {
///     run_id: RunId::generate(UnixMillis(1_700_000_000_000)),
///     project: "shop".into(),
///     label: None,
///     product_version: "0.1.0".into(),
///     engine_version: "datafusion 55.2.0".into(),
///     metadata: Default::default(),
/// };
/// let recorder = RunRecorder::start(project.path(), start, Arc::new(SystemClock));
/// recorder.artifact("plan/by_region.json", &serde_json::json!({ "rows": 5 }));
/// let finished = recorder.finish(RunStatus::Ok);
/// assert!(finished.warnings.is_empty());
/// assert_eq!(RunStore::new(project.path()).list(None)?.runs, [finished.envelope]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct RunRecorder {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

/// A run whose record is closed.
#[derive(Debug)]
#[non_exhaustive]
pub struct FinishedRun {
    /// The summary, also where it could not be written.
    pub envelope: RunEnvelope,
    /// The run's folder.
    pub folder: PathBuf,
    /// What could not be recorded; empty when all went well.
    pub warnings: Vec<Error>,
}

#[derive(Debug)]
struct State {
    envelope: RunEnvelope,
    views: BTreeMap<ViewName, ViewSummary>,
    errors: BTreeMap<ViewName, RecordedError>,
    events: Option<File>,
    /// Locked while the run is at work; the system unlocks it when the process goes away.
    lock: Option<File>,
    /// False after the first failure to write, so that a full disk gives one warning.
    writable: bool,
    warnings: Vec<Error>,
}

impl RunRecorder {
    /// Makes the folder and writes the first `run.json`. The clock gives the start time.
    ///
    /// When that fails, the recorder has a warning ([`CA-OBS-0001`](codes::RUN_NOT_WRITABLE)) and
    /// writes nothing.
    pub fn start(project_dir: &Path, start: RunStart, clock: Arc<dyn Clock>) -> Self {
        let folder = files::runs_folder(project_dir).join(start.run_id.as_str());
        let envelope = RunEnvelope {
            format_version: RUN_FORMAT_VERSION,
            run_id: start.run_id,
            project: start.project,
            label: start.label,
            started_at: clock.now(),
            ended_at: None,
            status: RunState::Running,
            product_version: start.product_version,
            engine_version: start.engine_version,
            views: Vec::new(),
            pins: Vec::new(),
            errors: Vec::new(),
            artifacts: BTreeSet::new(),
            metadata: start.metadata,
        };
        let mut state = State {
            envelope,
            views: BTreeMap::new(),
            errors: BTreeMap::new(),
            events: None,
            lock: None,
            writable: true,
            warnings: Vec::new(),
        };
        match open_folder(project_dir, &folder) {
            Ok((lock, events)) => {
                state.lock = Some(lock);
                state.events = Some(events);
                state.write_envelope(&folder);
            }
            Err((path, error)) => state.give_up(&path, error),
        }
        Self {
            folder,
            clock,
            state: Mutex::new(state),
        }
    }

    /// The run's folder, whether or not it could be written.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Records how the inputs were fixed. Sorted by name; a second call replaces the first.
    pub fn pins(&self, mut pins: Vec<PinSummary>) {
        pins.sort();
        let mut state = self.state();
        state.envelope.pins = pins;
        state.write_envelope(&self.folder);
    }

    /// Records an error: of `view`, or of the run as a whole.
    pub fn error(&self, view: Option<&ViewName>, error: &Error) {
        let mut state = self.state();
        match view {
            Some(view) => {
                state.errors.insert(view.clone(), error.into());
            }
            None => state.envelope.errors.push(error.into()),
        }
    }

    /// Writes a value as JSON beside `run.json`, for example `plan/by_region.json`.
    ///
    /// A second artifact of one name replaces the first. A name that is not a relative path of
    /// ASCII letters, digits, `_`, `-` and `.` gives a warning
    /// ([`CA-OBS-0007`](codes::INVALID_ARTIFACT)), and so does a value without a JSON form.
    pub fn artifact(&self, name: &str, value: &impl Serialize) {
        match serde_json::to_vec_pretty(value) {
            Ok(mut content) => {
                content.push(b'\n');
                self.artifact_bytes(name, &content);
            }
            Err(error) => self.state().warnings.push(
                Error::new(
                    codes::INVALID_ARTIFACT,
                    format!("the artifact `{name}` has no JSON form: {error}"),
                )
                .with_source(error),
            ),
        }
    }

    /// Writes bytes beside `run.json`; otherwise like [`artifact`](Self::artifact).
    pub fn artifact_bytes(&self, name: &str, content: &[u8]) {
        let mut state = self.state();
        if !files::is_artifact_name(name) {
            state.warnings.push(
                Error::new(
                    codes::INVALID_ARTIFACT,
                    format!("{name:?} is not a name for an artifact"),
                )
                .with_help("use a relative path of ASCII letters, digits, `_`, `-` and `.`"),
            );
            return;
        }
        if !state.writable {
            return;
        }
        let path = self.folder.join(name);
        let parent = path.parent().unwrap_or(&self.folder);
        let written =
            fs::create_dir_all(parent).and_then(|()| files::write_atomically(&path, content));
        match written {
            Ok(()) => {
                state.envelope.artifacts.insert(name.to_owned());
            }
            Err(error) => state.give_up(&path, error),
        }
    }

    /// Closes the record: the clock gives the end time, and `run.json` its last form.
    ///
    /// Views that were not finished are not in it. Takes `&self`, because the run shares the
    /// recorder as an observer; what is told afterwards is not recorded, and a second call only
    /// repeats the summary.
    pub fn finish(&self, status: RunStatus) -> FinishedRun {
        let ended_at = self.clock.now();
        let mut state = self.state();
        if state.envelope.ended_at.is_none() {
            state.envelope.status = status.into();
            state.envelope.ended_at = Some(ended_at);
            state.gather_views();
            // Tried even after an earlier failure: a run that ended must not look like one at work.
            if state.lock.is_some() {
                state.writable = true;
                state.write_envelope(&self.folder);
            }
            state.writable = false;
            state.events = None;
            state.lock = None;
        }
        FinishedRun {
            envelope: state.envelope.clone(),
            folder: self.folder.clone(),
            warnings: std::mem::take(&mut state.warnings),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for RunRecorder {
    fn observe(&self, event: &RunEvent) {
        let at = self.clock.now();
        let mut state = self.state();
        if let Some(summary) = ViewSummary::of(event) {
            state.views.insert(summary.view.clone(), summary);
        }
        if let Some(file) = state.events.as_mut()
            && let Err(error) = append(file, at, event)
        {
            state.give_up(&self.folder.join(EVENTS), error);
        }
    }
}

impl State {
    fn write_envelope(&mut self, folder: &Path) {
        if !self.writable {
            return;
        }
        let path = folder.join(ENVELOPE);
        let written = serde_json::to_vec_pretty(&self.envelope)
            .map_err(io::Error::other)
            .and_then(|mut content| {
                content.push(b'\n');
                files::write_atomically(&path, &content)
            });
        if let Err(error) = written {
            self.give_up(&path, error);
        }
    }

    fn gather_views(&mut self) {
        let mut errors = std::mem::take(&mut self.errors);
        let views = std::mem::take(&mut self.views).into_values();
        self.envelope.views = views
            .map(|view| ViewSummary {
                error: errors.remove(&view.view),
                ..view
            })
            .collect();
        // The error of a view that was never finished is not lost.
        self.envelope.errors.extend(errors.into_values());
    }

    fn give_up(&mut self, path: &Path, error: io::Error) {
        self.writable = false;
        self.events = None;
        if self
            .warnings
            .iter()
            .any(|warning| warning.code() == codes::RUN_NOT_WRITABLE)
        {
            return;
        }
        self.warnings.push(
            Error::new(
                codes::RUN_NOT_WRITABLE,
                format!("the record of this run cannot be written: {error}"),
            )
            .at(Location::file(path))
            .with_source(error)
            .with_help("make the folder `.codeanatomy` writable; results do not depend on it"),
        );
    }
}

/// Makes the folder, takes the lock and opens the list of events; on failure names the path.
fn open_folder(project_dir: &Path, folder: &Path) -> Result<(File, File), (PathBuf, io::Error)> {
    let cache = files::cache_folder(project_dir);
    fs::create_dir_all(folder).map_err(|error| (folder.to_owned(), error))?;
    let ignore = cache.join(".gitignore");
    if !ignore.exists() {
        files::write_atomically(&ignore, b"*\n").map_err(|error| (ignore, error))?;
    }
    let lock_path = folder.join(LOCK);
    let lock = File::create(&lock_path).map_err(|error| (lock_path.clone(), error))?;
    match lock.lock() {
        Ok(()) => {}
        // A file system without locks: a killed run will look like one at work.
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
        Err(error) => return Err((lock_path, error)),
    }
    let events_path = folder.join(EVENTS);
    let events = File::create(&events_path).map_err(|error| (events_path, error))?;
    Ok((lock, events))
}

fn append(file: &mut File, at: codeanatomy_vocab::UnixMillis, event: &RunEvent) -> io::Result<()> {
    let recorded = RecordedEvent {
        recorded_at: at,
        event: event.clone(),
    };
    let mut line = serde_json::to_vec(&recorded)?;
    line.push(b'\n');
    // One write for each line, so that a reader and a crash find whole lines.
    file.write_all(&line)
}

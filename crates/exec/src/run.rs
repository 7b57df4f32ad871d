//! Building what must be built.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use codeanatomy_delta::{
    Committed, OutputState, OverwriteSpec, Provenance, RowHook, UpstreamStamp,
};
use codeanatomy_obs::{Observer, Outcome, RunEvent, RunStatus};
use codeanatomy_vocab::{Clock, Error, ErrorKind, Location, Result, RunId, ViewName};
use datafusion::arrow::array::RecordBatch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::decide::{ephemeral_keys, semantic_components, stored_upstream, upstream_stamp};
use crate::result_hash::ResultHash;
use crate::scan_unit::ScanUnit;
use crate::schedule::Schedule;
use crate::validate::{Guard, Outcomes, WatchedPlan};
use crate::{
    BoundViews, BundleSink, Decisions, ExecutedPlan, PinnedDataset, PlannedView, ScanResult,
    ViewResult, bundle, codes,
};

/// Progress of a view is told at most this often.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// A view without progress for this long is announced, and again after each such time.
const STALL_AFTER: Duration = Duration::from_secs(30);

/// How a run behaves.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// The id, which every commit of the run carries.
    pub run_id: RunId,
    /// How many views may execute at once; at least one.
    pub concurrency: usize,
    /// Whether the first failure stops the rest.
    pub fail_fast: bool,
    /// Tells when commits are made.
    pub clock: Arc<dyn Clock>,
    /// Keeps the bundles of the views that are built, for replays.
    pub bundles: Option<Arc<dyn BundleSink>>,
}

/// A run of planned views.
#[derive(Debug)]
pub struct Run {
    bound: Arc<BoundViews>,
    decisions: Decisions,
    states: BTreeMap<ViewName, OutputState>,
    options: RunOptions,
}

/// What a run did.
#[derive(Debug)]
pub struct RunResult {
    /// How it ended.
    pub status: RunStatus,
    /// Each view, upstream before downstream.
    pub views: Vec<ViewResult>,
    /// The error of each view that failed itself; blocked views have none of their own.
    pub failures: Vec<(ViewName, Error)>,
}

impl Run {
    /// A run that carries out `decisions`, which were made from `states`.
    pub fn new(
        bound: Arc<BoundViews>,
        decisions: Decisions,
        states: BTreeMap<ViewName, OutputState>,
        options: RunOptions,
    ) -> Self {
        Self {
            bound,
            decisions,
            states,
            options,
        }
    }

    /// Builds every stored view that is to be built, each as soon as what it reads is done, and
    /// each output in one commit of its own.
    ///
    /// A failure blocks the views that read the failed one; the rest goes on, unless the run fails
    /// fast. When `cancel` is cancelled, nothing more starts, running queries stop, and no output
    /// is left half written.
    pub async fn execute(
        self,
        observer: Arc<dyn Observer>,
        cancel: CancellationToken,
    ) -> RunResult {
        let planned = self.bound.planned();
        let mut results: BTreeMap<ViewName, ViewResult> = BTreeMap::new();
        let mut failures = Vec::new();
        for view in planned
            .iter()
            .filter(|view| !self.decisions.builds(view.name()))
        {
            let result = self.skipped(view);
            self.tell(&observer, &result, self.first_reason(view.name()));
            results.insert(view.name().clone(), result);
        }
        let mut schedule = Schedule::new(self.tasks());
        let mut running: JoinSet<(ViewName, Duration, Outcomes)> = JoinSet::new();
        // Ids of tasks, to know the view of one that panicked.
        let mut names = BTreeMap::new();
        let stop = cancel.child_token();
        let clocks: ProgressClocks = Arc::default();
        let mut ticker = tokio::time::interval(STALL_AFTER / 10);
        loop {
            while running.len() < self.options.concurrency.max(1) && !stop.is_cancelled() {
                let Some(name) = schedule.start_next() else {
                    break;
                };
                observer.observe(&RunEvent::ViewStarted { view: name.clone() });
                let task = self.task(
                    &name,
                    &observer,
                    stop.clone(),
                    Arc::clone(&clocks),
                    &results,
                );
                lock(&clocks).insert(name.clone(), LastSign::now(0));
                let handle = running.spawn(task);
                names.insert(handle.id(), name);
            }
            if running.is_empty() {
                break;
            }
            let finished = tokio::select! {
                finished = running.join_next_with_id() => finished,
                _ = ticker.tick() => {
                    announce_stalls(&clocks, observer.as_ref());
                    continue;
                }
            };
            let (name, elapsed, outcomes) = match finished {
                None => break,
                Some(Ok((_, finished))) => finished,
                Some(Err(panic)) => {
                    let name = names.remove(&panic.id());
                    let Some(name) = name else { continue };
                    let error = Error::new(codes::INTERNAL, "a task panicked")
                        .with_source(panic)
                        .with_help("this is a defect of CodeAnatomy: please report it");
                    (name, Duration::ZERO, Outcomes::failed(error))
                }
            };
            lock(&clocks).remove(&name);
            match outcomes.committed {
                Ok(committed) => {
                    self.bound.set_output(&name, committed.version);
                    let mut result = built(&name, &committed, elapsed);
                    result.validation = outcomes.validation;
                    result.scans = outcomes.scans;
                    self.tell(&observer, &result, self.first_reason(&name));
                    results.insert(name.clone(), result);
                    schedule.done(&name);
                }
                Err(error) => {
                    // A query that was stopped did not fail.
                    let stopped = error.kind() == ErrorKind::Interrupted;
                    let outcome = if stopped {
                        Outcome::Blocked
                    } else {
                        Outcome::Failed
                    };
                    let mut result = without_rows(&name, outcome, elapsed);
                    result.validation = outcomes.validation;
                    self.tell(&observer, &result, Some(error.to_string()));
                    results.insert(name.clone(), result);
                    let mut blocked = schedule.failed(&name);
                    if self.options.fail_fast {
                        stop.cancel();
                        blocked.extend(schedule.drain());
                    }
                    for view in blocked {
                        self.block(&observer, view, &name, &mut results);
                    }
                    if !stopped {
                        failures.push((name.clone(), error));
                        let further = outcomes.further.into_iter();
                        failures.extend(further.map(|error| (name.clone(), error)));
                    }
                }
            }
        }
        if cancel.is_cancelled() {
            for view in schedule.drain() {
                let result = without_rows(&view, Outcome::Blocked, Duration::ZERO);
                self.tell(
                    &observer,
                    &result,
                    Some("the build was interrupted".to_owned()),
                );
                results.insert(view, result);
            }
        }
        self.finish_ephemeral(&observer, &mut results);
        let status = if cancel.is_cancelled() {
            RunStatus::Interrupted
        } else if failures.is_empty() {
            RunStatus::Ok
        } else {
            RunStatus::Failed
        };
        let views = planned
            .iter()
            .filter_map(|view| results.remove(view.name()))
            .collect();
        RunResult {
            status,
            views,
            failures,
        }
    }

    /// The stored views to build, each with those of them that it waits for.
    fn tasks(&self) -> Vec<(ViewName, BTreeSet<ViewName>)> {
        let planned = self.bound.planned();
        planned
            .iter()
            .filter(|view| view.is_stored() && self.decisions.builds(view.name()))
            .map(|view| {
                let upstream = stored_upstream(view, planned)
                    .into_iter()
                    .filter(|name| self.decisions.builds(name))
                    .cloned()
                    .collect();
                (view.name().clone(), upstream)
            })
            .collect()
    }

    /// Everything that building one view needs, so that it can run by itself.
    fn task(
        &self,
        name: &ViewName,
        observer: &Arc<dyn Observer>,
        cancel: CancellationToken,
        clocks: ProgressClocks,
        results: &BTreeMap<ViewName, ViewResult>,
    ) -> impl Future<Output = (ViewName, Duration, Outcomes)> + Send + 'static {
        let bound = Arc::clone(&self.bound);
        let name = name.clone();
        let run_id = self.options.run_id.clone();
        let expected = self.states.get(&name).map(|state| state.version);
        let upstream = self.upstream_stamps(&name, results);
        let clock = Arc::clone(&self.options.clock);
        let bundles = self.options.bundles.clone();
        let progress = Progress {
            view: name.clone(),
            started: Instant::now(),
            last_ms: AtomicU64::new(0),
            observer: Arc::clone(observer),
            clocks,
        };
        async move {
            let started = Instant::now();
            let build = Build {
                bound: &bound,
                run_id,
                expected,
                upstream,
                clock,
                cancel,
                bundles,
            };
            let outcomes = build.view(&name, progress).await;
            (name, started.elapsed(), outcomes)
        }
    }

    /// What the outputs that `name` reads hold now.
    fn upstream_stamps(
        &self,
        name: &ViewName,
        results: &BTreeMap<ViewName, ViewResult>,
    ) -> BTreeMap<ViewName, UpstreamStamp> {
        let planned = self.bound.planned();
        let Ok(view) = planned.view(name) else {
            return BTreeMap::new();
        };
        stored_upstream(view, planned)
            .into_iter()
            .filter_map(|upstream| {
                let stamp = match results.get(upstream) {
                    Some(result) if result.outcome == Outcome::Built => UpstreamStamp {
                        version: result.delta_version?,
                        result_hash: result.result_hash.clone(),
                    },
                    _ => upstream_stamp(self.states.get(upstream)?)?,
                };
                Some((upstream.clone(), stamp))
            })
            .collect()
    }

    fn skipped(&self, view: &PlannedView) -> ViewResult {
        let mut result = without_rows(view.name(), Outcome::Skipped, Duration::ZERO);
        if let Some(state) = self.states.get(view.name())
            && let Some(stamp) = &state.stamp
        {
            result.rows = Some(stamp.rows);
            result.result_hash.clone_from(&stamp.result_hash);
            result.delta_version = state.stamp_version;
        }
        result
    }

    fn block(
        &self,
        observer: &Arc<dyn Observer>,
        view: ViewName,
        failed: &ViewName,
        results: &mut BTreeMap<ViewName, ViewResult>,
    ) {
        let result = without_rows(&view, Outcome::Blocked, Duration::ZERO);
        self.tell(
            observer,
            &result,
            Some(format!("the view `{failed}` failed")),
        );
        results.insert(view, result);
    }

    /// Gives each ephemeral view the outcome of the views that it was computed in.
    fn finish_ephemeral(
        &self,
        observer: &Arc<dyn Observer>,
        results: &mut BTreeMap<ViewName, ViewResult>,
    ) {
        let planned = self.bound.planned();
        for view in planned.iter().rev() {
            if results.contains_key(view.name()) {
                continue;
            }
            let readers = planned
                .iter()
                .filter(|reader| reader.upstream().contains(view.name()));
            let outcomes: BTreeSet<Outcome> = readers
                .filter_map(|reader| results.get(reader.name()))
                .map(|result| result.outcome)
                .collect();
            // An ephemeral view does not fail by itself: the reader whose query failed says so.
            let outcome = if outcomes.contains(&Outcome::Built) {
                Outcome::Built
            } else {
                Outcome::Blocked
            };
            let result = without_rows(view.name(), outcome, Duration::ZERO);
            self.tell(observer, &result, self.first_reason(view.name()));
            results.insert(view.name().clone(), result);
        }
    }

    fn first_reason(&self, view: &ViewName) -> Option<String> {
        let decision = self.decisions.get(view)?;
        decision.reasons.first().map(|reason| reason.detail.clone())
    }

    fn tell(&self, observer: &Arc<dyn Observer>, result: &ViewResult, detail: Option<String>) {
        observer.observe(&RunEvent::ViewFinished {
            view: result.name.clone(),
            outcome: result.outcome,
            rows: result.rows,
            delta_version: result.delta_version,
            elapsed_ms: result.elapsed_ms,
            detail,
        });
    }
}

/// A view that was built.
struct Done {
    committed: Committed,
    scans: Vec<ScanResult>,
}

/// What building one view needs.
struct Build<'a> {
    bound: &'a Arc<BoundViews>,
    run_id: RunId,
    expected: Option<codeanatomy_vocab::DeltaVersion>,
    upstream: BTreeMap<ViewName, UpstreamStamp>,
    clock: Arc<dyn Clock>,
    cancel: CancellationToken,
    bundles: Option<Arc<dyn BundleSink>>,
}

impl Build<'_> {
    /// Builds a view, and says of its rows what its contract says of them.
    async fn view(&self, name: &ViewName, progress: Progress) -> Outcomes {
        let guard = tokio::select! {
            guard = Guard::of(self.bound, name) => guard,
            () = self.cancel.cancelled() => Err(interrupted(name)),
        };
        match guard {
            Err(error) => Outcomes::failed(error),
            Ok((guard, watched)) => {
                let (committed, scans) = match self.written(name, watched, progress).await {
                    Ok(Done { committed, scans }) => (Ok(committed), scans),
                    Err(error) => (Err(error), Vec::new()),
                };
                let mut outcomes = Outcomes::settle(guard.as_ref(), committed, name);
                outcomes.scans = scans;
                outcomes
            }
        }
    }

    /// Writes the rows of a view, from `watched` where its contract has them looked at.
    async fn written(
        &self,
        name: &ViewName,
        watched: Option<WatchedPlan>,
        progress: Progress,
    ) -> Result<Done> {
        let view = self.bound.planned().view(name)?;
        let Some(output) = &view.definition().output else {
            return Err(Error::new(
                codes::INTERNAL,
                "an ephemeral view has no output",
            ));
        };
        let executed = self.bound.executed(name)?;
        let bundle = self.bundle(name, &executed);
        let (plan, units) = match watched {
            Some(watched) => watched,
            None => tokio::select! {
                planned = self.bound.physical_of(name, executed.optimized) => planned?,
                () = self.cancel.cancelled() => return Err(interrupted(name)),
            },
        };
        let hook = Witness {
            hash: ResultHash::new(Arc::clone(view.schema())),
            datasets: self
                .bound
                .datasets_read(name)?
                .into_iter()
                .map(Arc::clone)
                .collect(),
        };
        let spec = OverwriteSpec {
            location: output.location.clone(),
            options: output.options.clone(),
            view: name.clone(),
            schema: Arc::new(codeanatomy_schema::stamp_abi(view.schema())),
            partition_by: output.partition_by.clone(),
            layout: output.layout.clone(),
            expected: self.expected,
            run_id: self.run_id.clone(),
            result_key: view.bundle().result_key,
            plan_fingerprint: view.bundle().plan_fingerprint,
            provenance: Provenance {
                components: semantic_components(view),
                upstream: self.upstream.clone(),
                ephemeral: ephemeral_keys(view, self.bound.planned()),
                validated: view.to_validate(),
                inputs: view
                    .inputs()
                    .iter()
                    .filter_map(|(dataset, input)| Some((dataset.clone(), input.scan.clone()?)))
                    .collect(),
                ..Provenance::default()
            },
            clock: Arc::clone(&self.clock),
        };
        let task = self.bound.session().context().task_ctx();
        let committed = codeanatomy_delta::overwrite(
            spec,
            plan,
            task,
            Arc::new(move |rows, bytes| progress.report(rows, bytes)),
            Some(Arc::new(hook)),
            self.cancel.clone(),
        )
        .await
        .map_err(|error| {
            error
                .at(Location::file(view.definition().spec.path()))
                .with("view", name)
        });
        if let Some(bundle) = bundle {
            // Its own failure is not the view's: a replay says that there is no bundle.
            let _ = bundle.await;
        }
        Ok(Done {
            committed: committed?,
            scans: units.iter().map(ScanUnit::result).collect(),
        })
    }

    /// Makes and keeps the bundle beside the query.
    fn bundle(&self, name: &ViewName, executed: &ExecutedPlan) -> Option<JoinHandle<()>> {
        let sink = Arc::clone(self.bundles.as_ref()?);
        let (bound, name) = (Arc::clone(self.bound), name.clone());
        let executed = executed.clone();
        Some(tokio::task::spawn_blocking(
            move || match bundle::artifact(&bound, &name, &executed) {
                Ok(bundle) => sink.keep(&bundle),
                Err(error) => tracing::warn!(view = %name, "no bundle is kept: {error}"),
            },
        ))
    }
}

/// Sees the rows of a view before they are committed.
#[derive(Debug)]
struct Witness {
    hash: ResultHash,
    datasets: Vec<Arc<PinnedDataset>>,
}

impl RowHook for Witness {
    fn rows(&self, batch: &RecordBatch) -> Result<()> {
        self.hash.add(batch)
    }

    /// What was read half old, half new must not be published.
    fn before_commit(&self) -> Result<Option<String>> {
        for dataset in &self.datasets {
            dataset.check_unchanged()?;
        }
        Ok(Some(self.hash.finish()))
    }
}

/// The last sign of life of each running view.
type ProgressClocks = Arc<Mutex<BTreeMap<ViewName, LastSign>>>;

/// When a view last made progress, how many rows it had then, and how often its silence has been
/// announced since.
struct LastSign {
    at: Instant,
    rows: u64,
    announced: u32,
}

impl LastSign {
    fn now(rows: u64) -> Self {
        Self {
            at: Instant::now(),
            rows,
            announced: 0,
        }
    }
}

/// Tells how far a view is, not too often.
struct Progress {
    view: ViewName,
    started: Instant,
    last_ms: AtomicU64,
    observer: Arc<dyn Observer>,
    clocks: ProgressClocks,
}

impl Progress {
    fn report(&self, rows: u64, bytes: u64) {
        let elapsed_ms = millis(self.started.elapsed());
        let last_ms = self.last_ms.load(Ordering::Relaxed);
        if elapsed_ms.saturating_sub(last_ms) < millis(PROGRESS_EVERY) {
            return;
        }
        let ours = self
            .last_ms
            .compare_exchange(last_ms, elapsed_ms, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok();
        if ours {
            lock(&self.clocks).insert(self.view.clone(), LastSign::now(rows));
            let view = self.view.clone();
            self.observer.observe(&RunEvent::ViewProgress {
                view,
                rows,
                bytes,
                elapsed_ms,
            });
        }
    }
}

fn announce_stalls(clocks: &ProgressClocks, observer: &dyn Observer) {
    let mut stalled = Vec::new();
    for (view, sign) in lock(clocks).iter_mut() {
        let waited = sign.at.elapsed();
        if waited >= STALL_AFTER * (sign.announced + 1) {
            sign.announced += 1;
            stalled.push(RunEvent::Stalled {
                view: view.clone(),
                waits_for: format!("the next rows of its query, after {}", sign.rows),
                for_ms: millis(waited),
            });
        }
    }
    for event in stalled {
        observer.observe(&event);
    }
}

fn built(name: &ViewName, committed: &Committed, elapsed: Duration) -> ViewResult {
    ViewResult {
        name: name.clone(),
        outcome: Outcome::Built,
        rows: Some(committed.rows),
        result_hash: committed.result_hash.clone(),
        delta_version: Some(committed.version),
        replay_form: Some("plan".to_owned()),
        elapsed_ms: millis(elapsed),
        validation: None,
        scans: Vec::new(),
    }
}

fn without_rows(name: &ViewName, outcome: Outcome, elapsed: Duration) -> ViewResult {
    ViewResult {
        name: name.clone(),
        outcome,
        rows: None,
        result_hash: None,
        delta_version: None,
        replay_form: None,
        elapsed_ms: millis(elapsed),
        validation: None,
        scans: Vec::new(),
    }
}

fn interrupted(view: &ViewName) -> Error {
    Error::new(codes::INTERRUPTED, "the build was interrupted")
        .with("view", view)
        .with_help("run the build again: it goes on where it stopped")
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

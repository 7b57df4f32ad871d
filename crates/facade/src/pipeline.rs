//! The states of a pipeline after its project is read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use codeanatomy_delta::OutputState;
use codeanatomy_exec::{
    BoundViews, BuildReport, BundleSink, ContractViolation, DatasetInputs, Decision, Decisions,
    Environment, FingerprintsReport, OpenLineageEvents, PinnedDataset, PinnedFootprints,
    PlanReport, PlannedViews, ProjectLineage, Run, RunInputs, RunOptions, open_session,
    write_quality,
};
use codeanatomy_obs::{
    Fanout, Observer, Phase, PinSummary, RunEvent, RunRecorder, RunStart, RunStatus,
};
use codeanatomy_plan::forms::substrait_text;
use codeanatomy_plan::{PlanBundleArtifact, plan_dot, plan_text};
use codeanatomy_session::{Session, on_planning_stack};
use codeanatomy_vocab::{
    DatasetName, DeltaVersion, Error, Errors, Result, RunId, UnixMillis, ViewName,
};
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use crate::openlineage::OpenLineageSink;
use crate::past::{INPUTS, QUALITY, REPORT, bundle_name};
use crate::{Configured, contracts};

/// A pipeline whose inputs are fixed.
#[derive(Debug)]
pub struct Pinned {
    configured: Configured,
    session: Arc<Session>,
    selected: BTreeSet<ViewName>,
    datasets: BTreeMap<DatasetName, Arc<PinnedDataset>>,
}

/// A pipeline whose views are planned and whose outputs are known.
#[derive(Debug)]
pub struct Planned {
    root: PathBuf,
    configured: Configured,
    pub(crate) session: Arc<Session>,
    views: Arc<PlannedViews>,
    pub(crate) datasets: BTreeMap<DatasetName, Arc<PinnedDataset>>,
    states: BTreeMap<ViewName, OutputState>,
}

/// A pipeline that has run.
#[derive(Debug)]
pub struct Ran {
    report: BuildReport,
    failures: Vec<(ViewName, Error)>,
    warnings: Vec<Error>,
}

/// How to build.
#[derive(Debug, Clone, Default)]
pub struct BuildOptions {
    /// Views to build even where their outputs are current; those they read are built as needed.
    pub forced: BTreeSet<ViewName>,
    /// Whether the first failure stops the rest.
    pub fail_fast: bool,
    /// What the user calls this run.
    pub label: Option<String>,
}

/// A form in which a view's plan is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExplainKind {
    /// As the query says, with names and types resolved.
    Logical,
    /// After the optimizer, against schemas: what the plan digest covers.
    Optimized,
    /// As it would execute now, over data.
    Physical,
    /// The optimized plan as a Graphviz graph.
    Dot,
    /// How far two runs agree, and the node that decides it.
    Determinism,
    /// The plan as Substrait in JSON, or why it has no such form.
    Substrait,
    /// The bundle that a build would keep, as JSON.
    Bundle,
}

impl Configured {
    /// Fixes every dataset that the selected views read, and the time that queries see as now. An empty
    /// selection is all views; a view's upstream views belong to it.
    ///
    /// # Errors
    ///
    /// All at once: unknown views; datasets that are missing, empty, unreadable, or that need
    /// something this version does not support.
    pub async fn pin(
        self,
        selection: &[ViewName],
        observer: Arc<dyn Observer>,
    ) -> Result<Pinned, Errors> {
        self.pin_also(selection, &BTreeSet::new(), observer).await
    }

    /// Fixes also datasets that no selected view reads.
    pub(crate) async fn pin_also(
        self,
        selection: &[ViewName],
        also: &BTreeSet<DatasetName>,
        observer: Arc<dyn Observer>,
    ) -> Result<Pinned, Errors> {
        let phase = PhaseTimer::start(Phase::Pin, observer.as_ref());
        let selected = self.graph.with_upstream(selection)?;
        let run_time = self.as_of.unwrap_or_else(|| self.clock.now());
        let session = Arc::new(open_session(&self.profile, run_time)?);
        let read: BTreeSet<&str> = selected
            .iter()
            .flat_map(|view| self.graph.datasets(view))
            .collect();
        let mut pins: Vec<(DatasetName, Result<PinnedDataset, Errors>)> = futures::stream::iter(
            self.datasets
                .values()
                .filter(|spec| read.contains(spec.name.as_str()) || also.contains(&spec.name)),
        )
        .map(|spec| async { (spec.name.clone(), spec.pin(&session).await) })
        .buffer_unordered(self.profile.meta_fetch_concurrency().max(1))
        .collect()
        .await;
        pins.sort_by(|(a, _), (b, _)| a.cmp(b));
        let mut errors = Vec::new();
        let mut datasets = BTreeMap::new();
        for (name, pin) in pins {
            match pin {
                Ok(pinned) => {
                    datasets.insert(name, Arc::new(pinned));
                }
                Err(found) => errors.extend(found),
            }
        }
        phase.end();
        Errors::check(
            errors,
            Pinned {
                configured: self,
                session,
                selected,
                datasets,
            },
        )
    }
}

impl Pinned {
    /// Plans the selected views and reads the state of their outputs.
    ///
    /// # Errors
    ///
    /// All at once: SQL that does not plan, broken contracts, outputs that cannot be read.
    pub async fn plan(self, observer: Arc<dyn Observer>) -> Result<Planned, Errors> {
        let (planned, violations) = self.plan_leniently(observer).await?;
        let errors = violations.iter().map(ContractViolation::to_error).collect();
        Errors::check(errors, planned)
    }

    /// As [`plan`](Self::plan), with broken contracts beside the plans.
    pub(crate) async fn plan_leniently(
        self,
        observer: Arc<dyn Observer>,
    ) -> Result<(Planned, Vec<ContractViolation>), Errors> {
        // What outputs were made from says which tables are to be compared with their past.
        let phase = PhaseTimer::start(Phase::Decide, observer.as_ref());
        let concurrency = self.configured.profile.meta_fetch_concurrency().max(1);
        let definitions = self.configured.definitions.values();
        let selected = definitions.filter(|view| self.selected.contains(view.spec.name()));
        let states = codeanatomy_exec::output_states(selected, concurrency).await?;
        phase.end();
        let phase = PhaseTimer::start(Phase::Plan, observer.as_ref());
        let footprints = PinnedFootprints::new(&self.session, self.datasets.clone(), &states);
        // Planning keeps threads busy; it must not hold up the runtime's own.
        let planning = tokio::task::spawn_blocking(move || {
            let Self {
                configured,
                session,
                selected,
                datasets,
            } = self;
            let definitions = configured
                .definitions
                .iter()
                .filter(|(name, _)| selected.contains(*name))
                .map(|(name, view)| (name.clone(), view.clone()))
                .collect();
            let tables = datasets
                .iter()
                .map(|(name, dataset)| (name.clone(), dataset.table_input()))
                .collect();
            let macros = on_planning_stack(|| configured.planned_macros(&session))?;
            let known = contracts::violations_of(&configured, &datasets);
            let (views, violations) = PlannedViews::plan_leniently(
                &configured.graph,
                definitions,
                &DatasetInputs {
                    tables: &tables,
                    footprints: &footprints,
                },
                &session,
                &configured.profile,
                &Environment::of(&session).with_macros(macros),
                known,
            )?;
            Ok::<_, Errors>((configured, session, datasets, Arc::new(views), violations))
        });
        let (configured, session, datasets, views, violations) = planning
            .await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        phase.end();
        let root = configured.project.root.clone();
        let planned = Planned {
            root,
            configured,
            session,
            views,
            datasets,
            states,
        };
        Ok((planned, violations))
    }
}

impl Pinned {
    /// A dataset as it is pinned.
    pub(crate) fn dataset(&self, name: &str) -> Result<&PinnedDataset> {
        self.datasets.get(name).map(AsRef::as_ref).ok_or_else(|| {
            Error::new(codeanatomy_exec::codes::INTERNAL, "a dataset is not pinned")
                .with("dataset", name)
                .with_help("this is a defect of CodeAnatomy: please report it")
        })
    }
}

impl Planned {
    /// The views with their plans and identities.
    pub fn views(&self) -> &PlannedViews {
        &self.views
    }

    /// The project and its settings.
    pub fn configured(&self) -> &Configured {
        &self.configured
    }

    /// Everything that the plans depend on, as a run records it.
    pub fn inputs(&self) -> RunInputs {
        RunInputs::record(
            &self.root,
            &self.views,
            &self.datasets,
            &self.session,
            &self.configured.profile,
        )
    }

    /// The run that made what the output of a stored view holds, by the word of the output's own
    /// commit.
    pub fn built_by(&self, view: &ViewName) -> Option<&RunId> {
        let stamp = self.states.get(view)?.stamp.as_ref()?;
        Some(&stamp.run_id)
    }

    /// What would be done with a view, and why.
    ///
    /// # Errors
    ///
    /// An unknown view.
    pub fn decision(&self, view: &ViewName) -> Result<Decision> {
        self.views.view(view)?;
        let decisions = self.unforced();
        decisions.get(view).cloned().ok_or_else(|| {
            Error::new(
                codeanatomy_exec::codes::INTERNAL,
                "a planned view has no decision",
            )
        })
    }

    /// What a build would do, and why.
    ///
    /// # Errors
    ///
    /// Unknown names in `forced`.
    pub fn report(&self, forced: &BTreeSet<ViewName>) -> Result<PlanReport, Errors> {
        let decisions = self.decide(forced)?;
        Ok(PlanReport::new(&self.bind(&decisions), &decisions)?)
    }

    /// The identities of all views.
    pub fn fingerprints(&self) -> FingerprintsReport {
        FingerprintsReport::new(&self.views)
    }

    /// Shows the plan of a view.
    ///
    /// # Errors
    ///
    /// An unknown view; for the physical form also what opening its inputs can fail with.
    pub async fn explain(&self, view: &ViewName, kind: ExplainKind) -> Result<String> {
        let bundle = self.views.view(view)?.bundle();
        Ok(match kind {
            ExplainKind::Logical => plan_text(&bundle.logical),
            ExplainKind::Optimized => plan_text(&bundle.optimized),
            ExplainKind::Dot => plan_dot(&bundle.optimized),
            ExplainKind::Determinism => {
                format!("{}: {}", bundle.determinism, bundle.determinism_reason)
            }
            ExplainKind::Substrait => {
                let bundle = self.bind(&self.unforced()).bundle(view)?;
                match &bundle.substrait {
                    Some(form) => substrait_text(&form.bytes)?,
                    None => format!("no Substrait form: {}", bundle.substrait_validation.reason),
                }
            }
            ExplainKind::Bundle => self.bind(&self.unforced()).bundle(view)?.to_json()?,
            ExplainKind::Physical => {
                let decisions = self.unforced();
                let plan = self.bind(&decisions).physical(view).await?;
                datafusion::physical_plan::displayable(plan.as_ref())
                    .indent(true)
                    .to_string()
            }
        })
    }

    /// Where the columns of all planned views come from, and what a change of them can reach.
    pub fn lineage(&self) -> ProjectLineage {
        let tables = self.datasets.iter();
        let tables = tables.map(|(name, dataset)| (name.clone(), dataset.table_input()));
        let names = self.configured.datasets.keys();
        ProjectLineage::new(&self.views, &tables.collect())
            .with_datasets(names)
            .with_rewrite_tags(&Environment::of(&self.session).rewrite_tags)
    }

    /// Runs a view and streams its rows without writing anything. Upstream outputs that are current
    /// are read; what is not is computed on the way.
    ///
    /// # Errors
    ///
    /// An unknown view, inputs that cannot be opened, a query that cannot be planned. Errors of
    /// rows come in the stream.
    pub async fn stream(&self, view: &ViewName) -> Result<SendableRecordBatchStream> {
        let decisions = self.unforced();
        self.bind(&decisions).stream(view).await
    }

    /// Builds what must be built.
    ///
    /// Failures of views are part of the result and not errors of the call.
    ///
    /// # Errors
    ///
    /// Unknown names in the options.
    pub async fn build(
        self,
        options: BuildOptions,
        observer: Arc<dyn Observer>,
        cancel: CancellationToken,
    ) -> Result<Ran, Errors> {
        let decisions = self.decide(&options.forced)?;
        let bound = Arc::new(self.bind(&decisions));
        let plan = PlanReport::new(&bound, &decisions)?;
        let clock = &self.configured.clock;
        let began = Instant::now();
        let run_id = RunId::generate(clock.now());
        let recorder = Arc::new(RunRecorder::start(
            &self.root,
            self.run_start(&run_id, options.label.clone()),
            Arc::clone(clock),
        ));
        recorder.pins(self.pins());
        recorder.artifact(INPUTS, &self.inputs());
        recorder.artifact("plan.json", &plan);
        self.record_functions(&recorder);
        let openlineage = self.openlineage(&bound, &run_id);
        let mut observers = vec![Arc::clone(&recorder) as Arc<dyn Observer>, observer];
        observers.extend(openlineage.clone().map(|sink| sink as Arc<dyn Observer>));
        let observer: Arc<dyn Observer> = Arc::new(Fanout(observers));
        observer.observe(&RunEvent::RunStarted {
            run_id: run_id.clone(),
            at: clock.now(),
            n_views: plan.views.len(),
        });
        let phase = PhaseTimer::start(Phase::Execute, observer.as_ref());
        let run = Run::new(
            Arc::clone(&bound),
            decisions,
            self.states,
            RunOptions {
                run_id: run_id.clone(),
                concurrency: self.configured.profile.concurrency(),
                fail_fast: options.fail_fast,
                clock: Arc::clone(clock),
                bundles: Some(Arc::new(Bundles(Arc::clone(&recorder)))),
            },
        );
        let result = run.execute(Arc::clone(&observer), cancel).await;
        let built = result
            .views
            .iter()
            .filter(|view| view.delta_version.is_some());
        let built: Vec<ViewName> = built
            .filter(|view| view.was_built())
            .map(|view| view.name.clone())
            .collect();
        let folder = recorder.folder().join(QUALITY);
        let quality = write_quality(&bound, &built, &folder, &run_id, Arc::clone(clock)).await;
        phase.end();
        observer.observe(&RunEvent::RunFinished {
            run_id: run_id.clone(),
            status: result.status,
            elapsed_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
        for (view, error) in &result.failures {
            recorder.error(Some(view), error);
        }
        let mut report = BuildReport {
            run_id,
            status: result.status,
            views: result.views,
            run_bundle: Some(recorder.folder().display().to_string()),
        };
        recorder.artifact(REPORT, &report);
        let finished = recorder.finish(report.status);
        if !finished.warnings.is_empty() {
            report.run_bundle = None;
        }
        let mut warnings = finished.warnings;
        warnings.extend(quality.err());
        if let Some(sink) = openlineage {
            warnings.extend(sink.finish().await);
        }
        Ok(Ran {
            report,
            failures: result.failures,
            warnings,
        })
    }

    /// The decisions where nothing is forced.
    pub(crate) fn unforced(&self) -> Decisions {
        Decisions::make(&self.views, &self.states, &BTreeSet::new())
    }

    fn decide(&self, forced: &BTreeSet<ViewName>) -> Result<Decisions, Errors> {
        let errors = forced
            .iter()
            .filter_map(|name| self.views.view(name).err())
            .collect();
        Errors::check(errors, ())?;
        Ok(Decisions::make(&self.views, &self.states, forced))
    }

    /// Binds the views to data; outputs are read only where nothing is to be built.
    pub(crate) fn bind(&self, decisions: &Decisions) -> BoundViews {
        let current: BTreeMap<ViewName, DeltaVersion> = self
            .states
            .iter()
            .filter(|(name, _)| !decisions.builds(name))
            .map(|(name, state)| (name.clone(), state.version))
            .collect();
        BoundViews::new(
            Arc::clone(&self.session),
            Arc::clone(&self.views),
            self.datasets.clone(),
            current,
        )
    }

    /// What sends OpenLineage events, if somebody wants them.
    fn openlineage(&self, bound: &BoundViews, run_id: &RunId) -> Option<Arc<OpenLineageSink>> {
        let settings = self.configured.openlineage.as_ref()?;
        let clock = &self.configured.clock;
        let (namespace, project) = (settings.namespace(), &self.configured.project.name);
        let events = OpenLineageEvents::new(bound, namespace, project, run_id, clock.as_ref());
        let sink = OpenLineageSink::start(settings, events, Arc::clone(clock));
        Some(Arc::new(sink))
    }

    fn run_start(&self, run_id: &RunId, label: Option<String>) -> RunStart {
        let UnixMillis(run_time) = self.session.run_time();
        RunStart {
            run_id: run_id.clone(),
            project: self.configured.project.name.clone(),
            label,
            product_version: env!("CARGO_PKG_VERSION").to_owned(),
            engine_version: format!("datafusion {}", self.configured.profile.engine_version()),
            metadata: BTreeMap::from([("run_time_unix_ms".to_owned(), run_time.to_string())]),
        }
    }

    fn pins(&self) -> Vec<PinSummary> {
        self.datasets
            .values()
            .map(|dataset| dataset.summary())
            .collect()
    }
}

impl Ran {
    /// What was done.
    pub fn report(&self) -> &BuildReport {
        &self.report
    }

    /// What was done, alone.
    pub fn into_report(self) -> BuildReport {
        self.report
    }

    /// How the run ended.
    pub fn status(&self) -> RunStatus {
        self.report.status
    }

    /// The error of each view that failed.
    pub fn failures(&self) -> &[(ViewName, Error)] {
        &self.failures
    }

    /// What of the run's record could not be written.
    pub fn warnings(&self) -> &[Error] {
        &self.warnings
    }
}

/// Keeps bundles beside the record of a run, for programs and for people.
#[derive(Debug)]
struct Bundles(Arc<RunRecorder>);

impl BundleSink for Bundles {
    fn keep(&self, bundle: &PlanBundleArtifact) {
        let name = bundle_name(&bundle.view);
        let kept = bundle.to_msgpack().map(|bytes| {
            self.0.artifact_bytes(&format!("{name}.msgpack"), &bytes);
        });
        let shown = bundle.to_json().map(|text| {
            self.0
                .artifact_bytes(&format!("{name}.json"), text.as_bytes());
        });
        if let Err(error) = kept.and(shown) {
            self.0.error(None, &error);
        }
    }
}

/// Tells an observer of a phase's start and end.
struct PhaseTimer<'a> {
    phase: Phase,
    started: Instant,
    observer: &'a dyn Observer,
}

impl<'a> PhaseTimer<'a> {
    fn start(phase: Phase, observer: &'a dyn Observer) -> Self {
        observer.observe(&RunEvent::PhaseStarted { phase });
        Self {
            phase,
            started: Instant::now(),
            observer,
        }
    }

    fn end(self) {
        let elapsed_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.observer.observe(&RunEvent::PhaseEnded {
            phase: self.phase,
            elapsed_ms,
        });
    }
}

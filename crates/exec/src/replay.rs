//! Running again what a past run ran.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use codeanatomy_delta::StoreOptions;
use codeanatomy_plan::forms::{FormContent, FormKind, FormValidation, restore_plan};
use codeanatomy_plan::{PlanBundleArtifact, plan_digest};
use codeanatomy_session::{Session, on_planning_stack};
use codeanatomy_udf::snapshot;
use codeanatomy_vocab::{
    DatasetName, DeltaVersion, Error, ErrorKind, Errors, Fingerprint, Result, ViewName,
};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{LogicalPlan, TableSource};
use datafusion::physical_plan::execute_stream;
use futures::TryStreamExt;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::bound::{as_stored, engine_error};
use crate::result_hash::ResultHash;
use crate::{
    BoundViews, PinnedDataset, PlannedViews, RunInputs, ViewResult, bind, codes, open_session,
};

/// What became of a view in a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayOutcome {
    /// It gave the rows that the run recorded.
    Verified,
    /// It gave other rows.
    Differs,
    /// It ran, and its rows were not compared.
    Executed,
    /// Something that the run read is gone or has changed.
    NotReplayable,
    /// The run did not compute it.
    NotRun,
    /// Its query failed.
    Failed,
}

/// One view of a replay.
#[derive(Debug, Clone, Serialize)]
pub struct ReplayedView {
    /// The view.
    pub name: ViewName,
    /// What became of it.
    pub outcome: ReplayOutcome,
    /// The form of the plan that ran; none where nothing ran.
    pub replay_form: Option<FormKind>,
    /// Why that form ran, and what became of the better ones.
    pub form_reason: Option<String>,
    /// The rows that the replay gave.
    pub rows: Option<u64>,
    /// Their hash.
    pub result_hash: Option<String>,
    /// The rows that the run recorded.
    pub recorded_rows: Option<u64>,
    /// The hash that the run recorded.
    pub recorded_result_hash: Option<String>,
    /// More in words: what is gone, why rows may differ.
    pub detail: Option<String>,
    /// The time that planning and executing took.
    pub elapsed_ms: u64,
}

/// A past run, ready to run again at the inputs that it had.
#[derive(Debug)]
pub struct Replay {
    root: PathBuf,
    inputs: RunInputs,
    /// What the run said of each view.
    results: BTreeMap<ViewName, ViewResult>,
    session: Arc<Session>,
    /// Options of the stores of datasets, which no record holds.
    options: BTreeMap<DatasetName, StoreOptions>,
}

/// A plan that a view can be run with again.
struct Chosen {
    plan: LogicalPlan,
    form: FormKind,
    reason: String,
}

impl Replay {
    /// Prepares the replay of a run from its records.
    ///
    /// # Errors
    ///
    /// Those of making a session for the run's settings; a run of another version of the engine is
    /// refused ([`CA-SESSION-0005`](codeanatomy_session::codes::ENGINE_VERSION)).
    pub fn new(
        root: &Path,
        inputs: RunInputs,
        results: Vec<ViewResult>,
        options: BTreeMap<DatasetName, StoreOptions>,
    ) -> Result<Self> {
        let session = open_session(&inputs.profile, inputs.run_time)?;
        Ok(Self {
            root: root.to_owned(),
            inputs,
            results: results
                .into_iter()
                .map(|result| (result.name.clone(), result))
                .collect(),
            session: Arc::new(session),
            options,
        })
    }

    /// The views that the run computed and stored, by name.
    pub fn built(&self) -> impl Iterator<Item = &ViewName> {
        self.results
            .values()
            .filter(|result| result.delta_version.is_some() && result.was_built())
            .map(|result| &result.name)
    }

    /// Runs one view again at the recorded inputs, and with `verify` compares the hash of its rows
    /// with the recorded one. Nothing is written.
    ///
    /// The plan is the first of the forms of `bundle` that decodes to the recorded digest, else the
    /// recorded text planned again.
    ///
    /// # Errors
    ///
    /// [`NOT_IN_RUN`](codes::NOT_IN_RUN) for a view of which the run says nothing, and
    /// [`INTERRUPTED`](codes::INTERRUPTED). Everything else is an outcome.
    pub async fn view(
        &self,
        name: &ViewName,
        bundle: Result<PlanBundleArtifact>,
        verify: bool,
        cancel: &CancellationToken,
    ) -> Result<ReplayedView> {
        let started = Instant::now();
        let Some(recorded) = self.results.get(name) else {
            return Err(self.not_in_run(name));
        };
        let mut view = ReplayedView {
            name: name.clone(),
            outcome: ReplayOutcome::NotRun,
            replay_form: None,
            form_reason: None,
            rows: None,
            result_hash: None,
            recorded_rows: recorded.rows,
            recorded_result_hash: recorded.result_hash.clone(),
            detail: None,
            elapsed_ms: 0,
        };
        if !recorded.was_built() {
            view.detail = Some(format!(
                "the run did not compute it: it was {}",
                recorded.outcome
            ));
            return Ok(view);
        }
        if recorded.delta_version.is_none() {
            view.detail = Some(
                "the view is not stored; it was computed inside the views that read it".to_owned(),
            );
            return Ok(view);
        }
        match self.run(name, bundle, &mut view, cancel).await {
            Ok(determinism) => {
                let same = view.result_hash == view.recorded_result_hash;
                (view.outcome, view.detail) = match (verify, &view.recorded_result_hash) {
                    (false, _) => (ReplayOutcome::Executed, None),
                    (true, None) => (
                        ReplayOutcome::Executed,
                        Some("the run recorded no hash to compare with".to_owned()),
                    ),
                    (true, Some(_)) if same => (ReplayOutcome::Verified, None),
                    (true, Some(_)) => (ReplayOutcome::Differs, Some(determinism)),
                };
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                view.outcome = if error.code() == codes::NOT_REPLAYABLE {
                    ReplayOutcome::NotReplayable
                } else {
                    ReplayOutcome::Failed
                };
                view.detail = Some(error.to_string());
            }
        }
        view.elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(view)
    }

    fn not_in_run(&self, view: &ViewName) -> Error {
        let known = self.results.keys().map(ViewName::as_str);
        Error::new(codes::NOT_IN_RUN, format!("the run has no view `{view}`"))
            .with_nearest(codeanatomy_vocab::nearest(view.as_str(), known))
            .with_help("`codeanatomy runs show` lists the views of a run")
    }

    /// Executes the view, puts what it gave into `view`, and says how far two runs of it agree.
    async fn run(
        &self,
        name: &ViewName,
        bundle: Result<PlanBundleArtifact>,
        view: &mut ReplayedView,
        cancel: &CancellationToken,
    ) -> Result<String> {
        let closure = self.inputs.closure(name);
        let planned =
            on_planning_stack(|| self.inputs.plan_in(&self.root, &closure, &self.session))
                .map_err(first)?;
        self.check_functions(name, &planned)?;
        let planned = Arc::new(planned);
        let datasets = self.datasets(&closure).await?;
        let outputs = self.outputs(name, &planned)?;
        let bound = BoundViews::new(
            Arc::clone(&self.session),
            Arc::clone(&planned),
            datasets,
            outputs,
        );
        let chosen = self.choose(name, &bound, bundle)?;
        view.replay_form = Some(chosen.form);
        view.form_reason = Some(chosen.reason);
        let planned_view = planned.view(name)?;
        let failed = |error: DataFusionError| engine_error(error, planned_view.definition());
        let plan = as_stored(chosen.plan, planned_view).map_err(failed)?;
        let (plan, _) = bound
            .over_data(name, plan)
            .await
            .map_err(|error| gone(name, error))?;
        let plan = bind::physical_plan(plan, self.session.planning_state())
            .await
            .map_err(failed)?;
        let stream = execute_stream(plan, self.session.context().task_ctx()).map_err(failed)?;
        let hash = ResultHash::new(Arc::clone(planned_view.schema()));
        let rows = tokio::select! {
            rows = drain(stream, &hash) => rows.map_err(|error| match missing_file(&error) {
                Some(file) => not_replayable(name, &format!("{file} is gone")),
                None => engine_error(error, planned_view.definition()),
            })?,
            () = cancel.cancelled() => return Err(
                Error::new(codes::INTERRUPTED, "the replay was interrupted").with("view", name)
            ),
        };
        for dataset in bound.datasets_read(name)? {
            dataset.check_unchanged()?;
        }
        view.rows = Some(rows);
        view.result_hash = Some(hash.finish());
        let bundle = planned_view.bundle();
        Ok(format!(
            "determinism class {}: {}",
            bundle.determinism, bundle.determinism_reason
        ))
    }

    /// The functions and rewrites that the plans need must do what they did then.
    fn check_functions(&self, name: &ViewName, planned: &PlannedViews) -> Result<()> {
        let snapshot = snapshot(&self.session.state());
        let functions = snapshot.implementation_digests();
        for view in planned.iter() {
            let bundle = view.bundle();
            let parity = snapshot.parity(
                view.name().as_str(),
                &bundle.required_udfs,
                &bundle.required_rewrite_tags,
            );
            if let Some(error) = parity.errors().into_iter().next() {
                return Err(not_replayable(name, &error.to_string()).with_source(error));
            }
            for function in &bundle.required_udfs {
                if self.inputs.functions.get(function) != functions.get(function) {
                    let what = format!("the function `{function}` is not what it was then");
                    return Err(not_replayable(name, &what));
                }
            }
            for tag in &bundle.required_rewrite_tags {
                let now = snapshot.rewrites.iter().find(|rewrite| rewrite.tag == *tag);
                if self.inputs.rewrites.get(tag) != now.map(|rewrite| &rewrite.digest) {
                    let what = format!("the rewrite `{tag}` is not what it was then");
                    return Err(not_replayable(name, &what));
                }
            }
        }
        Ok(())
    }

    /// The recorded datasets that `views` read, opened at what was recorded.
    async fn datasets(
        &self,
        views: &BTreeSet<ViewName>,
    ) -> Result<BTreeMap<DatasetName, Arc<PinnedDataset>>> {
        let mut datasets = BTreeMap::new();
        for name in self.inputs.datasets_of(views) {
            let Some(recorded) = self.inputs.datasets.get(&name) else {
                continue;
            };
            let options = self.options.get(&name).cloned().unwrap_or_default();
            let spec = recorded.spec(&name, &self.root, options);
            let pinned = spec.pin(&self.session).await.map_err(|errors| {
                let error = first(errors);
                not_replayable_for(&name, &error.to_string()).with_source(error)
            })?;
            let identity = pinned.identity();
            if identity.footprint != recorded.footprint {
                let what = match recorded.version() {
                    Some(version) => format!(
                        "{} is another table now: its version {version} has other files",
                        recorded.location.display()
                    ),
                    None => format!("the files of {} changed", recorded.location.display()),
                };
                return Err(not_replayable_for(&name, &what));
            }
            datasets.insert(name, Arc::new(pinned));
        }
        Ok(datasets)
    }

    /// The versions of the outputs that the run read.
    fn outputs(
        &self,
        name: &ViewName,
        planned: &PlannedViews,
    ) -> Result<BTreeMap<ViewName, DeltaVersion>> {
        let view = planned.view(name)?;
        crate::decide::stored_upstream(view, planned)
            .into_iter()
            .map(|upstream| {
                let version = self
                    .results
                    .get(upstream)
                    .and_then(|result| result.delta_version)
                    .ok_or_else(|| {
                        not_replayable(
                            name,
                            &format!("the run does not say which version of `{upstream}` it read"),
                        )
                    })?;
                Ok((upstream.clone(), version))
            })
            .collect()
    }

    /// The plan to run: the first form that holds, else the text planned again.
    fn choose(
        &self,
        name: &ViewName,
        bound: &BoundViews,
        bundle: Result<PlanBundleArtifact>,
    ) -> Result<Chosen> {
        let executed = bound.executed(name)?.optimized;
        let mut refused = Vec::new();
        match bundle {
            Ok(bundle) => {
                let tables = tables(&executed)?;
                for (kind, content, validation) in forms(&bundle) {
                    let Some(content) = content.filter(|_| validation.matches) else {
                        refused.push(format!("{kind}: {}", validation.reason));
                        continue;
                    };
                    let digest = bundle.executed_digest;
                    match self.restore(kind, &content.bytes, digest, &tables) {
                        Ok(plan) => {
                            let reason = "it has the recorded digest";
                            refused.push(format!("{kind}: {reason}"));
                            return Ok(Chosen {
                                plan,
                                form: kind,
                                reason: refused.join("; "),
                            });
                        }
                        Err(error) => refused.push(format!("{kind}: {error}")),
                    }
                }
                let digest = plan_digest(&executed)?.digest;
                if digest != bundle.executed_digest {
                    return Err(not_replayable(
                        name,
                        "its recorded text plans to another plan than it did then",
                    ));
                }
                refused.push("the text planned again has the recorded digest".to_owned());
            }
            Err(error) => {
                let recorded = self
                    .inputs
                    .views
                    .get(name)
                    .map(|view| view.keys.plan_digest);
                let now = bound.planned().view(name)?.bundle().digest.digest;
                if recorded != Some(now) {
                    return Err(not_replayable(
                        name,
                        &format!("{error}, and its text plans to another plan than it did then"),
                    ));
                }
                refused.push(format!(
                    "{error}; the text planned again has the recorded digest"
                ));
            }
        }
        Ok(Chosen {
            plan: executed,
            form: FormKind::Plan,
            reason: refused.join("; "),
        })
    }

    fn restore(
        &self,
        kind: FormKind,
        bytes: &[u8],
        digest: Fingerprint,
        tables: &BTreeMap<String, Arc<dyn TableSource>>,
    ) -> Result<LogicalPlan> {
        let state = self.session.planning_state();
        on_planning_stack(|| restore_plan(kind, bytes, tables, &state, digest))
    }
}

/// The forms of a bundle, the ones to prefer first.
fn forms(bundle: &PlanBundleArtifact) -> [(FormKind, Option<&FormContent>, &FormValidation); 2] {
    [
        (
            FormKind::Substrait,
            bundle.substrait.as_ref(),
            &bundle.substrait_validation,
        ),
        (
            FormKind::Protobuf,
            bundle.protobuf.as_ref(),
            &bundle.protobuf_validation,
        ),
    ]
}

/// The schema-only tables of a plan, by name.
fn tables(plan: &LogicalPlan) -> Result<BTreeMap<String, Arc<dyn TableSource>>> {
    bind::sources(plan).map_err(|error| {
        Error::new(codes::INTERNAL, "the tables of a plan cannot be listed").with_source(error)
    })
}

async fn drain(
    mut stream: SendableRecordBatchStream,
    hash: &ResultHash,
) -> Result<u64, DataFusionError> {
    let mut rows = 0;
    while let Some(batch) = stream.try_next().await? {
        rows += batch.num_rows() as u64;
        hash.add(&batch)
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
    }
    Ok(rows)
}

/// The first of several errors, of which there is always one.
fn first(errors: Errors) -> Error {
    errors
        .into_iter()
        .next()
        .unwrap_or_else(|| Error::new(codes::INTERNAL, "a failure without an error"))
}

fn not_replayable(view: &ViewName, what: &str) -> Error {
    Error::new(codes::NOT_REPLAYABLE, format!("not replayable: {what}"))
        .with("view", view)
        .with_help("restore what is gone, or replay a newer run")
}

fn not_replayable_for(dataset: &DatasetName, what: &str) -> Error {
    Error::new(codes::NOT_REPLAYABLE, format!("not replayable: {what}"))
        .with("dataset", dataset)
        .with_help("restore what is gone, or replay a newer run")
}

/// An input that cannot be opened any more makes a run not replayable.
fn gone(view: &ViewName, error: Error) -> Error {
    match error.kind() {
        ErrorKind::Internal | ErrorKind::Interrupted => error,
        _ => not_replayable(view, &error.to_string()).with_source(error),
    }
}

/// The file that a scan did not find.
fn missing_file(error: &DataFusionError) -> Option<String> {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(DataFusionError::ObjectStore(inner)) = error.downcast_ref() {
            let text = inner.to_string();
            return text.contains("not found").then_some(text);
        }
        source = error.source();
    }
    None
}

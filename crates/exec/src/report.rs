//! What a run reports, as the command line prints it in JSON.

use std::collections::BTreeMap;

use codeanatomy_obs::{Outcome, RunStatus};
use codeanatomy_plan::Determinism;
use codeanatomy_vocab::{DeltaVersion, Fingerprint, Result, RunId, ViewName};
use serde::{Deserialize, Serialize};

use crate::{
    Action, BoundViews, Decisions, PlannedScan, PlannedView, PlannedViews, Reason, ScanResult,
    ViewValidation,
};

/// What a build would do.
#[derive(Debug, Clone, Serialize)]
pub struct PlanReport {
    /// Upstream before downstream.
    pub views: Vec<ViewPlan>,
}

/// What a build would do with one view.
#[derive(Debug, Clone, Serialize)]
pub struct ViewPlan {
    /// The view.
    pub name: ViewName,
    /// What would be done.
    pub action: Action,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The identity of plan, environment and inputs.
    pub plan_fingerprint: Fingerprint,
    /// The identity of the rows.
    pub result_key: Fingerprint,
    /// How far two builds of this key can differ.
    pub determinism: Determinism,
    /// Dataset files that a build of this view reads, through ephemeral views too: those of
    /// [`scans`](Self::scans) together, so a file of two scans counts twice.
    pub files: u64,
    /// The size of these files in bytes.
    pub bytes: u64,
    /// Each scan of a dataset, in the order of the plan.
    pub scans: Vec<PlannedScan>,
}

/// What a build did.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BuildReport {
    /// The run.
    pub run_id: RunId,
    /// How it ended.
    pub status: RunStatus,
    /// Upstream before downstream.
    pub views: Vec<ViewResult>,
    /// The run's folder; none where it could not be written.
    pub run_bundle: Option<String>,
}

/// What became of one view.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ViewResult {
    /// The view.
    pub name: ViewName,
    /// What became of it.
    pub outcome: Outcome,
    /// Rows of its output; none for a view that is not stored or was not built.
    pub rows: Option<u64>,
    /// The hash of its output's rows.
    pub result_hash: Option<String>,
    /// The version of its output that holds the rows.
    pub delta_version: Option<DeltaVersion>,
    /// The form of the plan that ran, for a replay.
    pub replay_form: Option<String>,
    /// Time from start to commit; 0 for a view that did not run.
    pub elapsed_ms: u64,
    /// What holding its rows against its contract gave; none where nothing was built, or without a
    /// contract.
    #[serde(default)]
    pub validation: Option<ViewValidation>,
    /// Each scan of a dataset that ran, with what it was planned to read and what it read.
    #[serde(default)]
    pub scans: Vec<ScanResult>,
}

/// The identities of all views.
#[derive(Debug, Clone, Serialize)]
pub struct FingerprintsReport {
    /// By name.
    pub views: BTreeMap<ViewName, ViewFingerprints>,
}

/// The identities of one view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewFingerprints {
    /// The identity of plan, environment and inputs.
    pub plan_fingerprint: Fingerprint,
    /// The identity of the rows.
    pub result_key: Fingerprint,
    /// The identity of the query alone.
    pub plan_digest: Fingerprint,
}

impl PlanReport {
    /// Puts together what `decisions` say of the views of `bound`.
    ///
    /// # Errors
    ///
    /// None that a caller can cause.
    pub fn new(bound: &BoundViews, decisions: &Decisions) -> Result<Self> {
        let views = bound
            .planned()
            .iter()
            .map(|view| {
                let scans = bound.scans(view.name())?;
                let decision = decisions.get(view.name());
                Ok(ViewPlan {
                    name: view.name().clone(),
                    action: decision.map_or(Action::Build, |decision| decision.action),
                    reasons: decision.map(|d| d.reasons.clone()).unwrap_or_default(),
                    plan_fingerprint: view.bundle().plan_fingerprint,
                    result_key: view.bundle().result_key,
                    determinism: view.bundle().determinism,
                    files: scans.iter().map(|scan| scan.files).sum(),
                    bytes: scans.iter().map(|scan| scan.bytes).sum(),
                    scans,
                })
            })
            .collect::<Result<_>>()?;
        Ok(Self { views })
    }

    /// Whether a build would do anything.
    pub fn changes(&self) -> bool {
        self.views.iter().any(|view| view.action == Action::Build)
    }
}

impl ViewResult {
    /// Whether the run computed it.
    pub fn was_built(&self) -> bool {
        self.outcome == Outcome::Built
    }
}

impl FingerprintsReport {
    /// The identities of all of `planned`.
    pub fn new(planned: &PlannedViews) -> Self {
        let views = planned
            .iter()
            .map(|view| (view.name().clone(), ViewFingerprints::of(view)))
            .collect();
        Self { views }
    }
}

impl ViewFingerprints {
    /// The identities of `view`.
    pub fn of(view: &PlannedView) -> Self {
        let bundle = view.bundle();
        Self {
            plan_fingerprint: bundle.plan_fingerprint,
            result_key: bundle.result_key,
            plan_digest: bundle.digest.digest,
        }
    }
}

//! What a run keeps of the plans that it executes.

use std::fmt;

use codeanatomy_plan::forms::{PlanSource, executed_forms};
use codeanatomy_plan::{DeltaInput, PlanBundleArtifact, plan_digest};
use codeanatomy_session::on_planning_stack;
use codeanatomy_vocab::{Result, ViewName};

use crate::{BoundViews, ExecutedPlan, bind};

/// Where a run puts the bundles of the views that it builds.
///
/// Called from several threads. A sink that cannot keep a bundle says so elsewhere: the run goes
/// on.
pub trait BundleSink: fmt::Debug + Send + Sync {
    /// Keeps the bundle of one view.
    fn keep(&self, bundle: &PlanBundleArtifact);
}

/// Makes the bundle of a view that is about to be built, with the forms of the plan that runs.
///
/// Takes about as long as planning did, and a thread for as long.
pub(crate) fn artifact(
    bound: &BoundViews,
    name: &ViewName,
    executed: &ExecutedPlan,
) -> Result<PlanBundleArtifact> {
    let view = bound.planned().view(name)?;
    let state = bound.session().planning_state();
    let delta_inputs = bound
        .datasets_read(name)?
        .into_iter()
        .filter_map(|dataset| {
            let pin = dataset.pin()?;
            Some(DeltaInput {
                table: dataset.name().to_string(),
                location: dataset.path().display().to_string(),
                version: pin.version,
                committed_at: pin.committed_at.map(|time| time.0),
                footprint: dataset.identity().footprint,
            })
        })
        .collect();
    on_planning_stack(|| {
        let executed_digest = plan_digest(&executed.optimized)?.digest;
        let tables = bind::sources(&executed.unoptimized).unwrap_or_default();
        let forms = executed_forms(
            &PlanSource {
                optimized: &executed.optimized,
                unoptimized: &executed.unoptimized,
                digest: executed_digest,
                functions: &view.bundle().required_udfs,
            },
            &tables,
            &state,
        );
        let mut artifact = view.bundle().artifact(forms, delta_inputs);
        artifact.executed_digest = executed_digest;
        Ok(artifact)
    })
}

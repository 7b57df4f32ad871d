//! The plan that executing a view runs: with the plans of ephemeral upstream views in place.

use std::collections::BTreeMap;
use std::sync::Arc;

use codeanatomy_vocab::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;

use crate::bound::{as_stored, engine_error};
use crate::{PlannedView, ViewDefinition, bind};

/// What executing a view runs, against schemas.
#[derive(Debug, Clone)]
pub struct ExecutedPlan {
    /// Before the optimizer.
    pub unoptimized: LogicalPlan,
    /// After it.
    pub optimized: LogicalPlan,
}

/// Puts the plans of `upstream`, which come upstream before downstream, in place of their names in
/// the analyzed plan of `view`, and optimizes the whole.
pub(crate) fn put_in_place<'a>(
    view: &ViewDefinition,
    analyzed: &LogicalPlan,
    upstream: impl Iterator<Item = &'a PlannedView>,
    state: &SessionState,
) -> Result<ExecutedPlan> {
    let unoptimized = in_place(view, analyzed, upstream)?;
    let optimized = bind::optimize(unoptimized.clone(), state)
        .map_err(|error: DataFusionError| engine_error(error, view))?;
    Ok(ExecutedPlan {
        unoptimized,
        optimized,
    })
}

/// As [`put_in_place`], without the optimizer.
pub(crate) fn in_place<'a>(
    view: &ViewDefinition,
    analyzed: &LogicalPlan,
    upstream: impl Iterator<Item = &'a PlannedView>,
) -> Result<LogicalPlan> {
    let mut plans = BTreeMap::new();
    // Each finds the ones that it reads.
    for other in upstream {
        let plan = bind::inline(other.analyzed().clone(), &plans)
            .and_then(|plan| as_stored(plan, other))
            .map_err(|error| engine_error(error, other.definition()))?;
        plans.insert(other.name().as_str().to_owned(), Arc::new(plan));
    }
    bind::inline(analyzed.clone(), &plans)
        .map_err(|error: DataFusionError| engine_error(error, view))
}

//! From a plan against schemas to a plan against data.

use std::collections::BTreeMap;
use std::sync::Arc;

use codeanatomy_session::on_planning_stack;
use codeanatomy_views::SchemaSource;
use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result, internal_err};
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::logical_plan::{SubqueryAlias, TableScan};
use datafusion::logical_expr::{LogicalPlan, TableSource};
use datafusion::physical_plan::ExecutionPlan;

/// Puts the plans of upstream views in place of the scans of their names.
///
/// `plan` must come from the analyzer and not from the optimizer, whose scans have projections that
/// an inlined plan does not know.
pub(crate) fn inline(
    plan: LogicalPlan,
    upstream: &BTreeMap<String, Arc<LogicalPlan>>,
) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::TableScan(scan) if scan.source.is::<SchemaSource>() => {
            match upstream.get(scan.table_name.table()) {
                Some(plan) => inline_scan(scan, plan),
                None => Ok(Transformed::no(LogicalPlan::TableScan(scan))),
            }
        }
        other => Ok(Transformed::no(other)),
    })
    .map(|transformed| transformed.data)
}

/// The schema-only tables of `plan`, by name.
pub(crate) fn sources(plan: &LogicalPlan) -> Result<BTreeMap<String, Arc<dyn TableSource>>> {
    let mut sources = BTreeMap::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && scan.source.is::<SchemaSource>()
        {
            let name = scan.table_name.table().to_owned();
            sources.insert(name, Arc::clone(&scan.source));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(sources)
}

/// Puts data in place of the schema-only tables of `plan`: for each scan what `open` gives for it.
pub(crate) fn bind(
    plan: LogicalPlan,
    mut open: impl FnMut(&TableScan) -> Result<Arc<dyn TableProvider>>,
) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::TableScan(scan) if scan.source.is::<SchemaSource>() => {
            let provider = open(&scan)?;
            bind_scan(scan, &provider)
        }
        other => Ok(Transformed::no(other)),
    })
    .map(|transformed| transformed.data)
}

/// Optimizes a plan in which upstream plans were put in place.
pub(crate) fn optimize(plan: LogicalPlan, state: &SessionState) -> Result<LogicalPlan> {
    on_planning_stack(|| state.optimizer().optimize(plan, state, |_, _| {}))
}

/// Makes the physical plan of an optimized, bound plan, on a thread with a large stack.
pub(crate) async fn physical_plan(
    plan: LogicalPlan,
    state: SessionState,
) -> Result<Arc<dyn ExecutionPlan>> {
    let runtime = tokio::runtime::Handle::current();
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let work = move || {
        let planner = Arc::clone(state.query_planner());
        let result = runtime.block_on(planner.create_physical_plan(&plan, &state));
        // The receiver is gone only when the build was cancelled.
        let _ = sender.send(result);
    };
    std::thread::Builder::new()
        .name("physical-planning".to_owned())
        .stack_size(codeanatomy_session::PLANNING_STACK_BYTES)
        .spawn(work)
        .map_err(DataFusionError::IoError)?;
    match receiver.await {
        Ok(result) => result,
        Err(_) => internal_err!("the planning thread panicked"),
    }
}

fn bind_scan(
    scan: TableScan,
    provider: &Arc<dyn TableProvider>,
) -> Result<Transformed<LogicalPlan>> {
    let planned = scan.source.schema();
    let found = provider.schema();
    let same = planned.fields().len() == found.fields().len()
        && planned
            .fields()
            .iter()
            .zip(found.fields())
            .all(|(planned, found)| {
                planned.name() == found.name() && planned.data_type() == found.data_type()
            });
    if !same {
        return internal_err!(
            "the table `{}` was planned with the schema {planned} and has {found}",
            scan.table_name
        );
    }
    let source = provider_as_source(Arc::clone(provider));
    Ok(Transformed::yes(LogicalPlan::TableScan(TableScan {
        source,
        ..scan
    })))
}

fn inline_scan(scan: TableScan, plan: &Arc<LogicalPlan>) -> Result<Transformed<LogicalPlan>> {
    if scan.projection.is_some() || !scan.filters.is_empty() || scan.fetch.is_some() {
        return internal_err!(
            "a plan is put in place of an optimized scan of `{}`",
            scan.table_name
        );
    }
    SubqueryAlias::try_new(Arc::clone(plan), scan.table_name)
        .map(|alias| Transformed::yes(LogicalPlan::SubqueryAlias(alias)))
}

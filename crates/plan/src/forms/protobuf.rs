//! The engine's own protobuf encoding of a plan.

mod check;
mod value;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::execution::{SessionState, TaskContext};
use datafusion_common::arrow::datatypes::SchemaRef;
use datafusion_common::tree_node::Transformed;
use datafusion_common::{DataFusionError, Result as EngineResult, TableReference};
use datafusion_common::{not_impl_err, plan_err};
use datafusion_expr::logical_plan::Limit;
use datafusion_expr::{Extension, FetchType, LogicalPlan};
use datafusion_proto::logical_plan::{AsLogicalPlan, LogicalExtensionCodec};
use datafusion_proto::protobuf::LogicalPlanNode;
use prost::Message;

use super::guard::{MAX_BYTES, Reason};
use super::mend;
use super::tables::{FormTable, Tables, unwrap, wrap};

/// Tables by name; the bytes of a scan hold nothing else of them.
struct Codec {
    tables: Tables,
}

pub(super) fn encode(plan: &LogicalPlan, tables: &Tables) -> Result<Vec<u8>, Reason> {
    let text = |error: DataFusionError| error.strip_backtrace();
    let plan = mend::for_protobuf(plan.clone()).map_err(text)?;
    let plan = wrap(plan, tables).map_err(text)?;
    let codec = Codec {
        tables: Tables::new(),
    };
    let node = LogicalPlanNode::try_from_logical_plan(&plan, &codec).map_err(text)?;
    let length = node.encoded_len();
    if length > MAX_BYTES {
        return Err(format!(
            "it would have {length} bytes, and {MAX_BYTES} is the most"
        ));
    }
    Ok(node.encode_to_vec())
}

/// Decodes a plan. Only queries that [`encode`] could have written are taken: no statements, no
/// files, no tables but the given ones.
pub(super) fn decode(
    bytes: &[u8],
    tables: &Tables,
    functions: &TaskContext,
) -> Result<LogicalPlan, Reason> {
    let text = |error: DataFusionError| error.strip_backtrace();
    let node = LogicalPlanNode::decode(bytes).map_err(|error| error.to_string())?;
    check::check(&node)?;
    let codec = Codec {
        tables: tables.clone(),
    };
    let plan = node
        .try_into_logical_plan(functions, &codec)
        .map_err(text)?;
    unwrap(without_unlimited_limits(plan).map_err(text)?).map_err(text)
}

/// The functions of a session, or those of them that a plan calls: a session may have thousands.
pub(super) fn functions_of(
    state: &SessionState,
    called: Option<&BTreeSet<String>>,
) -> Arc<TaskContext> {
    let Some(called) = called else {
        return state.task_ctx();
    };
    Arc::new(TaskContext::new(
        None,
        state.session_id().to_owned(),
        state.config().clone(),
        only(called, |name| state.scalar_functions().get(name).cloned()),
        only(called, |name| {
            state.higher_order_functions().get(name).cloned()
        }),
        only(called, |name| {
            state.aggregate_functions().get(name).cloned()
        }),
        only(called, |name| state.window_functions().get(name).cloned()),
        Arc::clone(state.runtime_env()),
    ))
}

fn only<F, M: FromIterator<(String, Arc<F>)>>(
    called: &BTreeSet<String>,
    find: impl Fn(&String) -> Option<Arc<F>>,
) -> M {
    called
        .iter()
        .filter_map(|name| Some((name.clone(), find(name)?)))
        .collect()
}

/// The encoding writes the lack of a limit as the largest one.
fn without_unlimited_limits(plan: LogicalPlan) -> EngineResult<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::Limit(limit)
            if matches!(
                limit.get_fetch_type(),
                Ok(FetchType::Literal(Some(fetch))) if fetch == i64::MAX as usize
            ) =>
        {
            Ok(Transformed::yes(LogicalPlan::Limit(Limit {
                fetch: None,
                ..limit
            })))
        }
        other => Ok(Transformed::no(other)),
    })
    .map(|transformed| transformed.data)
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.tables.keys()).finish()
    }
}

impl LogicalExtensionCodec for Codec {
    fn try_decode(
        &self,
        _buf: &[u8],
        _inputs: &[LogicalPlan],
        _ctx: &TaskContext,
    ) -> EngineResult<Extension> {
        not_impl_err!("an extension node in a kept plan")
    }

    fn try_encode(&self, node: &Extension, _buf: &mut Vec<u8>) -> EngineResult<()> {
        not_impl_err!("the extension node {} has no kept form", node.node.name())
    }

    fn try_decode_table_provider(
        &self,
        _buf: &[u8],
        table_ref: &TableReference,
        schema: SchemaRef,
        _ctx: &TaskContext,
    ) -> EngineResult<Arc<dyn TableProvider>> {
        match FormTable::find(&self.tables, table_ref) {
            Some(table) if table.schema() == schema => Ok(table),
            Some(_) => plan_err!("the table `{table_ref}` has another schema now"),
            None => plan_err!("the plan scans `{table_ref}`, which is none of its tables"),
        }
    }

    fn try_encode_table_provider(
        &self,
        table_ref: &TableReference,
        node: Arc<dyn TableProvider>,
        _buf: &mut Vec<u8>,
    ) -> EngineResult<()> {
        if node.downcast_ref::<FormTable>().is_some() {
            Ok(())
        } else {
            not_impl_err!("the table `{table_ref}` is not one of a project")
        }
    }
}

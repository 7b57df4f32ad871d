//! The Substrait encoding of a plan, in canonical bytes.

mod consumer;
mod options;
mod producer;

use codeanatomy_vocab::{Error, Result as CrateResult};
use datafusion::execution::SessionState;
use datafusion_common::DataFusionError;
use datafusion_expr::LogicalPlan;
use datafusion_substrait::extensions::Extensions;
use datafusion_substrait::logical_plan::consumer::from_substrait_plan_with_consumer;
use datafusion_substrait::substrait::proto::Plan;
use datafusion_substrait::substrait::proto::extensions::SimpleExtensionDeclaration;
use datafusion_substrait::substrait::proto::extensions::simple_extension_declaration::MappingType;
use prost::Message;

use self::consumer::Consumer;
use super::guard::{MAX_BYTES, Reason, check_length, guarded, ready};
use super::mend;
use super::tables::{Tables, unwrap};
use crate::error::codes;

/// The canonical bytes of a plan. Functions are numbered in the order in which the plan calls
/// them, and declared in the order of their numbers.
pub(super) fn encode(plan: &LogicalPlan, state: &SessionState) -> Result<Vec<u8>, Reason> {
    let plan = mend::for_substrait(plan.clone()).map_err(text)?;
    let mut plan = producer::produce(&plan, state).map_err(text)?;
    plan.extensions.sort_by_key(declaration_order);
    let length = plan.encoded_len();
    if length > MAX_BYTES {
        return Err(format!(
            "it would have {length} bytes, and {MAX_BYTES} is the most"
        ));
    }
    Ok(plan.encode_to_vec())
}

/// Decodes a plan, not optimized.
pub(super) fn decode(
    bytes: &[u8],
    tables: &Tables,
    state: &SessionState,
) -> Result<LogicalPlan, Reason> {
    let plan = Plan::decode(bytes).map_err(|error| error.to_string())?;
    let extensions = Extensions::try_from(&plan.extensions).map_err(text)?;
    let consumer = Consumer::new(&extensions, tables, state);
    let plan = ready(from_substrait_plan_with_consumer(&consumer, &plan))?.map_err(text)?;
    unwrap(plan).map_err(text)
}

/// The Substrait form for people: the message as JSON, in the names of the Substrait definition.
///
/// # Errors
///
/// [`CA-PLAN-0007`](codes::UNREADABLE_FORM) when the bytes are no Substrait plan.
pub fn substrait_text(bytes: &[u8]) -> CrateResult<String> {
    let read = || {
        check_length(bytes)?;
        let plan = Plan::decode(bytes).map_err(|error| error.to_string())?;
        serde_json::to_string_pretty(&plan).map_err(|error| error.to_string())
    };
    guarded(read).map_err(|reason| {
        Error::new(
            codes::UNREADABLE_FORM,
            format!("the substrait form cannot be read: {reason}"),
        )
        .with_help("plan again to write a new form")
    })
}

fn text(error: DataFusionError) -> Reason {
    error.strip_backtrace()
}

fn declaration_order(declaration: &SimpleExtensionDeclaration) -> (u8, u32) {
    match &declaration.mapping_type {
        None => (0, 0),
        Some(MappingType::ExtensionType(extension)) => (1, extension.type_anchor),
        Some(MappingType::ExtensionTypeVariation(extension)) => {
            (2, extension.type_variation_anchor)
        }
        Some(MappingType::ExtensionFunction(extension)) => (3, extension.function_anchor),
    }
}

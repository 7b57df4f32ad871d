//! The Substrait form: canonical bytes that have been decoded again and compared.
//!
//! Substrait loses meaning without a word where it has none for a feature of the engine, so the
//! form says whether the plan that it decodes to has the digest of the original. Only a form that
//! does may be run in place of the plan.

use std::fmt;

use codeanatomy_vocab::{Error, Fingerprint, Result};
use datafusion::execution::SessionState;
use datafusion_common::tree_node::TreeNodeRecursion;
use datafusion_expr::LogicalPlan;
use datafusion_substrait::logical_plan::consumer::from_substrait_plan;
use datafusion_substrait::logical_plan::producer::to_substrait_plan;
use datafusion_substrait::substrait::proto::Plan;
use datafusion_substrait::substrait::proto::extensions::SimpleExtensionDeclaration;
use datafusion_substrait::substrait::proto::extensions::simple_extension_declaration::MappingType;
use prost::Message;
use sha2::{Digest, Sha256};

use crate::error::codes;
use crate::plan_digest;

/// A plan as Substrait bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubstraitForm {
    /// The Substrait plan as protobuf, the same bytes in every process.
    pub bytes: Vec<u8>,
    /// The SHA-256 of the bytes.
    pub sha256: Fingerprint,
    /// Which of the two plans was encoded.
    pub source: FormSource,
    /// Whether the bytes decode to the plan they were made from.
    pub validation: Validation,
}

/// Which plan a form was made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormSource {
    /// The optimized plan.
    Optimized,
    /// The plan as the query says it.
    Unoptimized,
}

/// The outcome of decoding a form again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// Whether the decoded plan, optimized, has the digest of the original.
    pub matches: bool,
    /// The outcome in words.
    pub reason: String,
}

/// Why a plan has no Substrait form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingForm {
    /// The reason in words, for each plan that was tried.
    pub reason: String,
}

impl fmt::Display for MissingForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for MissingForm {}

/// Makes the Substrait form of a plan: from the optimized plan, or from the unoptimized one where
/// the first cannot be encoded or does not validate.
///
/// `session` names the tables and functions of the plan. A form that does not validate is returned
/// too, because its bytes still identify the plan; its [`Validation`] says why.
///
/// # Errors
///
/// [`MissingForm`] where neither plan can be encoded.
pub async fn substrait_form(
    optimized: &LogicalPlan,
    unoptimized: &LogicalPlan,
    session: &SessionState,
) -> Result<SubstraitForm, MissingForm> {
    let original = match plan_digest(optimized) {
        Ok(digest) => digest.digest,
        Err(error) => {
            return Err(MissingForm {
                reason: error.to_string(),
            });
        }
    };
    let mut invalid = None;
    let mut reasons = Vec::new();
    for (source, plan) in [
        (FormSource::Optimized, optimized),
        (FormSource::Unoptimized, unoptimized),
    ] {
        match encode(plan, session) {
            Ok(bytes) => {
                let validation = validate(&bytes, original, session).await;
                let form = SubstraitForm {
                    sha256: Fingerprint::from_bytes(Sha256::digest(&bytes).into()),
                    bytes,
                    source,
                    validation,
                };
                if form.validation.matches {
                    return Ok(form);
                }
                invalid.get_or_insert(form);
            }
            Err(reason) => reasons.push(format!("{source}: {reason}")),
        }
    }
    invalid.ok_or_else(|| MissingForm {
        reason: reasons.join("; "),
    })
}

/// Decodes Substrait bytes to a plan, not optimized.
///
/// # Errors
///
/// [`CA-PLAN-0007`](codes::UNREADABLE_FORM) when the bytes are damaged or say what the engine does
/// not understand.
pub async fn decode_substrait(bytes: &[u8], session: &SessionState) -> Result<LogicalPlan> {
    let unreadable = |source: Box<dyn std::error::Error + Send + Sync>| {
        Error::new(codes::UNREADABLE_FORM, "the Substrait form cannot be read")
            .with_help("run the plan itself, or build the view again to write a new form")
            .with_source(source)
    };
    let plan = Plan::decode(bytes).map_err(|source| unreadable(Box::new(source)))?;
    from_substrait_plan(session, &plan)
        .await
        .map_err(|source| unreadable(Box::new(source)))
}

impl fmt::Display for FormSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Optimized => "optimized plan",
            Self::Unoptimized => "unoptimized plan",
        })
    }
}

/// The canonical bytes. The producer numbers its extensions in the order in which it meets them,
/// which is the same every time, but declares them in the order of a hash map.
fn encode(plan: &LogicalPlan, session: &SessionState) -> Result<Vec<u8>, String> {
    if has_null_aware_join(plan) {
        return Err("Substrait has no join that knows the nulls of NOT IN".to_owned());
    }
    let mut plan = to_substrait_plan(plan, session).map_err(|error| error.to_string())?;
    plan.extensions.sort_by_key(declaration_order);
    Ok(plan.encode_to_vec())
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

async fn validate(bytes: &[u8], original: Fingerprint, session: &SessionState) -> Validation {
    let decoded = match decode_substrait(bytes, session).await {
        Ok(plan) => session.optimize(&plan).map_err(|error| error.to_string()),
        Err(error) => Err(std::error::Error::source(&error)
            .map_or_else(|| error.to_string(), ToString::to_string)),
    };
    let digest = decoded.and_then(|plan| plan_digest(&plan).map_err(|error| error.to_string()));
    let (matches, reason) = match digest {
        Ok(digest) if digest.digest == original => {
            (true, "the decoded plan has the same digest".to_owned())
        }
        Ok(_) => (false, "the decoded plan has another digest".to_owned()),
        Err(error) => (false, format!("the form does not decode: {error}")),
    };
    Validation { matches, reason }
}

fn has_null_aware_join(plan: &LogicalPlan) -> bool {
    // The closure returns no error.
    let mut found = false;
    let _ = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Join(join) = node {
            found |= join.null_aware;
        }
        Ok(if found {
            TreeNodeRecursion::Stop
        } else {
            TreeNodeRecursion::Continue
        })
    });
    found
}

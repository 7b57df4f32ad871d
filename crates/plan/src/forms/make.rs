//! Making forms, validating them, and turning them back into plans.

use std::collections::BTreeMap;
use std::sync::Arc;

use codeanatomy_vocab::{Error, Fingerprint, Result};
use datafusion::execution::{SessionState, TaskContext};
use datafusion_common::DataFusionError;
use datafusion_expr::{LogicalPlan, TableSource};

use super::bounds::{Chains, check_extent};
use super::guard::{Reason, check_length, guarded};
use super::reason::difference;
use super::tables::{Tables, check_tables, check_work_tables};
use super::{Form, FormContent, FormKind, FormSource, FormValidation, PlanForms};
use super::{protobuf, substrait};
use crate::error::codes;
use crate::{PlanBundle, plan_digest};

/// What the forms of one plan are made with.
struct Maker<'m> {
    tables: &'m Tables,
    state: &'m SessionState,
    functions: Arc<TaskContext>,
    /// The canonical digest that a decoded plan must have.
    digest: Fingerprint,
}

/// Makes both forms of a bundle's plan, decodes them again, and says for each whether it may stand
/// for the plan.
///
/// Each form is made from the optimized plan, else from the unoptimized one, where the first has no
/// form or comes back as another plan. `tables` are the tables that the plan scans, by the text of
/// their reference; `state` is the session that planned it, with its functions and rules.
///
/// Never fails: a form that cannot be made is missing, with the reason in words. The same plan in
/// the same session gives the same Substrait bytes in every process.
///
/// Nothing is read and nothing waits. Recursion is as deep as the plan, within the limits of what
/// is encoded at all: meant for a thread with a stack for planning.
pub fn plan_forms(
    bundle: &PlanBundle,
    tables: &BTreeMap<String, Arc<dyn TableSource>>,
    state: &SessionState,
) -> PlanForms {
    let maker = Maker {
        tables,
        state,
        functions: protobuf::functions_of(state, Some(&bundle.required_udfs)),
        digest: bundle.digest.digest,
    };
    PlanForms {
        substrait: maker.form(FormKind::Substrait, bundle),
        protobuf: maker.form(FormKind::Protobuf, bundle),
    }
}

/// Decodes a form to a plan that scans exactly the given tables. The plan is not optimized, and
/// nobody has compared it with anything: see [`restore_plan`].
///
/// The bytes may be anything. What no form of a query holds (statements, files, other tables) is
/// refused, and so is what would take very much memory or time.
///
/// # Errors
///
/// [`CA-PLAN-0007`](codes::UNREADABLE_FORM) when the bytes do not decode, and for
/// [`FormKind::Plan`], which has no bytes.
pub fn decode_form(
    kind: FormKind,
    bytes: &[u8],
    tables: &BTreeMap<String, Arc<dyn TableSource>>,
    state: &SessionState,
) -> Result<LogicalPlan> {
    let functions = match kind {
        FormKind::Protobuf => protobuf::functions_of(state, None),
        FormKind::Substrait | FormKind::Plan => Arc::default(),
    };
    decode(kind, bytes, tables, state, &functions).map_err(|reason| unreadable(kind, &reason))
}

/// Turns a form back into the plan that it was made from, ready to be bound to data and run.
///
/// The decoded plan, optimized by the session where it has to be, must have the given canonical
/// digest: that of the bundle.
///
/// # Errors
///
/// [`CA-PLAN-0007`](codes::UNREADABLE_FORM) when the bytes do not decode, and
/// [`CA-PLAN-0008`](codes::OTHER_PLAN) when they decode to another plan.
pub fn restore_plan(
    kind: FormKind,
    bytes: &[u8],
    tables: &BTreeMap<String, Arc<dyn TableSource>>,
    state: &SessionState,
    digest: Fingerprint,
) -> Result<LogicalPlan> {
    let plan = decode_form(kind, bytes, tables, state)?;
    match restored(plan, digest, state) {
        Ok(Restored::Same(plan, _)) => Ok(plan),
        Ok(Restored::Other(_)) => Err(Error::new(
            codes::OTHER_PLAN,
            format!("the {kind} form holds another plan than the one that was recorded"),
        )
        .with("form", kind)
        .with_expected(format!("a plan with the digest {digest}"))
        .with_help("run another form or the plan itself; plan again to write a new form")),
        Err(reason) => Err(unreadable(kind, &reason)),
    }
}

/// A decoded plan after the comparison.
enum Restored {
    /// The plan of the digest, and how it was found.
    Same(LogicalPlan, &'static str),
    Other(LogicalPlan),
}

impl Maker<'_> {
    fn form(&self, kind: FormKind, bundle: &PlanBundle) -> Form {
        let mut invalid: Option<Form> = None;
        let mut reasons = Vec::new();
        for (source, plan) in [
            (FormSource::Optimized, &bundle.optimized),
            (FormSource::Unoptimized, &bundle.logical),
        ] {
            let bytes = match self.encode(kind, plan) {
                Ok(bytes) => bytes,
                Err(reason) => {
                    reasons.push(format!("from the {source}: {reason}"));
                    continue;
                }
            };
            let validation = self.validate(kind, &bytes, &bundle.optimized);
            let matches = validation.matches;
            let form = Form {
                kind,
                content: Some(FormContent::new(source, bytes)),
                validation,
            };
            if matches {
                return form;
            }
            invalid.get_or_insert(form);
        }
        invalid.unwrap_or_else(|| Form::missing(kind, reasons.join("; ")))
    }

    fn encode(&self, kind: FormKind, plan: &LogicalPlan) -> Result<Vec<u8>, Reason> {
        guarded(|| match kind {
            FormKind::Substrait => {
                check_extent(plan, Chains::Connectives)?;
                check_tables(plan, self.tables)?;
                substrait::encode(plan, self.state)
            }
            FormKind::Protobuf => {
                check_extent(plan, Chains::All)?;
                check_tables(plan, self.tables)?;
                protobuf::encode(plan, self.tables)
            }
            FormKind::Plan => Err("the plan itself has no bytes".to_owned()),
        })
    }

    fn validate(&self, kind: FormKind, bytes: &[u8], original: &LogicalPlan) -> FormValidation {
        let restored = decode(kind, bytes, self.tables, self.state, &self.functions)
            .map_err(|reason| format!("the form does not decode: {reason}"))
            .and_then(|plan| restored(plan, self.digest, self.state));
        match restored {
            Ok(Restored::Same(_, reason)) => FormValidation {
                matches: true,
                reason: reason.to_owned(),
            },
            Ok(Restored::Other(decoded)) => FormValidation {
                matches: false,
                reason: difference(kind, original, &decoded),
            },
            Err(reason) => FormValidation {
                matches: false,
                reason,
            },
        }
    }
}

fn decode(
    kind: FormKind,
    bytes: &[u8],
    tables: &Tables,
    state: &SessionState,
    functions: &TaskContext,
) -> Result<LogicalPlan, Reason> {
    check_length(bytes)?;
    guarded(|| {
        let plan = match kind {
            FormKind::Substrait => substrait::decode(bytes, tables, state)?,
            FormKind::Protobuf => protobuf::decode(bytes, tables, functions)?,
            FormKind::Plan => return Err("the plan itself has no bytes".to_owned()),
        };
        check_work_tables(&plan)?;
        Ok(plan)
    })
}

/// Looks for the plan of a digest: the decoded one, else what the optimizer makes of it.
fn restored(
    decoded: LogicalPlan,
    digest: Fingerprint,
    state: &SessionState,
) -> Result<Restored, Reason> {
    let has_digest = |plan: &LogicalPlan| match plan_digest(plan) {
        Ok(found) => found.digest == digest,
        // Before the analyzer's work some references do not resolve.
        Err(_) => false,
    };
    if has_digest(&decoded) {
        return Ok(Restored::Same(decoded, "it decodes to the same plan"));
    }
    let optimized = guarded(|| {
        state
            .optimize(&decoded)
            .map_err(|error: DataFusionError| error.strip_backtrace())
    })
    .map_err(|reason| format!("the decoded plan cannot be optimized: {reason}"))?;
    if has_digest(&optimized) {
        return Ok(Restored::Same(
            optimized,
            "it decodes to a plan that is optimized to the same plan",
        ));
    }
    Ok(Restored::Other(optimized))
}

fn unreadable(kind: FormKind, reason: &str) -> Error {
    Error::new(
        codes::UNREADABLE_FORM,
        format!("the {kind} form cannot be read: {reason}"),
    )
    .with("form", kind)
    .with_help("run another form or the plan itself; plan again to write a new form")
}

//! The columns of a planned view held against its contract, and what the contract makes of its plan.

use codeanatomy_schema::validate::{Outcome, ValidationOptions, checks, validate};
use codeanatomy_schema::{Facts, Violation, ViolationCode, proves_not_null};
use codeanatomy_session::Session;
use codeanatomy_vocab::{Fingerprint, Location, Result};
use datafusion::logical_expr::LogicalPlan;

use super::{ContractSubject, ContractViolation, options};
use crate::ViewDefinition;
use crate::compile::Compiled;

/// What a contract means for a planned view.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// The plan before the contract left out or cast rows, after the analyzer; none where it does
    /// neither.
    pub(crate) unaltered: Option<LogicalPlan>,
    /// The identity of the contract, where the plan alone does not prove all that it says of rows.
    pub(crate) open: Option<Fingerprint>,
}

/// Holds the columns of a view against its contract, and lets the contract into its plan.
pub(crate) fn hold(
    view: &ViewDefinition,
    compiled: Compiled,
    session: &Session,
) -> Result<(Compiled, Held, Vec<ContractViolation>)> {
    let Some(declared) = &view.contract else {
        return Ok((compiled, Held::default(), Vec::new()));
    };
    let mode = declared.mode();
    let state = session.planning_state();
    let place = |error: codeanatomy_vocab::Error| {
        error
            .at(Location::file(view.spec.path()))
            .with("view", view.spec.name())
    };
    let options = ValidationOptions {
        emit_marked_rows: true,
        ..options(mode)
    };
    let promises = checks(
        &compiled.analyzed,
        &declared.contract,
        &options,
        &Facts::default(),
    );
    let is_open = promises.iter().any(|check| check.outcome == Outcome::Open);
    let mut held = Held {
        unaltered: None,
        open: is_open.then(|| declared.identity().hash),
    };
    let compiled = if mode.alters_rows() {
        let validation =
            validate(&compiled.analyzed, &declared.contract, &options, &state).map_err(place)?;
        let analyzed = validation.valid().clone();
        let optimized = crate::bind::optimize(analyzed.clone(), &state).map_err(|error| {
            place(
                codeanatomy_vocab::Error::new(
                    crate::codes::INTERNAL,
                    "a contract cannot be made part of the view's plan",
                )
                .with_source(error)
                .with_help("this is a defect of CodeAnatomy: please report it"),
            )
        })?;
        held.unaltered = Some(compiled.analyzed);
        Compiled {
            analyzed,
            optimized,
            ..compiled
        }
    } else {
        compiled
    };
    let plan = &compiled.analyzed;
    let violations = codeanatomy_schema::check(&declared.contract, plan.schema().as_arrow())
        .into_iter()
        .filter(|violation| !is_of_rows(violation, plan, declared.on_invalid.is_some()))
        .map(|violation| ContractViolation {
            subject: ContractSubject::View(view.spec.name().clone()),
            at: match &declared.declared_at {
                Some(location) => location.clone(),
                None => Location::file(view.spec.path()),
            },
            violation,
            readers: Vec::new(),
        })
        .collect();
    Ok((compiled, held, violations))
}

/// Whether a violation is one that rows decide about: a column that may be null by its type, where
/// the plan proves that it is not, or where the contract says what becomes of its nulls.
fn is_of_rows(violation: &Violation, plan: &LogicalPlan, rows_decide: bool) -> bool {
    if violation.code != ViolationCode::NullabilityMismatch {
        return false;
    }
    let mut fields = plan.schema().fields().iter();
    let position = fields.position(|field| violation.is_of_column(field.name()));
    // Inside nested columns only the type can tell.
    position.is_some_and(|at| rows_decide || proves_not_null(plan, at))
}

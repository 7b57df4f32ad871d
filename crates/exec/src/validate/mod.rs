//! Views and datasets held against their contracts: their columns when they are planned, and their
//! rows before they are committed.
//!
//! A contract whose mode leaves out or casts rows becomes part of the view's plan, so that its readers,
//! its identity and a replay see what is written and nothing else. While a view is built, the rows
//! are looked at on their way to the files, in one pass; keys are grouped beside it. What is found
//! ends the last stream of the query with an error, and without its rows there is no commit.

mod guard;
mod keys;
mod outcomes;
mod propose;
mod recorded;
mod report;
mod rows;
mod schema;
mod violation;

use codeanatomy_schema::validate::{Strictness, ValidationOptions, ValidationReport};
use codeanatomy_schema::{Facts, OnInvalid};
use codeanatomy_vocab::Result;
use datafusion::catalog::TableProvider;
use datafusion::common::stats::Precision;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::statistics::{StatisticsArgs, StatisticsContext};
use serde::{Deserialize, Serialize};

pub(crate) use self::guard::{Guard, WatchedPlan};
pub(crate) use self::outcomes::Outcomes;
pub use self::propose::proposed_contract;
pub use self::recorded::{RecordedColumn, RecordedContract};
pub use self::report::{CheckReport, ContractReport, ViolationReport};
pub use self::rows::{ColumnNumbers, InvalidRow, RowsOptions, RowsReport};
pub(crate) use self::schema::{Held, hold};
pub use self::violation::{ContractCheck, ContractSubject, ContractViolation, check_dataset};

use crate::{BoundViews, PlannedView};

/// What holding rows against a contract gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewValidation {
    /// What becomes of rows that break the contract.
    pub mode: String,
    /// Whether the rows that are left keep it.
    pub valid: bool,
    /// How many rows were looked at; none where nobody had to.
    pub validated: Option<u64>,
    /// How many rows break a promise.
    pub invalid_rows: Option<u64>,
    /// What they break.
    pub errors: Vec<RowError>,
    /// How many promises were proved without looking.
    pub proved: usize,
}

/// One kind of error in one column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// The kind: `null_violation` and so on.
    pub error_code: String,
    /// The column, or all columns of a key.
    pub error_column: String,
    /// The number of rows.
    pub error_count: u64,
}

impl ViewValidation {
    pub(crate) fn new(mode: OnInvalid, report: &ValidationReport) -> Self {
        Self {
            mode: mode.as_str().to_owned(),
            valid: report.valid,
            validated: report.validated,
            invalid_rows: report.invalid_rows,
            errors: report
                .errors
                .iter()
                .map(|error| RowError {
                    error_code: error.code.as_str().to_owned(),
                    error_column: error.column.clone(),
                    error_count: error.count,
                })
                .collect(),
            proved: report.proved,
        }
    }
}

/// How rows are validated in a mode.
fn options(mode: OnInvalid) -> ValidationOptions {
    ValidationOptions {
        strict: match mode {
            OnInvalid::Filter => Strictness::Filter,
            OnInvalid::Fail | OnInvalid::Coerce | OnInvalid::Record => Strictness::Strict,
        },
        coerce: mode == OnInvalid::Coerce,
        ..ValidationOptions::default()
    }
}

/// What the logs of the Delta tables that a view's plan reads say of their rows.
async fn facts(bound: &BoundViews, view: &PlannedView, plan: &LogicalPlan) -> Result<Facts> {
    let mut facts = Facts::default();
    for (table, provider) in bound.tables_of(view, plan).await? {
        if bound.is_delta(&table) {
            add_facts(bound, &table, provider.as_ref(), &mut facts).await;
        }
    }
    Ok(facts)
}

/// What a Delta table's log says of its rows. Where it says nothing, nothing is known.
async fn add_facts(
    bound: &BoundViews,
    table: &str,
    provider: &dyn TableProvider,
    facts: &mut Facts,
) {
    let state = bound.session().planning_state();
    let Ok(scan) = provider.scan(&state, None, &[], None).await else {
        return;
    };
    let arguments = StatisticsArgs::new();
    let Ok(statistics) = StatisticsContext::new().compute(scan.as_ref(), &arguments) else {
        return;
    };
    let schema = scan.schema();
    for (field, column) in schema.fields().iter().zip(&statistics.column_statistics) {
        if column.null_count == Precision::Exact(0) {
            facts.add_not_null(table, field.name());
        }
        if let (Precision::Exact(min), Precision::Exact(max)) =
            (&column.min_value, &column.max_value)
        {
            facts.add_range(table, field.name(), min, max);
        }
    }
}

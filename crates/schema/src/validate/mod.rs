//! Whether rows keep a contract, as plans.
//!
//! [`validate`] takes a plan and a contract and makes plans out of them: one that counts errors in a
//! single pass over the rows, one of the rows that keep the contract, one of those that break it, and
//! one of the errors as a table. Nothing runs here. Whoever has a session runs them, so that they
//! stream, spill and obey its limits.
//!
//! # What is checked
//!
//! | code | where | counted |
//! |---|---|---|
//! | `missing_column` | a column that was promised is not there | once |
//! | `extra_column` | a column that was not promised, under `STRICT` | once |
//! | `type_mismatch` | a type that the policy does not accept; with [`coerce`](ValidationOptions::coerce), a value that the promised type cannot hold | once; with `coerce`, per row |
//! | `null_violation` | a null in a column that must not be null | per row; once where it is inside a nested column |
//! | `missing_key_field` | a null in a column of the key | per row |
//! | `duplicate_keys` | a key without nulls that another row has too | per row, all of them |
//!
//! What the plan proves ([`proves_not_null`](crate::proves_not_null),
//! [`proves_unique`](crate::proves_unique)) is not looked for: its check is
//! [`Proved`](Outcome::Proved). A check that no row can pass is [`Broken`](Outcome::Broken).
//!
//! A value is coerced only if nothing of it is lost: cast back, it must be what it was. Text is the
//! exception, where `007` may be read as 7. Values with fields or items are coerced only where every
//! value fits.
//!
//! # Example: which plans come out?
//!
//! ```
//! use codeanatomy_schema::SchemaContract;
//! use codeanatomy_schema::validate::{ErrorCode, Outcome, ValidationOptions, validate};
//! use datafusion::prelude::SessionContext;
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! let ctx = SessionContext::new();
//! let sql = "SELECT * FROM (VALUES (1, 'a'), (1, 'b'), (2, NULL)) AS t(id, name)";
//! let plan = ctx.state().create_logical_plan(sql).await?;
//! let columns = vec![
//!     ("id".to_owned(), None, Some(false)),
//!     ("name".to_owned(), None, Some(false)),
//! ];
//! let contract = SchemaContract::build("STRICT", vec!["id".to_owned()], columns)?;
//! let validation = validate(&plan, &contract, &ValidationOptions::default(), &ctx.state())?;
//! // None of the literals is null: nobody needs to look for nulls in the key.
//! let of_key = validation.checks().iter().find(|check| check.code == ErrorCode::MissingKeyField);
//! assert_eq!(of_key.map(|check| check.outcome), Some(Outcome::Proved));
//!
//! let counts = validation.counts().unwrap().clone();
//! let rows = ctx.execute_logical_plan(counts).await?.collect().await?;
//! let report = validation.report(rows.first())?;
//! assert!(!report.valid);
//! assert_eq!((report.validated, report.invalid_rows), (Some(3), Some(3)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod checks;
mod plans;
mod report;

use std::fmt;

use arrow_schema::Schema;
use codeanatomy_vocab::Result;
use datafusion_expr::LogicalPlan;
use datafusion_expr::registry::FunctionRegistry;

use self::checks::Checks;
pub use self::checks::{Check, Outcome};
pub use self::report::{ValidationError, ValidationReport};
use crate::{Facts, SchemaContract};

/// How rows are validated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ValidationOptions {
    /// What invalid rows and extra columns mean.
    pub strict: Strictness,
    /// Whether values are cast to the types of the contract where the types differ.
    pub coerce: bool,
    /// At most so many rows in the plan of invalid rows, and in the table of errors; all when absent.
    /// The counts are always complete.
    pub max_errors: Option<usize>,
    /// Whether to make the plan of invalid rows.
    pub emit_invalid_rows: bool,
    /// Whether to make the plan of the table of errors.
    pub emit_error_table: bool,
    /// Whether to make the plan of marked rows. It takes the place of the plan of counts, because
    /// whoever has the marks can count them.
    pub emit_marked_rows: bool,
}

/// What invalid rows and extra columns mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Strictness {
    /// Any error makes the rows as a whole invalid.
    #[default]
    Strict,
    /// The same, but extra columns are no error under any policy.
    Lax,
    /// `filter`: rows with errors are dropped, extra columns of a `STRICT` contract are left out, and
    /// what is left is valid.
    Filter,
}

/// What is wrong with a row, a column or a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ErrorCode {
    /// `missing_column`
    MissingColumn,
    /// `extra_column`
    ExtraColumn,
    /// `type_mismatch`
    TypeMismatch,
    /// `null_violation`
    NullViolation,
    /// `missing_key_field`
    MissingKeyField,
    /// `duplicate_keys`
    DuplicateKeys,
}

/// The plans that validate rows.
#[derive(Debug, Clone)]
pub struct Validation {
    checks: Vec<Check>,
    options: ValidationOptions,
    counts: Option<LogicalPlan>,
    valid: LogicalPlan,
    invalid: Option<LogicalPlan>,
    errors: Option<LogicalPlan>,
    marked: Option<MarkedRows>,
}

/// All rows, each with a mark for every promise that it may break: for who writes rows and holds
/// them against the contract in the same pass.
#[derive(Debug, Clone)]
pub struct MarkedRows {
    /// The columns of the valid rows, then for each of [`marks`](Self::marks) a column that is true
    /// where the row breaks that promise, and never null.
    pub plan: LogicalPlan,
    /// How many of the columns are not marks.
    pub n_columns: usize,
    /// The numbers of the checks in [`Validation::checks`], in the order of their marks.
    pub marks: Vec<usize>,
    /// The check that no key is repeated, where that is open and no mark tells: its number, and the
    /// positions of the key's columns in the plan. Rows with a null in one of them break another
    /// promise.
    pub key: Option<(usize, Vec<usize>)>,
}

/// Makes the plans that hold the rows of `plan` against `contract`. `functions` gives `count` and
/// `sum`: the state of a session, for example.
///
/// # Errors
///
/// [`CA-SCHEMA-0103`](crate::codes::NO_PLAN) where the engine makes no plan of it.
pub fn validate(
    plan: &LogicalPlan,
    contract: &SchemaContract,
    options: &ValidationOptions,
    functions: &dyn FunctionRegistry,
) -> Result<Validation> {
    validate_knowing(plan, contract, options, &Facts::default(), functions)
}

/// As [`validate`], with what is known of the tables that the plan reads.
///
/// # Errors
///
/// As [`validate`].
pub fn validate_knowing(
    plan: &LogicalPlan,
    contract: &SchemaContract,
    options: &ValidationOptions,
    facts: &Facts,
    functions: &dyn FunctionRegistry,
) -> Result<Validation> {
    let checks = Checks::of(plan, contract, options, facts);
    plans::validation(plan, checks, *options, functions)
}

/// The table that [`Validation::errors`] yields: `error_code`, `error_column` and `error_count`, none
/// of them ever null.
pub fn error_schema() -> Schema {
    plans::error_schema()
}

/// Everything that a contract promises about the rows of a plan, with what is known already, in the
/// order of the contract: columns, key, then extra columns. Makes no plan.
pub fn checks(
    plan: &LogicalPlan,
    contract: &SchemaContract,
    options: &ValidationOptions,
    facts: &Facts,
) -> Vec<Check> {
    Checks::of(plan, contract, options, facts).checks
}

impl Validation {
    /// Everything that the contract promises about rows, with what is known already, in the order of
    /// the contract: columns, key, then extra columns.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// The plan of one row that counts errors, for [`report`](Self::report). `None` where nothing is
    /// open: then nobody needs to look at the rows. Nor where marked rows were asked for.
    ///
    /// It reads the rows once. With a key whose uniqueness is not proved it groups them by the key.
    pub fn counts(&self) -> Option<&LogicalPlan> {
        self.counts.as_ref()
    }

    /// The rows that break no promise, in any order: with the columns of the input, those that are
    /// coerced cast, under their unqualified names.
    pub fn valid(&self) -> &LogicalPlan {
        &self.valid
    }

    /// The rows that break a promise, with the columns of the input as they are, and `error_code` and
    /// `error_column` of the first promise that each breaks. `None` unless it was asked for.
    pub fn invalid(&self) -> Option<&LogicalPlan> {
        self.invalid.as_ref()
    }

    /// All rows with what each breaks. `None` unless it was asked for. Repeated keys are marked
    /// under [`Filter`](Strictness::Filter) alone, because that sorts all rows by the key; else it
    /// is left to the caller to count the keys that go by.
    pub fn marked(&self) -> Option<&MarkedRows> {
        self.marked.as_ref()
    }

    /// The report on rows that somebody else counted: all of them, those that break a promise, and
    /// for each check that is open, by its number, those that break it.
    pub fn tallied(
        &self,
        rows: u64,
        invalid: u64,
        errors: impl Fn(usize) -> u64,
    ) -> ValidationReport {
        let counts = [rows, invalid]
            .into_iter()
            .chain(plans::open_checks_of(&self.checks).map(errors));
        self.report_of(&counts.collect::<Vec<_>>())
    }

    /// The errors with their counts, in the order of the checks, as [`error_schema`] describes; no
    /// row where there are none. `None` unless it was asked for. [`report`](Self::report) has the
    /// same without a second pass over the rows.
    pub fn errors(&self) -> Option<&LogicalPlan> {
        self.errors.as_ref()
    }
}

impl ErrorCode {
    /// The code as it stands in tables of errors.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingColumn => "missing_column",
            Self::ExtraColumn => "extra_column",
            Self::TypeMismatch => "type_mismatch",
            Self::NullViolation => "null_violation",
            Self::MissingKeyField => "missing_key_field",
            Self::DuplicateKeys => "duplicate_keys",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

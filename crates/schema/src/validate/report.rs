//! What came out of a validation.

use codeanatomy_vocab::{Error, Result};
use datafusion_common::arrow::array::{AsArray, RecordBatch};
use datafusion_common::arrow::datatypes::Int64Type;

use super::{ErrorCode, Outcome, Strictness, Validation};
use crate::codes;

/// What came out of a validation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationReport {
    /// Whether the rows keep the contract; under [`Filter`](Strictness::Filter) those that are left,
    /// which they do unless the schema lets none be valid.
    pub valid: bool,
    /// How many rows were looked at; `None` if nobody had to.
    pub validated: Option<u64>,
    /// How many rows break a promise; `None` if all do because of the schema, and nobody counted them.
    pub invalid_rows: Option<u64>,
    /// The errors with their counts, in the order of the checks.
    pub errors: Vec<ValidationError>,
    /// How many checks the plan proved, so that no row was looked at for them.
    pub proved: usize,
}

/// One kind of error in one column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValidationError {
    /// `error_code`
    pub code: ErrorCode,
    /// `error_column`: the column, or the path in it; all columns of a key, with commas.
    pub column: String,
    /// `error_count`: the number of rows; 1 for what concerns the schema and not a row.
    pub count: u64,
}

impl Validation {
    /// The report, from the batch that the plan of [`counts`](Validation::counts) yields; `None`
    /// where there is no such plan.
    ///
    /// # Errors
    ///
    /// [`CA-SCHEMA-0103`](codes::NO_PLAN) if `counts` is not what that plan yields.
    pub fn report(&self, counts: Option<&RecordBatch>) -> Result<ValidationReport> {
        Ok(self.report_of(&self.numbers(counts)?))
    }

    /// The report on rows with these counts: rows, invalid rows, and one for each open check.
    pub(super) fn report_of(&self, counts: &[u64]) -> ValidationReport {
        let mut of_checks = counts.iter().skip(2).copied();
        let mut errors = Vec::new();
        for check in &self.checks {
            let count = match check.outcome {
                Outcome::Proved => 0,
                Outcome::Broken => 1,
                Outcome::Open => of_checks.next().unwrap_or_default(),
            };
            if count > 0 {
                errors.push(ValidationError {
                    code: check.code,
                    column: check.column.clone(),
                    count,
                });
            }
        }
        let none_valid = self
            .checks
            .iter()
            .any(|check| check.outcome == Outcome::Broken && check.code != ErrorCode::ExtraColumn);
        let proved = self
            .checks
            .iter()
            .filter(|check| check.outcome == Outcome::Proved);
        ValidationReport {
            valid: match self.options.strict {
                Strictness::Filter => !none_valid,
                Strictness::Strict | Strictness::Lax => errors.is_empty(),
            },
            validated: counts.first().copied(),
            invalid_rows: match counts.get(1) {
                None if none_valid => None,
                None => Some(0),
                Some(count) => Some(*count),
            },
            errors,
            proved: proved.count(),
        }
    }

    /// The counts as numbers: rows, invalid rows, and one for each open check.
    fn numbers(&self, counts: Option<&RecordBatch>) -> Result<Vec<u64>> {
        let open = self
            .checks
            .iter()
            .filter(|check| check.outcome == Outcome::Open);
        let expected = match self.counts {
            None => 0,
            Some(_) => open.count() + 2,
        };
        let (rows, columns) = counts.map_or((0, 0), |it| (it.num_rows(), it.num_columns()));
        let fits = columns == expected && (rows == 1 || expected == 0);
        let numbers = counts.filter(|_| fits && expected > 0).map(|batch| {
            let columns = batch.columns().iter();
            let value = |column: &datafusion_common::arrow::array::ArrayRef| {
                let column = column.as_primitive_opt::<Int64Type>()?;
                u64::try_from(column.value(0)).ok()
            };
            columns.map(value).collect::<Option<Vec<u64>>>()
        });
        match numbers {
            None if fits => Ok(Vec::new()),
            Some(Some(numbers)) => Ok(numbers),
            _ => Err(Error::new(
                codes::NO_PLAN,
                format!("{rows} rows of {columns} counts came out of a validation of {expected}"),
            )
            .with_expected("the one row of the plan of counts")
            .with_help("please report it, with the contract")),
        }
    }
}

impl ValidationError {
    /// The error for people, with the code [`CA-SCHEMA-0101`](codes::ROWS_VIOLATE). The caller adds
    /// which view or dataset it is about.
    pub fn to_error(&self) -> Error {
        let Self {
            code,
            column,
            count,
        } = self;
        let rows = if *count == 1 { "row" } else { "rows" };
        let (message, help) = match code {
            ErrorCode::MissingColumn => (
                format!("column `{column}` is missing"),
                "produce the column, or take it out of the contract",
            ),
            ErrorCode::ExtraColumn => (
                format!("column `{column}` is not in the contract"),
                "list the column in the contract, or set `evolution = \"ADDITIVE\"`",
            ),
            ErrorCode::TypeMismatch => (
                format!(
                    "column `{column}` does not hold the type of its contract ({count} {rows})"
                ),
                "cast to the type of the contract, or change the contract",
            ),
            ErrorCode::NullViolation => (
                format!("column `{column}` is null, and must not be ({count} {rows})"),
                "rule nulls out, for example with coalesce, or allow them in the contract",
            ),
            ErrorCode::MissingKeyField => (
                format!("key column `{column}` is null ({count} {rows})"),
                "rule nulls out, or take the column out of `key`",
            ),
            ErrorCode::DuplicateKeys => (
                format!("{count} {rows} have a key that another row has too ({column})"),
                "group by the key, choose one row of each, or extend the key",
            ),
        };
        Error::new(codes::ROWS_VIOLATE, message)
            .with("error_code", code)
            .with("column", column)
            .with("rows", count)
            .with_help(help)
    }
}

//! Columns that break a contract, and who reads them.

use std::fmt;

use codeanatomy_schema::validate::{Check, Outcome};
use codeanatomy_schema::{Violation, ViolationCode};
use codeanatomy_vocab::{DatasetName, Error, Location, ViewName};
use datafusion::arrow::datatypes::Schema;
use serde::Serialize;

use crate::DeclaredContract;
use crate::lineage::ProjectLineage;

/// What a contract is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum ContractSubject {
    /// A view.
    View(ViewName),
    /// A dataset.
    Dataset(DatasetName),
}

/// A place where the columns of a view or dataset break its contract.
#[derive(Debug, Clone, PartialEq)]
pub struct ContractViolation {
    /// Whose contract.
    pub subject: ContractSubject,
    /// What is broken.
    pub violation: Violation,
    /// Where the contract is written.
    pub at: Location,
    /// The views that rely on the column, sorted.
    pub readers: Vec<String>,
}

/// One promise about rows, with what is known before anybody looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContractCheck {
    /// The error, if it is not kept.
    pub error_code: String,
    /// The column, or all columns of a key.
    pub error_column: String,
    /// `proved`: nobody needs to look; `open`: only the rows can tell; `broken`: no row keeps it.
    pub outcome: &'static str,
}

/// Everywhere the columns of a dataset break its contract. That a column may be null by its type is
/// left to its rows where the file format cannot say better.
pub fn check_dataset(
    name: &DatasetName,
    declared: &DeclaredContract,
    schema: &Schema,
    fallback: &Location,
) -> Vec<ContractViolation> {
    codeanatomy_schema::check(&declared.contract, schema)
        .into_iter()
        .map(|violation| ContractViolation {
            subject: ContractSubject::Dataset(name.clone()),
            violation,
            at: declared.declared_at.as_ref().unwrap_or(fallback).clone(),
            readers: Vec::new(),
        })
        .collect()
}

impl ContractSubject {
    /// The name of the view or dataset.
    pub fn name(&self) -> &str {
        match self {
            Self::View(name) => name.as_str(),
            Self::Dataset(name) => name.as_str(),
        }
    }

    /// `view` or `dataset`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::View(_) => "view",
            Self::Dataset(_) => "dataset",
        }
    }
}

impl fmt::Display for ContractSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.kind(), self.name())
    }
}

impl ContractViolation {
    /// The violation as an error that stops a build.
    pub fn to_error(&self) -> Error {
        let mut error = self
            .violation
            .to_error()
            .at(self.at.clone())
            .with(self.subject.kind(), self.subject.name());
        let of_rows = self.violation.code == ViolationCode::NullabilityMismatch;
        if of_rows && matches!(self.subject, ContractSubject::View(_)) {
            error = error.with_help(
                "rule nulls out, for example with coalesce; or say `on_invalid = \"fail\"`, and the \
                 rows decide; or allow nulls in the contract",
            );
        }
        match self.readers.is_empty() {
            true => error,
            false => error.with("read by", self.readers.join(", ")),
        }
    }

    /// Finds the views that rely on the column. Nobody can be shown to rely on one that is missing;
    /// there, `by_text` says who names the table.
    pub(crate) fn find_readers(
        &mut self,
        lineage: &ProjectLineage,
        by_text: impl Fn(&str) -> Vec<String>,
    ) {
        let table = self.subject.name();
        self.readers = match self.violation.code {
            ViolationCode::MissingColumn => by_text(table),
            ViolationCode::TypeMismatch
            | ViolationCode::NullabilityMismatch
            | ViolationCode::ExtraColumn => {
                let readers = lineage.readers(table, Some(&self.violation.top_column()));
                readers.into_keys().collect()
            }
        };
        self.readers.sort_unstable();
    }
}

impl ContractCheck {
    pub(crate) fn new(check: &Check) -> Self {
        Self {
            error_code: check.code.as_str().to_owned(),
            error_column: check.column.clone(),
            outcome: match check.outcome {
                Outcome::Proved => "proved",
                Outcome::Open => "open",
                Outcome::Broken => "broken",
            },
        }
    }
}

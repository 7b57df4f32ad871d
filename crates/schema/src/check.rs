//! Whether a schema keeps its contract.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use arrow_schema::{Field, Schema};
use codeanatomy_vocab::{Error, nearest};

use crate::evolve::{Mismatch, mismatches};
use crate::{EvolutionPolicy, SchemaContract, codes, path, types};

/// How a schema breaks a contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ViolationCode {
    /// `MISSING_COLUMN`: a column or field that was promised is not there.
    MissingColumn,
    /// `TYPE_MISMATCH`: the type is not one that the policy accepts.
    TypeMismatch,
    /// `NULLABILITY_MISMATCH`: what must not be null may be.
    NullabilityMismatch,
    /// `EXTRA_COLUMN`: a column or field that was not promised, under `STRICT`.
    ExtraColumn,
}

/// One place where a schema breaks its contract. `Display` says it in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What is broken.
    pub code: ViolationCode,
    /// The path of the column: `price`, or `address.street`, `tags[]`, `prices{key}` inside one.
    pub column: String,
    /// What the contract says there.
    pub expected: String,
    /// What the schema has there.
    pub actual: String,
    /// For a missing column, the column that may have been meant.
    pub nearest: Option<String>,
}

/// Every place where `schema` breaks `contract`: first what was promised, in the order of the
/// contract, then the key and the partitioning, then extra columns in the order of the schema.
///
/// Which types are accepted is written out in [`evolve`](crate::evolve). Metadata is not looked at.
pub fn check(contract: &SchemaContract, schema: &Schema) -> Vec<Violation> {
    let mut by_name: BTreeMap<&str, &Field> = BTreeMap::new();
    for field in schema.fields() {
        by_name.entry(field.name()).or_insert(field);
    }
    let missing = |name: &str, expected: String| Violation {
        code: ViolationCode::MissingColumn,
        column: path::segment(name),
        expected,
        actual: "nothing".to_owned(),
        nearest: nearest(name, by_name.keys().copied()).map(str::to_owned),
    };

    let mut violations = Vec::new();
    let mut promised = BTreeSet::new();
    for column in contract.columns() {
        promised.insert(column.name.as_str());
        let Some(field) = by_name.get(column.name.as_str()) else {
            let data_type = column.data_type.as_ref();
            let expected = data_type.map_or_else(|| "a column".to_owned(), types::describe);
            violations.push(missing(&column.name, expected));
            continue;
        };
        let path = path::segment(&column.name);
        if column.nullable == Some(false) && field.is_nullable() {
            violations.push(Violation {
                code: ViolationCode::NullabilityMismatch,
                column: path.clone(),
                expected: "not null".to_owned(),
                actual: "nullable".to_owned(),
                nearest: None,
            });
        }
        if let Some(data_type) = &column.data_type {
            let found = mismatches(contract.evolution(), &path, data_type, field.data_type());
            violations.extend(found.into_iter().map(Violation::from));
        }
    }
    for (names, role) in [
        (contract.key(), "a key column"),
        (contract.partition_by(), "a partition column"),
    ] {
        for name in names {
            if !by_name.contains_key(name.as_str()) && promised.insert(name) {
                violations.push(missing(name, role.to_owned()));
            }
        }
    }
    if contract.evolution() == EvolutionPolicy::Strict && !contract.columns().is_empty() {
        for field in schema.fields() {
            if !promised.contains(field.name().as_str()) {
                violations.push(Violation {
                    code: ViolationCode::ExtraColumn,
                    column: path::segment(field.name()),
                    expected: "nothing".to_owned(),
                    actual: types::describe(field.data_type()),
                    nearest: None,
                });
            }
        }
    }
    violations
}

impl ViolationCode {
    /// The code as it is written in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MissingColumn => "MISSING_COLUMN",
            Self::TypeMismatch => "TYPE_MISMATCH",
            Self::NullabilityMismatch => "NULLABILITY_MISMATCH",
            Self::ExtraColumn => "EXTRA_COLUMN",
        }
    }
}

impl fmt::Display for ViolationCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Violation {
    /// The name of the column that the path begins with.
    pub fn top_column(&self) -> String {
        path::top(&self.column)
    }

    /// Whether it is about the column of this name as a whole, and not about something in it.
    pub fn is_of_column(&self, name: &str) -> bool {
        self.column == path::segment(name)
    }

    /// The violation as an error with the code
    /// [`CA-SCHEMA-0100`](codes::CONTRACT_VIOLATED), so that a build can stop on it. The caller
    /// adds which view or dataset it is about.
    pub fn to_error(&self) -> Error {
        Error::new(codes::CONTRACT_VIOLATED, self.to_string())
            .with("violation", self.code)
            .with("column", &self.column)
            .with_expected(&self.expected)
            .with_nearest(self.nearest.as_deref())
            .with_help(match self.code {
                ViolationCode::MissingColumn => {
                    "produce the column, or take it out of the contract"
                }
                ViolationCode::TypeMismatch => {
                    "cast to the type of the contract, or change the contract"
                }
                ViolationCode::NullabilityMismatch => {
                    "rule nulls out, for example with coalesce, or allow them in the contract"
                }
                ViolationCode::ExtraColumn => {
                    "list the column in the contract, or set `evolution = \"ADDITIVE\"`"
                }
            })
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            column,
            expected,
            actual,
            ..
        } = self;
        match self.code {
            ViolationCode::MissingColumn => {
                write!(
                    f,
                    "column `{column}` is missing: its contract says {expected}"
                )
            }
            ViolationCode::TypeMismatch | ViolationCode::NullabilityMismatch => {
                write!(
                    f,
                    "column `{column}` is {actual}, and its contract says {expected}"
                )
            }
            ViolationCode::ExtraColumn => {
                write!(f, "column `{column}` ({actual}) is not in the contract")
            }
        }
    }
}

impl From<Mismatch> for Violation {
    fn from(mismatch: Mismatch) -> Self {
        Self {
            code: mismatch.code,
            column: mismatch.path,
            expected: mismatch.expected,
            actual: mismatch.actual,
            nearest: None,
        }
    }
}

#[cfg(test)]
mod tests;

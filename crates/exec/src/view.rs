//! What a project says of a view beyond its text.

use std::collections::BTreeMap;
use std::sync::Arc;

use codeanatomy_delta::{OutputLayout, StoreOptions, TableLocation};
use codeanatomy_plan::ContractIdentity;
use codeanatomy_schema::{OnInvalid, SchemaContract};
use codeanatomy_views::ViewSpec;
use codeanatomy_vocab::{Error, Location, Result};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;

use crate::codes;

/// A contract as a project declares it.
#[derive(Debug, Clone)]
pub struct DeclaredContract {
    /// What is promised.
    pub contract: Arc<SchemaContract>,
    /// What becomes of rows that break it, where that is said. Where it is not, rows that break it
    /// let nothing be written, and a column that must not be null must be so by its plan.
    pub on_invalid: Option<OnInvalid>,
    /// Where it is written.
    pub declared_at: Option<Location>,
}

/// A view with what is to become of its result.
#[derive(Debug, Clone)]
pub struct ViewDefinition {
    /// Name, text and references.
    pub spec: ViewSpec,
    /// Where the result is kept, if anywhere.
    pub output: Option<OutputDefinition>,
    /// Parameters by name, without the `$`.
    pub params: BTreeMap<String, Parameter>,
    /// What the view's schema must be, and where that is written.
    pub contract: Option<DeclaredContract>,
    /// The identity of the contract, where only that is known.
    pub recorded_contract: Option<ContractIdentity>,
    /// Columns of the output that hold ids, each with what it identifies and where that is written.
    pub ids: BTreeMap<String, (String, Option<Location>)>,
    /// For people.
    pub description: Option<String>,
}

/// The value of a parameter, and how it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// The name of its Arrow type.
    pub type_name: String,
    /// The value as it was written.
    pub text: String,
    /// The value.
    pub value: ScalarValue,
}

impl ViewDefinition {
    /// What the contract adds to the view's identity. One that is only checked alters no row.
    pub fn contract_identity(&self) -> Option<ContractIdentity> {
        match &self.contract {
            None => self.recorded_contract.clone(),
            Some(declared) => Some(declared.identity()),
        }
    }
}

impl DeclaredContract {
    /// What becomes of rows that break it.
    pub fn mode(&self) -> OnInvalid {
        self.on_invalid.unwrap_or_default()
    }

    /// What it adds to the identity of a view.
    pub fn identity(&self) -> ContractIdentity {
        let n_columns = self.contract.columns().len();
        ContractIdentity {
            hash: match self.on_invalid {
                None => self.contract.fingerprint(),
                Some(mode) => mode.fingerprint(&self.contract),
            },
            alters_rows: self.mode().alters_rows(),
            detail: match self.on_invalid {
                None => format!("{n_columns} columns"),
                Some(mode) => format!("{n_columns} columns, {mode} invalid rows"),
            },
        }
    }
}

/// Where a view's result is kept: a Delta table that each build overwrites in one commit.
#[derive(Debug, Clone)]
pub struct OutputDefinition {
    /// The table.
    pub location: TableLocation,
    /// How its store is reached.
    pub options: StoreOptions,
    /// Columns by which the table is partitioned, in order.
    pub partition_by: Vec<String>,
    /// How the table is laid out besides.
    pub layout: OutputLayout,
    /// Where the project says so, for errors.
    pub declared_at: Option<Location>,
}

/// Reads a parameter's value as a value of its type, so that it reaches a plan as a literal of that
/// type and never as text.
///
/// `type_name` is Arrow's name of a type, for example `Date32`.
///
/// # Errors
///
/// [`BAD_PARAMETER`](codes::BAD_PARAMETER) when there is no such type, or the text is no value of
/// it.
pub fn parameter(name: &str, type_name: &str, text: &str) -> Result<Parameter> {
    let data_type: DataType = type_name.parse().map_err(|error| {
        Error::new(codes::BAD_PARAMETER, format!("`{type_name}` is not a type"))
            .with("parameter", name)
            .with_source(datafusion::error::DataFusionError::from(error))
            .with_help("use the name of an Arrow type, such as Int64, Utf8, Date32")
    })?;
    ScalarValue::try_from_string(text.to_owned(), &data_type)
        .ok()
        .filter(|value| !value.is_null())
        .map(|value| Parameter {
            type_name: type_name.to_owned(),
            text: text.to_owned(),
            value,
        })
        .ok_or_else(|| {
            Error::new(
                codes::BAD_PARAMETER,
                format!("{text:?} is not a value of type {data_type}"),
            )
            .with("parameter", name)
            .with_help("correct the value or the type of the parameter")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_values_of_their_type() {
        let value = |name, type_name, text| {
            let parameter = parameter(name, type_name, text);
            parameter.ok().map(|parameter| parameter.value)
        };
        assert_eq!(
            value("since", "Date32", "1970-01-03"),
            Some(ScalarValue::Date32(Some(2)))
        );
        assert_eq!(
            value("n", "Int64", "-7"),
            Some(ScalarValue::Int64(Some(-7)))
        );
        let text = ScalarValue::Utf8(Some("'; drop".to_owned()));
        assert_eq!(value("t", "Utf8", "'; drop"), Some(text));
        for (type_name, text) in [
            ("Date32", "soon"),
            ("Int64", "1.5x"),
            ("Dat32", "1970-01-01"),
        ] {
            let error = parameter("p", type_name, text).expect_err(text);
            assert_eq!(error.code(), codes::BAD_PARAMETER);
        }
    }
}

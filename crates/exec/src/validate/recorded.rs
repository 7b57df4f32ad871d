//! A contract as the record of a run keeps it.

use std::sync::Arc;

use codeanatomy_schema::{OnInvalid, SchemaContract};
use codeanatomy_vocab::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::{DeclaredContract, codes};

/// A contract that left out or cast rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedContract {
    /// `STRICT`, `ADDITIVE` or `RELAXED`.
    pub evolution: String,
    /// The columns of the key.
    #[serde(default)]
    pub key: Vec<String>,
    /// The promised columns.
    #[serde(default)]
    pub columns: Vec<RecordedColumn>,
    /// `filter` or `coerce`.
    pub on_invalid: String,
}

/// A promised column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedColumn {
    /// Its name.
    pub name: String,
    /// Its Arrow type, if one is promised.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// Whether it may be null, if that is promised.
    pub nullable: Option<bool>,
}

impl RecordedContract {
    /// Records a contract; `None` for one that only checks.
    pub(crate) fn of(declared: &DeclaredContract) -> Option<Self> {
        let mode = declared.on_invalid.filter(|mode| mode.alters_rows())?;
        let columns = declared.contract.columns().iter();
        Some(Self {
            evolution: declared.contract.evolution().as_str().to_owned(),
            key: declared.contract.key().to_vec(),
            columns: columns
                .map(|column| RecordedColumn {
                    name: column.name.clone(),
                    type_name: column.data_type.as_ref().map(ToString::to_string),
                    nullable: column.nullable,
                })
                .collect(),
            on_invalid: mode.as_str().to_owned(),
        })
    }

    /// The contract again.
    pub(crate) fn declared(&self) -> Result<DeclaredContract> {
        let columns = self.columns.iter();
        let columns = columns
            .map(|column| {
                (
                    column.name.clone(),
                    column.type_name.clone(),
                    column.nullable,
                )
            })
            .collect();
        let contract = SchemaContract::build(&self.evolution, self.key.clone(), columns).map_err(
            |errors| {
                Error::new(
                    codes::RECORD_DAMAGED,
                    format!("a recorded contract cannot be understood: {errors}"),
                )
                .with_help("compare with another run, or build again")
            },
        )?;
        Ok(DeclaredContract {
            contract: Arc::new(contract),
            on_invalid: Some(OnInvalid::parse(&self.on_invalid)?),
            declared_at: None,
        })
    }
}

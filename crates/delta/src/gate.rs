//! Which tables a project lets in, by their protocols.
//!
//! What this crate can read right is settled in [`open`](crate::open) and nothing changes it. The
//! gate is a project's own rule on top: pure functions of pins.

use std::collections::BTreeSet;

use codeanatomy_vocab::{DeltaInputPin, Error, Result};
use serde::{Deserialize, Serialize};

use crate::codes;
use crate::protocol::{MAX_READER_VERSION, MAX_WRITER_VERSION, READER_FEATURES, WRITER_FEATURES};

/// Protocol versions and features that tables may need.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProtocolSupport {
    /// The newest reader version.
    pub max_reader_version: u32,
    /// The newest writer version.
    pub max_writer_version: u32,
    /// Reader features, by name.
    pub supported_reader_features: BTreeSet<String>,
    /// Writer features, by name; they matter for tables that are written.
    pub supported_writer_features: BTreeSet<String>,
}

/// What happens with a table that needs more than is supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProtocolMode {
    /// It is refused.
    #[default]
    Strict,
    /// It is let in, with a finding.
    Warn,
    /// It is let in.
    Permissive,
}

/// The rule for protocols.
///
/// # Example: who lets a table with deletion vectors in?
///
/// ```
/// use codeanatomy_delta::{ProtocolGate, ProtocolMode};
///
/// let mut gate = ProtocolGate::default();
/// assert!(gate.support.supported_reader_features.contains("deletionVectors"));
/// gate.support.supported_reader_features.remove("deletionVectors");
/// gate.mode = ProtocolMode::Warn;
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProtocolGate {
    /// What is supported.
    pub support: ProtocolSupport,
    /// What happens with the rest.
    pub mode: ProtocolMode,
}

/// What a dataset must have, so that a table without it is noticed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FeatureGate {
    /// The oldest reader version.
    pub min_reader_version: Option<u32>,
    /// The oldest writer version.
    pub min_writer_version: Option<u32>,
    /// Reader features that must be there.
    pub required_reader_features: BTreeSet<String>,
    /// Writer features that must be there.
    pub required_writer_features: BTreeSet<String>,
}

/// What a table needs and a gate does not support.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProtocolFinding {
    /// What it needs, for people: `reader version 3`, ``the reader feature `variantType` ``.
    pub required: Vec<String>,
    /// What is supported, for people.
    pub supported: String,
}

impl Default for ProtocolSupport {
    /// All that this version reads and writes right.
    fn default() -> Self {
        let names = |features: &[&str]| features.iter().map(|name| (*name).to_owned()).collect();
        Self {
            max_reader_version: MAX_READER_VERSION,
            max_writer_version: MAX_WRITER_VERSION,
            supported_reader_features: names(&READER_FEATURES),
            supported_writer_features: names(&WRITER_FEATURES),
        }
    }
}

impl ProtocolGate {
    /// Judges a table that is read. The finding is for the mode `warn`; `permissive` gives none.
    ///
    /// # Errors
    ///
    /// [`CA-DELTA-0024`](codes::PROTOCOL_REFUSED) in the mode `strict`: it names what the table
    /// needs, what is supported, and the setting that changes it.
    pub fn check_read(&self, pin: &DeltaInputPin) -> Result<Option<ProtocolFinding>> {
        let support = &self.support;
        let required = missing(
            "reader",
            (pin.min_reader_version, support.max_reader_version),
            (&pin.reader_features, &support.supported_reader_features),
        );
        self.verdict(pin, "read", required)
    }

    /// Judges a table that is written: as [`check_read`](Self::check_read), and by the writer's
    /// side too.
    ///
    /// # Errors
    ///
    /// As [`check_read`](Self::check_read).
    pub fn check_write(&self, pin: &DeltaInputPin) -> Result<Option<ProtocolFinding>> {
        let support = &self.support;
        let mut required = missing(
            "reader",
            (pin.min_reader_version, support.max_reader_version),
            (&pin.reader_features, &support.supported_reader_features),
        );
        required.extend(missing(
            "writer",
            (pin.min_writer_version, support.max_writer_version),
            (&pin.writer_features, &support.supported_writer_features),
        ));
        self.verdict(pin, "written", required)
    }

    fn verdict(
        &self,
        pin: &DeltaInputPin,
        verb: &str,
        required: Vec<String>,
    ) -> Result<Option<ProtocolFinding>> {
        if required.is_empty() {
            return Ok(None);
        }
        let finding = ProtocolFinding {
            required,
            supported: self.support.shown(),
        };
        match self.mode {
            ProtocolMode::Permissive => Ok(None),
            ProtocolMode::Warn => Ok(Some(finding)),
            ProtocolMode::Strict => Err(Error::new(
                codes::PROTOCOL_REFUSED,
                format!(
                    "the Delta table of `{}` may not be {verb}: it needs {}",
                    pin.dataset_name,
                    finding.required.join(" and ")
                ),
            )
            .with("dataset", &pin.dataset_name)
            .with_expected(finding.supported)
            .with_help(
                "raise what is supported under `[delta]` in codeanatomy.toml, or set \
                 `protocol_mode` there to \"warn\" or \"permissive\"",
            )),
        }
    }
}

impl ProtocolSupport {
    fn shown(&self) -> String {
        let names = |features: &BTreeSet<String>| {
            let names: Vec<&str> = features.iter().map(String::as_str).collect();
            names.join(", ")
        };
        format!(
            "reader version {} with [{}], writer version {} with [{}]",
            self.max_reader_version,
            names(&self.supported_reader_features),
            self.max_writer_version,
            names(&self.supported_writer_features)
        )
    }
}

impl FeatureGate {
    /// Refuses a table that has less than the dataset must have.
    ///
    /// # Errors
    ///
    /// [`CA-DELTA-0025`](codes::FEATURE_MISSING) names all that is missing.
    pub fn check(&self, pin: &DeltaInputPin) -> Result<()> {
        let mut lacks = Vec::new();
        let versions = [
            ("reader", self.min_reader_version, pin.min_reader_version),
            ("writer", self.min_writer_version, pin.min_writer_version),
        ];
        for (side, least, found) in versions {
            if let Some(least) = least.filter(|least| *least > found) {
                lacks.push(format!("{side} version {least} (it has {found})"));
            }
        }
        let features = [
            (
                "reader",
                &self.required_reader_features,
                &pin.reader_features,
            ),
            (
                "writer",
                &self.required_writer_features,
                &pin.writer_features,
            ),
        ];
        for (side, required, found) in features {
            let absent = required.iter().filter(|name| !found.contains(name));
            lacks.extend(absent.map(|name| format!("the {side} feature `{name}`")));
        }
        if lacks.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            codes::FEATURE_MISSING,
            format!(
                "the Delta table of `{}` lacks {}",
                pin.dataset_name,
                lacks.join(" and ")
            ),
        )
        .with("dataset", &pin.dataset_name)
        .with_help("upgrade the table, or take the requirement out of the dataset's feature gate"))
    }
}

fn missing(
    side: &str,
    (needed, newest): (u32, u32),
    (features, supported): (&[String], &BTreeSet<String>),
) -> Vec<String> {
    let mut missing = Vec::new();
    if needed > newest {
        missing.push(format!("{side} version {needed}"));
    }
    let absent = features.iter().filter(|name| !supported.contains(*name));
    missing.extend(absent.map(|name| format!("the {side} feature `{name}`")));
    missing
}

#[cfg(test)]
mod tests {
    use codeanatomy_vocab::{DatasetName, Fingerprint};

    use super::*;

    fn pin(reader: &[&str], writer: &[&str]) -> DeltaInputPin {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        DeltaInputPin {
            dataset_name: DatasetName::new("orders").unwrap(),
            version: 3,
            committed_at: None,
            table_id: "id".to_owned(),
            min_reader_version: 3,
            min_writer_version: 7,
            reader_features: names(reader),
            writer_features: names(writer),
            storage_options_hash: Fingerprint::from_bytes([0; 32]),
        }
    }

    #[test]
    fn the_mode_decides_what_happens_with_a_table_that_needs_more() {
        let table = pin(&["deletionVectors", "variantType"], &["identityColumns"]);
        let mut gate = ProtocolGate::default();
        let error = gate.check_read(&table).unwrap_err();
        assert_eq!(error.code(), codes::PROTOCOL_REFUSED);
        assert!(
            error
                .to_string()
                .ends_with("it needs the reader feature `variantType`")
        );
        assert!(error.help().unwrap().contains("protocol_mode"));
        let error = gate.check_write(&table).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("and the writer feature `identityColumns`")
        );
        gate.mode = ProtocolMode::Warn;
        let finding = gate.check_read(&table).unwrap().unwrap();
        assert_eq!(finding.required, ["the reader feature `variantType`"]);
        assert!(finding.supported.contains("deletionVectors"));
        gate.mode = ProtocolMode::Permissive;
        assert_eq!(gate.check_write(&table).unwrap(), None);
        let fits = pin(&["deletionVectors"], &["deletionVectors"]);
        assert_eq!(ProtocolGate::default().check_write(&fits).unwrap(), None);
    }

    #[test]
    fn a_gate_of_a_dataset_names_all_that_the_table_lacks() {
        let gate: FeatureGate = serde_json::from_str(
            r#"{"min_reader_version": 3, "min_writer_version": 8,
                "required_reader_features": ["deletionVectors"],
                "required_writer_features": ["changeDataFeed"]}"#,
        )
        .unwrap();
        let error = gate.check(&pin(&["deletionVectors"], &[])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the Delta table of `orders` lacks writer version 8 (it has 7) and the writer feature \
             `changeDataFeed`"
        );
        FeatureGate::default().check(&pin(&[], &[])).unwrap();
    }
}

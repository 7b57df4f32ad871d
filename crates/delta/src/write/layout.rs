//! How a table is laid out: what changes no row.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use arrow_schema::Schema;
use codeanatomy_vocab::{Encoder, Error, Fingerprint, Result, nearest};
use serde_json::{Value, json};

use super::OverwriteSpec;
use crate::codes;
use crate::maintain::{OptimizeSpec, optimize};

/// The property that makes a table record its changes.
const FEED: &str = "delta.enableChangeDataFeed";

/// Properties of the protocol that writers and maintenance of this project keep.
const KNOWN: [&str; 9] = [
    "delta.checkpointInterval",
    "delta.dataSkippingNumIndexedCols",
    "delta.dataSkippingStatsColumns",
    "delta.deletedFileRetentionDuration",
    FEED,
    "delta.enableExpiredLogCleanup",
    "delta.logRetentionDuration",
    "delta.randomizeFilePrefixes",
    "delta.targetFileSize",
];

/// How the table of an output is laid out. None of it changes a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutputLayout {
    /// The size at which a data file is closed and the next one begun; 256 MiB where not given.
    pub target_file_bytes: Option<NonZeroU64>,
    /// The columns that get statistics in the log; the first hundred where not given.
    pub statistics_columns: Option<Vec<String>>,
    /// Columns by whose values rows come close to each other, in a commit that follows the one with
    /// the rows and changes none.
    pub z_order_by: Vec<String>,
    /// Properties of the table. Those that it has besides stay.
    pub properties: BTreeMap<String, String>,
}

impl OutputLayout {
    /// The identity of the layout; none for the one that nobody asked for.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        if *self == Self::default() {
            return None;
        }
        let mut encoder = Encoder::new("delta.layout", 1);
        encoder.option(self.target_file_bytes, |encoder, bytes| {
            encoder.u64(bytes.get())
        });
        encoder.option(self.statistics_columns.as_ref(), |encoder, columns| {
            encoder.seq(columns.iter(), |encoder, column| encoder.str(column));
        });
        encoder.seq(self.z_order_by.iter(), |encoder, column| {
            encoder.str(column)
        });
        encoder.seq(self.properties.iter(), |encoder, (key, value)| {
            encoder.str(key);
            encoder.str(value);
        });
        Some(encoder.finish())
    }

    /// Whether the table is to record its changes.
    pub(super) fn wants_feed(&self) -> bool {
        self.properties
            .get(FEED)
            .is_some_and(|on| on.eq_ignore_ascii_case("true"))
    }

    /// Refuses what does not fit the columns, and properties that a rewrite could not keep.
    pub(super) fn check(&self, schema: &Schema, partition_by: &[String]) -> Result<()> {
        let named = self.statistics_columns.iter().flatten();
        for column in named.chain(&self.z_order_by) {
            if schema.field_with_name(column).is_err() {
                let names = schema.fields().iter().map(|field| field.name().as_str());
                return Err(Error::new(
                    codes::INVALID_LAYOUT,
                    format!("the layout names the column `{column}`, which the view does not have"),
                )
                .with_nearest(nearest(column, names))
                .with_help("name columns of the view"));
            }
        }
        if let Some(column) = self.z_order_by.iter().find(|c| partition_by.contains(c)) {
            return Err(Error::new(
                codes::INVALID_LAYOUT,
                format!("rows cannot be ordered by `{column}`, which is a partition column"),
            )
            .with_help("name other columns in `z_order_by`"));
        }
        for key in self.properties.keys() {
            if key.starts_with("delta.") && !KNOWN.contains(&key.as_str()) {
                return Err(Error::new(
                    codes::INVALID_LAYOUT,
                    format!("the property `{key}` cannot be set on an output"),
                )
                .with_expected(format!(
                    "one of {}, or a name without `delta.`",
                    KNOWN.join(", ")
                ))
                .with_nearest(nearest(key, KNOWN))
                .with_help(
                    "remove it: it changes what a table is, and each build rewrites the table",
                ));
            }
        }
        Ok(())
    }

    /// The properties of a table that has `old` ones.
    pub(super) fn configuration<'a>(
        &self,
        old: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) -> BTreeMap<String, String> {
        let mut properties: BTreeMap<String, String> = old
            .into_iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        properties.extend(self.properties.clone());
        properties
    }

    /// The protocol with what recording changes asks of writers; the same one where that is there.
    pub(super) fn protocol(&self, mut protocol: Value) -> Value {
        if !self.wants_feed() {
            return protocol;
        }
        let version = protocol.get("minWriterVersion").and_then(Value::as_u64);
        if version >= Some(7) {
            let features = protocol.get("writerFeatures").and_then(Value::as_array);
            let mut features: Vec<Value> = features.cloned().unwrap_or_default();
            let feed = json!("changeDataFeed");
            if !features.contains(&feed) {
                features.push(feed);
                features.sort_by_key(Value::to_string);
            }
            protocol["writerFeatures"] = json!(features);
        } else if version < Some(4) {
            protocol["minWriterVersion"] = json!(4);
        }
        protocol
    }
}

/// Brings rows that are read together together. The rows are there already, so that a failure is no
/// failure of the write.
pub(super) async fn arrange(spec: &OverwriteSpec) {
    if spec.layout.z_order_by.is_empty() {
        return;
    }
    let order = OptimizeSpec {
        z_order_by: spec.layout.z_order_by.clone(),
        target_file_bytes: spec.layout.target_file_bytes,
    };
    if let Err(error) = optimize(&spec.location, &spec.options, order).await {
        tracing::warn!(view = %spec.view, %error, "the rows could not be brought in order");
    }
}

#[cfg(test)]
mod tests {
    use arrow_schema::{DataType, Field};

    use super::*;

    fn with(key: &str, value: &str) -> OutputLayout {
        OutputLayout {
            properties: BTreeMap::from([(key.to_owned(), value.to_owned())]),
            ..OutputLayout::default()
        }
    }

    #[test]
    fn a_layout_that_nobody_asked_for_has_no_identity() {
        assert_eq!(OutputLayout::default().fingerprint(), None);
        let (one, two) = (with("a", "1"), with("a", "2"));
        assert!(one.fingerprint().is_some());
        assert_ne!(one.fingerprint(), two.fingerprint());
    }

    #[test]
    fn properties_that_change_what_a_table_is_are_refused() {
        let schema = Schema::new(vec![Field::new("n", DataType::Int64, true)]);
        for refused in [
            "delta.appendOnly",
            "delta.columnMapping.mode",
            "delta.constraints.x",
        ] {
            let error = with(refused, "true").check(&schema, &[]).unwrap_err();
            assert_eq!(error.code(), codes::INVALID_LAYOUT);
        }
        let typo = with("delta.enableChangeDataFed", "true").check(&schema, &[]);
        assert_eq!(typo.unwrap_err().nearest(), Some(FEED));
        assert!(with(FEED, "true").check(&schema, &[]).is_ok());
        assert!(with("owner", "me").check(&schema, &[]).is_ok());
        let columns = OutputLayout {
            statistics_columns: Some(vec!["m".to_owned()]),
            ..OutputLayout::default()
        };
        assert_eq!(
            columns.check(&schema, &[]).unwrap_err().nearest(),
            Some("n")
        );
    }

    #[test]
    fn recording_changes_raises_the_protocol_and_nothing_else_does() {
        let old = json!({ "minReaderVersion": 1, "minWriterVersion": 2 });
        assert_eq!(OutputLayout::default().protocol(old.clone()), old);
        let raised = with(FEED, "TRUE").protocol(old);
        assert_eq!(raised["minWriterVersion"], 4);
        let named = json!({ "minWriterVersion": 7, "writerFeatures": ["timestampNtz"] });
        let raised = with(FEED, "true").protocol(named);
        assert_eq!(
            raised["writerFeatures"],
            json!(["changeDataFeed", "timestampNtz"])
        );
        assert_eq!(with(FEED, "true").protocol(raised.clone()), raised);
    }
}

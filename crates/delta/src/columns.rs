//! The columns of a table as its metadata defines them.

use std::collections::{BTreeMap, BTreeSet};

use codeanatomy_vocab::{Encoder, Fingerprint, Result};
use deltalake_core::kernel::{Snapshot, StructType};
use serde_json::Value;

use crate::error::internal;

/// The property that says how columns find their data in the files.
const MAPPING_MODE: &str = "delta.columnMapping.mode";

/// The name that a column has in the files and in the log, where it has another one.
const PHYSICAL_NAME: &str = "delta.columnMapping.physicalName";

/// The definitions of all columns, in the order of the table.
#[derive(Debug, Clone)]
pub(crate) struct Definitions {
    /// The schema as the log writes it: an object whose `fields` have `name`, `type`, `nullable`
    /// and `metadata`.
    schema: Value,
    partition_by: Vec<String>,
    /// `None` where a column has one name everywhere.
    mapping_mode: Option<String>,
}

impl Definitions {
    pub(crate) fn of(snapshot: &Snapshot) -> Result<Self> {
        let metadata = snapshot.metadata();
        let mode = metadata.configuration().get(MAPPING_MODE);
        Self::new(
            snapshot.schema().as_ref(),
            metadata.partition_columns().to_vec(),
            mode.map(String::as_str),
        )
    }

    /// The definitions in a `metaData` action; `None` where it has not the form of one.
    pub(crate) fn of_action(action: &Value) -> Option<Self> {
        let text = action.get("schemaString")?.as_str()?;
        let schema: StructType = serde_json::from_str(text).ok()?;
        let partition_by = action.get("partitionColumns")?.as_array()?;
        let partition_by = partition_by
            .iter()
            .map(|column| column.as_str().map(str::to_owned))
            .collect::<Option<_>>()?;
        let mode = action
            .get("configuration")
            .and_then(|configuration| configuration.get(MAPPING_MODE))
            .and_then(Value::as_str);
        Self::new(&schema, partition_by, mode).ok()
    }

    fn new(schema: &StructType, partition_by: Vec<String>, mode: Option<&str>) -> Result<Self> {
        let schema = serde_json::to_value(schema)
            .map_err(|error| internal("writing a schema as JSON", error))?;
        Ok(Self {
            schema,
            partition_by,
            mapping_mode: mode.filter(|mode| *mode != "none").map(str::to_owned),
        })
    }

    fn fields(&self) -> &[Value] {
        match self.schema.get("fields") {
            Some(Value::Array(fields)) => fields,
            _ => &[],
        }
    }

    /// For each column the name that files, statistics and partition values use.
    pub(crate) fn names_in_files(&self) -> Vec<String> {
        self.fields()
            .iter()
            .map(|field| {
                let physical = field
                    .get("metadata")
                    .and_then(|metadata| metadata.get(PHYSICAL_NAME))
                    .filter(|_| self.mapping_mode.is_some());
                let name = physical.or_else(|| field.get("name"));
                name.and_then(Value::as_str).unwrap_or_default().to_owned()
            })
            .collect()
    }

    /// The identity of some columns: names, types, nullability, names and ids in files, and
    /// whether they are partition columns. It covers neither their order nor comments, defaults
    /// and the like, which change no row that is read.
    pub(crate) fn fingerprint(&self, columns: &BTreeSet<String>) -> Fingerprint {
        let by_name: BTreeMap<&str, &Value> = self
            .fields()
            .iter()
            .filter_map(|field| Some((field.get("name")?.as_str()?, field)))
            .collect();
        let mut encoder = Encoder::new("delta.columns", 1);
        encoder.option(self.mapping_mode.as_deref(), Encoder::str);
        encoder.seq(columns.iter(), |encoder, column| {
            encoder.str(column);
            encoder.bool(self.partition_by.contains(column));
            encoder.option(by_name.get(column.as_str()), |encoder, field| {
                encode(encoder, field);
            });
        });
        encoder.finish()
    }

    /// Encodes all columns in their order.
    pub(crate) fn encode(&self, encoder: &mut Encoder) {
        encode(encoder, &self.schema);
        encoder.seq(self.partition_by.iter(), |encoder, column| {
            encoder.str(column);
        });
    }
}

/// Encodes a part of a schema as the log writes it, with sorted keys.
fn encode(encoder: &mut Encoder, value: &Value) {
    match value {
        Value::Null => encoder.tag(0),
        Value::Bool(value) => {
            encoder.tag(1);
            encoder.bool(*value);
        }
        Value::Number(value) => {
            encoder.tag(2);
            encoder.str(&value.to_string());
        }
        Value::String(value) => {
            encoder.tag(3);
            encoder.str(value);
        }
        Value::Array(values) => {
            encoder.tag(4);
            encoder.seq(values.iter(), encode);
        }
        Value::Object(object) => {
            encoder.tag(5);
            let keys: BTreeSet<&String> = object.keys().collect();
            encoder.seq(keys.into_iter(), |encoder, key| {
                encoder.str(key);
                match (key.as_str(), &object[key]) {
                    ("metadata", Value::Object(metadata)) => encode_metadata(encoder, metadata),
                    (_, value) => encode(encoder, value),
                }
            });
        }
    }
}

/// Encodes what the metadata of a column says of its place in the files.
fn encode_metadata(encoder: &mut Encoder, metadata: &serde_json::Map<String, Value>) {
    let kept: BTreeMap<&String, &Value> = metadata
        .iter()
        .filter(|(key, _)| key.starts_with("delta.columnMapping."))
        .collect();
    encoder.tag(5);
    encoder.seq(kept.into_iter(), |encoder, (key, value)| {
        encoder.str(key);
        encode(encoder, value);
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn definitions(fields: Value, configuration: Value) -> Definitions {
        let schema = json!({ "type": "struct", "fields": fields });
        Definitions::of_action(&json!({
            "schemaString": schema.to_string(),
            "partitionColumns": ["p"],
            "configuration": configuration,
        }))
        .unwrap()
    }

    fn field(name: &str, data_type: &str, metadata: Value) -> Value {
        json!({ "name": name, "type": data_type, "nullable": true, "metadata": metadata })
    }

    #[test]
    fn only_what_a_reader_of_the_column_sees_is_in_its_fingerprint() {
        let columns = BTreeSet::from(["a".to_owned(), "p".to_owned()]);
        let base = definitions(
            json!([
                field("a", "long", json!({})),
                field("p", "string", json!({}))
            ]),
            json!({}),
        )
        .fingerprint(&columns);
        let same = [json!([
            field("p", "string", json!({})),
            field("b", "double", json!({})),
            field("a", "long", json!({ "comment": "a number" })),
        ])];
        for fields in same {
            assert_eq!(definitions(fields, json!({})).fingerprint(&columns), base);
        }
        let others = [
            json!([
                field("a", "integer", json!({})),
                field("p", "string", json!({}))
            ]),
            json!([field("p", "string", json!({}))]),
            json!([
                field(
                    "a",
                    "long",
                    json!({ "delta.columnMapping.physicalName": "c1" })
                ),
                field("p", "string", json!({})),
            ]),
        ];
        for fields in others {
            assert_ne!(definitions(fields, json!({})).fingerprint(&columns), base);
        }
        let mapped = definitions(
            json!([
                field("a", "long", json!({})),
                field("p", "string", json!({}))
            ]),
            json!({ "delta.columnMapping.mode": "name" }),
        );
        assert_ne!(mapped.fingerprint(&columns), base);
    }

    #[test]
    fn names_in_files_count_only_where_columns_are_mapped() {
        let fields = json!([
            field(
                "a",
                "long",
                json!({ "delta.columnMapping.physicalName": "c1" })
            ),
            field("p", "string", json!({})),
        ]);
        let mapped = definitions(fields.clone(), json!({ "delta.columnMapping.mode": "id" }));
        assert_eq!(mapped.names_in_files(), ["c1", "p"]);
        let plain = definitions(fields, json!({ "delta.columnMapping.mode": "none" }));
        assert_eq!(plain.names_in_files(), ["a", "p"]);
    }
}

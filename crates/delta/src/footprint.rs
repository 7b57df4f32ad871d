//! The identity of a version's data.

use std::collections::{BTreeMap, BTreeSet};

use codeanatomy_vocab::{Encoder, Fingerprint, Result};
use deltalake_core::kernel::Snapshot;
use serde_json::Value;

use crate::active::ActiveFile;
use crate::error::internal;

/// Digests the columns and the active files, which come sorted.
pub(crate) fn footprint(snapshot: &Snapshot, files: &[ActiveFile]) -> Result<Fingerprint> {
    let schema = serde_json::to_value(snapshot.schema().as_ref())
        .map_err(|error| internal("writing a schema as JSON", error))?;
    let mut encoder = Encoder::new("delta.footprint", 1);
    encode_schema(&mut encoder, &schema);
    encoder.seq(
        snapshot.metadata().partition_columns().iter(),
        |encoder, column| encoder.str(column),
    );
    encoder.seq(files.iter(), |encoder, file| {
        encoder.str(&file.path);
        encoder.u64(file.size_bytes);
        encoder.i64(file.modified.0);
        encoder.seq(file.partition_values.iter(), |encoder, (column, value)| {
            encoder.str(column);
            encoder.option(value.as_deref(), Encoder::str);
        });
        encoder.option(file.vector_id(), Encoder::str);
    });
    Ok(encoder.finish())
}

/// Encodes a schema as the log writes it, with sorted keys, without comments and the like.
fn encode_schema(encoder: &mut Encoder, value: &Value) {
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
            encoder.seq(values.iter(), encode_schema);
        }
        Value::Object(object) => {
            encoder.tag(5);
            let keys: BTreeSet<&String> = object.keys().collect();
            encoder.seq(keys.into_iter(), |encoder, key| {
                encoder.str(key);
                match (key.as_str(), &object[key]) {
                    ("metadata", Value::Object(metadata)) => {
                        let kept = metadata
                            .iter()
                            .filter(|(key, _)| key.starts_with("delta.columnMapping."))
                            .map(|(key, value)| (key.clone(), value.clone()))
                            .collect();
                        encode_schema_object(encoder, &kept);
                    }
                    (_, value) => encode_schema(encoder, value),
                }
            });
        }
    }
}

fn encode_schema_object(encoder: &mut Encoder, object: &BTreeMap<String, Value>) {
    encoder.tag(5);
    encoder.seq(object.iter(), |encoder, (key, value)| {
        encoder.str(key);
        encode_schema(encoder, value);
    });
}

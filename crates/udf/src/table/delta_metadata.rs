//! `delta_metadata`: what a Delta table says of itself.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanBuilder, Int64Array, ListBuilder, MapBuilder, MapFieldNames,
    RecordBatch, StringArray, StringBuilder, StructBuilder, TimestampMillisecondArray, UInt32Array,
    UInt64Array,
};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion_catalog::{MemTable, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion_common::{DataFusionError, Result};

use super::arguments::Arguments;
use super::wait::wait;
use super::{DeltaMetadata, DeltaOpener};
use crate::{Docs, Entry};

const NAME: &str = "delta_metadata";

/// The line of the manifest.
pub(crate) fn entry(opener: &Arc<dyn DeltaOpener>) -> Entry {
    let opener = Arc::clone(opener);
    Entry::table(NAME, Arc::new(DeltaMetadataScan { opener }), 1, DOCS)
}

const DOCS: Docs = Docs {
    section: "table",
    summary: "What the newest version of a Delta table says of itself, in one row.",
    syntax: "delta_metadata(location)",
    arguments: &[("location", "a path or a URL.")],
    returns: "`id`, `name`, `description`, `version`, `oldest_version`, `created_at`, `columns` (a list of \
              name, type and nullable), `partition_by`, `properties` (a map), `n_files`, `size_bytes`, \
              `n_rows` (null where the log does not say it of every file), `min_reader_version`, \
              `min_writer_version`, `reader_features`, `writer_features`.",
    notes: &["Only the log is read. A view cannot call it: its plan would not show what it reads."],
    examples: &[],
};

#[derive(Debug)]
struct DeltaMetadataScan {
    opener: Arc<dyn DeltaOpener>,
}

impl TableFunctionImpl for DeltaMetadataScan {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let arguments = Arguments::read(NAME, args.exprs(), 1, 1)?;
        let location = arguments.text(0, "location")?;
        let metadata = wait(async {
            let read = self.opener.metadata(location).await;
            read.map_err(|error| DataFusionError::External(Box::new(error)))
        })?;
        let batch = row(&metadata)?;
        Ok(Arc::new(MemTable::try_new(
            batch.schema(),
            vec![vec![batch]],
        )?))
    }
}

/// Times in milliseconds, in UTC.
pub(super) fn times(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    let values: Int64Array = values.collect();
    let times = TimestampMillisecondArray::new(values.values().clone(), values.nulls().cloned());
    Arc::new(times.with_timezone("UTC"))
}

/// A batch of named columns, each nullable unless its name ends with `!`.
pub(super) fn batch(columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch> {
    let fields: Vec<Field> = columns
        .iter()
        .map(|(name, values)| {
            let nullable = !name.ends_with('!');
            Field::new(
                name.trim_end_matches('!'),
                values.data_type().clone(),
                nullable,
            )
        })
        .collect();
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let columns = columns.into_iter().map(|(_, values)| values).collect();
    Ok(RecordBatch::try_new(schema, columns)?)
}

/// A map builder whose entries have the names that SQL shows.
pub(super) fn text_map() -> MapBuilder<StringBuilder, StringBuilder> {
    let names = MapFieldNames {
        entry: "entries".to_owned(),
        key: "key".to_owned(),
        value: "value".to_owned(),
    };
    MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new())
}

fn row(metadata: &DeltaMetadata) -> Result<RecordBatch> {
    let text = |value: Option<&str>| -> ArrayRef { Arc::new(StringArray::from(vec![value])) };
    let number = |value: Option<u64>| -> ArrayRef { Arc::new(UInt64Array::from(vec![value])) };
    let small = |value: u32| -> ArrayRef { Arc::new(UInt32Array::from(vec![value])) };
    let texts = |values: &[String]| -> ArrayRef {
        let mut list = ListBuilder::new(StringBuilder::new());
        list.append_value(values.iter().map(Some));
        Arc::new(list.finish())
    };
    let mut properties = text_map();
    for (key, value) in &metadata.properties {
        properties.keys().append_value(key);
        properties.values().append_value(value);
    }
    properties.append(true)?;
    batch(vec![
        ("id!", text(Some(&metadata.id))),
        ("name", text(metadata.name.as_deref())),
        ("description", text(metadata.description.as_deref())),
        ("version!", number(Some(metadata.version))),
        ("oldest_version!", number(Some(metadata.oldest_version))),
        (
            "created_at",
            times([metadata.created_at.map(|time| time.0)].into_iter()),
        ),
        ("columns!", columns(&metadata.columns)),
        ("partition_by!", texts(&metadata.partition_by)),
        ("properties!", Arc::new(properties.finish())),
        ("n_files!", number(Some(metadata.n_files))),
        ("size_bytes!", number(Some(metadata.size_bytes))),
        ("n_rows", number(metadata.n_rows)),
        ("min_reader_version!", small(metadata.min_reader_version)),
        ("min_writer_version!", small(metadata.min_writer_version)),
        ("reader_features!", texts(&metadata.reader_features)),
        ("writer_features!", texts(&metadata.writer_features)),
    ])
}

fn columns(columns: &[(String, String, bool)]) -> ArrayRef {
    let fields = Fields::from(vec![
        Field::new("name", DataType::Utf8, false),
        Field::new("type", DataType::Utf8, false),
        Field::new("nullable", DataType::Boolean, false),
    ]);
    let mut list = ListBuilder::new(StructBuilder::from_fields(fields, columns.len()));
    for (name, data_type, nullable) in columns {
        let entry = list.values();
        if let Some(names) = entry.field_builder::<StringBuilder>(0) {
            names.append_value(name);
        }
        if let Some(types) = entry.field_builder::<StringBuilder>(1) {
            types.append_value(data_type);
        }
        if let Some(nullables) = entry.field_builder::<BooleanBuilder>(2) {
            nullables.append_value(*nullable);
        }
        entry.append(true);
    }
    list.append(true);
    Arc::new(list.finish())
}

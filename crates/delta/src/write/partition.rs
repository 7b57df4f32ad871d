//! Rows by the values of their partition columns.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{
    Date32Type, Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow::row::{OwnedRow, RowConverter, SortField};
use arrow_schema::{DataType, Schema, SchemaRef, TimeUnit};
use codeanatomy_vocab::{Error, Result, nearest};

use crate::codes;
use crate::error::internal;

/// Longest text of a value in the name of a folder.
const MAX_FOLDER_VALUE: usize = 80;

/// The values of all partition columns, by name: text as the log holds it, or null.
pub(super) type PartitionValues = BTreeMap<String, Option<String>>;

/// Splits batches by partition.
pub(super) struct Splitter {
    /// Places of the partition columns.
    keys: Vec<usize>,
    names: Vec<String>,
    /// Places of the other columns.
    rest: Vec<usize>,
    converter: RowConverter,
}

/// The rows of one partition, without its columns.
pub(super) struct Part {
    pub(super) key: OwnedRow,
    pub(super) rows: RecordBatch,
    /// A row of the partition in the batch that was split.
    pub(super) example: usize,
}

/// Refuses partition columns that are missing, repeated, all there are, or of a type that has no
/// text in the log.
pub(super) fn check(schema: &Schema, partition_by: &[String]) -> Result<()> {
    for (index, column) in partition_by.iter().enumerate() {
        let Ok(field) = schema.field_with_name(column) else {
            let names = schema.fields().iter().map(|field| field.name().as_str());
            return Err(Error::new(
                codes::INVALID_PARTITION,
                format!("there is no column `{column}` to partition by"),
            )
            .with_nearest(nearest(column, names))
            .with_help("name a column of the view in `partition_by`"));
        };
        if partition_by[..index].contains(column) {
            return Err(Error::new(
                codes::INVALID_PARTITION,
                format!("`partition_by` names the column `{column}` twice"),
            )
            .with_help("name each column once"));
        }
        if !has_text(field.data_type()) {
            return Err(Error::new(
                codes::INVALID_PARTITION,
                format!(
                    "the column `{column}` of type {} cannot partition a table",
                    field.data_type()
                ),
            )
            .with_help("partition by text, whole numbers, decimals, dates, times or booleans"));
        }
    }
    if !partition_by.is_empty() && partition_by.len() == schema.fields().len() {
        return Err(Error::new(
            codes::INVALID_PARTITION,
            "`partition_by` names every column, so that the files would have none",
        )
        .with_help("leave at least one column out"));
    }
    Ok(())
}

/// The schema of the files: that of the table without partition columns.
pub(super) fn file_schema(schema: &Schema, partition_by: &[String]) -> SchemaRef {
    let fields: Vec<_> = schema
        .fields()
        .iter()
        .filter(|field| !partition_by.contains(field.name()))
        .cloned()
        .collect();
    Arc::new(Schema::new(fields))
}

impl Splitter {
    pub(super) fn new(schema: &Schema, partition_by: &[String]) -> Result<Self> {
        let keys: Vec<usize> = partition_by
            .iter()
            .filter_map(|column| schema.index_of(column).ok())
            .collect();
        let rest = (0..schema.fields().len())
            .filter(|column| !keys.contains(column))
            .collect();
        let fields = keys
            .iter()
            .map(|key| SortField::new(schema.field(*key).data_type().clone()))
            .collect();
        let converter = RowConverter::new(fields)
            .map_err(|error| internal("preparing rows for partitions", error))?;
        Ok(Self {
            keys,
            names: partition_by.to_vec(),
            rest,
            converter,
        })
    }

    /// The parts of a batch, in the order in which their first rows come.
    pub(super) fn split(&self, batch: &RecordBatch) -> Result<Vec<Part>> {
        let splitting = |error| internal("splitting rows by partition", error);
        let rest = batch.project(&self.rest).map_err(splitting)?;
        let keys = self.key_columns(batch);
        let rows = self.converter.convert_columns(&keys).map_err(splitting)?;
        let mut order: Vec<(usize, Vec<u32>)> = Vec::new();
        let mut places: HashMap<arrow::row::Row<'_>, usize> = HashMap::new();
        for (index, row) in rows.iter().enumerate() {
            let place = *places.entry(row).or_insert_with(|| {
                order.push((index, Vec::new()));
                order.len() - 1
            });
            order[place]
                .1
                .push(u32::try_from(index).unwrap_or(u32::MAX));
        }
        let is_whole = order.len() == 1;
        order
            .into_iter()
            .map(|(example, indices)| {
                let rows_of_part = if is_whole {
                    rest.clone()
                } else {
                    take_record_batch(&rest, &UInt32Array::from(indices)).map_err(splitting)?
                };
                Ok(Part {
                    key: rows.row(example).owned(),
                    rows: rows_of_part,
                    example,
                })
            })
            .collect()
    }

    /// The partition values of a row, as the log holds them.
    pub(super) fn values(&self, batch: &RecordBatch, row: usize) -> Result<PartitionValues> {
        self.names
            .iter()
            .zip(self.key_columns(batch))
            .map(|(name, column)| Ok((name.clone(), text(&column, row, name)?)))
            .collect()
    }

    fn key_columns(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        self.keys
            .iter()
            .map(|key| Arc::clone(batch.column(*key)))
            .collect()
    }
}

/// The folder of a partition, from the table's: one level for each column.
///
/// The names are for people; readers take values from the log. So a long value is cut.
pub(super) fn folder(partition_by: &[String], values: &PartitionValues) -> String {
    let mut folder = String::new();
    for column in partition_by {
        let value = match values.get(column).and_then(Option::as_deref) {
            Some(value) => escaped(value),
            None => "__null__".to_owned(),
        };
        folder.push_str(&format!("{}={value}/", escaped(column)));
    }
    folder
}

/// Letters, digits and `-_.:` as they are, all else as `~` and two hexadecimal digits for each byte.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if escaped.len() >= MAX_FOLDER_VALUE {
            escaped.push('~');
            break;
        }
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => escaped.push(char::from(byte)),
            b'.' if !escaped.is_empty() => escaped.push('.'),
            byte => escaped.push_str(&format!("~{byte:02X}")),
        }
    }
    escaped
}

fn has_text(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Boolean
            | DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Utf8
            | DataType::Date32
            | DataType::Timestamp(TimeUnit::Microsecond, _)
            | DataType::Decimal128(..)
    )
}

fn text(column: &ArrayRef, row: usize, name: &str) -> Result<Option<String>> {
    if column.is_null(row) {
        return Ok(None);
    }
    let out_of_range = || {
        Error::new(
            codes::UNREPRESENTABLE_VALUE,
            format!(
                "the partition column `{name}` holds a date or time outside of the years 0 to 9999"
            ),
        )
        .with_help("filter such rows out, or do not partition by this column")
    };
    let text = match column.data_type() {
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Int8 => column.as_primitive::<Int8Type>().value(row).to_string(),
        DataType::Int16 => column.as_primitive::<Int16Type>().value(row).to_string(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Date32 => super::stats::date(column.as_primitive::<Date32Type>().value(row))
            .ok_or_else(out_of_range)?,
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let micros = column.as_primitive::<TimestampMicrosecondType>().value(row);
            super::stats::time(micros, "%Y-%m-%d %H:%M:%S%.6f").ok_or_else(out_of_range)?
        }
        DataType::Decimal128(..) => column.as_primitive::<Decimal128Type>().value_as_string(row),
        other => {
            return Err(Error::new(
                codes::INVALID_PARTITION,
                format!("the column `{name}` of type {other} cannot partition a table"),
            )
            .with_help("partition by another column"));
        }
    };
    if text.is_empty() {
        return Err(Error::new(
            codes::UNREPRESENTABLE_VALUE,
            format!("the partition column `{name}` holds an empty text, which Delta readers take for null"),
        )
        .with_help(format!("use `nullif({name}, '')` in the view, or do not partition by it")));
    }
    Ok(Some(text))
}

//! Statistics of a written file, as the log holds them.

use std::fmt::Write as _;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType, UInt64Type,
};
use arrow_schema::{DataType, Schema, TimeUnit};
use chrono::{DateTime, Datelike};
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::file::metadata::ParquetMetaData;

/// How many columns get statistics; the log grows with each.
const MAX_COLUMNS: usize = 100;

/// How many characters of a text are kept.
const MAX_CHARACTERS: usize = 32;

/// The statistics of a file: a JSON object with the number of rows and, for columns of its top
/// level, nulls, minima and maxima.
///
/// All columns up to a limit, or those that are named.
///
/// Floats get no minimum and maximum, because a file's own leave NaN out. Text is cut to 32
/// characters, the maximum so that it stays an upper bound.
pub(super) fn file_stats(
    metadata: &ParquetMetaData,
    schema: &Schema,
    columns: Option<&[String]>,
) -> String {
    let n_rows = metadata.file_metadata().num_rows();
    let mut nulls = Object::default();
    let mut minima = Object::default();
    let mut maxima = Object::default();
    let parquet_schema = metadata.file_metadata().schema_descr();
    let wanted = schema
        .fields()
        .iter()
        .filter(|field| columns.is_none_or(|columns| columns.contains(field.name())))
        .take(columns.map_or(MAX_COLUMNS, <[String]>::len));
    for field in wanted {
        if field.data_type().is_nested() {
            continue;
        }
        let Ok(converter) = StatisticsConverter::try_new(field.name(), schema, parquet_schema)
        else {
            continue;
        };
        let converter = converter.with_missing_null_counts_as_zero(false);
        let groups = || metadata.row_groups().iter();
        if let Ok(counts) = converter.row_group_null_counts(groups())
            && counts.null_count() == 0
        {
            nulls.insert(
                field.name(),
                &arrow::compute::sum(&counts).unwrap_or(0).to_string(),
            );
        }
        let (Ok(min), Ok(max)) = (
            converter.row_group_mins(groups()),
            converter.row_group_maxes(groups()),
        ) else {
            continue;
        };
        // A row group of nulls alone has neither, and takes nothing from the others.
        if !has_bounds_where_values(&min, &max, metadata, &converter) {
            continue;
        }
        if let (Some(min), Some(max)) = (least(&min), greatest(&max)) {
            minima.insert(field.name(), &min);
            maxima.insert(field.name(), &max);
        }
    }
    format!(
        "{{\"numRecords\":{n_rows},\"tightBounds\":true,\"minValues\":{},\"maxValues\":{},\"nullCount\":{}}}",
        minima.finish(),
        maxima.finish(),
        nulls.finish()
    )
}

/// Whether every row group with a value has both bounds.
fn has_bounds_where_values(
    min: &ArrayRef,
    max: &ArrayRef,
    metadata: &ParquetMetaData,
    converter: &StatisticsConverter<'_>,
) -> bool {
    let Ok(null_counts) = converter.row_group_null_counts(metadata.row_groups().iter()) else {
        return false;
    };
    metadata
        .row_groups()
        .iter()
        .enumerate()
        .all(|(index, group)| {
            let has_bounds = min.is_valid(index) && max.is_valid(index);
            let is_all_null = null_counts.is_valid(index)
                && i64::try_from(null_counts.as_primitive_value(index)).ok()
                    == Some(group.num_rows());
            has_bounds || is_all_null
        })
}

trait PrimitiveValue {
    fn as_primitive_value(&self, index: usize) -> u64;
}

impl PrimitiveValue for arrow::array::PrimitiveArray<UInt64Type> {
    fn as_primitive_value(&self, index: usize) -> u64 {
        self.value(index)
    }
}

fn least(values: &ArrayRef) -> Option<String> {
    match values.data_type() {
        DataType::Utf8 => {
            let text = arrow::compute::min_string(values.as_string::<i32>())?;
            let cut: String = text.chars().take(MAX_CHARACTERS).collect();
            quoted(&cut)
        }
        _ => json(values, arrow::compute::SortOptions::default()),
    }
}

fn greatest(values: &ArrayRef) -> Option<String> {
    match values.data_type() {
        DataType::Utf8 => {
            let text = arrow::compute::max_string(values.as_string::<i32>())?;
            let mut cut: String = text.chars().take(MAX_CHARACTERS).collect();
            if cut.len() < text.len() {
                cut.push(char::MAX);
            }
            quoted(&cut)
        }
        _ => json(
            values,
            arrow::compute::SortOptions {
                descending: true,
                nulls_first: false,
            },
        ),
    }
}

/// The first value in an order, as JSON.
fn json(values: &ArrayRef, order: arrow::compute::SortOptions) -> Option<String> {
    macro_rules! first {
        ($type:ty) => {{
            let values = values.as_primitive::<$type>();
            if order.descending {
                arrow::compute::max(values)?
            } else {
                arrow::compute::min(values)?
            }
        }};
    }
    match values.data_type() {
        DataType::Int8 => Some(first!(Int8Type).to_string()),
        DataType::Int16 => Some(first!(Int16Type).to_string()),
        DataType::Int32 => Some(first!(Int32Type).to_string()),
        DataType::Int64 => Some(first!(Int64Type).to_string()),
        DataType::Decimal128(precision, scale) => {
            use arrow::datatypes::DecimalType;
            Some(Decimal128Type::format_decimal(
                first!(Decimal128Type),
                *precision,
                *scale,
            ))
        }
        DataType::Date32 => quoted(&date(first!(Date32Type))?),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let format = match zone {
                Some(_) => "%Y-%m-%dT%H:%M:%S%.6fZ",
                None => "%Y-%m-%dT%H:%M:%S%.6f",
            };
            quoted(&time(first!(TimestampMicrosecondType), format)?)
        }
        _ => None,
    }
}

/// A date as Delta writes it; `None` outside of the years 0 to 9999.
pub(super) fn date(days: i32) -> Option<String> {
    time(i64::from(days).checked_mul(86_400_000_000)?, "%Y-%m-%d")
}

/// A time in UTC; `None` outside of the years 0 to 9999.
pub(super) fn time(micros: i64, format: &str) -> Option<String> {
    let time = DateTime::from_timestamp_micros(micros)?;
    (0..=9999)
        .contains(&time.year())
        .then(|| time.format(format).to_string())
}

fn quoted(text: &str) -> Option<String> {
    serde_json::to_string(text).ok()
}

/// A JSON object, written as it comes: decimals stay exact.
#[derive(Default)]
struct Object(String);

impl Object {
    fn insert(&mut self, key: &str, json: &str) {
        let Some(key) = quoted(key) else {
            return;
        };
        let separator = if self.0.is_empty() { "" } else { "," };
        // Writing to a string does not fail.
        let _ = write!(self.0, "{separator}{key}:{json}");
    }

    fn finish(self) -> String {
        format!("{{{}}}", self.0)
    }
}

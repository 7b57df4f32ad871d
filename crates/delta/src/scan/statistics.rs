//! Statistics of data files, from the text of the log.
//!
//! A wrong exact statistic is a wrong answer: the planner answers `COUNT(*)`, `MIN` and `MAX` from
//! exact ones without a look at the files. So a value is exact only where the log cannot have
//! rounded or cut it, and absent wherever anything about it is odd.

use std::sync::Arc;

use arrow_schema::{DataType, Schema, TimeUnit};
use datafusion_common::stats::Precision;
use datafusion_common::{ColumnStatistics, ScalarValue, Statistics};
use serde_json::{Map, Value};

use super::partition::{days, micros};
use crate::active::ActiveFile;

/// Bytes that a value of variable length is taken to have in memory.
const VARIABLE_WIDTH: usize = 16;

/// What the log says of one file.
#[derive(Debug, Clone)]
pub(super) struct FileStatistics {
    /// For the planner: counts, minima and maxima by column of the table's files, then by
    /// partition column.
    pub(super) planner: Arc<Statistics>,
    /// For pruning: a lower and an upper bound by the same columns, where there are both.
    pub(super) bounds: Vec<Option<(ScalarValue, ScalarValue)>>,
}

#[derive(Debug, Default)]
struct Parsed {
    tight: bool,
    min_values: Map<String, Value>,
    max_values: Map<String, Value>,
    null_counts: Map<String, Value>,
}

/// Statistics of `file`, whose columns are those of `file_schema` and then `partition_values`.
pub(super) fn file_statistics(
    file: &ActiveFile,
    file_schema: &Schema,
    partition_values: &[ScalarValue],
) -> FileStatistics {
    let n_rows = file.n_rows.and_then(|n_rows| usize::try_from(n_rows).ok());
    let parsed = parse(file);
    let mut columns = Vec::with_capacity(file_schema.fields().len() + partition_values.len());
    let mut bounds = Vec::with_capacity(columns.capacity());
    for field in file_schema.fields() {
        let (statistics, bound) =
            column_statistics(&parsed, field.name(), field.data_type(), n_rows);
        columns.push(statistics);
        bounds.push(bound);
    }
    for value in partition_values {
        columns.push(constant_statistics(value, n_rows));
        bounds.push((!value.is_null()).then(|| (value.clone(), value.clone())));
    }
    let num_rows = n_rows.map_or(Precision::Absent, Precision::Exact);
    let total_byte_size = columns
        .iter()
        .map(|column| column.byte_size)
        .reduce(|total, size| total.add(&size))
        .unwrap_or(Precision::Absent);
    FileStatistics {
        planner: Arc::new(Statistics {
            num_rows,
            total_byte_size,
            column_statistics: columns,
        }),
        bounds,
    }
}

fn parse(file: &ActiveFile) -> Parsed {
    let stats = file
        .stats
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok());
    let Some(Value::Object(mut stats)) = stats else {
        return Parsed::default();
    };
    let mut object = |key: &str| match stats.remove(key) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    };
    Parsed {
        min_values: object("minValues"),
        max_values: object("maxValues"),
        null_counts: object("nullCount"),
        // Bounds of a file with a deletion vector may be those of rows that are gone.
        tight: stats.get("tightBounds") != Some(&Value::Bool(false))
            && file.deletion_vector.is_none(),
    }
}

fn column_statistics(
    parsed: &Parsed,
    name: &str,
    data_type: &DataType,
    n_rows: Option<usize>,
) -> (ColumnStatistics, Option<(ScalarValue, ScalarValue)>) {
    let mut statistics = ColumnStatistics::new_unknown();
    statistics.byte_size = byte_size(data_type, n_rows);
    let null_count = parsed
        .null_counts
        .get(name)
        .and_then(Value::as_u64)
        .and_then(|count| usize::try_from(count).ok());
    match (null_count, n_rows) {
        (Some(count), Some(n_rows)) if count > n_rows => return (statistics, None),
        (Some(count), _) => {
            statistics.null_count = precise(count, parsed.tight);
        }
        (None, _) => {}
    }
    let value = |values: &Map<String, Value>| scalar(values.get(name)?, data_type);
    let (Some(min), Some(max)) = (value(&parsed.min_values), value(&parsed.max_values)) else {
        return (statistics, None);
    };
    if min.partial_cmp(&max).is_none_or(|order| order.is_gt()) {
        return (statistics, None);
    }
    let exact = parsed.tight && is_written_exactly(data_type);
    statistics.min_value = precise(min.clone(), exact);
    statistics.max_value = precise(max.clone(), exact);
    (statistics, bounds(min, max))
}

/// Whether the log holds minima and maxima of this type as they are: never cut (text), rounded
/// (times, by some writers to milliseconds; decimals and floats, through JSON numbers) or blind to
/// a value (floats, to NaN).
fn is_written_exactly(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Date32
            | DataType::Boolean
    )
}

/// Bounds that no row of the file crosses, where the type lets us know them.
fn bounds(min: ScalarValue, max: ScalarValue) -> Option<(ScalarValue, ScalarValue)> {
    const MILLISECOND: i64 = 1_000;
    match (min, max) {
        // A maximum cut to milliseconds is less than the row it came from.
        (
            ScalarValue::TimestampMicrosecond(Some(min), zone),
            ScalarValue::TimestampMicrosecond(Some(max), _),
        ) => Some((
            ScalarValue::TimestampMicrosecond(Some(min.checked_sub(MILLISECOND)?), zone.clone()),
            ScalarValue::TimestampMicrosecond(Some(max.checked_add(MILLISECOND)?), zone),
        )),
        (min, max) if is_written_exactly(&min.data_type()) => Some((min, max)),
        _ => None,
    }
}

/// Statistics of a column that has one value in the whole file.
fn constant_statistics(value: &ScalarValue, n_rows: Option<usize>) -> ColumnStatistics {
    let mut statistics = ColumnStatistics::new_unknown();
    statistics.byte_size = byte_size(&value.data_type(), n_rows);
    if value.is_null() {
        statistics.null_count = n_rows.map_or(Precision::Absent, Precision::Exact);
        return statistics;
    }
    statistics.null_count = Precision::Exact(0);
    // A file without rows has no minimum, whatever its folder says.
    if n_rows.is_some_and(|n_rows| n_rows > 0) {
        statistics.min_value = Precision::Exact(value.clone());
        statistics.max_value = Precision::Exact(value.clone());
    }
    statistics
}

fn byte_size(data_type: &DataType, n_rows: Option<usize>) -> Precision<usize> {
    let Some(n_rows) = n_rows else {
        return Precision::Absent;
    };
    match data_type.primitive_width() {
        Some(width) => Precision::Exact(n_rows.saturating_mul(width)),
        None => Precision::Inexact(n_rows.saturating_mul(VARIABLE_WIDTH)),
    }
}

fn precise<T: std::fmt::Debug + Clone + PartialEq + Eq + PartialOrd>(
    value: T,
    exact: bool,
) -> Precision<T> {
    if exact {
        Precision::Exact(value)
    } else {
        Precision::Inexact(value)
    }
}

fn scalar(value: &Value, data_type: &DataType) -> Option<ScalarValue> {
    let text = || value.as_str();
    Some(match data_type {
        DataType::Int8 => ScalarValue::Int8(Some(value.as_i64()?.try_into().ok()?)),
        DataType::Int16 => ScalarValue::Int16(Some(value.as_i64()?.try_into().ok()?)),
        DataType::Int32 => ScalarValue::Int32(Some(value.as_i64()?.try_into().ok()?)),
        DataType::Int64 => ScalarValue::Int64(Some(value.as_i64()?)),
        DataType::Boolean => ScalarValue::Boolean(Some(value.as_bool()?)),
        DataType::Date32 => ScalarValue::Date32(Some(days(text()?)?)),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            ScalarValue::TimestampMicrosecond(Some(micros(text()?, zone.is_some())?), zone.clone())
        }
        DataType::Utf8 => ScalarValue::Utf8(Some(text()?.to_owned())),
        DataType::Float32 => {
            #[expect(clippy::cast_possible_truncation, reason = "an estimate, never exact")]
            let value = value.as_f64()? as f32;
            ScalarValue::Float32(Some(value))
        }
        DataType::Float64 => ScalarValue::Float64(Some(value.as_f64()?)),
        DataType::Decimal128(..) => {
            let text = match value {
                Value::Number(number) => number.to_string(),
                Value::String(text) => text.clone(),
                _ => return None,
            };
            let value = ScalarValue::try_from_string(text, data_type).ok()?;
            (!value.is_null()).then_some(value)?
        }
        _ => return None,
    })
}

/// Adds up statistics of files that have the same columns.
pub(super) fn total<'a>(
    files: impl Iterator<Item = &'a Statistics>,
    schema: &Schema,
) -> Statistics {
    let mut total: Option<Statistics> = None;
    for file in files {
        match &mut total {
            None => total = Some(file.clone()),
            Some(total) => add(total, file),
        }
    }
    total.unwrap_or_else(|| Statistics::new_unknown(schema))
}

fn add(total: &mut Statistics, file: &Statistics) {
    // A file whose rows are all null has no minimum and takes none away from the others.
    let n_total = total.num_rows;
    for (total, column) in total
        .column_statistics
        .iter_mut()
        .zip(&file.column_statistics)
    {
        let total_is_null = is_all_null(total, n_total);
        let column_is_null = is_all_null(column, file.num_rows);
        if total_is_null {
            total.min_value = column.min_value.clone();
            total.max_value = column.max_value.clone();
        } else if !column_is_null {
            total.min_value = total.min_value.min(&column.min_value);
            total.max_value = total.max_value.max(&column.max_value);
        }
        total.null_count = total.null_count.add(&column.null_count);
        total.byte_size = total.byte_size.add(&column.byte_size);
    }
    total.num_rows = total.num_rows.add(&file.num_rows);
    total.total_byte_size = total.total_byte_size.add(&file.total_byte_size);
}

fn is_all_null(column: &ColumnStatistics, num_rows: Precision<usize>) -> bool {
    matches!(
        (column.null_count, num_rows),
        (Precision::Exact(null_count), Precision::Exact(num_rows)) if null_count == num_rows
    ) && column.min_value == Precision::Absent
        && column.max_value == Precision::Absent
}

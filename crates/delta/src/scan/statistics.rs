//! Statistics of data files, from the text of the log.
//!
//! A wrong exact statistic is a wrong answer: the planner answers `COUNT(*)`, `MIN` and `MAX` from
//! exact ones without a look at the files. So a value is exact only where the log cannot have
//! rounded or cut it, and absent wherever anything about it is odd.

use arrow_schema::{DataType, Schema};
use datafusion_common::stats::Precision;
use datafusion_common::{ColumnStatistics, ScalarValue, Statistics};

use crate::active::ActiveFile;
use crate::log_stats::{LogStats, RawColumn, is_written_exactly};
use crate::values::scalar;

/// Bytes that a value of variable length is taken to have in memory.
const VARIABLE_WIDTH: usize = 16;

/// A column whose statistics are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Its place among the columns of the files.
    pub(super) place: usize,
    /// Its name in files and log.
    pub(super) name: &'a str,
}

/// Statistics of `file`, whose columns are those of `file_schema` and then `partition_values`:
/// counts, minima and maxima of the `wanted` columns and of the partition columns.
pub(super) fn file_statistics(
    file: &ActiveFile,
    file_schema: &Schema,
    wanted: &[Wanted<'_>],
    partition_values: &[ScalarValue],
) -> Statistics {
    let n_rows = file.n_rows.and_then(|n_rows| usize::try_from(n_rows).ok());
    let mut columns: Vec<ColumnStatistics> = file_schema
        .fields()
        .iter()
        .map(|field| {
            let mut column = ColumnStatistics::new_unknown();
            column.byte_size = byte_size(field.data_type(), n_rows);
            column
        })
        .collect();
    let names: Vec<&str> = wanted.iter().map(|wanted| wanted.name).collect();
    let log = LogStats::read(file, &names);
    for (wanted, raw) in wanted.iter().zip(&log.columns) {
        let data_type = file_schema.field(wanted.place).data_type();
        add_column(
            &mut columns[wanted.place],
            raw,
            data_type,
            n_rows,
            log.tight,
        );
    }
    columns.extend(
        partition_values
            .iter()
            .map(|value| constant_statistics(value, n_rows)),
    );
    let total_byte_size = columns
        .iter()
        .map(|column| column.byte_size)
        .reduce(|total, size| total.add(&size))
        .unwrap_or(Precision::Absent);
    Statistics {
        num_rows: n_rows.map_or(Precision::Absent, Precision::Exact),
        total_byte_size,
        column_statistics: columns,
    }
}

fn add_column(
    statistics: &mut ColumnStatistics,
    raw: &RawColumn,
    data_type: &DataType,
    n_rows: Option<usize>,
    tight: bool,
) {
    let null_count = raw.null_count.and_then(|count| usize::try_from(count).ok());
    match (null_count, n_rows) {
        (Some(count), Some(n_rows)) if count > n_rows => return,
        (Some(count), _) => statistics.null_count = precise(count, tight),
        (None, _) => {}
    }
    let read = |value: &Option<serde_json::Value>| scalar(value.as_ref()?, data_type);
    let (Some(min), Some(max)) = (read(&raw.min), read(&raw.max)) else {
        return;
    };
    if min.partial_cmp(&max).is_none_or(|order| order.is_gt()) {
        return;
    }
    let exact = tight && is_written_exactly(data_type);
    statistics.min_value = precise(min, exact);
    statistics.max_value = precise(max, exact);
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

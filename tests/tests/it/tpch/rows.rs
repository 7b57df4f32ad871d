//! Rows as values that can be compared between engines.

use std::fmt;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type};

/// The answer to a query, in its order.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Value>>,
}

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    /// `units` divided by ten to the power of `scale`.
    Exact {
        units: i128,
        scale: u32,
    },
    /// A floating-point number.
    Approximate(f64),
    /// Text, or a date as `YYYY-MM-DD`.
    Text(String),
}

impl Rows {
    pub(crate) fn from_batches(batches: &[RecordBatch]) -> Self {
        let columns = batches.first().map_or_else(Vec::new, |batch| {
            let schema = batch.schema();
            schema
                .fields()
                .iter()
                .map(|field| field.name().clone())
                .collect()
        });
        let mut rows = Vec::new();
        for batch in batches {
            let columns: Vec<Vec<Value>> = batch
                .columns()
                .iter()
                .map(|column| values(column.as_ref()))
                .collect();
            rows.extend(
                (0..batch.num_rows())
                    .map(|row| columns.iter().map(|column| column[row].clone()).collect()),
            );
        }
        Self { columns, rows }
    }
}

impl Value {
    pub(crate) fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Exact { units, scale } => Some(*units as f64 / 10_f64.powi(*scale as i32)),
            Self::Approximate(value) => Some(*value),
            Self::Null | Self::Text(_) => None,
        }
    }

    /// Exact values and text are the same or not. An approximate value may differ from an exact one by
    /// a unit of its last digit, because engines round averages and ratios at different digits, and from
    /// another approximate one in the tenth digit.
    fn agrees_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exact { units: a, scale: s }, Self::Exact { units: b, scale: t }) => {
                let common = *s.max(t);
                a * 10_i128.pow(common - s) == b * 10_i128.pow(common - t)
            }
            (Self::Exact { scale, .. }, Self::Approximate(_))
            | (Self::Approximate(_), Self::Exact { scale, .. }) => {
                self.is_near(other, 10_f64.powi(-(*scale as i32)))
            }
            (Self::Approximate(_), Self::Approximate(_)) => self.is_near(other, 0.0),
            _ => self == other,
        }
    }

    fn is_near(&self, other: &Self, absolute: f64) -> bool {
        match (self.as_f64(), other.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() <= absolute + 1e-9 * b.abs(),
            _ => false,
        }
    }
}

impl fmt::Display for Value {
    /// As the answers of the specification are written: fractions with two digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Exact { units, scale: 0 } => units.fmt(f),
            Self::Exact { units, scale } => {
                let hundredths = if *scale >= 2 {
                    let divisor = 10_i128.pow(scale - 2);
                    (units.abs() + divisor / 2) / divisor * units.signum()
                } else {
                    units * 10
                };
                let sign = if hundredths < 0 { "-" } else { "" };
                let hundredths = hundredths.abs();
                write!(f, "{sign}{}.{:02}", hundredths / 100, hundredths % 100)
            }
            Self::Approximate(value) => write!(f, "{value:.2}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// The first difference between two answers, for people; none if they agree, row by row.
pub(crate) fn difference(ours: &Rows, theirs: &Rows) -> Option<String> {
    if ours.rows.len() != theirs.rows.len() {
        return Some(format!(
            "{} rows, not {}",
            ours.rows.len(),
            theirs.rows.len()
        ));
    }
    if ours.columns != theirs.columns && !ours.rows.is_empty() {
        return Some(format!(
            "columns {:?}, not {:?}",
            ours.columns, theirs.columns
        ));
    }
    ours.rows
        .iter()
        .zip(&theirs.rows)
        .enumerate()
        .find_map(|(row, (a, b))| {
            let column = a.iter().zip(b).position(|(a, b)| !a.agrees_with(b))?;
            Some(format!(
                "row {}, column {}: {:?}, not {:?}",
                row + 1,
                ours.columns[column],
                a[column],
                b[column]
            ))
        })
}

fn values(array: &dyn Array) -> Vec<Value> {
    let value: Box<dyn Fn(usize) -> Value> = match array.data_type() {
        DataType::Int32 | DataType::Int64 | DataType::UInt64 => {
            let array = cast(array, &DataType::Int64).unwrap();
            Box::new(move |row| Value::Exact {
                units: i128::from(array.as_primitive::<Int64Type>().value(row)),
                scale: 0,
            })
        }
        DataType::Decimal128(_, scale) => {
            let scale = u32::try_from(*scale).unwrap();
            let array = array.as_primitive::<Decimal128Type>().clone();
            Box::new(move |row| Value::Exact {
                units: array.value(row),
                scale,
            })
        }
        DataType::Float64 => {
            let array = array.as_primitive::<Float64Type>().clone();
            Box::new(move |row| Value::Approximate(array.value(row)))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Date32 => {
            let array = cast(array, &DataType::Utf8).unwrap();
            Box::new(move |row| Value::Text(array.as_string::<i32>().value(row).to_owned()))
        }
        other => panic!("no query returns {other}"),
    };
    (0..array.len())
        .map(|row| {
            if array.is_null(row) {
                Value::Null
            } else {
                value(row)
            }
        })
        .collect()
}

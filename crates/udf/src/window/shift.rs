//! What `lag_partition` and `lead_partition` share: looking a fixed number of rows up or down.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion_common::{Result, ScalarValue, exec_err, plan_err};
use datafusion_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion_expr::{ColumnarValue, PartitionEvaluator};

pub(super) const NOTES: &[&str] = &[
    "A negative offset looks the other way, and 0 at the row itself. With `IGNORE NULLS` only rows whose \
     value is not null are counted, so offset 1 is the nearest of them; 0 stays the row itself. The default \
     is converted to the type of the value. The frame of the window has no effect.",
    "Rows that the window's `ORDER BY` leaves equal stand in any order: add a column that tells them apart.",
    "Without `IGNORE NULLS` the function runs in streams and holds as many rows as the offset says.",
];

/// Which way a positive offset looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Lag,
    Lead,
}

/// The types that arguments are converted to.
pub(super) fn arguments(function: &str, arg_types: &[DataType]) -> Result<Vec<DataType>> {
    let Some((value, others)) = arg_types.split_first() else {
        return plan_err!("`{function}` takes 1 to 3 arguments, not 0");
    };
    let mut types = vec![value.clone()];
    match others {
        [] => {}
        [offset, rest @ ..] if rest.len() < 2 => {
            if !offset.is_integer() && !offset.is_null() {
                return plan_err!("the offset of `{function}` is an integer, not {offset}");
            }
            types.push(DataType::Int64);
            if let [default] = rest {
                // A value that is null everywhere has the type of the default.
                if value.is_null() {
                    types[0] = default.clone();
                }
                types.push(types[0].clone());
            }
        }
        more => {
            let count = more.len() + 1;
            return plan_err!("`{function}` takes 1 to 3 arguments, not {count}");
        }
    }
    Ok(types)
}

/// The field of the result: that of the value, nullable.
pub(super) fn result_field(function: &str, args: &WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
    let Some(value) = args.input_fields().first() else {
        return plan_err!("`{function}` takes 1 to 3 arguments, not 0");
    };
    let field = value.as_ref().clone();
    Ok(Arc::new(field.with_name(args.name()).with_nullable(true)))
}

/// What computes the values of one partition.
pub(super) fn evaluator(
    function: &str,
    direction: Direction,
    args: &PartitionEvaluatorArgs<'_>,
) -> Result<Box<dyn PartitionEvaluator>> {
    let Some(value) = args.input_fields().first() else {
        return plan_err!("`{function}` takes 1 to 3 arguments, not 0");
    };
    let offset = match constant(function, args, 1, "offset")? {
        None => 1,
        Some(offset) => match offset.cast_to(&DataType::Int64)? {
            ScalarValue::Int64(Some(offset)) => offset,
            _ => return plan_err!("the offset of `{function}` must not be null"),
        },
    };
    let default = match constant(function, args, 2, "default")? {
        Some(default) => default.cast_to(value.data_type())?,
        None => ScalarValue::try_from(value.data_type())?,
    };
    let up = match direction {
        Direction::Lag => i128::from(offset),
        Direction::Lead => -i128::from(offset),
    };
    let rows = usize::try_from(up.unsigned_abs()).unwrap_or(usize::MAX);
    Ok(Box::new(Shift {
        up: up > 0,
        rows,
        default,
        ignore_nulls: args.ignore_nulls(),
    }))
}

/// The value of an argument that must not depend on the row.
fn constant(
    function: &str,
    args: &PartitionEvaluatorArgs<'_>,
    index: usize,
    what: &str,
) -> Result<Option<ScalarValue>> {
    let Some(expr) = args.input_exprs().get(index) else {
        return Ok(None);
    };
    let no_columns = RecordBatch::new_empty(Arc::new(Schema::empty()));
    match expr.evaluate(&no_columns) {
        Ok(ColumnarValue::Scalar(value)) => Ok(Some(value)),
        Ok(ColumnarValue::Array(_)) | Err(_) => {
            plan_err!("the {what} of `{function}` must be a constant, but it is `{expr}`")
        }
    }
}

/// Looks `rows` rows up, or down.
#[derive(Debug)]
struct Shift {
    up: bool,
    rows: usize,
    default: ScalarValue,
    ignore_nulls: bool,
}

impl Shift {
    /// The row that each row looks at, or none.
    fn sources(&self, values: &dyn Array) -> Vec<Option<usize>> {
        let len = values.len();
        if !self.ignore_nulls || self.rows == 0 {
            return (0..len).map(|row| self.source(row, len)).collect();
        }
        let nulls = values.logical_nulls();
        let valid = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
        let present: Vec<usize> = (0..len).filter(|row| valid(*row)).collect();
        let mut passed = 0_usize;
        (0..len)
            .map(|row| {
                let own = usize::from(valid(row));
                let found = if self.up {
                    passed.checked_sub(self.rows)
                } else {
                    (passed + own).checked_add(self.rows - 1)
                };
                passed += own;
                found.and_then(|at| present.get(at).copied())
            })
            .collect()
    }

    fn source(&self, row: usize, len: usize) -> Option<usize> {
        if self.up {
            row.checked_sub(self.rows)
        } else {
            row.checked_add(self.rows).filter(|source| *source < len)
        }
    }
}

impl PartitionEvaluator for Shift {
    fn evaluate_all(&mut self, values: &[ArrayRef], num_rows: usize) -> Result<ArrayRef> {
        let values = &values[0];
        let index = |row: usize| u32::try_from(row).ok();
        if index(num_rows).is_none() {
            return exec_err!("a window partition has {num_rows} rows, more than 2^32 - 1");
        }
        let sources = self.sources(values);
        if self.default.is_null() {
            let rows: UInt32Array = sources.into_iter().map(|row| row.and_then(index)).collect();
            return Ok(take(values, &rows, None)?);
        }
        let with_default = concat(&[values.as_ref(), self.default.to_array()?.as_ref()])?;
        let sources = sources
            .into_iter()
            .map(|row| index(row.unwrap_or(num_rows)));
        Ok(take(
            &with_default,
            &sources.collect::<UInt32Array>(),
            None,
        )?)
    }

    /// The rows from the one that is looked at to the row itself: shorter where that one is missing.
    fn get_range(&self, idx: usize, n_rows: usize) -> Result<Range<usize>> {
        Ok(if self.up {
            idx.saturating_sub(self.rows)..idx + 1
        } else {
            idx..n_rows.min(idx.saturating_add(self.rows).saturating_add(1))
        })
    }

    fn evaluate(&mut self, values: &[ArrayRef], range: &Range<usize>) -> Result<ScalarValue> {
        if range.len() <= self.rows {
            return Ok(self.default.clone());
        }
        let row = if self.up { range.start } else { range.end - 1 };
        ScalarValue::try_from_array(&values[0], row)
    }

    /// Looking up needs no row behind.
    fn is_causal(&self) -> bool {
        self.up || self.rows == 0
    }

    fn supports_bounded_execution(&self) -> bool {
        !self.ignore_nulls
    }
}

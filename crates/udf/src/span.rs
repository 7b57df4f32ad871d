//! What a span is: a structure of two whole numbers, the end not included.
//!
//! A span is `[start, end)`: `start` is the first position that belongs to it and `end` the first
//! after it. Positions are counted from 0, in the unit of whoever made the span (bytes, unless
//! the data says otherwise); no function converts units, and spans of different units must not
//! meet in one call. `start = end` is an empty span at a position. What starts below 0 or ends
//! before it starts is no span, and is read as null.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StructArray};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Fields, Int64Type};
use datafusion_common::{Result, exec_err};

static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    Fields::from(vec![
        Field::new("start", DataType::Int64, false),
        Field::new("end", DataType::Int64, false),
    ])
});

/// The type of spans: `Struct(start Int64, end Int64)`, both not null.
pub fn span_type() -> DataType {
    DataType::Struct(Fields::clone(&FIELDS))
}

/// Whether a type can be read as spans: a structure that has whole numbers `start` and `end`, in any
/// order and among any others; or always null.
pub(crate) fn is_span(data_type: &DataType) -> bool {
    match data_type {
        DataType::Null => true,
        DataType::Struct(fields) => ["start", "end"].iter().all(|name| {
            fields
                .iter()
                .any(|field| field.name() == name && field.data_type().is_integer())
        }),
        _ => false,
    }
}

/// The columns of an array of spans.
#[derive(Debug)]
pub(crate) struct Spans {
    start: Int64Array,
    end: Int64Array,
    nulls: Option<NullBuffer>,
}

impl Spans {
    /// Reads an array of a type for which [`is_span`] is true.
    pub(crate) fn of(array: &dyn Array) -> Result<Self> {
        if array.data_type() == &DataType::Null {
            let column = Int64Array::new_null(array.len());
            return Ok(Self {
                start: column.clone(),
                nulls: column.nulls().cloned(),
                end: column,
            });
        }
        let Some(spans) = array.as_struct_opt() else {
            return exec_err!("expected spans, found {}", array.data_type());
        };
        let column = |name| match spans.column_by_name(name) {
            // A number that is too large becomes null.
            Some(column) if column.data_type().is_integer() => Ok(cast(column, &DataType::Int64)?
                .as_primitive::<Int64Type>()
                .clone()),
            _ => exec_err!(
                "a span has a whole number `{name}`, found {}",
                array.data_type()
            ),
        };
        let (start, end) = (column("start")?, column("end")?);
        let nulls = NullBuffer::union(spans.nulls(), start.nulls());
        let nulls = NullBuffer::union(nulls.as_ref(), end.nulls());
        Ok(Self { start, end, nulls })
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.start.len()
    }

    /// Start and end of a row, if it is a span.
    #[inline]
    pub(crate) fn get(&self, row: usize) -> Option<(i64, i64)> {
        let null = self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
        let (start, end) = (self.start.value(row), self.end.value(row));
        (!null && is_valid(start, end)).then_some((start, end))
    }
}

/// Whether start and end make a span.
#[inline]
pub(crate) fn is_valid(start: i64, end: i64) -> bool {
    0 <= start && start <= end
}

/// An array of spans from starts and ends, none of them null. Rows that `nulls` marks have no span.
pub(crate) fn span_array(
    starts: Int64Array,
    ends: Int64Array,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let columns: Vec<ArrayRef> = vec![Arc::new(starts), Arc::new(ends)];
    let spans = StructArray::try_new(Fields::clone(&FIELDS), columns, nulls)?;
    Ok(Arc::new(spans))
}

/// An array of spans; where there is none, it is null.
pub(crate) fn collect_spans(spans: impl Iterator<Item = Option<(i64, i64)>>) -> Result<ArrayRef> {
    let (mut starts, mut ends, mut valid) = (Vec::new(), Vec::new(), Vec::new());
    for span in spans {
        valid.push(span.is_some());
        let (start, end) = span.unwrap_or_default();
        starts.push(start);
        ends.push(end);
    }
    let nulls = valid.contains(&false).then(|| NullBuffer::from(valid));
    span_array(starts.into(), ends.into(), nulls)
}

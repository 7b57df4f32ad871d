//! What a span is: a structure of two whole numbers, the end not included.
//!
//! A span is `[start, end)`: `start` is the first position that belongs to it and `end` the first
//! that does not. Positions are counted from 0 in the unit of whoever made the span (bytes, unless
//! the data says otherwise); functions never convert units, and spans of different units must not
//! meet in one call. `start = end` is an empty span at a position; `end < start` is no span, and
//! makes the function that meets it return null.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields, Int64Type};
use datafusion_common::{Result, exec_err};

/// The type of spans: `Struct(start Int64, end Int64)`, both not null.
pub fn span_type() -> DataType {
    DataType::Struct(Fields::clone(&FIELDS))
}

static FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    Fields::from(vec![
        Field::new("start", DataType::Int64, false),
        Field::new("end", DataType::Int64, false),
    ])
});

/// The fields of a span.
pub(crate) fn span_fields() -> Fields {
    Fields::clone(&FIELDS)
}

/// Whether a type can be read as spans: a structure with whole-number fields `start` and `end`, in any
/// order, among any others.
pub(crate) fn is_span_like(data_type: &DataType) -> bool {
    match data_type {
        DataType::Struct(fields) => ["start", "end"].iter().all(|name| {
            fields
                .iter()
                .any(|field| field.name() == name && field.data_type().is_integer())
        }),
        _ => false,
    }
}

/// The columns of an array of spans.
pub(crate) struct Spans {
    start: Int64Array,
    end: Int64Array,
    nulls: Option<NullBuffer>,
}

impl Spans {
    /// Reads an array of [`span_type`].
    pub(crate) fn of(array: &dyn Array) -> Result<Self> {
        let Some(spans) = array.as_struct_opt() else {
            return exec_err!("not an array of spans: {}", array.data_type());
        };
        let column = |name| match spans.column_by_name(name).map(|column| {
            column
                .as_primitive_opt::<Int64Type>()
                .cloned()
        }) {
            Some(Some(column)) => Ok(column),
            _ => exec_err!("a span needs `{name}` as Int64: {}", array.data_type()),
        };
        let (start, end) = (column("start")?, column("end")?);
        let nulls = NullBuffer::union(spans.nulls(), start.nulls());
        let nulls = NullBuffer::union(nulls.as_ref(), end.nulls());
        Ok(Self { start, end, nulls })
    }

    /// Start and end of a row, if it is a span.
    pub(crate) fn get(&self, row: usize) -> Option<(i64, i64)> {
        let null = self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
        let (start, end) = (self.start.value(row), self.end.value(row));
        (!null && start <= end).then_some((start, end))
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.start.len()
    }
}

/// An array of spans from its columns. Rows that `nulls` marks have no span.
pub(crate) fn span_array(
    start: Int64Array,
    end: Int64Array,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let bare = |array: Int64Array| Arc::new(Int64Array::new(array.values().clone(), None)) as ArrayRef;
    let columns = vec![bare(start), bare(end)];
    Ok(Arc::new(StructArray::try_new(span_fields(), columns, nulls)?))
}

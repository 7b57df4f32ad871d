//! `span_contains`: whether a span or a position lies within a span.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion_common::{Result, plan_err};

use super::{SPAN_NOTE, check_span, checked, is_integer};
use crate::kernel::gives;
use crate::span::{Spans, is_span};
use crate::{Call, Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "span_contains",
        aliases: Vec::new(),
        version: 1,
        signature: checked(2),
        strict: true,
        returns: |args| {
            check_span("span_contains", args, 0)?;
            let inner = args.arg_fields[1].data_type();
            if !is_span(inner) && !is_integer(inner) {
                return plan_err!(
                    "span_contains takes a span or a whole number as argument 2, found {inner}"
                );
            }
            Ok(gives(DataType::Boolean, true))
        },
        kernel: contains,
        docs: &DOCS,
    }
    .entry()
}

fn contains(call: &Call) -> Result<ArrayRef> {
    let outer = Spans::of(&call.columns[0].array)?;
    let outer = |row| outer.get(call.columns[0].at(row));
    let inner = &call.columns[1];
    let contains: BooleanArray = if is_integer(inner.array.data_type()) {
        // A position that is too large for the type becomes null and is in no span that there can be.
        let positions = cast(&inner.array, &DataType::Int64)?;
        let positions = positions.as_primitive::<Int64Type>();
        let nulls = inner.array.logical_nulls();
        let of = |row| {
            let (start, end) = outer(row)?;
            let index = inner.at(row);
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(index)) {
                return None;
            }
            let position = positions.is_valid(index).then(|| positions.value(index));
            Some(position.is_some_and(|position| start <= position && position < end))
        };
        (0..call.rows).map(of).collect()
    } else {
        let spans = Spans::of(&inner.array)?;
        let of = |row| {
            let (start, end) = outer(row)?;
            let (inner_start, inner_end) = spans.get(inner.at(row))?;
            Some(start <= inner_start && inner_end <= end)
        };
        (0..call.rows).map(of).collect()
    };
    Ok(Arc::new(contains))
}

static DOCS: Docs = Docs {
    section: "span",
    summary: "Whether a span, or a position, lies within a span.",
    syntax: "span_contains(outer, inner)",
    arguments: &[
        ("outer", "A span."),
        (
            "inner",
            "A span in the same unit, or a position: a whole number.",
        ),
    ],
    returns: "Boolean; null where an argument is null or no span. A span contains itself; it contains the empty spans from \
              its start to its end, both included, and the positions from its start to before its end.",
    notes: &[SPAN_NOTE],
    examples: &[
        Example {
            sql: "SELECT span_contains(span_make(0, 5), span_make(2, 5))",
            rows: &["true"],
        },
        Example {
            sql: "SELECT span_contains(span_make(0, 5), 5)",
            rows: &["false"],
        },
    ],
};

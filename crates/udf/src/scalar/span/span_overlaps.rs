//! `span_overlaps`: whether two spans share a position.

use std::sync::Arc;

use arrow::array::BooleanArray;
use arrow::datatypes::DataType;

use super::{SPAN_NOTE, check_span, checked};
use crate::kernel::gives;
use crate::span::Spans;
use crate::{Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "span_overlaps",
        aliases: Vec::new(),
        version: 1,
        signature: checked(2),
        strict: true,
        returns: |args| {
            check_span("span_overlaps", args, 0)?;
            check_span("span_overlaps", args, 1)?;
            Ok(gives(DataType::Boolean, true))
        },
        kernel: |call| {
            let left = Spans::of(&call.columns[0].array)?;
            let right = Spans::of(&call.columns[1].array)?;
            let overlaps = (0..call.rows).map(|row| {
                let (left_start, left_end) = left.get(call.columns[0].at(row))?;
                let (right_start, right_end) = right.get(call.columns[1].at(row))?;
                Some(left_start.max(right_start) < left_end.min(right_end))
            });
            Ok(Arc::new(overlaps.collect::<BooleanArray>()))
        },
        docs: &DOCS,
    }
    .entry()
}

static DOCS: Docs = Docs {
    section: "span",
    summary: "Whether two spans share a position.",
    syntax: "span_overlaps(left, right)",
    arguments: &[("left", "A span."), ("right", "A span in the same unit.")],
    returns: "Boolean; null where one of the two is no span. Spans that only touch do not overlap, and an empty span \
              overlaps nothing.",
    notes: &[SPAN_NOTE],
    examples: &[
        Example {
            sql: "SELECT span_overlaps(span_make(0, 5), span_make(4, 9))",
            rows: &["true"],
        },
        Example {
            sql: "SELECT span_overlaps(span_make(0, 5), span_make(5, 9))",
            rows: &["false"],
        },
    ],
};

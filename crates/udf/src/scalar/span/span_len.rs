//! `span_len`: how many positions a span has.

use std::sync::Arc;

use arrow::array::Int64Array;
use arrow::datatypes::DataType;

use super::{SPAN_NOTE, check_span, checked};
use crate::kernel::gives;
use crate::span::Spans;
use crate::{Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "span_len",
        aliases: Vec::new(),
        version: 1,
        signature: checked(1),
        strict: true,
        returns: |args| {
            check_span("span_len", args, 0)?;
            Ok(gives(DataType::Int64, true))
        },
        kernel: |call| {
            let spans = Spans::of(&call.columns[0].array)?;
            let lens = (0..call.rows).map(|row| {
                let (start, end) = spans.get(row)?;
                Some(end - start)
            });
            Ok(Arc::new(lens.collect::<Int64Array>()))
        },
        docs: &DOCS,
    }
    .entry()
}

static DOCS: Docs = Docs {
    section: "span",
    summary: "How many positions a span has.",
    syntax: "span_len(span)",
    arguments: &[("span", "A span.")],
    returns: "Int64, `end - start`; null where there is no span.",
    notes: &[SPAN_NOTE],
    examples: &[Example {
        sql: "SELECT span_len(span_make(3, 8))",
        rows: &["5"],
    }],
};

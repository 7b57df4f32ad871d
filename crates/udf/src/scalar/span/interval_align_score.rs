//! `interval_align_score`: how well two spans agree.

use std::sync::Arc;

use arrow::array::Float64Array;
use arrow::datatypes::DataType;

use super::{SPAN_NOTE, check_span, checked};
use crate::kernel::gives;
use crate::span::Spans;
use crate::{Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "interval_align_score",
        aliases: Vec::new(),
        version: 1,
        signature: checked(2),
        strict: true,
        returns: |args| {
            check_span("interval_align_score", args, 0)?;
            check_span("interval_align_score", args, 1)?;
            Ok(gives(DataType::Float64, true))
        },
        kernel: |call| {
            let left = Spans::of(&call.columns[0].array)?;
            let right = Spans::of(&call.columns[1].array)?;
            let scores = (0..call.rows).map(|row| {
                let left = left.get(call.columns[0].at(row))?;
                let right = right.get(call.columns[1].at(row))?;
                Some(score(left, right))
            });
            Ok(Arc::new(scores.collect::<Float64Array>()))
        },
        docs: &DOCS,
    }
    .entry()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a ratio of lengths is rounded as all numbers of its type are"
)]
fn score(left: (i64, i64), right: (i64, i64)) -> f64 {
    if left == right {
        return 1.0;
    }
    let shared = (left.1.min(right.1) - left.0.max(right.0)).max(0);
    // Two lengths may be more than a number of 64 bits holds.
    let all = i128::from(left.1 - left.0) + i128::from(right.1 - right.0) - i128::from(shared);
    if all == 0 {
        return 0.0;
    }
    shared as f64 / all as f64
}

static DOCS: Docs = Docs {
    section: "span",
    summary: "How well two spans agree: the positions that they share, by the positions that either has.",
    syntax: "interval_align_score(left, right)",
    arguments: &[("left", "A span."), ("right", "A span in the same unit.")],
    returns: "Float64 from 0 (nothing shared) to 1 (the same span); null where one of the two is no span.",
    notes: &[
        "This is the Jaccard index. Two empty spans agree where they are at the same position.",
        SPAN_NOTE,
    ],
    examples: &[Example {
        sql: "SELECT interval_align_score(span_make(0, 4), span_make(2, 6))",
        rows: &["0.3333333333333333"],
    }],
};

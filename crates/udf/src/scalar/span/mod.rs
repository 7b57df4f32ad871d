//! Spans: half-open ranges of positions. `crate::span` says what they are.

mod interval_align_score;
mod span_contains;
mod span_id;
mod span_len;
mod span_make;
mod span_overlaps;

use arrow::datatypes::DataType;
use datafusion_common::{Result, plan_err};
use datafusion_expr::{ReturnFieldArgs, Signature, Volatility};

use crate::Entry;
use crate::span::is_span;

pub(super) fn entries() -> Vec<Entry> {
    vec![
        interval_align_score::entry(),
        span_contains::entry(),
        span_id::entry(),
        span_len::entry(),
        span_make::entry(),
        span_overlaps::entry(),
    ]
}

/// The unit and the bounds, said in the notes of every function.
const SPAN_NOTE: &str = "A span is `[start, end)`: counted from 0, the end not included, in the unit of whoever made it. No \
    function converts units.";

/// So many arguments of any type, each checked by [`check_span`] or [`check_integer`].
fn checked(count: usize) -> Signature {
    Signature::any(count, Volatility::Immutable)
}

fn check_span(name: &str, args: &ReturnFieldArgs, index: usize) -> Result<()> {
    let data_type = args.arg_fields[index].data_type();
    if is_span(data_type) {
        return Ok(());
    }
    plan_err!(
        "{name} takes a span as argument {}, found {data_type}: make one with span_make(start, end)",
        index + 1
    )
}

fn is_integer(data_type: &DataType) -> bool {
    data_type.is_integer() || data_type == &DataType::Null
}

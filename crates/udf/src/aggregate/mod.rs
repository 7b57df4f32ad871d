//! The aggregate functions, one to a file.
//!
//! None of them depends on the order in which rows arrive or states are merged: where several values
//! are equally good, the order of the values decides.

// The functions.
mod arg_best;
mod array_union_agg;
mod map_union_agg;
mod median_absolute_deviation;
mod mode;
mod span_intersect_agg;
mod span_union_agg;
mod utf8_join_agg;

// What they are made of: values as keys, counts of them, unions of lists, and the engine's two kinds
// of accumulators on top of one state.
mod counted;
mod domain;
mod grouped;
mod types;
mod union;

use crate::Entry;

/// The entries of the aggregate functions, by name.
pub(crate) fn entries() -> Vec<Entry> {
    vec![
        arg_best::entry(),
        array_union_agg::entry(),
        map_union_agg::entry(),
        median_absolute_deviation::entry(),
        mode::entry(),
        span_intersect_agg::entry(),
        span_union_agg::entry(),
        utf8_join_agg::entry(),
    ]
}

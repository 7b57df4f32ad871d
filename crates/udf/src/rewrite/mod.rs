//! Expression planners of this crate, each under the name that options and plans use.

mod span_operators;

use crate::Rewrite;

/// The rewrites, by tag.
pub(crate) fn rewrites() -> Vec<Rewrite> {
    vec![span_operators::rewrite()]
}

//! The scalar functions, one to a file.

mod change;
mod collection;
mod hash;
mod metadata;
mod position;
mod span;
mod text;

use crate::Entry;

/// The entries of the scalar functions, by family.
pub(crate) fn entries() -> Vec<Entry> {
    [
        change::entries(),
        collection::entries(),
        hash::entries(),
        metadata::entries(),
        position::entries(),
        span::entries(),
        text::entries(),
    ]
    .concat()
}

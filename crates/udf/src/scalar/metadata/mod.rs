//! What is known of a column besides its values.

mod arrow_metadata;
mod semantic_tag;

use crate::Entry;

pub(super) fn entries() -> Vec<Entry> {
    vec![arrow_metadata::entry(), semantic_tag::entry()]
}

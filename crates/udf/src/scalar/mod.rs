//! The scalar functions, one to a file.

use crate::Entry;

/// The entries of the scalar functions, by family.
pub(crate) fn entries() -> Vec<Entry> {
    Vec::new()
}

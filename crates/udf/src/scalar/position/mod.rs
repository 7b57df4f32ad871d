//! Places in text.

mod col_to_byte;

use crate::Entry;

pub(super) fn entries() -> Vec<Entry> {
    vec![col_to_byte::entry()]
}

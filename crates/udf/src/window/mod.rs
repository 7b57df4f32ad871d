//! The window functions, one to a file.

// The functions.
mod lag_partition;
mod lead_partition;
mod row_number_partition;

// What two of them share.
mod shift;

use crate::Entry;

/// The entries of the window functions, by name.
pub(crate) fn entries() -> Vec<Entry> {
    vec![
        lag_partition::entry(),
        lead_partition::entry(),
        row_number_partition::entry(),
    ]
}

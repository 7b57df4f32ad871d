//! Lists and maps in one form, and what is in them.

mod list_compact;
mod list_unique_sorted;
mod lists;
mod map_get_default;
mod map_normalize;

use crate::Entry;

pub(super) fn entries() -> Vec<Entry> {
    vec![
        list_compact::entry(),
        list_unique_sorted::entry(),
        map_get_default::entry(),
        map_normalize::entry(),
    ]
}

//! The table functions, one to a file.

#[cfg(feature = "session")]
mod udf_registry;

#[cfg(feature = "session")]
pub use self::udf_registry::registry_table;

use crate::Entry;

/// The entries of the table functions, by name.
pub(crate) fn entries() -> Vec<Entry> {
    vec![
        #[cfg(feature = "session")]
        udf_registry::entry(),
    ]
}

//! The table functions, one to a file.
//!
//! They are for sessions that somebody works in. A view cannot call them: what they read is not in the
//! plan, so no identity would cover it. A project declares a dataset instead, which is pinned.

// The functions.
mod delta_cdf_scan;
mod delta_files;
mod delta_metadata;
mod delta_scan;
#[cfg(feature = "session")]
mod json_scan;
#[cfg(feature = "session")]
mod parquet_scan;
#[cfg(feature = "session")]
mod udf_registry;

// What they share: their arguments, the capability to read Delta tables, files, and waiting.
mod arguments;
#[cfg(feature = "session")]
mod listing;
mod opener;
mod wait;

use std::sync::Arc;

pub use self::opener::{ChangeWindow, DeltaFile, DeltaMetadata, DeltaOpener};
#[cfg(feature = "session")]
pub use self::udf_registry::registry_table;

use crate::Entry;

/// The entries of the table functions, by name. Those over Delta tables say that there is no reader.
pub(crate) fn entries() -> Vec<Entry> {
    entries_with(&(Arc::new(opener::NoReader) as Arc<dyn DeltaOpener>))
}

/// The entries of the table functions, by name, with a reader of Delta tables.
pub(crate) fn entries_with(opener: &Arc<dyn DeltaOpener>) -> Vec<Entry> {
    vec![
        delta_cdf_scan::entry(opener),
        delta_files::entry(opener),
        delta_metadata::entry(opener),
        delta_scan::entry(opener),
        #[cfg(feature = "session")]
        json_scan::entry(),
        #[cfg(feature = "session")]
        parquet_scan::entry(),
        #[cfg(feature = "session")]
        udf_registry::entry(),
    ]
}

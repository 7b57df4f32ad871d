//! Delta Lake for CodeAnatomy: pins, protocol gate, scans and atomic writes.
//!
//! This is the only crate that names the Delta library; none of its types comes out. What comes
//! out are pins, Arrow schemas and the engine's own traits: a [`PinnedTable`] is one table at one
//! version, read with the engine's plain Parquet scan, and [`overwrite`] puts the rows of a plan in
//! place of a table's rows in one commit that also says what was built, and from what.
//!
//! **Invariant:** the truth about an output lives in the output's own log. [`output_state`] reads it
//! there and nowhere else.
//!
//! # Example: is there a table to read?
//!
//! ```
//! use codeanatomy_delta::{StoreOptions, TableLocation, is_delta_table};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let folder = tempfile::tempdir().unwrap();
//! let location = TableLocation::parse("orders", folder.path()).unwrap();
//! assert!(!is_delta_table(&location, &StoreOptions::new()).await.unwrap());
//! # });
//! ```

// Where tables are, and how they are reached.
mod location;
mod options;
mod remote;
mod store;

// What the log says.
mod active;
mod columns;
mod file_values;
mod log_stats;
mod replay;
mod values;

// What a project lets in.
mod gate;

// Reading: one table at one version.
mod pins;
mod placement;
mod protocol;
mod resolve;
mod scan;
mod schema;
mod table;

// What of a version a query needs, and whether a newer one changed it.
mod footprint;
mod prune;

// Reading: what changed.
mod feed;

// Writing: one view's rows in one commit, or a new table of other rows.
mod create;
mod output;
mod write;

// Looking after tables.
pub mod maintain;

// Errors.
pub mod codes;
mod error;

pub use self::create::{CreatedTable, NewTable, create_table};
pub use self::error::query_error;
pub use self::feed::{
    ChangeFeed, CursorReset, FeedBound, FeedWindow, feed_cursors, feed_window, open_change_feed,
    reset_feed_cursor,
};
pub use self::footprint::{FootprintChange, FootprintProof, ProofKind, ScanFootprint, ScanScope};
pub use self::gate::{FeatureGate, ProtocolFinding, ProtocolGate, ProtocolMode, ProtocolSupport};
pub use self::location::TableLocation;
pub use self::options::StoreOptions;
pub use self::output::{OutputStamp, OutputState, Provenance, UpstreamStamp, output_state};
pub use self::pins::{PinRequest, agree_on_pins};
pub use self::prune::{
    PartitionFilter, PartitionOperator, Pruning, PruningPolicy, StatisticsFilter,
    StatisticsOperator, keeps_order,
};
pub use self::scan::{ReadCounter, readers_without_float_bounds};
pub use self::schema::delta_schema;
pub use self::store::object_store;
pub use self::table::{CountedProvider, PinnedTable, ScanConfig, is_delta_table, open};
pub use self::write::{
    Committed, OutputLayout, OverwriteSpec, RowHook, WriteMode, WriteProgress, overwrite, write,
};

#[cfg(test)]
mod tests;

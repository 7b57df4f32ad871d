//! How the engine reads a pinned table.

// The plain scan: the engine's own Parquet scan over the pinned files.
mod files;
mod reader;
mod statistics;

// Tables whose files need more than that.
mod library;

pub(crate) use self::files::FilesScan;
pub(crate) use self::library::{ConformExec, LibraryScan};
pub use self::reader::{ReadCounter, readers_without_float_bounds};

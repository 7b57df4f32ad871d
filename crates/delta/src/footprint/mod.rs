//! What a scan reads of a table, and whether a newer version changed it.

mod change;
mod scope;
mod table;
mod window;

pub use self::change::{FootprintChange, FootprintProof, ProofKind};
pub use self::scope::{ScanFootprint, ScanScope};
pub(crate) use self::table::table_footprint;

//! The error codes of this crate.

use codeanatomy_vocab::{Code, ErrorKind, Stage};

/// A location that is neither a usable path nor a usable URL.
pub const INVALID_LOCATION: Code =
    Code::new("CA-DELTA-0001", ErrorKind::Invalid, Stage::Configuration);
/// A store that this version cannot reach.
pub const UNSUPPORTED_STORE: Code = Code::new(
    "CA-DELTA-0002",
    ErrorKind::Unsupported,
    Stage::Configuration,
);
/// There is no Delta table at the location.
pub const NOT_A_TABLE: Code = Code::new("CA-DELTA-0003", ErrorKind::Invalid, Stage::Data);
/// A version or a time at which the table cannot be read.
pub const VERSION_NOT_FOUND: Code = Code::new("CA-DELTA-0004", ErrorKind::Drifted, Stage::Data);
/// The table needs a protocol version or feature that this version cannot read.
pub const UNSUPPORTED_FEATURE: Code =
    Code::new("CA-DELTA-0005", ErrorKind::Unsupported, Stage::Data);
/// The table's log is damaged or incomplete.
pub const DAMAGED_TABLE: Code = Code::new("CA-DELTA-0006", ErrorKind::Data, Stage::Data);
/// The location cannot be read.
pub const UNREADABLE: Code = Code::new("CA-DELTA-0007", ErrorKind::Unavailable, Stage::Data);
/// The location holds something that no view of the project wrote.
pub const FOREIGN_OUTPUT: Code = Code::new("CA-DELTA-0008", ErrorKind::Invalid, Stage::Execution);
/// Another build wrote the table meanwhile.
pub const CONFLICT: Code = Code::new("CA-DELTA-0009", ErrorKind::Conflict, Stage::Execution);
/// A column type that Delta cannot hold without loss.
pub const UNSUPPORTED_TYPE: Code =
    Code::new("CA-DELTA-0010", ErrorKind::Unsupported, Stage::Compile);
/// A column name that Delta cannot hold.
pub const INVALID_COLUMN_NAME: Code =
    Code::new("CA-DELTA-0011", ErrorKind::Invalid, Stage::Compile);
/// A partition column that is missing, repeated or of a type that cannot partition.
pub const INVALID_PARTITION: Code = Code::new("CA-DELTA-0012", ErrorKind::Invalid, Stage::Compile);
/// The location cannot be written.
pub const UNWRITABLE: Code = Code::new("CA-DELTA-0013", ErrorKind::Unavailable, Stage::Execution);
/// The query whose rows were being written failed.
pub const QUERY_FAILED: Code = Code::new("CA-DELTA-0014", ErrorKind::Data, Stage::Execution);
/// The query whose rows were being written needed more memory or disk than it may use.
pub const RESOURCES_EXHAUSTED: Code =
    Code::new("CA-DELTA-0015", ErrorKind::Resource, Stage::Execution);
/// The write was asked to stop.
pub const INTERRUPTED: Code = Code::new("CA-DELTA-0016", ErrorKind::Interrupted, Stage::Interrupt);
/// The store did not say whether the commit happened, and asking again failed.
pub const COMMIT_UNKNOWN: Code =
    Code::new("CA-DELTA-0017", ErrorKind::Unavailable, Stage::Execution);
/// A value that the table cannot hold.
pub const UNREPRESENTABLE_VALUE: Code =
    Code::new("CA-DELTA-0018", ErrorKind::Data, Stage::Execution);
/// The output table has features or rules that a rewrite would have to keep and cannot.
pub const UNSUPPORTED_OUTPUT: Code =
    Code::new("CA-DELTA-0019", ErrorKind::Unsupported, Stage::Execution);
/// A defect of this program or of a library under it.
pub const INTERNAL: Code = Code::new("CA-DELTA-0020", ErrorKind::Internal, Stage::Internal);
/// Two places ask for different versions of one dataset.
pub const CONFLICTING_PINS: Code =
    Code::new("CA-DELTA-0021", ErrorKind::Invalid, Stage::Configuration);
/// A pruning policy that does not fit the table.
pub const INVALID_PRUNING: Code =
    Code::new("CA-DELTA-0022", ErrorKind::Invalid, Stage::Configuration);
/// A file that does not belong to the pinned version.
pub const NO_SUCH_FILE: Code = Code::new("CA-DELTA-0023", ErrorKind::Drifted, Stage::Data);
/// A table whose protocol the project does not let in.
pub const PROTOCOL_REFUSED: Code = Code::new("CA-DELTA-0024", ErrorKind::Unsupported, Stage::Data);
/// A table without a feature that its dataset must have.
pub const FEATURE_MISSING: Code = Code::new("CA-DELTA-0025", ErrorKind::Unsupported, Stage::Data);
/// A change feed from a version that is not there.
pub const FEED_OUT_OF_RANGE: Code = Code::new("CA-DELTA-0026", ErrorKind::Drifted, Stage::Data);
/// A change feed that ends before it starts.
pub const FEED_BACKWARDS: Code =
    Code::new("CA-DELTA-0027", ErrorKind::Invalid, Stage::Configuration);
/// A change feed over versions that recorded no changes.
pub const FEED_NOT_ENABLED: Code = Code::new("CA-DELTA-0028", ErrorKind::Unsupported, Stage::Data);
/// A checkpoint that is missing, torn or incomplete.
pub const DAMAGED_CHECKPOINT: Code = Code::new("CA-DELTA-0029", ErrorKind::Data, Stage::Data);
/// A vacuum of files that are younger than the retention.
pub const RETENTION_TOO_SHORT: Code =
    Code::new("CA-DELTA-0030", ErrorKind::Invalid, Stage::Configuration);
/// Maintenance that the table or the library refuses.
pub const MAINTENANCE_FAILED: Code =
    Code::new("CA-DELTA-0031", ErrorKind::Unavailable, Stage::Execution);
/// Rows that cannot come to those of a table, because their columns are others.
pub const COLUMNS_DIFFER: Code = Code::new("CA-DELTA-0032", ErrorKind::Invalid, Stage::Execution);
/// A scan that a table cannot give.
pub const INVALID_SCAN: Code = Code::new("CA-DELTA-0033", ErrorKind::Invalid, Stage::Configuration);
/// A layout of rows that a table cannot have.
pub const INVALID_LAYOUT: Code =
    Code::new("CA-DELTA-0034", ErrorKind::Invalid, Stage::Configuration);
/// An option of a store that it does not have, or that is refused.
pub const INVALID_OPTION: Code =
    Code::new("CA-DELTA-0035", ErrorKind::Invalid, Stage::Configuration);
/// A store that is to be reached without credentials.
pub const NO_CREDENTIALS: Code =
    Code::new("CA-DELTA-0036", ErrorKind::Invalid, Stage::Configuration);
/// A store in which commits are not atomic.
pub const NO_CONDITIONAL_PUT: Code =
    Code::new("CA-DELTA-0037", ErrorKind::Unsupported, Stage::Execution);
/// A row that breaks a constraint of the table it was written to.
pub const CONSTRAINT_BROKEN: Code = Code::new("CA-DELTA-0038", ErrorKind::Data, Stage::Execution);

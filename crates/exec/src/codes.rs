//! Error codes of this crate.

use codeanatomy_vocab::{Code, ErrorKind, Stage};

/// A dataset whose location does not exist.
pub const DATASET_MISSING: Code = Code::new("CA-EXEC-0001", ErrorKind::Invalid, Stage::Data);
/// A dataset whose location holds no data file.
pub const DATASET_EMPTY: Code = Code::new("CA-EXEC-0002", ErrorKind::Invalid, Stage::Data);
/// A dataset whose format cannot be told from its files.
pub const DATASET_FORMAT: Code = Code::new("CA-EXEC-0003", ErrorKind::Invalid, Stage::Data);
/// A dataset whose files cannot be read.
pub const DATASET_UNREADABLE: Code = Code::new("CA-EXEC-0004", ErrorKind::Invalid, Stage::Data);
/// A dataset whose files changed while a view was reading them.
pub const DATASET_CHANGED: Code = Code::new("CA-EXEC-0005", ErrorKind::Drifted, Stage::Execution);
/// A version or a timestamp for a dataset whose format has none.
pub const DATASET_NOT_VERSIONED: Code =
    Code::new("CA-EXEC-0007", ErrorKind::Invalid, Stage::Configuration);
/// A setting of Delta tables on a dataset that is none.
pub const DELTA_SETTING: Code = Code::new("CA-EXEC-0008", ErrorKind::Invalid, Stage::Configuration);
/// A pin for a dataset that the project does not have.
pub const UNKNOWN_DATASET: Code =
    Code::new("CA-EXEC-0009", ErrorKind::Invalid, Stage::Configuration);
/// A view that has two output columns of one name.
pub const DUPLICATE_COLUMN: Code = Code::new("CA-EXEC-0010", ErrorKind::Invalid, Stage::Compile);
/// A parameter that a view uses and nobody declares.
pub const UNKNOWN_PARAMETER: Code = Code::new("CA-EXEC-0011", ErrorKind::Invalid, Stage::Compile);
/// A parameter whose value does not have its type.
pub const BAD_PARAMETER: Code = Code::new("CA-EXEC-0012", ErrorKind::Invalid, Stage::Configuration);
/// A view whose plan grows too large when its upstream views are put in place.
pub const PLAN_TOO_LARGE: Code = Code::new("CA-EXEC-0013", ErrorKind::Resource, Stage::Compile);
/// A column to partition an output by that the view does not have.
pub const UNKNOWN_PARTITION_COLUMN: Code =
    Code::new("CA-EXEC-0014", ErrorKind::Invalid, Stage::Compile);
/// A table function in a view.
pub const TABLE_FUNCTION: Code = Code::new("CA-EXEC-0015", ErrorKind::Unsupported, Stage::Compile);
/// A query that failed while it ran.
pub const QUERY_FAILED: Code = Code::new("CA-EXEC-0020", ErrorKind::Data, Stage::Execution);
/// A query that needs more memory than the session has.
pub const OUT_OF_MEMORY: Code = Code::new("CA-EXEC-0021", ErrorKind::Resource, Stage::Execution);
/// A view that was not built because a view that it reads failed.
pub const BLOCKED: Code = Code::new("CA-EXEC-0022", ErrorKind::Data, Stage::Execution);
/// A build that was asked to stop.
pub const INTERRUPTED: Code = Code::new("CA-EXEC-0023", ErrorKind::Interrupted, Stage::Interrupt);
/// A record of a past run that cannot be understood.
pub const RECORD_DAMAGED: Code = Code::new("CA-EXEC-0030", ErrorKind::Data, Stage::Data);
/// A record of a past run in a form that this program does not know.
pub const RECORD_FORMAT: Code = Code::new("CA-EXEC-0031", ErrorKind::Unsupported, Stage::Data);
/// A past run that did not deal with the view.
pub const NOT_IN_RUN: Code = Code::new("CA-EXEC-0032", ErrorKind::Invalid, Stage::Configuration);
/// Data that a past run read and that is gone or changed.
pub const NOT_REPLAYABLE: Code = Code::new("CA-EXEC-0033", ErrorKind::Drifted, Stage::Data);
/// A name that is neither a view nor a dataset.
pub const UNKNOWN_TABLE: Code = Code::new("CA-EXEC-0040", ErrorKind::Invalid, Stage::Configuration);
/// A column that a view or dataset does not have.
pub const UNKNOWN_COLUMN: Code =
    Code::new("CA-EXEC-0041", ErrorKind::Invalid, Stage::Configuration);
/// A place for OpenLineage events that is none.
pub const OPENLINEAGE_TARGET: Code =
    Code::new("CA-EXEC-0042", ErrorKind::Invalid, Stage::Configuration);
/// OpenLineage events that did not arrive. The run is not touched by that.
pub const OPENLINEAGE_UNSENT: Code =
    Code::new("CA-EXEC-0043", ErrorKind::Unavailable, Stage::Execution);
/// A column of ids that the view does not have.
pub const UNKNOWN_ID_COLUMN: Code = Code::new("CA-EXEC-0044", ErrorKind::Invalid, Stage::Compile);
/// A table of invalid ids that cannot be written. The run is not touched by that.
pub const QUALITY_UNWRITTEN: Code =
    Code::new("CA-EXEC-0045", ErrorKind::Unavailable, Stage::Execution);
/// Something that cannot happen unless this program is wrong.
pub const INTERNAL: Code = Code::new("CA-EXEC-0099", ErrorKind::Internal, Stage::Internal);

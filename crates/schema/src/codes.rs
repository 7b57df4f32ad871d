//! Error codes of this crate.

use codeanatomy_vocab::{Code, ErrorKind, Stage};

/// An evolution policy that is none of `STRICT`, `ADDITIVE` and `RELAXED`.
pub const UNKNOWN_POLICY: Code =
    Code::new("CA-SCHEMA-0001", ErrorKind::Invalid, Stage::Configuration);
/// Text that is not the name of an Arrow type.
pub const UNKNOWN_TYPE: Code =
    Code::new("CA-SCHEMA-0002", ErrorKind::Invalid, Stage::Configuration);
/// A column that a contract names twice, in its columns, its key or its partition columns.
pub const DUPLICATE_COLUMN: Code =
    Code::new("CA-SCHEMA-0003", ErrorKind::Invalid, Stage::Configuration);
/// A key or partition column that is not among the columns that the contract lists.
pub const NOT_A_COLUMN: Code =
    Code::new("CA-SCHEMA-0004", ErrorKind::Invalid, Stage::Configuration);
/// A key column that the same contract allows to be null.
pub const NULLABLE_KEY: Code =
    Code::new("CA-SCHEMA-0005", ErrorKind::Invalid, Stage::Configuration);
/// A promise that nothing can keep: a column of nulls that must not be null, a key that cannot be
/// compared, an order by a column twice.
pub const CONTRADICTION: Code =
    Code::new("CA-SCHEMA-0006", ErrorKind::Invalid, Stage::Configuration);
/// A word for what becomes of invalid rows that is none.
pub const UNKNOWN_MODE: Code =
    Code::new("CA-SCHEMA-0007", ErrorKind::Invalid, Stage::Configuration);
/// A schema that breaks its contract; the context names the violation and the column.
pub const CONTRACT_VIOLATED: Code =
    Code::new("CA-SCHEMA-0100", ErrorKind::Invalid, Stage::Contract);
/// Rows that break a contract; the context names the kind of error, the column and the number of rows.
#[cfg(feature = "validate")]
pub const ROWS_VIOLATE: Code = Code::new("CA-SCHEMA-0101", ErrorKind::Data, Stage::Contract);
/// A column that cannot be aligned to a schema: no cast leads to its type, or it is missing and must
/// not be null. Or one whose values cannot be counted.
#[cfg(feature = "validate")]
pub const CANNOT_ALIGN: Code = Code::new("CA-SCHEMA-0102", ErrorKind::Invalid, Stage::Contract);
/// A plan that validates rows and cannot be made.
#[cfg(feature = "validate")]
pub const NO_PLAN: Code = Code::new("CA-SCHEMA-0103", ErrorKind::Internal, Stage::Internal);

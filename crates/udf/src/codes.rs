//! The error codes of this crate.

use codeanatomy_vocab::{Code, ErrorKind, Stage};

/// Two functions of one library, or of a library and the session, with one name.
pub const CONFLICT: Code = Code::new("CA-UDF-0001", ErrorKind::Invalid, Stage::Configuration);
/// A function that a view calls and that the session does not have.
pub const FUNCTION_NOT_FOUND: Code = Code::new("CA-UDF-0002", ErrorKind::Invalid, Stage::Compile);
/// An expression planner of a name that is not known.
pub const UNKNOWN_PLANNER: Code =
    Code::new("CA-UDF-0003", ErrorKind::Invalid, Stage::Configuration);
/// A registry that does not take a function.
pub const NOT_REGISTERED: Code = Code::new("CA-UDF-0004", ErrorKind::Internal, Stage::Internal);
/// A rewrite that a plan needs and that the session does not have.
pub const REWRITE_NOT_FOUND: Code = Code::new("CA-UDF-0005", ErrorKind::Invalid, Stage::Compile);
/// A file of macros that does not parse.
pub const MACRO_SYNTAX: Code = Code::new("CA-UDF-0030", ErrorKind::Invalid, Stage::Compile);
/// A statement that is no macro, or has a clause that macros do not have.
pub const MACRO_SHAPE: Code = Code::new("CA-UDF-0031", ErrorKind::Invalid, Stage::Compile);
/// Macros that call each other in a ring.
pub const MACRO_RING: Code = Code::new("CA-UDF-0032", ErrorKind::Invalid, Stage::Compile);
/// A macro with the name of another macro or of a function.
pub const MACRO_NAME: Code = Code::new("CA-UDF-0033", ErrorKind::Invalid, Stage::Compile);
/// The body of a macro does not plan.
pub const MACRO_BODY: Code = Code::new("CA-UDF-0034", ErrorKind::Invalid, Stage::Compile);
/// A call of an asynchronous function took too long.
pub const ASYNC_TIMEOUT: Code = Code::new("CA-UDF-0035", ErrorKind::Unavailable, Stage::Execution);
/// A call of an asynchronous function failed.
pub const ASYNC_FAILED: Code = Code::new("CA-UDF-0036", ErrorKind::Unavailable, Stage::Execution);
/// A function over Delta tables in a session without a reader of them.
pub const NO_DELTA_READER: Code =
    Code::new("CA-UDF-0037", ErrorKind::Unsupported, Stage::Configuration);

//! The error codes of this crate.

use codeanatomy_vocab::{Code, ErrorKind, Stage};

/// Two functions of one library, or of a library and the session, with one name.
pub const CONFLICT: Code = Code::new("CA-UDF-0001", ErrorKind::Invalid, Stage::Configuration);
/// A function that a view calls and that the session does not have.
pub const FUNCTION_NOT_FOUND: Code = Code::new("CA-UDF-0002", ErrorKind::Invalid, Stage::Compile);

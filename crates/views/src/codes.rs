//! Error codes of this crate.

use codeanatomy_vocab::{Code, ErrorKind, Stage};

/// SQL that does not parse.
pub const SQL_SYNTAX: Code = Code::new("CA-VIEWS-0001", ErrorKind::Invalid, Stage::Compile);
/// A view file that holds no statement, or more than one.
pub const NOT_ONE_STATEMENT: Code = Code::new("CA-VIEWS-0002", ErrorKind::Invalid, Stage::Compile);
/// A view file whose statement is not a query.
pub const NOT_A_QUERY: Code = Code::new("CA-VIEWS-0003", ErrorKind::Invalid, Stage::Compile);
/// A name that is no dataset and no view.
pub const UNKNOWN_TABLE: Code = Code::new("CA-VIEWS-0004", ErrorKind::Invalid, Stage::Compile);
/// Views that depend on each other in a ring.
pub const CYCLE: Code = Code::new("CA-VIEWS-0005", ErrorKind::Invalid, Stage::Compile);
/// SQL that is larger or nested deeper than the engine takes on.
pub const TOO_COMPLEX: Code = Code::new("CA-VIEWS-0006", ErrorKind::Resource, Stage::Compile);
/// A column that no table in scope has.
pub const UNKNOWN_COLUMN: Code = Code::new("CA-VIEWS-0007", ErrorKind::Invalid, Stage::Compile);
/// A column name that several tables in scope have.
pub const AMBIGUOUS_COLUMN: Code = Code::new("CA-VIEWS-0008", ErrorKind::Invalid, Stage::Compile);
/// A function that the session does not have.
pub const UNKNOWN_FUNCTION: Code = Code::new("CA-VIEWS-0009", ErrorKind::Invalid, Stage::Compile);
/// SQL that parses and does not plan, for another reason.
pub const NOT_PLANNABLE: Code = Code::new("CA-VIEWS-0010", ErrorKind::Invalid, Stage::Compile);
/// SQL that the engine does not support.
pub const NOT_SUPPORTED: Code = Code::new("CA-VIEWS-0011", ErrorKind::Unsupported, Stage::Compile);
/// A name of a view that the project does not have, given as an argument.
pub const UNKNOWN_VIEW: Code = Code::new("CA-VIEWS-0012", ErrorKind::Invalid, Stage::Configuration);

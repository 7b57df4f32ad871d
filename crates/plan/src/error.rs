//! The errors of this crate.

use codeanatomy_vocab::Error;

/// Error codes of this crate.
pub mod codes {
    use codeanatomy_vocab::{Code, ErrorKind, Stage};

    /// A plan that is not a query: DDL, DML, `COPY`, `EXPLAIN`, `DESCRIBE` or another statement.
    pub const NOT_A_QUERY: Code = Code::new("CA-PLAN-0001", ErrorKind::Invalid, Stage::Compile);
    /// A reference in a plan that the plan itself does not resolve.
    pub const UNRESOLVED: Code = Code::new("CA-PLAN-0002", ErrorKind::Internal, Stage::Internal);
    /// A table in a plan whose identity nobody gave.
    pub const INPUT_WITHOUT_IDENTITY: Code =
        Code::new("CA-PLAN-0003", ErrorKind::Internal, Stage::Internal);
    /// A value in a plan that cannot be read back from its array.
    pub const UNREADABLE_VALUE: Code =
        Code::new("CA-PLAN-0004", ErrorKind::Internal, Stage::Internal);
    /// A plan bundle that is damaged.
    pub const DAMAGED_ARTIFACT: Code = Code::new("CA-PLAN-0005", ErrorKind::Data, Stage::Verify);
    /// A plan bundle of a format that this version does not read.
    pub const UNKNOWN_ARTIFACT_FORMAT: Code =
        Code::new("CA-PLAN-0006", ErrorKind::Unsupported, Stage::Verify);
    /// A kept form of a plan that cannot be decoded.
    pub const UNREADABLE_FORM: Code = Code::new("CA-PLAN-0007", ErrorKind::Data, Stage::Verify);
    /// A kept form of a plan that decodes to another plan.
    pub const OTHER_PLAN: Code = Code::new("CA-PLAN-0008", ErrorKind::Data, Stage::Verify);
}

/// A plan of this kind is not a query.
pub(crate) fn not_a_query(what: &'static str) -> Error {
    Error::new(codes::NOT_A_QUERY, format!("{what} is not a query"))
        .with_expected("one SELECT, VALUES or WITH query")
        .with_help("keep one query in the view, and run other statements elsewhere")
}

/// The plan refers to something that it does not define.
pub(crate) fn unresolved(what: &'static str, name: impl std::fmt::Display) -> Error {
    Error::new(
        codes::UNRESOLVED,
        format!("the {what} `{name}` does not resolve in its plan"),
    )
    .with_help("report this with the query; the plan may not have been analysed")
}

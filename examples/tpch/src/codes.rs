//! The error codes of this crate.

use codeanatomy_vocab::{Code, ErrorKind, Stage};

/// A scale factor that is not a number the generator can work with.
pub const INVALID_SCALE: Code = Code::new("CA-TPCH-0001", ErrorKind::Invalid, Stage::Configuration);
/// The data folder holds tables that this generator did not make.
pub const FOREIGN_TABLES: Code =
    Code::new("CA-TPCH-0002", ErrorKind::Invalid, Stage::Configuration);
/// The folder holds another project.
pub const FOREIGN_PROJECT: Code =
    Code::new("CA-TPCH-0003", ErrorKind::Invalid, Stage::Configuration);
/// A file or folder that cannot be read or written.
pub const UNWRITABLE: Code = Code::new("CA-TPCH-0004", ErrorKind::Unavailable, Stage::Execution);
/// A defect of this program or of the generator under it.
pub const INTERNAL: Code = Code::new("CA-TPCH-0005", ErrorKind::Internal, Stage::Internal);

//! Error codes of this crate.

use codeanatomy_vocab::{Code, ErrorKind, Stage};

const fn invalid(id: &'static str) -> Code {
    Code::new(id, ErrorKind::Invalid, Stage::Configuration)
}

/// No `codeanatomy.toml` in a folder, or in any folder above it.
pub const NO_PROJECT: Code = invalid("CA-PROJECT-0001");
/// A file that is not TOML.
pub const TOML_SYNTAX: Code = invalid("CA-PROJECT-0002");
/// A key that no section of that name has.
pub const UNKNOWN_KEY: Code = invalid("CA-PROJECT-0003");
/// A value of another type than its key asks for.
pub const WRONG_TYPE: Code = invalid("CA-PROJECT-0004");
/// A section without a key that it must have.
pub const MISSING_KEY: Code = invalid("CA-PROJECT-0005");
/// A value of the right type that its key does not take.
pub const INVALID_VALUE: Code = invalid("CA-PROJECT-0006");
/// Two keys that exclude each other, or one setting given twice.
pub const CONFLICTING_KEYS: Code = invalid("CA-PROJECT-0007");
/// A secret written into the file instead of a reference to it.
pub const PLAIN_SECRET: Code = invalid("CA-PROJECT-0008");
/// A file that is not UTF-8.
pub const NOT_UTF8: Code = invalid("CA-PROJECT-0009");
/// A view file without any text.
pub const EMPTY_VIEW: Code = invalid("CA-PROJECT-0010");
/// Two view files of one name.
pub const DUPLICATE_VIEW: Code = invalid("CA-PROJECT-0011");
/// Two views, or two datasets, whose names differ in case alone.
pub const NAMES_DIFFER_IN_CASE: Code = invalid("CA-PROJECT-0012");
/// A view with the name of a dataset.
pub const VIEW_NAMED_LIKE_DATASET: Code = invalid("CA-PROJECT-0013");
/// A sidecar file without its view.
pub const SIDECAR_WITHOUT_VIEW: Code = invalid("CA-PROJECT-0014");
/// A symbolic link that leaves the project folder, or leads to a folder that is read already.
pub const BAD_LINK: Code = invalid("CA-PROJECT-0015");
/// A relative output location that leaves the project folder.
pub const LOCATION_OUTSIDE_PROJECT: Code = invalid("CA-PROJECT-0016");
/// An output that lies in, above or on something else that must be kept apart from it.
pub const OUTPUT_OVERLAPS: Code = invalid("CA-PROJECT-0017");
/// No views.
pub const NO_VIEWS: Code = invalid("CA-PROJECT-0018");
/// A file or folder that cannot be read.
pub const UNREADABLE: Code = invalid("CA-PROJECT-0019");
/// Something that a later version may do and this one does not.
pub const NOT_IN_THIS_VERSION: Code = Code::new(
    "CA-PROJECT-0020",
    ErrorKind::Unsupported,
    Stage::Configuration,
);
/// The same name twice in a list of columns.
pub const DUPLICATE_COLUMN: Code = invalid("CA-PROJECT-0021");
/// A file of a new project that is there already.
pub const FILE_EXISTS: Code = invalid("CA-PROJECT-0022");
/// A folder in which no dataset and no view was found.
pub const NOTHING_FOUND: Code = invalid("CA-PROJECT-0023");
/// A file of a new project that cannot be written.
pub const UNWRITABLE: Code = invalid("CA-PROJECT-0024");
/// A contract that is to be written where there is one already.
pub const CONTRACT_EXISTS: Code = invalid("CA-PROJECT-0030");

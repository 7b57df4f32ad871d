//! The error codes of this crate.

use codeanatomy_vocab::{Code, ErrorKind, Stage};

/// A setting or preset of a name that is not known.
pub const UNKNOWN_SETTING: Code =
    Code::new("CA-SESSION-0001", ErrorKind::Invalid, Stage::Configuration);
/// A value that its setting cannot take.
pub const BAD_VALUE: Code = Code::new("CA-SESSION-0002", ErrorKind::Invalid, Stage::Configuration);
/// A setting whose value this program does not let anyone change, or two settings that
/// contradict each other.
pub const NOT_ALLOWED: Code =
    Code::new("CA-SESSION-0003", ErrorKind::Invalid, Stage::Configuration);
/// A spill folder that cannot be made or written.
pub const SPILL_DIR: Code = Code::new("CA-SESSION-0004", ErrorKind::Invalid, Stage::Configuration);
/// A profile that another version of the engine, or of this program, recorded.
pub const ENGINE_VERSION: Code =
    Code::new("CA-SESSION-0005", ErrorKind::Drifted, Stage::Configuration);
/// A run time outside the years that a nanosecond timestamp can hold.
pub const RUN_TIME: Code = Code::new("CA-SESSION-0006", ErrorKind::Invalid, Stage::Configuration);
/// The engine did not take over a setting as the profile has it.
pub const SETTING_LOST: Code = Code::new("CA-SESSION-0007", ErrorKind::Internal, Stage::Internal);

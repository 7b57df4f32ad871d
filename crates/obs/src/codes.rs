//! Error codes of this crate.

use codeanatomy_vocab::{Code, ErrorKind, Stage};

/// The folder of a run, or a file in it, cannot be written; the run itself goes on.
pub const RUN_NOT_WRITABLE: Code =
    Code::new("CA-OBS-0001", ErrorKind::Unavailable, Stage::Execution);
/// The runs of a project cannot be read.
pub const RUNS_NOT_READABLE: Code =
    Code::new("CA-OBS-0002", ErrorKind::Unavailable, Stage::Configuration);
/// No run of the project has this id.
pub const UNKNOWN_RUN: Code = Code::new("CA-OBS-0003", ErrorKind::Invalid, Stage::Configuration);
/// Several runs of the project begin with this id.
pub const AMBIGUOUS_RUN: Code = Code::new("CA-OBS-0004", ErrorKind::Invalid, Stage::Configuration);
/// The record of a run is incomplete or cannot be understood.
pub const DAMAGED_RUN: Code = Code::new("CA-OBS-0005", ErrorKind::Data, Stage::Data);
/// The record of a run was written by a newer version of this program.
pub const NEWER_RUN_FORMAT: Code =
    Code::new("CA-OBS-0006", ErrorKind::Unsupported, Stage::Configuration);
/// An artifact's name is not a safe relative path, or its value has no JSON form.
pub const INVALID_ARTIFACT: Code = Code::new("CA-OBS-0007", ErrorKind::Internal, Stage::Internal);

//! Error codes of the command line itself.

use codeanatomy_vocab::{Code, ErrorKind, Stage};

/// Arguments that the command line does not take.
pub(crate) const USAGE: Code = Code::new("CA-CLI-0001", ErrorKind::Invalid, Stage::Configuration);
/// The command was stopped by Ctrl-C or a request to terminate.
pub(crate) const INTERRUPTED: Code =
    Code::new("CA-CLI-0002", ErrorKind::Interrupted, Stage::Interrupt);
/// A defect of this program.
pub(crate) const DEFECT: Code = Code::new("CA-CLI-0003", ErrorKind::Internal, Stage::Internal);
/// The result cannot be written to standard output.
pub(crate) const OUTPUT: Code = Code::new("CA-CLI-0004", ErrorKind::Unavailable, Stage::Execution);
/// The process's own surroundings are not usable: the current folder, threads, signals.
pub(crate) const SURROUNDINGS: Code =
    Code::new("CA-CLI-0005", ErrorKind::Unavailable, Stage::Configuration);

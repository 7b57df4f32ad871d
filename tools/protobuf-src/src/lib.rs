//! Stands in for the `protobuf-src` crate, which builds `protoc` from C++ source with CMake.
//!
//! Build scripts that ask `protobuf-src` for a compiler get the prebuilt one of
//! `protoc-bin-vendored`, or the one that the environment variable `PROTOC` names. Set that variable
//! to choose your own compiler, and on a platform for which there is no prebuilt one.

use std::path::PathBuf;

/// The `protoc` executable.
///
/// # Panics
///
/// When this platform has no prebuilt `protoc` and `PROTOC` is not set. A build script has no
/// better way to fail.
pub fn protoc() -> PathBuf {
    match (
        protoc_bin_vendored::protoc_bin_path(),
        std::env::var_os("PROTOC"),
    ) {
        (_, Some(path)) => path.into(),
        (Ok(path), None) => path,
        (Err(error), None) => panic!("{error}; install protoc and set PROTOC to its path"),
    }
}

/// The folder of the well-known protobuf definitions.
///
/// # Panics
///
/// When this platform has no prebuilt definitions and `PROTOC_INCLUDE` is not set.
pub fn include() -> PathBuf {
    match (
        protoc_bin_vendored::include_path(),
        std::env::var_os("PROTOC_INCLUDE"),
    ) {
        (_, Some(path)) => path.into(),
        (Ok(path), None) => path,
        (Err(error), None) => panic!("{error}; set PROTOC_INCLUDE to protobuf's include folder"),
    }
}

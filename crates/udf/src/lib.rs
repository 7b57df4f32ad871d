//! The function library of CodeAnatomy: functions that plan well, are documented, versioned, and
//! known to every fingerprint.
//!
//! Each function is one file with a constructor and an [`Entry`] of the manifest. A [`Library`] is
//! a set of entries.

// What a function is to the platform, and what is done with functions.
pub mod platform;

// What their kernels share.
mod kernel;

// The functions, one to a file, and the type that many of them share.
mod aggregate;
mod scalar;
mod span;
pub mod table;
mod window;

// Planners of expressions, by name.
mod rewrite;

// Functions that are SQL, and functions that wait.
mod async_call;
pub mod factory;

// Errors.
pub mod codes;

pub use self::async_call::{AsyncLimits, limited};
pub use self::platform::{
    ArgumentDocumentation, Call, Column, Docs, Entry, Example, ExampleDocumentation,
    FunctionDocumentation, FunctionRecord, FunctionVolatility, Implementation, Kind, Library,
    Notice, Parity, Platform, PlatformOptions, Rewrite, RewriteRecord, RowFunction,
    SNAPSHOT_FORMAT, Snapshot,
};
#[cfg(feature = "session")]
pub use self::platform::{UsedRewrites, platform_options, recorded_planners, rewrites, snapshot};
pub use self::span::span_type;

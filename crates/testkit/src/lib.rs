//! Fixtures for the tests and benchmarks of CodeAnatomy. Not published.
//!
//! Everything here is deterministic: the same arguments give the same bytes.
//!
//! # Features
//!
//! - `queries` adds random queries and random rows, and with them Arrow.
//! - `s3` adds a store that speaks the protocol of S3 on loopback.
//! - `commits` adds random commits to Delta tables, and with them the engine and the Delta library.

// Projects and tables.
mod log;
mod synthetic;

// Queries.
#[cfg(feature = "queries")]
pub mod queries;

// Stores.
#[cfg(feature = "s3")]
pub mod s3;

// Tables.
#[cfg(feature = "commits")]
pub mod commits;

// Measuring.
mod paired;

pub use self::log::DeltaLog;
pub use self::paired::{Paired, exponent, paired};
pub use self::synthetic::SyntheticProject;

//! Fixtures for the tests and benchmarks of CodeAnatomy. Not published.
//!
//! Everything here is deterministic: the same arguments give the same bytes.
//!
//! # Features
//!
//! `queries` adds random queries and random rows, and with them Arrow.

// Projects.
mod synthetic;

// Queries.
#[cfg(feature = "queries")]
pub mod queries;

// Measuring.
mod paired;

pub use self::paired::{Paired, exponent, paired};
pub use self::synthetic::SyntheticProject;

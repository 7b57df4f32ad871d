//! Fixtures for the tests and benchmarks of CodeAnatomy. Not published.
//!
//! Everything here is deterministic: the same arguments give the same bytes.

// Projects.
mod synthetic;

// Measuring.
mod paired;

pub use self::paired::{Paired, exponent, paired};
pub use self::synthetic::SyntheticProject;

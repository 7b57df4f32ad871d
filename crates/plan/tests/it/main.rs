//! Digests and bundles of plans that the real engine made.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails like the test"
)]

mod bundle;
mod depth;
mod determinism;
mod functions;
mod goldens;
mod mutants;
mod nodes;
mod properties;
mod refactors;
mod sessions;
#[cfg(feature = "substrait")]
mod substrait;
mod support;
mod volatile;

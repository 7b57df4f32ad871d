//! Digests and bundles of plans that the real engine made.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails like the test"
)]

mod bundle;
#[cfg(feature = "forms")]
mod corpus;
mod depth;
mod determinism;
#[cfg(feature = "forms")]
mod forms;
mod functions;
mod goldens;
#[cfg(feature = "forms")]
mod hostile;
#[cfg(feature = "forms")]
mod large;
mod mutants;
mod nodes;
#[cfg(feature = "forms")]
mod oracle;
mod properties;
mod refactors;
mod sessions;
mod support;
mod volatile;

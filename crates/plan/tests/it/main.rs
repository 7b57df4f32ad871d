//! Digests and bundles of plans that the real engine made.

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

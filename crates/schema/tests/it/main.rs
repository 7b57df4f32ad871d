//! Plans that validate and align rows, run by the real engine.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

mod align;
mod marked;
mod prove;
mod statistics;
mod support;
mod validate;

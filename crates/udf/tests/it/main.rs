//! The functions in sessions of the engine.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a helper of a test fails like the test"
)]

mod aggregates;
mod arrays;
mod asynchronous;
mod calls;
mod conformance;
mod encodings;
mod examples;
mod fuzz;
mod goldens;
mod macros;
mod plans;
mod random;
mod reference;
mod registration;
mod rewrites;
mod support;
mod tables;
mod windows;

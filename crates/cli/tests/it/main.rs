//! The command line as a user and a script see it: the program is run, nothing is called.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of a test fails like the test"
)]

mod bad_input;
mod contracts;
mod crash;
mod delta;
mod interrupt;
mod journey;
mod lineage;
mod openlineage;
mod pins;
mod project;
#[cfg(feature = "s3")]
mod s3;
mod schemas;
mod streams;

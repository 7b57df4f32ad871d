//! The project folder as a user meets it: good folders, bad folders, layers, new projects.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may panic, also in its helpers"
)]

mod folder;

mod arbitrary;
mod bad_files;
mod bad_names;
mod bad_outputs;
mod bad_values;
mod good;
mod layers;
mod scaffold;
mod secrets;
mod stores;

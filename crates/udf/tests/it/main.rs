//! The functions in sessions of the engine.

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

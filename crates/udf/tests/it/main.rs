//! The functions in sessions of the engine.

mod calls;
mod conformance;
mod encodings;
mod examples;
mod fuzz;
mod goldens;
mod plans;
mod random;
mod reference;
mod registration;
mod rewrites;
mod support;

//! The command line as a user and a script see it: the program is run, nothing is called.

mod bad_input;
mod interrupt;
mod journey;
mod project;
mod schemas;
mod streams;

//! Tests over whole tables.

mod faults;
mod output;
mod read;
mod real_tables;
mod support;
mod write;

//! Tests over whole tables.

mod commits;
mod faults;
mod feed;
mod footprint;
mod layout;
mod maintain;
mod many;
mod modes;
mod output;
mod pins;
mod prune;
mod read;
mod real_tables;
#[cfg(feature = "s3")]
mod s3;
mod support;
mod write;

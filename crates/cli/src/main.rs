//! The `codeanatomy` command line.

fn main() {}

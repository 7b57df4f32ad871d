//! Tests across the boundaries of the workspace.

#[cfg(test)]
mod tpch;

//! Tests across the boundaries of the workspace.

#[cfg(test)]
mod pipeline;
#[cfg(test)]
mod tpch;

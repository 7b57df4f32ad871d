//! Tests across the boundaries of the workspace.

#[cfg(test)]
mod commits;
#[cfg(test)]
mod fingerprints;
#[cfg(test)]
mod functions;
#[cfg(test)]
mod invalidation;
#[cfg(test)]
mod lake;
#[cfg(test)]
mod macros;
#[cfg(test)]
mod pipeline;
#[cfg(test)]
mod pruning;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod shop;
#[cfg(test)]
mod tpch;
#[cfg(test)]
mod why;

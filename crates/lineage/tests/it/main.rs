//! Lineage of plans that the real engine made.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

mod columns;
mod compose;
mod openlineage;
mod perturbation;
mod report;
mod scale;
mod sqlglot;
mod support;
mod tpch;

//! Commands that run something long and say how it ended.

use std::process::{Command, ExitCode};

use anyhow::Context;

use crate::repository;

/// Runs the test that compares all 22 TPC-H queries with the specification's answers.
///
/// The test is ignored in a normal test run, because it makes the data of scale factor 1 and wants
/// a release build.
pub(crate) fn tpch_answers() -> anyhow::Result<ExitCode> {
    cargo(&[
        "test",
        "--release",
        "--package",
        "codeanatomy-tests",
        "--",
        "--ignored",
        "--nocapture",
        "tpch_answers",
    ])
}

fn cargo(args: &[&str]) -> anyhow::Result<ExitCode> {
    let status = Command::new(env!("CARGO"))
        .args(args)
        .current_dir(repository::root())
        .status()
        .with_context(|| format!("cannot run `cargo {}`", args.join(" ")))?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

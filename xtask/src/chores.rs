//! Commands that run something long and say how it ended.

use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, bail};

use crate::repository;

/// The test's name begins so.
const TPCH_ANSWERS: &str = "tpch_answers";

/// The test's name begins so.
const FINGERPRINTS: &str = "fingerprints::fingerprints_of_example_projects";

/// Runs the test that compares all 22 TPC-H queries with the specification's answers.
///
/// The test is ignored in a normal test run, because it makes the data of scale factor 1 and wants
/// a release build. A filter that fits no test would pass, so the test is looked for first.
pub(crate) fn tpch_answers() -> anyhow::Result<ExitCode> {
    let test = ["test", "--release", "--package", "codeanatomy-tests", "--"];
    let list = cargo(&[&test[..], &["--ignored", "--list", TPCH_ANSWERS]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    if !list.status.success() {
        return Ok(ExitCode::FAILURE);
    }
    if !String::from_utf8_lossy(&list.stdout).contains(TPCH_ANSWERS) {
        bail!("codeanatomy-tests has no ignored test `{TPCH_ANSWERS}…`");
    }
    let run = cargo(&[&test[..], &["--ignored", "--nocapture", TPCH_ANSWERS]].concat())
        .status()
        .context("cannot run cargo")?;
    Ok(if run.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Compares the identities of the example projects' views with their snapshots, or writes new ones.
pub(crate) fn fingerprints(bless: bool) -> anyhow::Result<ExitCode> {
    let test = ["test", "--workspace", "--test", "it", "--"];
    let filter = ["--nocapture", FINGERPRINTS];
    let mut command = cargo(&[&test[..], &filter].concat());
    if bless {
        command.env("CODEANATOMY_BLESS", "1");
    }
    let run = command.status().context("cannot run cargo")?;
    Ok(if run.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    command.args(args).current_dir(repository::root());
    command
}

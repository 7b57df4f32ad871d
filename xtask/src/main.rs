//! Checks and chores of the workspace, run as `cargo xtask COMMAND`.
//!
//! This crate reads text and drives cargo. It imports no crate of the workspace and no engine, so
//! that it builds in seconds and works when nothing else compiles.

// What is looked at.
mod repository;

// What is checked.
mod layers;
mod problem;
mod tidy;

// What is run.
mod chores;
mod fuzz;

use std::process::ExitCode;

use crate::problem::Problem;
use crate::repository::Repository;

const HELP: &str = "\
Checks and chores of the CodeAnatomy workspace

Usage: cargo xtask COMMAND

Commands:
  tidy          check everything that the compiler does not: layers, docs, codes, sizes, names
  layers        check only which crate imports which, against xtask/layers.toml
  fingerprints --check | --bless
                compare the identities of the example projects' views with their snapshots and
                say what differs and why, or write new snapshots
  fuzz [--seconds N] [TARGET...]
                fuzz what is decoded with libFuzzer, each target for N seconds (60); needs a C++
                compiler
  tpch-answers  compare the TPC-H queries with the answers of the specification at scale
                factor 1 (release build; minutes)

Exit codes: 0 all is well, 1 something was found or failed, 2 wrong usage
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args.as_slice() {
        ["tidy"] => Repository::here().and_then(|repository| report(&tidy::check(&repository)?)),
        ["layers"] => {
            Repository::here().and_then(|repository| report(&layers::check(&repository)?))
        }
        ["fingerprints", "--check"] => chores::fingerprints(false),
        ["fingerprints", "--bless"] => chores::fingerprints(true),
        ["tpch-answers"] => chores::tpch_answers(),
        ["fuzz", options @ ..] => match fuzz::Options::parse(options) {
            Ok(options) => fuzz::run(&options),
            Err(error) => {
                eprintln!("error: {error:#}");
                return ExitCode::from(2);
            }
        },
        ["--help" | "-h" | "help"] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        wrong => {
            let wrong = wrong.join(" ");
            eprint!("error: `cargo xtask {wrong}` is not a command\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn report(problems: &[Problem]) -> anyhow::Result<ExitCode> {
    for problem in problems {
        eprintln!("{problem}");
    }
    Ok(match problems.len() {
        0 => ExitCode::SUCCESS,
        1 => {
            eprintln!("1 problem");
            ExitCode::FAILURE
        }
        n => {
            eprintln!("{n} problems");
            ExitCode::FAILURE
        }
    })
}

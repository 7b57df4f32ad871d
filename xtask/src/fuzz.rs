//! Coverage-guided fuzzing with libFuzzer, which needs no other toolchain than the workspace's.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use crate::repository;

/// What `codeanatomy-fuzz` knows, in the order in which it runs.
const TARGETS: [&str; 4] = ["substrait", "protobuf", "bundle_msgpack", "bundle_json"];

/// How long each target runs where nothing else is asked for.
const DEFAULT_SECONDS: u64 = 60;

/// An input that takes longer is a finding.
const TIMEOUT_SECONDS: u64 = 20;

/// A process that takes more is a finding.
const MEMORY_MIB: u64 = 3_072;

/// Longer inputs are not tried.
const MAX_INPUT_BYTES: u64 = 64 << 10;

/// Counts the edges that an input takes, and tells what it is compared with. These are the flags that
/// cargo-fuzz passes, without its sanitizers, so that a stable compiler takes them.
const COVERAGE: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares \
    -Ccodegen-units=1 --cfg fuzzing";

/// What to fuzz and for how long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Options {
    seconds: u64,
    targets: Vec<&'static str>,
}

impl Options {
    /// Reads `[--seconds N] [TARGET...]`.
    pub(crate) fn parse(args: &[&str]) -> anyhow::Result<Self> {
        let mut options = Self {
            seconds: DEFAULT_SECONDS,
            targets: Vec::new(),
        };
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            if *arg == "--seconds" {
                let value = args.next().context("--seconds takes a number")?;
                options.seconds = value
                    .parse()
                    .with_context(|| format!("--seconds {value}: not a number"))?;
                if options.seconds == 0 {
                    bail!("--seconds 0 would never end");
                }
                continue;
            }
            match TARGETS.iter().find(|target| *target == arg) {
                Some(target) => options.targets.push(target),
                None => bail!("no target `{arg}`; there are {}", TARGETS.join(", ")),
            }
        }
        if options.targets.is_empty() {
            options.targets = TARGETS.to_vec();
        }
        Ok(options)
    }
}

/// Builds the fuzzer and runs its targets, each for the given time. What is found lies in a folder
/// that the last line names; what the fuzzer learned stays beside it for the next time.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let folder = target_folder()?.join("fuzz");
    let program = build(&folder)?;
    let mut failed = Vec::new();
    for target in &options.targets {
        println!("fuzzing {target} for {} s", options.seconds);
        if !run_target(&program, &folder, target, options.seconds)? {
            failed.push(*target);
        }
    }
    if failed.is_empty() {
        println!("nothing found in {}", options.targets.join(", "));
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "error: {} failed; the inputs are in {}. Mend the decoder, and keep each input in fuzz/regressions/TARGET",
        failed.join(", "),
        folder.join("findings").display()
    );
    Ok(ExitCode::FAILURE)
}

/// Where cargo keeps what it builds.
fn target_folder() -> anyhow::Result<PathBuf> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .current_dir(repository::root())
        .no_deps()
        .exec()
        .context("cannot ask cargo for its target folder")?;
    Ok(metadata.target_directory.into_std_path_buf())
}

fn build(folder: &Path) -> anyhow::Result<PathBuf> {
    let host = host()?;
    // A target is named so that the flags reach what is fuzzed and not the build scripts.
    let status = Command::new(env!("CARGO"))
        .args(["build", "--locked", "--package", "codeanatomy-fuzz"])
        .args(["--features", "libfuzzer", "--target", &host])
        .env("RUSTFLAGS", COVERAGE)
        .env("CARGO_TARGET_DIR", folder)
        .current_dir(repository::root())
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("the fuzzer does not build; it needs a C++ compiler");
    }
    Ok(folder.join(host).join("debug").join("codeanatomy-fuzz"))
}

/// The machine as the compiler names it.
fn host() -> anyhow::Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let output = Command::new(rustc).arg("-vV").output()?;
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .context("the compiler does not say what it builds for")
}

fn run_target(program: &Path, folder: &Path, target: &str, seconds: u64) -> anyhow::Result<bool> {
    let corpus = folder.join("corpus").join(target);
    let findings = folder.join("findings").join(target);
    for folder in [&corpus, &findings] {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
    }
    let mut command = Command::new(program);
    command
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={TIMEOUT_SECONDS}"))
        .arg(format!("-rss_limit_mb={MEMORY_MIB}"))
        .arg(format!("-max_len={MAX_INPUT_BYTES}"))
        .arg(format!("-artifact_prefix={}/", findings.display()))
        .args(["-print_final_stats=1", "-verbosity=0", "-print_funcs=0"])
        .arg(&corpus)
        .env("CODEANATOMY_FUZZ_TARGET", target)
        .env("CODEANATOMY_FUZZ_SEEDS", &corpus);
    let regressions = repository::root().join("fuzz/regressions").join(target);
    if regressions.is_dir() {
        command.arg(regressions);
    }
    let status = command
        .status()
        .with_context(|| format!("cannot run {}", program.display()))?;
    Ok(status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_targets_run_unless_some_are_named() {
        let options = Options::parse(&[]).unwrap();
        assert_eq!(options.targets, TARGETS);
        let options = Options::parse(&["--seconds", "5", "protobuf"]).unwrap();
        assert_eq!((options.seconds, options.targets), (5, vec!["protobuf"]));
    }

    #[test]
    fn wrong_usage_says_what_there_is() {
        let error = |args: &[&str]| Options::parse(args).unwrap_err().to_string();
        assert!(error(&["substrate"]).contains("substrait, protobuf"));
        assert!(error(&["--seconds"]).contains("a number"));
        assert!(error(&["--seconds", "soon"]).contains("soon"));
        assert!(error(&["--seconds", "0"]).contains("never end"));
    }
}

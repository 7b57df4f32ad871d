//! The commands.

use std::path::PathBuf;

use codeanatomy_vocab::Errors;

use crate::args::{Command, Config, Contract, Global, Runs, Udf};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::interrupt::Interrupts;
use crate::logging::Log;
use crate::output::Output;

// Making projects.
mod demo;
mod init;

// Building them.
mod build;
mod explain;
mod fingerprints;
mod lineage;
mod pipeline;
mod plan;

// Looking at them.
mod check;
mod config;
mod contract;
mod diff;
mod replay;
mod runs;
mod udf;
mod why;

// Looking after tables.
mod delta;

// This program itself.
mod completions;
mod version;

/// What every command may use.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) environment: Environment,
    pub(crate) output: Output,
    pub(crate) interrupts: Interrupts,
    pub(crate) log: Log,
}

/// Runs a command. Its result is printed; its errors are not.
pub(crate) fn run(command: Command, context: &Context) -> Result<Exit, Errors> {
    match command {
        Command::Demo(args) => demo::run(&args, context),
        Command::Init(args) => init::run(&args, context),
        Command::Plan(args) => plan::run(&args, context),
        Command::Build(args) => build::run(&args, context),
        Command::Explain(args) => explain::run(&args, context),
        Command::Check(args) => check::run(&args, context),
        Command::Contract(Contract::Init(args)) => contract::init(&args, context),
        Command::Lineage(args) => lineage::run(&args, context),
        Command::Why(args) => why::why(&args, context),
        Command::WhyNot(args) => why::why_not(&args, context),
        Command::Diff(args) => diff::run(&args, context),
        Command::Replay(args) => replay::run(&args, context),
        Command::Delta(args) => delta::run(args, context),
        Command::Runs(Runs::List(args)) => runs::list(&args, context),
        Command::Runs(Runs::Show(args)) => runs::show(&args, context),
        Command::Udf(Udf::List(args)) => udf::list(&args, context),
        Command::Udf(Udf::Show(args)) => udf::show(&args, context),
        Command::Config(Config::Show(args)) => config::show(&args, context),
        Command::Config(Config::Validate) => config::validate(context),
        Command::Fingerprints(args) => fingerprints::run(&args, context),
        Command::Completions(args) => completions::run(&args, context),
        Command::Version => version::run(context),
    }
}

impl Context {
    /// The project's folder, absolute.
    pub(crate) fn project_dir(&self) -> Result<PathBuf, Errors> {
        let dir = match &self.global.project {
            Some(dir) => {
                let dir = self.absolute(dir);
                // A folder that is not there is somebody else's error.
                dir.canonicalize().unwrap_or(dir)
            }
            None => codeanatomy_project::discover(&self.environment.current_dir)?,
        };
        self.output.paths.start_at(&dir);
        Ok(dir)
    }

    /// A path of the arguments, from the current folder.
    pub(crate) fn absolute(&self, path: &std::path::Path) -> PathBuf {
        self.environment.current_dir.join(path)
    }
}

//! From arguments to an exit code.

use std::any::Any;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use clap::{CommandFactory, FromArgMatches};
use codeanatomy_vocab::{Error, Errors};

use crate::args::{Cli, ColorChoice, Glance, Global};
use crate::command::{self, Context};
use crate::environment::Environment;
use crate::exit::Exit;
use crate::interrupt::Interrupts;
use crate::output::Output;
use crate::{codes, logging};

/// Runs the command line. `args` begins with the program's own name.
pub(crate) fn main(args: Vec<OsString>) -> ExitCode {
    let glance = Glance::at(args.get(1..).unwrap_or_default());
    let fallback = Global {
        format: glance.format,
        color: glance.color,
        ..Global::default()
    };
    let environment = match Environment::read(args.first()) {
        Ok(environment) => environment,
        Err(error) => {
            let output = Output::new(&fallback, &Environment::default());
            return fail(&output, error.into());
        }
    };
    match parse(args, glance) {
        Ok(cli) => run(cli, environment),
        Err(usage) if usage.exit_code() == 0 => {
            // Help and version. A reader that has gone away is no error.
            let _ = usage.print();
            ExitCode::SUCCESS
        }
        Err(usage) => {
            let output = Output::new(&fallback, &environment);
            output.usage(&usage);
            ExitCode::from(Exit::Failed(codes::USAGE.stage()).code())
        }
    }
}

fn parse(args: Vec<OsString>, glance: Glance) -> Result<Cli, clap::Error> {
    let command = Cli::command().color(match glance.color {
        ColorChoice::Auto => clap::ColorChoice::Auto,
        ColorChoice::Always => clap::ColorChoice::Always,
        ColorChoice::Never => clap::ColorChoice::Never,
    });
    Cli::from_arg_matches(&command.try_get_matches_from(args)?)
}

fn run(cli: Cli, environment: Environment) -> ExitCode {
    let output = Output::new(&cli.global, &environment);
    remember_panics(&environment);
    let ended = catch_unwind(AssertUnwindSafe(|| {
        let log = logging::start(&output, &environment, cli.global.diagnostics_profile)?;
        let context = Context {
            interrupts: Interrupts::watch(&output)?,
            global: cli.global,
            environment,
            output: output.clone(),
            log,
        };
        command::run(cli.command, &context)
    }));
    match ended {
        Ok(Ok(exit)) => ExitCode::from(exit.code()),
        Ok(Err(errors)) => fail(&output, errors),
        Err(panic) => fail(&output, defect(panic.as_ref()).into()),
    }
}

fn fail(output: &Output, errors: Errors) -> ExitCode {
    output.errors(&errors);
    ExitCode::from(Exit::Failed(errors.first().code().stage()).code())
}

/// Where the last panic was.
static PANICKED_AT: Mutex<Option<String>> = Mutex::new(None);

/// Keeps panics from writing to the terminal on their own, unless backtraces are asked for.
fn remember_panics(environment: &Environment) {
    if environment.variables.contains_key("RUST_BACKTRACE") {
        return;
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        *PANICKED_AT.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }));
}

fn defect(panic: &(dyn Any + Send)) -> Error {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let mut error = Error::new(codes::DEFECT, format!("internal error: {message}"))
        .with_help("report this as a defect, with the command; RUST_BACKTRACE=1 tells more");
    let place = PANICKED_AT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(place) = place.as_ref() {
        error = error.with("place", place);
    }
    error
}

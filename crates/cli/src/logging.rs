//! The log on standard error.

use std::io::{self, Write};

use codeanatomy_project::{DiagnosticsProfile, Layers};
use codeanatomy_vocab::{Error, Result, nearest};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Registry, reload};

use crate::codes;
use crate::environment::Environment;
use crate::output::{Output, Verbosity};

/// Directives for the log, in the form of `tracing`'s filters; wins over `-v` and `-q`.
const VARIABLE: &str = "CODEANATOMY_LOG";

/// The log, whose level may change once the project's configuration is known.
#[derive(Debug)]
pub(crate) struct Log {
    filter: reload::Handle<Targets, Registry>,
    verbosity: Verbosity,
    /// Whether flags or variables have decided the level for good.
    is_decided: bool,
}

/// Sends the log to standard error from now on.
pub(crate) fn start(
    output: &Output,
    environment: &Environment,
    profile: Option<DiagnosticsProfile>,
) -> Result<Log> {
    let explicit = environment.variables.get(VARIABLE);
    let profile = match profile {
        Some(profile) => Some(profile),
        None => profile_of(environment)?,
    };
    let filter = match explicit {
        Some(directives) => directives.parse::<Targets>().map_err(|error| {
            Error::new(
                codes::USAGE,
                format!("`{VARIABLE}` cannot be understood: {error}"),
            )
            .with_source(error)
            .with_expected("directives such as `info` or `codeanatomy_exec=debug`")
            .with_help(format!("correct or unset `{VARIABLE}`"))
        })?,
        None => targets(output.verbosity, profile),
    };
    let (filter, handle) = reload::Layer::new(filter);
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(output.stderr_paint().is_on())
        .without_time()
        .with_writer(AboveBars(output.clone()));
    // A second start can only happen in tests, and the first log will do.
    let _ = tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init();
    Ok(Log {
        filter: handle,
        verbosity: output.verbosity,
        is_decided: explicit.is_some() || profile.is_some(),
    })
}

impl Log {
    /// Takes over the level of the project's profile, unless a flag or a variable says otherwise.
    pub(crate) fn follow(&self, profile: DiagnosticsProfile) {
        if !self.is_decided {
            // Fails only when the log is gone, and then nobody misses it.
            let _ = self.filter.reload(targets(self.verbosity, Some(profile)));
        }
    }
}

/// The profile that a variable names.
fn profile_of(environment: &Environment) -> Result<Option<DiagnosticsProfile>> {
    let layers = Layers::new("diagnostics").with_env(&environment.variables);
    let Some(setting) = layers.get("profile") else {
        return Ok(None);
    };
    let name = setting.value.to_string();
    let names = DiagnosticsProfile::ALL.map(|(name, _)| name);
    match DiagnosticsProfile::from_name(&name) {
        Some(profile) => Ok(Some(profile)),
        None => Err(
            Error::new(codes::USAGE, format!("`{name}` is no diagnostics profile"))
                .with("source", &setting.source)
                .with_expected(names.join(", "))
                .with_nearest(nearest(&name, names))
                .with_help("correct or unset the variable"),
        ),
    }
}

/// Our own crates at the level that was asked for, the engine's less talkative.
fn targets(verbosity: Verbosity, profile: Option<DiagnosticsProfile>) -> Targets {
    let (ours, others) = match verbosity {
        Verbosity::Quiet => (LevelFilter::ERROR, LevelFilter::OFF),
        Verbosity::Normal if profile == Some(DiagnosticsProfile::Debug) => {
            (LevelFilter::DEBUG, LevelFilter::WARN)
        }
        Verbosity::Normal => (LevelFilter::WARN, LevelFilter::ERROR),
        Verbosity::Verbose => (LevelFilter::INFO, LevelFilter::WARN),
        Verbosity::VeryVerbose => (LevelFilter::DEBUG, LevelFilter::INFO),
        Verbosity::Everything => (LevelFilter::TRACE, LevelFilter::DEBUG),
    };
    // The Delta kernel logs what it returns as an error as well, and our errors say it better.
    let kernel = match verbosity {
        Verbosity::Quiet | Verbosity::Normal => LevelFilter::OFF,
        Verbosity::Verbose | Verbosity::VeryVerbose | Verbosity::Everything => others,
    };
    // Targets are prefixes, so this covers every crate of the workspace.
    Targets::new()
        .with_default(others)
        .with_target("buoyant_kernel", kernel)
        .with_target("codeanatomy", ours)
}

/// Writes whole events to standard error, above any bars.
#[derive(Clone)]
struct AboveBars(Output);

impl Write for AboveBars {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.0.stderr(&String::from_utf8_lossy(buffer));
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for AboveBars {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

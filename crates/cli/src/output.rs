//! Standard output and standard error.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use codeanatomy_vocab::{Error, Errors, Result};
use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;

use crate::args::{Format, Global};
use crate::codes;
use crate::environment::Environment;
use crate::render::{self, Paint, Paths};

/// How much to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    Quiet,
    Normal,
    Verbose,
    VeryVerbose,
    Everything,
}

/// Where a command prints: results on standard output, all else on standard error.
///
/// Clones share the terminal and know of each other's output.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    pub(crate) format: Format,
    pub(crate) verbosity: Verbosity,
    pub(crate) paths: Paths,
    stdout_paint: Paint,
    stderr_paint: Paint,
    stderr_is_terminal: bool,
    /// All of standard error goes through it, so that bars and lines do not mix.
    bars: MultiProgress,
    /// Set by the first result, so that there is only one document.
    has_result: Arc<AtomicBool>,
}

impl Output {
    pub(crate) fn new(global: &Global, environment: &Environment) -> Self {
        let target = if environment.stderr_is_terminal {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let paint = |is_terminal| Paint::new(environment.colors(global.color, is_terminal));
        Self {
            format: global.format,
            verbosity: match (global.quiet, global.verbose) {
                (true, _) => Verbosity::Quiet,
                (false, 0) => Verbosity::Normal,
                (false, 1) => Verbosity::Verbose,
                (false, 2) => Verbosity::VeryVerbose,
                (false, _) => Verbosity::Everything,
            },
            paths: Paths::new(&environment.current_dir),
            stdout_paint: paint(environment.stdout_is_terminal),
            stderr_paint: paint(environment.stderr_is_terminal),
            stderr_is_terminal: environment.stderr_is_terminal,
            bars: MultiProgress::with_draw_target(target),
            has_result: Arc::new(AtomicBool::new(false)),
        }
    }

    /// Colours for text on standard output.
    pub(crate) fn paint(&self) -> Paint {
        self.stdout_paint
    }

    /// Colours for text on standard error.
    pub(crate) fn stderr_paint(&self) -> Paint {
        self.stderr_paint
    }

    /// The bars, where they can be seen.
    pub(crate) fn bars(&self) -> Option<&MultiProgress> {
        self.stderr_is_terminal.then_some(&self.bars)
    }

    /// Prints the result: the JSON document or the text, as the user asked. Text is made only when
    /// needed.
    ///
    /// A reader that has gone away is no error.
    pub(crate) fn result(
        &self,
        json: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<()> {
        if self.has_result.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        let content = match self.format {
            Format::Text => text(),
            Format::Json => {
                let mut document = serde_json::to_string_pretty(json).map_err(|error| {
                    Error::new(
                        codes::DEFECT,
                        format!("the result has no JSON form: {error}"),
                    )
                    .with_source(error)
                    .with_help("report this as a defect, with the command that you used")
                })?;
                document.push('\n');
                document
            }
        };
        write_to_stdout(content.as_bytes())
    }

    /// Shows errors, and in JSON makes them the result unless there is one.
    pub(crate) fn errors(&self, errors: &Errors) {
        // Also beside JSON, because a person may be watching.
        self.show_errors(errors.iter());
        if self.format == Format::Json {
            let document = render::ErrorDocument::new(errors, &self.paths);
            // The exit code tells what standard output cannot.
            let _ = self.result(&document, String::new);
        }
    }

    /// Shows errors beside a result that tells of them too.
    pub(crate) fn show_errors<'a>(&self, errors: impl IntoIterator<Item = &'a Error>) {
        let paint = self.stderr_paint;
        self.stderr(&render::errors(errors, paint, &self.paths, self.verbosity));
    }

    /// Shows what is wrong with the arguments.
    pub(crate) fn usage(&self, usage: &clap::Error) {
        let styled = usage.render();
        if self.stderr_paint.is_on() {
            self.stderr(&styled.ansi().to_string());
        } else {
            self.stderr(&styled.to_string());
        }
        if self.format == Format::Json {
            let document = render::ErrorDocument::new(&render::usage(usage).into(), &self.paths);
            // The exit code tells what standard output cannot.
            let _ = self.result(&document, String::new);
        }
    }

    /// Shows what went wrong without doing harm.
    pub(crate) fn warnings<'a>(&self, warnings: impl IntoIterator<Item = &'a Error>) {
        for warning in warnings {
            self.stderr(&render::warning(
                warning,
                self.stderr_paint,
                &self.paths,
                self.verbosity,
            ));
        }
    }

    /// Shows a remark, unless the user wants none.
    pub(crate) fn note(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.stderr(&format!("{text}\n"));
        }
    }

    /// Writes to standard error, above any bars. What cannot be written is lost.
    pub(crate) fn stderr(&self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.bars.suspend(|| {
            let _ = io::stderr().lock().write_all(text.as_bytes());
        });
    }

    /// Removes any bars from the terminal.
    pub(crate) fn clear_bars(&self) {
        let _ = self.bars.clear();
    }
}

fn write_to_stdout(content: &[u8]) -> Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(content).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Error::new(
            codes::OUTPUT,
            format!("the result cannot be written to standard output: {error}"),
        )
        .with_source(error)
        .with_help("look at where the output is sent: is the disk full?")),
    }
}

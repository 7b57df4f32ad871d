//! The environment of the process, read once.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

use codeanatomy_vocab::{Error, Result};

use crate::args::ColorChoice;
use crate::codes;
use crate::render::quoted;

/// What the process was given besides its arguments.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    /// Environment variables that are UTF-8.
    pub(crate) variables: BTreeMap<String, String>,
    /// This program as the user called it, fit for a shell.
    pub(crate) program: String,
    /// The current folder, absolute.
    pub(crate) current_dir: PathBuf,
    /// Whether standard output is a terminal.
    pub(crate) stdout_is_terminal: bool,
    /// Whether standard error is a terminal.
    pub(crate) stderr_is_terminal: bool,
    /// Whether the user's terminal can or may not show colours.
    plain: bool,
}

impl Environment {
    /// Reads it. Variables that are not UTF-8 are left out.
    pub(crate) fn read(program: Option<&OsString>) -> Result<Self> {
        let current_dir = std::env::current_dir().map_err(|error| {
            Error::new(
                codes::SURROUNDINGS,
                format!("the current folder cannot be read: {error}"),
            )
            .with_help("change to a folder that exists")
        })?;
        let variables: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let is =
            |key: &str, test: fn(&str) -> bool| variables.get(key).is_some_and(|value| test(value));
        Ok(Self {
            plain: is("NO_COLOR", |value| !value.is_empty()) || is("TERM", |value| value == "dumb"),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal()
                && !is("TERM", |value| value == "dumb"),
            program: program.map_or_else(
                || "codeanatomy".to_owned(),
                |program| quoted(&program.to_string_lossy()),
            ),
            current_dir,
            variables,
        })
    }

    /// Whether to colour what goes to a stream.
    pub(crate) fn colors(&self, choice: ColorChoice, stream_is_terminal: bool) -> bool {
        match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => stream_is_terminal && !self.plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        let willing = Environment::default();
        assert!(willing.colors(ColorChoice::Auto, true));
        assert!(!willing.colors(ColorChoice::Auto, false));
        assert!(willing.colors(ColorChoice::Always, false));
        assert!(!willing.colors(ColorChoice::Never, true));
        let plain = Environment {
            plain: true,
            ..Environment::default()
        };
        assert!(!plain.colors(ColorChoice::Auto, true));
    }
}

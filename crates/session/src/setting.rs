//! One setting as it is shown: its value, where the value comes from, what it can change.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Preset;

/// One setting of a profile, as `config show` prints it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The full key, for example `datafusion.execution.batch_size` or `session.concurrency`.
    pub key: String,
    /// The value in canonical spelling; [`Setting::UNSET`] where there is none.
    pub value: String,
    /// Where the value comes from.
    pub source: SettingSource,
    /// What another value could change.
    pub class: SettingClass,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum SettingSource {
    /// The engine's own default.
    EngineDefault,
    /// A default that every profile sets in the engine's place, for a reason that
    /// [`pinned_settings`](crate::pinned_settings) gives.
    Pinned,
    /// The preset.
    Preset {
        /// Which one.
        preset: Preset,
    },
    /// A preset asked for more than the machine has, and got what it has.
    Machine {
        /// The preset that asked.
        preset: Preset,
        /// What it asked for. Identities see this value, so that they do not depend on the machine.
        asked: String,
    },
    /// Computed from other settings.
    Derived {
        /// The short keys of those settings, joined with `, `.
        from: String,
        /// The value that would have been computed on a machine of any size; identities see it.
        asked: String,
    },
    /// A configuration file.
    ConfigFile {
        /// Path as the user would write it, relative to the project folder where it is in there.
        path: String,
        /// Line, from 1, where it is known.
        line: Option<usize>,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// A flag of the command line.
    Flag {
        /// The flag as written, for example `--memory-limit`.
        flag: String,
    },
    /// A program that uses this crate.
    Caller,
}

/// What another value of a setting could change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SettingClass {
    /// The rows, their values, names or types. Where it is in doubt, this one.
    Semantic,
    /// The order of the rows, the last digits of floating-point results, or which of several
    /// equally good rows is kept; never the rows that a query defines.
    Determinism,
    /// Time, memory, messages, the layout of files, or whether a query is accepted at all; never
    /// what an accepted query answers.
    Performance,
}

impl Setting {
    /// How a setting without a value is shown.
    pub const UNSET: &'static str = "NULL";
}

impl SettingSource {
    /// Whether a person chose the value: neither a default nor computed.
    pub fn is_explicit(&self) -> bool {
        match self {
            Self::ConfigFile { .. }
            | Self::Environment { .. }
            | Self::Flag { .. }
            | Self::Caller => true,
            Self::EngineDefault
            | Self::Pinned
            | Self::Preset { .. }
            | Self::Machine { .. }
            | Self::Derived { .. } => false,
        }
    }

    /// The value before it was fitted to the machine, where it was.
    pub(crate) fn asked(&self) -> Option<&str> {
        match self {
            Self::Machine { asked, .. } | Self::Derived { asked, .. } => Some(asked),
            _ => None,
        }
    }
}

impl fmt::Display for SettingSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EngineDefault => f.write_str("engine default"),
            Self::Pinned => f.write_str("pinned default"),
            Self::Preset { preset } => write!(f, "preset `{preset}`"),
            Self::Machine { preset, asked } => {
                write!(f, "machine (preset `{preset}` asked for {asked})")
            }
            Self::Derived { from, .. } => write!(f, "computed from {from}"),
            Self::ConfigFile { path, line: None } => f.write_str(path),
            Self::ConfigFile {
                path,
                line: Some(line),
            } => write!(f, "{path}:{line}"),
            Self::Environment { variable } => write!(f, "environment variable {variable}"),
            Self::Flag { flag } => write!(f, "flag {flag}"),
            Self::Caller => f.write_str("caller"),
        }
    }
}

impl fmt::Display for SettingClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Semantic => "semantic",
            Self::Determinism => "determinism",
            Self::Performance => "performance",
        })
    }
}

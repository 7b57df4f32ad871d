//! Values with the place they come from.

use std::fmt;

use codeanatomy_vocab::Location;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A flag of the command line, as it is typed: `--memory-limit`.
    Flag(String),
    /// An environment variable.
    Env(String),
    /// A configuration file: the project's own, or the user's.
    File(Location),
    /// The session preset of this name.
    Preset(String),
    /// Built in.
    Default,
}

/// A value and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// Where it comes from.
    pub source: Source,
}

/// A plain value of a setting, or the default of a parameter.
///
/// Flags and variables give [`Text`](Self::Text) whatever they hold; who knows the setting reads
/// it. `Display` writes the value alone, without quotes.
#[derive(Debug, Clone, PartialEq)]
pub enum SettingValue {
    /// Text. Dates and times of TOML become text as well.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// True or false.
    Bool(bool),
}

impl<T> Sourced<T> {
    /// A value with its source.
    pub fn new(value: T, source: Source) -> Self {
        Self { value, source }
    }

    /// The place in a file, where the value comes from one.
    pub fn location(&self) -> Option<&Location> {
        match &self.source {
            Source::File(location) => Some(location),
            Source::Flag(_) | Source::Env(_) | Source::Preset(_) | Source::Default => None,
        }
    }

    /// The same source with another value made of this one.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Sourced<U> {
        Sourced::new(change(self.value), self.source)
    }
}

impl fmt::Display for Source {
    /// Writes `flag --x`, `env X`, `file:line:column`, `preset x` or `default`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "flag {name}"),
            Self::Env(name) => write!(f, "env {name}"),
            Self::File(location) => write!(f, "{location}"),
            Self::Preset(name) => write!(f, "preset {name}"),
            Self::Default => f.write_str("default"),
        }
    }
}

impl fmt::Display for SettingValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number}"),
            Self::Bool(truth) => write!(f, "{truth}"),
        }
    }
}

impl From<&str> for SettingValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for SettingValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for SettingValue {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<f64> for SettingValue {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<bool> for SettingValue {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

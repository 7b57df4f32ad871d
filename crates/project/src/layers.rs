//! Settings in layers, of which the nearest to the user wins.

use std::collections::BTreeMap;

use crate::source::{SettingValue, Source, Sourced};

const ENV_PREFIX: &str = "CODEANATOMY_";

/// The settings of one section from all their sources.
///
/// A flag wins over an environment variable, that over the project's file, that over the user's
/// file, that over the preset, and that over the built-in default. The order in which the layers
/// are added does not matter; within one layer, the value added last wins.
///
/// # Example: which value wins, and where does it come from?
///
/// ```
/// use std::collections::BTreeMap;
/// use codeanatomy_project::Layers;
///
/// let env = BTreeMap::from([(
///     "CODEANATOMY_SESSION_MEMORY_LIMIT".to_owned(),
///     "2GiB".to_owned(),
/// )]);
/// let layers = Layers::new("session")
///     .with_defaults([("memory_limit", "8GiB"), ("batch_size", "8192")])
///     .with_env(&env);
///
/// let winner = layers.get("memory_limit").unwrap();
/// assert_eq!(winner.value.to_string(), "2GiB");
/// assert_eq!(winner.source.to_string(), "env CODEANATOMY_SESSION_MEMORY_LIMIT");
/// assert_eq!(layers.get("batch_size").unwrap().source.to_string(), "default");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Layers {
    section: String,
    settings: BTreeMap<String, BTreeMap<Layer, Sourced<SettingValue>>>,
}

/// Where a value was found, the winner first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Layer {
    Flag,
    Env,
    ProjectFile,
    UserFile,
    Preset,
    Default,
}

impl Layers {
    /// No settings yet for the section of this name, for example `session`.
    pub fn new(section: impl Into<String>) -> Self {
        Self {
            section: section.into(),
            settings: BTreeMap::new(),
        }
    }

    /// Adds what a flag says; `flag` is the flag as it is typed.
    #[must_use]
    pub fn with_flag(mut self, flag: &str, key: &str, value: impl Into<SettingValue>) -> Self {
        self.add(
            Layer::Flag,
            key,
            Sourced::new(value.into(), Source::Flag(flag.to_owned())),
        );
        self
    }

    /// Adds the variables `CODEANATOMY_<SECTION>_<KEY>` of `env`.
    ///
    /// The key is the rest of the name in lower case, with `.` for `__`:
    /// `CODEANATOMY_SESSION_DATAFUSION__EXECUTION__BATCH_SIZE` is
    /// `datafusion.execution.batch_size`. A variable that is set to nothing counts as not set.
    #[must_use]
    pub fn with_env(mut self, env: &BTreeMap<String, String>) -> Self {
        let prefix = format!("{ENV_PREFIX}{}_", self.section.to_ascii_uppercase());
        for (name, text) in env {
            let Some(key) = name.strip_prefix(&prefix) else {
                continue;
            };
            if !key.is_empty() && !text.is_empty() {
                let key = key.to_ascii_lowercase().replace("__", ".");
                let value = Sourced::new(text.as_str().into(), Source::Env(name.clone()));
                self.add(Layer::Env, &key, value);
            }
        }
        self
    }

    /// Adds the settings of the project's file, from `entries()` of its section.
    #[must_use]
    pub fn with_project(self, entries: BTreeMap<String, Sourced<SettingValue>>) -> Self {
        self.with_file(Layer::ProjectFile, entries)
    }

    /// Adds the settings of the user's own file, from `entries()` of its section.
    #[must_use]
    pub fn with_user(self, entries: BTreeMap<String, Sourced<SettingValue>>) -> Self {
        self.with_file(Layer::UserFile, entries)
    }

    /// Adds the values of the preset of this name.
    #[must_use]
    pub fn with_preset<K, V>(mut self, name: &str, values: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: AsRef<str>,
        V: Into<SettingValue>,
    {
        for (key, value) in values {
            let source = Source::Preset(name.to_owned());
            self.add(
                Layer::Preset,
                key.as_ref(),
                Sourced::new(value.into(), source),
            );
        }
        self
    }

    /// Adds the built-in values.
    #[must_use]
    pub fn with_defaults<K, V>(mut self, values: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: AsRef<str>,
        V: Into<SettingValue>,
    {
        for (key, value) in values {
            self.add(
                Layer::Default,
                key.as_ref(),
                Sourced::new(value.into(), Source::Default),
            );
        }
        self
    }

    /// The value that wins, if any layer has one.
    pub fn get(&self, key: &str) -> Option<&Sourced<SettingValue>> {
        self.settings.get(key)?.values().next()
    }

    /// All values of a key, the winner first.
    pub fn candidates(&self, key: &str) -> impl Iterator<Item = &Sourced<SettingValue>> {
        self.settings
            .get(key)
            .into_iter()
            .flat_map(BTreeMap::values)
    }

    /// Every key with the value that wins.
    pub fn merged(&self) -> BTreeMap<String, Sourced<SettingValue>> {
        self.settings
            .iter()
            .filter_map(|(key, layers)| Some((key.clone(), layers.values().next()?.clone())))
            .collect()
    }

    fn with_file(mut self, layer: Layer, entries: BTreeMap<String, Sourced<SettingValue>>) -> Self {
        for (key, value) in entries {
            self.add(layer, &key, value);
        }
        self
    }

    fn add(&mut self, layer: Layer, key: &str, value: Sourced<SettingValue>) {
        let layers = self.settings.entry(key.to_owned()).or_default();
        layers.insert(layer, value);
    }
}

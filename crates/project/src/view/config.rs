//! What a sidecar says about its view.

use std::collections::BTreeMap;
use std::fmt;

use codeanatomy_vocab::{Error, Location, Result};

use super::layout::{LAYOUT_KEYS, LayoutSection};
use crate::codes;
use crate::contract::{ContractSection, distinct_columns};
use crate::source::SettingValue;
use crate::toml::{Entry, Findings, Section};

const KEYS: [&str; 12] = [
    "cache",
    "location",
    "partition_by",
    "target_file_size",
    "statistics_columns",
    "z_order_by",
    "properties",
    "description",
    "tags",
    "contract",
    "ids",
    "params",
];
const PARAM_KEYS: [&str; 2] = ["type", "default"];
const DEFAULTS_KEYS: [&str; 1] = ["cache"];

/// Keys of a sidecar that say something about the output alone.
const OUTPUT_KEYS: [&str; 3] = ["location", "partition_by", "ids"];

/// What becomes of a view's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum CachePolicy {
    /// They are computed wherever they are needed.
    #[default]
    None,
    /// They are kept in memory for the run. Not in this version: no loaded project has it.
    Memory,
    /// They are kept in a Delta table that may be thrown away. Not in this version: no loaded
    /// project has it.
    DeltaStaging,
    /// They are written to a Delta table that is there to be read.
    DeltaOutput,
}

/// What a sidecar says about its view, with the project's defaults where it says nothing.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ViewConfig {
    /// What becomes of the view's rows.
    pub cache: CachePolicy,
    /// Where the output goes, as it is written; `<output>/<view name>` when absent. Only ever set
    /// for [`CachePolicy::DeltaOutput`].
    pub location: Option<String>,
    /// The columns by which the output is partitioned, in order, no name twice. Only ever set for
    /// [`CachePolicy::DeltaOutput`].
    pub partition_by: Vec<String>,
    /// How the output is laid out besides. Only ever set for [`CachePolicy::DeltaOutput`].
    pub layout: LayoutSection,
    /// What the view is for.
    pub description: Option<String>,
    /// Words to find it by, in the order written.
    pub tags: Vec<String>,
    /// The contract, if one is declared.
    pub contract: Option<ContractSection>,
    /// Columns that hold ids, each with what it identifies.
    pub ids: BTreeMap<String, String>,
    /// Parameters by their names, which SQL writes as `$name`.
    pub params: BTreeMap<String, ParamConfig>,
    /// Where each key stands that the sidecar has: `cache`, `location`, `partition_by`,
    /// `partition_by.<column>`, `description`, `tags`, `contract`, `ids`, `ids.<column>`, `params`,
    /// `params.<name>`.
    pub locations: BTreeMap<String, Location>,
}

/// One parameter of a view.
#[derive(Debug, Clone, PartialEq)]
pub struct ParamConfig {
    /// The name of its type.
    pub type_name: String,
    /// The value when none is given; dates and times as text.
    pub default: Option<SettingValue>,
    /// Where the parameter is written.
    pub declared_at: Location,
}

/// The section `[defaults]`: what holds for views that say nothing else.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Defaults {
    pub(crate) cache: CachePolicy,
}

impl CachePolicy {
    /// The policies with their names.
    pub const ALL: [(&'static str, Self); 4] = [
        ("none", Self::None),
        ("memory", Self::Memory),
        ("delta_staging", Self::DeltaStaging),
        ("delta_output", Self::DeltaOutput),
    ];

    /// The name as it is written in a file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Memory => "memory",
            Self::DeltaStaging => "delta_staging",
            Self::DeltaOutput => "delta_output",
        }
    }
}

impl fmt::Display for CachePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Defaults {
    pub(crate) fn read(parent: &Section<'_>, findings: &mut Findings) -> Self {
        let section = parent
            .get("defaults")
            .and_then(|entry| findings.take(entry.section()));
        let Some(section) = section else {
            return Self::default();
        };
        section.check_keys(&DEFAULTS_KEYS, findings);
        let cache = section
            .get("cache")
            .and_then(|entry| findings.take(cache_policy(&entry)));
        Self {
            cache: cache.unwrap_or_default(),
        }
    }
}

impl ViewConfig {
    /// The settings of a view without a sidecar.
    pub(crate) fn of_defaults(defaults: Defaults) -> Self {
        Self {
            cache: defaults.cache,
            ..Self::default()
        }
    }

    pub(crate) fn read(section: &Section<'_>, defaults: Defaults, findings: &mut Findings) -> Self {
        section.check_keys(&KEYS, findings);
        let mut config = Self::of_defaults(defaults);
        let cache = section.get("cache");
        let known_cache = match &cache {
            Some(entry) => findings.take(cache_policy(entry)),
            None => Some(defaults.cache),
        };
        config.cache = known_cache.unwrap_or_default();
        if known_cache.is_some_and(|cache| cache != CachePolicy::DeltaOutput) {
            refuse_output_keys(section, findings);
        }
        config.location = section
            .get("location")
            .and_then(|entry| findings.take(entry.filled_text()));
        if let Some(entry) = section.get("partition_by") {
            for (name, at) in distinct_columns(&entry, findings) {
                config.locations.insert(format!("partition_by.{name}"), at);
                config.partition_by.push(name);
            }
        }
        config.layout = LayoutSection::read(section, findings);
        config.description = section
            .get("description")
            .and_then(|entry| findings.take(entry.text()));
        if let Some(entry) = section.get("tags") {
            let tags = entry.texts(findings);
            config.tags = tags.into_iter().map(|(tag, _)| tag).collect();
        }
        config.contract = ContractSection::read(section, findings);
        if let Some(entry) = section.get("ids") {
            config.read_ids(&entry, findings);
        }
        if let Some(entry) = section.get("params") {
            config.read_params(&entry, findings);
        }
        for entry in section.entries() {
            let place = (entry.key().to_owned(), entry.at());
            config.locations.extend([place]);
        }
        config
    }

    fn read_ids(&mut self, entry: &Entry<'_>, findings: &mut Findings) {
        let section = entry
            .section()
            .map_err(|error| error.with_help("write `{ order_id = \"order\" }`"));
        let Some(section) = findings.take(section) else {
            return;
        };
        for entry in section.entries() {
            if let Some(kind) = findings.take(entry.filled_text()) {
                let name = entry.key().to_owned();
                let place = (format!("ids.{name}"), entry.key_at());
                self.locations.extend([place]);
                self.ids.insert(name, kind);
            }
        }
    }

    fn read_params(&mut self, entry: &Entry<'_>, findings: &mut Findings) {
        let Some(section) = findings.take(entry.section()) else {
            return;
        };
        for entry in section.entries() {
            let Some(param) = read_param(&entry, findings) else {
                continue;
            };
            let name = entry.key().to_owned();
            self.locations
                .insert(format!("params.{name}"), param.declared_at.clone());
            self.params.insert(name, param);
        }
    }
}

fn cache_policy(entry: &Entry<'_>) -> Result<CachePolicy> {
    let cache = entry.choice(&CachePolicy::ALL)?;
    match cache {
        CachePolicy::None | CachePolicy::DeltaOutput => Ok(cache),
        CachePolicy::Memory | CachePolicy::DeltaStaging => Err(Error::new(
            codes::NOT_IN_THIS_VERSION,
            format!("the cache policy `{cache}` is not available in this version"),
        )
        .at(entry.at())
        .with_help("write `none` or `delta_output`")),
    }
}

fn refuse_output_keys(section: &Section<'_>, findings: &mut Findings) {
    let keys = OUTPUT_KEYS.iter().chain(&LAYOUT_KEYS);
    for entry in keys.filter_map(|key| section.get(key)) {
        findings.push(
            Error::new(
                codes::CONFLICTING_KEYS,
                format!(
                    "`{}` has no meaning: the view writes no output",
                    entry.key()
                ),
            )
            .at(entry.key_at())
            .with_help(format!(
                "add `cache = \"delta_output\"`, or remove `{}`",
                entry.key()
            )),
        );
    }
}

fn read_param(entry: &Entry<'_>, findings: &mut Findings) -> Option<ParamConfig> {
    let name = entry.key();
    let mut letters = name.chars();
    let begins_well = letters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if !begins_well || !letters.all(|c| c.is_ascii_alphanumeric() || c == '_') {
        findings.push(
            Error::new(
                codes::INVALID_VALUE,
                format!("{name:?} is not the name of a parameter"),
            )
            .at(entry.key_at())
            .with_help("use ASCII letters, digits and `_`, starting with a letter or `_`"),
        );
    }
    let section = findings.take(entry.section().map_err(|error| {
        error.with_help("write `{ type = \"Date32\", default = \"2026-01-01\" }`")
    }))?;
    section.check_keys(&PARAM_KEYS, findings);
    let default = section.get("default").and_then(|entry| {
        let datetime = entry.text_or_datetime().map(SettingValue::Text);
        findings.take(datetime.or_else(|_| entry.scalar()))
    });
    let Some(type_entry) = section.get("type") else {
        findings.push(
            Error::new(
                codes::MISSING_KEY,
                format!("the parameter `{name}` has no `type`"),
            )
            .at(section.at().clone())
            .with_help("add `type = \"Utf8\"` or the type that it has"),
        );
        return None;
    };
    Some(ParamConfig {
        type_name: findings.take(type_entry.filled_text())?,
        default,
        declared_at: section.at().clone(),
    })
}

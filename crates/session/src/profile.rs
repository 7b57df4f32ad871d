//! A runtime profile: every setting of a session as data.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use codeanatomy_vocab::{Error, Result};
use serde::{Deserialize, Serialize};

use crate::codes::{BAD_VALUE, ENGINE_VERSION};
use crate::keys::{self, PINNED};
use crate::units::{parse_bytes, parse_duration};
use crate::{Preset, ProfileBuilder, Session, Setting, SettingClass, SettingSource, classify};

/// Every setting of a session, each with its source. Pure data: it holds no handle and no secret.
///
/// Equal profiles make equal sessions. It serializes with a `format_version` and the engine's
/// version, so that a recorded profile is never taken for one of another engine.
///
/// # Example: what would this session do, and why?
///
/// ```
/// use codeanatomy_session::{Machine, Preset, RuntimeProfile, SettingSource};
///
/// let machine = Machine { cores: 8, memory_bytes: 64 << 30 };
/// let mut builder = RuntimeProfile::preset(Preset::Default);
/// let flag = SettingSource::Flag { flag: "--memory-limit".to_owned() };
/// builder.set("memory_limit", "4GiB", flag)?;
/// let (profile, notices) = builder.build(machine)?;
///
/// assert!(notices.is_empty());
/// let setting = profile.setting("memory_limit")?;
/// assert_eq!(setting.key, "datafusion.runtime.memory_limit");
/// assert_eq!(setting.value, "4GiB");
/// assert_eq!(setting.source.to_string(), "flag --memory-limit");
/// # Ok::<(), codeanatomy_vocab::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Recorded", into = "Recorded")]
pub struct RuntimeProfile {
    preset: Preset,
    engine_version: String,
    values: BTreeMap<String, Value>,
    limits: Limits,
}

/// A setting that has another value in another profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingChange {
    /// The full key.
    pub key: String,
    /// What another value of it can change.
    pub class: SettingClass,
    /// The value before and its source; none where it had no value.
    pub before: Option<(String, SettingSource)>,
    /// The value after and its source; none where it has no value.
    pub after: Option<(String, SettingSource)>,
}

/// How the memory of a session is shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MemoryPoolKind {
    /// `fair_spill`: operators that can spill get equal shares, so that none of the views that run
    /// at once starves the others.
    #[default]
    FairSpill,
    /// `greedy`: first come, first served; less spilling when one query runs at a time.
    Greedy,
}

/// What a session gets of the function library, as its settings say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UdfSettings {
    /// Whether functions are registered at all.
    pub enable_udfs: bool,
    /// Whether functions that wait for something outside of the engine are.
    pub enable_async_udfs: bool,
    /// How long one call of such a function may take, in milliseconds.
    pub async_udf_timeout_ms: u64,
    /// How many rows one call of such a function gets, at most.
    pub async_udf_batch_size: usize,
    /// Whether `CREATE FUNCTION` makes macros.
    pub enable_function_factory: bool,
    /// Whether named expression planners take part in planning.
    pub enable_expr_planners: bool,
    /// Which of them; all that are known where it is empty.
    pub expr_planner_names: Vec<String>,
    /// Whether two functions of one name are an error. If not, it is a notice.
    pub strict: bool,
}

/// The value of one setting and its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Value {
    pub(crate) value: Option<String>,
    pub(crate) source: SettingSource,
}

/// The values that this program itself works with, read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) memory_bytes: u64,
    pub(crate) memory_pool: MemoryPoolKind,
    pub(crate) spill_bytes: u64,
    pub(crate) spill_merge_fan_in: usize,
    pub(crate) metadata_cache_bytes: u64,
    pub(crate) list_files_cache_bytes: u64,
    pub(crate) list_files_cache_ttl: Option<Duration>,
    pub(crate) file_statistics_cache_bytes: u64,
    target_partitions: usize,
    planning_concurrency: usize,
    concurrency: usize,
    batch_size: usize,
    meta_fetch_concurrency: usize,
    collect_statistics: bool,
    deterministic: bool,
}

/// The form in which a profile is stored.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recorded {
    format_version: u32,
    engine_version: String,
    preset: Preset,
    settings: BTreeMap<String, Value>,
}

const FORMAT_VERSION: u32 = 1;

impl RuntimeProfile {
    /// Starts a profile from a preset.
    pub fn preset(preset: Preset) -> ProfileBuilder {
        ProfileBuilder::new(preset)
    }

    pub(crate) fn new(preset: Preset, values: BTreeMap<String, Value>) -> Result<Self> {
        let limits = Limits::read(&values)?;
        Ok(Self {
            preset,
            engine_version: Session::engine_version().to_owned(),
            values,
            limits,
        })
    }

    /// All settings, sorted by key: those of the engine's planner and runtime, and `session.*`.
    ///
    /// A key and value of this list can be given to [`ProfileBuilder::set`], except where the value
    /// is [`Setting::UNSET`].
    pub fn settings_payload(&self) -> Vec<Setting> {
        self.values
            .iter()
            .map(|(key, value)| value.setting(key))
            .collect()
    }

    /// One setting, by its short or full key.
    ///
    /// # Errors
    ///
    /// `CA-SESSION-0001` with the nearest key when there is no such setting.
    pub fn setting(&self, key: &str) -> Result<Setting> {
        let full = keys::resolve(key)?;
        self.values
            .get(full)
            .map(|value| value.setting(full))
            .ok_or_else(|| missing(full))
    }

    /// The settings that can change what a query answers, by full key; those without a value are
    /// left out.
    ///
    /// For a result key: equal maps (and an equal engine) mean that equal plans over equal inputs
    /// define equal rows.
    pub fn semantic_settings(&self) -> BTreeMap<String, String> {
        self.settings_of(&[SettingClass::Semantic])
    }

    /// The settings that can change what a query answers, or the order and last digits of it, by
    /// full key; those without a value are left out.
    ///
    /// For a plan fingerprint. A value that was fitted to the machine counts as what was asked for,
    /// so that equal configurations have equal maps on every machine. Folders are not among them.
    pub fn identity_settings(&self) -> BTreeMap<String, String> {
        self.settings_of(&[SettingClass::Semantic, SettingClass::Determinism])
    }

    /// The settings whose values differ between `self` and `after`, sorted by key.
    ///
    /// Values that were fitted to the machine count as what was asked for, as they do in
    /// identities.
    pub fn changes(&self, after: &Self) -> Vec<SettingChange> {
        let keys: BTreeSet<&String> = self.values.keys().chain(after.values.keys()).collect();
        let side = |value: Option<&Value>| {
            let value = value?;
            Some((value.asked()?.to_owned(), value.source.clone()))
        };
        keys.into_iter()
            .filter_map(|key| {
                let before = side(self.values.get(key));
                let after = side(after.values.get(key));
                let text = |side: &Option<(String, SettingSource)>| {
                    side.as_ref().map(|(value, _)| value.clone())
                };
                (text(&before) != text(&after)).then(|| SettingChange {
                    key: key.clone(),
                    class: class_of(key),
                    before,
                    after,
                })
            })
            .collect()
    }

    /// This profile with the values that `other` has for `keys`, for the engine of this profile.
    ///
    /// # Errors
    ///
    /// `CA-SESSION-0002` when a setting that this program needs would be without a value.
    pub fn with_values_of<'a>(
        &self,
        other: &Self,
        keys: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self> {
        let mut values = self.values.clone();
        for key in keys {
            match other.values.get(key) {
                Some(value) => values.insert(key.to_owned(), value.clone()),
                None => values.remove(key),
            };
        }
        Ok(Self {
            limits: Limits::read(&values)?,
            values,
            ..self.clone()
        })
    }

    /// This profile under the name of the preset that `other` starts from; no value changes.
    #[must_use]
    pub fn with_preset_of(&self, other: &Self) -> Self {
        Self {
            preset: other.preset,
            ..self.clone()
        }
    }

    /// The preset that the profile starts from.
    pub fn base_preset(&self) -> Preset {
        self.preset
    }

    /// The version of the engine that the settings are for.
    pub fn engine_version(&self) -> &str {
        &self.engine_version
    }

    /// The size of the memory pool, in bytes. The pool counts what operators reserve; the process
    /// needs more than that.
    pub fn memory_limit_bytes(&self) -> u64 {
        self.limits.memory_bytes
    }

    /// How the memory is shared out.
    pub fn memory_pool(&self) -> MemoryPoolKind {
        self.limits.memory_pool
    }

    /// The partitions of a query, at least 1.
    pub fn target_partitions(&self) -> usize {
        self.limits.target_partitions
    }

    /// The views that run at once, at most; at least 1.
    pub fn concurrency(&self) -> usize {
        self.limits.concurrency
    }

    /// The tasks that plan the inputs of one query side by side, at least 1.
    pub fn planning_concurrency(&self) -> usize {
        self.limits.planning_concurrency
    }

    /// The rows of a batch, at most; at least 1.
    pub fn batch_size(&self) -> usize {
        self.limits.batch_size
    }

    /// The files whose schema or statistics are read at once, at least 1.
    pub fn meta_fetch_concurrency(&self) -> usize {
        self.limits.meta_fetch_concurrency
    }

    /// Whether statistics are read when a table is opened.
    pub fn collect_statistics(&self) -> bool {
        self.limits.collect_statistics
    }

    /// Whether the same plan over the same files takes the same steps each time.
    pub fn is_deterministic(&self) -> bool {
        self.limits.deterministic
    }

    /// What the session gets of the function library.
    pub fn udf_settings(&self) -> UdfSettings {
        // A profile that was recorded before there were these settings lacks them.
        let text = |key: &str| {
            let default = || keys::ENGINE_DEFAULTS.get(key)?.as_deref();
            self.text(key).or_else(default).unwrap_or_default()
        };
        let switch = |key: &str| text(key) == "true";
        UdfSettings {
            enable_udfs: switch(keys::ENABLE_UDFS),
            enable_async_udfs: switch(keys::ENABLE_ASYNC_UDFS),
            async_udf_timeout_ms: text(keys::ASYNC_UDF_TIMEOUT).parse().unwrap_or(1),
            async_udf_batch_size: text(keys::ASYNC_UDF_BATCH_SIZE).parse().unwrap_or(1),
            enable_function_factory: switch(keys::ENABLE_FUNCTION_FACTORY),
            enable_expr_planners: switch(keys::ENABLE_EXPR_PLANNERS),
            expr_planner_names: text(keys::EXPR_PLANNER_NAMES)
                .split(',')
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
            strict: switch(keys::STRICT_UDFS),
        }
    }

    /// The folder for spill files; `None` means the system's folder for temporary files.
    pub fn spill_dir(&self) -> Option<&Path> {
        self.text(keys::SPILL_DIR).map(Path::new)
    }

    /// The bytes that spill files may take up at once.
    pub fn spill_limit_bytes(&self) -> u64 {
        self.limits.spill_bytes
    }

    /// The time zone that dates of the run are taken in.
    pub fn time_zone(&self) -> &str {
        self.text(keys::TIME_ZONE).unwrap_or("+00:00")
    }

    pub(crate) fn values(&self) -> &BTreeMap<String, Value> {
        &self.values
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.values.get(key)?.value.as_deref()
    }

    fn settings_of(&self, classes: &[SettingClass]) -> BTreeMap<String, String> {
        self.values
            .iter()
            .filter(|(key, _)| classes.contains(&class_of(key)))
            .filter_map(|(key, value)| Some((key.clone(), value.asked()?.to_owned())))
            .collect()
    }
}

/// The defaults that every profile sets in the engine's place: key, value and reason, sorted by key.
pub fn pinned_settings() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    PINNED.iter().copied()
}

impl MemoryPoolKind {
    pub(crate) const NAMES: &'static [&'static str] = &["fair_spill", "greedy"];

    /// The name that users write.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FairSpill => "fair_spill",
            Self::Greedy => "greedy",
        }
    }
}

impl Value {
    pub(crate) fn new(value: String, source: SettingSource) -> Self {
        Self {
            value: Some(value),
            source,
        }
    }

    pub(crate) fn count(&self) -> Option<usize> {
        self.value.as_deref()?.parse().ok()
    }

    pub(crate) fn bytes(&self) -> Option<u64> {
        parse_bytes(self.value.as_deref()?)
    }

    /// The value before it was fitted to a machine.
    pub(crate) fn asked(&self) -> Option<&str> {
        self.source.asked().or(self.value.as_deref())
    }

    /// Replaces what a preset asked for by what the machine has.
    pub(crate) fn lower(&mut self, preset: Preset, value: String) {
        let asked = self.value.take().unwrap_or_default();
        *self = Self::new(value, SettingSource::Machine { preset, asked });
    }

    fn setting(&self, key: &str) -> Setting {
        Setting {
            key: key.to_owned(),
            value: self
                .value
                .clone()
                .unwrap_or_else(|| Setting::UNSET.to_owned()),
            source: self.source.clone(),
            class: class_of(key),
        }
    }
}

impl Limits {
    fn read(values: &BTreeMap<String, Value>) -> Result<Self> {
        let text = |key: &'static str| {
            values
                .get(key)
                .and_then(|value| value.value.as_deref())
                .ok_or_else(|| missing(key))
        };
        let bytes = |key| parse_bytes(text(key)?).ok_or_else(|| unreadable(key));
        let count = |key| text(key)?.parse::<usize>().map_err(|_| unreadable(key));
        let switch = |key| text(key)?.parse::<bool>().map_err(|_| unreadable(key));
        Ok(Self {
            memory_bytes: bytes(keys::MEMORY_LIMIT)?,
            memory_pool: match text(keys::MEMORY_POOL)? {
                "fair_spill" => MemoryPoolKind::FairSpill,
                "greedy" => MemoryPoolKind::Greedy,
                _ => return Err(unreadable(keys::MEMORY_POOL)),
            },
            spill_bytes: bytes(keys::SPILL_LIMIT)?,
            spill_merge_fan_in: count(keys::SPILL_FAN_IN)?,
            metadata_cache_bytes: bytes(keys::METADATA_CACHE)?,
            list_files_cache_bytes: bytes(keys::LIST_FILES_CACHE)?,
            list_files_cache_ttl: parse_duration(text(keys::LIST_FILES_TTL)?)
                .ok_or_else(|| unreadable(keys::LIST_FILES_TTL))?,
            file_statistics_cache_bytes: bytes(keys::FILE_STATISTICS_CACHE)?,
            target_partitions: count(keys::TARGET_PARTITIONS)?.max(1),
            planning_concurrency: count(keys::PLANNING_CONCURRENCY)?.max(1),
            concurrency: count(keys::CONCURRENCY)?.max(1),
            batch_size: count(keys::BATCH_SIZE)?.max(1),
            meta_fetch_concurrency: count(keys::META_FETCH_CONCURRENCY)?.max(1),
            collect_statistics: switch(keys::COLLECT_STATISTICS)?,
            deterministic: switch(keys::DETERMINISTIC)?,
        })
    }
}

impl From<RuntimeProfile> for Recorded {
    fn from(profile: RuntimeProfile) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            engine_version: profile.engine_version,
            preset: profile.preset,
            settings: profile.values,
        }
    }
}

impl TryFrom<Recorded> for RuntimeProfile {
    type Error = Error;

    fn try_from(recorded: Recorded) -> Result<Self> {
        if recorded.format_version != FORMAT_VERSION {
            let message = format!(
                "the profile has format {}, this version reads {FORMAT_VERSION}",
                recorded.format_version
            );
            return Err(Error::new(ENGINE_VERSION, message)
                .with_help("use the version of the program that recorded it"));
        }
        let limits = Limits::read(&recorded.settings)?;
        Ok(Self {
            preset: recorded.preset,
            engine_version: recorded.engine_version,
            values: recorded.settings,
            limits,
        })
    }
}

/// A setting that is not in the table cannot be in a profile of this engine; in one of another
/// engine, it is in doubt.
fn class_of(key: &str) -> SettingClass {
    classify(key).unwrap_or(SettingClass::Semantic)
}

fn missing(key: &str) -> Error {
    Error::new(BAD_VALUE, format!("the profile has no value of `{key}`"))
        .with("key", key)
        .with_help("make the profile anew from its preset")
}

fn unreadable(key: &str) -> Error {
    Error::new(
        BAD_VALUE,
        format!("the profile's value of `{key}` cannot be read"),
    )
    .with("key", key)
    .with_help("make the profile anew from its preset")
}

//! From a preset and overrides to a profile that fits a machine.

use std::collections::BTreeMap;
use std::fmt;

use codeanatomy_vocab::{Error, Result};
use serde::Serialize;

use crate::codes::NOT_ALLOWED;
use crate::keys::{self, ENGINE_DEFAULTS, PINNED};
use crate::profile::Value;
use crate::units::{KIB, MIB, approximate_bytes, format_bytes, parse_bytes};
use crate::{Machine, Preset, RuntimeProfile, SettingSource};

/// Collects overrides on top of a preset.
///
/// Calls to [`set`](Self::set) follow each other from the weakest source to the strongest: a later
/// value of the same setting replaces an earlier one, whichever of its keys is used.
#[derive(Debug, Clone)]
pub struct ProfileBuilder {
    preset: Preset,
    chosen: BTreeMap<&'static str, Value>,
}

/// Something about a profile that its owner should know, though it is no error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// The full key of the setting that it is about.
    pub key: String,
    /// What was found and done, in lower case and without a final dot.
    pub message: String,
    /// What can be done about it, in one line.
    pub help: String,
}

/// The share of the machine's memory that a memory limit should not exceed, in percent. The limit
/// covers only what operators account for; decoding, buffers and the caches come on top.
const MEMORY_SHARE_PERCENT: u128 = 60;

/// The memory that a merge of spilled rows takes for each file that it reads: about two batches of
/// narrow rows.
const MERGE_BYTES_PER_FILE: u64 = 256 * KIB;

/// Settings that make a query do the same steps in the same order each time.
const DETERMINISTIC_SETTINGS: &[(&str, &str)] = &[
    (keys::TARGET_PARTITIONS, "1"),
    (keys::PLANNING_CONCURRENCY, "1"),
    (
        "datafusion.execution.enable_file_stream_work_stealing",
        "false",
    ),
    (keys::DYNAMIC_FILTERS, "false"),
    (keys::JOIN_DYNAMIC_FILTERS, "false"),
    (keys::TOPK_DYNAMIC_FILTERS, "false"),
    (
        "datafusion.optimizer.enable_round_robin_repartition",
        "false",
    ),
    (keys::REPARTITION_FILE_SCANS, "false"),
];

impl ProfileBuilder {
    pub(crate) fn new(preset: Preset) -> Self {
        Self {
            preset,
            chosen: BTreeMap::new(),
        }
    }

    /// Overrides one setting, by its short key (`memory_limit`) or its full one
    /// (`datafusion.runtime.memory_limit`).
    ///
    /// A call that fails changes nothing, so a caller can go on and report all errors at once.
    ///
    /// # Errors
    ///
    /// - `CA-SESSION-0001`: there is no such setting; the nearest key is named.
    /// - `CA-SESSION-0002`: the value is not one that the setting can take; says what is expected.
    /// - `CA-SESSION-0003`: the setting cannot be changed, because answers would be wrong or inputs
    ///   not pinned.
    ///
    /// # Example: what happens with a misspelt key?
    ///
    /// ```
    /// use codeanatomy_session::{Preset, RuntimeProfile, SettingSource};
    ///
    /// let mut builder = RuntimeProfile::preset(Preset::Dev);
    /// let error = builder
    ///     .set("memroy_limit", "2GiB", SettingSource::Caller)
    ///     .unwrap_err();
    /// assert_eq!(error.code().id(), "CA-SESSION-0001");
    /// assert_eq!(error.nearest(), Some("memory_limit"));
    /// ```
    pub fn set(&mut self, key: &str, value: &str, source: SettingSource) -> Result<()> {
        let full = match key {
            "preset" => keys::PRESET,
            key => keys::resolve(key)?,
        };
        if full == keys::PRESET {
            return self.same_preset(value);
        }
        let value = keys::canonical(full, value)?;
        if full == keys::DYNAMIC_FILTERS {
            // The engine lets this key switch all kinds at once. The kind for aggregates stays off.
            for kind in [keys::JOIN_DYNAMIC_FILTERS, keys::TOPK_DYNAMIC_FILTERS] {
                self.chosen
                    .insert(kind, Value::new(value.clone(), source.clone()));
            }
        }
        self.chosen.insert(full, Value::new(value, source));
        Ok(())
    }

    /// Fits the settings to a machine.
    ///
    /// What a *preset* asks for beyond the machine is lowered, with a notice: partitions and
    /// concurrency to the number of cores, the memory limit to 60 % of the memory. What a *person*
    /// asked for stays, with a notice. Where the memory limit is small, the memory that each sort
    /// keeps back for merging, and the files it merges at once, are lowered so that sorts can still
    /// spill.
    ///
    /// `deterministic` sets the partitions to 1 and turns off what lets partitions race, so that
    /// the same plan over the same files takes the same steps.
    ///
    /// # Errors
    ///
    /// `CA-SESSION-0003` when `deterministic` is on and an override contradicts it.
    ///
    /// # Example: what does a preset become on a laptop?
    ///
    /// ```
    /// use codeanatomy_session::{Machine, Preset, RuntimeProfile};
    ///
    /// let laptop = Machine { cores: 4, memory_bytes: 8 << 30 };
    /// let (profile, notices) = RuntimeProfile::preset(Preset::Default).build(laptop)?;
    /// assert_eq!(profile.target_partitions(), 4);
    /// assert!(profile.memory_limit_bytes() < 5 << 30);
    /// assert_eq!(notices.len(), 2);
    /// # Ok::<(), codeanatomy_vocab::Error>(())
    /// ```
    pub fn build(self, machine: Machine) -> Result<(RuntimeProfile, Vec<Notice>)> {
        let mut notices = Vec::new();
        let mut values = self.defaults();
        let deterministic = self.expand_deterministic(&mut values)?;
        values.extend(
            self.chosen
                .iter()
                .map(|(key, value)| ((*key).to_owned(), value.clone())),
        );
        self.fit_parallelism(&mut values, machine, deterministic, &mut notices);
        self.fit_memory(&mut values, machine, &mut notices);
        self.derive_sort_memory(&mut values);
        let profile = RuntimeProfile::new(self.preset, values)?;
        Ok((profile, notices))
    }

    fn same_preset(&self, value: &str) -> Result<()> {
        let preset: Preset = value.trim().parse()?;
        if preset == self.preset {
            return Ok(());
        }
        let message = format!(
            "the preset is `{}` and cannot become `{preset}` after other settings were made",
            self.preset
        );
        Err(Error::new(NOT_ALLOWED, message)
            .with("key", keys::PRESET)
            .with_help("choose the preset first"))
    }

    fn defaults(&self) -> BTreeMap<String, Value> {
        let preset = |value: String| {
            let preset = self.preset;
            Value::new(value, SettingSource::Preset { preset })
        };
        let concurrency = self.preset.concurrency().to_string();
        let mut values: BTreeMap<String, Value> = ENGINE_DEFAULTS
            .iter()
            .map(|(key, value)| {
                let source = if key.starts_with(keys::SESSION_PREFIX) {
                    SettingSource::Pinned
                } else {
                    SettingSource::EngineDefault
                };
                let value = value.clone();
                (key.clone(), Value { value, source })
            })
            .collect();
        values.extend(PINNED.iter().map(|(key, value, _)| {
            let value = Value::new((*value).to_owned(), SettingSource::Pinned);
            ((*key).to_owned(), value)
        }));
        values.extend(
            [
                (keys::PRESET, self.preset.name().to_owned()),
                (
                    keys::MEMORY_LIMIT,
                    format_bytes(self.preset.memory_limit_bytes()),
                ),
                (keys::CONCURRENCY, concurrency.clone()),
                (keys::TARGET_PARTITIONS, concurrency.clone()),
                (keys::PLANNING_CONCURRENCY, concurrency),
            ]
            .map(|(key, value)| (key.to_owned(), preset(value))),
        );
        values
    }

    /// Lays the settings of `deterministic` under the overrides, and tells whether it is on.
    fn expand_deterministic(&self, values: &mut BTreeMap<String, Value>) -> Result<bool> {
        let on = self
            .chosen
            .get(keys::DETERMINISTIC)
            .is_some_and(|value| value.value.as_deref() == Some("true"));
        if !on {
            return Ok(false);
        }
        for (key, value) in DETERMINISTIC_SETTINGS {
            if let Some(chosen) = self.chosen.get(key)
                && chosen.value.as_deref() != Some(value)
            {
                let key = keys::display(key);
                let asked = chosen.value.as_deref().unwrap_or_default();
                let message = format!(
                    "`deterministic` needs `{key}` to be `{value}`, but {} sets it to `{asked}`",
                    chosen.source
                );
                return Err(Error::new(NOT_ALLOWED, message)
                    .with("key", key)
                    .with_help(format!("remove `{key}` or `deterministic`")));
            }
            let source = SettingSource::Derived {
                from: "deterministic".to_owned(),
                asked: (*value).to_owned(),
            };
            values.insert((*key).to_owned(), Value::new((*value).to_owned(), source));
        }
        Ok(true)
    }

    fn fit_parallelism(
        &self,
        values: &mut BTreeMap<String, Value>,
        machine: Machine,
        deterministic: bool,
        notices: &mut Vec<Notice>,
    ) {
        let cores = machine.cores.max(1);
        let mut lowered = false;
        let noticed = [
            keys::TARGET_PARTITIONS,
            keys::CONCURRENCY,
            keys::PLANNING_CONCURRENCY,
        ];
        for key in noticed {
            let Some(value) = values.get_mut(key) else {
                continue;
            };
            let Some(asked) = value.count().filter(|asked| *asked > cores) else {
                continue;
            };
            if value.source.is_explicit() {
                if key == keys::TARGET_PARTITIONS {
                    notices.push(Notice {
                        key: key.to_owned(),
                        message: format!(
                            "{} asks for {asked} partitions on {}: more than can run at once",
                            value.source,
                            count_of(cores, "core")
                        ),
                        help: format!("set `target_partitions` to {cores} or fewer"),
                    });
                }
                continue;
            }
            lowered |= key != keys::PLANNING_CONCURRENCY;
            value.lower(self.preset, cores.to_string());
        }
        if lowered {
            let asked = self.preset.concurrency();
            let what = if deterministic {
                "concurrency"
            } else {
                "concurrency and partitions"
            };
            notices.push(Notice {
                key: keys::CONCURRENCY.to_owned(),
                message: format!(
                    "preset `{}` asks for {what} of {asked}, this machine has {}: using {cores}",
                    self.preset,
                    count_of(cores, "core")
                ),
                help: "set `concurrency` and `target_partitions` to choose them yourself"
                    .to_owned(),
            });
        }
    }

    fn fit_memory(
        &self,
        values: &mut BTreeMap<String, Value>,
        machine: Machine,
        notices: &mut Vec<Notice>,
    ) {
        let share = u128::from(machine.memory_bytes) * MEMORY_SHARE_PERCENT / 100;
        let share = u64::try_from(share).unwrap_or(u64::MAX).max(MIB);
        let Some(value) = values.get_mut(keys::MEMORY_LIMIT) else {
            return;
        };
        let Some(asked) = value.bytes().filter(|asked| *asked > share) else {
            return;
        };
        let memory = approximate_bytes(machine.memory_bytes);
        // Whole MiB read better, and no one misses the rest.
        let fitting = format_bytes(share / MIB * MIB);
        let (message, help) = if value.source.is_explicit() {
            (
                format!(
                    "{} sets a memory limit of {}, more than {MEMORY_SHARE_PERCENT} % of this \
                     machine's {memory}: the system may end the program before the limit is reached",
                    value.source,
                    format_bytes(asked)
                ),
                format!("set `memory_limit` to {fitting} or less"),
            )
        } else {
            value.lower(self.preset, fitting.clone());
            (
                format!(
                    "preset `{}` asks for a memory limit of {}, more than {MEMORY_SHARE_PERCENT} % \
                     of this machine's {memory}: using {fitting}",
                    self.preset,
                    format_bytes(asked)
                ),
                "set `memory_limit` to choose it yourself".to_owned(),
            )
        };
        notices.push(Notice {
            key: keys::MEMORY_LIMIT.to_owned(),
            message,
            help,
        });
    }

    /// A sort that spills keeps some memory back for merging, and a merge takes memory for each file
    /// that it reads. Where the memory limit is small, both are lowered: all partitions together
    /// keep back at most a quarter of the pool, so that they get far enough to spill, and no merge
    /// takes what the others need.
    fn derive_sort_memory(&self, values: &mut BTreeMap<String, Value>) {
        let share = |memory: Option<u64>, partitions: Option<usize>| {
            Some(memory? / (4 * u64::try_from(partitions?).ok()?))
        };
        let (Some(memory), Some(partitions), Some(kept)) = (
            values.get(keys::MEMORY_LIMIT),
            values.get(keys::TARGET_PARTITIONS),
            values.get(keys::SORT_SPILL_RESERVATION),
        ) else {
            return;
        };
        let (Some(fitted), Some(asked), Some(usual)) = (
            share(memory.bytes(), partitions.count()),
            share(
                memory.asked().and_then(parse_bytes),
                partitions.asked().and_then(|asked| asked.parse().ok()),
            ),
            kept.bytes(),
        ) else {
            return;
        };
        if kept.source.is_explicit() || fitted.min(asked) >= usual {
            return;
        }
        let merged_files = |kept: u64| match kept {
            kept if kept >= usual => 0, // no limit
            kept => (kept / MERGE_BYTES_PER_FILE).clamp(2, 16),
        };
        for (key, fitted, asked) in [
            (
                keys::SORT_SPILL_RESERVATION,
                fitted.min(usual),
                asked.min(usual),
            ),
            (
                keys::SPILL_FAN_IN,
                merged_files(fitted),
                merged_files(asked),
            ),
        ] {
            if let Some(value) = values.get_mut(key)
                && !value.source.is_explicit()
            {
                *value = Value::new(
                    fitted.to_string(),
                    SettingSource::Derived {
                        from: "memory_limit, target_partitions".to_owned(),
                        asked: asked.to_string(),
                    },
                );
            }
        }
    }
}

fn count_of(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

//! Which settings there are, what their values look like, and which ones nobody may change.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use codeanatomy_vocab::{Error, Result, nearest};
use datafusion::arrow::array::timezone::Tz;
use datafusion::common::config::ConfigOptions;
use datafusion::error::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;

use crate::codes::{BAD_VALUE, NOT_ALLOWED, UNKNOWN_SETTING};
use crate::profile::MemoryPoolKind;
use crate::units::{
    BYTES_EXPECTED, DURATION_EXPECTED, MIB, format_bytes, format_duration, parse_bytes,
    parse_duration,
};

pub(crate) const AGGREGATE_DYNAMIC_FILTERS: &str =
    "datafusion.optimizer.enable_aggregate_dynamic_filter_pushdown";
pub(crate) const BATCH_SIZE: &str = "datafusion.execution.batch_size";
pub(crate) const COLLECT_STATISTICS: &str = "datafusion.execution.collect_statistics";
pub(crate) const ASYNC_UDF_BATCH_SIZE: &str = "session.async_udf_batch_size";
pub(crate) const ASYNC_UDF_TIMEOUT: &str = "session.async_udf_timeout_ms";
pub(crate) const CONCURRENCY: &str = "session.concurrency";
pub(crate) const DETERMINISTIC: &str = "session.deterministic";
pub(crate) const DYNAMIC_FILTERS: &str = "datafusion.optimizer.enable_dynamic_filter_pushdown";
pub(crate) const ENABLE_ASYNC_UDFS: &str = "session.enable_async_udfs";
pub(crate) const ENABLE_EXPR_PLANNERS: &str = "session.enable_expr_planners";
pub(crate) const ENABLE_FUNCTION_FACTORY: &str = "session.enable_function_factory";
pub(crate) const ENABLE_UDFS: &str = "session.enable_udfs";
pub(crate) const EXPR_PLANNER_NAMES: &str = "session.expr_planner_names";
pub(crate) const FILE_STATISTICS_CACHE: &str = "datafusion.runtime.file_statistics_cache_limit";
pub(crate) const JOIN_DYNAMIC_FILTERS: &str =
    "datafusion.optimizer.enable_join_dynamic_filter_pushdown";
pub(crate) const LIST_FILES_CACHE: &str = "datafusion.runtime.list_files_cache_limit";
pub(crate) const LIST_FILES_TTL: &str = "datafusion.runtime.list_files_cache_ttl";
pub(crate) const MEMORY_LIMIT: &str = "datafusion.runtime.memory_limit";
pub(crate) const MEMORY_POOL: &str = "session.memory_pool";
pub(crate) const METADATA_CACHE: &str = "datafusion.runtime.metadata_cache_limit";
pub(crate) const META_FETCH_CONCURRENCY: &str = "datafusion.execution.meta_fetch_concurrency";
pub(crate) const PLANNING_CONCURRENCY: &str = "datafusion.execution.planning_concurrency";
pub(crate) const PRESET: &str = "session.preset";
pub(crate) const REPARTITION_FILE_SCANS: &str = "datafusion.optimizer.repartition_file_scans";
pub(crate) const SORT_SPILL_RESERVATION: &str = "datafusion.execution.sort_spill_reservation_bytes";
pub(crate) const SPILL_DIR: &str = "datafusion.runtime.temp_directory";
pub(crate) const SPILL_LIMIT: &str = "datafusion.runtime.max_temp_directory_size";
pub(crate) const SPILL_FAN_IN: &str = "datafusion.runtime.max_spill_merge_fan_in";
pub(crate) const STRICT_UDFS: &str = "session.strict_udfs";
pub(crate) const TARGET_PARTITIONS: &str = "datafusion.execution.target_partitions";
pub(crate) const TIME_ZONE: &str = "datafusion.execution.time_zone";
pub(crate) const TOPK_DYNAMIC_FILTERS: &str =
    "datafusion.optimizer.enable_topk_dynamic_filter_pushdown";

/// The start of the keys that describe the runtime and not the planner.
pub(crate) const RUNTIME_PREFIX: &str = "datafusion.runtime.";
/// The start of this crate's own keys.
pub(crate) const SESSION_PREFIX: &str = "session.";

/// Short keys and the full ones they stand for, sorted.
pub(crate) const SHORT_KEYS: &[(&str, &str)] = &[
    ("async_udf_batch_size", ASYNC_UDF_BATCH_SIZE),
    ("async_udf_timeout_ms", ASYNC_UDF_TIMEOUT),
    ("batch_size", BATCH_SIZE),
    ("collect_statistics", COLLECT_STATISTICS),
    ("concurrency", CONCURRENCY),
    ("deterministic", DETERMINISTIC),
    ("enable_async_udfs", ENABLE_ASYNC_UDFS),
    ("enable_expr_planners", ENABLE_EXPR_PLANNERS),
    ("enable_function_factory", ENABLE_FUNCTION_FACTORY),
    ("enable_udfs", ENABLE_UDFS),
    ("expr_planner_names", EXPR_PLANNER_NAMES),
    ("file_statistics_cache_limit", FILE_STATISTICS_CACHE),
    ("list_files_cache_limit", LIST_FILES_CACHE),
    ("list_files_cache_ttl", LIST_FILES_TTL),
    ("memory_limit", MEMORY_LIMIT),
    ("memory_pool", MEMORY_POOL),
    ("meta_fetch_concurrency", META_FETCH_CONCURRENCY),
    ("metadata_cache_limit", METADATA_CACHE),
    ("planning_concurrency", PLANNING_CONCURRENCY),
    ("repartition_file_scans", REPARTITION_FILE_SCANS),
    ("spill_dir", SPILL_DIR),
    ("spill_limit", SPILL_LIMIT),
    ("strict_udfs", STRICT_UDFS),
    ("target_partitions", TARGET_PARTITIONS),
    ("time_zone", TIME_ZONE),
];

/// Defaults that replace the engine's, sorted by key, each with its reason.
pub(crate) const PINNED: &[(&str, &str, &str)] = &[
    (
        "datafusion.catalog.information_schema",
        "false",
        "a view that reads it would depend on every other name in the session",
    ),
    (
        COLLECT_STATISTICS,
        "true",
        "without row counts a join may collect its larger side",
    ),
    (
        "datafusion.execution.parquet.schema_force_view_types",
        "false",
        "joins over string views hold on to buffers that the memory limit does not see",
    ),
    (
        TIME_ZONE,
        "+00:00",
        "`now()` and `current_date` must not depend on the machine",
    ),
    (
        AGGREGATE_DYNAMIC_FILTERS,
        "false",
        "with it, minima and maxima of several columns are sometimes wrong",
    ),
    (
        "datafusion.sql_parser.collect_spans",
        "true",
        "errors name the line and column of what they are about",
    ),
    (
        "datafusion.sql_parser.map_string_types_to_utf8view",
        "false",
        "joins over string views hold on to buffers that the memory limit does not see",
    ),
    (
        "datafusion.sql_parser.recursion_limit",
        "50",
        "deeper nesting is refused before it can exhaust a stack",
    ),
];

/// Settings that no profile may change: the one value they have, and the reason.
const LOCKED: &[(&str, Option<&str>, &str)] = &[
    (
        "datafusion.catalog.create_default_catalog_and_schema",
        Some("true"),
        "without it no view or dataset could be registered",
    ),
    (
        "datafusion.catalog.format",
        None,
        "tables are declared as datasets, which are pinned for each run",
    ),
    (
        "datafusion.catalog.location",
        None,
        "tables are declared as datasets, which are pinned for each run",
    ),
    (
        AGGREGATE_DYNAMIC_FILTERS,
        Some("false"),
        "this version of the engine would return wrong minima and maxima",
    ),
];

/// What the value of a setting looks like, where the engine's own check does not do.
enum Shape {
    /// A size, not less than this.
    Bytes { least: u64 },
    /// A duration or `none`.
    Duration,
    /// A whole number in a range, both ends included.
    Count { least: u64, most: u64 },
    /// `true` or `false`.
    Bool,
    /// A number between 0 and 1, both ends excluded.
    Fraction,
    /// A local folder.
    Folder,
    /// A name of a time zone or an offset from UTC.
    TimeZone,
    /// One of a few words, in lower case.
    OneOf(&'static [&'static str]),
    /// A name of a Parquet codec with its level.
    Compression,
    /// Names separated by commas, or nothing.
    Names,
    /// Anything but nothing.
    NotEmpty,
    /// Whatever the engine's own check takes.
    Engine,
}

/// The values of all settings before a preset is applied: the engine's defaults. A setting without
/// a value maps to `None`.
pub(crate) static ENGINE_DEFAULTS: LazyLock<BTreeMap<String, Option<String>>> =
    LazyLock::new(|| {
        let planner = ConfigOptions::default()
            .entries()
            .into_iter()
            .map(|entry| (entry.key, entry.value));
        let runtime = RuntimeEnvBuilder::new().entries().into_iter().map(|entry| {
            let value = match shape(&entry.key) {
                Shape::Bytes { .. } => entry
                    .value
                    .map(|value| parse_bytes(&value).map_or(value, format_bytes)),
                Shape::Duration => Some(entry.value.unwrap_or_else(|| format_duration(None))),
                _ => entry.value,
            };
            (entry.key, value)
        });
        let own = [
            (ASYNC_UDF_BATCH_SIZE, "1024"),
            (ASYNC_UDF_TIMEOUT, "30000"),
            (CONCURRENCY, "1"),
            (DETERMINISTIC, "false"),
            (ENABLE_ASYNC_UDFS, "false"),
            (ENABLE_EXPR_PLANNERS, "false"),
            (ENABLE_FUNCTION_FACTORY, "true"),
            (ENABLE_UDFS, "true"),
            (EXPR_PLANNER_NAMES, ""),
            (MEMORY_POOL, MemoryPoolKind::FairSpill.name()),
            (PRESET, "default"),
            (STRICT_UDFS, "true"),
        ];
        planner
            .chain(runtime)
            .chain(own.map(|(key, value)| (key.to_owned(), Some(value.to_owned()))))
            .collect()
    });

/// The full key that a short or full one stands for.
///
/// # Errors
///
/// `CA-SESSION-0001` with the nearest known key.
pub(crate) fn resolve(key: &str) -> Result<&'static str> {
    if let Ok(index) = SHORT_KEYS.binary_search_by_key(&key, |(short, _)| short) {
        return Ok(SHORT_KEYS[index].1);
    }
    if let Some((full, _)) = ENGINE_DEFAULTS.get_key_value(key) {
        return Ok(full);
    }
    Err(
        Error::new(UNKNOWN_SETTING, format!("there is no setting `{key}`"))
            .with("key", key)
            .with_nearest(nearest_key(key).as_deref())
            .with_help(
                "use a setting that `config show` lists, or remove it; engine settings start with \
             `datafusion.`",
            ),
    )
}

/// The short form of a full key, where it has one.
pub(crate) fn short(full: &str) -> Option<&'static str> {
    SHORT_KEYS
        .iter()
        .find(|(_, key)| *key == full)
        .map(|(short, _)| *short)
}

/// How the user most likely writes a full key.
pub(crate) fn display(full: &str) -> &str {
    short(full).unwrap_or(full)
}

/// Checks a value and brings it to its canonical spelling, so that equal settings are equal text.
///
/// # Errors
///
/// `CA-SESSION-0002` with what was expected, `CA-SESSION-0003` for a setting that is locked.
pub(crate) fn canonical(full: &'static str, value: &str) -> Result<String> {
    let text = value.trim();
    let refuse = |expected: String| bad_value(full, value, expected);
    let canonical = match shape(full) {
        Shape::Bytes { least } => match parse_bytes(text) {
            Some(bytes) if bytes >= least => format_bytes(bytes),
            Some(_) => return Err(refuse(format!("at least {}", format_bytes(least)))),
            None => return Err(refuse(BYTES_EXPECTED.to_owned())),
        },
        Shape::Duration => match parse_duration(text) {
            Some(duration) => format_duration(duration),
            None => return Err(refuse(DURATION_EXPECTED.to_owned())),
        },
        Shape::Count { least, most } => match text.replace('_', "").parse::<u64>() {
            Ok(count) if (least..=most).contains(&count) => {
                engine_canonical(full, &count.to_string())?
            }
            _ => {
                return Err(refuse(match most {
                    u64::MAX => format!("a whole number, at least {least}"),
                    most => format!("a whole number from {least} to {most}"),
                }));
            }
        },
        Shape::Bool => match text.to_ascii_lowercase().as_str() {
            truth @ ("true" | "false") => truth.to_owned(),
            _ => return Err(refuse("`true` or `false`".to_owned())),
        },
        Shape::Fraction => match text.parse::<f64>() {
            Ok(fraction) if fraction > 0.0 && fraction < 1.0 => engine_canonical(full, text)?,
            _ => return Err(refuse("a number between 0 and 1".to_owned())),
        },
        Shape::Folder if value.is_empty() || value.contains("://") || value.contains('\0') => {
            return Err(refuse("the path of a local folder".to_owned()));
        }
        Shape::Folder => value.to_owned(),
        Shape::TimeZone => match text.parse::<Tz>() {
            Ok(_) => text.to_owned(),
            Err(_) => {
                return Err(refuse(
                    "an offset such as `+00:00` or a name such as `Europe/Berlin`".to_owned(),
                ));
            }
        },
        Shape::OneOf(words) => {
            let word = text.to_ascii_lowercase();
            if !words.contains(&word.as_str()) {
                return Err(refuse(format!("one of `{}`", words.join("`, `")))
                    .with_nearest(nearest(&word, words.iter().copied())));
            }
            word
        }
        Shape::Compression => {
            let codec = text.to_ascii_lowercase();
            datafusion::common::file_options::parquet_writer::parse_compression_string(&codec)
                .map_err(|source| {
                    refuse(
                        "`uncompressed`, `snappy`, `lz4`, `lz4_raw`, `gzip(level)`, \
                         `brotli(level)` or `zstd(level)`"
                            .to_owned(),
                    )
                    .with_source(source)
                })?;
            codec
        }
        Shape::Names => {
            let mut names: Vec<&str> = text
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .collect();
            names.sort_unstable();
            names.dedup();
            names.join(",")
        }
        Shape::NotEmpty if text.is_empty() => return Err(refuse("a name".to_owned())),
        Shape::NotEmpty => value.to_owned(),
        Shape::Engine => engine_canonical(full, value)?,
    };
    check_unlocked(full, Some(&canonical))?;
    Ok(canonical)
}

/// Refuses another value than the one that a locked setting has.
///
/// # Errors
///
/// `CA-SESSION-0003` with the reason of the lock.
pub(crate) fn check_unlocked(full: &str, value: Option<&str>) -> Result<()> {
    match LOCKED.iter().find(|(key, _, _)| *key == full) {
        Some((_, locked, reason)) if *locked != value => Err(not_allowed(full, *locked, reason)),
        _ => Ok(()),
    }
}

/// The value of an engine setting as the engine spells it after it has taken it.
fn engine_canonical(full: &'static str, value: &str) -> Result<String> {
    if full.starts_with(RUNTIME_PREFIX) || full.starts_with(SESSION_PREFIX) {
        return Ok(value.to_owned());
    }
    let mut options = ConfigOptions::default();
    options.set(full, value).map_err(|source| {
        bad_value(full, value, expected_by_engine(full, &source)).with_source(source)
    })?;
    options
        .entries()
        .into_iter()
        .find(|entry| entry.key == full)
        .and_then(|entry| entry.value)
        .ok_or_else(|| bad_value(full, value, "a value".to_owned()))
}

/// What the engine takes: told by the default where that says it, else by the engine's complaint.
fn expected_by_engine(full: &str, error: &DataFusionError) -> String {
    let default = ENGINE_DEFAULTS.get(full).and_then(Option::as_deref);
    match default {
        Some("true" | "false") => "`true` or `false`".to_owned(),
        Some(number) if number.parse::<u64>().is_ok() => "a whole number".to_owned(),
        Some(number) if number.parse::<f64>().is_ok() => "a number".to_owned(),
        _ => {
            let text = error.find_root().strip_backtrace();
            let text = text
                .split_once(": ")
                .map_or(text.as_str(), |(_, rest)| rest);
            format!("what the engine takes: {text}")
        }
    }
}

fn bad_value(full: &str, value: &str, expected: String) -> Error {
    const SHOWN: usize = 60;
    let key = display(full);
    // A URL may hold a secret, and nothing that is set here is one.
    let message = if value.contains("://") {
        format!("a URL is not a value of `{key}`")
    } else if value.trim().is_empty() {
        format!("`{key}` needs a value")
    } else if value.chars().count() > SHOWN {
        let shown: String = value.chars().take(SHOWN).collect();
        format!("`{shown}...` is not a value of `{key}`")
    } else {
        format!("`{value}` is not a value of `{key}`")
    };
    Error::new(BAD_VALUE, message)
        .with("key", full)
        .with_help(format!("give `{key}` {expected}"))
        .with_expected(expected)
}

fn not_allowed(full: &str, locked: Option<&str>, reason: &str) -> Error {
    let key = display(full);
    let message = match locked {
        Some(locked) => format!("`{key}` is always `{locked}`: {reason}"),
        None => format!("`{key}` cannot be set: {reason}"),
    };
    Error::new(NOT_ALLOWED, message)
        .with("key", full)
        .with_help(format!("remove `{key}`"))
}

fn nearest_key(key: &str) -> Option<String> {
    let full = format!("datafusion.{key}");
    if ENGINE_DEFAULTS.contains_key(&full) {
        return Some(full);
    }
    // Full keys are compared without the part that they all share, which would make any two of
    // them look alike.
    match key.strip_prefix("datafusion.") {
        Some(rest) => {
            let known = ENGINE_DEFAULTS
                .keys()
                .filter_map(|key| key.strip_prefix("datafusion."));
            nearest(rest, known).map(|rest| format!("datafusion.{rest}"))
        }
        None => {
            let last = |key: &'static str| key.rsplit('.').next().unwrap_or(key);
            let short = SHORT_KEYS.iter().map(|(short, _)| *short);
            nearest(key, short).map(str::to_owned).or_else(|| {
                let known = ENGINE_DEFAULTS.keys().map(|key| last(key));
                let name = nearest(key, known)?;
                ENGINE_DEFAULTS
                    .keys()
                    .find(|key| last(key) == name)
                    .cloned()
            })
        }
    }
}

fn shape(full: &str) -> Shape {
    const ANY: u64 = u64::MAX;
    match full {
        MEMORY_LIMIT => Shape::Bytes { least: MIB },
        SPILL_LIMIT | METADATA_CACHE | LIST_FILES_CACHE | FILE_STATISTICS_CACHE => {
            Shape::Bytes { least: 0 }
        }
        LIST_FILES_TTL => Shape::Duration,
        SPILL_DIR => Shape::Folder,
        SPILL_FAN_IN => Shape::Count {
            least: 0,
            most: 1 << 20,
        },
        // A batch is allocated at its full size.
        BATCH_SIZE => Shape::Count {
            least: 1,
            most: 1 << 20,
        },
        // For the engine, 0 means as many as the machine has cores, which is what profiles exist
        // to pin; and each partition costs tasks and buffers.
        TARGET_PARTITIONS | PLANNING_CONCURRENCY | META_FETCH_CONCURRENCY | CONCURRENCY => {
            Shape::Count {
                least: 1,
                most: 4096,
            }
        }
        ASYNC_UDF_BATCH_SIZE => Shape::Count {
            least: 1,
            most: 1 << 20,
        },
        // An hour: whoever waits longer for one call should not wait for it within a query.
        ASYNC_UDF_TIMEOUT => Shape::Count {
            least: 1,
            most: 3_600_000,
        },
        EXPR_PLANNER_NAMES => Shape::Names,
        DETERMINISTIC
        | ENABLE_ASYNC_UDFS
        | ENABLE_EXPR_PLANNERS
        | ENABLE_FUNCTION_FACTORY
        | ENABLE_UDFS
        | STRICT_UDFS => Shape::Bool,
        MEMORY_POOL => Shape::OneOf(MemoryPoolKind::NAMES),
        TIME_ZONE | "datafusion.execution.parquet.coerce_int96_tz" => Shape::TimeZone,
        "datafusion.catalog.default_catalog" | "datafusion.catalog.default_schema" => {
            Shape::NotEmpty
        }
        // The engine takes any text for these and falls back to a default, or panics, when it
        // comes to use it.
        "datafusion.sql_parser.default_null_ordering" => {
            Shape::OneOf(&["nulls_first", "nulls_last", "nulls_max", "nulls_min"])
        }
        "datafusion.format.duration_format" => Shape::OneOf(&["iso8601", "pretty"]),
        "datafusion.execution.parquet.coerce_int96" => Shape::OneOf(&["ms", "ns", "s", "us"]),
        "datafusion.execution.parquet.statistics_enabled" => {
            Shape::OneOf(&["chunk", "none", "page"])
        }
        "datafusion.execution.parquet.encoding" => Shape::OneOf(&[
            "bit_packed",
            "byte_stream_split",
            "delta_binary_packed",
            "delta_byte_array",
            "delta_length_byte_array",
            "plain",
            "plain_dictionary",
            "rle",
            "rle_dictionary",
        ]),
        "datafusion.execution.parquet.compression" => Shape::Compression,
        "datafusion.execution.parquet.bloom_filter_fpp" => Shape::Fraction,
        "datafusion.execution.objectstore_writer_buffer_size"
        | "datafusion.execution.parquet.bloom_filter_ndv"
        | "datafusion.execution.parquet.column_index_truncate_length"
        | "datafusion.execution.parquet.max_row_group_size"
        | "datafusion.execution.parquet.maximum_buffered_record_batches_per_stream"
        | "datafusion.execution.parquet.maximum_parallel_row_group_writers"
        | "datafusion.execution.parquet.statistics_truncate_length"
        | "datafusion.execution.parquet.write_batch_size" => Shape::Count {
            least: 1,
            most: ANY,
        },
        "datafusion.optimizer.default_filter_selectivity" => Shape::Count {
            least: 0,
            most: 100,
        },
        _ => Shape::Engine,
    }
}

//! What only Delta tables have: `[delta]`, and of a dataset `pruning`, `scan` and `gate`.

use std::collections::{BTreeMap, BTreeSet};

use codeanatomy_vocab::{Error, Location, Result};

use crate::codes;
use crate::toml::{Entry, Findings, Section};

const DELTA_KEYS: [&str; 5] = [
    "protocol_mode",
    "max_reader_version",
    "max_writer_version",
    "supported_reader_features",
    "supported_writer_features",
];
const GATE_KEYS: [&str; 4] = [
    "min_reader_version",
    "min_writer_version",
    "required_reader_features",
    "required_writer_features",
];
const SCAN_KEYS: [&str; 3] = ["file_column", "parquet_pushdown", "schema"];
const PRUNING_KEYS: [&str; 2] = ["partition_filters", "statistics_filters"];
const PARTITION_KEYS: [&str; 5] = ["column", "op", "value", "values", "or_null"];
const STATISTICS_KEYS: [&str; 3] = ["column", "op", "value"];

/// What a partition value is compared with.
const PARTITION_OPERATORS: [(&str, &str); 4] =
    [("=", "="), ("!=", "!="), ("in", "in"), ("not in", "not in")];
/// How any value is compared.
const STATISTICS_OPERATORS: [(&str, &str); 6] = [
    ("=", "="),
    ("!=", "!="),
    (">", ">"),
    (">=", ">="),
    ("<", "<"),
    ("<=", "<="),
];

/// What happens with a table that needs more than the project supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProtocolModeSetting {
    /// It is refused.
    #[default]
    Strict,
    /// It is let in with a warning.
    Warn,
    /// It is let in.
    Permissive,
}

/// The section `[delta]`: which tables the project lets in. What is absent is as the program has
/// it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeltaSection {
    /// What happens with a table that needs more.
    pub protocol_mode: Option<ProtocolModeSetting>,
    /// The newest reader version.
    pub max_reader_version: Option<u32>,
    /// The newest writer version.
    pub max_writer_version: Option<u32>,
    /// All reader features that are let in.
    pub supported_reader_features: Option<BTreeSet<String>>,
    /// All writer features that are let in.
    pub supported_writer_features: Option<BTreeSet<String>>,
}

/// The table `gate` of a dataset: what its table must have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GateSection {
    /// The oldest reader version.
    pub min_reader_version: Option<u32>,
    /// The oldest writer version.
    pub min_writer_version: Option<u32>,
    /// Reader features that must be there.
    pub required_reader_features: BTreeSet<String>,
    /// Writer features that must be there.
    pub required_writer_features: BTreeSet<String>,
    /// Where it is written.
    pub declared_at: Option<Location>,
}

/// The table `scan` of a dataset: how its files are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScanSection {
    /// The name of a further column that holds the path of each row's file.
    pub file_column: Option<String>,
    /// Whether filters are evaluated while pages are decoded.
    pub parquet_pushdown: Option<bool>,
    /// Columns that are read as other types, each with the type as it is written and its place.
    pub schema: BTreeMap<String, (String, Location)>,
    /// Where it is written.
    pub declared_at: Option<Location>,
}

/// The table `pruning` of a dataset: conditions that every row of it fulfils.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PruningSection {
    /// Conditions on partition columns.
    pub partition_filters: Vec<FilterSection>,
    /// Conditions on any columns.
    pub statistics_filters: Vec<FilterSection>,
    /// Where it is written.
    pub declared_at: Option<Location>,
}

/// One condition on a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterSection {
    /// The column.
    pub column: String,
    /// How its values are compared, as it is written.
    pub op: &'static str,
    /// What they are compared with, as text; `None` is null.
    pub values: Vec<Option<String>>,
}

impl ProtocolModeSetting {
    /// The modes with their names.
    pub const ALL: [(&'static str, Self); 3] = [
        ("strict", Self::Strict),
        ("warn", Self::Warn),
        ("permissive", Self::Permissive),
    ];
}

impl DeltaSection {
    pub(crate) fn read(parent: &Section<'_>, findings: &mut Findings) -> Self {
        let Some(section) = table(parent, "delta", &DELTA_KEYS, findings) else {
            return Self::default();
        };
        Self {
            protocol_mode: section
                .get("protocol_mode")
                .and_then(|entry| findings.take(entry.choice(&ProtocolModeSetting::ALL))),
            max_reader_version: version(&section, "max_reader_version", findings),
            max_writer_version: version(&section, "max_writer_version", findings),
            supported_reader_features: features(&section, "supported_reader_features", findings),
            supported_writer_features: features(&section, "supported_writer_features", findings),
        }
    }
}

impl GateSection {
    pub(crate) fn read(parent: &Section<'_>, findings: &mut Findings) -> Self {
        let Some(section) = table(parent, "gate", &GATE_KEYS, findings) else {
            return Self::default();
        };
        let mut required = |key| features(&section, key, findings).unwrap_or_default();
        let required_reader_features = required("required_reader_features");
        let required_writer_features = required("required_writer_features");
        Self {
            min_reader_version: version(&section, "min_reader_version", findings),
            min_writer_version: version(&section, "min_writer_version", findings),
            required_reader_features,
            required_writer_features,
            declared_at: Some(section.at().clone()),
        }
    }
}

impl ScanSection {
    pub(crate) fn read(parent: &Section<'_>, findings: &mut Findings) -> Self {
        let Some(section) = table(parent, "scan", &SCAN_KEYS, findings) else {
            return Self::default();
        };
        Self {
            file_column: section
                .get("file_column")
                .and_then(|entry| findings.take(entry.filled_text())),
            parquet_pushdown: section
                .get("parquet_pushdown")
                .and_then(|entry| findings.take(entry.boolean())),
            schema: section
                .get("schema")
                .and_then(|entry| findings.take(entry.section()))
                .map(|columns| {
                    let types = columns.entries().filter_map(|entry| {
                        let type_name = findings.take(entry.filled_text())?;
                        Some((entry.key().to_owned(), (type_name, entry.at())))
                    });
                    types.collect()
                })
                .unwrap_or_default(),
            declared_at: Some(section.at().clone()),
        }
    }
}

impl PruningSection {
    pub(crate) fn read(parent: &Section<'_>, findings: &mut Findings) -> Self {
        let Some(section) = table(parent, "pruning", &PRUNING_KEYS, findings) else {
            return Self::default();
        };
        let mut filters = |key: &str, read: fn(&Section<'_>) -> Result<FilterSection>, keys| {
            let Some(entry) = section.get(key) else {
                return Vec::new();
            };
            let mut filters = Vec::new();
            for section in entry.sections(findings) {
                section.check_keys(keys, findings);
                filters.extend(findings.take(read(&section)));
            }
            filters
        };
        let partition_filters = filters("partition_filters", partition_filter, &PARTITION_KEYS);
        let statistics_filters = filters("statistics_filters", statistics_filter, &STATISTICS_KEYS);
        Self {
            partition_filters,
            statistics_filters,
            declared_at: Some(section.at().clone()),
        }
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.partition_filters.is_empty() && self.statistics_filters.is_empty()
    }
}

fn partition_filter(section: &Section<'_>) -> Result<FilterSection> {
    let column = required(section, "column")?.filled_text()?;
    let op = required(section, "op")?.choice(&PARTITION_OPERATORS)?;
    let mut values = match (section.get("value"), section.get("values")) {
        (Some(value), Some(_)) => {
            return Err(value.invalid(
                format!("`{}` has both a `value` and `values`", section.name()),
                "keep one of the two",
            ));
        }
        (Some(value), None) => vec![Some(value.scalar_or_datetime()?)],
        (None, Some(values)) => values.scalars()?.into_iter().map(Some).collect(),
        (None, None) => Vec::new(),
    };
    if let Some(or_null) = section.get("or_null")
        && or_null.boolean()?
    {
        values.push(None);
    }
    let takes_one = matches!(op, "=" | "!=");
    if values.is_empty() || (takes_one && values.len() > 1) {
        let wants = if takes_one {
            "one value"
        } else {
            "at least one value"
        };
        return Err(Error::new(
            codes::INVALID_VALUE,
            format!(
                "`{}` compares with {} values, and `{op}` takes {wants}",
                section.name(),
                values.len()
            ),
        )
        .at(section.at().clone())
        .with_help("write `value = ...`, `values = [...]` or `or_null = true`"));
    }
    Ok(FilterSection { column, op, values })
}

fn statistics_filter(section: &Section<'_>) -> Result<FilterSection> {
    Ok(FilterSection {
        column: required(section, "column")?.filled_text()?,
        op: required(section, "op")?.choice(&STATISTICS_OPERATORS)?,
        values: vec![Some(required(section, "value")?.scalar_or_datetime()?)],
    })
}

/// The table of this name, with its keys checked.
fn table<'a>(
    parent: &Section<'a>,
    name: &str,
    keys: &[&str],
    findings: &mut Findings,
) -> Option<Section<'a>> {
    let entry = parent.get(name)?;
    let section = findings.take(entry.section())?;
    section.check_keys(keys, findings);
    Some(section)
}

fn required<'a>(section: &Section<'a>, key: &str) -> Result<Entry<'a>> {
    section.get(key).ok_or_else(|| {
        Error::new(
            codes::MISSING_KEY,
            format!("`{}` has no `{key}`", section.name()),
        )
        .at(section.at().clone())
        .with_help(format!("add `{key} = ...`"))
    })
}

fn version(section: &Section<'_>, key: &str, findings: &mut Findings) -> Option<u32> {
    let entry = section.get(key)?;
    let count = findings.take(entry.count())?;
    findings.take(u32::try_from(count).map_err(|_| {
        entry.invalid(
            format!("`{}` is no version of a protocol", entry.path()),
            "write a small whole number, such as 3",
        )
    }))
}

fn features(section: &Section<'_>, key: &str, findings: &mut Findings) -> Option<BTreeSet<String>> {
    let entry = section.get(key)?;
    let texts = entry.texts(findings);
    Some(texts.into_iter().map(|(text, _)| text).collect())
}

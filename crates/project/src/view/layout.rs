//! How the table of a view is laid out.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use codeanatomy_vocab::Result;

use crate::contract::distinct_columns;
use crate::source::SettingValue;
use crate::toml::{Entry, Findings, Section};

/// The keys of a sidecar that are read here.
pub(super) const LAYOUT_KEYS: [&str; 4] = [
    "target_file_size",
    "statistics_columns",
    "z_order_by",
    "properties",
];

/// How the table of a view is laid out; none of it changes a row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LayoutSection {
    /// The size in bytes at which a data file is closed.
    pub target_file_bytes: Option<NonZeroU64>,
    /// The columns that get statistics in the log; all, up to a limit, when absent.
    pub statistics_columns: Option<Vec<String>>,
    /// Columns by whose values rows come close to each other.
    pub z_order_by: Vec<String>,
    /// Properties of the table.
    pub properties: BTreeMap<String, String>,
}

impl LayoutSection {
    pub(super) fn read(section: &Section<'_>, findings: &mut Findings) -> Self {
        let target_file_bytes = section
            .get("target_file_size")
            .and_then(|entry| findings.take(size(&entry)));
        let mut columns = |key: &str| -> Option<Vec<String>> {
            let entry = section.get(key)?;
            let columns = distinct_columns(&entry, findings).into_iter();
            Some(columns.map(|(name, _)| name).collect())
        };
        let statistics_columns = columns("statistics_columns");
        let z_order_by = columns("z_order_by").unwrap_or_default();
        let mut properties = BTreeMap::new();
        if let Some(section) = section
            .get("properties")
            .and_then(|entry| findings.take(entry.section()))
        {
            read_properties("", &section, &mut properties, findings);
        }
        Self {
            target_file_bytes,
            statistics_columns,
            z_order_by,
            properties,
        }
    }
}

/// `"delta.x" = 1` and `delta.x = 1` are the same property.
fn read_properties(
    above: &str,
    section: &Section<'_>,
    properties: &mut BTreeMap<String, String>,
    findings: &mut Findings,
) {
    for entry in section.entries() {
        let name = match above {
            "" => entry.key().to_owned(),
            above => format!("{above}.{}", entry.key()),
        };
        if entry.is_table() {
            if let Some(section) = findings.take(entry.section()) {
                read_properties(&name, &section, properties, findings);
            }
        } else if let Some(value) = findings.take(entry.scalar()) {
            properties.insert(name, value.to_string());
        }
    }
}

/// Bytes, or text such as `256MiB`.
fn size(entry: &Entry<'_>) -> Result<NonZeroU64> {
    const UNITS: [(&str, u64); 6] = [
        ("kb", 1_000),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
    ];
    let text = match entry.scalar()? {
        SettingValue::Text(text) => text,
        other => other.to_string(),
    };
    let folded = text.trim().to_ascii_lowercase();
    let digits = folded.len()
        - folded
            .trim_start_matches(|c: char| c.is_ascii_digit())
            .len();
    let (number, unit) = folded.split_at(digits);
    let factor = match unit.trim() {
        "" | "b" => Some(1),
        unit => UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .map(|(_, factor)| *factor),
    };
    let number: Option<u64> = number.parse().ok();
    number
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor))
        .and_then(NonZeroU64::new)
        .ok_or_else(|| {
            entry.invalid(
                format!("`{}` is not a size: {text:?}", entry.path()),
                "write a number of bytes, or text such as \"256MiB\"",
            )
        })
}

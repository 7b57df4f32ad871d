//! The sections `[datasets.NAME]`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use chrono::DateTime;
use codeanatomy_vocab::{
    DatasetName, DeltaVersionSelector, Error, Errors, Location, Result, Secret, SecretRef,
    UnixMillis,
};

use crate::codes;
use crate::contract::ContractSection;
use crate::delta::{GateSection, PruningSection, ScanSection};
use crate::place::Place;
use crate::secrecy::{looks_secret, url_holds_secret};
use crate::source::SettingValue;
use crate::toml::{Entry, Findings, Section};

const KEYS: [&str; 10] = [
    "location",
    "format",
    "version",
    "timestamp",
    "options",
    "csv",
    "contract",
    "pruning",
    "scan",
    "gate",
];
/// What only Delta tables have.
const DELTA_KEYS: [&str; 3] = ["pruning", "scan", "gate"];
const CSV_KEYS: [&str; 2] = ["header", "delimiter"];
const REFERENCE_KEYS: [&str; 2] = ["env", "file"];

/// How a dataset is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DatasetFormat {
    /// A Delta table.
    Delta,
    /// Parquet files.
    Parquet,
    /// Files of comma-separated values.
    Csv,
    /// Files with one JSON object per line.
    Json,
}

/// A value of a dataset's storage options.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OptionValue {
    /// The value itself. No secret: keys that look like one must hold a reference.
    Plain(String),
    /// Where the value is found. A relative file starts at the project's root, as
    /// [`DatasetConfig::resolve_options`] reads it.
    Secret(SecretRef),
}

/// How to read a CSV file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CsvOptions {
    /// Whether the first line of each file holds the names of the columns; true unless said.
    pub header: bool,
    /// The ASCII character between two values; a comma unless said.
    pub delimiter: u8,
}

/// One dataset as `codeanatomy.toml` declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetConfig {
    /// The name by which SQL calls it.
    pub name: DatasetName,
    /// The location as it is written: a path, relative to the project's root, or a URL without
    /// secrets. See [`place`](Self::place).
    pub location: String,
    /// Where the location stands in the file.
    pub location_at: Location,
    /// The format; to be found out when absent.
    pub format: Option<DatasetFormat>,
    /// The version to read. Anything but the latest is only ever declared for a dataset whose
    /// format is Delta or is to be found out.
    pub selector: DeltaVersionSelector,
    /// Where the version or the timestamp stands in the file, if one is written.
    pub selector_at: Option<Location>,
    /// Options of the object store, by their names.
    pub options: BTreeMap<String, OptionValue>,
    /// How to read CSV files.
    pub csv: CsvOptions,
    /// The contract, if one is declared.
    pub contract: Option<ContractSection>,
    /// Conditions that every row fulfils. Only a dataset whose format is Delta or is to be found out
    /// has any, and the same holds for the next two.
    pub pruning: PruningSection,
    /// How the files are read.
    pub scan: ScanSection,
    /// What the table must have.
    pub gate: GateSection,
    /// Where the dataset's name stands in the file.
    pub declared_at: Location,
}

impl DatasetFormat {
    /// The formats with their names.
    pub const ALL: [(&'static str, Self); 4] = [
        ("delta", Self::Delta),
        ("parquet", Self::Parquet),
        ("csv", Self::Csv),
        ("json", Self::Json),
    ];

    /// The name as it is written in a file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delta => "delta",
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// The format that the ending of a file's name stands for, if it does for one.
    pub fn of_file(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        match ending.as_str() {
            "parquet" => Some(Self::Parquet),
            "csv" => Some(Self::Csv),
            "json" | "jsonl" | "ndjson" => Some(Self::Json),
            _ => None,
        }
    }
}

impl fmt::Display for DatasetFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            header: true,
            delimiter: b',',
        }
    }
}

impl OptionValue {
    /// The value, read from where the reference points; a relative file starts at `root`.
    ///
    /// # Errors
    ///
    /// `CA-VOCAB-0003` when the variable is not set or the file cannot be read.
    pub fn resolve(&self, root: &Path) -> Result<Secret> {
        match self {
            Self::Plain(value) => Ok(Secret::new(value.clone())),
            Self::Secret(SecretRef::File(path)) => SecretRef::File(root.join(path)).resolve(),
            Self::Secret(reference) => reference.resolve(),
        }
    }
}

impl DatasetConfig {
    /// The path or URL that the location stands for; a relative path starts at `root`.
    ///
    /// # Errors
    ///
    /// Those of [`Place::parse`]; none for a dataset of a loaded project.
    pub fn place(&self, root: &Path) -> Result<Place> {
        Place::parse(root, &self.location).map_err(|error| error.at(self.location_at.clone()))
    }

    /// All options with their secrets read; files start at `root`.
    ///
    /// # Errors
    ///
    /// `CA-VOCAB-0003` for each option that points nowhere.
    pub fn resolve_options(&self, root: &Path) -> Result<BTreeMap<String, Secret>, Errors> {
        resolve_options(&self.options, root, |error| {
            error
                .at(self.declared_at.clone())
                .with("dataset", &self.name)
        })
    }

    /// Reads the dataset of this name.
    pub(crate) fn read(
        name: DatasetName,
        root: &Path,
        section: &Section<'_>,
        findings: &mut Findings,
    ) -> Option<Self> {
        section.check_keys(&KEYS, findings);
        let location = read_location(root, section, findings);
        let format = section
            .get("format")
            .and_then(|entry| findings.take(entry.choice(&DatasetFormat::ALL)));
        let (selector, selector_at) = read_selector(section, format, findings);
        let options = section
            .get("options")
            .map_or_else(BTreeMap::new, |entry| read_options(&entry, findings));
        let csv = read_csv(section, format, findings);
        let contract = ContractSection::read(section, findings);
        check_delta_keys(section, format, findings);
        let pruning = PruningSection::read(section, findings);
        let scan = ScanSection::read(section, findings);
        let gate = GateSection::read(section, findings);
        let (location, location_at) = location?;
        Some(Self {
            name,
            location,
            location_at,
            format,
            selector,
            selector_at,
            options,
            csv,
            contract,
            pruning,
            scan,
            gate,
            declared_at: section.at().clone(),
        })
    }
}

/// Finds what a dataset in another format than Delta cannot have.
fn check_delta_keys(section: &Section<'_>, format: Option<DatasetFormat>, findings: &mut Findings) {
    let Some(format) = format.filter(|format| *format != DatasetFormat::Delta) else {
        return;
    };
    for entry in DELTA_KEYS.iter().filter_map(|key| section.get(key)) {
        findings.push(
            Error::new(
                codes::CONFLICTING_KEYS,
                format!(
                    "`{}` has no meaning: the dataset's format is `{format}`, and only Delta \
                     tables have it",
                    entry.path()
                ),
            )
            .at(entry.key_at())
            .with_help(format!("remove `{}`, or read a Delta table", entry.key())),
        );
    }
}

fn read_location(
    root: &Path,
    section: &Section<'_>,
    findings: &mut Findings,
) -> Option<(String, Location)> {
    let Some(entry) = section.get("location") else {
        findings.push(
            Error::new(
                codes::MISSING_KEY,
                format!("`[{}]` has no `location`", section.name()),
            )
            .at(section.at().clone())
            .with_help("add `location = \"path or URL\"`"),
        );
        return None;
    };
    if entry.is_table() {
        findings.push(
            entry.wrong_type("a string").with_help(
                "write the path or URL itself; only values in `options` may be references",
            ),
        );
        return None;
    }
    let location = findings.take(entry.filled_text())?;
    let place = Place::parse(root, &location).map_err(|error| error.at(entry.at()));
    findings.take(place)?;
    Some((location, entry.at()))
}

fn read_selector(
    section: &Section<'_>,
    format: Option<DatasetFormat>,
    findings: &mut Findings,
) -> (DeltaVersionSelector, Option<Location>) {
    let latest = (DeltaVersionSelector::Latest, None);
    let entry = match (section.get("version"), section.get("timestamp")) {
        (None, None) => return latest,
        (Some(entry), None) | (None, Some(entry)) => entry,
        (Some(version), Some(timestamp)) => {
            findings.push(
                Error::new(
                    codes::CONFLICTING_KEYS,
                    format!(
                        "`{}` has both a `version` (at {}) and a `timestamp` (at {})",
                        section.name(),
                        version.key_at(),
                        timestamp.key_at()
                    ),
                )
                .at(timestamp.key_at())
                .with("version", version.key_at())
                .with("timestamp", timestamp.key_at())
                .with_help("keep one of the two"),
            );
            return latest;
        }
    };
    if let Some(format) = format
        && format != DatasetFormat::Delta
    {
        findings.push(
            Error::new(
                codes::CONFLICTING_KEYS,
                format!(
                    "`{}` has no meaning: a dataset in format `{format}` has no versions",
                    entry.path()
                ),
            )
            .at(entry.key_at())
            .with_help(format!("remove `{}`, or read a Delta table", entry.key())),
        );
        return latest;
    }
    let selector = if entry.key() == "version" {
        entry.count().map(DeltaVersionSelector::Version)
    } else {
        timestamp(&entry).map(DeltaVersionSelector::Timestamp)
    };
    match findings.take(selector) {
        Some(selector) => (selector, Some(entry.at())),
        None => latest,
    }
}

fn timestamp(entry: &Entry<'_>) -> Result<UnixMillis> {
    let text = entry.text_or_datetime()?;
    match DateTime::parse_from_rfc3339(&text) {
        Ok(time) => Ok(UnixMillis(time.timestamp_millis())),
        Err(_) => Err(entry
            .invalid(
                format!("`{}` is not a point in time: {text:?}", entry.path()),
                "write date, time and offset, as in \"2026-01-15T10:30:00Z\"",
            )
            .with_expected("RFC 3339, with an offset or `Z`")),
    }
}

/// Options with their secrets read; `place` says of an error whose they are.
pub(crate) fn resolve_options(
    options: &BTreeMap<String, OptionValue>,
    root: &Path,
    place: impl Fn(Error) -> Error,
) -> Result<BTreeMap<String, Secret>, Errors> {
    let mut findings = Findings::default();
    let mut resolved = BTreeMap::new();
    for (key, value) in options {
        let value = value.resolve(root);
        let value = value.map_err(|error| place(error).with("option", key));
        if let Some(value) = findings.take(value) {
            resolved.insert(key.clone(), value);
        }
    }
    Errors::check(findings.into_vec(), resolved)
}

pub(crate) fn read_options(
    entry: &Entry<'_>,
    findings: &mut Findings,
) -> BTreeMap<String, OptionValue> {
    let Some(section) = findings.take(entry.section()) else {
        return BTreeMap::new();
    };
    section
        .entries()
        .filter_map(|entry| {
            let value = findings.take(option(&entry, section.name()))?;
            Some((entry.key().to_owned(), value))
        })
        .collect()
}

fn option(entry: &Entry<'_>, section: &str) -> Result<OptionValue> {
    if entry.is_table() {
        return secret_ref(entry).map(OptionValue::Secret);
    }
    let value = entry.scalar()?;
    let is_switch = matches!(value, SettingValue::Bool(_));
    let value = value.to_string();
    if (looks_secret(entry.key()) && !is_switch) || url_holds_secret(&value) {
        return Err(Error::new(
            codes::PLAIN_SECRET,
            format!("`{}` in `[{section}]` holds a secret", entry.key()),
        )
        .at(entry.key_at())
        .with_help(format!(
            "write `{} = {{ env = \"NAME\" }}` or `{{ file = \"path\" }}`, and change the secret",
            entry.key()
        )));
    }
    Ok(OptionValue::Plain(value))
}

pub(crate) fn secret_ref(entry: &Entry<'_>) -> Result<SecretRef> {
    let wrong = || {
        entry.invalid(
            format!("`{}` is not a reference to a secret", entry.path()),
            "write `{ env = \"NAME\" }` or `{ file = \"path\" }`",
        )
    };
    let section = entry.section()?;
    let mut entries = section.entries();
    let (Some(only), None) = (entries.next(), entries.next()) else {
        return Err(wrong());
    };
    let value = match only.key() {
        key if REFERENCE_KEYS.contains(&key) => only.filled_text()?,
        _ => return Err(wrong()),
    };
    match only.key() {
        "file" => Ok(SecretRef::File(value.into())),
        _ if value.contains(['=', '\0']) => Err(only.invalid(
            format!("`{}` is not the name of a variable", only.path()),
            "write the name of an environment variable",
        )),
        _ => Ok(SecretRef::Env(value)),
    }
}

fn read_csv(
    section: &Section<'_>,
    format: Option<DatasetFormat>,
    findings: &mut Findings,
) -> CsvOptions {
    let mut csv = CsvOptions::default();
    let Some(entry) = section.get("csv") else {
        return csv;
    };
    if let Some(format) = format
        && format != DatasetFormat::Csv
    {
        findings.push(
            Error::new(
                codes::CONFLICTING_KEYS,
                format!(
                    "`{}` has no meaning: the dataset's format is `{format}`",
                    entry.path()
                ),
            )
            .at(entry.key_at())
            .with_help("remove `csv`, or write `format = \"csv\"`"),
        );
    }
    let Some(section) = findings.take(entry.section()) else {
        return csv;
    };
    section.check_keys(&CSV_KEYS, findings);
    if let Some(entry) = section.get("header") {
        csv.header = findings.take(entry.boolean()).unwrap_or(csv.header);
    }
    if let Some(entry) = section.get("delimiter") {
        csv.delimiter = findings.take(delimiter(&entry)).unwrap_or(csv.delimiter);
    }
    csv
}

fn delimiter(entry: &Entry<'_>) -> Result<u8> {
    let text = entry.text()?;
    match text.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | b'"' | 0) => Ok(*byte),
        _ => Err(entry.invalid(
            format!("`{}` cannot be {text:?}", entry.path()),
            "write one ASCII character that is no quote and no line break, such as \";\" or \"\\t\"",
        )),
    }
}

//! The protocol gate: which tables this version can read, and how.

use codeanatomy_vocab::{Error, Result};
use deltalake_core::kernel::{Metadata, Protocol};
use serde_json::Value;

use crate::store::{Log, Store};
use crate::{TableLocation, codes};

/// The newest reader version that is understood; 3 lists its features by name.
pub(crate) const MAX_READER_VERSION: u32 = 3;

/// The newest writer version that is understood; 7 lists its features by name.
pub(crate) const MAX_WRITER_VERSION: u32 = 7;

/// Writer features that writes and maintenance honour.
pub(crate) const WRITER_FEATURES: [&str; 9] = [
    "appendOnly",
    "changeDataFeed",
    "checkConstraints",
    "columnMapping",
    "deletionVectors",
    "generatedColumns",
    "invariants",
    "timestampNtz",
    "v2Checkpoint",
];

/// Reader features that scans honour.
pub(crate) const READER_FEATURES: [&str; 6] = [
    "columnMapping",
    "deletionVectors",
    "timestampNtz",
    "v2Checkpoint",
    "vacuumProtocolCheck",
    "typeWidening",
];

/// How the rows of a table lie in its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// A column has the name of the table in the files too, and every row of a file counts.
    Plain,
    /// Columns have other names in the files.
    ColumnMapping,
    /// Some rows of some files are deleted.
    DeletionVectors,
}

/// Refuses a table that cannot be read right, by the names of the features.
pub(crate) fn check(
    protocol: &Protocol,
    metadata: &Metadata,
    location: &TableLocation,
) -> Result<Layout> {
    let features = feature_names(protocol.reader_features());
    refuse(protocol.min_reader_version(), &features, location)?;
    let mapped = metadata
        .configuration()
        .get("delta.columnMapping.mode")
        .is_some_and(|mode| mode != "none");
    Ok(if mapped {
        Layout::ColumnMapping
    } else {
        Layout::Plain
    })
}

/// The names of features, sorted.
pub(crate) fn feature_names<F: serde::Serialize>(features: Option<&[F]>) -> Vec<String> {
    let mut names: Vec<String> = features
        .unwrap_or_default()
        .iter()
        .filter_map(|feature| match serde_json::to_value(feature) {
            Ok(Value::String(name)) => Some(name),
            _ => None,
        })
        .collect();
    names.sort();
    names
}

/// A protocol as a commit writes it down; features are sorted.
pub(crate) struct WrittenProtocol {
    pub(crate) min_reader_version: u32,
    pub(crate) min_writer_version: u32,
    pub(crate) reader_features: Vec<String>,
    pub(crate) writer_features: Vec<String>,
}

/// The newest protocol in the commits of a log; for one that cannot be loaded.
pub(crate) async fn in_log(store: &Store, log: &Log) -> Option<WrittenProtocol> {
    for version in log.commits.keys().rev() {
        let Some(commit) = store.commit(*version).await.ok()? else {
            continue;
        };
        let Some(protocol) = commit.action("protocol") else {
            continue;
        };
        let number = |key: &str| {
            let number = protocol.get(key)?.as_u64()?;
            Some(u32::try_from(number).unwrap_or(u32::MAX))
        };
        let features = |key: &str| {
            let features = protocol.get(key).and_then(Value::as_array);
            let mut names: Vec<String> = features
                .into_iter()
                .flatten()
                .filter_map(|feature| feature.as_str().map(str::to_owned))
                .collect();
            names.sort();
            names
        };
        return Some(WrittenProtocol {
            min_reader_version: number("minReaderVersion")?,
            min_writer_version: number("minWriterVersion")?,
            reader_features: features("readerFeatures"),
            writer_features: features("writerFeatures"),
        });
    }
    None
}

/// Looks for a protocol that is refused in the commits of a log that could not be loaded.
pub(crate) async fn refusal_in_log(store: &Store, log: &Log) -> Option<Error> {
    let written = in_log(store, log).await?;
    let min_reader_version = i32::try_from(written.min_reader_version).unwrap_or(i32::MAX);
    refuse(
        min_reader_version,
        &written.reader_features,
        store.location(),
    )
    .err()
}

fn refuse(min_reader_version: i32, features: &[String], location: &TableLocation) -> Result<()> {
    let mut missing: Vec<&str> = features
        .iter()
        .map(String::as_str)
        .filter(|feature| !READER_FEATURES.contains(feature))
        .collect();
    missing.sort_unstable();
    let what = if !missing.is_empty() {
        let plural = if missing.len() == 1 {
            "feature"
        } else {
            "features"
        };
        format!("the reader {plural} `{}`", missing.join("`, `"))
    } else if i64::from(min_reader_version) > i64::from(MAX_READER_VERSION) {
        format!("reader version {min_reader_version}")
    } else {
        return Ok(());
    };
    Err(Error::new(
        codes::UNSUPPORTED_FEATURE,
        format!("the Delta table at {location} needs {what}, which this version cannot read"),
    )
    .with_help("write a copy of the table without it, and use the copy as the dataset"))
}

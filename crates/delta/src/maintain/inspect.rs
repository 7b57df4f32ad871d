//! What a table says of itself.

use std::collections::BTreeMap;

use codeanatomy_vocab::{
    DeltaVersion, DeltaVersionSelector, Fingerprint, Result, RunId, UnixMillis, ViewName,
};
use deltalake_core::kernel::Snapshot;
use serde::Serialize;
use serde_json::Value;

use super::readable_store;
use crate::active::active_files;
use crate::output::stamp_of;
use crate::protocol::{self, WrittenProtocol, feature_names};
use crate::resolve::{find_log, load, readable, resolve};
use crate::schema::logical_schema;
use crate::store::Store;
use crate::{ProtocolSupport, StoreOptions, TableLocation};

/// A table in brief.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableInfo {
    /// Its id, which it keeps as long as it is the same table.
    pub id: String,
    /// Its name, where it was given one.
    pub name: Option<String>,
    /// Its description, where it was given one.
    pub description: Option<String>,
    /// Its newest version.
    pub version: DeltaVersion,
    /// The oldest version that the log can rebuild.
    pub oldest_version: DeltaVersion,
    /// The newest version with a checkpoint.
    pub checkpoint_version: Option<DeltaVersion>,
    /// When it was created, by its own word.
    pub created_at: Option<UnixMillis>,
    /// Its columns, in order.
    pub columns: Vec<ColumnInfo>,
    /// The columns by which it is partitioned.
    pub partition_by: Vec<String>,
    /// Its properties.
    pub properties: BTreeMap<String, String>,
    /// How many data files it has.
    pub n_files: usize,
    /// Their size in bytes.
    pub size_bytes: u64,
    /// How many rows it has; `None` where the log does not say it of every file.
    pub n_rows: Option<u64>,
    /// Files of which some rows are deleted without a rewrite.
    pub n_files_with_deletions: usize,
    /// What its readers and writers must know.
    pub protocol: ProtocolInfo,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// Its type, as scans return it.
    pub data_type: String,
    /// Whether it may be null.
    pub nullable: bool,
}

/// What readers and writers of a table must know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProtocolInfo {
    /// The oldest reader that may read it.
    pub min_reader_version: u32,
    /// The oldest writer that may write it.
    pub min_writer_version: u32,
    /// What readers must know, sorted.
    pub reader_features: Vec<String>,
    /// What writers must know, sorted.
    pub writer_features: Vec<String>,
    /// Reader features that this version does not know; with any, it refuses to read.
    pub unsupported_reader_features: Vec<String>,
    /// Writer features that this version does not know; with any, it refuses to write.
    pub unsupported_writer_features: Vec<String>,
}

/// A commit of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistoryEntry {
    /// The version that it made.
    pub version: DeltaVersion,
    /// When, by its own word.
    pub committed_at: Option<UnixMillis>,
    /// What it did, by its own word.
    pub operation: Option<String>,
    /// How, by its own word.
    pub parameters: Option<Value>,
    /// Which program made it.
    pub engine: Option<String>,
    /// Files that it added.
    pub files_added: usize,
    /// Files that it removed.
    pub files_removed: usize,
    /// Whether it changed rows, by its own word.
    pub data_change: bool,
    /// The view that it was written for, where this project wrote it.
    pub view: Option<ViewName>,
    /// The run that wrote it.
    pub run_id: Option<RunId>,
    /// The result key of its rows.
    pub result_key: Option<Fingerprint>,
}

/// A data file of a version.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileInfo {
    /// Its path: from the table's folder, or an absolute URL.
    pub path: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// When it was written.
    pub modified_at: UnixMillis,
    /// Its partition values as the log has them, by the names in files.
    pub partition_values: BTreeMap<String, Option<String>>,
    /// Rows in it, deleted ones among them.
    pub n_rows: Option<u64>,
    /// Rows of it that are deleted without a rewrite.
    pub n_deleted: u64,
    /// Statistics as the log has them.
    pub statistics: Option<Value>,
}

/// Describes the newest version of a table.
///
/// # Errors
///
/// As [`open`](crate::open).
pub async fn table_info(location: &TableLocation, options: &StoreOptions) -> Result<TableInfo> {
    let store = readable_store(location, options).await?;
    let log = find_log(&store).await?;
    let (oldest_version, _) = readable(&store, &log)?;
    let snapshot = load(&store, None).await?;
    let files = active_files(&store, &snapshot).await?;
    let metadata = snapshot.metadata();
    let schema = logical_schema(&snapshot.schema(), location)?;
    Ok(TableInfo {
        id: metadata.id().to_owned(),
        name: metadata.name().map(str::to_owned),
        description: metadata.description().map(str::to_owned),
        version: snapshot.version(),
        oldest_version,
        checkpoint_version: log
            .checkpoints
            .last_key_value()
            .map(|(version, _)| *version),
        created_at: metadata.created_time().map(UnixMillis),
        columns: schema
            .fields()
            .iter()
            .map(|field| ColumnInfo {
                name: field.name().clone(),
                data_type: field.data_type().to_string(),
                nullable: field.is_nullable(),
            })
            .collect(),
        partition_by: metadata.partition_columns().to_vec(),
        properties: metadata
            .configuration()
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        n_files: files.len(),
        size_bytes: files.iter().map(|file| file.size_bytes).sum(),
        n_rows: files.iter().map(|file| file.n_live_rows()).sum(),
        n_files_with_deletions: files
            .iter()
            .filter(|file| file.deletion_vector.is_some())
            .count(),
        protocol: protocol_info(&snapshot),
    })
}

/// Says what readers and writers of a table must know. It works for a table that this version
/// cannot read too, as long as a commit with its protocol is in the log.
///
/// # Errors
///
/// As [`open`](crate::open).
pub async fn table_protocol(
    location: &TableLocation,
    options: &StoreOptions,
) -> Result<ProtocolInfo> {
    let store = Store::open(location, options)?;
    let log = find_log(&store).await?;
    let error = match load(&store, None).await {
        Ok(snapshot) => return Ok(protocol_info(&snapshot)),
        Err(error) => error,
    };
    // What cannot be loaded may still say why.
    let written = protocol::in_log(&store, &log).await.ok_or(error)?;
    Ok(with_support(written))
}

/// The newest version of a table. Only names of files are looked at.
///
/// # Errors
///
/// [`CA-DELTA-0003`](crate::codes::NOT_A_TABLE) where there is none,
/// [`CA-DELTA-0007`](crate::codes::UNREADABLE) when the location cannot be read.
pub async fn newest_version(
    location: &TableLocation,
    options: &StoreOptions,
) -> Result<DeltaVersion> {
    let store = Store::open(location, options)?;
    Ok(find_log(&store).await?.newest().unwrap_or_default())
}

/// The commits of a table, newest first, at most `limit` of them. Commits that are gone from the
/// log are left out.
///
/// # Errors
///
/// As [`open`](crate::open).
pub async fn table_history(
    location: &TableLocation,
    options: &StoreOptions,
    limit: usize,
) -> Result<Vec<HistoryEntry>> {
    let store = Store::open(location, options)?;
    let log = find_log(&store).await?;
    let Some((newest, _)) = log.commits.last_key_value() else {
        return Ok(Vec::new());
    };
    let Some(skipped) = limit.checked_sub(1) else {
        return Ok(Vec::new());
    };
    let mut newest_first = log.commits.keys().rev();
    let first = newest_first.nth(skipped).or(log.commits.keys().next());
    let first = first.copied().unwrap_or(*newest);
    let mut entries: Vec<HistoryEntry> = store
        .commits(first..=*newest)
        .await?
        .into_iter()
        .filter_map(|(version, commit)| {
            let commit = commit?;
            let info = commit.action("commitInfo");
            let text = |key: &str| Some(info?.get(key)?.as_str()?.to_owned());
            let count = |kind: &str| commit.actions().filter(|(found, _)| *found == kind).count();
            let stamp = stamp_of(&commit).and_then(Result::ok);
            Some(HistoryEntry {
                version,
                committed_at: commit.time(),
                operation: text("operation"),
                parameters: info.and_then(|info| info.get("operationParameters").cloned()),
                engine: text("engineInfo"),
                files_added: count("add"),
                files_removed: count("remove"),
                data_change: commit.actions().any(|(kind, action)| {
                    matches!(kind, "add" | "remove")
                        && action.get("dataChange") == Some(&Value::Bool(true))
                }),
                view: stamp.as_ref().map(|stamp| stamp.view.clone()),
                run_id: stamp.as_ref().map(|stamp| stamp.run_id.clone()),
                result_key: stamp.map(|stamp| stamp.result_key),
            })
        })
        .collect();
    entries.reverse();
    Ok(entries)
}

/// The data files of a version, sorted by path, as the log has them; none is looked for.
///
/// # Errors
///
/// As [`open`](crate::open), but for files that are missing.
pub async fn table_files(
    location: &TableLocation,
    selector: DeltaVersionSelector,
    options: &StoreOptions,
) -> Result<Vec<FileInfo>> {
    let store = readable_store(location, options).await?;
    let version = resolve(&store, selector).await?;
    let snapshot = load(&store, version).await?;
    let files = active_files(&store, &snapshot).await?;
    Ok(files
        .into_iter()
        .map(|file| FileInfo {
            size_bytes: file.size_bytes,
            modified_at: file.modified,
            n_rows: file.n_rows,
            n_deleted: file
                .deletion_vector
                .as_ref()
                .map_or(0, |vector| vector.n_deleted),
            statistics: file
                .stats
                .as_deref()
                .and_then(|text| serde_json::from_str(text).ok()),
            path: file.path,
            partition_values: file
                .partition_values
                .iter()
                .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
                .collect(),
        })
        .collect())
}

fn protocol_info(snapshot: &Snapshot) -> ProtocolInfo {
    let protocol = snapshot.protocol();
    with_support(WrittenProtocol {
        min_reader_version: u32::try_from(protocol.min_reader_version()).unwrap_or(0),
        min_writer_version: u32::try_from(protocol.min_writer_version()).unwrap_or(0),
        reader_features: feature_names(protocol.reader_features()),
        writer_features: feature_names(protocol.writer_features()),
    })
}

fn with_support(protocol: WrittenProtocol) -> ProtocolInfo {
    let WrittenProtocol {
        min_reader_version,
        min_writer_version,
        reader_features,
        writer_features,
    } = protocol;
    let support = ProtocolSupport::default();
    let missing = |features: &[String], known: &std::collections::BTreeSet<String>| {
        let unknown = features.iter().filter(|name| !known.contains(*name));
        unknown.cloned().collect()
    };
    ProtocolInfo {
        min_reader_version,
        min_writer_version,
        unsupported_reader_features: missing(&reader_features, &support.supported_reader_features),
        unsupported_writer_features: missing(&writer_features, &support.supported_writer_features),
        reader_features,
        writer_features,
    }
}

//! The capability to read Delta tables, which somebody else brings.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use codeanatomy_vocab::{DeltaVersion, DeltaVersionSelector, Error, Result, UnixMillis};
use datafusion_catalog::TableProvider;

use crate::codes::NO_DELTA_READER;

/// Reads Delta tables for `delta_scan` and its kin.
///
/// A location is a path or a URL, as the call has it. Whoever implements this decides which
/// locations may be read, and with which credentials.
#[async_trait]
pub trait DeltaOpener: Debug + Send + Sync {
    /// The rows of one version.
    async fn scan(
        &self,
        location: &str,
        version: DeltaVersionSelector,
    ) -> Result<Arc<dyn TableProvider>>;

    /// The changes between versions: the columns of the table, then `_change_type`, `_commit_version`
    /// and `_commit_timestamp`.
    async fn changes(&self, location: &str, window: ChangeWindow)
    -> Result<Arc<dyn TableProvider>>;

    /// What the newest version says of itself.
    async fn metadata(&self, location: &str) -> Result<DeltaMetadata>;

    /// The data files of one version.
    async fn files(&self, location: &str, version: DeltaVersionSelector) -> Result<Vec<DeltaFile>>;
}

/// The versions whose changes are asked for, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeWindow {
    /// The first version.
    pub starting_version: DeltaVersion,
    /// The last one; the newest where there is none.
    pub ending_version: Option<DeltaVersion>,
    /// Whether a start beyond the newest version gives no rows, and not an error.
    pub allow_out_of_range: bool,
}

/// What a Delta table says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeltaMetadata {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The newest version.
    pub version: DeltaVersion,
    /// The oldest version that can still be read.
    pub oldest_version: DeltaVersion,
    /// When it was made.
    pub created_at: Option<UnixMillis>,
    /// Its columns: name, Arrow type, whether it may be null.
    pub columns: Vec<(String, String, bool)>,
    /// The columns that it is partitioned by.
    pub partition_by: Vec<String>,
    /// Its properties.
    pub properties: BTreeMap<String, String>,
    /// The number of data files.
    pub n_files: u64,
    /// Their size.
    pub size_bytes: u64,
    /// The number of rows, where the log says it.
    pub n_rows: Option<u64>,
    /// The version of the protocol that a reader must know.
    pub min_reader_version: u32,
    /// The version of the protocol that a writer must know.
    pub min_writer_version: u32,
    /// What a reader must know beyond.
    pub reader_features: Vec<String>,
    /// What a writer must know beyond.
    pub writer_features: Vec<String>,
}

/// A data file of a Delta table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeltaFile {
    /// Its path from the table's folder, or an absolute URL.
    pub path: String,
    /// Its size.
    pub size_bytes: u64,
    /// When it was written.
    pub modified_at: UnixMillis,
    /// Its partition values as the log has them.
    pub partition_values: BTreeMap<String, Option<String>>,
    /// Rows in it, deleted ones among them, where the log says it.
    pub n_rows: Option<u64>,
    /// Rows in it that are deleted without a rewrite.
    pub n_deleted: u64,
}

/// Stands where nobody brought the capability.
#[derive(Debug)]
pub(crate) struct NoReader;

fn no_reader<T>() -> Result<T> {
    Err(Error::new(
        NO_DELTA_READER,
        "this session has no reader for Delta tables",
    )
    .with_help("register the functions of `Library::builtin_with_delta`"))
}

#[async_trait]
impl DeltaOpener for NoReader {
    async fn scan(&self, _: &str, _: DeltaVersionSelector) -> Result<Arc<dyn TableProvider>> {
        no_reader()
    }

    async fn changes(&self, _: &str, _: ChangeWindow) -> Result<Arc<dyn TableProvider>> {
        no_reader()
    }

    async fn metadata(&self, _: &str) -> Result<DeltaMetadata> {
        no_reader()
    }

    async fn files(&self, _: &str, _: DeltaVersionSelector) -> Result<Vec<DeltaFile>> {
        no_reader()
    }
}

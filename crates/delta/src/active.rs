//! The data files of one version.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use arrow_schema::DataType;
use codeanatomy_vocab::{Error, Result, UnixMillis};
use deltalake_core::kernel::{
    Add, DeletionVectorDescriptor, EagerSnapshot, LogicalFileView, Remove, Snapshot,
};
use deltalake_core::{ObjectStore, ObjectStoreError, Path as StorePath};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use url::Url;

use crate::error::{Access, guarded, internal, store_error};
use crate::file_values::{FileValues, Texts};
use crate::store::Store;
use crate::{TableLocation, codes};

/// A data file that belongs to the pinned version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActiveFile {
    /// From the table's folder, or an absolute URL; decoded, as the store names it.
    pub(crate) path: String,
    pub(crate) size_bytes: u64,
    pub(crate) modified: UnixMillis,
    /// Values as the log writes them, by the names of the columns in the files.
    pub(crate) partition_values: FileValues,
    /// Statistics as the log writes them: a JSON object.
    pub(crate) stats: Option<Box<str>>,
    /// Rows in the file, deleted ones among them.
    pub(crate) n_rows: Option<u64>,
    pub(crate) deletion_vector: Option<DeletionVector>,
}

/// Rows of a file that are deleted without a rewrite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DeletionVector {
    pub(crate) id: String,
    pub(crate) n_deleted: u64,
}

/// What tells a file of a log from all others: its path and its deletion vector.
///
/// Files are never written twice, so equal keys have equal rows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileKey {
    pub(crate) path: String,
    pub(crate) vector_id: Option<String>,
}

impl DeletionVector {
    pub(crate) fn new(vector: &DeletionVectorDescriptor) -> Self {
        Self {
            id: format!(
                "{}{}@{}",
                vector.storage_type.as_ref(),
                vector.path_or_inline_dv,
                vector.offset.unwrap_or(-1)
            ),
            n_deleted: u64::try_from(vector.cardinality).unwrap_or(0),
        }
    }
}

impl From<Add> for ActiveFile {
    fn from(add: Add) -> Self {
        Self {
            path: add.path,
            size_bytes: u64::try_from(add.size).unwrap_or(0),
            modified: UnixMillis(add.modification_time),
            partition_values: add.partition_values.into_iter().collect(),
            n_rows: add.stats.as_deref().and_then(n_rows_of),
            stats: add.stats.map(String::into_boxed_str),
            deletion_vector: add.deletion_vector.as_ref().map(DeletionVector::new),
        }
    }
}

impl ActiveFile {
    pub(crate) fn key(&self) -> FileKey {
        FileKey {
            path: self.path.clone(),
            vector_id: self.vector_id().map(str::to_owned),
        }
    }

    /// The identity of its deletion vector.
    pub(crate) fn vector_id(&self) -> Option<&str> {
        self.deletion_vector
            .as_ref()
            .map(|vector| vector.id.as_str())
    }

    /// Where the file is on this machine.
    ///
    /// # Errors
    ///
    /// [`CA-DELTA-0002`](codes::UNSUPPORTED_STORE) when it lies in another store.
    pub(crate) fn local_path(&self, location: &TableLocation) -> Result<PathBuf> {
        let local = match Url::parse(&self.path) {
            Ok(url) if url.scheme() == "file" => url.to_file_path().ok(),
            Ok(url) if url.has_authority() => None,
            _ => location.local_path().map(|folder| folder.join(&self.path)),
        };
        local.ok_or_else(|| {
            Error::new(
                codes::UNSUPPORTED_STORE,
                format!(
                    "a file of the Delta table at {location} lies in a store that is not available"
                ),
            )
            .with_help("copy the table with its files to a local folder")
        })
    }

    /// Rows that a scan returns.
    pub(crate) fn n_live_rows(&self) -> Option<u64> {
        let n_deleted = self
            .deletion_vector
            .as_ref()
            .map_or(0, |vector| vector.n_deleted);
        self.n_rows?.checked_sub(n_deleted)
    }
}

/// All data files of a snapshot, sorted by path.
pub(crate) async fn active_files(store: &Store, snapshot: &Snapshot) -> Result<Vec<ActiveFile>> {
    let log_store = store.log_store().as_ref();
    let mut texts = Texts::default();
    let views = snapshot
        .file_views(log_store, None)
        .map_ok(|view| active_file(&view, &mut texts))
        .try_collect();
    let mut files: Vec<ActiveFile> = guarded(store.location(), views)
        .await?
        .map_err(|error| store.log_error(error))?;
    if files.iter().any(|file| file.stats.is_none()) {
        // A checkpoint may hold statistics in columns alone. They take longer to read.
        let eager = EagerSnapshot::try_new(log_store, Some(snapshot.version()));
        let eager = guarded(store.location(), eager)
            .await?
            .map_err(|error| store.log_error(error))?;
        let views = eager
            .try_log_data()
            .map_err(|error| store.log_error(error))?;
        let mut texts = Texts::default();
        files = views
            .iter()
            .map(|view| active_file(&view, &mut texts))
            .collect();
    }
    files.sort_by(|a, b| (&a.path, a.vector_id()).cmp(&(&b.path, b.vector_id())));
    Ok(files)
}

/// The paths of a snapshot's files, each with its form in the log.
pub(crate) async fn raw_paths(
    store: &Store,
    snapshot: &Snapshot,
) -> Result<BTreeMap<String, String>> {
    let batches = snapshot
        .files(store.log_store().as_ref(), None)
        .try_collect();
    let batches: Vec<RecordBatch> = guarded(store.location(), batches)
        .await?
        .map_err(|error| store.log_error(error))?;
    let mut paths = BTreeMap::new();
    for batch in &batches {
        let Some(column) = batch.column_by_name("path") else {
            continue;
        };
        for raw in text_values(column) {
            let action = serde_json::json!({ "path": raw, "dataChange": true });
            let decoded: Remove = serde_json::from_value(action)
                .map_err(|error| internal("reading a path of the log", error))?;
            paths.insert(decoded.path, raw);
        }
    }
    Ok(paths)
}

fn text_values(column: &ArrayRef) -> Vec<String> {
    match column.data_type() {
        DataType::Utf8 => column
            .as_string::<i32>()
            .iter()
            .flatten()
            .map(str::to_owned)
            .collect(),
        DataType::Utf8View => column
            .as_string_view()
            .iter()
            .flatten()
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}

/// Refuses a version with a file that is missing, or of another size than the log says.
pub(crate) async fn check(store: &Store, files: &[ActiveFile]) -> Result<()> {
    match first_problem(store, files).await? {
        None => Ok(()),
        Some((path, problem)) => Err(problem.error(store.location()).with("file", path.display())),
    }
}

/// The first file with which something is wrong.
pub(crate) async fn first_problem(
    store: &Store,
    files: &[ActiveFile],
) -> Result<Option<(PathBuf, Problem)>> {
    if store.location().local_path().is_none() {
        return first_problem_over_the_network(store, files).await;
    }
    let expected: Vec<(PathBuf, u64)> = files
        .iter()
        .map(|file| Ok((file.local_path(store.location())?, file.size_bytes)))
        .collect::<Result<_>>()?;
    let check = move || {
        for (path, size_bytes) in expected {
            let problem = match std::fs::metadata(&path) {
                Ok(metadata) if metadata.len() == size_bytes => continue,
                Ok(metadata) => Problem::Size(size_bytes, metadata.len()),
                Err(error) => Problem::Unreadable(error),
            };
            return Some((path, problem));
        }
        None
    };
    tokio::task::spawn_blocking(check)
        .await
        .map_err(|error| internal("looking at data files", error))
}

/// As [`first_problem`]. A few files are asked for one by one, many by one listing of the table.
async fn first_problem_over_the_network(
    store: &Store,
    files: &[ActiveFile],
) -> Result<Option<(PathBuf, Problem)>> {
    const MAX_SINGLE: usize = 64;
    const AT_A_TIME: usize = 16;
    let read_error = |error| store_error(error, Access::Read, store.location());
    let verdict = |file: &ActiveFile, found: Option<u64>| {
        let problem = match found {
            Some(size_bytes) if size_bytes == file.size_bytes => return None,
            Some(size_bytes) => Problem::Size(file.size_bytes, size_bytes),
            None => Problem::Missing,
        };
        Some((PathBuf::from(&file.path), problem))
    };
    let objects = store.files();
    if files.len() <= MAX_SINGLE {
        let here: Vec<&ActiveFile> = files.iter().filter(|file| !is_elsewhere(file)).collect();
        let paths: Vec<StorePath> = here
            .iter()
            .map(|file| relative_path(file))
            .collect::<Result<_>>()?;
        // Owned, for a future that borrows from a closure is not one that may move between threads.
        let sizes: Vec<Option<u64>> = futures::stream::iter(paths)
            .map(|path| size_of(Arc::clone(&objects), path))
            .buffered(AT_A_TIME)
            .try_collect()
            .await
            .map_err(read_error)?;
        let mut found = here.into_iter().zip(sizes);
        return Ok(found.find_map(|(file, size)| verdict(file, size)));
    }
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    let mut listing = objects.list(None);
    while let Some(meta) = listing.try_next().await.map_err(read_error)? {
        sizes.insert(meta.location.into(), meta.size);
    }
    Ok(files
        .iter()
        .filter(|file| !is_elsewhere(file))
        .find_map(|file| verdict(file, sizes.get(&file.path).copied())))
}

/// The size of an object; `None` where there is none.
async fn size_of(
    objects: Arc<dyn ObjectStore>,
    path: StorePath,
) -> Result<Option<u64>, ObjectStoreError> {
    match objects.head(&path).await {
        Ok(meta) => Ok(Some(meta.size)),
        Err(ObjectStoreError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The path of a file below the table's folder.
fn relative_path(file: &ActiveFile) -> Result<StorePath> {
    StorePath::parse(&file.path).map_err(|error| {
        Error::new(
            codes::DAMAGED_TABLE,
            "the log of the Delta table names a file that cannot exist",
        )
        .with("file", &file.path)
        .with_source(error)
        .with_help("correct the path in `_delta_log`, or write the table again")
    })
}

/// Whether a file has a URL of its own.
fn is_elsewhere(file: &ActiveFile) -> bool {
    Url::parse(&file.path).is_ok_and(|url| url.has_authority())
}

/// What is wrong with a file.
pub(crate) enum Problem {
    /// Expected and found.
    Size(u64, u64),
    /// The store has no such file.
    Missing,
    Unreadable(io::Error),
}

impl Problem {
    /// Whether the file is not there.
    pub(crate) fn is_missing(&self) -> bool {
        match self {
            Self::Missing => true,
            Self::Unreadable(error) => error.kind() == io::ErrorKind::NotFound,
            Self::Size(..) => false,
        }
    }

    pub(crate) fn error(self, location: &TableLocation) -> Error {
        match self {
            Self::Unreadable(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Error::new(
                    codes::UNREADABLE,
                    format!("a data file of the Delta table at {location} cannot be read"),
                )
                .with_source(error)
                .with_help("check that you may read the folder and all files in it")
            }
            Self::Unreadable(error) => Error::new(
                codes::DAMAGED_TABLE,
                format!("the Delta table at {location} misses a data file of this version"),
            )
            .with_source(error)
            .with_help("restore the file, pick a version that has all of its files, or write the table again"),
            Self::Missing => Error::new(
                codes::DAMAGED_TABLE,
                format!("the Delta table at {location} misses a data file of this version"),
            )
            .with_help("restore the file, pick a version that has all of its files, or write the table again"),
            Self::Size(expected, found) => Error::new(
                codes::DAMAGED_TABLE,
                format!(
                    "a data file of the Delta table at {location} has {found} bytes, and {expected} \
                     by the log"
                ),
            )
            .with_help("restore the file, or write the table again"),
        }
    }
}

fn active_file(view: &LogicalFileView, texts: &mut Texts) -> ActiveFile {
    let stats = view.stats();
    ActiveFile {
        path: view.path().into_owned(),
        size_bytes: u64::try_from(view.size()).unwrap_or(0),
        modified: UnixMillis(view.modification_time()),
        partition_values: FileValues::new(view.partition_values_map(), texts),
        n_rows: stats.as_deref().and_then(n_rows_of),
        stats: stats.map(String::into_boxed_str),
        deletion_vector: view
            .deletion_vector_descriptor()
            .as_ref()
            .map(DeletionVector::new),
    }
}

pub(crate) fn n_rows_of(stats: &str) -> Option<u64> {
    #[derive(serde::Deserialize)]
    struct Rows {
        #[serde(rename = "numRecords")]
        n_rows: Option<u64>,
    }
    serde_json::from_str::<Rows>(stats).ok()?.n_rows
}

//! One Delta table at one version.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use codeanatomy_vocab::{
    DatasetName, DeltaInputPin, DeltaVersion, DeltaVersionSelector, Error, Fingerprint, Result,
};
use datafusion_catalog::{Session, TableProvider};
use datafusion_expr::Expr;
use deltalake_core::kernel::Snapshot;
use serde::{Deserialize, Serialize};

use crate::active::{self, ActiveFile, active_files};
use crate::columns::Definitions;
use crate::footprint::table_footprint;
use crate::placement::Placement;
use crate::protocol::{self, Layout};
use crate::prune::{Pruning, survivors};
use crate::resolve::{find_log, gone, load, resolve};
use crate::scan::{FilesScan, LibraryScan, ReadCounter};
use crate::schema::logical_schema;
use crate::store::Store;
use crate::{StoreOptions, TableLocation, codes};

/// One Delta table at one version: what a run reads, and nothing that is written later.
///
/// # Example: what does a pin know?
///
/// ```no_run
/// use std::path::Path;
///
/// use codeanatomy_delta::{StoreOptions, TableLocation, open};
/// use codeanatomy_vocab::{DatasetName, DeltaVersionSelector};
///
/// # async fn example() -> codeanatomy_vocab::Result<()> {
/// let name = DatasetName::new("orders")?;
/// let location = TableLocation::parse("data/orders", Path::new("/shop"))?;
/// let table = open(&name, &location, DeltaVersionSelector::Latest, &StoreOptions::new()).await?;
/// println!("{} rows in {} files", table.n_rows().unwrap_or(0), table.n_files());
/// # Ok(())
/// # }
/// ```
pub struct PinnedTable {
    store: Store,
    pin: DeltaInputPin,
    partition_by: Vec<String>,
    definitions: Definitions,
    placement: Arc<Placement>,
    layout: Layout,
    snapshot: Arc<Snapshot>,
    files: Vec<Arc<ActiveFile>>,
    /// For the paths of files their form in the log, where the library is to find them by it.
    raw_paths: BTreeMap<String, String>,
    footprint: Fingerprint,
}

/// How a table is scanned.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScanConfig {
    /// The name of a further column, the last, that holds the path of each row's file: from the
    /// table's folder, or an absolute URL.
    pub file_column: Option<String>,
    /// The files that are read, by path; all of them where not given.
    pub file_paths: Option<Vec<String>>,
    /// Whether filters are evaluated while pages are decoded; the session says it where not given.
    pub parquet_pushdown: Option<bool>,
}

/// A provider, and the count of what its scans read, where somebody counts.
pub type CountedProvider = (Arc<dyn TableProvider>, Option<Arc<ReadCounter>>);

/// Whether there is a Delta table at the location: whether its `_delta_log` holds a commit or a
/// checkpoint. The table need not be readable.
///
/// # Errors
///
/// [`CA-DELTA-0007`](crate::codes::UNREADABLE) when the location cannot be read.
pub async fn is_delta_table(location: &TableLocation, options: &StoreOptions) -> Result<bool> {
    let store = Store::open(location, options)?;
    Ok(store.log().await?.newest().is_some())
}

/// Opens a Delta table and fixes its version.
///
/// `Latest` is the newest version at the time of the call. A timestamp selects the newest version
/// committed at or before it; the time of a commit is the one it names itself, else the time of
/// its file, and never earlier than that of the commit before.
///
/// # Errors
///
/// - [`CA-DELTA-0003`](crate::codes::NOT_A_TABLE): nothing there, or no Delta table.
/// - [`CA-DELTA-0004`](crate::codes::VERSION_NOT_FOUND): the version is newer than the table's, the
///   time is before the first commit, the version was cleaned from the log, or its files were
///   vacuumed; the help says which versions there are, or the oldest that still works.
/// - [`CA-DELTA-0005`](crate::codes::UNSUPPORTED_FEATURE): the table needs a feature that this version
///   cannot read; the message names all of them.
/// - [`CA-DELTA-0006`](crate::codes::DAMAGED_TABLE): the log is damaged or incomplete, or a data
///   file is missing or of another size.
/// - [`CA-DELTA-0007`](crate::codes::UNREADABLE): the location cannot be read.
pub async fn open(
    name: &DatasetName,
    location: &TableLocation,
    selector: DeltaVersionSelector,
    options: &StoreOptions,
) -> Result<PinnedTable> {
    let store = Store::open(location, options)?;
    open_in(store, name, selector, options.hash())
        .await
        .map_err(|error| error.with("dataset", name))
}

pub(crate) async fn open_in(
    store: Store,
    name: &DatasetName,
    selector: DeltaVersionSelector,
    storage_options_hash: Fingerprint,
) -> Result<PinnedTable> {
    let version = resolve(&store, selector).await?;
    let snapshot = load(&store, version).await?;
    let layout = protocol::check(snapshot.protocol(), snapshot.metadata(), store.location())?;
    let schema = logical_schema(&snapshot.schema(), store.location())?;
    let files = active_files(&store, &snapshot).await?;
    let version = snapshot.version();
    check_files(&store, version, &files).await?;
    let committed_at = store.commit_time(version).await?;
    let protocol = snapshot.protocol();
    let pin = DeltaInputPin {
        dataset_name: name.clone(),
        version,
        committed_at,
        table_id: snapshot.metadata().id().to_owned(),
        min_reader_version: unsigned(protocol.min_reader_version()),
        min_writer_version: unsigned(protocol.min_writer_version()),
        reader_features: protocol::feature_names(protocol.reader_features()),
        writer_features: protocol::feature_names(protocol.writer_features()),
        storage_options_hash,
    };
    let definitions = Definitions::of(&snapshot)?;
    let partition_by = snapshot.metadata().partition_columns().to_vec();
    let placement = Placement::new(store.location(), &schema, &partition_by, &definitions)?;
    let footprint = table_footprint(&definitions, &files);
    let layout = match layout {
        Layout::Plain if files.iter().any(|file| file.deletion_vector.is_some()) => {
            Layout::DeletionVectors
        }
        layout => layout,
    };
    let raw_paths = match layout {
        Layout::Plain => BTreeMap::new(),
        Layout::ColumnMapping | Layout::DeletionVectors => {
            active::raw_paths(&store, &snapshot).await?
        }
    };
    tracing::debug!(
        dataset = %name, %version, files = files.len(), ?layout, "opened a Delta table"
    );
    Ok(PinnedTable {
        store,
        pin,
        partition_by,
        definitions,
        placement: Arc::new(placement),
        layout,
        snapshot: Arc::new(snapshot),
        files: files.into_iter().map(Arc::new).collect(),
        raw_paths,
        footprint,
    })
}

/// Refuses a version whose files are not all there, before anything runs.
async fn check_files(store: &Store, version: DeltaVersion, files: &[ActiveFile]) -> Result<()> {
    let Some((path, problem)) = active::first_problem(store, files).await? else {
        return Ok(());
    };
    let log = find_log(store).await?;
    let error = if problem.is_missing() && log.newest().is_some_and(|newest| version < newest) {
        let why = "cannot be read any more: its data files were vacuumed";
        gone(store, &log, version, why).await
    } else {
        problem.error(store.location())
    };
    Err(error.with("file", path.display()))
}

impl PinnedTable {
    /// The fixed version and what the table says of itself.
    pub fn pin(&self) -> &DeltaInputPin {
        &self.pin
    }

    /// The columns as scans return them, in the order of the table.
    ///
    /// Text is `Utf8`, bytes are `Binary`, also in nested types; no column is a dictionary. Times
    /// are microseconds, in `UTC` or without a zone. Fields carry no metadata. What is nested in a
    /// column may always be null, because files of other writers say so of what may not.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.placement.schema)
    }

    /// The columns by whose values the files are laid out.
    pub fn partition_by(&self) -> &[String] {
        &self.partition_by
    }

    /// The identity of the data: equal footprints hold the same rows.
    ///
    /// It covers the columns (names, types, nullability, names in files) and the active files
    /// (path, size, time, partition values, deletion vector), sorted. It does not cover the version,
    /// properties or comments, so a commit that changes none of these keeps it.
    pub fn footprint(&self) -> Fingerprint {
        self.footprint
    }

    /// How many data files the version has.
    pub fn n_files(&self) -> usize {
        self.files.len()
    }

    /// The size of all data files.
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }

    /// How many rows the version has; `None` where the log does not say it of every file.
    pub fn n_rows(&self) -> Option<u64> {
        self.files.iter().map(|file| file.n_live_rows()).sum()
    }

    /// The table as the engine reads it: exactly the pinned files, with [`Self::schema`].
    ///
    /// # Errors
    ///
    /// [`CA-DELTA-0006`](crate::codes::DAMAGED_TABLE) when the log holds a partition value that is none of
    /// its column's type; [`CA-DELTA-0002`](crate::codes::UNSUPPORTED_STORE) when a file lies in another
    /// store.
    pub fn provider(&self) -> Result<Arc<dyn TableProvider>> {
        self.provider_with(&ScanConfig::default())
    }

    /// The files that filters leave; all of `filters` must hold.
    ///
    /// The filters are those of an analyzed plan, about columns of this table by whatever
    /// qualifier, with types that fit. A part of a filter that only the running query can answer
    /// (a subquery, a volatile function) leaves nothing out. `session` gives functions and
    /// settings to the filters.
    pub fn prune(&self, session: &dyn Session, filters: &[Expr]) -> Pruning {
        let files: Vec<&ActiveFile> = self.files.iter().map(AsRef::as_ref).collect();
        let survives = survivors(session, &self.placement, filters, &files);
        Pruning::of(&files, &survives)
    }

    /// As [`provider`](Self::provider), but with these files alone, by their paths as
    /// [`Pruning::candidate_paths`] has them.
    ///
    /// # Errors
    ///
    /// As [`provider_with`](Self::provider_with).
    pub fn provider_of(&self, paths: &[String]) -> Result<Arc<dyn TableProvider>> {
        self.provider_with(&ScanConfig {
            file_paths: Some(paths.to_vec()),
            ..ScanConfig::default()
        })
    }

    /// The table as the engine reads it, with a choice of files and of what comes with the rows.
    ///
    /// # Errors
    ///
    /// As [`provider`](Self::provider); [`CA-DELTA-0023`](crate::codes::NO_SUCH_FILE) for a path
    /// that is none of the version's files; [`CA-DELTA-0033`](crate::codes::INVALID_SCAN) for a
    /// column of paths that has the name of another column, or in a table with deletion vectors or
    /// column mapping.
    pub fn provider_with(&self, config: &ScanConfig) -> Result<Arc<dyn TableProvider>> {
        self.open_scan(config, None)
    }

    /// As [`provider_with`](Self::provider_with), with a count of what its scans read. `None` in
    /// place of the count for a table with deletion vectors or column mapping, whose files the
    /// Delta library opens.
    ///
    /// # Errors
    ///
    /// As [`provider_with`](Self::provider_with).
    pub fn counted_provider(&self, config: &ScanConfig) -> Result<CountedProvider> {
        let counter = match self.layout {
            Layout::Plain => Some(Arc::new(ReadCounter::default())),
            Layout::ColumnMapping | Layout::DeletionVectors => None,
        };
        Ok((self.open_scan(config, counter.clone())?, counter))
    }

    fn open_scan(
        &self,
        config: &ScanConfig,
        counter: Option<Arc<ReadCounter>>,
    ) -> Result<Arc<dyn TableProvider>> {
        let files = match &config.file_paths {
            None => self.files.clone(),
            Some(paths) => self.files_at(paths)?,
        };
        let placement = match &config.file_column {
            None => Arc::clone(&self.placement),
            Some(column) => {
                self.check_file_column(column)?;
                Arc::new(self.placement.with_path(column))
            }
        };
        match self.layout {
            Layout::Plain => {
                let pushdown = config.parquet_pushdown;
                let scan = FilesScan::new(&self.store, &placement, &files, pushdown, counter)?;
                Ok(Arc::new(scan))
            }
            Layout::ColumnMapping | Layout::DeletionVectors => {
                let is_restricted = files.len() < self.files.len();
                let raw_paths = is_restricted.then(|| self.raw_paths(&files));
                let scan =
                    LibraryScan::new(&self.store, &self.snapshot, &placement, &files, raw_paths)?;
                Ok(Arc::new(scan))
            }
        }
    }

    fn check_file_column(&self, column: &str) -> Result<()> {
        let why = if self.placement.schema.field_with_name(column).is_ok() {
            "the table has a column of that name"
        } else if self.layout != Layout::Plain {
            "the table has deletion vectors or maps its columns"
        } else {
            return Ok(());
        };
        Err(Error::new(
            codes::INVALID_SCAN,
            format!("the scan cannot have a column `{column}` of file paths: {why}"),
        )
        .with("dataset", &self.pin.dataset_name)
        .with_help("choose another name, or scan without it"))
    }

    fn files_at(&self, paths: &[String]) -> Result<Vec<Arc<ActiveFile>>> {
        paths
            .iter()
            .map(|path| {
                let place = self.files.binary_search_by(|file| file.path.cmp(path));
                place
                    .map(|place| Arc::clone(&self.files[place]))
                    .map_err(|_| self.no_such_file(path))
            })
            .collect()
    }

    /// The paths of files as the log writes them.
    fn raw_paths(&self, files: &[Arc<ActiveFile>]) -> Vec<String> {
        files
            .iter()
            .map(|file| {
                let raw = self.raw_paths.get(&file.path);
                raw.unwrap_or(&file.path).clone()
            })
            .collect()
    }

    fn no_such_file(&self, path: &str) -> Error {
        Error::new(
            codes::NO_SUCH_FILE,
            format!(
                "version {} of the Delta table at {} has no file `{path}`",
                self.pin.version,
                self.store.location()
            ),
        )
        .with("dataset", &self.pin.dataset_name)
        .with_help("prune the pinned version anew, and use the paths as it gives them")
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    pub(crate) fn placement(&self) -> &Placement {
        &self.placement
    }

    /// The active files, sorted by path.
    pub(crate) fn files(&self) -> &[Arc<ActiveFile>] {
        &self.files
    }
}

impl std::fmt::Debug for PinnedTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PinnedTable")
            .field("pin", &self.pin)
            .field("location", self.store.location())
            .field("n_files", &self.n_files())
            .finish_non_exhaustive()
    }
}

fn unsigned(version: i32) -> u32 {
    u32::try_from(version).unwrap_or(0)
}

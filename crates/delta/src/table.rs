//! One Delta table at one version.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_schema::SchemaRef;
use codeanatomy_vocab::{
    DatasetName, DeltaInputPin, DeltaVersion, DeltaVersionSelector, Encoder, Error, Fingerprint,
    Result, UnixMillis,
};
use datafusion_catalog::TableProvider;
use deltalake_core::kernel::{LogicalFileView, Snapshot};
use futures::TryStreamExt;
use serde_json::Value;

use crate::protocol::{self, Layout};
use crate::scan::{FilesScan, LibraryScan};
use crate::schema::logical_schema;
use crate::store::{Log, Store};
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
    schema: SchemaRef,
    partition_by: Vec<String>,
    layout: Layout,
    snapshot: Arc<Snapshot>,
    files: Arc<[ActiveFile]>,
    footprint: Fingerprint,
}

/// A data file that belongs to the pinned version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActiveFile {
    /// From the table's folder, or an absolute URL; decoded, as the store names it.
    pub(crate) path: String,
    pub(crate) size_bytes: u64,
    pub(crate) modified: UnixMillis,
    /// Values as the log writes them, by the names of the columns in the files.
    pub(crate) partition_values: BTreeMap<String, Option<String>>,
    /// Statistics as the log writes them: a JSON object.
    pub(crate) stats: Option<String>,
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

/// Whether there is a Delta table at the location: whether its `_delta_log` holds a commit or a
/// checkpoint. The table need not be readable.
///
/// # Errors
///
/// [`CA-DELTA-0007`](codes::UNREADABLE) when the location cannot be read.
pub async fn is_delta_table(location: &TableLocation) -> Result<bool> {
    let store = Store::open(location, &StoreOptions::new())?;
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
/// - [`CA-DELTA-0003`](codes::NOT_A_TABLE): nothing there, or no Delta table.
/// - [`CA-DELTA-0004`](codes::VERSION_NOT_FOUND): no such version; the message says which there are.
/// - [`CA-DELTA-0005`](codes::UNSUPPORTED_FEATURE): the table needs a feature that this version
///   cannot read; the message names all of them.
/// - [`CA-DELTA-0006`](codes::DAMAGED_TABLE): the log is damaged or incomplete.
/// - [`CA-DELTA-0007`](codes::UNREADABLE): the location cannot be read.
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
    let committed_at = match store.commit(version).await? {
        Some(commit) => commit.time(),
        None => None,
    };
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
    let footprint = footprint(&snapshot, &files)?;
    let layout = match layout {
        Layout::Plain if files.iter().any(|file| file.deletion_vector.is_some()) => {
            Layout::DeletionVectors
        }
        layout => layout,
    };
    tracing::debug!(
        dataset = %name, %version, files = files.len(), ?layout, "opened a Delta table"
    );
    Ok(PinnedTable {
        partition_by: snapshot.metadata().partition_columns().to_vec(),
        store,
        pin,
        schema,
        layout,
        snapshot: Arc::new(snapshot),
        files: files.into(),
        footprint,
    })
}

impl PinnedTable {
    /// The fixed version and what the table says of itself.
    pub fn pin(&self) -> &DeltaInputPin {
        &self.pin
    }

    /// The columns as scans return them, in the order of the table.
    ///
    /// Text is `Utf8`, bytes are `Binary`, also in nested types; no column is a dictionary. Times
    /// are microseconds, in `UTC` or without a zone. Fields carry no metadata.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The columns by whose values the files are laid out.
    pub fn partition_by(&self) -> &[String] {
        &self.partition_by
    }

    /// The identity of the data: equal footprints hold the same rows.
    ///
    /// It covers the columns (names, types, nullability, names in files) and the active files
    /// (path, size, partition values, deletion vector), sorted. It does not cover the version,
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
        self.files.iter().map(ActiveFile::n_live_rows).sum()
    }

    /// The table as the engine reads it: exactly the pinned files, with [`Self::schema`].
    ///
    /// # Errors
    ///
    /// [`CA-DELTA-0006`](codes::DAMAGED_TABLE) when the log holds a partition value that is none of
    /// its column's type; [`CA-DELTA-0002`](codes::UNSUPPORTED_STORE) when a file lies in another
    /// store.
    pub fn provider(&self) -> Result<Arc<dyn TableProvider>> {
        match self.layout {
            Layout::Plain => Ok(Arc::new(FilesScan::new(
                self.store.location(),
                &self.schema,
                &self.partition_by,
                &self.files,
            )?)),
            Layout::ColumnMapping | Layout::DeletionVectors => Ok(Arc::new(LibraryScan::new(
                &self.snapshot,
                &self.schema,
                &self.files,
            )?)),
        }
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

impl ActiveFile {
    /// Rows that a scan returns.
    pub(crate) fn n_live_rows(&self) -> Option<u64> {
        let n_deleted = self
            .deletion_vector
            .as_ref()
            .map_or(0, |vector| vector.n_deleted);
        self.n_rows?.checked_sub(n_deleted)
    }
}

/// Loads the snapshot of one version, or of the newest.
pub(crate) async fn load(store: &Store, version: Option<DeltaVersion>) -> Result<Snapshot> {
    let error = match Snapshot::try_new(store.log_store().as_ref(), version).await {
        Ok(snapshot) => return Ok(snapshot),
        Err(error) => error,
    };
    // The library says little about what is wrong, so look again.
    if let Some(missing) = missing_table(store).await? {
        return Err(missing);
    }
    if let Some(refusal) = protocol::refusal_in_log(store).await {
        return Err(refusal);
    }
    Err(store.log_error(error))
}

/// All data files of a snapshot, sorted by path.
pub(crate) async fn active_files(store: &Store, snapshot: &Snapshot) -> Result<Vec<ActiveFile>> {
    let mut files: Vec<ActiveFile> = snapshot
        .file_views(store.log_store().as_ref(), None)
        .map_ok(|view| active_file(&view))
        .try_collect()
        .await
        .map_err(|error| store.log_error(error))?;
    files.sort_by(|a, b| (&a.path, dv_id(a)).cmp(&(&b.path, dv_id(b))));
    Ok(files)
}

fn dv_id(file: &ActiveFile) -> Option<&str> {
    file.deletion_vector
        .as_ref()
        .map(|vector| vector.id.as_str())
}

fn active_file(view: &LogicalFileView) -> ActiveFile {
    let stats = view.stats();
    ActiveFile {
        path: view.path().into_owned(),
        size_bytes: u64::try_from(view.size()).unwrap_or(0),
        modified: UnixMillis(view.modification_time()),
        partition_values: view.partition_values_map().into_iter().collect(),
        n_rows: stats.as_deref().and_then(n_rows_of),
        stats,
        deletion_vector: view
            .deletion_vector_descriptor()
            .map(|vector| DeletionVector {
                id: format!(
                    "{}{}@{}",
                    vector.storage_type.as_ref(),
                    vector.path_or_inline_dv,
                    vector.offset.unwrap_or(-1)
                ),
                n_deleted: u64::try_from(vector.cardinality).unwrap_or(0),
            }),
    }
}

fn n_rows_of(stats: &str) -> Option<u64> {
    #[derive(serde::Deserialize)]
    struct Rows {
        #[serde(rename = "numRecords")]
        n_rows: Option<u64>,
    }
    serde_json::from_str::<Rows>(stats).ok()?.n_rows
}

/// The version to load; `None` stands for the newest.
async fn resolve(store: &Store, selector: DeltaVersionSelector) -> Result<Option<DeltaVersion>> {
    if let Some(missing) = missing_table(store).await? {
        return Err(missing);
    }
    match selector {
        DeltaVersionSelector::Latest => Ok(None),
        DeltaVersionSelector::Version(version) => {
            let (oldest, newest) = readable(store, &store.log().await?)?;
            if (oldest..=newest).contains(&version) {
                Ok(Some(version))
            } else {
                Err(no_version(
                    format!("version {version}"),
                    format!("{oldest}..{newest}"),
                    store.location(),
                ))
            }
        }
        DeltaVersionSelector::Timestamp(time) => {
            let log = store.log().await?;
            let (oldest, _) = readable(store, &log)?;
            let mut commits = log.commits.clone();
            commits.retain(|version, _| *version >= oldest);
            let times = store.commit_times(&commits).await?;
            let mut selected = None;
            let mut latest_so_far = UnixMillis(i64::MIN);
            for (version, committed) in &times {
                latest_so_far = latest_so_far.max(*committed);
                if latest_so_far <= time {
                    selected = Some(*version);
                }
            }
            selected.map(Some).ok_or_else(|| {
                let first = times
                    .first_key_value()
                    .map_or(UnixMillis(0), |(_, time)| *time);
                no_version(
                    format!("no version committed at or before {}", rfc3339(time)),
                    format!("{oldest}.., the first committed at {}", rfc3339(first)),
                    store.location(),
                )
            })
        }
    }
}

fn readable(store: &Store, log: &Log) -> Result<(DeltaVersion, DeltaVersion)> {
    log.oldest_readable().zip(log.newest()).ok_or_else(|| {
        Error::new(
            codes::DAMAGED_TABLE,
            format!(
                "the log of the Delta table at {} has no version 0 and no checkpoint",
                store.location()
            ),
        )
        .with_help("restore the missing files of `_delta_log`, or write the table again")
    })
}

fn no_version(what: String, there_are: String, location: &TableLocation) -> Error {
    Error::new(
        codes::VERSION_NOT_FOUND,
        format!("the Delta table at {location} has {what}").replacen(
            "has version",
            "has no version",
            1,
        ),
    )
    .with_expected(format!("a version of {there_are}"))
    .with_help(format!(
        "there are versions {there_are}; ask for one of these"
    ))
}

/// The error of a location without a Delta table, if it is one.
async fn missing_table(store: &Store) -> Result<Option<Error>> {
    let location = store.location();
    let (message, help) = match location.local_path() {
        Some(path) => match tokio::fs::metadata(&path).await {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (
                format!("there is nothing at {}", path.display()),
                "correct the location, or create the table first",
            ),
            Err(error) => {
                return Err(Error::new(
                    codes::UNREADABLE,
                    format!("{} cannot be read", path.display()),
                )
                .with_source(error)
                .with_help("check that you may read the folder and all folders above it"));
            }
            Ok(metadata) if !metadata.is_dir() => (
                format!(
                    "{} is a file, not the folder of a Delta table",
                    path.display()
                ),
                "name the folder that holds `_delta_log`",
            ),
            Ok(_) => {
                let log = path.join("_delta_log");
                if let Err(error) = tokio::fs::read_dir(&log).await
                    && error.kind() == std::io::ErrorKind::PermissionDenied
                {
                    return Err(Error::new(
                        codes::UNREADABLE,
                        format!("{} cannot be read", log.display()),
                    )
                    .with_source(error)
                    .with_help("check that you may read the folder and all files in it"));
                }
                (
                    format!(
                        "there is no Delta table at {}: its `_delta_log` is missing or empty",
                        path.display()
                    ),
                    "correct the location, name another format, or create the table first",
                )
            }
        },
        None => (
            format!("there is no Delta table at {location}"),
            "correct the location, or create the table first",
        ),
    };
    if store.log().await?.newest().is_some() {
        return Ok(None);
    }
    Ok(Some(
        Error::new(codes::NOT_A_TABLE, message).with_help(help),
    ))
}

fn footprint(snapshot: &Snapshot, files: &[ActiveFile]) -> Result<Fingerprint> {
    let schema = serde_json::to_value(snapshot.schema().as_ref())
        .map_err(|error| crate::error::internal("writing a schema as JSON", error))?;
    let mut encoder = Encoder::new("delta.footprint", 1);
    encode_schema(&mut encoder, &schema);
    encoder.seq(
        snapshot.metadata().partition_columns().iter(),
        |encoder, column| encoder.str(column),
    );
    encoder.seq(files.iter(), |encoder, file| {
        encoder.str(&file.path);
        encoder.u64(file.size_bytes);
        encoder.seq(file.partition_values.iter(), |encoder, (column, value)| {
            encoder.str(column);
            encoder.option(value.as_deref(), Encoder::str);
        });
        encoder.option(dv_id(file), Encoder::str);
    });
    Ok(encoder.finish())
}

/// Encodes a schema as the log writes it, with sorted keys, without comments and the like.
fn encode_schema(encoder: &mut Encoder, value: &Value) {
    match value {
        Value::Null => encoder.tag(0),
        Value::Bool(value) => {
            encoder.tag(1);
            encoder.bool(*value);
        }
        Value::Number(value) => {
            encoder.tag(2);
            encoder.str(&value.to_string());
        }
        Value::String(value) => {
            encoder.tag(3);
            encoder.str(value);
        }
        Value::Array(values) => {
            encoder.tag(4);
            encoder.seq(values.iter(), encode_schema);
        }
        Value::Object(object) => {
            encoder.tag(5);
            let keys: BTreeSet<&String> = object.keys().collect();
            encoder.seq(keys.into_iter(), |encoder, key| {
                encoder.str(key);
                match (key.as_str(), &object[key]) {
                    ("metadata", Value::Object(metadata)) => {
                        let kept = metadata
                            .iter()
                            .filter(|(key, _)| key.starts_with("delta.columnMapping."))
                            .map(|(key, value)| (key.clone(), value.clone()))
                            .collect();
                        encode_schema_object(encoder, &kept);
                    }
                    (_, value) => encode_schema(encoder, value),
                }
            });
        }
    }
}

fn encode_schema_object(encoder: &mut Encoder, object: &BTreeMap<String, Value>) {
    encoder.tag(5);
    encoder.seq(object.iter(), |encoder, (key, value)| {
        encoder.str(key);
        encode_schema(encoder, value);
    });
}

fn unsigned(version: i32) -> u32 {
    u32::try_from(version).unwrap_or(0)
}

fn rfc3339(time: UnixMillis) -> String {
    chrono::DateTime::from_timestamp_millis(time.0).map_or_else(
        || format!("{} ms", time.0),
        |time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
    )
}

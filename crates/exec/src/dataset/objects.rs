//! Datasets of plain files in a store over the network: Parquet, CSV and JSON lines.

mod pinned;

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use codeanatomy_delta::TableLocation;
use codeanatomy_project::{CsvOptions, DatasetFormat};
use codeanatomy_session::Session;
use codeanatomy_vocab::{Encoder, Error, Fingerprint, Result};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::datasource::listing::{ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::object_store::path::Path;
use datafusion::object_store::{Error as StoreError, ObjectMeta, ObjectStore, ObjectStoreExt};
use futures::TryStreamExt;
use url::Url;

use self::pinned::PinnedStore;
use super::DatasetSpec;
use super::files::{
    PinnedFile, ending_of, file_suffix, find_format, first_line, listing_options, plain_types,
};
use super::parquet::ParquetFiles;
use crate::codes;

/// The objects of a dataset, each fixed by the tag that the store gives to its content.
#[derive(Debug)]
pub(super) struct PinnedObjects {
    format: DatasetFormat,
    n_files: u64,
    size_bytes: u64,
    table: Arc<ListingTable>,
    footprint: Fingerprint,
    store_policy: Fingerprint,
}

/// Fixes the objects at a location: one object, or all below it.
pub(super) async fn pin(
    location: &TableLocation,
    spec: &DatasetSpec,
    session: &Session,
) -> Result<PinnedObjects> {
    let (store, root) = codeanatomy_delta::object_store(location, &spec.options)?;
    let shown = location.to_string();
    let found = list(store.as_ref(), &root, &shown).await?;
    let files: Vec<PinnedFile> = found
        .iter()
        .map(|object| PinnedFile {
            path: below(&root, &object.location),
            size_bytes: object.size,
            modified: None,
        })
        .collect();
    if files.is_empty() {
        return Err(Error::new(
            codes::DATASET_MISSING,
            format!("there is nothing at `{shown}`"),
        )
        .with_help("correct `location` and the name of the bucket, or put the data there"));
    }
    let (format, ending) = find_format(&files, spec.format, &shown)?;
    let (files, objects): (Vec<PinnedFile>, Vec<ObjectMeta>) = files
        .into_iter()
        .zip(found)
        .filter(|(file, _)| ending_of(&file.path) == ending)
        .unzip();
    if files.iter().all(|file| file.size_bytes == 0) {
        return Err(
            Error::new(codes::DATASET_EMPTY, format!("`{shown}` holds no data"))
                .with_expected(format!("at least one .{ending} file that is not empty"))
                .with_help("put the data there, or correct `location`"),
        );
    }
    let unreadable = |error: datafusion::error::DataFusionError| {
        Error::new(
            codes::DATASET_UNREADABLE,
            format!(
                "the files at `{shown}` cannot be read: {}",
                first_line(&error)
            ),
        )
        .with_source(error)
        .with_help("check that the files are of the format that `format` says, and readable")
    };
    let store_policy = spec.options.hash();
    let url = register(store, &root, &objects, location, spec, session).map_err(unreadable)?;
    let table = open(url, &files, format, spec.csv, &ending, session)
        .await
        .map_err(unreadable)?;
    Ok(PinnedObjects {
        format,
        n_files: files.len() as u64,
        size_bytes: files.iter().map(|file| file.size_bytes).sum(),
        footprint: footprint(&files, &objects, format, spec.csv, &table.schema()),
        store_policy,
        table: Arc::new(table),
    })
}

impl PinnedObjects {
    pub(super) fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    pub(super) fn format(&self) -> &'static str {
        self.format.as_str()
    }

    pub(super) fn n_files(&self) -> u64 {
        self.n_files
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    pub(super) fn footprint(&self) -> Fingerprint {
        self.footprint
    }

    pub(super) fn store_policy(&self) -> Fingerprint {
        self.store_policy
    }

    pub(super) fn provider(&self) -> Arc<dyn TableProvider> {
        let table = Arc::clone(&self.table);
        match self.format {
            DatasetFormat::Delta | DatasetFormat::Parquet => Arc::new(ParquetFiles(table)),
            DatasetFormat::Csv | DatasetFormat::Json => table,
        }
    }
}

/// The object at `root`, or all below it, sorted; names that start with `.` or `_` are not data.
async fn list(store: &dyn ObjectStore, root: &Path, shown: &str) -> Result<Vec<ObjectMeta>> {
    let unreadable = |error: StoreError| {
        let text = error.to_string();
        Error::new(
            codes::DATASET_UNREADABLE,
            format!(
                "`{shown}` cannot be read: {}",
                text.lines()
                    .next()
                    .unwrap_or_default()
                    .trim_end_matches('.')
            ),
        )
        .with_source(error)
        .with_help("check the name of the bucket, its region, and the credentials in `options`")
    };
    if !root.as_ref().is_empty() {
        match store.head(root).await {
            Ok(object) => return tagged(vec![object], shown),
            Err(StoreError::NotFound { .. }) => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    let mut objects: Vec<ObjectMeta> = match store.list(Some(root)).try_collect().await {
        Ok(objects) => objects,
        Err(StoreError::NotFound { .. }) => Vec::new(),
        Err(error) => return Err(unreadable(error)),
    };
    objects.retain(|object| {
        let below = below(root, &object.location);
        let mut names = below.iter().map(|name| name.to_string_lossy());
        names.all(|name| !name.starts_with(['.', '_']))
    });
    objects.sort_by(|a, b| a.location.cmp(&b.location));
    tagged(objects, shown)
}

/// Refuses objects whose content cannot be fixed.
fn tagged(objects: Vec<ObjectMeta>, shown: &str) -> Result<Vec<ObjectMeta>> {
    if objects.iter().all(|object| object.e_tag.is_some()) {
        return Ok(objects);
    }
    Err(Error::new(
        codes::DATASET_UNREADABLE,
        format!("the store of `{shown}` does not say what the content of a file is (`ETag`)"),
    )
    .with_help("copy the data to a local folder, or keep it in a Delta table"))
}

/// The path of an object from the dataset's root; of the root itself its name.
fn below(root: &Path, object: &Path) -> PathBuf {
    match object
        .prefix_match(root)
        .map(|parts| parts.collect::<Path>())
    {
        Some(below) if !below.as_ref().is_empty() => PathBuf::from(below.as_ref()),
        Some(_) | None => PathBuf::from(object.filename().unwrap_or_default()),
    }
}

/// Tells the session of a store that holds exactly these objects, and gives the URL of their folder.
///
/// The URL is the dataset's own, so that two datasets of one bucket can have their own credentials,
/// and the session's caches, which know files by their paths, keep them apart.
fn register(
    store: Arc<dyn ObjectStore>,
    root: &Path,
    objects: &[ObjectMeta],
    location: &TableLocation,
    spec: &DatasetSpec,
    session: &Session,
) -> datafusion::common::Result<ListingTableUrl> {
    let mut encoder = Encoder::new("codeanatomy.objects.store", 1);
    encoder.str(spec.name.as_str());
    encoder.str(&location.to_string());
    let name = encoder.finish().short();
    let url = format!("objects://{name}/");
    let base = Url::parse(&url)
        .map_err(|error| datafusion::error::DataFusionError::External(Box::new(error)))?;
    let pinned = PinnedStore::new(
        store,
        objects.iter().map(|object| {
            let path = format!("{name}/{}", below(root, &object.location).display());
            (Path::from(path), object.clone())
        }),
    );
    session
        .runtime_env()
        .register_object_store(&base, Arc::new(pinned));
    ListingTableUrl::parse(format!("{url}{name}/"))
}

async fn open(
    url: ListingTableUrl,
    files: &[PinnedFile],
    format: DatasetFormat,
    csv: CsvOptions,
    ending: &str,
    session: &Session,
) -> datafusion::common::Result<ListingTable> {
    let options = listing_options(FilePath::new(""), files, format, csv, ending)
        .with_file_extension(file_suffix(files, ending));
    let schema = options.infer_schema(&session.state(), &url).await?;
    let config = ListingTableConfig::new(url)
        .with_listing_options(options)
        .with_schema(Arc::new(plain_types(&schema)));
    ListingTable::try_new(config)
}

/// Covers the format's options, the schema, and of each file the path below the root and the tag of
/// its content.
fn footprint(
    files: &[PinnedFile],
    objects: &[ObjectMeta],
    format: DatasetFormat,
    csv: CsvOptions,
    schema: &Schema,
) -> Fingerprint {
    let mut encoder = Encoder::new("codeanatomy.objects", 1);
    encoder.str(format.as_str());
    if format == DatasetFormat::Csv {
        encoder.bool(csv.header);
        encoder.tag(csv.delimiter);
    }
    codeanatomy_schema::encode_schema(&mut encoder, schema);
    encoder.len(files.len());
    for (file, object) in files.iter().zip(objects) {
        encoder.str(&file.path.to_string_lossy());
        encoder.u64(file.size_bytes);
        encoder.str(object.e_tag.as_deref().unwrap_or_default());
    }
    encoder.finish()
}

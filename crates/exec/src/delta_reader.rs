//! What the table functions over Delta tables read with.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use codeanatomy_delta::maintain::{table_files, table_info};
use codeanatomy_delta::{FeedWindow, StoreOptions, TableLocation, open, open_change_feed};
use codeanatomy_udf::table::{ChangeWindow, DeltaFile, DeltaMetadata, DeltaOpener};
use codeanatomy_vocab::{DatasetName, DeltaVersionSelector, Result};
use datafusion::catalog::TableProvider;

/// Opens Delta tables for `delta_scan`, `delta_cdf_scan`, `delta_metadata` and `delta_files`.
///
/// # Example: how does a session of one's own read Delta tables?
///
/// ```
/// use std::sync::Arc;
/// use codeanatomy_exec::DeltaReader;
/// use codeanatomy_udf::table::DeltaOpener;
/// use codeanatomy_udf::{Library, Platform, PlatformOptions};
/// use datafusion::prelude::SessionContext;
///
/// let folder = std::env::current_dir().unwrap();
/// let opener: Arc<dyn DeltaOpener> = Arc::new(DeltaReader::new(folder));
/// let library = Library::builtin().with_delta(&opener);
/// let context = SessionContext::new();
/// Platform::new(PlatformOptions::default())
///     .with_library(library)
///     .register_context(&context)?;
/// assert!(context.table_function("delta_scan").is_ok());
/// # Ok::<(), codeanatomy_vocab::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct DeltaReader {
    root: PathBuf,
    options: StoreOptions,
}

impl DeltaReader {
    /// A reader that takes paths as relative to `root`, which must be absolute.
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            options: StoreOptions::new(),
        }
    }

    /// The reader with options for the stores of tables.
    #[must_use]
    pub fn with_options(mut self, options: StoreOptions) -> Self {
        self.options = options;
        self
    }

    fn at(&self, location: &str) -> Result<(DatasetName, TableLocation)> {
        let name = DatasetName::new("table")?;
        Ok((name, TableLocation::parse(location, &self.root)?))
    }
}

#[async_trait]
impl DeltaOpener for DeltaReader {
    async fn scan(
        &self,
        location: &str,
        version: DeltaVersionSelector,
    ) -> Result<Arc<dyn TableProvider>> {
        let (name, location) = self.at(location)?;
        open(&name, &location, version, &self.options)
            .await?
            .provider()
    }

    async fn changes(
        &self,
        location: &str,
        window: ChangeWindow,
    ) -> Result<Arc<dyn TableProvider>> {
        let (name, location) = self.at(location)?;
        let window = FeedWindow {
            starting_version: window.starting_version,
            ending_version: window.ending_version,
            allow_out_of_range: window.allow_out_of_range,
        };
        let feed = open_change_feed(&name, &location, window, &self.options).await?;
        Ok(feed.provider())
    }

    async fn metadata(&self, location: &str) -> Result<DeltaMetadata> {
        let (_, location) = self.at(location)?;
        let info = table_info(&location, &self.options).await?;
        let columns = info.columns.into_iter();
        Ok(DeltaMetadata {
            id: info.id,
            name: info.name,
            description: info.description,
            version: info.version,
            oldest_version: info.oldest_version,
            created_at: info.created_at,
            columns: columns
                .map(|column| (column.name, column.data_type, column.nullable))
                .collect(),
            partition_by: info.partition_by,
            properties: info.properties,
            n_files: info.n_files as u64,
            size_bytes: info.size_bytes,
            n_rows: info.n_rows,
            min_reader_version: info.protocol.min_reader_version,
            min_writer_version: info.protocol.min_writer_version,
            reader_features: info.protocol.reader_features,
            writer_features: info.protocol.writer_features,
        })
    }

    async fn files(&self, location: &str, version: DeltaVersionSelector) -> Result<Vec<DeltaFile>> {
        let (_, location) = self.at(location)?;
        let files = table_files(&location, version, &self.options).await?;
        let files = files.into_iter().map(|file| DeltaFile {
            path: file.path,
            size_bytes: file.size_bytes,
            modified_at: file.modified_at,
            partition_values: file.partition_values,
            n_rows: file.n_rows,
            n_deleted: file.n_deleted,
        });
        Ok(files.collect())
    }
}

//! The plain scan: the engine's own Parquet scan over the files of one version.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};
use async_trait::async_trait;
use chrono::DateTime;
use codeanatomy_vocab::{Error, Result};
use datafusion_catalog::{Session, TableProvider};
use datafusion_common::Result as EngineResult;
use datafusion_common::{DataFusionError, ScalarValue, Statistics, project_schema};
use datafusion_datasource::PartitionedFile;
use datafusion_datasource::TableSchema;
use datafusion_datasource::file_groups::FileGroup;
use datafusion_datasource::file_scan_config::FileScanConfigBuilder;
use datafusion_datasource::source::DataSourceExec;
use datafusion_datasource_parquet::source::ParquetSource;
use datafusion_datasource_parquet::{
    CachedParquetFileReaderFactory, DefaultParquetFileReaderFactory, ParquetFileReaderFactory,
};
use datafusion_execution::object_store::ObjectStoreUrl;
use datafusion_expr::expr_rewriter::unnormalize_col;
use datafusion_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion_physical_plan::ExecutionPlan;
use datafusion_physical_plan::empty::EmptyExec;
use object_store::ObjectMeta;
use object_store::path::Path as StorePath;

use super::reader::{ReadCounter, Readers};
use super::statistics::{Wanted, file_statistics, total};
use crate::active::ActiveFile;
use crate::codes;
use crate::placement::{Placement, fields};
use crate::prune::{
    is_about_partitions, keeps_order, partitions_that_match, survivors_by_statistics,
};
use crate::store::Store;

/// A table of plain files.
#[derive(Debug)]
pub(crate) struct FilesScan {
    store: Store,
    placement: Arc<Placement>,
    /// Columns of the files, then partition columns.
    table_schema: TableSchema,
    /// For each column in the order of the table, its place in `table_schema`.
    places: Vec<usize>,
    files: Vec<ScanFile>,
    /// Whether filters are evaluated while pages are decoded; the session says it where not given.
    parquet_pushdown: Option<bool>,
    counter: Option<Arc<ReadCounter>>,
}

#[derive(Debug)]
struct ScanFile {
    file: Arc<ActiveFile>,
    meta: ObjectMeta,
    partition_values: Vec<ScalarValue>,
}

impl FilesScan {
    pub(crate) fn new<'a>(
        store: &Store,
        placement: &Arc<Placement>,
        files: impl IntoIterator<Item = &'a Arc<ActiveFile>>,
        parquet_pushdown: Option<bool>,
        counter: Option<Arc<ReadCounter>>,
    ) -> Result<Self> {
        let placed = || placement.in_files.iter().chain(&placement.beside);
        let places = placement
            .schema
            .fields()
            .iter()
            .filter_map(|field| placed().position(|placed| placed.field.name() == field.name()))
            .collect();
        let files = files
            .into_iter()
            .map(|file| ScanFile::new(file, store, placement))
            .collect::<Result<_>>()?;
        Ok(Self {
            table_schema: TableSchema::builder(placement.file_schema())
                .with_table_partition_cols(fields(&placement.beside))
                .build(),
            placement: Arc::clone(placement),
            store: store.clone(),
            places,
            files,
            parquet_pushdown,
            counter,
        })
    }

    fn partition_names(&self) -> HashSet<&str> {
        self.placement
            .beside
            .iter()
            .map(|placed| placed.field.name().as_str())
            .collect()
    }

    /// The files in which a row may fulfil the filters.
    fn pruned(&self, session: &dyn Session, filters: &[Expr]) -> EngineResult<Vec<&ScanFile>> {
        let names = self.partition_names();
        // These are promised to be applied in full, so they are not taken apart.
        let (partition_filters, row_filters): (Vec<Expr>, Vec<Expr>) = filters
            .iter()
            .map(|filter| unnormalize_col(filter.clone()))
            .partition(|filter| is_about_partitions(filter, &names));
        let values: Vec<&[ScalarValue]> = self
            .files
            .iter()
            .map(|file| file.partition_values.as_slice())
            .collect();
        let matches = partitions_that_match(
            session,
            &partition_filters,
            &self.placement.partition_schema(),
            &values,
        )?;
        let files: Vec<&ScanFile> = kept(&self.files, matches);
        let known: Vec<(&ActiveFile, &[ScalarValue])> = files
            .iter()
            .map(|file| (file.file.as_ref(), file.partition_values.as_slice()))
            .collect();
        let may_match = survivors_by_statistics(session, &self.placement, &row_filters, &known);
        Ok(kept(files, may_match))
    }

    /// The columns of the files that a projection names.
    fn wanted(&self, projection: Option<&Vec<usize>>) -> Vec<Wanted<'_>> {
        let places = match projection {
            Some(projection) => projection
                .iter()
                .map(|column| self.places[*column])
                .collect(),
            None => self.places.clone(),
        };
        places
            .into_iter()
            .filter_map(|place| {
                let placed = self.placement.in_files.get(place)?;
                Some(Wanted {
                    place,
                    name: &placed.name,
                })
            })
            .collect()
    }
}

#[async_trait]
impl TableProvider for FilesScan {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.placement.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> EngineResult<Vec<TableProviderFilterPushDown>> {
        let names = self.partition_names();
        Ok(filters
            .iter()
            .map(|filter| {
                if is_about_partitions(filter, &names) {
                    TableProviderFilterPushDown::Exact
                } else {
                    TableProviderFilterPushDown::Inexact
                }
            })
            .collect())
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        let files = self.pruned(session, filters)?;
        tracing::debug!(
            files = self.files.len(),
            pruned = self.files.len() - files.len(),
            "planned a scan"
        );
        if files.is_empty() {
            let schema = project_schema(&self.placement.schema, projection)?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        // The engine would leave out row groups and files by such a filter wrongly.
        let is_prunable = filters.iter().all(keeps_order);
        let wanted = self.wanted(projection);
        let file_schema = self.table_schema.file_schema();
        let files: Vec<PartitionedFile> = files
            .into_iter()
            .map(|file| file.partitioned_file(file_schema, &wanted, is_prunable))
            .collect();
        let statistics = total(
            files.iter().filter_map(|file| file.statistics.as_deref()),
            self.table_schema.table_schema(),
        );
        let groups = FileGroup::new(files)
            .split_files(session.config().target_partitions())
            .into_iter()
            .map(|group| self.with_statistics(group))
            .collect();
        let places = match projection {
            Some(projection) => projection
                .iter()
                .map(|column| self.places[*column])
                .collect(),
            None => self.places.clone(),
        };

        let mut options = session.default_table_options().parquet;
        // The table says what type a column has, and no setting of the session.
        options.global.schema_force_view_types = false;
        options.global.binary_as_string = false;
        // Times of 96 bits reach further in microseconds than in nanoseconds.
        options.global.coerce_int96 = Some("us".to_owned());
        options.global.coerce_int96_tz = None;
        if !is_prunable {
            options.global.pruning = false;
            options.global.enable_page_index = false;
        }
        if let Some(pushdown) = self.parquet_pushdown {
            options.global.pushdown_filters = pushdown;
        }
        let metadata_size_hint = options.global.metadata_size_hint;
        let (url, readers) = self.readers(session)?;
        let mut source = ParquetSource::new(self.table_schema.clone())
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(Readers::new(
                readers,
                file_schema,
                self.counter.clone(),
            )));
        if let Some(hint) = metadata_size_hint {
            source = source.with_metadata_size_hint(hint);
        }
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(Some(places))?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

impl FilesScan {
    /// Where the engine finds the files, and what reads them.
    fn readers(
        &self,
        session: &dyn Session,
    ) -> EngineResult<(ObjectStoreUrl, Arc<dyn ParquetFileReaderFactory>)> {
        let runtime = session.runtime_env();
        if self.store.location().local_path().is_some() {
            let url = ObjectStoreUrl::local_filesystem();
            let readers = CachedParquetFileReaderFactory::new(
                runtime.object_store(&url)?,
                runtime.cache_manager.get_file_metadata_cache(),
            );
            return Ok((url, Arc::new(readers)));
        }
        let (url, root) = self
            .store
            .root()
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        runtime.register_object_store(url.as_ref(), Arc::clone(&root));
        // The session's cache knows files by their paths in a store, which may be the same in two. And
        // another table may have registered the same bucket with other credentials since.
        Ok((url, Arc::new(DefaultParquetFileReaderFactory::new(root))))
    }

    fn with_statistics(&self, group: FileGroup) -> FileGroup {
        let statistics: Vec<&Statistics> = group
            .iter()
            .filter_map(|file| file.statistics.as_deref())
            .collect();
        let statistics = total(statistics.into_iter(), self.table_schema.table_schema());
        group.with_statistics(Arc::new(statistics))
    }
}

impl ScanFile {
    fn new(file: &Arc<ActiveFile>, store: &Store, placement: &Placement) -> Result<Self> {
        Ok(Self {
            meta: ObjectMeta {
                location: store_path(file, store)?,
                last_modified: DateTime::from_timestamp_millis(file.modified.0).unwrap_or_default(),
                size: file.size_bytes,
                e_tag: None,
                version: None,
            },
            partition_values: placement.checked_partition_values(file, store.location())?,
            file: Arc::clone(file),
        })
    }

    fn partitioned_file(
        &self,
        file_schema: &Schema,
        wanted: &[Wanted<'_>],
        is_prunable: bool,
    ) -> PartitionedFile {
        let mut file = PartitionedFile::new_from_meta(self.meta.clone())
            .with_partition_values(self.partition_values.clone());
        let mut statistics =
            file_statistics(&self.file, file_schema, wanted, &self.partition_values);
        if !is_prunable {
            statistics = statistics.to_inexact();
        }
        // Not `with_statistics`, which takes partition values never to be null.
        file.statistics = Some(Arc::new(statistics));
        file
    }
}

fn kept<T>(items: impl IntoIterator<Item = T>, keep: Vec<bool>) -> Vec<T> {
    items
        .into_iter()
        .zip(keep)
        .filter_map(|(item, keep)| keep.then_some(item))
        .collect()
}

/// Where the engine's file store finds a file of the table.
fn store_path(file: &ActiveFile, store: &Store) -> Result<StorePath> {
    let location = store.location();
    if location.local_path().is_none() {
        return store.path_from_root(&file.path);
    }
    let path = file.local_path(location)?;
    StorePath::from_absolute_path(&path).map_err(|error| {
        Error::new(
            codes::DAMAGED_TABLE,
            format!("the log of the Delta table at {location} names a file that cannot exist"),
        )
        .with("file", path.display())
        .with_source(error)
        .with_help("correct the path in `_delta_log`, or write the table again")
    })
}

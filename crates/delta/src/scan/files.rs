//! The plain scan: the engine's own Parquet scan over the files of one version.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_schema::{FieldRef, Schema, SchemaRef};
use async_trait::async_trait;
use chrono::DateTime;
use codeanatomy_vocab::{Error, Result};
use datafusion_catalog::{Session, TableProvider};
use datafusion_common::Result as EngineResult;
use datafusion_common::{ScalarValue, Statistics, project_schema};
use datafusion_datasource::PartitionedFile;
use datafusion_datasource::TableSchema;
use datafusion_datasource::file_groups::FileGroup;
use datafusion_datasource::file_scan_config::FileScanConfigBuilder;
use datafusion_datasource::source::DataSourceExec;
use datafusion_datasource_parquet::CachedParquetFileReaderFactory;
use datafusion_datasource_parquet::source::ParquetSource;
use datafusion_execution::object_store::ObjectStoreUrl;
use datafusion_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion_physical_plan::ExecutionPlan;
use datafusion_physical_plan::empty::EmptyExec;
use object_store::ObjectMeta;
use object_store::path::Path as StorePath;

use super::partition::partition_value;
use super::prune;
use super::statistics::{FileStatistics, file_statistics, total};
use crate::active::ActiveFile;
use crate::{TableLocation, codes};

/// A table of plain files.
#[derive(Debug)]
pub(crate) struct FilesScan {
    /// Columns in the order of the table.
    schema: SchemaRef,
    /// Columns of the files, then partition columns.
    table_schema: TableSchema,
    partition_fields: SchemaRef,
    /// For each column in the order of the table, its place in `table_schema`.
    places: Vec<usize>,
    files: Vec<ScanFile>,
}

#[derive(Debug)]
struct ScanFile {
    meta: ObjectMeta,
    partition_values: Vec<ScalarValue>,
    statistics: FileStatistics,
}

impl FilesScan {
    pub(crate) fn new(
        location: &TableLocation,
        schema: &SchemaRef,
        partition_by: &[String],
        files: &[ActiveFile],
    ) -> Result<Self> {
        let partition_fields: Vec<FieldRef> = partition_by
            .iter()
            .map(|column| partition_field(schema, column, location))
            .collect::<Result<_>>()?;
        let file_fields: Vec<FieldRef> = schema
            .fields()
            .iter()
            .filter(|field| !partition_by.contains(field.name()))
            .cloned()
            .collect();
        let places = schema
            .fields()
            .iter()
            .filter_map(|field| {
                file_fields
                    .iter()
                    .chain(&partition_fields)
                    .position(|placed| placed.name() == field.name())
            })
            .collect();
        let file_schema = Arc::new(Schema::new(file_fields));
        let files = files
            .iter()
            .map(|file| ScanFile::new(file, location, &file_schema, &partition_fields))
            .collect::<Result<_>>()?;
        Ok(Self {
            schema: Arc::clone(schema),
            table_schema: TableSchema::builder(file_schema)
                .with_table_partition_cols(partition_fields.clone())
                .build(),
            partition_fields: Arc::new(Schema::new(partition_fields)),
            places,
            files,
        })
    }

    fn partition_names(&self) -> HashSet<&str> {
        self.partition_fields
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect()
    }

    /// The files in which a row may fulfil the filters.
    fn pruned(&self, session: &dyn Session, filters: &[Expr]) -> EngineResult<Vec<&ScanFile>> {
        let names = self.partition_names();
        let (partition_filters, row_filters): (Vec<Expr>, Vec<Expr>) = filters
            .iter()
            .cloned()
            .partition(|filter| prune::is_about_partitions(filter, &names));
        let values: Vec<&[ScalarValue]> = self
            .files
            .iter()
            .map(|file| file.partition_values.as_slice())
            .collect();
        let matches = prune::partitions_that_match(
            session,
            &partition_filters,
            &self.partition_fields,
            &values,
        )?;
        let files: Vec<&ScanFile> = kept(&self.files, matches);
        let statistics: Vec<&FileStatistics> = files.iter().map(|file| &file.statistics).collect();
        let may_match = prune::files_that_may_match(
            session,
            &row_filters,
            self.table_schema.table_schema(),
            &statistics,
        );
        Ok(kept(files, may_match))
    }
}

#[async_trait]
impl TableProvider for FilesScan {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
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
                if prune::is_about_partitions(filter, &names) {
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
            let schema = project_schema(&self.schema, projection)?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let statistics = total(
            files.iter().map(|file| file.statistics.planner.as_ref()),
            self.table_schema.table_schema(),
        );
        let groups = FileGroup::new(files.into_iter().map(ScanFile::partitioned_file).collect())
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
        let metadata_size_hint = options.global.metadata_size_hint;
        let url = ObjectStoreUrl::local_filesystem();
        let runtime = session.runtime_env();
        let readers = CachedParquetFileReaderFactory::new(
            runtime.object_store(&url)?,
            runtime.cache_manager.get_file_metadata_cache(),
        );
        let mut source = ParquetSource::new(self.table_schema.clone())
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(readers));
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
    fn new(
        file: &ActiveFile,
        location: &TableLocation,
        file_schema: &Schema,
        partition_fields: &[FieldRef],
    ) -> Result<Self> {
        let partition_values = partition_fields
            .iter()
            .map(|field| {
                let text = file
                    .partition_values
                    .get(field.name())
                    .and_then(Option::as_deref);
                partition_value(text, field).ok_or_else(|| {
                    Error::new(
                        codes::DAMAGED_TABLE,
                        format!(
                            "the log of the Delta table at {location} gives the partition column \
                             `{}` a value that is no {}: `{}`",
                            field.name(),
                            field.data_type(),
                            text.unwrap_or_default()
                        ),
                    )
                    .with("file", &file.path)
                    .with_help("correct the value in `_delta_log`, or write the table again")
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self {
            meta: ObjectMeta {
                location: store_path(file, location)?,
                last_modified: DateTime::from_timestamp_millis(file.modified.0).unwrap_or_default(),
                size: file.size_bytes,
                e_tag: None,
                version: None,
            },
            statistics: file_statistics(file, file_schema, &partition_values),
            partition_values,
        })
    }

    fn partitioned_file(&self) -> PartitionedFile {
        let mut file = PartitionedFile::new_from_meta(self.meta.clone())
            .with_partition_values(self.partition_values.clone());
        // Not `with_statistics`, which takes partition values never to be null.
        file.statistics = Some(Arc::clone(&self.statistics.planner));
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

fn partition_field(schema: &Schema, column: &str, location: &TableLocation) -> Result<FieldRef> {
    schema
        .fields()
        .iter()
        .find(|field| field.name() == column)
        .cloned()
        .ok_or_else(|| {
            Error::new(
                codes::DAMAGED_TABLE,
                format!(
                    "the Delta table at {location} is partitioned by `{column}`, which is none of \
                     its columns"
                ),
            )
            .with_help("correct the table's metadata, or write the table again")
        })
}

/// Where the engine's file store finds a file of the table.
fn store_path(file: &ActiveFile, location: &TableLocation) -> Result<StorePath> {
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

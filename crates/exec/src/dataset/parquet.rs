//! Parquet files, read without trust in bounds that lead the engine astray.

use std::sync::Arc;

use async_trait::async_trait;
use codeanatomy_delta::{keeps_order, readers_without_float_bounds};
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Result, Statistics};
use datafusion::datasource::listing::ListingTable;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfig, FileScanConfigBuilder, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;

/// A table of Parquet files.
///
/// Parquet leaves NaN out of minima and maxima, and the engine takes NaN for the greatest number.
/// So it would leave out rows that fulfil `f > 30`, and answer `max(f)` without a look at the
/// rows. And it takes every cast for one that keeps the order, so it would leave out rows that
/// fulfil `cast(at as time) > '20:00'`. Here the bounds that lead to that are not there.
#[derive(Debug)]
pub(super) struct ParquetFiles(pub(super) Arc<ListingTable>);

#[async_trait]
impl TableProvider for ParquetFiles {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }

    fn table_type(&self) -> TableType {
        self.0.table_type()
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        self.0.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = self.0.scan(session, projection, filters, limit).await?;
        let is_prunable = filters.iter().all(keeps_order);
        let schema = self.0.schema();
        if is_prunable && !schema.fields().iter().any(|f| f.data_type().is_floating()) {
            return Ok(plan);
        }
        plan.transform_down(|node| {
            let Some(scan) = node.downcast_ref::<DataSourceExec>() else {
                return Ok(Transformed::no(node));
            };
            let Some((config, source)) = scan.downcast_to_file_source::<ParquetSource>() else {
                return Ok(Transformed::no(node));
            };
            let config = without_bounds(config, source, session, is_prunable)?;
            Ok(Transformed::yes(
                DataSourceExec::from_data_source(config) as Arc<dyn ExecutionPlan>
            ))
        })
        .map(|transformed| transformed.data)
    }
}

fn without_bounds(
    config: &FileScanConfig,
    source: &ParquetSource,
    session: &dyn Session,
    is_prunable: bool,
) -> Result<FileScanConfig> {
    let runtime = session.runtime_env();
    let readers = CachedParquetFileReaderFactory::new(
        runtime.object_store(&config.object_store_url)?,
        runtime.cache_manager.get_file_metadata_cache(),
    );
    let mut options = source.table_parquet_options().clone();
    if !is_prunable {
        options.global.pruning = false;
        options.global.enable_page_index = false;
    }
    let source = source
        .clone()
        .with_table_parquet_options(options)
        .with_parquet_file_reader_factory(readers_without_float_bounds(Arc::new(readers)));
    let schema = Arc::clone(config.file_source().table_schema().table_schema());
    let hide = |statistics: &Statistics| {
        let statistics = hide_floats(statistics.clone(), &schema);
        if is_prunable {
            statistics
        } else {
            statistics.to_inexact()
        }
    };
    let groups = config
        .file_groups
        .iter()
        .map(|group| {
            let files = group.iter().map(|file| {
                let mut file = file.clone();
                file.statistics = file.statistics.as_deref().map(|s| Arc::new(hide(s)));
                file
            });
            let hidden = FileGroup::new(files.collect());
            match group.file_statistics(None) {
                Some(statistics) => hidden.with_statistics(Arc::new(hide(statistics))),
                None => hidden,
            }
        })
        .collect();
    let statistics = hide(&config.statistics());
    Ok(FileScanConfigBuilder::from(config.clone())
        .with_source(Arc::new(source))
        .with_file_groups(groups)
        .with_statistics(statistics)
        .build())
}

fn hide_floats(mut statistics: Statistics, schema: &Schema) -> Statistics {
    let columns = statistics.column_statistics.iter_mut();
    for (column, field) in columns.zip(schema.fields()) {
        if field.data_type().is_floating() {
            column.min_value = Precision::Absent;
            column.max_value = Precision::Absent;
        }
    }
    statistics
}

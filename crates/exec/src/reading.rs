//! Counting what a scan reads, by what the engine's Parquet reader says of itself.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Result, Statistics};
use datafusion::datasource::physical_plan::ParquetSource;
use datafusion::datasource::source::DataSourceExec;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricValue;

/// A table whose scans are remembered, so that it can be asked what they read.
#[derive(Debug)]
pub(crate) struct CountedTable {
    inner: Arc<dyn TableProvider>,
    scans: Mutex<Vec<Arc<dyn ExecutionPlan>>>,
}

/// What scans have read until now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReadSoFar {
    /// Files that were opened.
    pub(crate) n_files: u64,
    /// Bytes that were fetched from them.
    pub(crate) n_bytes: u64,
}

impl CountedTable {
    pub(crate) fn new(inner: Arc<dyn TableProvider>) -> Self {
        Self {
            inner,
            scans: Mutex::default(),
        }
    }

    /// What the scans have read; `None` where one of them reads files that are not Parquet, which
    /// count nothing.
    pub(crate) fn read_so_far(&self) -> Option<ReadSoFar> {
        let mut files = BTreeSet::new();
        let mut n_bytes = 0;
        let scans = self.scans.lock().unwrap_or_else(PoisonError::into_inner);
        let mut pending: Vec<&Arc<dyn ExecutionPlan>> = scans.iter().collect();
        while let Some(plan) = pending.pop() {
            pending.extend(plan.children());
            let Some(source) = plan.downcast_ref::<DataSourceExec>() else {
                continue;
            };
            source.downcast_to_file_source::<ParquetSource>()?;
            // What the optimizer makes of a scan keeps the metrics of the scan.
            for metric in source.metrics()?.iter() {
                let file = metric.labels().iter().find(|l| l.name() == "filename");
                files.extend(file.map(|label| label.value().to_owned()));
                if let MetricValue::Count { name, count } = metric.value()
                    && name == "bytes_scanned"
                {
                    n_bytes += count.value() as u64;
                }
            }
        }
        Some(ReadSoFar {
            n_files: files.len() as u64,
            n_bytes,
        })
    }
}

#[async_trait]
impl TableProvider for CountedTable {
    fn schema(&self) -> SchemaRef {
        self.inner.schema()
    }

    fn table_type(&self) -> TableType {
        self.inner.table_type()
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        self.inner.supports_filters_pushdown(filters)
    }

    fn statistics(&self) -> Option<Statistics> {
        self.inner.statistics()
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = self.inner.scan(session, projection, filters, limit).await?;
        let mut scans = self.scans.lock().unwrap_or_else(PoisonError::into_inner);
        scans.push(Arc::clone(&plan));
        Ok(plan)
    }
}

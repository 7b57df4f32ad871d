//! The scan of the Delta library, for tables with deletion vectors or column mapping.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use codeanatomy_vocab::Result;
use datafusion_catalog::{Session, TableProvider};
use datafusion_common::stats::Precision;
use datafusion_common::tree_node::TreeNodeRecursion;
use datafusion_common::{
    DataFusionError, Result as EngineResult, Statistics, assert_or_internal_err, project_schema,
};
use datafusion_execution::{SendableRecordBatchStream, TaskContext};
use datafusion_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion_physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion_physical_plan::statistics::StatisticsArgs;
use datafusion_physical_plan::stream::RecordBatchStreamAdapter;
use datafusion_physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties,
    PlanProperties, ReplaceChildrenOptions,
};
use deltalake_core::delta_datafusion::{DeltaScanConfig, DeltaScanNext};
use deltalake_core::kernel::Snapshot;
use futures::StreamExt;

use crate::TableLocation;
use crate::active::ActiveFile;
use crate::error::{guarded, internal};
use crate::schema::conform;

/// A table that the Delta library reads, with the schema and the row count that we promise.
#[derive(Debug)]
pub(crate) struct LibraryScan {
    location: TableLocation,
    schema: SchemaRef,
    inner: DeltaScanNext,
    n_rows: Option<usize>,
    size_bytes: usize,
}

/// Gives the rows of another plan the promised types, and the planner a row count.
#[derive(Debug)]
struct ConformExec {
    input: Arc<dyn ExecutionPlan>,
    statistics: Arc<Statistics>,
    properties: Arc<PlanProperties>,
}

impl LibraryScan {
    pub(crate) fn new(
        location: &TableLocation,
        snapshot: &Arc<Snapshot>,
        schema: &SchemaRef,
        files: &[ActiveFile],
    ) -> Result<Self> {
        let mut config = DeltaScanConfig::new().with_wrap_partition_values(false);
        config.schema_force_view_types = false;
        let inner = DeltaScanNext::new(Arc::clone(snapshot), config)
            .map_err(|error| internal("opening a table with the Delta library", error))?;
        let n_rows: Option<u64> = files.iter().map(ActiveFile::n_live_rows).sum();
        let size_bytes: u64 = files.iter().map(|file| file.size_bytes).sum();
        Ok(Self {
            location: location.clone(),
            schema: Arc::clone(schema),
            inner,
            n_rows: n_rows.and_then(|n_rows| n_rows.try_into().ok()),
            size_bytes: size_bytes.try_into().unwrap_or(usize::MAX),
        })
    }
}

#[async_trait]
impl TableProvider for LibraryScan {
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
        // Whatever the library filters, the engine filters again.
        let supported = self.inner.supports_filters_pushdown(filters)?;
        Ok(supported
            .into_iter()
            .map(|supported| match supported {
                TableProviderFilterPushDown::Exact | TableProviderFilterPushDown::Inexact => {
                    TableProviderFilterPushDown::Inexact
                }
                TableProviderFilterPushDown::Unsupported => {
                    TableProviderFilterPushDown::Unsupported
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
        let scan = self.inner.scan(session, projection, filters, limit);
        let input = guarded(&self.location, scan)
            .await
            .map_err(|error| DataFusionError::External(Box::new(error)))??;
        let schema = project_schema(&self.schema, projection)?;
        let mut statistics = Statistics::new_unknown(&schema);
        let everything = filters.is_empty() && limit.is_none();
        statistics.num_rows = match self.n_rows {
            Some(n_rows) if everything => Precision::Exact(n_rows),
            Some(n_rows) => Precision::Inexact(n_rows.min(limit.unwrap_or(usize::MAX))),
            None => Precision::Absent,
        };
        statistics.total_byte_size = Precision::Inexact(self.size_bytes);
        Ok(Arc::new(ConformExec::new(
            input,
            schema,
            Arc::new(statistics),
        )))
    }
}

impl ConformExec {
    fn new(input: Arc<dyn ExecutionPlan>, schema: SchemaRef, statistics: Arc<Statistics>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            input.output_partitioning().clone(),
            input.pipeline_behavior(),
            input.boundedness(),
        );
        Self {
            input,
            statistics,
            properties: Arc::new(properties),
        }
    }
}

impl DisplayAs for ConformExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ConformExec")
    }
}

impl ExecutionPlan for ConformExec {
    fn name(&self) -> &'static str {
        "ConformExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> EngineResult<TreeNodeRecursion>,
    ) -> EngineResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        assert_or_internal_err!(children.len() == 1, "ConformExec has one child");
        let input = children.remove(0);
        Ok(Arc::new(Self::new(
            input,
            self.schema(),
            Arc::clone(&self.statistics),
        )))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        self.replace_children(
            children,
            ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute),
        )
    }

    fn execute(
        &self,
        partition: usize,
        task: Arc<TaskContext>,
    ) -> EngineResult<SendableRecordBatchStream> {
        let schema = self.schema();
        let conformed = Arc::clone(&schema);
        let batches = self.input.execute(partition, task)?.map(move |batch| {
            conform(&batch?, &conformed).map_err(|error| DataFusionError::External(Box::new(error)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }

    fn statistics_from_inputs(
        &self,
        _: &[Arc<Statistics>],
        args: &StatisticsArgs,
    ) -> EngineResult<Arc<Statistics>> {
        Ok(match args.partition() {
            None => Arc::clone(&self.statistics),
            Some(_) => Arc::new(Statistics::new_unknown(&self.schema())),
        })
    }
}

//! The scan of the Delta library, for tables with deletion vectors or column mapping.

use std::sync::Arc;

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use codeanatomy_vocab::Result;
use datafusion_catalog::{Session, TableProvider};
use datafusion_common::stats::Precision;
use datafusion_common::tree_node::TreeNodeRecursion;
use datafusion_common::{
    ColumnStatistics, DataFusionError, Result as EngineResult, Statistics, assert_or_internal_err,
    project_schema,
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

use super::statistics::{Wanted, file_statistics, total};
use crate::active::ActiveFile;
use crate::error::{guarded, internal};
use crate::placement::Placement;
use crate::prune::{column_names, keeps_order, survivors};
use crate::schema::conform;
use crate::store::Store;

/// A table that the Delta library reads, with the schema and the statistics that we promise.
#[derive(Debug)]
pub(crate) struct LibraryScan {
    store: Store,
    placement: Arc<Placement>,
    inner: DeltaScanNext,
    files: Vec<Arc<ActiveFile>>,
}

/// Gives the rows of another plan the promised types, and the planner a row count.
#[derive(Debug)]
pub(crate) struct ConformExec {
    input: Arc<dyn ExecutionPlan>,
    statistics: Arc<Statistics>,
    properties: Arc<PlanProperties>,
}

impl LibraryScan {
    /// A scan of `files`, or of all files of the snapshot where `raw_paths` is not given; these
    /// are the paths of `files` as the log writes them.
    pub(crate) fn new(
        store: &Store,
        snapshot: &Arc<Snapshot>,
        placement: &Arc<Placement>,
        files: &[Arc<ActiveFile>],
        raw_paths: Option<Vec<String>>,
    ) -> Result<Self> {
        let mut config = DeltaScanConfig::new().with_wrap_partition_values(false);
        config.schema_force_view_types = false;
        let mut inner = DeltaScanNext::new(Arc::clone(snapshot), config)
            .map_err(|error| internal("opening a table with the Delta library", error))?;
        if let Some(paths) = raw_paths {
            inner = inner.with_file_paths(paths);
        }
        Ok(Self {
            store: store.clone(),
            placement: Arc::clone(placement),
            inner,
            files: files.to_vec(),
        })
    }

    /// What the log says of the rows that a scan gives. Bounds are never exact, because a deletion
    /// vector may hide the row that they come from.
    fn statistics(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Statistics {
        let files: Vec<&ActiveFile> = self.files.iter().map(AsRef::as_ref).collect();
        let survives = survivors(session, &self.placement, filters, &files);
        let left: Vec<&ActiveFile> = files
            .into_iter()
            .zip(survives)
            .filter_map(|(file, survives)| survives.then_some(file))
            .collect();
        let everything = filters.is_empty() && limit.is_none();
        let n_rows: Option<u64> = left.iter().map(|file| file.n_live_rows()).sum();
        let n_rows = n_rows.and_then(|n_rows| usize::try_from(n_rows).ok());
        let size_bytes: u64 = left.iter().map(|file| file.size_bytes).sum();
        let all = self.column_statistics(&left);
        let column_statistics = match projection {
            Some(projection) => projection
                .iter()
                .map(|column| all[*column].clone())
                .collect(),
            None => all,
        };
        Statistics {
            num_rows: match n_rows {
                Some(n_rows) if everything => Precision::Exact(n_rows),
                Some(n_rows) => Precision::Inexact(n_rows.min(limit.unwrap_or(usize::MAX))),
                None => Precision::Absent,
            },
            total_byte_size: Precision::Inexact(size_bytes.try_into().unwrap_or(usize::MAX)),
            column_statistics,
        }
    }

    /// Whether a filter is about a column of floating-point numbers.
    fn names_floats(&self, filter: &Expr) -> bool {
        let schema = &self.placement.schema;
        column_names(filter).iter().any(|name| {
            let field = schema.field_with_name(name);
            field.is_ok_and(|field| field.data_type().is_floating())
        })
    }

    /// Statistics of all columns, in the order of the table.
    fn column_statistics(&self, files: &[&ActiveFile]) -> Vec<ColumnStatistics> {
        let file_schema = self.placement.file_schema();
        let wanted: Vec<Wanted<'_>> = (self.placement.in_files.iter().enumerate())
            .map(|(place, placed)| Wanted {
                place,
                name: &placed.name,
            })
            .collect();
        let by_file: Vec<Statistics> = files
            .iter()
            .filter_map(|file| {
                let values = self.placement.partition_values(file).ok()?;
                Some(file_statistics(file, &file_schema, &wanted, &values))
            })
            .collect();
        let placed = self.placement.in_files.iter().chain(&self.placement.beside);
        let names: Vec<&str> = placed.map(|placed| placed.field.name().as_str()).collect();
        let schema = &self.placement.schema;
        if by_file.len() < files.len() || by_file.is_empty() {
            return Statistics::new_unknown(schema).column_statistics;
        }
        let total = total(by_file.iter(), schema).to_inexact();
        schema
            .fields()
            .iter()
            .map(|field| {
                let place = names.iter().position(|name| *name == field.name());
                place
                    .and_then(|place| total.column_statistics.get(place).cloned())
                    .unwrap_or_else(ColumnStatistics::new_unknown)
            })
            .collect()
    }
}

#[async_trait]
impl TableProvider for LibraryScan {
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
        self.store.register(session)?;
        // The library leaves out files and row groups by bounds that know nothing of NaN, and takes
        // every cast for one that keeps the order.
        let asked: Vec<Expr> = filters
            .iter()
            .filter(|filter| !self.names_floats(filter) && keeps_order(filter))
            .cloned()
            .collect();
        let scan = self.inner.scan(session, projection, &asked, limit);
        let input = guarded(self.store.location(), scan)
            .await
            .map_err(|error| DataFusionError::External(Box::new(error)))??;
        let schema = project_schema(&self.placement.schema, projection)?;
        let statistics = self.statistics(session, projection, filters, limit);
        Ok(Arc::new(ConformExec::new(
            input,
            schema,
            Arc::new(statistics),
        )))
    }
}

impl ConformExec {
    pub(crate) fn new(
        input: Arc<dyn ExecutionPlan>,
        schema: SchemaRef,
        statistics: Arc<Statistics>,
    ) -> Self {
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

    /// A conversion may change how values compare, and this node promises no order of its own: a sort
    /// that the optimizer put below it would be lost.
    fn maintains_input_order(&self) -> Vec<bool> {
        vec![false]
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

//! The scan of a change feed.

use arrow_schema::SchemaRef;
use async_trait::async_trait;
use codeanatomy_vocab::Result;
use datafusion_catalog::{Session, TableProvider};
use datafusion_common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion_common::{DataFusionError, Result as EngineResult, Statistics, project_schema};
use datafusion_expr::{Expr, TableType};
use datafusion_physical_plan::empty::EmptyExec;
use datafusion_physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use deltalake_core::delta_datafusion::DeltaCdfTableProvider;
use deltalake_core::operations::load_cdf::CdfLoadBuilder;
use std::sync::Arc;

use crate::error::{guarded, internal};
use crate::scan::ConformExec;
use crate::store::Store;

/// A feed as the library reads it, with the types that we promise.
#[derive(Debug)]
pub(super) struct FeedScan {
    store: Store,
    schema: SchemaRef,
    inner: DeltaCdfTableProvider,
}

impl FeedScan {
    pub(super) fn new(store: &Store, feed: CdfLoadBuilder, schema: SchemaRef) -> Result<Self> {
        let inner = DeltaCdfTableProvider::try_new(feed)
            .map_err(|error| internal("opening a change feed", error))?;
        Ok(Self {
            store: store.clone(),
            schema,
            inner,
        })
    }
}

#[async_trait]
impl TableProvider for FeedScan {
    fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        self.store.register(session)?;
        let scan = self.inner.scan(session, projection, &[], limit);
        let input = guarded(self.store.location(), scan)
            .await
            .map_err(|error| DataFusionError::External(Box::new(error)))??;
        let input = without_empty_scans(input)?;
        let schema = project_schema(&self.schema, projection)?;
        let statistics = Arc::new(Statistics::new_unknown(&schema));
        Ok(Arc::new(ConformExec::new(input, schema, statistics)))
    }
}

/// Puts one empty partition in place of scans of no files. They have none at all, which a sort above
/// them does not take.
fn without_empty_scans(plan: Arc<dyn ExecutionPlan>) -> EngineResult<Arc<dyn ExecutionPlan>> {
    plan.transform_up(|plan| {
        let is_empty =
            plan.children().is_empty() && plan.output_partitioning().partition_count() == 0;
        Ok(if is_empty {
            Transformed::yes(Arc::new(EmptyExec::new(plan.schema())) as Arc<dyn ExecutionPlan>)
        } else {
            Transformed::no(plan)
        })
    })
    .data()
}

//! A table that is only a name and a schema.

use arrow_schema::SchemaRef;
use datafusion_common::Result;
use datafusion_expr::{Expr, TableProviderFilterPushDown, TableSource};

/// What views are planned against: the schema of a dataset or of an upstream view, and nothing
/// else.
///
/// Plans made against schemas alone do not depend on where data lives or what a provider can do,
/// so their digests do not either. Before execution each such source is replaced by a real one.
///
/// Every filter is answered with `Inexact`: the optimizer pushes predicates down to the scan, where
/// file pruning finds them, and keeps them above it.
#[derive(Debug, Clone)]
pub struct SchemaSource {
    schema: SchemaRef,
}

impl SchemaSource {
    /// A table of this schema.
    pub fn new(schema: SchemaRef) -> Self {
        Self { schema }
    }
}

impl TableSource for SchemaSource {
    fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }
}

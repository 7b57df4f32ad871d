//! What is put differently before a plan is encoded, because the encoding would lose it.
//!
//! Everything here keeps the rows of the plan; the digest of what comes back decides.

use std::sync::Arc;

use datafusion_common::Result;
use datafusion_common::ScalarValue;
use datafusion_common::tree_node::Transformed;
use datafusion_expr::logical_plan::{EmptyRelation, TableScanBuilder};
use datafusion_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};

use super::tables::is_work_table;

/// For protobuf, whose scan of a work table holds a name and a schema, and whose empty relation
/// holds no schema.
pub(super) fn for_protobuf(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::TableScan(scan)
            if is_work_table(&scan)
                && (scan.projection.is_some() || !scan.filters.is_empty()) =>
        {
            let whole = TableScanBuilder::new(scan.table_name.clone(), Arc::clone(&scan.source))
                .build()
                .map(LogicalPlan::TableScan)?;
            let mut builder = LogicalPlanBuilder::from(whole);
            for filter in scan.filters {
                builder = builder.filter(filter)?;
            }
            let columns = scan.projected_schema.columns().into_iter().map(Expr::Column);
            let plan = builder.project(columns)?.build()?;
            Ok(Transformed::yes(plan))
        }
        LogicalPlan::EmptyRelation(empty) if !empty.schema.fields().is_empty() => {
            no_rows(&empty).map(Transformed::yes)
        }
        other => Ok(Transformed::no(other)),
    })
    .map(|transformed| transformed.data)
}

/// An empty relation with columns, as nulls of their types of which no row is taken.
fn no_rows(empty: &EmptyRelation) -> Result<LogicalPlan> {
    let columns = empty.schema.iter().map(|(qualifier, field)| {
        let null = ScalarValue::try_from(field.data_type()).map_or_else(
            |_| cast(lit(ScalarValue::Null), field.data_type().clone()),
            lit,
        );
        null.alias_qualified(qualifier.cloned(), field.name())
    });
    let columns: Vec<Expr> = columns.collect();
    let builder = LogicalPlanBuilder::empty(true).project(columns)?;
    if empty.produce_one_row {
        return builder.build();
    }
    builder.limit(0, Some(0))?.build()
}

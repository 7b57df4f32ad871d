//! What is put differently before a plan is encoded, because the encoding would lose it.
//!
//! Everything here keeps the rows of the plan; the digest of what comes back decides.

use std::sync::Arc;

use datafusion_common::Result;
use datafusion_common::ScalarValue;
use datafusion_common::arrow::datatypes::Field;
use datafusion_common::tree_node::Transformed;
use datafusion_expr::logical_plan::{EmptyRelation, TableScanBuilder};
use datafusion_expr::{Expr, LogicalPlan, LogicalPlanBuilder, lit};

use super::tables::is_work_table;

/// For Substrait, whose empty relation holds types without zones.
pub(super) fn for_substrait(plan: LogicalPlan) -> Result<LogicalPlan> {
    with_explicit_empty_relations(plan)
}

/// For protobuf, whose scan of a work table holds a name and a schema, and whose empty relation
/// holds no schema.
pub(super) fn for_protobuf(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::TableScan(scan)
            if is_work_table(&scan) && (scan.projection.is_some() || !scan.filters.is_empty()) =>
        {
            let whole = TableScanBuilder::new(scan.table_name.clone(), Arc::clone(&scan.source))
                .build()
                .map(LogicalPlan::TableScan)?;
            let mut builder = LogicalPlanBuilder::from(whole);
            for filter in scan.filters {
                builder = builder.filter(filter)?;
            }
            let columns = scan
                .projected_schema
                .columns()
                .into_iter()
                .map(Expr::Column);
            let plan = builder.project(columns)?.build()?;
            Ok(Transformed::yes(plan))
        }
        other => Ok(Transformed::no(other)),
    })
    .and_then(|transformed| with_explicit_empty_relations(transformed.data))
}

fn with_explicit_empty_relations(plan: LogicalPlan) -> Result<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::EmptyRelation(empty) if !empty.schema.fields().is_empty() => {
            no_rows(&empty).map(Transformed::yes)
        }
        other => Ok(Transformed::no(other)),
    })
    .map(|transformed| transformed.data)
}

/// An empty relation with columns, as constants of their types of which no row is taken.
fn no_rows(empty: &EmptyRelation) -> Result<LogicalPlan> {
    let constant = |field: &Field| {
        if field.is_nullable() {
            ScalarValue::try_from(field.data_type())
        } else {
            ScalarValue::new_default(field.data_type())
        }
    };
    let columns: Vec<Expr> = empty
        .schema
        .iter()
        .map(|(qualifier, field)| {
            let name = field.name();
            Ok(lit(constant(field)?).alias_qualified(qualifier.cloned(), name))
        })
        .collect::<Result<_>>()?;
    let builder = LogicalPlanBuilder::empty(true).project(columns)?;
    if empty.produce_one_row {
        return builder.build();
    }
    builder.limit(0, Some(0))?.build()
}

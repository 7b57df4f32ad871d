//! What the scans of a plan ask of tables.

use std::collections::{BTreeMap, BTreeSet};

use codeanatomy_delta::ScanScope;
use codeanatomy_views::SchemaSource;
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;
use datafusion::logical_expr::logical_plan::TableScan;

/// What the scans of one dataset in one plan ask.
#[derive(Debug, Clone, Default)]
pub struct DatasetRead {
    /// One for each scan, in the order of the plan.
    pub scopes: Vec<ScanScope>,
    /// Why the rows that the plan gives depend on how the dataset's rows lie in files, if they may.
    pub depends_on_layout: Option<String>,
}

/// What each schema-only table of an optimized plan is asked for, by the table's name.
pub(crate) fn scopes(plan: &LogicalPlan) -> Result<BTreeMap<String, Vec<ScanScope>>> {
    let mut found: BTreeMap<String, Vec<ScanScope>> = BTreeMap::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && scan.source.is::<SchemaSource>()
        {
            let table = scan.table_name.table().to_owned();
            found.entry(table).or_default().push(scope(scan));
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(found)
}

/// What one scan asks.
pub(crate) fn scope(scan: &TableScan) -> ScanScope {
    let schema = scan.source.schema();
    let columns: BTreeSet<String> = match &scan.projection {
        Some(projection) => projection
            .iter()
            .filter_map(|place| schema.fields().get(*place))
            .map(|field| field.name().clone())
            .collect(),
        None => schema
            .fields()
            .iter()
            .map(|field| field.name().clone())
            .collect(),
    };
    ScanScope {
        columns,
        filters: scan.filters.clone(),
    }
}

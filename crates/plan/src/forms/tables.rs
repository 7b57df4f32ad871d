//! The tables of a plan while an encoder or decoder of the engine has it.
//!
//! Both want a provider of data for each table. A plan of this crate scans schemas. So each scan is
//! given a provider that has the schema and no rows, and afterwards its own source again.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::cte_worktable::CteWorkTable;
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::physical_plan::ExecutionPlan;
use datafusion_common::arrow::datatypes::SchemaRef;
use datafusion_common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion_common::{Constraints, Result as EngineResult, TableReference, not_impl_err};
use datafusion_expr::logical_plan::TableScan;
use datafusion_expr::{Expr, LogicalPlan, TableProviderFilterPushDown, TableSource, TableType};

use super::guard::Reason;

/// The tables that a plan may scan, by the text of their reference.
pub(super) type Tables = BTreeMap<String, Arc<dyn TableSource>>;

/// A table that is only its source.
pub(super) struct FormTable {
    source: Arc<dyn TableSource>,
}

impl FormTable {
    /// The provider for a table, if the plan may scan it.
    pub(super) fn find(tables: &Tables, name: &TableReference) -> Option<Arc<dyn TableProvider>> {
        let source = Arc::clone(tables.get(&name.to_string())?);
        Some(Arc::new(Self { source }))
    }
}

impl fmt::Debug for FormTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FormTable")
    }
}

#[async_trait]
impl TableProvider for FormTable {
    fn schema(&self) -> SchemaRef {
        self.source.schema()
    }

    fn constraints(&self) -> Option<&Constraints> {
        self.source.constraints()
    }

    fn table_type(&self) -> TableType {
        self.source.table_type()
    }

    fn get_logical_plan(&'_ self) -> Option<Cow<'_, LogicalPlan>> {
        self.source.get_logical_plan()
    }

    fn get_column_default(&self, column: &str) -> Option<&Expr> {
        self.source.get_column_default(column)
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> EngineResult<Vec<TableProviderFilterPushDown>> {
        self.source.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        _projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        not_impl_err!("a table of a kept plan has no rows until data is bound to it")
    }
}

/// Refuses a plan that scans something else than the given tables and its own work tables.
pub(super) fn check_tables(plan: &LogicalPlan, tables: &Tables) -> Result<(), Reason> {
    let mut unknown = None;
    // The closure returns no error.
    let _ = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && !is_work_table(scan)
            && !tables.contains_key(&scan.table_name.to_string())
        {
            unknown = Some(scan.table_name.to_string());
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    match unknown {
        None => Ok(()),
        Some(name) if name.ends_with("()") => Err(format!(
            "the table function `{name}` hides its arguments from every plan"
        )),
        Some(name) => Err(format!(
            "the plan scans `{name}`, which is none of its tables"
        )),
    }
}

/// Refuses a decoded plan in which a work table stands where no recursive query makes it: it could
/// be taken for the table of the same name.
pub(super) fn check_work_tables(plan: &LogicalPlan) -> Result<(), Reason> {
    let mut stray = None;
    find_stray(plan, &mut Vec::new(), &mut stray);
    match stray {
        None => Ok(()),
        Some(name) => Err(format!("no recursive query makes the work table `{name}`")),
    }
}

#[recursive::recursive]
fn find_stray(plan: &LogicalPlan, made: &mut Vec<String>, stray: &mut Option<String>) {
    if let LogicalPlan::TableScan(scan) = plan {
        let name = scan.table_name.to_string();
        if is_work_table(scan) && !made.contains(&name) {
            *stray = Some(name);
        }
    }
    if let LogicalPlan::RecursiveQuery(query) = plan {
        find_stray(&query.static_term, made, stray);
        made.push(query.name.clone());
        find_stray(&query.recursive_term, made, stray);
        made.pop();
    } else {
        for input in plan.inputs() {
            find_stray(input, made, stray);
        }
    }
    // The closure returns no error.
    let _ = plan.apply_subqueries(|subquery| {
        find_stray(subquery, made, stray);
        Ok(TreeNodeRecursion::Continue)
    });
}

/// Gives each scan of a table a provider.
pub(super) fn wrap(plan: LogicalPlan, tables: &Tables) -> EngineResult<LogicalPlan> {
    replace_sources(plan, |scan| {
        if is_work_table(scan) {
            return None;
        }
        FormTable::find(tables, &scan.table_name).map(provider_as_source)
    })
}

/// Gives each scan its own source again.
pub(super) fn unwrap(plan: LogicalPlan) -> EngineResult<LogicalPlan> {
    replace_sources(plan, |scan| {
        let provider = source_as_provider(&scan.source).ok()?;
        let table = provider.downcast_ref::<FormTable>()?;
        Some(Arc::clone(&table.source))
    })
}

/// Whether a scan reads the work table of a recursive query.
pub(super) fn is_work_table(scan: &TableScan) -> bool {
    source_as_provider(&scan.source)
        .is_ok_and(|provider| provider.downcast_ref::<CteWorkTable>().is_some())
}

fn replace_sources(
    plan: LogicalPlan,
    source_of: impl Fn(&TableScan) -> Option<Arc<dyn TableSource>>,
) -> EngineResult<LogicalPlan> {
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::TableScan(scan) => Ok(match source_of(&scan) {
            Some(source) => Transformed::yes(LogicalPlan::TableScan(TableScan { source, ..scan })),
            None => Transformed::no(LogicalPlan::TableScan(scan)),
        }),
        other => Ok(Transformed::no(other)),
    })
    .map(|transformed| transformed.data)
}

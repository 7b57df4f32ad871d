//! Nodes of plans for people.

use datafusion_expr::{Distinct, Expr, LogicalPlan, SortExpr, Statement};

use super::lineage::PlanNode;
use crate::expr::describe;

/// What a node does, and with what.
pub(super) fn plan_node(plan: &LogicalPlan) -> PlanNode {
    let detail = match plan {
        LogicalPlan::Filter(filter) => describe(&filter.predicate),
        LogicalPlan::Window(window) => exprs(&window.window_expr),
        LogicalPlan::Aggregate(aggregate) => match aggregate.group_expr.as_slice() {
            [] => String::new(),
            groups => format!("by {}", exprs(groups)),
        },
        LogicalPlan::Sort(sort) => sorts(&sort.expr),
        LogicalPlan::Join(join) => {
            let keys = join.on.iter();
            let keys =
                keys.map(|(left, right)| format!("{} = {}", describe(left), describe(right)));
            let mut detail = join.join_type.to_string();
            for part in keys.chain(join.filter.iter().map(describe)) {
                detail.push_str(", ");
                detail.push_str(&part);
            }
            detail
        }
        LogicalPlan::TableScan(scan) => {
            let filters = scan.filters.iter().map(describe);
            let parts: Vec<String> = std::iter::once(scan.table_name.to_string())
                .chain(filters)
                .collect();
            parts.join(", ")
        }
        LogicalPlan::Distinct(Distinct::On(distinct)) => exprs(&distinct.on_expr),
        LogicalPlan::Unnest(unnest) => {
            let columns = unnest.exec_columns.iter();
            let columns: Vec<String> = columns.map(|column| column.flat_name()).collect();
            columns.join(", ")
        }
        LogicalPlan::RecursiveQuery(query) => query.name.clone(),
        LogicalPlan::SubqueryAlias(alias) => alias.alias.to_string(),
        LogicalPlan::Extension(extension) => extension.node.name().to_owned(),
        LogicalPlan::Dml(dml) => format!("{} {}", dml.op.name(), dml.table_name),
        LogicalPlan::Projection(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Statement(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::Explain(_)
        | LogicalPlan::Analyze(_)
        | LogicalPlan::Distinct(Distinct::All(_))
        | LogicalPlan::Ddl(_)
        | LogicalPlan::Copy(_)
        | LogicalPlan::DescribeTable(_) => String::new(),
    };
    PlanNode {
        operator: operator(plan),
        detail,
    }
}

/// What a node does, as the engine calls it.
pub(super) fn operator(plan: &LogicalPlan) -> &'static str {
    match plan {
        LogicalPlan::Projection(_) => "Projection",
        LogicalPlan::Filter(_) => "Filter",
        LogicalPlan::Window(_) => "Window",
        LogicalPlan::Aggregate(_) => "Aggregate",
        LogicalPlan::Sort(_) => "Sort",
        LogicalPlan::Join(_) => "Join",
        LogicalPlan::Repartition(_) => "Repartition",
        LogicalPlan::Union(_) => "Union",
        LogicalPlan::TableScan(_) => "TableScan",
        LogicalPlan::EmptyRelation(_) => "EmptyRelation",
        LogicalPlan::Subquery(_) => "Subquery",
        LogicalPlan::SubqueryAlias(_) => "SubqueryAlias",
        LogicalPlan::Limit(_) => "Limit",
        LogicalPlan::Statement(statement) => match statement {
            Statement::Prepare(_) => "Prepare",
            Statement::Execute(_) => "Execute",
            Statement::TransactionStart(_)
            | Statement::TransactionEnd(_)
            | Statement::SetVariable(_)
            | Statement::ResetVariable(_)
            | Statement::Deallocate(_) => "Statement",
        },
        LogicalPlan::Values(_) => "Values",
        LogicalPlan::Explain(_) => "Explain",
        LogicalPlan::Analyze(_) => "Analyze",
        LogicalPlan::Extension(_) => "Extension",
        LogicalPlan::Distinct(_) => "Distinct",
        LogicalPlan::Dml(_) => "Dml",
        LogicalPlan::Ddl(_) => "Ddl",
        LogicalPlan::Copy(_) => "Copy",
        LogicalPlan::DescribeTable(_) => "DescribeTable",
        LogicalPlan::Unnest(_) => "Unnest",
        LogicalPlan::RecursiveQuery(_) => "RecursiveQuery",
    }
}

fn exprs(exprs: &[Expr]) -> String {
    let described: Vec<String> = exprs.iter().map(describe).collect();
    described.join(", ")
}

fn sorts(sorts: &[SortExpr]) -> String {
    let described = sorts.iter().map(|sort| {
        let direction = if sort.asc { "" } else { " DESC" };
        format!("{}{direction}", describe(&sort.expr))
    });
    let described: Vec<String> = described.collect();
    described.join(", ")
}

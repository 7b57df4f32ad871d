//! The expressions and subplans of one node.

use std::sync::Arc;

use datafusion_expr::{
    DdlStatement, Distinct, Expr, LogicalPlan, Partitioning, SortExpr, Statement, WriteOp,
};

use crate::expr::for_each;
use crate::report::ExprKind;

/// Shows `visit` every expression that the node lends, outermost only, with what it is for. Those
/// that an extension node makes when it is asked are left out.
pub(crate) fn for_each_expr<'p>(plan: &'p LogicalPlan, mut visit: impl FnMut(ExprKind, &'p Expr)) {
    let mut all = |kind, exprs: &'p [Expr]| exprs.iter().for_each(|expr| visit(kind, expr));
    match plan {
        LogicalPlan::Projection(projection) => all(ExprKind::Projection, &projection.expr),
        LogicalPlan::Filter(filter) => visit(ExprKind::Filter, &filter.predicate),
        LogicalPlan::Window(window) => all(ExprKind::Window, &window.window_expr),
        LogicalPlan::Aggregate(aggregate) => {
            all(ExprKind::GroupBy, &aggregate.group_expr);
            all(ExprKind::Aggregate, &aggregate.aggr_expr);
        }
        LogicalPlan::Sort(sort) => {
            sort_exprs(&sort.expr, |expr| visit(ExprKind::Sort, expr));
        }
        LogicalPlan::Join(join) => {
            for (left, right) in &join.on {
                visit(ExprKind::JoinKey, left);
                visit(ExprKind::JoinKey, right);
            }
            if let Some(filter) = &join.filter {
                visit(ExprKind::JoinFilter, filter);
            }
        }
        LogicalPlan::Repartition(repartition) => match &repartition.partitioning_scheme {
            Partitioning::RoundRobinBatch(_) => {}
            Partitioning::Hash(exprs, _) | Partitioning::DistributeBy(exprs) => {
                all(ExprKind::Partitioning, exprs);
            }
            Partitioning::Range(range) => {
                sort_exprs(range.ordering(), |expr| visit(ExprKind::Partitioning, expr));
            }
        },
        LogicalPlan::TableScan(scan) => all(ExprKind::ScanFilter, &scan.filters),
        LogicalPlan::Limit(limit) => {
            for expr in [&limit.skip, &limit.fetch].into_iter().flatten() {
                visit(ExprKind::Limit, expr);
            }
        }
        LogicalPlan::Values(values) => {
            for row in &values.values {
                all(ExprKind::Values, row);
            }
        }
        LogicalPlan::Distinct(Distinct::On(distinct)) => {
            all(ExprKind::DistinctOn, &distinct.on_expr);
            all(ExprKind::Projection, &distinct.select_expr);
            let sorts = distinct.sort_expr.as_deref().unwrap_or_default();
            sort_exprs(sorts, |expr| visit(ExprKind::Sort, expr));
        }
        LogicalPlan::Dml(dml) => {
            if let WriteOp::MergeInto(merge) = &dml.op {
                for expr in merge.exprs() {
                    visit(ExprKind::Write, expr);
                }
            }
        }
        LogicalPlan::Statement(Statement::Execute(execute)) => {
            all(ExprKind::Parameter, &execute.parameters);
        }
        LogicalPlan::Statement(
            Statement::TransactionStart(_)
            | Statement::TransactionEnd(_)
            | Statement::SetVariable(_)
            | Statement::ResetVariable(_)
            | Statement::Prepare(_)
            | Statement::Deallocate(_),
        )
        | LogicalPlan::Union(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Explain(_)
        | LogicalPlan::Analyze(_)
        | LogicalPlan::Extension(_)
        | LogicalPlan::Distinct(Distinct::All(_))
        | LogicalPlan::Ddl(_)
        | LogicalPlan::Copy(_)
        | LogicalPlan::DescribeTable(_)
        | LogicalPlan::Unnest(_)
        | LogicalPlan::RecursiveQuery(_) => {}
    }
}

/// The plans whose rows the node takes, without those in expressions and behind views.
pub(crate) fn inputs(plan: &LogicalPlan) -> Vec<&LogicalPlan> {
    match plan {
        LogicalPlan::Projection(projection) => vec![&projection.input],
        LogicalPlan::Filter(filter) => vec![&filter.input],
        LogicalPlan::Window(window) => vec![&window.input],
        LogicalPlan::Aggregate(aggregate) => vec![&aggregate.input],
        LogicalPlan::Sort(sort) => vec![&sort.input],
        LogicalPlan::Join(join) => vec![&join.left, &join.right],
        LogicalPlan::Repartition(repartition) => vec![&repartition.input],
        LogicalPlan::Union(union) => union.inputs.iter().map(Arc::as_ref).collect(),
        LogicalPlan::Subquery(subquery) => vec![&subquery.subquery],
        LogicalPlan::SubqueryAlias(alias) => vec![&alias.input],
        LogicalPlan::Limit(limit) => vec![&limit.input],
        LogicalPlan::Distinct(Distinct::All(input)) => vec![input],
        LogicalPlan::Distinct(Distinct::On(distinct)) => vec![&distinct.input],
        LogicalPlan::Unnest(unnest) => vec![&unnest.input],
        LogicalPlan::RecursiveQuery(query) => vec![&query.static_term, &query.recursive_term],
        LogicalPlan::Extension(extension) => extension.node.inputs(),
        LogicalPlan::Explain(explain) => vec![&explain.plan],
        LogicalPlan::Analyze(analyze) => vec![&analyze.input],
        LogicalPlan::Copy(copy) => vec![&copy.input],
        LogicalPlan::Dml(dml) => vec![&dml.input],
        LogicalPlan::Ddl(ddl) => match ddl {
            DdlStatement::CreateMemoryTable(create) => vec![&create.input],
            DdlStatement::CreateView(create) => vec![&create.input],
            DdlStatement::CreateExternalTable(_)
            | DdlStatement::CreateCatalogSchema(_)
            | DdlStatement::CreateCatalog(_)
            | DdlStatement::CreateIndex(_)
            | DdlStatement::DropTable(_)
            | DdlStatement::DropView(_)
            | DdlStatement::DropCatalogSchema(_)
            | DdlStatement::CreateFunction(_)
            | DdlStatement::DropFunction(_) => Vec::new(),
        },
        LogicalPlan::Statement(statement) => match statement {
            Statement::Prepare(prepare) => vec![&prepare.input],
            Statement::Execute(_)
            | Statement::TransactionStart(_)
            | Statement::TransactionEnd(_)
            | Statement::SetVariable(_)
            | Statement::ResetVariable(_)
            | Statement::Deallocate(_) => Vec::new(),
        },
        LogicalPlan::TableScan(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::DescribeTable(_) => Vec::new(),
    }
}

/// The plan of a subquery, where the expression itself is one.
pub(crate) fn subplan(expr: &Expr) -> Option<&Arc<LogicalPlan>> {
    match expr {
        Expr::Exists(exists) => Some(&exists.subquery.subquery),
        Expr::InSubquery(in_subquery) => Some(&in_subquery.subquery.subquery),
        Expr::SetComparison(comparison) => Some(&comparison.subquery.subquery),
        Expr::ScalarSubquery(subquery) => Some(&subquery.subquery),
        #[expect(deprecated, reason = "a plan made by hand may still have one")]
        Expr::Wildcard { .. } => None,
        Expr::Alias(_)
        | Expr::Column(_)
        | Expr::ScalarVariable(_, _)
        | Expr::Literal(_, _)
        | Expr::BinaryExpr(_)
        | Expr::Like(_)
        | Expr::SimilarTo(_)
        | Expr::Not(_)
        | Expr::IsNotNull(_)
        | Expr::IsNull(_)
        | Expr::IsTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNotFalse(_)
        | Expr::IsNotUnknown(_)
        | Expr::Negative(_)
        | Expr::Between(_)
        | Expr::Case(_)
        | Expr::Cast(_)
        | Expr::TryCast(_)
        | Expr::ScalarFunction(_)
        | Expr::AggregateFunction(_)
        | Expr::WindowFunction(_)
        | Expr::HigherOrderFunction(_)
        | Expr::InList(_)
        | Expr::GroupingSet(_)
        | Expr::Placeholder(_)
        | Expr::OuterReferenceColumn(_, _)
        | Expr::Unnest(_)
        | Expr::Lambda(_)
        | Expr::LambdaVariable(_) => None,
    }
}

/// The plans of all subqueries in the expressions that the node lends.
pub(crate) fn subplans(plan: &LogicalPlan) -> Vec<&LogicalPlan> {
    let mut subplans = Vec::new();
    for_each_expr(plan, |_, expr| subplans.extend(subplans_of(expr)));
    subplans
}

/// The plans of all subqueries in an expression.
pub(crate) fn subplans_of(expr: &Expr) -> Vec<&LogicalPlan> {
    let mut subplans = Vec::new();
    for_each(expr, |expr| subplans.extend(subplan(expr).map(Arc::as_ref)));
    subplans
}

fn sort_exprs<'p>(sorts: &'p [SortExpr], mut visit: impl FnMut(&'p Expr)) {
    for sort in sorts {
        visit(&sort.expr);
    }
}

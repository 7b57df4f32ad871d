//! One pass over a plan, all subqueries in it and the plans behind its views.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use datafusion_common::TableReference;
use datafusion_expr::{
    DdlStatement, Distinct, Expr, Join, LogicalPlan, Partitioning, RecursiveQuery, SortExpr,
    Statement, TableScan, TableSource, TableType, WriteOp,
};

use crate::expr::for_each;

/// What a pass meets. Whatever a visitor does not care for it leaves out.
pub(crate) trait Visitor {
    /// A table is read; no projection means all columns.
    fn scan(
        &mut self,
        table: &TableReference,
        source: &dyn TableSource,
        projection: Option<&[usize]>,
        filters: &[Expr],
    );

    fn join(&mut self, _join: &Join) {}

    fn function(&mut self, _name: &str) {}

    fn table_function(&mut self, _name: &str) {}

    fn opaque(&mut self, _finding: String) {}
}

/// Shows `visitor` everything in `plan`. Each node is passed once, also where several nodes share
/// it. The stack is on the heap, so the depth of a plan cannot exhaust the thread's.
pub(crate) fn walk(plan: &LogicalPlan, visitor: &mut impl Visitor) {
    let mut world = World {
        visitor,
        scopes: Vec::new(),
        made: Vec::new(),
    };
    pass(plan, None, &mut world);
    // Plans that a node made when it was asked, rather than lent.
    while let Some((plan, scope)) = world.made.pop() {
        pass(&plan, scope, &mut world);
    }
}

/// The recursive queries around a node: an index of [`World::scopes`].
type Scope = Option<usize>;

struct World<'v, V> {
    visitor: &'v mut V,
    /// The name of each recursive query that was met, with the recursive queries around it.
    scopes: Vec<(String, Scope)>,
    made: Vec<(Arc<LogicalPlan>, Scope)>,
}

struct Pass<'p, 'w, 'v, V> {
    world: &'w mut World<'v, V>,
    pending: Vec<(&'p LogicalPlan, Scope)>,
}

fn pass<V: Visitor>(plan: &LogicalPlan, scope: Scope, world: &mut World<'_, V>) {
    let mut pass = Pass {
        world,
        pending: vec![(plan, scope)],
    };
    let mut passed = HashSet::new();
    while let Some((plan, scope)) = pass.pending.pop() {
        if passed.insert((std::ptr::from_ref(plan), scope)) {
            let first = pass.pending.len();
            pass.node(plan, scope);
            pass.pending[first..].reverse();
        }
    }
}

impl<'p, V: Visitor> Pass<'p, '_, '_, V> {
    /// Shows one node and its expressions; puts the plans in it on the stack.
    fn node(&mut self, plan: &'p LogicalPlan, scope: Scope) {
        match plan {
            LogicalPlan::Projection(projection) => {
                self.exprs(&projection.expr, scope);
                self.input(&projection.input, scope);
            }
            LogicalPlan::Filter(filter) => {
                self.expr(&filter.predicate, scope);
                self.input(&filter.input, scope);
            }
            LogicalPlan::Window(window) => {
                self.exprs(&window.window_expr, scope);
                self.input(&window.input, scope);
            }
            LogicalPlan::Aggregate(aggregate) => {
                self.exprs(&aggregate.group_expr, scope);
                self.exprs(&aggregate.aggr_expr, scope);
                self.input(&aggregate.input, scope);
            }
            LogicalPlan::Sort(sort) => {
                self.sort_exprs(&sort.expr, scope);
                self.input(&sort.input, scope);
            }
            LogicalPlan::Join(join) => {
                self.world.visitor.join(join);
                for (left, right) in &join.on {
                    self.expr(left, scope);
                    self.expr(right, scope);
                }
                self.exprs(&join.filter, scope);
                self.input(&join.left, scope);
                self.input(&join.right, scope);
            }
            LogicalPlan::Repartition(repartition) => {
                match &repartition.partitioning_scheme {
                    Partitioning::RoundRobinBatch(_) => {}
                    Partitioning::Hash(exprs, _) | Partitioning::DistributeBy(exprs) => {
                        self.exprs(exprs, scope);
                    }
                    Partitioning::Range(range) => self.sort_exprs(range.ordering(), scope),
                }
                self.input(&repartition.input, scope);
            }
            LogicalPlan::Union(union) => {
                for input in &union.inputs {
                    self.input(input, scope);
                }
            }
            LogicalPlan::TableScan(scan) => self.scan(scan, scope),
            LogicalPlan::Subquery(subquery) => self.input(&subquery.subquery, scope),
            LogicalPlan::SubqueryAlias(alias) => self.input(&alias.input, scope),
            LogicalPlan::Limit(limit) => {
                self.exprs(limit.skip.as_deref(), scope);
                self.exprs(limit.fetch.as_deref(), scope);
                self.input(&limit.input, scope);
            }
            LogicalPlan::Values(values) => {
                for row in &values.values {
                    self.exprs(row, scope);
                }
            }
            LogicalPlan::Distinct(Distinct::All(input)) => self.input(input, scope),
            LogicalPlan::Distinct(Distinct::On(distinct)) => {
                self.exprs(&distinct.on_expr, scope);
                self.exprs(&distinct.select_expr, scope);
                self.sort_exprs(distinct.sort_expr.iter().flatten(), scope);
                self.input(&distinct.input, scope);
            }
            LogicalPlan::Unnest(unnest) => self.input(&unnest.input, scope),
            LogicalPlan::RecursiveQuery(query) => self.recursive_query(query, scope),
            LogicalPlan::Extension(extension) => {
                let finding = format!("extension node `{}`", extension.node.name());
                self.world.visitor.opaque(finding);
                for expr in extension.node.expressions() {
                    self.made_expr(&expr, scope);
                }
                for input in extension.node.inputs() {
                    self.input(input, scope);
                }
            }
            LogicalPlan::Explain(explain) => self.input(&explain.plan, scope),
            LogicalPlan::Analyze(analyze) => self.input(&analyze.input, scope),
            LogicalPlan::Copy(copy) => self.input(&copy.input, scope),
            LogicalPlan::Dml(dml) => {
                match &dml.op {
                    WriteOp::Insert(_)
                    | WriteOp::Delete
                    | WriteOp::Update
                    | WriteOp::Ctas
                    | WriteOp::Truncate => {}
                    WriteOp::MergeInto(merge) => {
                        let target = dml.target.as_ref();
                        self.world.visitor.scan(&dml.table_name, target, None, &[]);
                        self.exprs(merge.exprs(), scope);
                    }
                    // The engine keeps this enumeration open.
                    other => {
                        let finding = format!("write operation `{}`", other.name());
                        self.world.visitor.opaque(finding);
                    }
                }
                self.input(&dml.input, scope);
            }
            LogicalPlan::Ddl(ddl) => match ddl {
                DdlStatement::CreateMemoryTable(create) => self.input(&create.input, scope),
                DdlStatement::CreateView(create) => self.input(&create.input, scope),
                DdlStatement::CreateExternalTable(_)
                | DdlStatement::CreateCatalogSchema(_)
                | DdlStatement::CreateCatalog(_)
                | DdlStatement::CreateIndex(_)
                | DdlStatement::DropTable(_)
                | DdlStatement::DropView(_)
                | DdlStatement::DropCatalogSchema(_)
                | DdlStatement::CreateFunction(_)
                | DdlStatement::DropFunction(_) => {}
            },
            LogicalPlan::Statement(statement) => match statement {
                Statement::Prepare(prepare) => self.input(&prepare.input, scope),
                Statement::Execute(execute) => {
                    let finding = format!("prepared statement `{}`", execute.name);
                    self.world.visitor.opaque(finding);
                    self.exprs(&execute.parameters, scope);
                }
                Statement::TransactionStart(_)
                | Statement::TransactionEnd(_)
                | Statement::SetVariable(_)
                | Statement::ResetVariable(_)
                | Statement::Deallocate(_) => {}
            },
            LogicalPlan::EmptyRelation(_) | LogicalPlan::DescribeTable(_) => {}
        }
    }

    fn scan(&mut self, scan: &'p TableScan, scope: Scope) {
        self.exprs(&scan.filters, scope);
        if self.is_work_table(scan, scope) {
            return;
        }
        match scan.source.get_logical_plan() {
            Some(Cow::Borrowed(view)) => return self.input(view, None),
            Some(Cow::Owned(view)) => return self.world.made.push((Arc::new(view), None)),
            None => {}
        }
        match table_function(&scan.table_name) {
            Some(function) => self.world.visitor.table_function(function),
            None => self.world.visitor.scan(
                &scan.table_name,
                scan.source.as_ref(),
                scan.projection.as_deref(),
                &scan.filters,
            ),
        }
    }

    /// The static term does not see the query's own rows; a table of the query's name is a table
    /// there.
    fn recursive_query(&mut self, query: &'p RecursiveQuery, scope: Scope) {
        self.input(&query.static_term, scope);
        self.world.scopes.push((query.name.clone(), scope));
        let inner = self.world.scopes.len() - 1;
        self.input(&query.recursive_term, Some(inner));
    }

    fn is_work_table(&self, scan: &TableScan, mut scope: Scope) -> bool {
        let TableReference::Bare { table } = &scan.table_name else {
            return false;
        };
        if scan.source.table_type() != TableType::Temporary {
            return false;
        }
        while let Some((name, outer)) = scope.and_then(|scope| self.world.scopes.get(scope)) {
            if name.as_str() == table.as_ref() {
                return true;
            }
            scope = *outer;
        }
        false
    }

    fn input(&mut self, plan: &'p LogicalPlan, scope: Scope) {
        self.pending.push((plan, scope));
    }

    fn exprs(&mut self, exprs: impl IntoIterator<Item = &'p Expr>, scope: Scope) {
        for expr in exprs {
            self.expr(expr, scope);
        }
    }

    fn sort_exprs(&mut self, exprs: impl IntoIterator<Item = &'p SortExpr>, scope: Scope) {
        self.exprs(exprs.into_iter().map(|sort| &sort.expr), scope);
    }

    fn expr(&mut self, expr: &'p Expr, scope: Scope) {
        for_each(expr, |expr| {
            if let Some(subquery) = show(expr, self.world.visitor) {
                self.pending.push((subquery.as_ref(), scope));
            }
        });
    }

    /// An expression that lives no longer than this call.
    fn made_expr(&mut self, expr: &Expr, scope: Scope) {
        for_each(expr, |expr| {
            if let Some(subquery) = show(expr, self.world.visitor) {
                self.world.made.push((Arc::clone(subquery), scope));
            }
        });
    }
}

/// Shows what one expression is, without those in it; gives back the plan in it.
fn show<'e>(expr: &'e Expr, visitor: &mut impl Visitor) -> Option<&'e Arc<LogicalPlan>> {
    match expr {
        Expr::ScalarFunction(function) => visitor.function(function.name()),
        Expr::AggregateFunction(function) => visitor.function(function.func.name()),
        Expr::WindowFunction(function) => visitor.function(function.fun.name()),
        Expr::HigherOrderFunction(function) => visitor.function(function.name()),
        Expr::Exists(exists) => return Some(&exists.subquery.subquery),
        Expr::InSubquery(in_subquery) => return Some(&in_subquery.subquery.subquery),
        Expr::SetComparison(comparison) => return Some(&comparison.subquery.subquery),
        Expr::ScalarSubquery(subquery) => return Some(&subquery.subquery),
        #[expect(deprecated, reason = "a plan made by hand may still have one")]
        Expr::Wildcard { .. } => visitor.opaque("wildcard that is not resolved".to_owned()),
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
        | Expr::InList(_)
        | Expr::GroupingSet(_)
        | Expr::Placeholder(_)
        | Expr::OuterReferenceColumn(_, _)
        | Expr::Unnest(_)
        | Expr::Lambda(_)
        | Expr::LambdaVariable(_) => {}
    }
    None
}

/// The name of a table function, whose calls the SQL planner writes as a table named `name()`.
fn table_function(table: &TableReference) -> Option<&str> {
    match table {
        TableReference::Bare { table } => table.strip_suffix("()"),
        TableReference::Partial { .. } | TableReference::Full { .. } => None,
    }
}

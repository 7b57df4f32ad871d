//! One pass over a plan, all subqueries in it and the plans behind its views.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use datafusion_common::TableReference;
use datafusion_expr::{
    Expr, Join, LogicalPlan, RecursiveQuery, Statement, TableScan, TableSource, TableType, WriteOp,
};

use crate::expr::{for_each, function_name};
use crate::parts::{for_each_expr, inputs, subplan};
use crate::report::ExprKind;

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

    /// An outermost expression of a node.
    fn expr(&mut self, _kind: ExprKind, _expr: &Expr) {}

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
            LogicalPlan::TableScan(scan) => return self.scan(plan, scan, scope),
            LogicalPlan::RecursiveQuery(query) => return self.recursive_query(query, scope),
            LogicalPlan::Join(join) => self.world.visitor.join(join),
            LogicalPlan::Extension(extension) => {
                let finding = format!("extension node `{}`", extension.node.name());
                self.world.visitor.opaque(finding);
                for expr in extension.node.expressions() {
                    self.made_expr(&expr, scope);
                }
            }
            LogicalPlan::Dml(dml) => match &dml.op {
                WriteOp::Insert(_)
                | WriteOp::Delete
                | WriteOp::Update
                | WriteOp::Ctas
                | WriteOp::Truncate => {}
                WriteOp::MergeInto(_) => {
                    let target = dml.target.as_ref();
                    self.world.visitor.scan(&dml.table_name, target, None, &[]);
                }
                // The engine keeps this enumeration open.
                other => {
                    let finding = format!("write operation `{}`", other.name());
                    self.world.visitor.opaque(finding);
                }
            },
            LogicalPlan::Statement(Statement::Execute(execute)) => {
                let finding = format!("prepared statement `{}`", execute.name);
                self.world.visitor.opaque(finding);
            }
            LogicalPlan::Statement(
                Statement::Prepare(_)
                | Statement::TransactionStart(_)
                | Statement::TransactionEnd(_)
                | Statement::SetVariable(_)
                | Statement::ResetVariable(_)
                | Statement::Deallocate(_),
            )
            | LogicalPlan::Projection(_)
            | LogicalPlan::Filter(_)
            | LogicalPlan::Window(_)
            | LogicalPlan::Aggregate(_)
            | LogicalPlan::Sort(_)
            | LogicalPlan::Repartition(_)
            | LogicalPlan::Union(_)
            | LogicalPlan::EmptyRelation(_)
            | LogicalPlan::Subquery(_)
            | LogicalPlan::SubqueryAlias(_)
            | LogicalPlan::Limit(_)
            | LogicalPlan::Values(_)
            | LogicalPlan::Explain(_)
            | LogicalPlan::Analyze(_)
            | LogicalPlan::Distinct(_)
            | LogicalPlan::Ddl(_)
            | LogicalPlan::Copy(_)
            | LogicalPlan::DescribeTable(_)
            | LogicalPlan::Unnest(_) => {}
        }
        self.exprs(plan, scope);
        for input in inputs(plan) {
            self.input(input, scope);
        }
    }

    fn scan(&mut self, plan: &'p LogicalPlan, scan: &'p TableScan, scope: Scope) {
        self.exprs(plan, scope);
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

    fn exprs(&mut self, plan: &'p LogicalPlan, scope: Scope) {
        for_each_expr(plan, |kind, expr| {
            self.world.visitor.expr(kind, expr);
            for_each(expr, |expr| {
                if let Some(subquery) = show(expr, self.world.visitor) {
                    self.pending.push((subquery.as_ref(), scope));
                }
            });
        });
    }

    /// An expression that lives no longer than this call.
    fn made_expr(&mut self, expr: &Expr, scope: Scope) {
        self.world.visitor.expr(ExprKind::Extension, expr);
        for_each(expr, |expr| {
            if let Some(subquery) = show(expr, self.world.visitor) {
                self.world.made.push((Arc::clone(subquery), scope));
            }
        });
    }
}

/// Shows what one expression is, without those in it; gives back the plan in it.
fn show<'e>(expr: &'e Expr, visitor: &mut impl Visitor) -> Option<&'e Arc<LogicalPlan>> {
    if let Some(name) = function_name(expr) {
        visitor.function(name);
    }
    #[expect(deprecated, reason = "a plan made by hand may still have one")]
    if matches!(expr, Expr::Wildcard { .. }) {
        visitor.opaque("wildcard that is not resolved".to_owned());
    }
    subplan(expr)
}

/// The name of a table function, whose calls the SQL planner writes as a table named `name()`.
pub(crate) fn table_function(table: &TableReference) -> Option<&str> {
    match table {
        TableReference::Bare { table } => table.strip_suffix("()"),
        TableReference::Partial { .. } | TableReference::Full { .. } => None,
    }
}

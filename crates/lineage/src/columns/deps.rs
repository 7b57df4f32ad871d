//! What an expression depends on.

use datafusion_common::Column;
use datafusion_expr::{Expr, GroupingSet, LogicalPlan, WindowFunctionDefinition};

use super::builder::{At, Builder};
use super::graph::{Dep, NodeId, Vertex};
use super::lineage::{EdgeKind, FindingKind};
use super::relation::Relation;

/// Where an expression stands.
pub(super) struct Context<'a, 'p> {
    /// The relations whose columns it names.
    pub(super) inputs: &'a [Relation<'p>],
    pub(super) at: At,
    pub(super) node: NodeId,
}

/// The expressions in an expression that are still to be looked at, with how they are used.
type Pending<'p> = Vec<(&'p Expr, EdgeKind)>;

impl<'p> Builder<'p> {
    /// Adds what `expr` depends on, if it is used as `how` says.
    pub(super) fn deps(
        &mut self,
        expr: &'p Expr,
        how: EdgeKind,
        context: &Context<'_, 'p>,
        deps: &mut Vec<Dep>,
    ) {
        let first = deps.len();
        let mut pending = vec![(expr, how)];
        while let Some((expr, how)) = pending.pop() {
            self.one(expr, how, context, deps, &mut pending);
        }
        dedup(deps, first);
    }

    /// The vertex of a column that `expr` computes.
    pub(super) fn computed(&mut self, expr: &'p Expr, context: &Context<'_, 'p>) -> Vertex {
        let mut deps = Vec::new();
        self.deps(expr, EdgeKind::Identity, context, &mut deps);
        self.graph.vertex(&deps)
    }

    fn one(
        &mut self,
        expr: &'p Expr,
        how: EdgeKind,
        context: &Context<'_, 'p>,
        deps: &mut Vec<Dep>,
        pending: &mut Pending<'p>,
    ) {
        let node = context.node;
        // The value goes into another one.
        let computed = EdgeKind::Transformation.max_direct(how);
        match expr {
            Expr::Column(column) => self.column(column, how, context, deps),
            Expr::OuterReferenceColumn(_, column) => {
                let found = self.outer_columns(column, context.at.place);
                if found.is_empty() {
                    self.unknown(&column.flat_name(), how, context, deps);
                }
                deps.extend(found.into_iter().map(|on| Dep { on, how, node }));
            }
            Expr::Alias(alias) => pending.push((&alias.expr, how)),
            Expr::Literal(_, _)
            | Expr::ScalarVariable(_, _)
            | Expr::Placeholder(_)
            // The list that its items come from is another argument of the same call.
            | Expr::LambdaVariable(_) => {}
            Expr::BinaryExpr(binary) => {
                pending.push((&binary.left, computed));
                pending.push((&binary.right, computed));
            }
            Expr::Like(like) | Expr::SimilarTo(like) => {
                pending.push((&like.expr, computed));
                pending.push((&like.pattern, computed));
            }
            Expr::Not(expr)
            | Expr::IsNotNull(expr)
            | Expr::IsNull(expr)
            | Expr::IsTrue(expr)
            | Expr::IsFalse(expr)
            | Expr::IsUnknown(expr)
            | Expr::IsNotTrue(expr)
            | Expr::IsNotFalse(expr)
            | Expr::IsNotUnknown(expr)
            | Expr::Negative(expr) => pending.push((expr, computed)),
            Expr::Between(between) => {
                let parts = [&between.expr, &between.low, &between.high];
                pending.extend(parts.map(|part| (part.as_ref(), computed)));
            }
            Expr::Case(case) => {
                let condition = how.or(EdgeKind::Conditional);
                pending.extend(case.expr.iter().map(|expr| (expr.as_ref(), condition)));
                for (when, then) in &case.when_then_expr {
                    pending.push((when, condition));
                    pending.push((then, computed));
                }
                pending.extend(case.else_expr.iter().map(|expr| (expr.as_ref(), computed)));
            }
            Expr::Cast(cast) => pending.push((&cast.expr, computed)),
            Expr::TryCast(cast) => pending.push((&cast.expr, computed)),
            Expr::ScalarFunction(call) => all(&call.args, computed, pending),
            Expr::HigherOrderFunction(call) => all(&call.args, computed, pending),
            Expr::Lambda(lambda) => pending.push((&lambda.body, computed)),
            Expr::AggregateFunction(call) => {
                let params = &call.params;
                all(&params.args, EdgeKind::Aggregation.max_direct(how), pending);
                let filter = params.filter.iter();
                pending.extend(filter.map(|expr| (expr.as_ref(), how.or(EdgeKind::Filter))));
                let order = params.order_by.iter();
                pending.extend(order.map(|sort| (&sort.expr, how.or(EdgeKind::Sort))));
                rows(context.inputs, how, node, deps);
            }
            Expr::WindowFunction(call) => {
                let value = match &call.fun {
                    WindowFunctionDefinition::AggregateUDF(_) => EdgeKind::Aggregation,
                    WindowFunctionDefinition::WindowUDF(_) => EdgeKind::Transformation,
                };
                let params = &call.params;
                let window = how.or(EdgeKind::Window);
                all(&params.args, value.max_direct(how), pending);
                all(&params.partition_by, window, pending);
                pending.extend(params.order_by.iter().map(|sort| (&sort.expr, window)));
                let filter = params.filter.iter();
                pending.extend(filter.map(|expr| (expr.as_ref(), how.or(EdgeKind::Filter))));
                rows(context.inputs, how, node, deps);
            }
            Expr::InList(in_list) => {
                pending.push((&in_list.expr, computed));
                all(&in_list.list, computed, pending);
            }
            Expr::Exists(exists) => {
                self.subquery(&exists.subquery.subquery, None, how, context, deps);
            }
            Expr::InSubquery(in_subquery) => {
                let matched = how.or(EdgeKind::Join);
                pending.push((&in_subquery.expr, matched));
                self.subquery(&in_subquery.subquery.subquery, Some(matched), how, context, deps);
            }
            Expr::SetComparison(comparison) => {
                let matched = how.or(EdgeKind::Join);
                pending.push((&comparison.expr, matched));
                self.subquery(&comparison.subquery.subquery, Some(matched), how, context, deps);
            }
            Expr::ScalarSubquery(subquery) => {
                self.subquery(&subquery.subquery, Some(how), how, context, deps);
            }
            #[expect(deprecated, reason = "a plan made by hand may still have one")]
            Expr::Wildcard { .. } => {
                let message = "wildcard that is not resolved".to_owned();
                self.found(FindingKind::Wildcard, message);
                deps.extend(self.everything(context.inputs, computed, node));
            }
            Expr::GroupingSet(GroupingSet::Rollup(exprs) | GroupingSet::Cube(exprs)) => {
                all(exprs, how, pending);
            }
            Expr::GroupingSet(GroupingSet::GroupingSets(sets)) => {
                sets.iter().for_each(|exprs| all(exprs, how, pending));
            }
            Expr::Unnest(unnest) => pending.push((&unnest.expr, computed)),
        }
    }

    fn column(
        &mut self,
        column: &Column,
        how: EdgeKind,
        context: &Context<'_, 'p>,
        deps: &mut Vec<Dep>,
    ) {
        let node = context.node;
        let before = deps.len();
        let found = context.inputs.iter().filter_map(|input| input.find(column));
        deps.extend(found.map(|on| Dep { on, how, node }));
        if deps.len() == before {
            self.unknown(&column.flat_name(), how, context, deps);
        }
    }

    fn unknown(
        &mut self,
        name: &str,
        how: EdgeKind,
        context: &Context<'_, 'p>,
        deps: &mut Vec<Dep>,
    ) {
        let message = format!("column `{name}`, which no input has");
        self.found(FindingKind::UnknownColumn, message);
        let how = EdgeKind::Transformation.max_direct(how);
        deps.extend(self.everything(context.inputs, how, context.node));
    }

    /// What the value of a subquery depends on: its columns as `columns` says, if they matter, and
    /// which rows it has.
    fn subquery(
        &mut self,
        plan: &'p LogicalPlan,
        columns: Option<EdgeKind>,
        how: EdgeKind,
        context: &Context<'_, 'p>,
        deps: &mut Vec<Dep>,
    ) {
        let node = context.node;
        let relation = self.relation(plan, context.at.inner);
        if let Some(how) = columns {
            deps.extend(relation.columns.iter().map(|&on| Dep { on, how, node }));
        }
        rows(&[relation], how, node, deps);
    }
}

impl EdgeKind {
    /// `self` on a direct way; an indirect way stays what it is.
    fn max_direct(self, how: Self) -> Self {
        if how.is_direct() { self.max(how) } else { how }
    }

    /// `indirect` on a direct way; an indirect way stays what it is.
    fn or(self, indirect: Self) -> Self {
        if self.is_direct() { indirect } else { self }
    }
}

/// That which rows the inputs have matters.
fn rows(inputs: &[Relation<'_>], how: EdgeKind, node: NodeId, deps: &mut Vec<Dep>) {
    deps.extend(inputs.iter().map(|input| Dep {
        on: input.rows,
        how: if how.is_direct() {
            EdgeKind::Identity
        } else {
            how
        },
        node,
    }));
}

fn all<'p>(exprs: &'p [Expr], how: EdgeKind, pending: &mut Pending<'p>) {
    pending.extend(exprs.iter().map(|expr| (expr, how)));
}

/// Takes out repetitions; expressions name the same few columns again and again.
fn dedup(deps: &mut Vec<Dep>, first: usize) {
    if deps.len() - first > 1 {
        deps[first..].sort_unstable_by_key(|dep| (dep.on, dep.how));
        deps.dedup();
    }
}

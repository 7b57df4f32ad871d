//! What each kind of node yields.

use std::rc::Rc;

use datafusion_common::{DFSchema, JoinType};
use datafusion_expr::utils::grouping_set_to_exprlist;
use datafusion_expr::{
    Aggregate, Distinct, DistinctOn, Expr, Join, LogicalPlan, Statement, Unnest, Window, WriteOp,
};

use super::builder::{At, Builder};
use super::deps::Context;
use super::describe::operator;
use super::graph::{Dep, NodeId, Vertex};
use super::lineage::{EdgeKind, FindingKind};
use super::relation::Relation;
use crate::parts::{for_each_expr, subplans_of};

impl<'p> Builder<'p> {
    /// What a node yields, whose inputs and subqueries are done.
    pub(super) fn node(&mut self, plan: &'p LogicalPlan, at: At, node: NodeId) -> Relation<'p> {
        if let LogicalPlan::TableScan(scan) = plan {
            return self.scan(scan, at, node);
        }
        let inputs = self.inputs(plan, at);
        let context = Context {
            inputs: &inputs,
            at,
            node,
        };
        let made = match (plan, inputs.as_slice()) {
            (LogicalPlan::Projection(projection), [input]) => {
                let columns = self.projected(&projection.expr, &context);
                Some(Relation::new(&projection.schema, columns, input.rows))
            }
            (LogicalPlan::Filter(filter), [input]) => {
                let rows = self.rows([(&filter.predicate, EdgeKind::Filter)], &context);
                Some(input.with_rows(rows))
            }
            (LogicalPlan::Window(window), [input]) => Some(self.window(window, input, &context)),
            (LogicalPlan::Aggregate(aggregate), [_]) => self.aggregate(aggregate, &context),
            (LogicalPlan::Sort(sort), [input]) => {
                let keys = sort.expr.iter().map(|sort| (&sort.expr, EdgeKind::Sort));
                Some(input.with_rows(self.rows(keys, &context)))
            }
            (LogicalPlan::Join(join), [left, right]) => self.join(join, left, right, &context),
            // Which partition a row is in does not show.
            (LogicalPlan::Repartition(_), [input]) => Some(input.clone()),
            (LogicalPlan::Union(union), inputs) => self.union(&union.schema, inputs, node),
            (LogicalPlan::EmptyRelation(empty), []) => Some(self.constants(&empty.schema)),
            (LogicalPlan::Subquery(_), [input]) => Some(input.clone()),
            (LogicalPlan::SubqueryAlias(alias), [input]) => Some(input.renamed(&alias.schema)),
            (LogicalPlan::Limit(limit), [input]) => {
                let counts = [&limit.skip, &limit.fetch].into_iter().flatten();
                let counts = counts.map(|expr| (expr.as_ref(), EdgeKind::Filter));
                Some(input.with_rows(self.rows(counts, &context)))
            }
            (LogicalPlan::Values(values), []) => {
                Some(self.values(&values.schema, &values.values, &context))
            }
            (LogicalPlan::Distinct(Distinct::All(_)), [input]) => {
                Some(input.with_rows(self.distinct_rows(input, node)))
            }
            (LogicalPlan::Distinct(Distinct::On(distinct)), [_]) => {
                Some(self.distinct_on(distinct, &context))
            }
            (LogicalPlan::Unnest(unnest), [input]) => self.unnest(unnest, input, node),
            (LogicalPlan::RecursiveQuery(query), [start, step]) => {
                self.recursive(&query.schema, query.is_distinct, start, step, at, node)
            }
            (LogicalPlan::Extension(extension), _) => {
                let message = format!("extension node `{}`", extension.node.name());
                Some(self.opaque(plan, FindingKind::ExtensionNode, message, &context))
            }
            (LogicalPlan::Statement(Statement::Execute(execute)), _) => {
                let message = format!("prepared statement `{}`", execute.name);
                Some(self.opaque(plan, FindingKind::PreparedStatement, message, &context))
            }
            (LogicalPlan::Statement(Statement::Prepare(_)), _)
            | (LogicalPlan::Copy(_) | LogicalPlan::Dml(_) | LogicalPlan::Analyze(_), _) => {
                let message = format!("{}, which tells about its run", operator(plan));
                Some(self.opaque(plan, FindingKind::Statement, message, &context))
            }
            (LogicalPlan::Ddl(_), [input]) => Some(input.clone()),
            // The text of a plan and the columns of a table say nothing of rows.
            (LogicalPlan::Explain(_) | LogicalPlan::DescribeTable(_) | LogicalPlan::Ddl(_), _)
            | (
                LogicalPlan::Statement(
                    Statement::TransactionStart(_)
                    | Statement::TransactionEnd(_)
                    | Statement::SetVariable(_)
                    | Statement::ResetVariable(_)
                    | Statement::Deallocate(_),
                ),
                _,
            ) => Some(self.constants(plan.schema())),
            // No node has another number of inputs.
            (
                LogicalPlan::Projection(_)
                | LogicalPlan::Filter(_)
                | LogicalPlan::Window(_)
                | LogicalPlan::Aggregate(_)
                | LogicalPlan::Sort(_)
                | LogicalPlan::Join(_)
                | LogicalPlan::Repartition(_)
                | LogicalPlan::TableScan(_)
                | LogicalPlan::EmptyRelation(_)
                | LogicalPlan::Subquery(_)
                | LogicalPlan::SubqueryAlias(_)
                | LogicalPlan::Limit(_)
                | LogicalPlan::Values(_)
                | LogicalPlan::Distinct(_)
                | LogicalPlan::Unnest(_)
                | LogicalPlan::RecursiveQuery(_),
                _,
            ) => None,
        };
        match made {
            Some(relation) if relation.columns.len() == relation.schema().fields().len() => {
                relation
            }
            _ => {
                let message = format!("{} whose outputs do not fit its inputs", operator(plan));
                self.opaque(plan, FindingKind::Mismatch, message, &context)
            }
        }
    }

    fn projected(&mut self, exprs: &'p [Expr], context: &Context<'_, 'p>) -> Rc<[Vertex]> {
        exprs
            .iter()
            .map(|expr| self.computed(expr, context))
            .collect()
    }

    /// The rows of the inputs, as far as `exprs` decide about them too.
    fn rows(
        &mut self,
        exprs: impl IntoIterator<Item = (&'p Expr, EdgeKind)>,
        context: &Context<'_, 'p>,
    ) -> Vertex {
        let inputs = context.inputs.iter();
        let mut deps: Vec<Dep> = inputs
            .map(|input| Dep::same(input.rows, context.node))
            .collect();
        for (expr, how) in exprs {
            self.deps(expr, how, context, &mut deps);
        }
        self.graph.vertex(&deps)
    }

    fn window(
        &mut self,
        window: &'p Window,
        input: &Relation<'p>,
        context: &Context<'_, 'p>,
    ) -> Relation<'p> {
        let computed = self.projected(&window.window_expr, context);
        let columns = input.columns.iter().chain(computed.iter()).copied();
        Relation::new(&window.schema, columns.collect(), input.rows)
    }

    fn aggregate(
        &mut self,
        aggregate: &'p Aggregate,
        context: &Context<'_, 'p>,
    ) -> Option<Relation<'p>> {
        let width = aggregate.schema.fields().len();
        let keys = width.checked_sub(aggregate.aggr_expr.len())?;
        let groups: Vec<&'p Expr> = if aggregate.group_expr.len() == keys
            && !matches!(aggregate.group_expr.first(), Some(Expr::GroupingSet(_)))
        {
            aggregate.group_expr.iter().collect()
        } else {
            grouping_set_to_exprlist(&aggregate.group_expr).ok()?
        };
        let mut columns = Vec::with_capacity(width);
        for group in &groups {
            columns.push(self.computed(group, context));
        }
        // The number of the grouping set, where there are several.
        let constant = self.graph.constant();
        columns.resize(keys.max(columns.len()), constant);
        for expr in &aggregate.aggr_expr {
            columns.push(self.computed(expr, context));
        }
        let rows = if groups.is_empty() && keys == 0 {
            // One row, whatever the input.
            constant
        } else {
            self.rows(
                groups.into_iter().map(|group| (group, EdgeKind::GroupBy)),
                context,
            )
        };
        Some(Relation::new(&aggregate.schema, columns.into(), rows))
    }

    fn join(
        &mut self,
        join: &'p Join,
        left: &Relation<'p>,
        right: &Relation<'p>,
        context: &Context<'_, 'p>,
    ) -> Option<Relation<'p>> {
        let Context { at, node, .. } = *context;
        let mut matched = Vec::new();
        for (left_key, right_key) in &join.on {
            for (key, input) in [(left_key, left), (right_key, right)] {
                let inputs = std::slice::from_ref(input);
                self.deps(
                    key,
                    EdgeKind::Join,
                    &Context { inputs, at, node },
                    &mut matched,
                );
            }
        }
        if let Some(filter) = &join.filter {
            self.deps(filter, EdgeKind::Join, context, &mut matched);
        }
        let [left_rows, right_rows] = [left, right].map(|input| Dep::same(input.rows, node));
        let (columns, rows) = match join.join_type {
            JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
                let columns = left.columns.iter().chain(right.columns.iter()).copied();
                (columns.collect(), None)
            }
            JoinType::LeftSemi | JoinType::LeftAnti => (Rc::clone(&left.columns), None),
            JoinType::RightSemi | JoinType::RightAnti => (Rc::clone(&right.columns), None),
            JoinType::LeftMark | JoinType::RightMark => {
                let (kept, looked_up) = match join.join_type {
                    JoinType::RightMark => (right, left_rows),
                    _ => (left, right_rows),
                };
                matched.push(looked_up);
                let mark = self.graph.vertex(&matched);
                let columns = kept.columns.iter().copied().chain([mark]);
                (columns.collect(), Some(kept.rows))
            }
        };
        let rows = rows.unwrap_or_else(|| {
            matched.extend([left_rows, right_rows]);
            self.graph.vertex(&matched)
        });
        Some(Relation::new(&join.schema, columns, rows))
    }

    /// Columns by position.
    fn union(
        &mut self,
        schema: &'p DFSchema,
        inputs: &[Relation<'p>],
        node: NodeId,
    ) -> Option<Relation<'p>> {
        let mut columns = Vec::with_capacity(schema.fields().len());
        for position in 0..schema.fields().len() {
            let same = inputs.iter().map(|input| input.columns.get(position));
            let same = same.map(|column| column.map(|&on| Dep::same(on, node)));
            columns.push(self.graph.vertex(&same.collect::<Option<Vec<Dep>>>()?));
        }
        let rows: Vec<Dep> = inputs
            .iter()
            .map(|input| Dep::same(input.rows, node))
            .collect();
        let rows = self.graph.vertex(&rows);
        Some(Relation::new(schema, columns.into(), rows))
    }

    fn constants(&mut self, schema: &'p DFSchema) -> Relation<'p> {
        let constant = self.graph.constant();
        let columns = schema.fields().iter().map(|_| constant).collect();
        Relation::new(schema, columns, constant)
    }

    fn values(
        &mut self,
        schema: &'p DFSchema,
        values: &'p [Vec<Expr>],
        context: &Context<'_, 'p>,
    ) -> Relation<'p> {
        let mut columns = vec![Vec::new(); schema.fields().len()];
        for row in values {
            for (expr, deps) in row.iter().zip(&mut columns) {
                self.deps(expr, EdgeKind::Identity, context, deps);
            }
        }
        let columns = columns.iter().map(|deps| self.graph.vertex(deps)).collect();
        Relation::new(schema, columns, self.graph.constant())
    }

    /// The rows of which one is left where several are equal.
    fn distinct_rows(&mut self, input: &Relation<'p>, node: NodeId) -> Vertex {
        let how = EdgeKind::GroupBy;
        let columns = input.columns.iter().map(|&on| Dep { on, how, node });
        let mut deps = vec![Dep::same(input.rows, node)];
        deps.extend(columns);
        self.graph.vertex(&deps)
    }

    fn distinct_on(&mut self, distinct: &'p DistinctOn, context: &Context<'_, 'p>) -> Relation<'p> {
        let columns = self.projected(&distinct.select_expr, context);
        let on = distinct
            .on_expr
            .iter()
            .map(|expr| (expr, EdgeKind::GroupBy));
        let sort = distinct.sort_expr.iter().flatten();
        let sort = sort.map(|sort| (&sort.expr, EdgeKind::Sort));
        let rows = self.rows(on.chain(sort), context);
        Relation::new(&distinct.schema, columns, rows)
    }

    fn unnest(
        &mut self,
        unnest: &'p Unnest,
        input: &Relation<'p>,
        node: NodeId,
    ) -> Option<Relation<'p>> {
        let lists = unnest
            .list_type_columns
            .iter()
            .map(|(position, _)| *position);
        let lists: Vec<usize> = lists.collect();
        let mut columns = Vec::with_capacity(unnest.dependency_indices.len());
        for position in &unnest.dependency_indices {
            let on = *input.columns.get(*position)?;
            let opened = lists.contains(position) || unnest.struct_type_columns.contains(position);
            let how = if opened {
                EdgeKind::Transformation
            } else {
                EdgeKind::Identity
            };
            columns.push(self.graph.vertex(&[Dep { on, how, node }]));
        }
        // A row is repeated for each item.
        let mut deps = vec![Dep::same(input.rows, node)];
        for position in lists {
            let on = *input.columns.get(position)?;
            let how = EdgeKind::Join;
            deps.push(Dep { on, how, node });
        }
        let rows = self.graph.vertex(&deps);
        Some(Relation::new(&unnest.schema, columns.into(), rows))
    }

    /// The query's own columns and rows were handed out before; now it is known what they are.
    fn recursive(
        &mut self,
        schema: &'p DFSchema,
        is_distinct: bool,
        start: &Relation<'p>,
        step: &Relation<'p>,
        at: At,
        node: NodeId,
    ) -> Option<Relation<'p>> {
        let (columns, rows) = self.recursion(at.second)?;
        if [start, step]
            .iter()
            .any(|term| term.columns.len() != columns.len())
        {
            return None;
        }
        for (position, &column) in columns.iter().enumerate() {
            let terms = [start, step].map(|term| Dep::same(term.columns[position], node));
            self.graph.add(column, &terms);
        }
        let terms = [start, step].map(|term| Dep::same(term.rows, node));
        self.graph.add(rows, &terms);
        let query = Relation::new(schema, columns, rows);
        let rows = if is_distinct {
            self.distinct_rows(&query, node)
        } else {
            rows
        };
        Some(query.with_rows(rows))
    }

    /// All outputs depend on all inputs.
    fn opaque(
        &mut self,
        plan: &'p LogicalPlan,
        kind: FindingKind,
        message: String,
        context: &Context<'_, 'p>,
    ) -> Relation<'p> {
        self.found(kind, message);
        let node = context.node;
        let mut values = self.everything(context.inputs, EdgeKind::Transformation, node);
        let mut rows = self.everything(context.inputs, EdgeKind::Filter, node);
        let mut exprs: Vec<&'p Expr> = self.given_exprs(plan).iter().collect();
        for_each_expr(plan, |_, expr| exprs.push(expr));
        if let LogicalPlan::Dml(dml) = plan {
            // The conditions of a merge name columns of its target, which is no input.
            let subplans = exprs.drain(..).flat_map(subplans_of);
            let subqueries = subplans.map(|subplan| self.relation(subplan, context.at.inner));
            let mut read: Vec<Relation<'p>> = subqueries.collect();
            if matches!(dml.op, WriteOp::MergeInto(_)) {
                read.push(self.target(dml, node));
            }
            values.extend(self.everything(&read, EdgeKind::Transformation, node));
            rows.extend(self.everything(&read, EdgeKind::Filter, node));
        }
        for expr in exprs {
            self.deps(expr, EdgeKind::Transformation, context, &mut values);
            self.deps(expr, EdgeKind::Filter, context, &mut rows);
        }
        let [value, rows] = [values, rows].map(|deps| self.graph.vertex(&deps));
        let schema = plan.schema();
        let columns = schema.fields().iter().map(|_| value).collect();
        Relation::new(schema, columns, rows)
    }
}

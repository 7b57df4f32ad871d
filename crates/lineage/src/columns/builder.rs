//! The order in which nodes are looked at: inputs first, then subqueries, then the node itself.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use std::borrow::Cow;

use datafusion_common::{Column, TableReference};
use datafusion_expr::{Expr, LogicalPlan, TableScan, TableType};

use super::graph::{Dep, Graph, NodeId, Vertex, index};
use super::lineage::{ColumnLineage, Finding, FindingKind};
use super::outer::{Correlated, Kept};
use super::relation::Relation;
use super::resolve;
use crate::expr::for_each;
use crate::parts::{for_each_expr, inputs, subplan};

/// Where a plan stands: the queries around it whose columns it may refer to, and the recursive
/// queries around it. Indices of [`Builder::scopes`] and [`Builder::recursions`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) outer: Option<usize>,
    recursion: Option<usize>,
}

/// The inputs of a node whose expressions hold subqueries, or the left side of a lateral join.
struct Scope<'p> {
    inputs: Vec<Relation<'p>>,
    around: Option<usize>,
}

/// A recursive query, of which the columns and rows are known before what they depend on.
struct Recursion {
    name: String,
    columns: Rc<[Vertex]>,
    rows: Vertex,
    around: Option<usize>,
}

/// What is known of the surroundings of a node when its inputs are done.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    /// The place of the node.
    pub(super) place: Place,
    /// The place of its second input, which may see more.
    pub(super) second: Place,
    /// The place of the subqueries in its expressions.
    pub(super) inner: Place,
}

enum Step<'p> {
    Enter(&'p LogicalPlan, Place),
    Second(&'p LogicalPlan, Place),
    Subqueries(&'p LogicalPlan, Place, Place),
    Finish(&'p LogicalPlan, At),
}

type Key = (*const LogicalPlan, Place);

pub(super) struct Builder<'p> {
    kept: &'p Kept,
    pub(super) graph: Graph,
    /// The nodes by [`NodeId`].
    pub(super) nodes: Vec<&'p LogicalPlan>,
    findings: Vec<Finding>,
    done: HashMap<Key, Relation<'p>>,
    correlated: Correlated,
    scopes: Vec<Scope<'p>>,
    recursions: Vec<Recursion>,
    views: HashMap<*const TableScan, &'p LogicalPlan>,
    given: HashMap<*const LogicalPlan, &'p [Expr]>,
}

impl<'p> Builder<'p> {
    pub(super) fn new(kept: &'p Kept) -> Self {
        Self {
            kept,
            graph: Graph::default(),
            nodes: Vec::new(),
            findings: Vec::new(),
            done: HashMap::new(),
            correlated: Correlated::default(),
            scopes: Vec::new(),
            recursions: Vec::new(),
            views: HashMap::new(),
            given: HashMap::new(),
        }
    }

    pub(super) fn lineage(mut self, plan: &'p LogicalPlan) -> ColumnLineage {
        let mut pending = vec![Step::Enter(plan, Place::default())];
        while let Some(step) = pending.pop() {
            match step {
                Step::Enter(plan, place) => self.enter(plan, place, &mut pending),
                Step::Second(plan, place) => self.second(plan, place, &mut pending),
                Step::Subqueries(plan, place, second) => {
                    self.subqueries(plan, place, second, &mut pending);
                }
                Step::Finish(plan, at) => self.finish(plan, at),
            }
        }
        let root = self.relation(plan, Place::default());
        let mut seen = HashSet::new();
        self.findings.retain(|finding| seen.insert(finding.clone()));
        resolve::lineage(&self.graph, &root, &self.nodes, self.findings)
    }

    fn enter(&mut self, plan: &'p LogicalPlan, place: Place, pending: &mut Vec<Step<'p>>) {
        let place = self.place(plan, place);
        if self.done.contains_key(&(std::ptr::from_ref(plan), place)) {
            return;
        }
        match plan {
            LogicalPlan::Join(join) => {
                pending.push(Step::Second(plan, place));
                pending.push(Step::Enter(&join.left, place));
            }
            LogicalPlan::RecursiveQuery(query) => {
                pending.push(Step::Second(plan, place));
                pending.push(Step::Enter(&query.static_term, place));
            }
            LogicalPlan::TableScan(scan) => {
                pending.push(Step::Subqueries(plan, place, place));
                if self.work_table(scan, place).is_none()
                    && let Some(view) = self.view(scan)
                {
                    pending.push(Step::Enter(view, Place::default()));
                }
            }
            // All others take their inputs as they are.
            _ => {
                pending.push(Step::Subqueries(plan, place, place));
                pending.extend(
                    inputs(plan)
                        .into_iter()
                        .map(|input| Step::Enter(input, place)),
                );
            }
        }
    }

    /// The second input, when the first is done: the right side of a join may refer to the left one,
    /// the recursive term of a query to the query.
    fn second(&mut self, plan: &'p LogicalPlan, place: Place, pending: &mut Vec<Step<'p>>) {
        let (input, second) = match plan {
            LogicalPlan::Join(join) => {
                let mut second = place;
                if self.correlated.is(&join.right) {
                    let left = self.relation(&join.left, place);
                    second.outer = Some(self.scope(vec![left], place));
                }
                (&join.right, second)
            }
            LogicalPlan::RecursiveQuery(query) => {
                let columns = query.schema.fields().iter();
                let columns = columns.map(|_| self.graph.placeholder()).collect();
                self.recursions.push(Recursion {
                    name: query.name.clone(),
                    columns,
                    rows: self.graph.placeholder(),
                    around: place.recursion,
                });
                let recursion = Some(self.recursions.len() - 1);
                (&query.recursive_term, Place { recursion, ..place })
            }
            // No other node has a second step.
            _ => return,
        };
        pending.push(Step::Subqueries(plan, place, second));
        pending.push(Step::Enter(input, second));
    }

    fn subqueries(
        &mut self,
        plan: &'p LogicalPlan,
        place: Place,
        second: Place,
        pending: &mut Vec<Step<'p>>,
    ) {
        let mut found: Vec<&'p LogicalPlan> = Vec::new();
        let mut look = |expr: &'p Expr| {
            for_each(expr, |expr| found.extend(subplan(expr).map(Arc::as_ref)));
        };
        for_each_expr(plan, |_, expr| look(expr));
        if matches!(plan, LogicalPlan::Extension(_)) {
            self.given_exprs(plan).iter().for_each(&mut look);
        }
        let mut inner = place;
        if found.iter().any(|subquery| self.correlated.is(subquery)) {
            let at = At {
                place,
                second,
                inner,
            };
            let inputs = self.inputs(plan, at);
            inner.outer = Some(self.scope(inputs, place));
        }
        pending.push(Step::Finish(
            plan,
            At {
                place,
                second,
                inner,
            },
        ));
        pending.extend(
            found
                .into_iter()
                .map(|subquery| Step::Enter(subquery, inner)),
        );
    }

    fn finish(&mut self, plan: &'p LogicalPlan, at: At) {
        let node = index(self.nodes.len());
        self.nodes.push(plan);
        let relation = self.node(plan, at, node);
        self.done
            .insert((std::ptr::from_ref(plan), at.place), relation);
    }

    /// The relations of the inputs of a node.
    pub(super) fn inputs(&mut self, plan: &'p LogicalPlan, at: At) -> Vec<Relation<'p>> {
        let inputs = inputs(plan).into_iter().enumerate();
        let is_second = |number| {
            number == 1 && matches!(plan, LogicalPlan::Join(_) | LogicalPlan::RecursiveQuery(_))
        };
        inputs
            .map(|(number, input)| {
                let place = if is_second(number) {
                    at.second
                } else {
                    at.place
                };
                self.relation(input, place)
            })
            .collect()
    }

    /// What a plan yields that was passed before.
    pub(super) fn relation(&mut self, plan: &'p LogicalPlan, place: Place) -> Relation<'p> {
        let place = self.place(plan, place);
        let done = self.done.get(&(std::ptr::from_ref(plan), place));
        done.cloned().unwrap_or_else(|| {
            // Every part of a plan is passed before the plan.
            let constant = self.graph.constant();
            self.findings.push(Finding {
                kind: FindingKind::Mismatch,
                message: "a part of the plan that was not passed".to_owned(),
            });
            let schema = plan.schema();
            Relation::new(
                schema,
                schema.fields().iter().map(|_| constant).collect(),
                constant,
            )
        })
    }

    /// The place that counts: what does not refer to outer columns is the same wherever it stands.
    fn place(&mut self, plan: &LogicalPlan, place: Place) -> Place {
        let outer = place.outer.filter(|_| self.correlated.is(plan));
        Place { outer, ..place }
    }

    fn scope(&mut self, inputs: Vec<Relation<'p>>, place: Place) -> usize {
        let around = place.outer;
        self.scopes.push(Scope { inputs, around });
        self.scopes.len() - 1
    }

    /// What a reference to an outer column can mean: the column of that name in each query around.
    /// SQL means the innermost, but an optimizer moves plans.
    pub(super) fn outer_columns(&self, column: &Column, place: Place) -> Vec<Vertex> {
        let mut found = Vec::new();
        let mut outer = place.outer;
        while let Some(scope) = outer.and_then(|outer| self.scopes.get(outer)) {
            found.extend(scope.inputs.iter().filter_map(|input| input.find(column)));
            outer = scope.around;
        }
        found
    }

    /// The columns and rows of the recursive query around a scan that reads them.
    pub(super) fn work_table(
        &self,
        scan: &TableScan,
        place: Place,
    ) -> Option<(Rc<[Vertex]>, Vertex)> {
        let TableReference::Bare { table } = &scan.table_name else {
            return None;
        };
        if scan.source.table_type() != TableType::Temporary {
            return None;
        }
        let mut around = place.recursion;
        while let Some(recursion) = around.and_then(|around| self.recursions.get(around)) {
            if recursion.name.as_str() == table.as_ref() {
                return Some((Rc::clone(&recursion.columns), recursion.rows));
            }
            around = recursion.around;
        }
        None
    }

    /// The columns and rows of the recursive query whose recursive term stands at `place`.
    pub(super) fn recursion(&self, place: Place) -> Option<(Rc<[Vertex]>, Vertex)> {
        let recursion = self.recursions.get(place.recursion?)?;
        Some((Rc::clone(&recursion.columns), recursion.rows))
    }

    /// The plan behind a view.
    pub(super) fn view(&mut self, scan: &'p TableScan) -> Option<&'p LogicalPlan> {
        let key = std::ptr::from_ref(scan);
        if let Some(view) = self.views.get(&key) {
            return Some(view);
        }
        let view = match scan.source.get_logical_plan()? {
            Cow::Borrowed(view) => view,
            Cow::Owned(view) => self.kept.plan(Arc::new(view))?,
        };
        self.views.insert(key, view);
        Some(view)
    }

    /// The expressions of an extension node.
    pub(super) fn given_exprs(&mut self, plan: &'p LogicalPlan) -> &'p [Expr] {
        let LogicalPlan::Extension(extension) = plan else {
            return &[];
        };
        let kept = self.kept;
        self.given
            .entry(std::ptr::from_ref(plan))
            .or_insert_with(|| kept.exprs(extension.node.expressions()))
    }

    pub(super) fn found(&mut self, kind: FindingKind, message: String) {
        self.findings.push(Finding { kind, message });
    }

    /// Everything that the inputs have: for what cannot be seen through.
    pub(super) fn everything(
        &self,
        inputs: &[Relation<'p>],
        how: super::EdgeKind,
        node: NodeId,
    ) -> Vec<Dep> {
        let mut deps = Vec::new();
        for input in inputs {
            deps.push(Dep::same(input.rows, node));
            deps.extend(input.columns.iter().map(|&on| Dep { on, how, node }));
        }
        deps
    }
}

//! From dependencies between nodes to edges between output columns and table columns.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use datafusion_expr::LogicalPlan;

use super::describe::plan_node;
use super::graph::{Dep, Graph, NodeId, Origin, SourceId, Vertex};
use super::lineage::{
    ColumnEdge, ColumnLineage, ColumnRef, EdgeKind, Finding, OutputColumn, RowLineage,
};
use super::relation::Relation;

/// A table column that goes into a value, how, and by which node.
type Direct = (SourceId, EdgeKind, NodeId);

/// What each vertex depends on in the end.
struct Reached {
    /// Table columns that go into it.
    direct: Vec<Rc<[Direct]>>,
    /// Table columns that it depends on in any way.
    columns: Vec<Rc<[SourceId]>>,
    /// Tables on whose rows it depends.
    tables: Vec<Rc<[SourceId]>>,
}

pub(super) fn lineage(
    graph: &Graph,
    root: &Relation<'_>,
    nodes: &[&LogicalPlan],
    findings: Vec<Finding>,
) -> ColumnLineage {
    let reached = Reached::of(graph);
    let mut walk = Walk {
        graph,
        reached: &reached,
        passed: vec![0; graph.origins.len()],
        round: 0,
    };
    let fields = root.schema().fields().iter();
    let columns: Vec<_> = fields
        .zip(root.columns.iter())
        .map(|(field, &column)| (field.name(), column, walk.edges(column)))
        .collect();
    let row_edges = walk.edges(root.rows);

    let mut used = BTreeMap::new();
    for (_, _, node) in columns
        .iter()
        .flat_map(|(_, _, edges)| edges)
        .chain(&row_edges)
    {
        used.insert(*node, 0);
    }
    for (position, number) in used.values_mut().enumerate() {
        *number = position;
    }
    let names = Names::of(graph);
    ColumnLineage {
        columns: columns
            .into_iter()
            .map(|(name, column, edges)| OutputColumn {
                name: name.clone(),
                edges: names.edges(edges, &used),
                tables: names.tables(&reached.tables[column as usize]),
            })
            .collect(),
        rows: RowLineage {
            edges: names.edges(row_edges, &used),
            tables: names.tables(&reached.tables[root.rows as usize]),
        },
        nodes: used
            .keys()
            .filter_map(|node| nodes.get(*node as usize))
            .map(|plan| plan_node(plan))
            .collect(),
        findings,
    }
}

impl Reached {
    fn of(graph: &Graph) -> Self {
        let count = graph.origins.len();
        let mut reached = Self {
            direct: vec![Rc::from([]); count],
            columns: vec![Rc::from([]); count],
            tables: vec![Rc::from([]); count],
        };
        // Where vertices depend on later ones, what is reached grows until nothing is new.
        loop {
            let mut grown = false;
            for vertex in 0..count {
                grown |= reached.pass(graph, vertex);
            }
            if !(grown && graph.has_cycles()) {
                return reached;
            }
        }
    }

    /// Learns what a vertex depends on from what it depends on directly; says whether that is new.
    fn pass(&mut self, graph: &Graph, vertex: usize) -> bool {
        match graph.origins[vertex] {
            Origin::Column(column, scan) => {
                let direct = (column, EdgeKind::Identity, scan);
                replace(&mut self.columns[vertex], &mut vec![column])
                    | replace(&mut self.direct[vertex], &mut vec![direct])
            }
            Origin::Rows(table) => replace(&mut self.tables[vertex], &mut vec![table]),
            Origin::Derived { .. } => {
                let (mut direct, mut columns, mut tables) = (Vec::new(), Vec::new(), Vec::new());
                let mut only = None;
                let mut count = 0;
                for dep in graph.deps(super::graph::index(vertex)) {
                    let on = dep.on as usize;
                    count += 1;
                    only = Some(on);
                    columns.extend_from_slice(&self.columns[on]);
                    tables.extend_from_slice(&self.tables[on]);
                    if dep.how.is_direct() {
                        direct.extend(self.direct[on].iter().map(|&before| step(dep, before)));
                    }
                }
                if let (1, Some(on)) = (count, only) {
                    // What is the same needs no room of its own.
                    return share(&mut self.columns, vertex, on)
                        | share(&mut self.tables, vertex, on)
                        | replace(&mut self.direct[vertex], &mut direct);
                }
                replace(&mut self.columns[vertex], &mut columns)
                    | replace(&mut self.tables[vertex], &mut tables)
                    | replace(&mut self.direct[vertex], &mut direct)
            }
        }
    }
}

/// A direct way, one step longer: the node is the last that made the value what it is.
fn step(dep: Dep, (source, kind, node): Direct) -> Direct {
    match dep.how {
        EdgeKind::Identity => (source, kind, node),
        how if how >= kind => (source, how, dep.node),
        _ => (source, kind, node),
    }
}

/// Lets two vertices have one set; says whether that is new.
fn share<T: PartialEq>(sets: &mut [Rc<[T]>], vertex: usize, on: usize) -> bool {
    let new = sets[vertex] != sets[on];
    sets[vertex] = Rc::clone(&sets[on]);
    new
}

/// Puts a set in the place of another, unless it is the same one.
fn replace<T: Ord + Clone>(place: &mut Rc<[T]>, found: &mut Vec<T>) -> bool {
    if found.len() > 1 {
        found.sort_unstable();
        found.dedup();
    }
    let new = place.as_ref() != found.as_slice();
    if new {
        *place = found.as_slice().into();
    }
    new
}

/// Collects the edges of one vertex after the other.
struct Walk<'g> {
    graph: &'g Graph,
    reached: &'g Reached,
    /// The last round in which each vertex was passed.
    passed: Vec<u32>,
    round: u32,
}

impl Walk<'_> {
    /// The edges of a vertex: what goes into it, and what decides about that at any step.
    fn edges(&mut self, vertex: Vertex) -> Vec<Direct> {
        self.round += 1;
        let mut edges = self.reached.direct[vertex as usize].to_vec();
        let mut pending = vec![vertex];
        while let Some(vertex) = pending.pop() {
            let passed = &mut self.passed[vertex as usize];
            if *passed == self.round {
                continue;
            }
            *passed = self.round;
            for dep in self.graph.deps(vertex) {
                if dep.how.is_direct() {
                    pending.push(dep.on);
                } else {
                    let columns = self.reached.columns[dep.on as usize].iter();
                    edges.extend(columns.map(|&column| (column, dep.how, dep.node)));
                }
            }
        }
        edges.sort_unstable();
        edges.dedup();
        edges
    }
}

/// The names of tables and columns.
struct Names<'g> {
    graph: &'g Graph,
}

impl<'g> Names<'g> {
    fn of(graph: &'g Graph) -> Self {
        Self { graph }
    }

    fn edges(&self, edges: Vec<Direct>, numbers: &BTreeMap<NodeId, usize>) -> Vec<ColumnEdge> {
        let mut named: Vec<ColumnEdge> = edges
            .into_iter()
            .filter_map(|(source, kind, node)| {
                let (table, column) = self.graph.columns.get(source as usize)?;
                let table = self.graph.tables.get(*table as usize)?;
                Some(ColumnEdge {
                    source: ColumnRef {
                        table: Arc::clone(table),
                        column: Arc::clone(column),
                    },
                    kind,
                    node: *numbers.get(&node)?,
                })
            })
            .collect();
        named.sort_unstable();
        named
    }

    fn tables(&self, tables: &[SourceId]) -> Vec<Arc<str>> {
        let names = tables
            .iter()
            .filter_map(|&table| self.graph.tables.get(table as usize));
        let mut names: Vec<Arc<str>> = names.map(Arc::clone).collect();
        names.sort_unstable();
        names
    }
}

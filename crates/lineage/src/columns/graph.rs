//! What depends on what: columns and rows of all nodes of one plan.

use std::collections::HashMap;
use std::sync::Arc;

use super::lineage::EdgeKind;

/// A column of some node, or the rows of some node.
pub(super) type Vertex = u32;

/// A node of the plan, numbered in the order in which they run.
pub(super) type NodeId = u32;

/// A column of a table, or a table, numbered as met.
pub(super) type SourceId = u32;

/// That a vertex depends on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dep {
    pub(super) on: Vertex,
    pub(super) how: EdgeKind,
    pub(super) node: NodeId,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Origin {
    /// A column of a table: the source, and the node that scans it.
    Column(SourceId, NodeId),
    /// The rows of a table.
    Rows(SourceId),
    /// What is computed: a range of [`Graph::deps`].
    Derived { start: u32, end: u32 },
}

/// All vertices of a plan. A vertex depends on vertices that were made before it, except on those
/// that were added for a recursive query.
#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) origins: Vec<Origin>,
    deps: Vec<Dep>,
    /// What was learned of a vertex after it was made.
    late: HashMap<Vertex, Vec<Dep>>,
    /// The columns of tables by [`SourceId`].
    pub(super) columns: Vec<(SourceId, Arc<str>)>,
    /// Tables by [`SourceId`].
    pub(super) tables: Vec<Arc<str>>,
    table_ids: HashMap<Arc<str>, SourceId>,
    column_ids: HashMap<(SourceId, Arc<str>), SourceId>,
    constant: Option<Vertex>,
}

impl Graph {
    /// The vertex that depends on nothing.
    pub(super) fn constant(&mut self) -> Vertex {
        match self.constant {
            Some(vertex) => vertex,
            None => {
                let vertex = self.placeholder();
                self.constant = Some(vertex);
                vertex
            }
        }
    }

    /// A vertex of which [`add`](Self::add) tells later what it depends on.
    pub(super) fn placeholder(&mut self) -> Vertex {
        let end = index(self.deps.len());
        self.push(Origin::Derived { start: end, end })
    }

    pub(super) fn add(&mut self, vertex: Vertex, deps: &[Dep]) {
        self.late.entry(vertex).or_default().extend(deps);
    }

    /// The vertex with these dependencies; that itself on which it depends where it is the same.
    pub(super) fn vertex(&mut self, deps: &[Dep]) -> Vertex {
        match deps {
            [] => self.constant(),
            [
                Dep {
                    on,
                    how: EdgeKind::Identity,
                    ..
                },
            ] => *on,
            _ => {
                let start = index(self.deps.len());
                self.deps.extend(deps);
                let end = index(self.deps.len());
                self.push(Origin::Derived { start, end })
            }
        }
    }

    pub(super) fn table(&mut self, name: &str) -> SourceId {
        if let Some(&id) = self.table_ids.get(name) {
            return id;
        }
        let name: Arc<str> = name.into();
        let id = index(self.tables.len());
        self.tables.push(Arc::clone(&name));
        self.table_ids.insert(name, id);
        id
    }

    pub(super) fn table_rows(&mut self, table: SourceId) -> Vertex {
        self.push(Origin::Rows(table))
    }

    pub(super) fn table_column(&mut self, table: SourceId, name: &str, scan: NodeId) -> Vertex {
        let name: Arc<str> = name.into();
        let columns = &mut self.columns;
        let id = *self
            .column_ids
            .entry((table, Arc::clone(&name)))
            .or_insert_with(|| {
                columns.push((table, name));
                index(columns.len() - 1)
            });
        self.push(Origin::Column(id, scan))
    }

    /// What a vertex depends on.
    pub(super) fn deps(&self, vertex: Vertex) -> impl Iterator<Item = Dep> + '_ {
        let made = match self.origins.get(vertex as usize) {
            Some(&Origin::Derived { start, end }) => &self.deps[start as usize..end as usize],
            Some(Origin::Column(..) | Origin::Rows(_)) | None => &[],
        };
        let late = if self.late.is_empty() {
            None
        } else {
            self.late.get(&vertex)
        };
        made.iter().chain(late.into_iter().flatten()).copied()
    }

    /// Whether there are recursive queries, so that a vertex may depend on a later one.
    pub(super) fn has_cycles(&self) -> bool {
        !self.late.is_empty()
    }

    fn push(&mut self, origin: Origin) -> Vertex {
        self.origins.push(origin);
        index(self.origins.len() - 1)
    }
}

impl Dep {
    /// That something is, or goes with, another thing.
    pub(super) fn same(on: Vertex, node: NodeId) -> Self {
        Self {
            on,
            how: EdgeKind::Identity,
            node,
        }
    }
}

/// A length as a number of 32 bits. A plan with more parts than that does not fit the memory.
pub(super) fn index(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

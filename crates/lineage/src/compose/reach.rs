//! What columns and rows of views depend on in the end.

use std::collections::HashMap;
use std::sync::Arc;

use super::{EdgeKinds, LineageGraph, View};
use crate::{ColumnEdge, ColumnLineage, ColumnRef, EdgeKind};

/// The dataset columns and datasets that something depends on, sorted by number.
#[derive(Debug, Clone, Default)]
pub(super) struct Reach {
    columns: Box<[(u32, EdgeKinds)]>,
    tables: Box<[u32]>,
}

impl Reach {
    pub(super) fn columns(&self) -> &[(u32, EdgeKinds)] {
        &self.columns
    }

    pub(super) fn tables(&self) -> &[u32] {
        &self.tables
    }
}

/// Follows views one after the other, upstream views first.
#[derive(Default)]
pub(super) struct Reaches {
    sources: Vec<ColumnRef>,
    /// By table and column, so that a lookup makes no new names.
    source_ids: HashMap<Arc<str>, HashMap<Arc<str>, u32>>,
    datasets: Vec<Arc<str>>,
    dataset_ids: HashMap<Arc<str>, u32>,
    /// What one column or row set depends on, while it is collected: by number, with the numbers
    /// that are not empty.
    kinds: Vec<EdgeKinds>,
    found: Vec<u32>,
}

impl Reaches {
    pub(super) fn view(
        &mut self,
        graph: &LineageGraph,
        name: Arc<str>,
        lineage: ColumnLineage,
    ) -> View {
        let columns = lineage.columns.iter();
        let columns = columns
            .map(|column| self.reach(graph, &column.edges, &column.tables))
            .collect();
        let rows = self.reach(graph, &lineage.rows.edges, &lineage.rows.tables);
        let mut positions: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
        for (position, column) in lineage.columns.iter().enumerate() {
            let name = column.name.as_str().into();
            positions.entry(name).or_default().push(position);
        }
        View {
            name,
            lineage,
            positions,
            columns,
            rows,
        }
    }

    pub(super) fn into_names(self) -> (Vec<ColumnRef>, Vec<Arc<str>>) {
        (self.sources, self.datasets)
    }

    fn reach(&mut self, graph: &LineageGraph, edges: &[ColumnEdge], read: &[Arc<str>]) -> Reach {
        let mut tables = Vec::new();
        for ColumnEdge { source, kind, .. } in edges {
            let Some(view) = graph.view(&source.table) else {
                let source = self.source(source);
                self.add(source, EdgeKinds::of(*kind));
                continue;
            };
            for position in view.meant(&source.column) {
                let column = &view.columns[position];
                for &(source, before) in column.columns() {
                    self.add(source, before.then(*kind));
                }
                tables.extend_from_slice(column.tables());
            }
        }
        for table in read {
            let Some(view) = graph.view(table) else {
                tables.push(self.dataset(table));
                continue;
            };
            for &(source, kinds) in view.rows.columns() {
                self.add(source, kinds);
            }
            tables.extend_from_slice(view.rows.tables());
        }
        tables.sort_unstable();
        tables.dedup();
        self.found.sort_unstable();
        let kinds = &mut self.kinds;
        let columns = self.found.drain(..);
        Reach {
            columns: columns
                .map(|source| (source, std::mem::take(&mut kinds[source as usize])))
                .collect(),
            tables: tables.into(),
        }
    }

    fn add(&mut self, source: u32, kinds: EdgeKinds) {
        let known = &mut self.kinds[source as usize];
        if known.nothing() {
            self.found.push(source);
        }
        *known = known.union(kinds);
    }

    fn source(&mut self, source: &ColumnRef) -> u32 {
        let known = self.source_ids.get(&source.table);
        if let Some(&id) = known.and_then(|columns| columns.get(&source.column)) {
            return id;
        }
        let id = number(self.sources.len());
        let columns = self
            .source_ids
            .entry(Arc::clone(&source.table))
            .or_default();
        columns.insert(Arc::clone(&source.column), id);
        self.sources.push(source.clone());
        self.kinds.push(EdgeKinds::default());
        id
    }

    fn dataset(&mut self, name: &Arc<str>) -> u32 {
        let datasets = &mut self.datasets;
        *self.dataset_ids.entry(Arc::clone(name)).or_insert_with(|| {
            datasets.push(Arc::clone(name));
            number(datasets.len() - 1)
        })
    }
}

/// What a single source reaches: the kinds of ways to one column, or to the rows of a view.
pub(super) fn kinds_of(
    edges: &[ColumnEdge],
    read: &[Arc<str>],
    column_kinds: impl Fn(&ColumnRef) -> EdgeKinds,
    row_kinds: impl Fn(&str) -> EdgeKinds,
) -> EdgeKinds {
    let by_edges = edges.iter().map(|edge| {
        let kind: EdgeKind = edge.kind;
        column_kinds(&edge.source).then(kind)
    });
    let by_rows = read.iter().map(|table| row_kinds(table));
    by_edges
        .chain(by_rows)
        .fold(EdgeKinds::default(), EdgeKinds::union)
}

fn number(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

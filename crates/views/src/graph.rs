//! The graph of views and the order that follows from it.

use std::collections::{BTreeMap, BTreeSet};

use codeanatomy_vocab::{Error, Errors, Result, ViewName, nearest};
use petgraph::graph::{DiGraph, NodeIndex};

use crate::{ViewSpec, codes};

/// The views of a project and which of them read which.
///
/// Edges come from the tables that each view refers to. Ties in the order are broken by name, so
/// the order depends on the views alone and not on files or hash maps.
#[derive(Debug, Clone)]
pub struct ViewGraph {
    /// Node weights are indices of `views`; an edge leads from the view that is read to its reader.
    graph: DiGraph<usize, ()>,
    views: Vec<ViewSpec>,
    index: BTreeMap<ViewName, usize>,
    order: Vec<usize>,
    layers: Vec<Vec<usize>>,
    datasets: Vec<BTreeSet<String>>,
}

impl ViewGraph {
    /// Finds the edges between `views`, where each table that is no view must be one of
    /// `datasets`.
    ///
    /// # Errors
    ///
    /// All at once: [`UNKNOWN_TABLE`](codes::UNKNOWN_TABLE) for every name that is neither, with
    /// the nearest that is, and [`CYCLE`](codes::CYCLE) for every ring, with all its members.
    pub fn build(mut views: Vec<ViewSpec>, datasets: &BTreeSet<String>) -> Result<Self, Errors> {
        views.sort_by(|a, b| a.name().cmp(b.name()));
        let index: BTreeMap<ViewName, usize> = views
            .iter()
            .enumerate()
            .map(|(at, view)| (view.name().clone(), at))
            .collect();
        let mut graph = DiGraph::with_capacity(views.len(), views.len() * 2);
        let nodes: Vec<NodeIndex> = (0..views.len()).map(|at| graph.add_node(at)).collect();
        let mut errors = Vec::new();
        let mut read_datasets = vec![BTreeSet::new(); views.len()];
        for (reader, view) in views.iter().enumerate() {
            for reference in view.references() {
                let table = reference.table.as_str();
                if let Some(&read) = index.get(table) {
                    graph.add_edge(nodes[read], nodes[reader], ());
                } else if datasets.contains(table) {
                    read_datasets[reader].insert(table.to_owned());
                } else {
                    errors.push(unknown_table(view, table, &index, datasets));
                }
            }
        }
        errors.extend(rings(&graph, &views));
        let graph = Self {
            order: Vec::new(),
            layers: Vec::new(),
            graph,
            views,
            index,
            datasets: read_datasets,
        };
        Errors::check(errors, graph).map(Self::ordered)
    }

    /// The views, upstream before downstream, ties by name.
    pub fn order(&self) -> impl DoubleEndedIterator<Item = &ViewSpec> + Clone {
        self.order.iter().map(|&at| &self.views[at])
    }

    /// The views in layers: each view reads only views of earlier layers. By name inside a layer.
    pub fn layers(&self) -> impl Iterator<Item = Vec<&ViewSpec>> {
        self.layers
            .iter()
            .map(|layer| layer.iter().map(|&at| &self.views[at]).collect())
    }

    /// The number of views.
    pub fn len(&self) -> usize {
        self.views.len()
    }

    /// Whether there is no view.
    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }

    /// The view of this name.
    ///
    /// # Errors
    ///
    /// [`UNKNOWN_VIEW`](codes::UNKNOWN_VIEW) with the nearest name.
    pub fn view(&self, name: &ViewName) -> Result<&ViewSpec> {
        self.index
            .get(name)
            .map(|&at| &self.views[at])
            .ok_or_else(|| {
                Error::new(
                    codes::UNKNOWN_VIEW,
                    format!("the project has no view `{name}`"),
                )
                .with_nearest(nearest(
                    name.as_str(),
                    self.index.keys().map(ViewName::as_str),
                ))
                .with_help("`codeanatomy plan` lists the views")
            })
    }

    /// The views that `name` reads directly, by name. Empty for a name that is no view.
    pub fn upstream(&self, name: &ViewName) -> impl Iterator<Item = &ViewName> {
        self.neighbors(name, petgraph::Direction::Incoming)
    }

    /// The views that read `name` directly, by name. Empty for a name that is no view.
    pub fn consumers(&self, name: &ViewName) -> impl Iterator<Item = &ViewName> {
        self.neighbors(name, petgraph::Direction::Outgoing)
    }

    /// The datasets that `name` reads directly, by name.
    pub fn datasets(&self, name: &ViewName) -> impl Iterator<Item = &str> {
        self.index
            .get(name)
            .into_iter()
            .flat_map(|&at| self.datasets[at].iter().map(String::as_str))
    }

    /// `selection` with everything that it reads, directly or not; all views for an empty
    /// selection.
    ///
    /// # Errors
    ///
    /// [`UNKNOWN_VIEW`](codes::UNKNOWN_VIEW) for each name that is no view.
    pub fn with_upstream(&self, selection: &[ViewName]) -> Result<BTreeSet<ViewName>, Errors> {
        if selection.is_empty() {
            return Ok(self.index.keys().cloned().collect());
        }
        let errors = selection
            .iter()
            .filter_map(|name| self.view(name).err())
            .collect();
        Errors::check(errors, ())?;
        let mut selected = BTreeSet::new();
        let mut open: Vec<&ViewName> = selection.iter().collect();
        while let Some(name) = open.pop() {
            if selected.insert(name.clone()) {
                open.extend(self.upstream(name));
            }
        }
        Ok(selected)
    }

    fn neighbors(
        &self,
        name: &ViewName,
        direction: petgraph::Direction,
    ) -> impl Iterator<Item = &ViewName> {
        let found: BTreeSet<&ViewName> = self
            .index
            .get(name)
            .into_iter()
            .flat_map(|&at| self.graph.neighbors_directed(NodeIndex::new(at), direction))
            .map(|node| self.views[self.graph[node]].name())
            .collect();
        found.into_iter()
    }

    /// Kahn's algorithm, a layer at a time; the graph has no ring.
    fn ordered(mut self) -> Self {
        let mut missing: Vec<usize> = self
            .graph
            .node_indices()
            .map(|node| {
                self.graph
                    .neighbors_directed(node, petgraph::Incoming)
                    .count()
            })
            .collect();
        let mut layer: Vec<usize> = (0..missing.len()).filter(|&at| missing[at] == 0).collect();
        while !layer.is_empty() {
            let mut next = Vec::new();
            for &at in &layer {
                for reader in self
                    .graph
                    .neighbors_directed(NodeIndex::new(at), petgraph::Outgoing)
                {
                    missing[reader.index()] -= 1;
                    if missing[reader.index()] == 0 {
                        next.push(reader.index());
                    }
                }
            }
            next.sort_unstable();
            self.order.extend(&layer);
            self.layers.push(std::mem::replace(&mut layer, next));
        }
        self
    }
}

fn unknown_table(
    view: &ViewSpec,
    table: &str,
    views: &BTreeMap<ViewName, usize>,
    datasets: &BTreeSet<String>,
) -> Error {
    let known = || {
        views
            .keys()
            .map(ViewName::as_str)
            .chain(datasets.iter().map(String::as_str))
    };
    let error = Error::new(codes::UNKNOWN_TABLE, format!("there is no table `{table}`"))
        .at(view.reference_location(table))
        .with_label("neither a dataset nor a view")
        .with("view", view.name());
    match known().find(|name| name.eq_ignore_ascii_case(table)) {
        Some(name) => error.with_nearest(Some(name)).with_help(format!(
            "SQL lowers names that are not quoted: write \"{name}\""
        )),
        None => error
            .with_nearest(nearest(table, known()))
            .with_help("declare it under [datasets] in codeanatomy.toml, or add a view file"),
    }
}

/// One error for each group of views that read each other, with one whole ring of it.
fn rings(graph: &DiGraph<usize, ()>, views: &[ViewSpec]) -> Vec<Error> {
    let mut errors: Vec<Error> = Vec::new();
    let mut components = petgraph::algo::tarjan_scc(graph);
    components.sort_by_key(|component| component.iter().map(|node| node.index()).min());
    for component in components {
        let Some(&start) = component.iter().min() else {
            continue;
        };
        let members: BTreeSet<NodeIndex> = component.into_iter().collect();
        if members.len() == 1 && !graph.contains_edge(start, start) {
            continue;
        }
        let ring = shortest_ring(graph, start, &members);
        let name = |node: &NodeIndex| views[graph[*node]].name().as_str();
        let mut path: Vec<&str> = ring.iter().map(name).collect();
        path.push(name(&start));
        let reader = &views[graph[start]];
        let read = path.get(1).copied().unwrap_or_default();
        errors.push(
            Error::new(
                codes::CYCLE,
                format!("views read each other in a ring: {}", path.join(" -> ")),
            )
            .at(reader.reference_location(read))
            .with_label("the ring starts here; `->` means \"reads\"")
            .with("view", reader.name())
            .with_help("take one of these references out, or move what they share to another view"),
        );
    }
    errors
}

/// The shortest ring through `start` inside its component, each node reading the next.
fn shortest_ring(
    graph: &DiGraph<usize, ()>,
    start: NodeIndex,
    members: &BTreeSet<NodeIndex>,
) -> Vec<NodeIndex> {
    let mut came_from: BTreeMap<NodeIndex, NodeIndex> = BTreeMap::new();
    let mut open = std::collections::VecDeque::from([start]);
    while let Some(node) = open.pop_front() {
        let mut read: Vec<NodeIndex> = graph.neighbors_directed(node, petgraph::Incoming).collect();
        read.sort_unstable();
        for next in read {
            if next == start {
                let mut ring = vec![node];
                let mut at = node;
                while let Some(&previous) = came_from.get(&at) {
                    ring.push(previous);
                    at = previous;
                }
                ring.reverse();
                return ring;
            }
            if members.contains(&next) && !came_from.contains_key(&next) {
                came_from.insert(next, node);
                open.push_back(next);
            }
        }
    }
    vec![start]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dialect;

    fn graph(views: &[(&str, &str)], datasets: &[&str]) -> Result<ViewGraph, Errors> {
        let views = views
            .iter()
            .map(|(name, sql)| {
                let path = format!("views/{name}.sql").into();
                ViewSpec::parse(name.parse().unwrap(), path, *sql, Dialect::Generic).unwrap()
            })
            .collect();
        ViewGraph::build(views, &datasets.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn order_follows_the_text_and_ties_follow_names() {
        let graph = graph(
            &[
                ("d", "select * from b, c"),
                ("c", "select * from t"),
                ("b", "select * from t"),
                ("a", "select * from d"),
            ],
            &["t"],
        )
        .unwrap();
        let names: Vec<_> = graph.order().map(|view| view.name().as_str()).collect();
        assert_eq!(names, ["b", "c", "d", "a"]);
        assert_eq!(
            graph.layers().map(|layer| layer.len()).collect::<Vec<_>>(),
            [2, 1, 1]
        );
        let d = "d".parse().unwrap();
        assert_eq!(
            graph.upstream(&d).map(ViewName::as_str).collect::<Vec<_>>(),
            ["b", "c"]
        );
        let b = "b".parse().unwrap();
        assert_eq!(graph.datasets(&b).collect::<Vec<_>>(), ["t"]);
        let selected = graph.with_upstream(std::slice::from_ref(&d)).unwrap();
        assert_eq!(
            selected.iter().map(ViewName::as_str).collect::<Vec<_>>(),
            ["b", "c", "d"]
        );
    }

    #[test]
    fn all_unknown_tables_and_all_rings_are_reported_at_once() {
        let errors = graph(
            &[
                ("a", "select * from b"),
                ("b", "select * from c"),
                ("c", "select * from a"),
                ("s", "select * from s"),
                ("x", "select * from ordres, orders"),
                ("y", "select * from Mixed"),
                ("Mixed", "select 1 as one"),
            ],
            &["orders"],
        )
        .unwrap_err();
        let texts: Vec<String> = errors
            .iter()
            .map(|error| {
                let place = error
                    .location()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                format!("{} {place} {error} {:?}", error.code(), error.nearest())
            })
            .collect();
        assert_eq!(
            texts,
            [
                "CA-VIEWS-0004 views/x.sql:1:15 there is no table `ordres` Some(\"orders\")",
                "CA-VIEWS-0004 views/y.sql:1:15 there is no table `mixed` Some(\"Mixed\")",
                "CA-VIEWS-0005 views/a.sql:1:15 views read each other in a ring: a -> b -> c -> a None",
                "CA-VIEWS-0005 views/s.sql:1:15 views read each other in a ring: s -> s None",
            ]
        );
    }

    #[test]
    fn a_selection_names_each_unknown_view() {
        let graph = graph(&[("totals", "select 1 as one")], &[]).unwrap();
        let errors = graph
            .with_upstream(&["totls".parse().unwrap(), "zzz".parse().unwrap()])
            .unwrap_err();
        let nearest: Vec<_> = errors.iter().map(Error::nearest).collect();
        assert_eq!(nearest, [Some("totals"), None]);
    }
}

//! The lineages of views put together.

mod impact;
mod kinds;
mod reach;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use self::impact::{Impact, ImpactClass};
pub use self::kinds::EdgeKinds;
use self::reach::{Reach, Reaches};
use crate::{ColumnLineage, ColumnRef};

/// The lineages of many views, followed from view to view.
///
/// A table that a view reads is another view if there is one of exactly that name, and a dataset if
/// not. Composing takes one pass over all edges; what a column depends on is kept once per column,
/// and what the rows depend on once per view.
///
/// # Example: from which datasets does a column come in the end?
///
/// ```
/// use datafusion_common::arrow::datatypes::{DataType, Field, Schema};
/// use datafusion_expr::{col, lit, logical_plan::table_scan};
/// use codeanatomy_lineage::{EdgeKind, LineageGraph, column_lineage};
///
/// let one = Schema::new(vec![Field::new("price", DataType::Int64, false)]);
/// let double = table_scan(Some("orders"), &one, None)?
///     .project(vec![(col("price") * lit(2_i64)).alias("price")])?
///     .build()?;
/// let dear = table_scan(Some("double"), &one, None)?.filter(col("price").gt(lit(9_i64)))?.build()?;
/// let graph = LineageGraph::compose([
///     ("dear".to_owned(), column_lineage(&dear)),
///     ("double".to_owned(), column_lineage(&double)),
/// ]);
///
/// let sources = graph.upstream("dear", "price").unwrap();
/// assert_eq!(sources[0].source.to_string(), "orders.price");
/// assert!(sources[0].value.contains(EdgeKind::Transformation));
/// assert!(sources[0].rows.contains(EdgeKind::Filter));
/// assert_eq!(graph.impact("orders", Some("price")).len(), 2);
/// # Ok::<(), datafusion_common::DataFusionError>(())
/// ```
#[derive(Debug, Default)]
pub struct LineageGraph {
    /// Upstream views first.
    views: Vec<View>,
    by_name: BTreeMap<Arc<str>, usize>,
    /// The dataset columns and datasets that anything depends on.
    sources: Vec<ColumnRef>,
    datasets: Vec<Arc<str>>,
}

#[derive(Debug)]
struct View {
    name: Arc<str>,
    lineage: ColumnLineage,
    /// Where the columns of each name stand.
    positions: HashMap<Arc<str>, Vec<usize>>,
    columns: Vec<Reach>,
    rows: Reach,
}

/// A dataset column on which a view's column depends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceColumn {
    /// The dataset column.
    pub source: ColumnRef,
    /// In which ways the values of the column depend on it.
    pub value: EdgeKinds,
    /// In which ways the rows of the view depend on it.
    pub rows: EdgeKinds,
}

impl LineageGraph {
    /// Puts the lineages of views together, each with the name under which other views read it. Of
    /// two views of one name the last counts. Where views read each other in a circle, which no
    /// project allows, one of them stands as a dataset for the other.
    pub fn compose(views: impl IntoIterator<Item = (String, ColumnLineage)>) -> Self {
        let named: BTreeMap<Arc<str>, ColumnLineage> = views
            .into_iter()
            .map(|(name, lineage)| (name.into(), lineage))
            .collect();
        let mut reaches = Reaches::default();
        let mut graph = Self::default();
        let order = upstream_first(&named);
        let mut lineages = named;
        for name in order {
            let Some(lineage) = lineages.remove(&name) else {
                continue;
            };
            let view = reaches.view(&graph, Arc::clone(&name), lineage);
            graph.by_name.insert(name, graph.views.len());
            graph.views.push(view);
        }
        (graph.sources, graph.datasets) = reaches.into_names();
        graph
    }

    /// The views, each after those that it reads.
    pub fn views(&self) -> impl Iterator<Item = &str> {
        self.views.iter().map(|view| view.name.as_ref())
    }

    /// The lineage of one view, as it was given: the edges lead to the tables and views that it
    /// reads itself.
    pub fn lineage(&self, view: &str) -> Option<&ColumnLineage> {
        self.view(view).map(|view| &view.lineage)
    }

    /// All dataset columns on which a view's column depends, sorted. `None` if there is no such view
    /// or no such column.
    pub fn upstream(&self, view: &str, column: &str) -> Option<Vec<SourceColumn>> {
        let view = self.view(view)?;
        let mut found: BTreeMap<u32, (EdgeKinds, EdgeKinds)> = BTreeMap::new();
        for &position in view.positions.get(column)? {
            for &(source, kinds) in view.columns[position].columns() {
                let (value, _) = found.entry(source).or_default();
                *value = value.union(kinds);
            }
        }
        for &(source, kinds) in view.rows.columns() {
            let (_, rows) = found.entry(source).or_default();
            *rows = rows.union(kinds);
        }
        let mut sources: Vec<SourceColumn> = found
            .into_iter()
            .filter_map(|(source, (value, rows))| {
                Some(SourceColumn {
                    source: self.sources.get(source as usize)?.clone(),
                    value,
                    rows,
                })
            })
            .collect();
        sources.sort_by(|one, other| one.source.cmp(&other.source));
        Some(sources)
    }

    /// All datasets on whose rows a view's column depends, sorted: through `count(*)`, or because
    /// the view's rows are made from theirs. `None` if there is no such view or no such column.
    pub fn upstream_tables(&self, view: &str, column: &str) -> Option<Vec<Arc<str>>> {
        let view = self.view(view)?;
        let own = view.positions.get(column)?.iter();
        let own = own.flat_map(|&position| view.columns[position].tables());
        let all = own.chain(view.rows.tables());
        let names = all.filter_map(|&table| self.datasets.get(table as usize));
        let mut names: Vec<Arc<str>> = names.map(Arc::clone).collect();
        names.sort_unstable();
        names.dedup();
        Some(names)
    }

    fn view(&self, name: &str) -> Option<&View> {
        self.views.get(*self.by_name.get(name)?)
    }
}

impl View {
    /// The columns that a name means; all, if it has none of that name.
    fn meant(&self, column: &str) -> impl Iterator<Item = usize> + '_ {
        let known = self.positions.get(column);
        let all = known.is_none().then_some(0..self.columns.len());
        let known = known.into_iter().flatten().copied();
        known.chain(all.into_iter().flatten())
    }
}

/// The names of views, each after those of the views that it reads.
fn upstream_first(views: &BTreeMap<Arc<str>, ColumnLineage>) -> Vec<Arc<str>> {
    let mut order = Vec::with_capacity(views.len());
    let mut entered = HashMap::with_capacity(views.len());
    for start in views.keys() {
        let mut pending = vec![(start, false)];
        while let Some((name, read)) = pending.pop() {
            if read {
                order.push(Arc::clone(name));
            } else if entered.insert(name, ()).is_none() {
                pending.push((name, true));
                if let Some(lineage) = views.get(name) {
                    let tables = tables(lineage);
                    pending.extend(tables.filter_map(|table| {
                        let (name, _) = views.get_key_value(table)?;
                        Some((name, false))
                    }));
                }
            }
        }
    }
    order
}

/// Every table that a view reads, some more than once.
fn tables(lineage: &ColumnLineage) -> impl Iterator<Item = &Arc<str>> {
    let rows = lineage.rows.tables.iter();
    let row_edges = lineage.rows.edges.iter().map(|edge| &edge.source.table);
    let columns = lineage.columns.iter().flat_map(|column| {
        let edges = column.edges.iter().map(|edge| &edge.source.table);
        column.tables.iter().chain(edges)
    });
    rows.chain(row_edges).chain(columns)
}

//! Where the columns of a project come from, and what a change of them can reach.

mod answer;

use std::collections::{BTreeMap, BTreeSet};

use codeanatomy_lineage::{ColumnEdge, LineageGraph, LineageReport, column_lineage};
use codeanatomy_vocab::{DatasetName, Error, Result, nearest};

pub use self::answer::{
    Direction, LineageAnswer, LineageEdge, LineageFinding, LineageImpact, RowSource, ViewReport,
};
use crate::{PlannedViews, TableInput, codes};

/// What stands in the place of a column where the rows of a view are meant.
pub const ALL_ROWS: &str = "*";

/// The lineages of all planned views, put together.
///
/// Edges are those of the plans before the optimizer, so that they speak of the query as it is
/// written; what a view must be given is told by its optimized plan.
#[derive(Debug)]
pub struct ProjectLineage {
    graph: LineageGraph,
    reports: BTreeMap<String, LineageReport>,
    /// The columns of every view and dataset, in their order.
    columns: BTreeMap<String, Vec<String>>,
    /// The datasets that were planned over, and those that no view reads.
    datasets: BTreeSet<String>,
}

/// What lineage is asked about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineageTarget {
    /// Every view.
    Project,
    /// A view or a dataset.
    Table(String),
    /// A column of one.
    Column(String, String),
}

impl LineageTarget {
    /// Reads `VIEW`, `VIEW.COLUMN`, `DATASET` or `DATASET.COLUMN`. Names of views and datasets have
    /// no dots, so everything after the first is the column.
    pub fn parse(text: &str) -> Self {
        match text.split_once('.') {
            Some((table, column)) => Self::Column(table.to_owned(), column.to_owned()),
            None => Self::Table(text.to_owned()),
        }
    }

    /// The view or dataset, if one is named.
    pub fn table(&self) -> Option<&str> {
        match self {
            Self::Project => None,
            Self::Table(table) | Self::Column(table, _) => Some(table),
        }
    }

    /// The target as it is written; nothing for the whole project.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Project => None,
            Self::Table(table) => Some(table.clone()),
            Self::Column(table, column) => Some(format!("{table}.{column}")),
        }
    }
}

impl ProjectLineage {
    /// The lineage of `planned`, which was planned over `datasets`.
    pub fn new(planned: &PlannedViews, datasets: &BTreeMap<DatasetName, TableInput>) -> Self {
        let names = |schema: &datafusion::arrow::datatypes::Schema| {
            let fields = schema.fields().iter();
            fields.map(|field| field.name().clone()).collect::<Vec<_>>()
        };
        let mut columns = BTreeMap::new();
        for (name, dataset) in datasets {
            columns.insert(name.as_str().to_owned(), names(&dataset.schema));
        }
        for view in planned.iter() {
            columns.insert(view.name().as_str().to_owned(), names(view.schema()));
        }
        let lineages = planned
            .iter()
            .map(|view| (view.name().to_string(), column_lineage(view.analyzed())));
        let reports = planned.iter().map(|view| {
            let report = LineageReport::of(&view.bundle().optimized);
            (view.name().to_string(), report)
        });
        Self {
            graph: LineageGraph::compose(lineages.collect::<Vec<_>>()),
            reports: reports.collect(),
            columns,
            datasets: datasets.keys().map(ToString::to_string).collect(),
        }
    }

    /// Names the datasets of the project, also those that no planned view reads.
    #[must_use]
    pub fn with_datasets<'a>(mut self, names: impl IntoIterator<Item = &'a DatasetName>) -> Self {
        self.datasets
            .extend(names.into_iter().map(ToString::to_string));
        self
    }

    /// Adds the rewrite tags of functions, by the function's name, to the reports.
    #[must_use]
    pub fn with_rewrite_tags(mut self, tags: &BTreeMap<String, BTreeSet<String>>) -> Self {
        self.reports = self
            .reports
            .into_iter()
            .map(|(view, report)| (view, report.with_rewrite_tags(tags)))
            .collect();
        self
    }

    /// The lineages of the views, composed.
    pub fn graph(&self) -> &LineageGraph {
        &self.graph
    }

    /// What each view reads and needs, by name.
    pub fn report(&self, view: &str) -> Option<&LineageReport> {
        self.reports.get(view)
    }

    /// The views whose values or rows depend on a column, or on the rows of a table, by name, with
    /// the columns that do.
    pub fn readers(&self, table: &str, column: Option<&str>) -> BTreeMap<String, Vec<String>> {
        let mut readers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for impact in self.graph.impact(table, column) {
            let columns = readers.entry(impact.view.to_string()).or_default();
            columns.push(impact.column.to_string());
        }
        readers
    }

    /// Checks that there is what `target` names.
    ///
    /// # Errors
    ///
    /// [`UNKNOWN_TABLE`](codes::UNKNOWN_TABLE) and [`UNKNOWN_COLUMN`](codes::UNKNOWN_COLUMN), with
    /// the nearest name.
    pub fn check(&self, target: &LineageTarget) -> Result<()> {
        let Some(table) = target.table() else {
            return Ok(());
        };
        let Some(columns) = self.columns.get(table) else {
            if self.datasets.contains(table) {
                // Nobody reads it, so nobody has looked at its columns.
                return Ok(());
            }
            let known = self.columns.keys().chain(&self.datasets);
            return Err(unknown_table(table, known.map(String::as_str)));
        };
        let LineageTarget::Column(_, column) = target else {
            return Ok(());
        };
        if columns.contains(column) {
            return Ok(());
        }
        let kind = if self.datasets.contains(table) {
            "dataset"
        } else {
            "view"
        };
        Err(Error::new(
            codes::UNKNOWN_COLUMN,
            format!("the {kind} `{table}` has no column `{column}`"),
        )
        .with_nearest(nearest(column, columns.iter().map(String::as_str)))
        .with_expected(format!("one of {}", columns.join(", ")))
        .with_help("names of columns count with their case"))
    }

    /// The edges of one column of a view, or of its rows where the column is [`ALL_ROWS`].
    fn edges_of(&self, view: &str, column: &str) -> Vec<&ColumnEdge> {
        let Some(lineage) = self.graph.lineage(view) else {
            return Vec::new();
        };
        if column == ALL_ROWS {
            return lineage.rows.edges.iter().collect();
        }
        match lineage.position(column) {
            Some(position) => lineage.edges(position).collect(),
            None => Vec::new(),
        }
    }

    /// The tables whose number of rows counts for a column of a view, or for its rows.
    fn tables_of(&self, view: &str, column: &str) -> BTreeSet<&str> {
        let Some(lineage) = self.graph.lineage(view) else {
            return BTreeSet::new();
        };
        let own = lineage
            .position(column)
            .and_then(|position| lineage.columns.get(position));
        let own = own.into_iter().flat_map(|column| &column.tables);
        let all = own.chain(&lineage.rows.tables);
        all.map(AsRef::as_ref).collect()
    }
}

/// The error for a name that is neither a view nor a dataset.
pub fn unknown_table<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Error {
    Error::new(
        codes::UNKNOWN_TABLE,
        format!("there is no view and no dataset `{name}`"),
    )
    .with_nearest(nearest(name, known))
    .with_help("write VIEW, VIEW.COLUMN, DATASET or DATASET.COLUMN")
}

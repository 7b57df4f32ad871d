//! An answer about lineage, as the command line prints it in JSON.

use std::collections::{BTreeMap, BTreeSet};

use codeanatomy_lineage::{EdgeKind, EdgeKinds, ImpactClass, LineageReport};
use codeanatomy_vocab::Result;
use serde::Serialize;

use super::{ALL_ROWS, LineageTarget, ProjectLineage};

/// Which way lineage is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// To what something comes from.
    Upstream,
    /// To what can change with it.
    Downstream,
}

/// An answer about lineage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineageAnswer {
    /// What was asked about; none for the whole project.
    pub target: Option<String>,
    /// Which way.
    pub direction: Direction,
    /// The edges on the way, sorted within each view; views upstream before downstream.
    pub edges: Vec<LineageEdge>,
    /// The tables whose number of rows counts.
    pub rows: Vec<RowSource>,
    /// Downstream: every column that can change.
    pub impact: Vec<LineageImpact>,
    /// What the views in the answer read and need, by name.
    pub views: BTreeMap<String, ViewReport>,
    /// What could not be seen through.
    pub findings: Vec<LineageFinding>,
}

/// A dependence of a view's column on a column of what it reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LineageEdge {
    /// The view.
    pub view: String,
    /// Its column; [`ALL_ROWS`] where only its rows count.
    pub column: String,
    /// What is read: a dataset or another view.
    pub source: String,
    /// The column there.
    pub source_column: String,
    /// `DIRECT` or `INDIRECT`.
    #[serde(rename = "type")]
    pub class: &'static str,
    /// How: `IDENTITY`, `FILTER` and so on.
    pub subtype: &'static str,
    /// The node of the view's plan that made the edge; none for one that goes through other views.
    pub node: Option<String>,
    /// Whether the edge leads through other views, to the dataset column in the end.
    pub across_views: bool,
}

/// A table whose number of rows counts for a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RowSource {
    /// The view.
    pub view: String,
    /// Its column; [`ALL_ROWS`] for its rows.
    pub column: String,
    /// The dataset or view.
    pub source: String,
}

/// A column that a change can reach.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LineageImpact {
    /// The view.
    pub view: String,
    /// Its column.
    pub column: String,
    /// What can become of it: `value`, `row set`, `type`, `removed`.
    pub classes: Vec<&'static str>,
    /// In which ways its values depend on what changes.
    pub value: Vec<&'static str>,
    /// In which ways the view's rows depend on what changes.
    pub rows: Vec<&'static str>,
}

/// What a view reads and needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ViewReport {
    /// The columns that each dataset or view must have.
    pub required_columns_by_dataset: BTreeMap<String, BTreeSet<String>>,
    /// Each way in which a table is read.
    pub scans: Vec<Scan>,
    /// Each way in which inputs are joined.
    pub joins: Vec<Join>,
    /// Each expression by its kind, columns and functions.
    pub exprs: Vec<Expression>,
    /// The functions that it calls, built in or not.
    pub required_udfs: BTreeSet<String>,
    /// The rewrite tags of these, where they are known.
    pub required_rewrite_tags: BTreeSet<String>,
}

/// One way in which a table is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scan {
    dataset: String,
    columns: Vec<String>,
    filters: Vec<String>,
}

/// One way in which two inputs are joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Join {
    #[serde(rename = "type")]
    join_type: String,
    keys: Vec<[String; 2]>,
}

/// One expression.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expression {
    kind: &'static str,
    columns: BTreeSet<String>,
    udfs: BTreeSet<String>,
}

/// A place that lineage cannot see through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LineageFinding {
    /// The view.
    pub view: String,
    /// What it is.
    pub message: String,
}

impl ProjectLineage {
    /// Answers what `target` comes from, or what can change with it.
    ///
    /// # Errors
    ///
    /// Those of [`check`](Self::check).
    pub fn answer(&self, target: &LineageTarget, direction: Direction) -> Result<LineageAnswer> {
        self.check(target)?;
        let mut collected = Collected::default();
        let mut impact = Vec::new();
        match (direction, target.table()) {
            (_, None) => {
                for view in self.graph.views() {
                    for column in self.columns_of(view) {
                        self.collect(view, column, &mut collected);
                    }
                }
            }
            (Direction::Upstream, Some(_)) => self.collect_upstream(target, &mut collected),
            (Direction::Downstream, Some(table)) => {
                impact = self.collect_downstream(table, target, &mut collected);
            }
        }
        let order: BTreeMap<&str, usize> = self.graph.views().zip(0..).collect();
        let place = |view: &str| order.get(view).copied();
        let mut edges: Vec<LineageEdge> = collected.edges.into_iter().collect();
        edges.sort_by(|one, other| (place(&one.view), one).cmp(&(place(&other.view), other)));
        let views: BTreeSet<&str> = edges
            .iter()
            .map(|edge| edge.view.as_str())
            .chain(collected.rows.iter().map(|row| row.view.as_str()))
            .chain(target.table())
            .collect();
        let reports = views.iter().filter_map(|&view| {
            let report = self.reports.get(view)?;
            Some((view.to_owned(), ViewReport::new(report)))
        });
        let findings = views.iter().flat_map(|&view| {
            let lineage = self.graph.lineage(view).into_iter();
            let findings = lineage.flat_map(|lineage| &lineage.findings);
            findings.map(move |finding| LineageFinding {
                view: view.to_owned(),
                message: finding.message.clone(),
            })
        });
        Ok(LineageAnswer {
            target: target.text(),
            direction,
            views: reports.collect(),
            findings: findings.collect(),
            edges,
            rows: collected.rows.into_iter().collect(),
            impact,
        })
    }

    fn columns_of(&self, view: &str) -> impl Iterator<Item = &str> {
        let columns = self.columns.get(view).into_iter().flatten();
        columns.map(String::as_str)
    }

    /// The edges of a column of a view: those of its own plan, and those to dataset columns through
    /// other views.
    fn collect(&self, view: &str, column: &str, collected: &mut Collected) {
        let mut known = BTreeSet::new();
        for edge in self.edges_of(view, column) {
            known.insert((edge.source.clone(), edge.kind));
            let lineage = self.graph.lineage(view);
            let node = lineage.and_then(|lineage| lineage.nodes.get(edge.node));
            let ends = (edge.source.table.as_ref(), edge.source.column.as_ref());
            let mut made = made(view, column, ends, edge.kind);
            made.node = node.map(ToString::to_string);
            collected.edges.insert(made);
        }
        for source in self.graph.upstream(view, column).into_iter().flatten() {
            for kind in source.value.union(source.rows).iter() {
                if known.insert((source.source.clone(), kind)) {
                    let ends = (source.source.table.as_ref(), source.source.column.as_ref());
                    let mut made = made(view, column, ends, kind);
                    made.across_views = true;
                    collected.edges.insert(made);
                }
            }
        }
        for table in self.tables_of(view, column) {
            collected.rows.insert(RowSource {
                view: view.to_owned(),
                column: column.to_owned(),
                source: table.to_owned(),
            });
        }
    }

    fn collect_upstream(&self, target: &LineageTarget, collected: &mut Collected) {
        let mut open: Vec<(String, String)> = match target {
            LineageTarget::Project => Vec::new(),
            LineageTarget::Table(view) => self
                .columns_of(view)
                .map(|column| (view.clone(), column.to_owned()))
                .collect(),
            LineageTarget::Column(view, column) => vec![(view.clone(), column.clone())],
        };
        let mut seen = BTreeSet::new();
        while let Some((view, column)) = open.pop() {
            if !seen.insert((view.clone(), column.clone())) {
                continue;
            }
            self.collect(&view, &column, collected);
            for edge in self.edges_of(&view, &column) {
                let ColumnEnds { table, column } = ColumnEnds::of(&edge.source);
                open.push((table, column));
            }
            for table in self.tables_of(&view, &column) {
                open.push((table.to_owned(), ALL_ROWS.to_owned()));
            }
        }
    }

    fn collect_downstream(
        &self,
        table: &str,
        target: &LineageTarget,
        collected: &mut Collected,
    ) -> Vec<LineageImpact> {
        let column = match target {
            LineageTarget::Column(_, column) => Some(column.as_str()),
            LineageTarget::Project | LineageTarget::Table(_) => None,
        };
        let impacts = self.graph.impact(table, column);
        let mut reached: BTreeSet<(&str, &str)> = impacts
            .iter()
            .map(|impact| (impact.view.as_ref(), impact.column.as_ref()))
            .collect();
        match column {
            Some(column) => {
                reached.insert((table, column));
            }
            None => reached.extend(self.columns_of(table).map(|column| (table, column))),
        }
        let mut all = Collected::default();
        for impact in &impacts {
            self.collect(&impact.view, &impact.column, &mut all);
        }
        let on_the_way = |source: &str, column: &str| reached.contains(&(source, column));
        let tables: BTreeSet<&str> = reached.iter().map(|(table, _)| *table).collect();
        collected.edges = all
            .edges
            .into_iter()
            .filter(|edge| on_the_way(&edge.source, &edge.source_column))
            .collect();
        collected.rows = all
            .rows
            .into_iter()
            .filter(|row| tables.contains(row.source.as_str()))
            .filter(|row| column.is_none() || row.source != table)
            .collect();
        impacts
            .iter()
            .map(|impact| LineageImpact {
                view: impact.view.to_string(),
                column: impact.column.to_string(),
                classes: impact
                    .classes
                    .iter()
                    .map(|class| ImpactClass::as_str(*class))
                    .collect(),
                value: kinds(impact.value),
                rows: kinds(impact.rows),
            })
            .collect()
    }
}

/// What belongs to an answer, each once.
#[derive(Default)]
struct Collected {
    edges: BTreeSet<LineageEdge>,
    rows: BTreeSet<RowSource>,
}

struct ColumnEnds {
    table: String,
    column: String,
}

impl ColumnEnds {
    fn of(source: &codeanatomy_lineage::ColumnRef) -> Self {
        Self {
            table: source.table.to_string(),
            column: source.column.to_string(),
        }
    }
}

fn made(view: &str, column: &str, source: (&str, &str), kind: EdgeKind) -> LineageEdge {
    LineageEdge {
        view: view.to_owned(),
        column: column.to_owned(),
        source: source.0.to_owned(),
        source_column: source.1.to_owned(),
        class: kind.class(),
        subtype: kind.as_str(),
        node: None,
        across_views: false,
    }
}

fn kinds(kinds: EdgeKinds) -> Vec<&'static str> {
    kinds.iter().map(EdgeKind::as_str).collect()
}

impl ViewReport {
    fn new(report: &LineageReport) -> Self {
        Self {
            required_columns_by_dataset: report.required_columns_by_dataset.clone(),
            scans: report
                .scans
                .iter()
                .map(|scan| Scan {
                    dataset: scan.table.clone(),
                    columns: scan.columns.clone(),
                    filters: scan.filters.clone(),
                })
                .collect(),
            joins: report
                .joins
                .iter()
                .map(|join| Join {
                    join_type: join.join_type.to_string(),
                    keys: join
                        .keys
                        .iter()
                        .map(|(left, right)| [left.clone(), right.clone()])
                        .collect(),
                })
                .collect(),
            exprs: report
                .exprs
                .iter()
                .map(|expr| Expression {
                    kind: expr.kind.as_str(),
                    columns: expr.columns.clone(),
                    udfs: expr.udfs.clone(),
                })
                .collect(),
            required_udfs: report.required_udfs.clone(),
            required_rewrite_tags: report.required_rewrite_tags.clone(),
        }
    }
}

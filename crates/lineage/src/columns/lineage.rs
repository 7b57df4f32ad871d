//! What comes out: edges from output columns to table columns.

use std::fmt;
use std::sync::Arc;

use datafusion_expr::LogicalPlan;

use super::builder::Builder;
use super::outer::Kept;

/// The columns that a plan yields, each with the table columns that it depends on.
///
/// An output column depends on a table column if another value there can change the output column:
/// one of its values, or which rows it has and in which order. What concerns the rows concerns
/// every column alike and is therefore said once, in [`rows`](Self::rows). All edges of a column are
/// its own and those of the rows.
///
/// The lineage is *sound*: where there is no edge, no change of values can ever show. It is not
/// always exact: `a - a` depends on `a`. An optimized plan may have fewer edges than the plan that
/// it was made from, and other kinds: `WHERE x IN (SELECT ...)` is a filter before and a join after.
///
/// Equal plans give equal lineages in every process. `docs/specs/lineage.md` says for each node and
/// expression which edges it makes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ColumnLineage {
    /// The columns of the output, in their order.
    pub columns: Vec<OutputColumn>,
    /// What decides which rows the output has, how often, and in which order.
    pub rows: RowLineage,
    /// The plan nodes that made the edges, in the order in which they run, inputs first.
    pub nodes: Vec<PlanNode>,
    /// What could not be seen through, each said once. Edges from everything that goes into such a
    /// place stand for what is not known.
    pub findings: Vec<Finding>,
}

/// One column of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputColumn {
    /// Its name, without a qualifier. Two columns may have one name; the position tells them apart.
    pub name: String,
    /// The table columns that its values come from, sorted, without those of
    /// [`ColumnLineage::rows`] unless they matter to the value too.
    pub edges: Vec<ColumnEdge>,
    /// The tables whose number of rows its values depend on, sorted: those behind `count(*)`, and
    /// every other aggregate, window function and subquery.
    pub tables: Vec<Arc<str>>,
}

/// What decides which rows there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowLineage {
    /// The table columns that decide it, sorted. All edges are indirect.
    pub edges: Vec<ColumnEdge>,
    /// The tables whose rows decide it, sorted.
    pub tables: Vec<Arc<str>>,
}

/// A dependence on a table column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnEdge {
    /// The table column.
    pub source: ColumnRef,
    /// How it is used.
    pub kind: EdgeKind,
    /// The node that uses it so: an index of [`ColumnLineage::nodes`]. Where several nodes on the
    /// way do, it is the one that is nearest to the output; for an identity it is the scan.
    pub node: usize,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnRef {
    /// The table, as the plan writes it, without quotes; a table function ends with `()`.
    pub table: Arc<str>,
    /// The column of the table's schema.
    pub column: Arc<str>,
}

/// How an output depends on a table column, in the words of OpenLineage.
///
/// The first three are direct: the value goes into the value. The others are indirect: the value
/// decides something about it. On a way with several steps an indirect step wins, the one nearest to
/// the output; then aggregation, then transformation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeKind {
    /// The value is the same.
    Identity,
    /// The value is computed from it.
    Transformation,
    /// The value is computed from it and from those of other rows.
    Aggregation,
    /// It decides whether a row, or an argument of an aggregate, counts.
    Filter,
    /// It decides which rows of two inputs, or of a row and the items in it, belong together.
    Join,
    /// It decides which rows are one group, or equal rows of which one is left.
    GroupBy,
    /// It decides about the order, and with a limit about the rows.
    Sort,
    /// It decides which rows a window function looks at, and in which order.
    Window,
    /// It decides which branch of a `CASE` is taken.
    Conditional,
}

/// A node of the plan that made an edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanNode {
    /// What it does: `Filter`, `Join` and so on.
    pub operator: &'static str,
    /// The table, condition or keys, as SQL-like text for people; empty where there are none.
    pub detail: String,
}

/// A place that lineage cannot see through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    /// What it is.
    pub kind: FindingKind,
    /// The same in words, with the name.
    pub message: String,
}

/// The kinds of places that lineage cannot see through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FindingKind {
    /// A node that is not the engine's own: every output is taken to depend on all its inputs.
    ExtensionNode,
    /// A table function: it stands as a table of its own, and what it reads is not known.
    TableFunction,
    /// A prepared statement that is run by name.
    PreparedStatement,
    /// A wildcard that is not resolved: it is taken to be computed from all columns.
    Wildcard,
    /// A column that no input has: it is taken to be computed from all columns.
    UnknownColumn,
    /// A node whose outputs do not fit its inputs: every output is taken to depend on all inputs.
    Mismatch,
    /// A write, or a report on a run, whose output depends on everything that it reads.
    Statement,
}

/// The column lineage of a plan, optimized or not, in one pass over its nodes and expressions.
///
/// Subqueries, and the plans behind views that the engine knows, are part of the plan. A subplan
/// that several nodes share is passed once. The stack is on the heap: no depth is too deep.
///
/// # Example: where does a column come from?
///
/// ```
/// use datafusion_common::arrow::datatypes::{DataType, Field, Schema};
/// use datafusion_expr::{LogicalPlanBuilder, col, lit, logical_plan::table_scan};
/// use codeanatomy_lineage::{EdgeKind, column_lineage};
///
/// let orders = Schema::new(vec![
///     Field::new("id", DataType::Int64, false),
///     Field::new("price", DataType::Int64, false),
/// ]);
/// let plan = table_scan(Some("orders"), &orders, None)?
///     .filter(col("id").gt(lit(7_i64)))?
///     .project(vec![(col("price") * lit(2_i64)).alias("double")])?
///     .build()?;
/// let lineage = column_lineage(&plan);
///
/// let edge = &lineage.columns[0].edges[0];
/// assert_eq!((edge.source.to_string(), edge.kind), ("orders.price".to_owned(), EdgeKind::Transformation));
/// let edge = &lineage.rows.edges[0];
/// assert_eq!((edge.source.to_string(), edge.kind), ("orders.id".to_owned(), EdgeKind::Filter));
/// assert_eq!(lineage.nodes[edge.node].detail, "orders.id > Int64(7)");
/// # Ok::<(), datafusion_common::DataFusionError>(())
/// ```
pub fn column_lineage(plan: &LogicalPlan) -> ColumnLineage {
    let kept = Kept::default();
    Builder::new(&kept).lineage(plan)
}

impl ColumnLineage {
    /// All edges of the column at `position`: its own, then those of the rows. Nothing if there is
    /// no such column.
    pub fn edges(&self, position: usize) -> impl Iterator<Item = &ColumnEdge> {
        let column = self.columns.get(position);
        let rows = column.map(|_| &self.rows.edges);
        let own = column.map(|column| &column.edges);
        own.into_iter().chain(rows).flatten()
    }

    /// The position of the first column of this name.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }
}

impl EdgeKind {
    /// All kinds, direct before indirect.
    pub const ALL: [Self; 9] = [
        Self::Identity,
        Self::Transformation,
        Self::Aggregation,
        Self::Filter,
        Self::Join,
        Self::GroupBy,
        Self::Sort,
        Self::Window,
        Self::Conditional,
    ];

    /// Whether the value goes into the value, rather than decides about it.
    pub const fn is_direct(self) -> bool {
        matches!(
            self,
            Self::Identity | Self::Transformation | Self::Aggregation
        )
    }

    /// `DIRECT` or `INDIRECT`, OpenLineage's type of a transformation.
    pub const fn class(self) -> &'static str {
        if self.is_direct() {
            "DIRECT"
        } else {
            "INDIRECT"
        }
    }

    /// OpenLineage's subtype of a transformation, for example `GROUP_BY`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "IDENTITY",
            Self::Transformation => "TRANSFORMATION",
            Self::Aggregation => "AGGREGATION",
            Self::Filter => "FILTER",
            Self::Join => "JOIN",
            Self::GroupBy => "GROUP_BY",
            Self::Sort => "SORT",
            Self::Window => "WINDOW",
            Self::Conditional => "CONDITIONAL",
        }
    }

    /// The kind of a way whose last step, the one nearest to the output, is `self`, and whose steps
    /// before are of kind `before`.
    #[must_use]
    pub fn after(self, before: Self) -> Self {
        if self.is_direct() {
            self.max(before)
        } else {
            self
        }
    }
}

impl ColumnRef {
    /// A column of a table.
    pub fn new(table: impl Into<Arc<str>>, column: impl Into<Arc<str>>) -> Self {
        Self {
            table: table.into(),
            column: column.into(),
        }
    }
}

impl fmt::Display for EdgeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ColumnRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.table, self.column)
    }
}

impl fmt::Display for PlanNode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail.as_str() {
            "" => f.write_str(self.operator),
            detail => write!(f, "{}: {detail}", self.operator),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

//! The report, and how it is collected.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use datafusion_common::{JoinType, TableReference};
use datafusion_expr::{Expr, Join, LogicalPlan, TableSource};

use crate::expr::{columns, describe, for_each, function_name};
use crate::join::key_pairs;
use crate::walk::{Visitor, walk};

/// What a plan reads, and with which functions.
///
/// The report depends on the plan alone: the same plan gives the same report in every process.
/// It covers the whole plan with all subqueries in it.
///
/// - A **table** is written as the plan writes it: `orders`, `sales.orders` or
///   `lake.sales.orders`, without quotes.
/// - The **work table** of a recursive query is no table: the recursive query reads its own rows
///   there. It is recognised by its name and place, and by its source, which calls itself temporary.
/// - A **view** whose plan the engine knows is looked through, whether or not the engine has put
///   that plan in place already: the tables behind the view are reported, and its own name is not.
///   A view that is planned as a mere schema is a table like any other.
/// - On an **unoptimized** plan, a scan has no projection yet and is reported to read all columns of
///   its table. This is sound and not exact. Optimize the plan first to learn the columns that it
///   needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineageReport {
    /// Each distinct scan, in the order of the plan: a node before its subqueries, these before its
    /// inputs, left to right. The target of a `MERGE` is read and therefore a scan.
    pub scans: Vec<ScanLineage>,
    /// Each distinct join, in the order of the plan.
    pub joins: Vec<JoinLineage>,
    /// Each distinct outermost expression of a node by its kind, columns and functions, in the order
    /// of the plan. Expressions of constants alone are left out.
    pub exprs: Vec<ExprLineage>,
    /// The names of all scalar, aggregate, window and higher-order functions, built in or not.
    /// Operators such as `+` and `LIKE` are none.
    pub required_udfs: BTreeSet<String>,
    /// The names of table functions in `FROM`. What they read, the plan does not say.
    pub table_functions: BTreeSet<String>,
    /// The columns that each table must have: those that are scanned, and those that only the
    /// scan's own filters look at. A table of which no column is needed (`count(*)`) has an entry
    /// without columns.
    pub required_columns_by_dataset: BTreeMap<String, BTreeSet<String>>,
    /// The rewrite tags of all [`required_udfs`](Self::required_udfs), where they are known: see
    /// [`with_rewrite_tags`](Self::with_rewrite_tags).
    pub required_rewrite_tags: BTreeSet<String>,
    /// What the report cannot see through, each said once, in the order of the plan: extension
    /// nodes, prepared statements that are run by name, wildcards that are not resolved, and kinds
    /// of writes that are newer than this crate.
    pub opaque: Vec<String>,
}

/// One way in which a table is read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScanLineage {
    /// The table, as the plan writes it.
    pub table: String,
    /// The columns that the scan yields, by their position in the table.
    pub columns: Vec<String>,
    /// The predicates that were pushed into the scan, as SQL-like text for people. All must hold.
    pub filters: Vec<String>,
}

/// One expression of a node.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ExprLineage {
    /// What the node takes it for.
    pub kind: ExprKind,
    /// The columns in it, as the plan names them (`orders.id`), those of outer queries too, without
    /// those of plans in it.
    pub columns: BTreeSet<String>,
    /// The functions that it calls.
    pub udfs: BTreeSet<String>,
}

/// What a node takes an expression for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExprKind {
    /// A column of the output.
    Projection,
    /// A condition on rows.
    Filter,
    /// A condition on rows that is part of the scan.
    ScanFilter,
    /// One side of an equality on which a join matches rows.
    JoinKey,
    /// Any other condition of a join.
    JoinFilter,
    /// A key of groups.
    GroupBy,
    /// An aggregate.
    Aggregate,
    /// A window function.
    Window,
    /// A key of an order.
    Sort,
    /// A key of which each value has one row.
    DistinctOn,
    /// How many rows are skipped or taken.
    Limit,
    /// A value of a literal table.
    Values,
    /// A key of partitions.
    Partitioning,
    /// A condition or value of a write.
    Write,
    /// A parameter of a prepared statement.
    Parameter,
    /// Whatever an extension node does with it.
    Extension,
}

/// One way in which two inputs are joined.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JoinLineage {
    /// Inner, left, semi, mark and so on.
    pub join_type: JoinType,
    /// Pairs of expressions over the left and the right input that must be equal, as SQL-like text
    /// for people: the keys of the node, then equalities in its condition. On an unoptimized plan,
    /// `FROM a, b WHERE ...` has none, because the condition is not part of the join yet. Names
    /// that the optimizer invents (`__correlated_sq_1`) stand as they are.
    pub keys: Vec<(String, String)>,
}

impl LineageReport {
    /// The report of `plan`, in one pass over its nodes and expressions. A subplan that several
    /// nodes share is passed once.
    ///
    /// # Example: which functions does a plan need?
    ///
    /// ```
    /// use codeanatomy_lineage::LineageReport;
    /// # use datafusion_expr::LogicalPlanBuilder;
    ///
    /// let plan = LogicalPlanBuilder::empty(true).build()?;
    /// assert!(LineageReport::of(&plan).required_udfs.is_empty());
    /// # Ok::<(), datafusion_common::DataFusionError>(())
    /// ```
    pub fn of(plan: &LogicalPlan) -> Self {
        let mut collector = Collector::default();
        walk(plan, &mut collector);
        collector.report
    }

    /// The report with the rewrite tags of its functions. `tags` has the tags of each function that
    /// has some, by the function's name.
    ///
    /// # Example: which rules must be there before the plan is made again?
    ///
    /// ```
    /// use std::collections::{BTreeMap, BTreeSet};
    /// use codeanatomy_lineage::LineageReport;
    ///
    /// let span = BTreeSet::from(["span_fusion".to_owned()]);
    /// let tags = BTreeMap::from([("span_overlaps".to_owned(), span)]);
    /// let report = LineageReport {
    ///     required_udfs: BTreeSet::from(["sum".to_owned(), "span_overlaps".to_owned()]),
    ///     ..LineageReport::default()
    /// };
    /// let tagged = report.with_rewrite_tags(&tags);
    /// assert!(tagged.required_rewrite_tags.contains("span_fusion"));
    /// ```
    #[must_use]
    pub fn with_rewrite_tags(mut self, tags: &BTreeMap<String, BTreeSet<String>>) -> Self {
        let of_function = |function: &String| tags.get(function).into_iter().flatten().cloned();
        self.required_rewrite_tags = self.required_udfs.iter().flat_map(of_function).collect();
        self
    }
}

impl ExprKind {
    /// The kind as it is written in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Projection => "projection",
            Self::Filter => "filter",
            Self::ScanFilter => "scan_filter",
            Self::JoinKey => "join_key",
            Self::JoinFilter => "join_filter",
            Self::GroupBy => "group_by",
            Self::Aggregate => "aggregate",
            Self::Window => "window",
            Self::Sort => "sort",
            Self::DistinctOn => "distinct_on",
            Self::Limit => "limit",
            Self::Values => "values",
            Self::Partitioning => "partitioning",
            Self::Write => "write",
            Self::Parameter => "parameter",
            Self::Extension => "extension",
        }
    }
}

/// The tables that `plan` reads, as [`LineageReport`] describes them; those of
/// [`scans`](LineageReport::scans), without the cost of the rest.
pub fn referenced_tables(plan: &LogicalPlan) -> BTreeSet<String> {
    let mut tables = Tables::default();
    walk(plan, &mut tables);
    tables.0
}

#[derive(Default)]
struct Collector {
    report: LineageReport,
    seen_scans: HashSet<ScanLineage>,
    seen_joins: HashSet<JoinLineage>,
    seen_exprs: HashSet<ExprLineage>,
}

impl Visitor for Collector {
    fn scan(
        &mut self,
        table: &TableReference,
        source: &dyn TableSource,
        projection: Option<&[usize]>,
        filters: &[Expr],
    ) {
        let schema = source.schema();
        let mut positions: Vec<usize> = match projection {
            Some(projection) => projection.to_vec(),
            None => (0..schema.fields().len()).collect(),
        };
        positions.sort_unstable();
        positions.dedup();
        let fields = positions.iter().filter_map(|&at| schema.fields().get(at));
        let scan = ScanLineage {
            table: table.to_string(),
            columns: fields.map(|field| field.name().clone()).collect(),
            filters: filters.iter().map(describe).collect(),
        };
        let required = self
            .report
            .required_columns_by_dataset
            .entry(scan.table.clone())
            .or_default();
        required.extend(scan.columns.iter().cloned());
        let filtered = filters.iter().flat_map(columns);
        required.extend(filtered.map(|column| column.name.clone()));
        if self.seen_scans.insert(scan.clone()) {
            self.report.scans.push(scan);
        }
    }

    fn join(&mut self, join: &Join) {
        let keys = key_pairs(join).into_iter();
        let join = JoinLineage {
            join_type: join.join_type,
            keys: keys
                .map(|(left, right)| (describe(left), describe(right)))
                .collect(),
        };
        if self.seen_joins.insert(join.clone()) {
            self.report.joins.push(join);
        }
    }

    fn expr(&mut self, kind: ExprKind, expr: &Expr) {
        let (mut columns, mut udfs) = (BTreeSet::new(), BTreeSet::new());
        for_each(expr, |expr| {
            if let Expr::Column(column) | Expr::OuterReferenceColumn(_, column) = expr {
                columns.insert(column.flat_name());
            }
            udfs.extend(function_name(expr).map(str::to_owned));
        });
        if columns.is_empty() && udfs.is_empty() {
            return;
        }
        let expr = ExprLineage {
            kind,
            columns,
            udfs,
        };
        if self.seen_exprs.insert(expr.clone()) {
            self.report.exprs.push(expr);
        }
    }

    fn function(&mut self, name: &str) {
        if !self.report.required_udfs.contains(name) {
            self.report.required_udfs.insert(name.to_owned());
        }
    }

    fn table_function(&mut self, name: &str) {
        self.report.table_functions.insert(name.to_owned());
    }

    fn opaque(&mut self, finding: String) {
        if !self.report.opaque.contains(&finding) {
            self.report.opaque.push(finding);
        }
    }
}

#[derive(Default)]
struct Tables(BTreeSet<String>);

impl Visitor for Tables {
    fn scan(
        &mut self,
        table: &TableReference,
        _: &dyn TableSource,
        _: Option<&[usize]>,
        _: &[Expr],
    ) {
        self.0.insert(table.to_string());
    }
}

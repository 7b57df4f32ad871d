//! What a DataFusion plan reads: scans, columns, functions, as pure functions of the logical plan.
//!
//! Nothing here plans, runs or resolves anything: a [`LogicalPlan`](datafusion_expr::LogicalPlan)
//! goes in, optimized or not, and a [`LineageReport`] comes out. What cannot be seen through is a
//! finding in the report, not an error. Plans inside subquery expressions count like all others, at
//! any depth, and no plan is too deep: the walk keeps its stack on the heap.
//!
//! - [`LineageReport`] says which tables, columns, joins, expressions and functions there are.
//! - [`column_lineage`] says from which table columns each output column comes, and how.
//! - [`LineageGraph`] puts the lineages of views together: upstream to datasets, and downstream to
//!   everything that a change can reach.
//! - [`openlineage`] writes them as OpenLineage's column-lineage facet.
//!
//! # Example: which tables does this plan read?
//!
//! ```
//! use datafusion_common::arrow::datatypes::{DataType, Field, Schema};
//! use datafusion_expr::{LogicalPlanBuilder, col, lit, logical_plan::table_scan};
//! use codeanatomy_lineage::{LineageReport, referenced_tables};
//!
//! let orders = Schema::new(vec![
//!     Field::new("id", DataType::Int64, false),
//!     Field::new("price", DataType::Float64, false),
//! ]);
//! let plan = table_scan(Some("orders"), &orders, Some(vec![0]))?.filter(col("id").gt(lit(7)))?.build()?;
//!
//! assert!(referenced_tables(&plan).contains("orders"));
//! assert_eq!(LineageReport::of(&plan).scans[0].columns, ["id"]);
//! # Ok::<(), datafusion_common::DataFusionError>(())
//! ```

// What a plan reads.
mod report;

// Where its columns come from, within a plan and across views.
mod columns;
mod compose;
pub mod openlineage;

// One pass over a plan and its expressions.
mod expr;
mod join;
mod parts;
mod walk;

pub use self::columns::{
    ColumnEdge, ColumnLineage, ColumnRef, EdgeKind, Finding, FindingKind, OutputColumn, PlanNode,
    RowLineage, column_lineage,
};
pub use self::compose::{EdgeKinds, Impact, ImpactClass, LineageGraph, SourceColumn};
pub use self::report::{
    ExprKind, ExprLineage, JoinLineage, LineageReport, ScanLineage, referenced_tables,
};

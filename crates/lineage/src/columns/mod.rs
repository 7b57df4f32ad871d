//! From which columns of which tables each column of a plan's output comes.

mod builder;
mod deps;
mod describe;
mod graph;
mod lineage;
mod node;
mod outer;
mod relation;
mod resolve;
mod scan;

pub use self::lineage::{
    ColumnEdge, ColumnLineage, ColumnRef, EdgeKind, Finding, FindingKind, OutputColumn, PlanNode,
    RowLineage, column_lineage,
};

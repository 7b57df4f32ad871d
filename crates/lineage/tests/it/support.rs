//! A session with a few tables, and lineage as text.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use codeanatomy_lineage::{ColumnEdge, ColumnLineage, column_lineage};
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use datafusion_expr::LogicalPlan;

/// A session with empty tables.
pub(crate) fn session() -> SessionContext {
    let ctx = SessionContext::new();
    let list = DataType::new_list(DataType::Int64, true);
    let place = DataType::Struct(Fields::from(vec![
        Field::new("zip", DataType::Utf8, true),
        Field::new("no", DataType::Int64, true),
    ]));
    for (name, columns) in [
        (
            "orders",
            [
                ("id", DataType::Int64),
                ("customer", DataType::Int64),
                ("price", DataType::Int64),
                ("day", DataType::Int64),
                ("note", DataType::Utf8),
            ]
            .as_slice(),
        ),
        (
            "customers",
            &[
                ("id", DataType::Int64),
                ("name", DataType::Utf8),
                ("region", DataType::Utf8),
            ],
        ),
        (
            "edges",
            &[("src", DataType::Int64), ("dst", DataType::Int64)],
        ),
        (
            "nested",
            &[("id", DataType::Int64), ("tags", list), ("place", place)],
        ),
    ] {
        let fields = columns.iter();
        let fields = fields.map(|(name, data_type)| Field::new(*name, data_type.clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let table = MemTable::try_new(schema, vec![vec![]]).unwrap();
        ctx.register_table(name, Arc::new(table)).unwrap();
    }
    ctx
}

/// The lineage of a query as the SQL planner leaves it.
pub(crate) async fn planned(sql: &str) -> String {
    let plan = session().state().create_logical_plan(sql).await.unwrap();
    render(&column_lineage(&plan))
}

/// The lineage of a query after the optimizer.
pub(crate) async fn optimized(sql: &str) -> String {
    let state = session().state();
    let plan = state.create_logical_plan(sql).await.unwrap();
    render(&column_lineage(&state.optimize(&plan).unwrap()))
}

/// The lineage of a query that is the same before and after the optimizer.
pub(crate) async fn both(sql: &str) -> String {
    let before = planned(sql).await;
    assert_eq!(before, optimized(sql).await);
    before
}

/// The lineage with the nodes of a plan.
pub(crate) fn with_nodes(plan: &LogicalPlan) -> String {
    let lineage = column_lineage(plan);
    let mut text = String::new();
    for (number, column) in lineage.columns.iter().enumerate() {
        for edge in lineage.edges(number) {
            let (name, node) = (&column.name, &lineage.nodes[edge.node]);
            writeln!(text, "{name} <- {} {} by {node}", edge.source, edge.kind).unwrap();
        }
    }
    text
}

/// One line for each column and one for the rows: sources with their kinds, tables in brackets.
pub(crate) fn render(lineage: &ColumnLineage) -> String {
    let mut text = String::new();
    for column in &lineage.columns {
        let line = line(&column.edges, &column.tables);
        writeln!(text, "{} <-{line}", column.name).unwrap();
    }
    let line = line(&lineage.rows.edges, &lineage.rows.tables);
    writeln!(text, "rows <-{line}").unwrap();
    for finding in &lineage.findings {
        writeln!(text, "opaque: {finding}").unwrap();
    }
    text
}

fn line(edges: &[ColumnEdge], tables: &[Arc<str>]) -> String {
    let mut by_source: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for edge in edges {
        let kinds = by_source.entry(edge.source.to_string()).or_default();
        if !kinds.contains(&edge.kind.as_str()) {
            kinds.push(edge.kind.as_str());
        }
    }
    let mut text = String::new();
    for (source, kinds) in by_source {
        write!(text, " {source} {};", kinds.join("+")).unwrap();
    }
    if !tables.is_empty() {
        write!(text, " [{}]", tables.join(", ")).unwrap();
    }
    text
}

//! The example project: the 22 TPC-H queries over shared views, and tiny tables on which they find
//! something.

mod tables;

use std::collections::BTreeMap;
use std::path::PathBuf;

use codeanatomy_lineage::{ColumnLineage, LineageGraph, column_lineage};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use std::sync::Arc;

use crate::perturbation::Random;
pub(crate) use tables::tables;

/// The queries by name.
pub(crate) fn queries() -> Vec<(String, String)> {
    sql_files("queries")
}

/// The shared views by name, each after those that it reads.
pub(crate) fn views() -> Vec<(String, String)> {
    let mut views = sql_files("staging");
    // `supplier_nation` reads `nation_region`, which stands before it; marts read staging.
    views.extend(sql_files("marts"));
    views
}

fn sql_files(folder: &str) -> Vec<(String, String)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("../../examples/tpch/views").join(folder);
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            files.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
    files.into_iter().collect()
}

/// The lineages of all views and queries, each planned against the schemas of those that it reads.
pub(crate) async fn lineages(optimized: bool) -> Vec<(String, ColumnLineage)> {
    let ctx = SessionContext::new();
    for table in tables(&mut Random::new(1)) {
        let memory = MemTable::try_new(table.schema(), vec![vec![]]).unwrap();
        ctx.register_table(table.name, Arc::new(memory)).unwrap();
    }
    let mut lineages = Vec::new();
    for (name, sql) in views().into_iter().chain(queries()) {
        let mut plan = ctx.state().create_logical_plan(&sql).await.unwrap();
        let schema = Arc::new(plan.schema().as_arrow().clone());
        if optimized {
            plan = ctx.state().optimize(&plan).unwrap();
        }
        lineages.push((name.clone(), column_lineage(&plan)));
        let memory = MemTable::try_new(schema, vec![vec![]]).unwrap();
        ctx.register_table(name.as_str(), Arc::new(memory)).unwrap();
    }
    lineages
}

/// The lineages of the queries when all views are written out in them.
async fn inlined() -> Vec<(String, ColumnLineage)> {
    let ctx = SessionContext::new();
    for table in tables(&mut Random::new(1)) {
        let memory = MemTable::try_new(table.schema(), vec![vec![]]).unwrap();
        ctx.register_table(table.name, Arc::new(memory)).unwrap();
    }
    for (name, sql) in views() {
        ctx.sql(&format!("CREATE VIEW {name} AS {sql}"))
            .await
            .unwrap();
    }
    let mut lineages = Vec::new();
    for (name, sql) in queries() {
        let plan = ctx.state().create_logical_plan(&sql).await.unwrap();
        lineages.push((name, column_lineage(&plan)));
    }
    lineages
}

#[tokio::test]
async fn following_views_gives_what_writing_them_out_gives() {
    let composed = LineageGraph::compose(lineages(false).await);
    let inlined = LineageGraph::compose(inlined().await);
    for (query, _) in queries() {
        let columns = &inlined.lineage(&query).unwrap().columns;
        for column in columns {
            let [one, other] =
                [&composed, &inlined].map(|graph| graph.upstream(&query, &column.name).unwrap());
            assert_eq!(one.len(), other.len(), "{query}.{}", column.name);
            for (one, other) in one.iter().zip(&other) {
                assert_eq!(one.source, other.source, "{query}.{}", column.name);
                // A condition on rows of a view stays one, also where these rows are looked at in a
                // condition on others.
                for (one, other) in [(one.value, other.value), (one.rows, other.rows)] {
                    assert_eq!(one.is_empty(), other.is_empty(), "{query}.{}", column.name);
                    assert_eq!(one.union(other), other, "{query}.{}", column.name);
                }
            }
            let [one, other] = [&composed, &inlined]
                .map(|graph| graph.upstream_tables(&query, &column.name).unwrap());
            assert_eq!(one, other, "{query}.{}", column.name);
        }
    }
}

#[tokio::test]
async fn an_optimized_plan_keeps_the_direct_sources_of_every_column() {
    let [planned, optimized] =
        [lineages(false).await, lineages(true).await].map(LineageGraph::compose);
    for (query, _) in queries() {
        for column in &planned.lineage(&query).unwrap().columns {
            let [one, other] = [&planned, &optimized].map(|graph| {
                let sources = graph.upstream(&query, &column.name).unwrap().into_iter();
                let direct = sources.filter(|source| source.value.any_direct());
                direct.map(|source| source.source).collect::<Vec<_>>()
            });
            assert_eq!(one, other, "{query}.{}", column.name);
        }
    }
}

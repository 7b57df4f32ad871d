//! Upstream and downstream across views.

use codeanatomy_lineage::{EdgeKind, Impact, LineageGraph, column_lineage};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use insta::assert_snapshot;
use std::sync::Arc;

use crate::support::session;

/// Views over the tables of the session, each planned against the schema of those before it.
async fn graph(views: &[(&str, &str)]) -> LineageGraph {
    let ctx: SessionContext = session();
    let mut lineages = Vec::new();
    for (name, sql) in views {
        let plan = ctx.state().create_logical_plan(sql).await.unwrap();
        let schema = Arc::new(plan.schema().as_arrow().clone());
        let memory = MemTable::try_new(schema, vec![vec![]]).unwrap();
        ctx.register_table(*name, Arc::new(memory)).unwrap();
        lineages.push(((*name).to_owned(), column_lineage(&plan)));
    }
    LineageGraph::compose(lineages)
}

const VIEWS: [(&str, &str); 4] = [
    (
        "clean",
        "SELECT id, customer, price * 2 AS amount FROM orders WHERE note IS NOT NULL",
    ),
    (
        "by_customer",
        "SELECT customer, sum(amount) AS total, count(*) AS n FROM clean GROUP BY customer",
    ),
    (
        "total",
        "SELECT sum(total) AS all_of_it, (SELECT count(*) FROM edges) AS edges FROM by_customer",
    ),
    (
        "named",
        "SELECT c.name, b.total FROM customers c JOIN by_customer b ON b.customer = c.id",
    ),
];

#[tokio::test]
async fn a_column_is_followed_to_the_datasets() {
    let graph = graph(&VIEWS).await;
    let upstream = |view: &str, column: &str| {
        let sources = graph.upstream(view, column).unwrap().into_iter();
        let lines =
            sources.map(|it| format!("{} value: {} rows: {}", it.source, it.value, it.rows));
        let tables = graph.upstream_tables(view, column).unwrap().join(", ");
        format!("{}\n[{tables}]", lines.collect::<Vec<_>>().join("\n"))
    };
    assert_snapshot!(upstream("named", "total"), @r"
    customers.id value:  rows: JOIN
    orders.customer value:  rows: JOIN, GROUP_BY
    orders.note value: FILTER rows: FILTER
    orders.price value: AGGREGATION rows: 
    [customers, orders]
    ");
    assert_snapshot!(upstream("total", "all_of_it"), @r"
    orders.customer value: GROUP_BY rows: 
    orders.note value: FILTER rows: 
    orders.price value: AGGREGATION rows: 
    [orders]
    ");
    assert_snapshot!(upstream("total", "edges"), @"[edges]");
    assert_snapshot!(upstream("by_customer", "n"), @r"
    orders.customer value:  rows: GROUP_BY
    orders.note value: FILTER rows: FILTER
    [orders]
    ");
    assert_eq!(graph.upstream("total", "nothing"), None);
    assert_eq!(graph.upstream("orders", "id"), None);
    let order: Vec<&str> = graph.views().collect();
    assert_eq!(order, ["clean", "by_customer", "named", "total"]);
}

#[tokio::test]
async fn a_change_is_followed_to_everything_that_it_can_reach() {
    let graph = graph(&VIEWS).await;
    let impact = |table: &str, column: Option<&str>| {
        let line = |impact: Impact| {
            let classes: Vec<&str> = impact.classes.iter().map(|class| class.as_str()).collect();
            format!("{}.{}: {}", impact.view, impact.column, classes.join(", "))
        };
        let lines = graph.impact(table, column).into_iter().map(line);
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(impact("orders", Some("price")), @r"
    clean.amount: value, type, removed
    by_customer.total: value, type, removed
    named.total: value, type, removed
    total.all_of_it: value, type, removed
    ");
    assert_snapshot!(impact("orders", Some("note")), @r"
    clean.id: row set, removed
    clean.customer: row set, removed
    clean.amount: row set, removed
    by_customer.customer: row set, removed
    by_customer.total: value, row set, removed
    by_customer.n: value, row set, removed
    named.name: row set, removed
    named.total: value, row set, removed
    total.all_of_it: value, removed
    ");
    assert_snapshot!(impact("customers", Some("id")), @r"
    named.name: row set, removed
    named.total: row set, removed
    ");
    assert_snapshot!(impact("edges", None), @"total.edges: value, removed");
    assert_snapshot!(impact("by_customer", Some("n")), @"");
    assert_snapshot!(impact("by_customer", Some("total")), @r"
    named.total: value, type, removed
    total.all_of_it: value, type, removed
    ");
    assert_snapshot!(impact("edges", Some("src")), @"");
}

#[tokio::test]
async fn views_that_read_each_other_end_somewhere() {
    let graph = LineageGraph::compose([("a", "b"), ("b", "a")].map(|(view, read)| {
        let schema = Schema::new(vec![Field::new("n", DataType::Int64, true)]);
        let scan = datafusion_expr::logical_plan::table_scan(Some(read), &schema, None).unwrap();
        (view.to_owned(), column_lineage(&scan.build().unwrap()))
    }));
    let sources = graph.upstream("a", "n").unwrap();
    assert_eq!(sources.len(), 1);
    assert!(sources[0].value.contains(EdgeKind::Identity));
}

#[test]
fn thousands_of_views_with_many_ways_between_them_are_composed() {
    // Ten layers of a hundred views, each of which joins three views of the layer before: 3 ^ 10 ways.
    let schema = |name: &str| {
        let fields = ["a", "b", "c"]
            .map(|column| Field::new(format!("{name}_{column}"), DataType::Int64, true));
        Schema::new(fields.to_vec())
    };
    let scan = |name: &str| {
        datafusion_expr::logical_plan::table_scan(Some(name), &schema(name), None).unwrap()
    };
    let mut views = Vec::new();
    for layer in 0..10 {
        for number in 0..100 {
            let parent = |step: usize| format!("v{layer}_{}", (number * 3 + step) % 100);
            let [first, second, third] = [parent(0), parent(1), parent(2)];
            let name = format!("v{}_{number}", layer + 1);
            let key = |parent: &str| format!("{parent}_a");
            let joined = scan(&first)
                .join_on(
                    scan(&second).build().unwrap(),
                    datafusion_expr::JoinType::Inner,
                    [datafusion_expr::col(key(&first)).eq(datafusion_expr::col(key(&second)))],
                )
                .unwrap()
                .join_on(
                    scan(&third).build().unwrap(),
                    datafusion_expr::JoinType::Left,
                    [datafusion_expr::col(key(&first)).eq(datafusion_expr::col(key(&third)))],
                )
                .unwrap();
            let sum = datafusion_expr::col(format!("{first}_b"))
                + datafusion_expr::col(format!("{second}_b"));
            let exprs = vec![
                datafusion_expr::col(key(&first)).alias(format!("{name}_a")),
                sum.alias(format!("{name}_b")),
                datafusion_expr::col(format!("{third}_c")).alias(format!("{name}_c")),
            ];
            let plan = joined.project(exprs).unwrap().build().unwrap();
            views.push((name, column_lineage(&plan)));
        }
    }
    let graph = LineageGraph::compose(views);
    let sources = graph.upstream("v10_0", "v10_0_b").unwrap();
    assert!(
        sources
            .iter()
            .all(|source| source.source.table.starts_with("v0_"))
    );
    assert!(sources.len() > 100);
    assert_eq!(graph.views().count(), 1_000);
    assert!(graph.impact("v0_1", Some("v0_1_a")).len() > 1_000);
}

//! What a person learns about columns.

use codeanatomy_schema::{column_statistics, value_counts};
use datafusion::prelude::SessionContext;

use crate::support::{in_order, plan, session};

#[tokio::test]
async fn every_column_is_counted_in_one_pass() {
    let ctx = session("(1, 'a', 1.5), (3, NULL, 2.5), (3, 'b', NULL), (NULL, 'b', NULL)").await;
    let plan = plan(&ctx, "SELECT *, [1] AS items FROM sales").await;
    let (statistics, columns) = column_statistics(&plan, &ctx.state()).unwrap();
    assert_eq!(
        in_order(&ctx, &statistics).await,
        ["4 3 2 1 3 3 2 a b 2 2 1.5 2.5 4"]
    );
    let names: Vec<_> = columns
        .iter()
        .map(|it| (it.name.as_str(), it.count.as_str(), it.distinct.as_deref()))
        .collect();
    assert_eq!(
        names,
        [
            ("id", "count_0", Some("distinct_0")),
            ("region", "count_1", Some("distinct_1")),
            ("amount", "count_2", Some("distinct_2")),
            ("items", "count_3", None),
        ]
    );
    let extremes = columns[0].extremes.clone();
    assert_eq!(extremes, Some(("min_0".to_owned(), "max_0".to_owned())));
}

#[tokio::test]
async fn frequent_values_come_first() {
    let ctx =
        session("(1, 'a', 1.0), (2, 'b', 1.0), (3, 'b', 1.0), (4, NULL, 1.0), (5, 'c', 1.0)").await;
    let plan = plan(&ctx, "SELECT * FROM sales").await;
    let counts = value_counts(&plan, "region", 3, &ctx.state()).unwrap();
    assert_eq!(in_order(&ctx, &counts).await, ["b 2", "- 1", "a 1"]);
}

#[tokio::test]
async fn values_that_cannot_be_counted_are_refused() {
    let ctx = SessionContext::new();
    let plan = plan(&ctx, "SELECT [1] AS items, 'x' AS name").await;
    let error = value_counts(&plan, "items", 3, &ctx.state()).unwrap_err();
    assert_eq!(error.code().id(), "CA-SCHEMA-0102");
    let error = value_counts(&plan, "nmae", 3, &ctx.state()).unwrap_err();
    assert_eq!(error.nearest(), Some("name"));
}

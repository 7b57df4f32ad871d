//! Where columns come from, and what a change of them can reach.

use serde_json::Value;

use crate::project::{Project, assert_shown};

/// `orders` -> `paid` (not stored) -> `by_region` -> `top`.
fn project() -> Project {
    let stored = "cache = \"delta_output\"\n";
    Project::new()
        .with(
            "views/paid.sql",
            "select id, region, amount from orders where amount > 2\n",
        )
        .with(
            "views/by_region.sql",
            "select region, sum(amount) as total, count(*) as n from paid group by region\n",
        )
        .with(
            "views/top.sql",
            "select max(total) as most from by_region\n",
        )
        .with("views/top.toml", stored)
}

/// `source.column SUBTYPE` of each edge of a column, through other views or not.
fn edges(document: &Value, view: &str, column: &str, across: bool) -> Vec<String> {
    let edges = document["edges"].as_array().unwrap().iter();
    let edges = edges.filter(|edge| {
        edge["view"] == view && edge["column"] == column && edge["across_views"] == across
    });
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut found: Vec<String> = edges
        .map(|edge| {
            let class = text(&edge["type"]);
            let subtype = text(&edge["subtype"]);
            let (source, name) = (text(&edge["source"]), text(&edge["source_column"]));
            format!("{source}.{name} {class} {subtype}")
        })
        .collect();
    found.sort();
    found
}

#[test]
fn a_column_is_followed_through_stored_and_unstored_views_to_the_dataset() {
    let project = project();
    let (code, document) = project.json(&["lineage", "top.most"]);
    assert_eq!(code, 0, "{document:#}");
    assert_eq!(document["direction"], "upstream");
    assert_eq!(
        edges(&document, "top", "most", false),
        ["by_region.total DIRECT AGGREGATION"]
    );
    assert_eq!(
        edges(&document, "top", "most", true),
        [
            "orders.amount DIRECT AGGREGATION",
            "orders.amount INDIRECT FILTER",
            "orders.region INDIRECT GROUP_BY"
        ]
    );
    assert_eq!(
        edges(&document, "by_region", "total", false),
        [
            "paid.amount DIRECT AGGREGATION",
            "paid.region INDIRECT GROUP_BY"
        ]
    );
    assert_eq!(
        edges(&document, "paid", "amount", false),
        [
            "orders.amount DIRECT IDENTITY",
            "orders.amount INDIRECT FILTER"
        ]
    );
    // Nothing else is on the way.
    assert!(edges(&document, "by_region", "n", false).is_empty());
    let udfs = &document["views"]["by_region"]["required_udfs"];
    assert_eq!(udfs, &serde_json::json!(["count", "sum"]));
    let required = &document["views"]["paid"]["required_columns_by_dataset"]["orders"];
    assert_eq!(required, &serde_json::json!(["amount", "id", "region"]));
}

#[test]
fn a_change_of_a_dataset_column_reaches_views_with_what_can_become_of_them() {
    let project = project();
    let (code, document) = project.json(&["lineage", "orders.amount", "--downstream"]);
    assert_eq!(code, 0, "{document:#}");
    let impact: Vec<String> = document["impact"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let classes = it["classes"].as_array().unwrap().iter();
            let classes: Vec<&str> = classes.map(|class| class.as_str().unwrap()).collect();
            let (view, column) = (it["view"].as_str().unwrap(), it["column"].as_str().unwrap());
            format!("{view}.{column}: {}", classes.join(", "))
        })
        .collect();
    assert_eq!(
        impact,
        [
            "paid.id: row set, removed",
            "paid.region: row set, removed",
            "paid.amount: value, row set, type, removed",
            "by_region.region: row set, removed",
            "by_region.total: value, row set, type, removed",
            "by_region.n: value, row set, removed",
            "top.most: value, type, removed",
        ]
    );
    // A dataset is followed downstream without being told.
    let (_, same) = project.json(&["lineage", "orders.amount"]);
    assert_eq!(same, document);
    // The column that nothing computes with only reaches the view that shows it.
    let (_, document) = project.json(&["lineage", "orders.id"]);
    assert_eq!(
        document["impact"].as_array().unwrap().len(),
        1,
        "{document:#}"
    );
}

#[test]
fn lineage_is_a_tree_for_people_and_a_graph_for_graphviz() {
    let project = project();
    assert_shown!(project.run(&["lineage", "top.most", "-q"]), @r"
    exit 0
    --- stdout
    top.most
    └── by_region.total  AGGREGATION
        ├── paid.amount  AGGREGATION
        │   └── orders.amount  IDENTITY, FILTER
        └── paid.region  GROUP_BY
            ├── orders.amount  FILTER
            └── orders.region  IDENTITY
    ");
    assert_shown!(project.run(&["lineage", "orders.amount", "-q"]), @r"
    exit 0
    --- stdout
    orders.amount
    ├── paid
    │   ├── id      row set, removed  FILTER
    │   ├── region  row set, removed  FILTER
    │   └── amount  value, row set, type, removed  IDENTITY, FILTER
    ├── by_region  through paid
    │   ├── region  row set, removed  FILTER
    │   ├── total   value, row set, type, removed  AGGREGATION, FILTER
    │   └── n       value, row set, removed  FILTER
    └── top  through by_region
        └── most    value, type, removed  AGGREGATION, FILTER
    7 columns of 3 views can change
    ");
    project.write("views/n.sql", "select count(*) as n from paid\n");
    let whole = project.run(&["lineage", "-q"]);
    assert_eq!(whole.code, 0, "{}", whole.stderr);
    for line in [
        "top.most",
        "by_region.n",
        "paid.id",
        "n.n\n└── rows of paid  number of rows",
    ] {
        assert!(whole.stdout.contains(line), "{line}: {}", whole.stdout);
    }
    let through = project.run(&["lineage", "n.n", "-q"]).stdout;
    assert!(
        through.contains("    └── orders.amount  FILTER"),
        "{through}"
    );
    for args in [["--dot", "-q"], ["--kind=dot", "-q"]] {
        let args = [&["lineage", "top"][..], &args].concat();
        let dot = project.run(&args).stdout;
        assert!(dot.starts_with("digraph lineage {"), "{dot}");
        assert!(
            dot.contains(r#""by_region.total" -> "top.most" [label="AGGREGATION", style=solid]"#),
            "{dot}"
        );
        assert!(dot.trim_end().ends_with('}'));
    }
}

#[test]
fn a_wrong_name_is_answered_with_the_nearest() {
    let project = project();
    assert_shown!(project.run(&["lineage", "by_regoin.total", "-q"]), @r"
    exit 2
    --- stderr
    error[CA-EXEC-0040]: there is no view and no dataset `by_regoin`
     |
     = help: did you mean `by_region`?
     = help: write VIEW, VIEW.COLUMN, DATASET or DATASET.COLUMN
    ");
    assert_shown!(project.run(&["lineage", "orders.amout", "-q"]), @r"
    exit 2
    --- stderr
    error[CA-EXEC-0041]: the dataset `orders` has no column `amout`
     |
     = expected: one of id, region, amount
     = help: did you mean `amount`?
     = help: names of columns count with their case
    ");
    for target in ["by_region.", ".total", "", "a b.c"] {
        let ran = project.run(&["lineage", target, "-q"]);
        assert_eq!(ran.code, 2, "{target}: {}", ran.stderr);
    }
    let both = project.run(&["lineage", "top", "--upstream", "--downstream"]);
    assert_eq!(both.code, 2);
}

#[test]
fn a_dataset_that_nobody_reads_reaches_nothing() {
    let project = project();
    project.write(
        "codeanatomy.toml",
        "[datasets.orders]\nlocation = \"orders.csv\"\n[datasets.spare]\nlocation = \"orders.csv\"\n",
    );
    let ran = project.run(&["lineage", "spare", "-q"]);
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "nothing depends on spare\n")
    );
}

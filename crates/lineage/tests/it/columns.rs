//! SQL in, edges out. Each line is an output column, or the rows, with what it depends on; tables in
//! brackets are those whose number of rows counts.

use std::sync::Arc;

use codeanatomy_lineage::{FindingKind, column_lineage};
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion_common::{Column, DFSchemaRef};
use datafusion_expr::logical_plan::{Extension, LogicalPlan};
use datafusion_expr::{
    Expr, LogicalPlanBuilder, TableScanBuilder, UserDefinedLogicalNodeCore, col, exists, lit,
};
use insta::assert_snapshot;

use crate::support::{both, optimized, planned, render, session, with_nodes};

#[tokio::test]
async fn a_star_is_all_columns_and_an_alias_is_the_column() {
    assert_snapshot!(both("SELECT *, price AS cost FROM orders").await, @r"
    id <- orders.id IDENTITY;
    customer <- orders.customer IDENTITY;
    price <- orders.price IDENTITY;
    day <- orders.day IDENTITY;
    note <- orders.note IDENTITY;
    cost <- orders.price IDENTITY;
    rows <- [orders]
    ");
}

#[tokio::test]
async fn values_that_are_computed_and_conditions_on_rows_are_told_apart() {
    let sql = "SELECT upper(note) AS n, price * 2 + day AS p, 7 AS c FROM orders WHERE id > 5 OR customer IS NULL";
    assert_snapshot!(both(sql).await, @r"
    n <- orders.note TRANSFORMATION;
    p <- orders.day TRANSFORMATION; orders.price TRANSFORMATION;
    c <-
    rows <- orders.customer FILTER; orders.id FILTER; [orders]
    ");
}

#[tokio::test]
async fn a_case_is_chosen_by_its_conditions() {
    let sql =
        "SELECT CASE WHEN day > 3 THEN price WHEN id = 1 THEN customer ELSE 0 END AS c FROM orders";
    assert_snapshot!(both(sql).await, @r"
    c <- orders.customer TRANSFORMATION; orders.day CONDITIONAL; orders.id CONDITIONAL; orders.price TRANSFORMATION;
    rows <- [orders]
    ");
    let sql = "SELECT CASE day WHEN 3 THEN price END AS c FROM orders";
    assert_snapshot!(both(sql).await, @r"
    c <- orders.day CONDITIONAL; orders.price TRANSFORMATION;
    rows <- [orders]
    ");
}

#[tokio::test]
async fn aggregates_have_groups_filters_and_orders() {
    let sql = "SELECT customer, sum(price) FILTER (WHERE day > 3) AS s, count(*) AS n, \
               array_agg(note ORDER BY id) AS notes FROM orders GROUP BY customer HAVING max(day) < 9";
    assert_snapshot!(planned(sql).await, @r"
    customer <- orders.customer IDENTITY;
    s <- orders.day FILTER; orders.price AGGREGATION; [orders]
    n <- [orders]
    notes <- orders.id SORT; orders.note AGGREGATION; [orders]
    rows <- orders.customer GROUP_BY; orders.day FILTER; [orders]
    ");
    assert_snapshot!(optimized(sql).await, @r"
    customer <- orders.customer IDENTITY;
    s <- orders.day FILTER; orders.price AGGREGATION; [orders]
    n <- [orders]
    notes <- orders.id SORT; orders.note AGGREGATION; [orders]
    rows <- orders.customer GROUP_BY; orders.day FILTER; [orders]
    ");
}

#[tokio::test]
async fn an_aggregate_without_groups_has_one_row_whatever_it_reads() {
    let sql = "SELECT sum(price) + 1 AS s, count(*) AS n FROM orders WHERE day = 1";
    assert_snapshot!(both(sql).await, @r"
    s <- orders.day FILTER; orders.price AGGREGATION; [orders]
    n <- orders.day FILTER; [orders]
    rows <-
    ");
}

#[tokio::test]
async fn joins_match_rows_by_their_keys() {
    let sql = "SELECT o.price, c.name FROM orders o LEFT JOIN customers c ON c.id = o.customer AND o.day > 3";
    assert_snapshot!(both(sql).await, @r"
    price <- orders.price IDENTITY;
    name <- customers.name IDENTITY;
    rows <- customers.id JOIN; orders.customer JOIN; orders.day JOIN; [customers, orders]
    ");
    let sql = "SELECT customer, region FROM orders JOIN customers USING (id)";
    assert_snapshot!(both(sql).await, @r"
    customer <- orders.customer IDENTITY;
    region <- customers.region IDENTITY;
    rows <- customers.id JOIN; orders.id JOIN; [customers, orders]
    ");
    let sql = "SELECT id, name, price FROM orders NATURAL FULL JOIN customers";
    assert_snapshot!(planned(sql).await, @r"
    id <- orders.id IDENTITY;
    name <- customers.name IDENTITY;
    price <- orders.price IDENTITY;
    rows <- customers.id JOIN; orders.id JOIN; [customers, orders]
    ");
}

#[tokio::test]
async fn common_table_expressions_are_followed_wherever_they_are_used() {
    let sql = "WITH a AS (SELECT id, price + day AS x FROM orders), b AS (SELECT x AS y, id FROM a WHERE id > 1) \
               SELECT a.x, b.y FROM a JOIN b ON a.id = b.id";
    assert_snapshot!(both(sql).await, @r"
    x <- orders.day TRANSFORMATION; orders.price TRANSFORMATION;
    y <- orders.day TRANSFORMATION; orders.price TRANSFORMATION;
    rows <- orders.id FILTER+JOIN; [orders]
    ");
}

#[tokio::test]
async fn a_recursive_query_depends_on_what_every_round_adds() {
    let sql = "WITH RECURSIVE reach(node, depth, via) AS ( \
                   SELECT src, 0, 0 AS z FROM edges WHERE src = 1 \
                   UNION ALL \
                   SELECT e.dst, r.depth + 1, r.node FROM reach r JOIN edges e ON e.src = r.node WHERE r.depth < 4) \
               SELECT node, depth, via FROM reach";
    assert_snapshot!(planned(sql).await, @r"
    node <- edges.dst IDENTITY; edges.src IDENTITY;
    depth <-
    via <- edges.dst IDENTITY; edges.src IDENTITY;
    rows <- edges.dst JOIN; edges.src FILTER+JOIN; [edges]
    ");
    assert_snapshot!(optimized(sql).await, @r"
    node <- edges.dst IDENTITY; edges.src IDENTITY;
    depth <-
    via <- edges.dst IDENTITY; edges.src IDENTITY;
    rows <- edges.dst JOIN; edges.src FILTER+JOIN; [edges]
    ");
    let sql = "WITH RECURSIVE w(a, b) AS ( \
                   SELECT src, dst FROM edges UNION \
                   SELECT b, a FROM w WHERE a < (SELECT max(price) FROM orders)) \
               SELECT a FROM w";
    assert_snapshot!(planned(sql).await, @r"
    a <- edges.dst IDENTITY; edges.src IDENTITY;
    rows <- edges.dst FILTER+GROUP_BY; edges.src FILTER+GROUP_BY; orders.price FILTER; [edges, orders]
    ");
}

#[tokio::test]
async fn a_recursive_query_that_turns_its_columns_round_needs_more_than_one_pass() {
    let sql = "WITH RECURSIVE w(a, b, c, d) AS ( \
                   SELECT id, customer, price, day FROM orders UNION ALL \
                   SELECT b, c, d, 0 FROM w WHERE a < 9) \
               SELECT a FROM w";
    assert_snapshot!(planned(sql).await, @r"
    a <- orders.customer IDENTITY; orders.day IDENTITY; orders.id IDENTITY; orders.price IDENTITY;
    rows <- orders.customer FILTER; orders.day FILTER; orders.id FILTER; orders.price FILTER; [orders]
    ");
}

#[tokio::test]
async fn unions_go_by_position() {
    let sql = "SELECT id AS x, note AS y FROM orders WHERE day = 1 UNION ALL SELECT id, name FROM customers";
    assert_snapshot!(both(sql).await, @r"
    x <- customers.id IDENTITY; orders.id IDENTITY;
    y <- customers.name IDENTITY; orders.note IDENTITY;
    rows <- orders.day FILTER; [customers, orders]
    ");
    let sql = "SELECT id FROM orders UNION SELECT src FROM edges";
    assert_snapshot!(both(sql).await, @r"
    id <- edges.src IDENTITY; orders.id IDENTITY;
    rows <- edges.src GROUP_BY; orders.id GROUP_BY; [edges, orders]
    ");
}

#[tokio::test]
async fn rows_of_other_inputs_decide_about_set_operations() {
    let sql = "SELECT id, customer FROM orders INTERSECT SELECT src, dst FROM edges";
    assert_snapshot!(planned(sql).await, @r"
    id <- orders.id IDENTITY;
    customer <- orders.customer IDENTITY;
    rows <- edges.dst JOIN; edges.src JOIN; orders.customer JOIN+GROUP_BY; orders.id JOIN+GROUP_BY; [edges, orders]
    ");
    assert_snapshot!(optimized(sql).await, @r"
    id <- orders.id IDENTITY;
    customer <- orders.customer IDENTITY;
    rows <- edges.dst JOIN; edges.src JOIN; orders.customer JOIN+GROUP_BY; orders.id JOIN+GROUP_BY; [edges, orders]
    ");
    let sql = "SELECT id FROM orders EXCEPT ALL SELECT src FROM edges WHERE dst > 1";
    assert_snapshot!(planned(sql).await, @r"
    id <- orders.id IDENTITY;
    rows <- edges.dst FILTER; edges.src JOIN; orders.id JOIN; [edges, orders]
    ");
}

#[tokio::test]
async fn unnesting_repeats_rows_for_each_item() {
    let sql = "SELECT id, unnest(tags) AS tag FROM nested";
    assert_snapshot!(both(sql).await, @r"
    id <- nested.id IDENTITY;
    tag <- nested.tags TRANSFORMATION;
    rows <- nested.tags JOIN; [nested]
    ");
    let sql = "SELECT n.id, x.tag FROM nested n CROSS JOIN UNNEST(n.tags) AS x(tag)";
    assert_snapshot!(planned(sql).await, @r"
    id <- nested.id IDENTITY;
    tag <- nested.tags TRANSFORMATION;
    rows <- nested.tags JOIN; [nested]
    ");
    let sql = "SELECT unnest(place) FROM nested";
    assert_snapshot!(both(sql).await, @r"
    nested.place.zip <- nested.place TRANSFORMATION;
    nested.place.no <- nested.place TRANSFORMATION;
    rows <- [nested]
    ");
}

#[tokio::test]
async fn fields_and_items_are_parts_of_their_column() {
    let sql = "SELECT place['zip'] AS zip, tags[1] AS first, tags[id] AS nth FROM nested";
    assert_snapshot!(both(sql).await, @r"
    zip <- nested.place TRANSFORMATION;
    first <- nested.tags TRANSFORMATION;
    nth <- nested.id TRANSFORMATION; nested.tags TRANSFORMATION;
    rows <- [nested]
    ");
}

#[tokio::test]
async fn scalar_subqueries_give_values() {
    let sql = "SELECT id, (SELECT max(dst) FROM edges WHERE src = 3) AS m FROM orders";
    assert_snapshot!(planned(sql).await, @r"
    id <- orders.id IDENTITY;
    m <- edges.dst AGGREGATION; edges.src FILTER; [edges]
    rows <- [orders]
    ");
    assert_snapshot!(optimized(sql).await, @r"
    id <- orders.id IDENTITY;
    m <- edges.dst AGGREGATION; edges.src FILTER; [edges]
    rows <- [orders]
    ");
    let sql =
        "SELECT id, (SELECT sum(e.dst) FROM edges e WHERE e.src = o.customer) AS s FROM orders o";
    assert_snapshot!(planned(sql).await, @r"
    id <- orders.id IDENTITY;
    s <- edges.dst AGGREGATION; edges.src FILTER; orders.customer FILTER; [edges]
    rows <- [orders]
    ");
    assert_snapshot!(optimized(sql).await, @r"
    id <- orders.id IDENTITY;
    s <- edges.dst AGGREGATION; [edges]
    rows <- edges.src JOIN+GROUP_BY; orders.customer JOIN; [edges, orders]
    ");
}

#[tokio::test]
async fn subqueries_in_conditions_decide_about_rows() {
    let sql = "SELECT id FROM orders o WHERE EXISTS (SELECT 1 FROM edges e WHERE e.src = o.day AND e.dst > 2)";
    assert_snapshot!(planned(sql).await, @r"
    id <- orders.id IDENTITY;
    rows <- edges.dst FILTER; edges.src FILTER; orders.day FILTER; [edges, orders]
    ");
    assert_snapshot!(optimized(sql).await, @r"
    id <- orders.id IDENTITY;
    rows <- edges.dst FILTER; edges.src JOIN; orders.day JOIN; [edges, orders]
    ");
    let sql = "SELECT id FROM orders WHERE customer IN (SELECT c.id FROM customers c WHERE c.region = 'x')";
    assert_snapshot!(planned(sql).await, @r"
    id <- orders.id IDENTITY;
    rows <- customers.id FILTER; customers.region FILTER; orders.customer FILTER; [customers, orders]
    ");
    assert_snapshot!(optimized(sql).await, @r"
    id <- orders.id IDENTITY;
    rows <- customers.id JOIN; customers.region FILTER; orders.customer JOIN; [customers, orders]
    ");
    let sql = "SELECT id FROM orders WHERE price > ALL (SELECT dst FROM edges)";
    assert_snapshot!(planned(sql).await, @r"
    id <- orders.id IDENTITY;
    rows <- edges.dst FILTER; orders.price FILTER; [edges, orders]
    ");
    assert_snapshot!(optimized(sql).await, @r"
    id <- orders.id IDENTITY;
    rows <- edges.dst FILTER+JOIN; orders.price FILTER+JOIN; [edges, orders]
    ");
}

#[tokio::test]
async fn marks_of_subqueries_under_or_keep_their_edges() {
    let sql = "SELECT id FROM orders WHERE day = 1 OR customer NOT IN (SELECT src FROM edges)";
    assert_snapshot!(planned(sql).await, @r"
    id <- orders.id IDENTITY;
    rows <- edges.src FILTER; orders.customer FILTER; orders.day FILTER; [edges, orders]
    ");
    assert_snapshot!(optimized(sql).await, @r"
    id <- orders.id IDENTITY;
    rows <- edges.src FILTER; orders.customer FILTER; orders.day FILTER; [edges, orders]
    ");
    let sql = "SELECT id, customer IN (SELECT src FROM edges WHERE dst = 1) AS known FROM orders";
    assert_snapshot!(planned(sql).await, @r"
    id <- orders.id IDENTITY;
    known <- edges.dst FILTER; edges.src JOIN; orders.customer JOIN; [edges]
    rows <- [orders]
    ");
}

#[tokio::test]
async fn references_to_queries_further_out_are_followed() {
    let sql = "SELECT id FROM orders o WHERE EXISTS ( \
                   SELECT 1 FROM edges e WHERE e.src > ( \
                       SELECT count(*) FROM customers c WHERE c.id = o.day AND c.name = 'x'))";
    assert_snapshot!(planned(sql).await, @r"
    id <- orders.id IDENTITY;
    rows <- customers.id FILTER; customers.name FILTER; edges.src FILTER; orders.day FILTER; [customers, edges, orders]
    ");
}

#[tokio::test]
async fn windows_look_at_partitions_in_an_order() {
    let sql = "SELECT id, row_number() OVER (PARTITION BY customer ORDER BY day) AS n, \
               sum(price) FILTER (WHERE note = 'x') OVER (ORDER BY id ROWS 2 PRECEDING) AS s, \
               lag(price) OVER (ORDER BY day) AS before FROM orders";
    assert_snapshot!(both(sql).await, @r"
    id <- orders.id IDENTITY;
    n <- orders.customer WINDOW; orders.day WINDOW; [orders]
    s <- orders.id WINDOW; orders.note FILTER; orders.price AGGREGATION; [orders]
    before <- orders.day WINDOW; orders.price TRANSFORMATION; [orders]
    rows <- [orders]
    ");
    let sql = "SELECT id FROM orders QUALIFY rank() OVER (PARTITION BY customer ORDER BY day) = 1";
    assert_snapshot!(both(sql).await, @r"
    id <- orders.id IDENTITY;
    rows <- orders.customer FILTER; orders.day FILTER; [orders]
    ");
}

#[tokio::test]
async fn lateral_joins_see_their_left_side() {
    let sql = "SELECT o.id, l.m FROM orders o, LATERAL (SELECT max(e.dst) AS m FROM edges e WHERE e.src = o.customer) l";
    assert_snapshot!(planned(sql).await, @r"
    id <- orders.id IDENTITY;
    m <- edges.dst AGGREGATION; edges.src FILTER; orders.customer FILTER; [edges]
    rows <- [orders]
    ");
    assert_snapshot!(optimized(sql).await, @r"
    id <- orders.id IDENTITY;
    m <- edges.dst AGGREGATION; [edges]
    rows <- edges.src JOIN+GROUP_BY; orders.customer JOIN; [edges, orders]
    ");
}

#[tokio::test]
async fn literal_tables_come_from_nowhere() {
    let sql =
        "SELECT v.a, o.id FROM (VALUES (1, 'x'), (2, 'y')) AS v(a, b) JOIN orders o ON o.id = v.a";
    assert_snapshot!(both(sql).await, @r"
    a <-
    id <- orders.id IDENTITY;
    rows <- orders.id JOIN; [orders]
    ");
    assert_snapshot!(both("SELECT 1 AS one").await, @r"
    one <-
    rows <-
    ");
}

#[tokio::test]
async fn the_first_of_each_is_chosen_by_keys_and_order() {
    let sql =
        "SELECT DISTINCT ON (customer) customer, note FROM orders ORDER BY customer, day DESC";
    assert_snapshot!(planned(sql).await, @r"
    customer <- orders.customer IDENTITY;
    note <- orders.note IDENTITY;
    rows <- orders.customer GROUP_BY+SORT; orders.day SORT; [orders]
    ");
    assert_snapshot!(optimized(sql).await, @r"
    customer <- orders.customer AGGREGATION+SORT; orders.day SORT; [orders]
    note <- orders.customer SORT; orders.day SORT; orders.note AGGREGATION; [orders]
    rows <- orders.customer GROUP_BY+SORT; [orders]
    ");
    let sql = "SELECT DISTINCT customer, day FROM orders";
    assert_snapshot!(both(sql).await, @r"
    customer <- orders.customer IDENTITY;
    day <- orders.day IDENTITY;
    rows <- orders.customer GROUP_BY; orders.day GROUP_BY; [orders]
    ");
}

#[tokio::test]
async fn grouping_sets_have_all_their_keys() {
    let sql = "SELECT customer, day, sum(price) AS s, grouping(day) AS g FROM orders \
               GROUP BY GROUPING SETS ((customer, day), (customer), ())";
    assert_snapshot!(planned(sql).await, @r"
    customer <- orders.customer IDENTITY;
    day <- orders.day IDENTITY;
    s <- orders.price AGGREGATION; [orders]
    g <- orders.day AGGREGATION; [orders]
    rows <- orders.customer GROUP_BY; orders.day GROUP_BY; [orders]
    ");
    assert_snapshot!(optimized(sql).await, @r"
    customer <- orders.customer IDENTITY;
    day <- orders.day IDENTITY;
    s <- orders.price AGGREGATION; [orders]
    g <-
    rows <- orders.customer GROUP_BY; orders.day GROUP_BY; [orders]
    ");
    let sql = "SELECT customer, count(*) AS n FROM orders GROUP BY ROLLUP (customer, day)";
    assert_snapshot!(planned(sql).await, @r"
    customer <- orders.customer IDENTITY;
    n <- [orders]
    rows <- orders.customer GROUP_BY; orders.day GROUP_BY; [orders]
    ");
}

#[tokio::test]
async fn a_limit_takes_rows_by_the_order() {
    let sql = "SELECT id FROM orders ORDER BY day, price LIMIT 3";
    assert_snapshot!(both(sql).await, @r"
    id <- orders.id IDENTITY;
    rows <- orders.day SORT; orders.price SORT; [orders]
    ");
}

#[tokio::test]
async fn each_edge_names_the_node_that_made_it() {
    let sql = "SELECT c.region, sum(o.price + 1) AS s FROM orders o JOIN customers c ON c.id = o.customer \
               WHERE o.day > 3 GROUP BY c.region ORDER BY s";
    let plan = session().state().create_logical_plan(sql).await.unwrap();
    assert_snapshot!(with_nodes(&plan), @r"
    region <- customers.region IDENTITY by TableScan: customers
    region <- customers.id JOIN by Join: Inner, c.id = o.customer
    region <- customers.id SORT by Sort: s
    region <- customers.region GROUP_BY by Aggregate: by c.region
    region <- orders.customer JOIN by Join: Inner, c.id = o.customer
    region <- orders.customer SORT by Sort: s
    region <- orders.day FILTER by Filter: o.day > Int64(3)
    region <- orders.day SORT by Sort: s
    region <- orders.price SORT by Sort: s
    s <- customers.id JOIN by Join: Inner, c.id = o.customer
    s <- orders.customer JOIN by Join: Inner, c.id = o.customer
    s <- orders.day FILTER by Filter: o.day > Int64(3)
    s <- orders.price AGGREGATION by Aggregate: by c.region
    s <- customers.id JOIN by Join: Inner, c.id = o.customer
    s <- customers.id SORT by Sort: s
    s <- customers.region GROUP_BY by Aggregate: by c.region
    s <- orders.customer JOIN by Join: Inner, c.id = o.customer
    s <- orders.customer SORT by Sort: s
    s <- orders.day FILTER by Filter: o.day > Int64(3)
    s <- orders.day SORT by Sort: s
    s <- orders.price SORT by Sort: s
    ");
}

#[tokio::test]
async fn a_view_whose_plan_is_known_is_looked_through() {
    let state = session().state();
    let definition =
        state.create_logical_plan("SELECT customer + 1 AS c, id FROM orders WHERE day > 1");
    let view = Arc::new(ViewTable::new(definition.await.unwrap(), None));
    let scan = TableScanBuilder::new("v", provider_as_source(view))
        .with_projection(Some(vec![0]))
        .with_filters(vec![col("v.id").gt(lit(1_i64))]);
    let plan = LogicalPlan::TableScan(scan.build().unwrap());
    assert_snapshot!(render(&column_lineage(&plan)), @r"
    c <- orders.customer TRANSFORMATION;
    rows <- orders.day FILTER; orders.id FILTER; [orders]
    ");
}

#[tokio::test]
async fn a_filter_in_a_scan_may_name_columns_that_the_scan_does_not_yield() {
    let orders = session().table_provider("orders").await.unwrap();
    let scan = TableScanBuilder::new("orders", provider_as_source(orders))
        .with_projection(Some(vec![2]))
        .with_filters(vec![col("orders.day").gt(col("orders.id"))]);
    let plan = LogicalPlan::TableScan(scan.build().unwrap());
    assert_snapshot!(render(&column_lineage(&plan)), @r"
    price <- orders.price IDENTITY;
    rows <- orders.day FILTER; orders.id FILTER; [orders]
    ");
}

#[tokio::test]
async fn what_cannot_be_seen_through_depends_on_everything() {
    let state = session().state();
    let input = state.create_logical_plan("SELECT id, price FROM orders WHERE day = 1");
    let inner = state.create_logical_plan("SELECT src FROM edges WHERE dst = 1");
    let node = Arc::new(Custom {
        input: input.await.unwrap(),
        expr: exists(Arc::new(inner.await.unwrap())),
    });
    let plan = LogicalPlan::Extension(Extension { node });
    let plan = LogicalPlanBuilder::from(plan)
        .project(vec![col("id")])
        .unwrap();
    assert_snapshot!(render(&column_lineage(&plan.build().unwrap())), @r"
    id <- edges.dst FILTER; orders.day FILTER; orders.id TRANSFORMATION; orders.price TRANSFORMATION; [edges, orders]
    rows <- edges.dst FILTER; orders.day FILTER; orders.id FILTER; orders.price FILTER; [edges, orders]
    opaque: extension node `Custom`
    ");
}

#[tokio::test]
async fn table_functions_and_statements_are_findings() {
    let sql = "SELECT g.value, o.id FROM generate_series(1, 3) g JOIN orders o ON o.id = g.value";
    assert_snapshot!(planned(sql).await, @r"
    value <- generate_series().value IDENTITY;
    id <- orders.id IDENTITY;
    rows <- generate_series().value JOIN; orders.id JOIN; [generate_series(), orders]
    opaque: table function `generate_series`
    ");
    assert_snapshot!(planned("INSERT INTO edges SELECT id, day FROM orders").await, @r"
    count <- orders.day TRANSFORMATION; orders.id TRANSFORMATION; [orders]
    rows <- orders.day FILTER; orders.id FILTER; [orders]
    opaque: Dml, which tells about its run
    ");
    assert_snapshot!(planned("EXECUTE prepared(1)").await, @r"
    rows <-
    opaque: prepared statement `prepared`
    ");
    assert_snapshot!(planned("EXPLAIN SELECT id FROM orders").await, @r"
    plan_type <-
    plan <-
    rows <-
    ");
    assert_snapshot!(planned("CREATE TABLE x AS SELECT id FROM orders").await, @r"
    id <- orders.id IDENTITY;
    rows <- [orders]
    ");
}

#[test]
fn a_column_that_is_not_there_is_a_finding_and_not_silence() {
    let schema =
        datafusion::arrow::datatypes::Schema::new(vec![datafusion::arrow::datatypes::Field::new(
            "a",
            datafusion::arrow::datatypes::DataType::Int64,
            true,
        )]);
    let scan = datafusion_expr::logical_plan::table_scan(Some("t"), &schema, None).unwrap();
    let scan = scan.build().unwrap();
    let filter = Expr::Column(Column::from_name("gone")).gt(lit(1_i64));
    let filter = datafusion_expr::Filter::new(filter, Arc::new(scan));
    let lineage = column_lineage(&LogicalPlan::Filter(filter));
    assert_eq!(lineage.findings[0].kind, FindingKind::UnknownColumn);
    assert_eq!(lineage.rows.edges[0].source.to_string(), "t.a");
}

/// A node that the crate does not know.
#[derive(Debug, PartialEq, Eq, Hash, PartialOrd)]
struct Custom {
    input: LogicalPlan,
    expr: Expr,
}

impl UserDefinedLogicalNodeCore for Custom {
    fn name(&self) -> &str {
        "Custom"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        self.input.schema()
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![self.expr.clone()]
    }

    fn fmt_for_explain(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Custom")
    }

    fn with_exprs_and_inputs(
        &self,
        mut exprs: Vec<Expr>,
        mut inputs: Vec<LogicalPlan>,
    ) -> datafusion_common::Result<Self> {
        match (exprs.pop(), inputs.pop()) {
            (Some(expr), Some(input)) => Ok(Self { input, expr }),
            _ => datafusion_common::internal_err!("an expression and an input"),
        }
    }
}

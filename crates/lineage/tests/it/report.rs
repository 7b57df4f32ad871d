//! SQL in, report out.

use std::fmt::Write;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::{MemTable, ViewTable, provider_as_source};
use datafusion::prelude::SessionContext;
use datafusion_expr::logical_plan::{Extension, LogicalTableSource, Union, table_scan};
use datafusion_expr::{
    LogicalPlanBuilder, TableScanBuilder, UserDefinedLogicalNodeCore, col, exists, lit,
};
use insta::assert_snapshot;

use codeanatomy_lineage::{LineageReport, ScanLineage, referenced_tables};
use datafusion_expr::{Expr, LogicalPlan};
use std::collections::{BTreeMap, BTreeSet};

/// A session with empty tables and a view.
async fn session() -> SessionContext {
    let ctx = SessionContext::new();
    for (name, columns) in [
        ("orders", ["id", "customer", "price", "day"].as_slice()),
        ("customers", &["id", "name", "region"]),
        ("edges", &["src", "dst"]),
        ("t", &["n"]),
    ] {
        let fields = columns.iter().map(|column| match *column {
            "name" | "region" => Field::new(*column, DataType::Utf8, true),
            _ => Field::new(*column, DataType::Int64, true),
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let table = MemTable::try_new(schema, vec![vec![]]).unwrap();
        ctx.register_table(name, Arc::new(table)).unwrap();
    }
    ctx.sql("CREATE VIEW dear AS SELECT id, customer FROM orders WHERE price > 100")
        .await
        .unwrap();
    ctx
}

async fn plan(sql: &str) -> LogicalPlan {
    let ctx = session().await;
    ctx.state().create_logical_plan(sql).await.unwrap()
}

/// The report of a query as the SQL planner leaves it.
async fn unoptimized(sql: &str) -> String {
    let plan = plan(sql).await;
    render(&plan)
}

/// The report of a query after the optimizer.
async fn optimized(sql: &str) -> String {
    let before = plan(sql).await;
    let after = session().await.state().optimize(&before).unwrap();
    assert_eq!(referenced_tables(&before), referenced_tables(&after));
    render(&after)
}

fn render(plan: &LogicalPlan) -> String {
    let report = LineageReport::of(plan);
    let mut text = String::new();
    for scan in &report.scans {
        let ScanLineage {
            table,
            columns,
            filters,
        } = scan;
        write!(text, "scan {table}({})", columns.join(", ")).unwrap();
        match filters.as_slice() {
            [] => writeln!(text).unwrap(),
            filters => writeln!(text, " where {}", filters.join(" and ")).unwrap(),
        }
    }
    for join in &report.joins {
        let keys = join
            .keys
            .iter()
            .map(|(left, right)| format!("{left} = {right}"));
        let keys = keys.collect::<Vec<_>>().join(", ");
        writeln!(text, "join {} [{keys}]", join.join_type).unwrap();
    }
    for (dataset, columns) in &report.required_columns_by_dataset {
        let columns = columns.iter().cloned().collect::<Vec<_>>().join(", ");
        writeln!(text, "requires {dataset}({columns})").unwrap();
    }
    for (word, names) in [
        ("function", &report.required_udfs),
        ("table function", &report.table_functions),
    ] {
        for name in names {
            writeln!(text, "{word} {name}").unwrap();
        }
    }
    for finding in &report.opaque {
        writeln!(text, "opaque {finding}").unwrap();
    }
    let tables: BTreeSet<String> = report.scans.into_iter().map(|scan| scan.table).collect();
    assert_eq!(tables, referenced_tables(plan));
    text
}

#[tokio::test]
async fn an_optimized_plan_says_which_columns_it_needs() {
    let sql = "SELECT customer, price FROM orders WHERE day > 5";
    assert_snapshot!(optimized(sql).await, @r"
    scan orders(customer, price, day)
    requires orders(customer, day, price)
    ");
}

#[tokio::test]
async fn an_unoptimized_plan_requires_all_columns() {
    let sql = "SELECT customer FROM orders WHERE day > 5";
    assert_snapshot!(unoptimized(sql).await, @r"
    scan orders(id, customer, price, day)
    requires orders(customer, day, id, price)
    ");
}

#[tokio::test]
async fn counting_rows_requires_a_table_and_none_of_its_columns() {
    assert_snapshot!(optimized("SELECT count(*) FROM orders").await, @r"
    scan orders()
    requires orders()
    function count
    ");
}

#[tokio::test]
async fn join_keys_are_found_in_the_condition_before_the_optimizer_finds_them() {
    let sql = "SELECT o.id, c.name FROM orders o LEFT JOIN customers c \
               ON c.id = o.customer AND o.price > c.id AND o.day = 7";
    assert_snapshot!(unoptimized(sql).await, @r"
    scan orders(id, customer, price, day)
    scan customers(id, name, region)
    join Left [o.customer = c.id]
    requires customers(id, name, region)
    requires orders(customer, day, id, price)
    ");
    assert_snapshot!(optimized(sql).await, @r"
    scan orders(id, customer, price, day)
    scan customers(id, name)
    join Left [o.customer = c.id]
    requires customers(id, name)
    requires orders(customer, day, id, price)
    ");
}

#[tokio::test]
async fn functions_of_every_kind_are_required() {
    let sql = "SELECT upper(c.region), sum(abs(o.price)) FILTER (WHERE o.day > length(c.name)), \
                      rank() OVER (ORDER BY max(o.day)) \
               FROM orders o JOIN customers c ON o.customer = c.id GROUP BY c.region \
               ORDER BY coalesce(c.region, 'x') LIMIT 3";
    let report = LineageReport::of(&plan(sql).await);
    let functions: Vec<&str> = report.required_udfs.iter().map(String::as_str).collect();
    assert_snapshot!(functions.join(" "), @"abs character_length coalesce max rank sum upper");
}

#[tokio::test]
async fn each_expression_is_reported_for_what_it_is_used() {
    let sql = "SELECT upper(c.region) AS r, sum(o.price) AS s FROM orders o JOIN customers c ON o.customer = c.id \
               WHERE o.day > 3 AND EXISTS (SELECT 1 FROM edges e WHERE e.src = o.id) \
               GROUP BY upper(c.region) ORDER BY s LIMIT 2";
    let render = |plan: &LogicalPlan| {
        let exprs = LineageReport::of(plan).exprs.into_iter();
        let lines = exprs.map(|expr| {
            let names = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>().join(", ");
            let (columns, udfs) = (names(expr.columns), names(expr.udfs));
            format!("{}: {columns} [{udfs}]", expr.kind.as_str())
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let before = plan(sql).await;
    assert_snapshot!(render(&before), @r"
    sort: s []
    projection: upper(c.region) []
    projection: sum(o.price) []
    group_by: c.region [upper]
    aggregate: o.price [sum]
    filter: o.day []
    filter: e.src, o.id []
    join_filter: c.id, o.customer []
    ");
    let after = session().await.state().optimize(&before).unwrap();
    assert_snapshot!(render(&after), @r"
    sort: s []
    projection: upper(c.region) []
    projection: sum(o.price) []
    group_by: c.region [upper]
    aggregate: o.price [sum]
    projection: o.price []
    projection: c.region []
    join_key: o.id []
    join_key: __correlated_sq_1.src []
    projection: o.id []
    join_key: o.customer []
    join_key: c.id []
    projection: orders.id []
    projection: orders.customer []
    projection: orders.price []
    filter: orders.day []
    ");
}

#[tokio::test]
async fn rewrite_tags_are_those_of_the_functions_that_are_called() {
    let tags = |tags: &[&str]| {
        tags.iter()
            .map(|tag| (*tag).to_owned())
            .collect::<BTreeSet<_>>()
    };
    let known = BTreeMap::from([
        ("upper".to_owned(), tags(&["case", "text"])),
        ("sum".to_owned(), tags(&["text"])),
        ("lower".to_owned(), tags(&["other"])),
    ]);
    let plan = plan("SELECT sum(id), upper(max(region)) FROM customers").await;
    let report = LineageReport::of(&plan).with_rewrite_tags(&known);
    assert_eq!(report.required_rewrite_tags, tags(&["case", "text"]));
}

#[tokio::test]
async fn functions_inside_lambdas_are_required() {
    let ctx = session().await;
    ctx.sql("SET datafusion.sql_parser.dialect = 'databricks'")
        .await
        .unwrap();
    let sql = "SELECT array_transform(make_array(region), r -> lower(r)) FROM customers";
    let plan = ctx.state().create_logical_plan(sql).await.unwrap();
    assert_snapshot!(render(&plan), @r"
    scan customers(id, name, region)
    requires customers(id, name, region)
    function array_transform
    function lower
    function make_array
    ");
}

#[tokio::test]
async fn plans_in_subqueries_of_every_kind_count() {
    let sql = "SELECT CASE WHEN EXISTS (SELECT 1 FROM edges e WHERE e.src = o.id) THEN \
                      (SELECT max(n) FROM t WHERE n IN (SELECT dst FROM edges)) END \
               FROM orders o WHERE o.customer IN (SELECT id FROM customers) \
               ORDER BY o.id";
    assert_snapshot!(unoptimized(sql).await, @r"
    scan edges(src, dst)
    scan t(n)
    scan customers(id, name, region)
    scan orders(id, customer, price, day)
    requires customers(id, name, region)
    requires edges(dst, src)
    requires orders(customer, day, id, price)
    requires t(n)
    function max
    ");
    let sql = "SELECT id FROM orders WHERE price > ALL (SELECT n FROM t)";
    assert_snapshot!(optimized(sql).await, @r"
    scan orders(id, price)
    scan t(n)
    join LeftMark []
    join LeftAnti []
    requires orders(id, price)
    requires t(n)
    ");
    let sql = "SELECT id FROM orders WHERE customer NOT IN (SELECT id FROM customers)";
    assert_snapshot!(optimized(sql).await, @r"
    scan orders(id, customer)
    scan customers(id)
    join LeftAnti [orders.customer = __correlated_sq_1.id]
    requires customers(id)
    requires orders(customer, id)
    ");
}

#[tokio::test]
async fn a_recursive_query_does_not_read_itself() {
    let sql = "WITH RECURSIVE reach(node, depth) AS ( \
                   SELECT src, 0 FROM edges WHERE src = 1 \
                   UNION ALL \
                   SELECT e.dst, r.depth + 1 FROM reach r JOIN edges e ON e.src = r.node \
                   WHERE r.depth < (SELECT max(n) FROM t)) \
               SELECT node FROM reach";
    assert_snapshot!(unoptimized(sql).await, @r"
    scan edges(src, dst)
    scan t(n)
    join Inner [r.node = e.src]
    requires edges(dst, src)
    requires t(n)
    function max
    ");
    assert_snapshot!(optimized(sql).await, @r"
    scan edges(src)
    scan t(n)
    scan edges(src, dst)
    join Inner [r.node = e.src]
    requires edges(dst, src)
    requires t(n)
    function max
    ");
}

#[tokio::test]
async fn a_table_named_like_the_recursive_query_is_still_a_table_where_sql_says_so() {
    let sql = "WITH RECURSIVE t(n) AS ( \
                   SELECT n FROM public.t UNION ALL SELECT t.n + 1 FROM t WHERE t.n < 3) \
               SELECT n FROM t";
    let referenced = referenced_tables(&plan(sql).await);
    assert_eq!(referenced, BTreeSet::from(["public.t".to_owned()]));

    let sql = "WITH RECURSIVE t(n) AS ( \
                   SELECT 1 UNION ALL SELECT t.n + 1 FROM t WHERE t.n < 3) \
               SELECT n FROM t";
    assert!(referenced_tables(&plan(sql).await).is_empty());

    let sql = "WITH RECURSIVE t(n) AS ( \
                   SELECT 1 UNION ALL SELECT t.n + p.n FROM t JOIN public.t p ON p.n = t.n) \
               SELECT n FROM t";
    let referenced = referenced_tables(&plan(sql).await);
    assert_eq!(referenced, BTreeSet::from(["public.t".to_owned()]));
}

#[tokio::test]
async fn recursive_queries_in_recursive_queries_do_not_read_each_other() {
    let sql = "WITH RECURSIVE a(n) AS ( \
                   SELECT 1 UNION ALL \
                   SELECT n FROM (WITH RECURSIVE b(n) AS ( \
                       SELECT n FROM a UNION ALL SELECT b.n + a.n FROM a, b WHERE b.n < 3) \
                   SELECT n FROM b) WHERE n < 9) \
               SELECT n FROM a, customers";
    let referenced = referenced_tables(&plan(sql).await);
    assert_eq!(referenced, BTreeSet::from(["customers".to_owned()]));
}

#[tokio::test]
async fn a_view_is_looked_through_whether_or_not_its_plan_is_in_place() {
    assert_snapshot!(optimized("SELECT id FROM dear").await, @r"
    scan orders(id, price)
    requires orders(id, price)
    ");

    let definition = plan("SELECT customer FROM orders").await;
    let view = provider_as_source(Arc::new(ViewTable::new(definition, None)));
    let scan = TableScanBuilder::new("v", view).with_filters(vec![col("customer").gt(lit(1))]);
    let scan = LogicalPlan::TableScan(scan.build().unwrap());
    assert_snapshot!(render(&scan), @r"
    scan orders(id, customer, price, day)
    requires orders(customer, day, id, price)
    ");
}

#[tokio::test]
async fn a_table_function_is_no_table() {
    assert_snapshot!(unoptimized("SELECT value FROM generate_series(1, 3), orders").await, @r"
    scan orders(id, customer, price, day)
    join Inner []
    requires orders(customer, day, id, price)
    table function generate_series
    ");
}

#[tokio::test]
async fn set_operations_distinct_values_and_unnest_are_passed() {
    let sql = "SELECT DISTINCT ON (id) id FROM orders UNION SELECT src FROM edges \
               INTERSECT SELECT unnest([id, 2]) FROM customers EXCEPT VALUES (abs(-1))";
    assert_snapshot!(unoptimized(sql).await, @r"
    scan orders(id, customer, price, day)
    scan edges(src, dst)
    scan customers(id, name, region)
    join LeftAnti [id = column1]
    join LeftSemi [edges.src = UNNEST(make_array(customers.id,Int64(2)))]
    requires customers(id, name, region)
    requires edges(dst, src)
    requires orders(customer, day, id, price)
    function abs
    function make_array
    ");
}

#[tokio::test]
async fn statements_are_reported_for_what_they_read() {
    assert_snapshot!(unoptimized("INSERT INTO t SELECT src FROM edges").await, @r"
    scan edges(src, dst)
    requires edges(dst, src)
    ");
    assert_snapshot!(unoptimized("EXPLAIN SELECT n FROM t").await, @r"
    scan t(n)
    requires t(n)
    ");
    let report = unoptimized("EXECUTE prepared(1)").await;
    assert_snapshot!(report, @"opaque prepared statement `prepared`");
}

#[test]
fn a_column_that_only_a_pushed_filter_looks_at_is_required() {
    let schema = Schema::new(vec![
        Field::new("b", DataType::Int64, true),
        Field::new("a", DataType::Int64, true),
        Field::new("c", DataType::Int64, true),
    ]);
    let filters = vec![col("c").gt(lit(1)), col("a").is_not_null()];
    let source = Arc::new(LogicalTableSource::new(Arc::new(schema)));
    let projection = Some(vec![1, 0]);
    let plan = LogicalPlanBuilder::scan_with_filters("lake.sales.x", source, projection, filters);
    assert_snapshot!(render(&plan.unwrap().build().unwrap()), @r"
    scan lake.sales.x(b, a) where c > Int32(1) and a IS NOT NULL
    requires lake.sales.x(a, b, c)
    ");
}

#[test]
fn an_extension_node_is_opaque_and_its_parts_are_passed() {
    let input = scan_of("inner_table");
    let subquery = exists(Arc::new(scan_of("in_subquery")));
    let node = Arc::new(Custom {
        input,
        expr: subquery,
    });
    assert_snapshot!(render(&LogicalPlan::Extension(Extension { node })), @r"
    scan inner_table(n)
    scan in_subquery(n)
    requires in_subquery(n)
    requires inner_table(n)
    opaque extension node `Custom`
    ");
}

#[test]
fn two_thousand_levels_fit_the_stack_of_a_worker() {
    const LEVELS: usize = 2_000;
    let build = || {
        let any = |expr: Expr, number: usize| expr.or(col("n").eq(lit(number as i64)));
        let chain = (0..LEVELS).fold(col("n").lt(lit(0_i64)), any);
        let mut plan = scan_of("deep");
        for level in 0..LEVELS {
            // Every kind of nesting in turn: inputs, subqueries, and deep expressions with them.
            let builder = LogicalPlanBuilder::from(plan);
            plan = match level % 4 {
                0 => builder.alias("n1").unwrap().build().unwrap(),
                1 => builder.limit(0, Some(1)).unwrap().build().unwrap(),
                2 => builder.filter(lit(true)).unwrap().build().unwrap(),
                _ => {
                    let inner = Arc::new(builder.build().unwrap());
                    let outer = LogicalPlanBuilder::from(scan_of("outer"));
                    outer.filter(exists(inner)).unwrap().build().unwrap()
                }
            };
        }
        LogicalPlanBuilder::from(plan)
            .filter(chain)
            .unwrap()
            .build()
            .unwrap()
    };
    // Making and dropping such a plan is the engine's business, and recursive.
    let plan = on_stack(256 << 20, move || Arc::new(build()));
    let shared = Arc::clone(&plan);
    let report = on_stack(2 << 20, move || LineageReport::of(&shared));
    let tables: Vec<&String> = report.required_columns_by_dataset.keys().collect();
    assert_eq!(tables, ["deep", "outer"]);
    on_stack(256 << 20, move || drop(plan));
}

#[test]
fn a_plan_that_shares_its_parts_is_passed_once() {
    let mut plan = scan_of("shared");
    for _ in 0..64 {
        let schema = Arc::clone(plan.schema());
        let part = Arc::new(plan);
        let inputs = vec![Arc::clone(&part), part];
        plan = LogicalPlan::Union(Union { inputs, schema });
    }
    assert_eq!(LineageReport::of(&plan).scans.len(), 1);
}

fn on_stack<T: Send + 'static>(bytes: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(bytes);
    thread.spawn(work).unwrap().join().unwrap()
}

fn scan_of(table: &str) -> LogicalPlan {
    let schema = Schema::new(vec![Field::new("n", DataType::Int64, true)]);
    table_scan(Some(table), &schema, None)
        .unwrap()
        .build()
        .unwrap()
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

    fn schema(&self) -> &datafusion_common::DFSchemaRef {
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

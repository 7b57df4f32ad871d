//! How long a user waits for column lineage.

#![expect(
    clippy::expect_used,
    reason = "a bench that cannot run has nothing to say"
)]

use std::path::Path;
use std::sync::Arc;

use codeanatomy_lineage::{ColumnLineage, LineageGraph, LineageReport, column_lineage};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;
use datafusion_expr::logical_plan::table_scan;
use datafusion_expr::{JoinType, LogicalPlan, col};

/// Counts what is allocated: divan shows it under each bench.
#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

/// All columns of the 22 TPC-H queries and of the views that they read.
#[divan::bench(args = ["planned", "optimized"])]
fn tpch(bencher: divan::Bencher<'_, '_>, form: &str) {
    let plans = tpch_plans(form == "optimized");
    bencher.bench_local(|| plans.iter().map(column_lineage).collect::<Vec<_>>());
}

/// The report on the same plans.
#[divan::bench]
fn tpch_reports(bencher: divan::Bencher<'_, '_>) {
    let plans = tpch_plans(true);
    bencher.bench_local(|| plans.iter().map(LineageReport::of).collect::<Vec<_>>());
}

/// All columns of a thousand views of ten columns in ten layers, and how they come from datasets.
#[divan::bench]
fn thousand_views(bencher: divan::Bencher<'_, '_>) {
    let plans = layers(10, 100);
    bencher.bench_local(|| {
        let lineages = plans
            .iter()
            .map(|(name, plan)| (name.clone(), column_lineage(plan)));
        LineageGraph::compose(lineages.collect::<Vec<(String, ColumnLineage)>>())
    });
}

/// The same for fewer and more views of as many layers: `max alloc` is the memory that it takes, and
/// grows in step with the views. The number of views over it is the memory for one.
#[divan::bench(args = [250, 500, 1_000, 2_000])]
fn memory_of_views(bencher: divan::Bencher<'_, '_>, n_views: usize) {
    let plans = layers(10, n_views / 10);
    bencher
        .counter(divan::counter::ItemsCount::new(n_views))
        .bench_local(|| {
            let lineages = plans
                .iter()
                .map(|(name, plan)| (name.clone(), column_lineage(plan)));
            LineageGraph::compose(lineages.collect::<Vec<(String, ColumnLineage)>>())
        });
}

/// Everything that one column of a dataset can change in them.
#[divan::bench]
fn impact_in_thousand_views(bencher: divan::Bencher<'_, '_>) {
    let lineages = layers(10, 100);
    let lineages = lineages
        .iter()
        .map(|(name, plan)| (name.clone(), column_lineage(plan)));
    let graph = LineageGraph::compose(lineages);
    bencher.bench_local(|| graph.impact("v0_1", Some("v0_1_c0")));
}

const TABLES: [(&str, &str); 8] = [
    ("region", "r_regionkey r_name: r_comment:"),
    ("nation", "n_nationkey n_name: n_regionkey n_comment:"),
    (
        "supplier",
        "s_suppkey s_name: s_address: s_nationkey s_phone: s_acctbal s_comment:",
    ),
    (
        "customer",
        "c_custkey c_name: c_address: c_nationkey c_phone: c_acctbal c_mktsegment: c_comment:",
    ),
    (
        "part",
        "p_partkey p_name: p_mfgr: p_brand: p_type: p_size p_container: p_retailprice p_comment:",
    ),
    (
        "partsupp",
        "ps_partkey ps_suppkey ps_availqty ps_supplycost ps_comment:",
    ),
    (
        "orders",
        "o_orderkey o_custkey o_orderstatus: o_totalprice o_orderdate@ o_orderpriority: o_clerk: \
         o_shippriority o_comment:",
    ),
    (
        "lineitem",
        "l_orderkey l_partkey l_suppkey l_linenumber l_quantity l_extendedprice l_discount l_tax l_returnflag: \
         l_linestatus: l_shipdate@ l_commitdate@ l_receiptdate@ l_shipinstruct: l_shipmode: l_comment:",
    ),
];

/// The plans of the example project, each against the schemas of the views that it reads.
fn tpch_plans(optimized: bool) -> Vec<LogicalPlan> {
    let ctx = SessionContext::new();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    for (name, columns) in TABLES {
        let field = |column: &str| match column.split_at(column.len() - 1) {
            (name, ":") => Field::new(name, DataType::Utf8, false),
            (name, "@") => Field::new(name, DataType::Date32, false),
            _ => Field::new(column, DataType::Int64, false),
        };
        let fields: Vec<Field> = columns.split_whitespace().map(field).collect();
        register(&ctx, name, Schema::new(fields));
    }
    let mut plans = Vec::new();
    for folder in ["staging", "marts", "queries"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../examples/tpch/views")
            .join(folder);
        let entries = std::fs::read_dir(folder).expect("the example is there");
        let mut paths: Vec<_> = entries
            .map(|entry| entry.expect("an entry").path())
            .collect();
        paths.sort();
        for path in paths
            .iter()
            .filter(|path| path.extension().is_some_and(|it| it == "sql"))
        {
            let sql = std::fs::read_to_string(path).expect("a text");
            let state = ctx.state();
            let plan = runtime
                .block_on(state.create_logical_plan(&sql))
                .expect("a plan");
            let name = path
                .file_stem()
                .and_then(|name| name.to_str())
                .expect("a name");
            register(&ctx, name, plan.schema().as_arrow().clone());
            plans.push(if optimized {
                state.optimize(&plan).expect("a plan")
            } else {
                plan
            });
        }
    }
    plans
}

fn register(ctx: &SessionContext, name: &str, schema: Schema) {
    let table = MemTable::try_new(Arc::new(schema), vec![vec![]]).expect("a table");
    ctx.register_table(name, Arc::new(table)).expect("a name");
}

/// Layers of views of ten columns, each of which joins three views of the layer before.
fn layers(layers: usize, width: usize) -> Vec<(String, LogicalPlan)> {
    let scan = |name: &str| {
        let field = |number| Field::new(format!("{name}_c{number}"), DataType::Int64, true);
        let schema = Schema::new((0..10).map(field).collect::<Vec<_>>());
        table_scan(Some(name), &schema, None).expect("a scan")
    };
    let mut views = Vec::new();
    for layer in 0..layers {
        for number in 0..width {
            let [first, second, third] =
                [0, 1, 2].map(|step| format!("v{layer}_{}", (3 * number + step) % width));
            let name = format!("v{}_{number}", layer + 1);
            let mut builder = scan(&first);
            for other in [&second, &third] {
                let key = col(format!("{first}_c0")).eq(col(format!("{other}_c0")));
                let right = scan(other).build().expect("a plan");
                builder = builder
                    .join_on(right, JoinType::Inner, [key])
                    .expect("a join");
            }
            let exprs = (0..10).map(|number| {
                let expr = match number % 3 {
                    0 => col(format!("{first}_c{number}")),
                    1 => col(format!("{first}_c{number}")) + col(format!("{second}_c{number}")),
                    _ => col(format!("{third}_c{number}")),
                };
                expr.alias(format!("{name}_c{number}"))
            });
            let plan = builder
                .project(exprs.collect::<Vec<_>>())
                .and_then(|it| it.build())
                .expect("a plan");
            views.push((name, plan));
        }
    }
    views
}

//! Plans of every size and shape are passed on a small stack, in time that grows with the plan.

use std::sync::Arc;

use codeanatomy_lineage::{ColumnLineage, EdgeKind, LineageReport, column_lineage};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion_common::TableReference;
use datafusion_expr::expr::Exists;
use datafusion_expr::logical_plan::{Filter, Subquery, Union, table_scan};
use datafusion_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Projection, col, exists, lit};

fn scan_of(table: &str) -> LogicalPlan {
    let fields = ["n", "m"].map(|name| Field::new(name, DataType::Int64, true));
    let scan = table_scan(Some(table), &Schema::new(fields.to_vec()), None).unwrap();
    scan.build().unwrap()
}

fn on_stack<T: Send + 'static>(bytes: usize, work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(bytes);
    thread.spawn(work).unwrap().join().unwrap()
}

/// Makes a plan, looks at it on the stack of a worker, and drops it. Making and dropping are the
/// engine's business, and recursive.
fn on_a_small_stack<T: Send + 'static>(
    build: impl FnOnce() -> LogicalPlan + Send + 'static,
    look: impl FnOnce(&LogicalPlan) -> T + Send + 'static,
) -> T {
    let plan = on_stack(1 << 30, move || Arc::new(build()));
    let shared = Arc::clone(&plan);
    let found = on_stack(2 << 20, move || {
        let found = look(&shared);
        (found, shared)
    });
    let (found, shared) = found;
    on_stack(1 << 30, move || drop((shared, plan)));
    found
}

fn sources(lineage: &ColumnLineage, column: usize) -> Vec<(String, EdgeKind)> {
    let edges = lineage.edges(column);
    edges
        .map(|edge| (edge.source.to_string(), edge.kind))
        .collect()
}

#[test]
fn an_expression_of_two_thousand_levels_is_passed() {
    let build = || {
        let any = |expr: Expr, number: i64| expr.or(col("n").eq(lit(number)));
        let chain = (0..2_000).fold(col("m").lt(lit(0_i64)), any);
        let plan = LogicalPlanBuilder::from(scan_of("t"))
            .filter(chain)
            .unwrap();
        plan.build().unwrap()
    };
    let look = |plan: &LogicalPlan| {
        assert_eq!(LineageReport::of(plan).exprs[0].columns.len(), 2);
        sources(&column_lineage(plan), 0)
    };
    let edge = |source: &str, kind| (source.to_owned(), kind);
    let expected = [
        edge("t.n", EdgeKind::Identity),
        edge("t.m", EdgeKind::Filter),
        edge("t.n", EdgeKind::Filter),
    ];
    assert_eq!(on_a_small_stack(build, look), expected);
}

#[test]
fn a_plan_of_ten_thousand_nodes_is_passed() {
    let build = || {
        let mut plan = scan_of("t");
        for number in 0..5_000_i64 {
            let input = Arc::new(plan);
            let filter = Filter::new(col("t.m").not_eq(lit(number)), Arc::clone(&input));
            let schema = Arc::clone(scan_of("t").schema());
            let exprs = vec![
                (col("t.n") + col("t.m")).alias_qualified(Some("t"), "n"),
                col("t.m"),
            ];
            let input = Arc::new(LogicalPlan::Filter(filter));
            let projection = Projection::try_new_with_schema(exprs, input, schema).unwrap();
            plan = LogicalPlan::Projection(projection);
        }
        plan
    };
    let (own, rows, scans) = on_a_small_stack(build, |plan| {
        let lineage = column_lineage(plan);
        let scans = LineageReport::of(plan).scans.len();
        (
            lineage.columns[0].edges.len(),
            lineage.rows.edges.len(),
            scans,
        )
    });
    assert_eq!(scans, 1);
    // The last sum made the value, from both columns; and each filter decides about rows.
    assert_eq!((own, rows), (2, 5_000));
}

#[test]
fn a_plan_that_shares_its_parts_is_passed_once() {
    let mut plan = scan_of("t");
    for _ in 0..64 {
        let schema = Arc::clone(plan.schema());
        let part = Arc::new(plan);
        let inputs = vec![Arc::clone(&part), part];
        plan = LogicalPlan::Union(Union { inputs, schema });
    }
    assert_eq!(
        sources(&column_lineage(&plan), 0),
        [("t.n".to_owned(), EdgeKind::Identity)]
    );
}

#[test]
fn subqueries_that_share_a_plan_pass_it_once() {
    let mut plan = scan_of("t");
    for _ in 0..64 {
        let part = Arc::new(plan);
        let both = exists(Arc::clone(&part)).and(exists(Arc::clone(&part)));
        let filter = Filter::new(both, Arc::new(scan_of("u")));
        let filter = Arc::new(LogicalPlan::Filter(filter));
        let again = exists(part);
        plan = LogicalPlan::Filter(Filter::new(again, filter));
    }
    let lineage = column_lineage(&plan);
    assert_eq!(lineage.rows.tables.len(), 2);
}

#[test]
fn correlated_subqueries_that_share_a_plan_pass_it_once() {
    // Each level has two conditions on the level below, and conditions of its own on its rows.
    let subquery = |plan: &Arc<LogicalPlan>| Subquery {
        subquery: Arc::clone(plan),
        outer_ref_columns: Vec::new(),
        spans: datafusion_common::Spans::new(),
    };
    let within = |plan: &Arc<LogicalPlan>, table: &str| {
        let field = Arc::new(Field::new("n", DataType::Int64, true));
        let column = datafusion_common::Column::new(Some(TableReference::bare(table)), "n");
        let outer = Expr::OuterReferenceColumn(field, column);
        let correlated = Filter::new(col("m").eq(outer), Arc::clone(plan));
        let correlated = Arc::new(LogicalPlan::Filter(correlated));
        Expr::Exists(Exists::new(subquery(&correlated), false))
    };
    let mut plan = Arc::new(scan_of("t"));
    for level in 0..64 {
        let table = format!("u{level}");
        let condition = within(&plan, &table);
        let filter = Filter::new(condition, Arc::new(scan_of(&table)));
        let condition = within(&plan, &table);
        let filter = Filter::new(condition, Arc::new(LogicalPlan::Filter(filter)));
        plan = Arc::new(LogicalPlan::Filter(filter));
    }
    let lineage = column_lineage(&plan);
    assert_eq!(lineage.rows.tables.len(), 65);
    assert!(lineage.findings.is_empty());
}

#[test]
fn correlated_subqueries_of_many_levels_are_passed() {
    // Each level refers to the one around it.
    let build = || {
        let mut plan = scan_of("t0");
        for level in 1..=500 {
            let field = Arc::new(Field::new("n", DataType::Int64, true));
            let column = datafusion_common::Column::new(
                Some(TableReference::bare(format!("t{level}"))),
                "n",
            );
            let outer = Expr::OuterReferenceColumn(field, column);
            let correlated = Filter::new(col("n").eq(outer), Arc::new(plan));
            let subquery = Subquery {
                subquery: Arc::new(LogicalPlan::Filter(correlated)),
                outer_ref_columns: Vec::new(),
                spans: datafusion_common::Spans::new(),
            };
            let condition = Expr::Exists(Exists::new(subquery, false));
            plan = LogicalPlan::Filter(Filter::new(
                condition,
                Arc::new(scan_of(&format!("t{level}"))),
            ));
        }
        plan
    };
    let rows = on_a_small_stack(build, |plan| column_lineage(plan).rows);
    let column = |level: usize| format!("t{level}.n");
    for level in [0, 1, 250, 500] {
        assert!(
            rows.edges
                .iter()
                .any(|edge| edge.source.to_string() == column(level))
        );
    }
}

#[test]
fn a_thousand_columns_are_passed_through_many_nodes() {
    let fields: Vec<Field> = (0..1_000)
        .map(|number| Field::new(format!("c{number}"), DataType::Int64, true))
        .collect();
    let mut builder = LogicalPlanBuilder::from(
        table_scan(Some("wide"), &Schema::new(fields), None)
            .unwrap()
            .build()
            .unwrap(),
    );
    for _ in 0..20 {
        let all = (0..1_000).map(|number| col(format!("c{number}")));
        builder = builder
            .project(all.collect::<Vec<_>>())
            .unwrap()
            .distinct()
            .unwrap();
    }
    let lineage = column_lineage(&builder.build().unwrap());
    assert_eq!(lineage.columns[999].edges.len(), 1);
    assert_eq!(lineage.rows.edges.len(), 20 * 1_000);
}

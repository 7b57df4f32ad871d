//! Determinism classes, and the node that decides.

use codeanatomy_plan::{Determinism, determinism};
use datafusion::prelude::SessionContext;

use crate::support::Session;

#[track_caller]
fn check(class: Determinism, queries: &[&str]) {
    let session = Session::new();
    for sql in queries {
        let (found, reason) = determinism(&session.plan(sql));
        assert_eq!(found, class, "{sql}: {reason}");
        assert!(!reason.is_empty());
    }
}

#[test]
fn one_order_of_rows_only() {
    check(
        Determinism::D0,
        &[
            "SELECT a, b FROM u ORDER BY a, b",
            "SELECT a, sum(b) AS s FROM u GROUP BY a ORDER BY a",
            "SELECT a, sum(b) AS s FROM u GROUP BY a ORDER BY a LIMIT 3",
            "SELECT a + 1 AS z, s FROM (SELECT a, sum(b) AS s FROM u GROUP BY a) x ORDER BY a",
            "SELECT c, a, sum(b) AS s FROM u GROUP BY a, c ORDER BY s, a, c",
            "SELECT DISTINCT a, b FROM u ORDER BY b, a",
            "SELECT count(*) AS n FROM u",
            "SELECT 1 AS one",
        ],
    );
}

#[test]
fn the_same_rows_in_any_order() {
    check(
        Determinism::D1,
        &[
            "SELECT a FROM t",
            "SELECT a, sum(b) AS s, min(d) AS m FROM t GROUP BY a",
            "SELECT a FROM t ORDER BY b",
            "SELECT t.a FROM t JOIN u ON t.k = u.k",
            "SELECT sum(e) AS s, a FROM t GROUP BY a",
            "SELECT rank() OVER (ORDER BY a) AS r FROM t",
            "SELECT row_number() OVER (ORDER BY a) AS r FROM t",
            "SELECT row_number() OVER (ORDER BY a) AS r, s FROM (SELECT a, sum(b) AS s FROM t GROUP BY a) x",
            "SELECT sum(a) OVER (ORDER BY b) AS s FROM t",
            "SELECT array_agg(a ORDER BY a) AS l, b FROM t GROUP BY b",
        ],
    );
}

#[test]
fn the_same_rows_but_for_sums_of_floats() {
    check(
        Determinism::D2,
        &[
            "SELECT sum(d) AS s FROM t",
            "SELECT avg(a) AS s FROM t",
            "SELECT stddev(d) AS s, a FROM t GROUP BY a",
            "SELECT sum(d) OVER (PARTITION BY a) AS s FROM t",
            "SELECT a FROM t WHERE d > (SELECT avg(d) FROM t)",
        ],
    );
}

#[test]
fn other_rows_are_possible() {
    check(
        Determinism::D3,
        &[
            "SELECT random() AS x",
            "SELECT a FROM t LIMIT 3",
            "SELECT a, b FROM t ORDER BY a LIMIT 3",
            "SELECT a, c, sum(b) AS s FROM u GROUP BY a, c ORDER BY s, a LIMIT 3",
            "SELECT a, c, sum(b) AS s FROM u GROUP BY ROLLUP (a, c) ORDER BY a, c LIMIT 3",
            "SELECT first_value(a) AS x FROM t",
            "SELECT array_agg(a) AS x FROM t",
            "SELECT array_agg(a ORDER BY b) AS x FROM t",
            "SELECT row_number() OVER (ORDER BY a) AS x, b FROM t",
            "SELECT lag(a) OVER (ORDER BY b) AS x FROM t",
            "SELECT sum(a) OVER (ORDER BY b ROWS 1 PRECEDING) AS x FROM t",
            "SELECT DISTINCT ON (a) a, b FROM t",
            "SELECT value FROM generate_series(1, 3)",
            "SELECT approx_median(d) AS x FROM t",
            "SELECT sum(d) AS s FROM (SELECT d FROM t LIMIT 3) x",
        ],
    );
}

#[test]
fn the_reason_names_the_node() {
    let session = Session::new();
    let reason = |sql| determinism(&session.plan(sql)).1;
    assert_eq!(reason("SELECT random() AS x"), "volatile function random");
    assert_eq!(
        reason("SELECT sum(d) AS s FROM t"),
        "sum over floating-point numbers"
    );
}

#[test]
fn every_aggregate_of_the_engine_is_classified() {
    let ctx = SessionContext::new();
    let session = Session::new();
    let mut unknown = Vec::new();
    for function in ctx.state().aggregate_functions().values() {
        let name = function.name();
        for args in ["a", "a, b", "flag", "d, 0.5", "c, ','", "d, d, 0.5"] {
            let sql = format!("SELECT {name}({args}) AS x FROM t");
            let Ok(plan) = session.try_plan(&sql) else {
                continue;
            };
            let (_, reason) = determinism(&plan);
            if reason.contains("may depend") {
                unknown.push(name.to_owned());
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:?}");
}

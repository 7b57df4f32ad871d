//! What a plan proves, before and after the optimizer, and what it does not.

use arrow_schema::{DataType, Field, Schema};
use codeanatomy_schema::{proves_not_null, proves_unique};
use datafusion::prelude::SessionContext;

use crate::support::{plan, register_empty};

fn session() -> SessionContext {
    let ctx = SessionContext::new();
    let field = |name, nullable| Field::new(name, DataType::Int64, nullable);
    register_empty(
        &ctx,
        "t",
        Schema::new(vec![field("a", true), field("b", true), field("c", false)]),
    );
    register_empty(
        &ctx,
        "u",
        Schema::new(vec![field("k", true), field("v", true)]),
    );
    ctx
}

/// Whether each of the two plans of a query proves something.
async fn both(sql: &str, proves: impl Fn(&datafusion_expr::LogicalPlan) -> bool) -> bool {
    let ctx = session();
    let planned = plan(&ctx, sql).await;
    let optimized = ctx.state().optimize(&planned).unwrap();
    let found = proves(&planned);
    assert!(
        !found || proves(&optimized),
        "the optimizer loses a proof of\n{sql}\n{optimized}"
    );
    found
}

#[tokio::test]
async fn a_first_column_without_nulls_is_proved() {
    for sql in [
        "SELECT c FROM t",
        "SELECT a FROM t WHERE a IS NOT NULL",
        "SELECT a AS x FROM t WHERE b = 1 AND a > 5",
        "SELECT x FROM (SELECT a AS x, b FROM t WHERE a BETWEEN 1 AND 3) ORDER BY b LIMIT 3",
        "SELECT a, count(*) FROM t WHERE a <> 0 GROUP BY a",
        "SELECT DISTINCT a FROM t WHERE a IS NOT NULL",
        "SELECT a FROM t JOIN u ON a = k",
        "SELECT k FROM t JOIN u ON a = k",
        "SELECT c FROM t LEFT JOIN u ON a = k",
        "SELECT a FROM t WHERE a IN (SELECT k FROM u)",
        "SELECT c FROM t UNION ALL SELECT v FROM u WHERE v IS NOT NULL",
        "SELECT count(*) FROM t",
        "SELECT c, row_number() OVER (ORDER BY a) FROM t",
    ] {
        assert!(both(sql, |plan| proves_not_null(plan, 0)).await, "{sql}");
    }
}

#[tokio::test]
async fn a_column_that_may_have_nulls_is_not_proved() {
    for sql in [
        "SELECT a FROM t",
        "SELECT a FROM t WHERE b IS NOT NULL",
        "SELECT a FROM t WHERE a = 1 OR b = 2",
        "SELECT a FROM t WHERE a IS NOT DISTINCT FROM b",
        "SELECT k FROM t LEFT JOIN u ON a = k",
        "SELECT c FROM u LEFT JOIN t ON a = k",
        "SELECT c FROM t FULL JOIN u ON a = k",
        "SELECT a FROM t LEFT JOIN u ON a = k",
        "SELECT c FROM t GROUP BY ROLLUP (c)",
        "SELECT max(c) FROM t",
        "SELECT c FROM t UNION ALL SELECT v FROM u",
        "SELECT a FROM t WHERE a NOT IN (SELECT k FROM u)",
    ] {
        assert!(!both(sql, |plan| proves_not_null(plan, 0)).await, "{sql}");
    }
}

#[tokio::test]
async fn a_unique_first_column_is_proved() {
    for sql in [
        "SELECT a, sum(b) FROM t GROUP BY a",
        "SELECT a FROM t GROUP BY a HAVING count(*) > 1 ORDER BY a LIMIT 3",
        "SELECT DISTINCT a FROM t",
        "SELECT x FROM (SELECT a AS x, max(b) AS m FROM t GROUP BY a) WHERE m > 3",
        "SELECT max(a) FROM t",
        "SELECT g.a, s.n FROM (SELECT a FROM t GROUP BY a) g LEFT JOIN (SELECT k, count(*) AS n FROM u GROUP BY k) s ON s.k = g.a",
        "SELECT g.a FROM (SELECT a FROM t GROUP BY a) g CROSS JOIN (SELECT max(k) FROM u)",
        "SELECT a FROM (SELECT DISTINCT a FROM t) WHERE a IN (SELECT k FROM u)",
        "SELECT a FROM t UNION SELECT k FROM u",
    ] {
        assert!(both(sql, |plan| proves_unique(plan, &[0])).await, "{sql}");
    }
}

#[tokio::test]
async fn the_keys_of_distinct_on_are_unique() {
    // The optimizer makes an aggregate of it, whose output it does not show to be the key.
    let plan = plan(&session(), "SELECT DISTINCT ON (a) a, b FROM t").await;
    assert!(proves_unique(&plan, &[0]) && !proves_unique(&plan, &[1]));
}

#[tokio::test]
async fn a_column_that_may_repeat_is_not_proved() {
    for sql in [
        "SELECT a FROM t",
        "SELECT a, b, sum(c) FROM t GROUP BY a, b",
        "SELECT DISTINCT a, b FROM t",
        "SELECT DISTINCT ON (a, b) a, b FROM t",
        "SELECT a FROM t GROUP BY ROLLUP (a)",
        "SELECT g.a FROM (SELECT a FROM t GROUP BY a) g LEFT JOIN u ON u.k = g.a",
        "SELECT a % 2 AS x FROM (SELECT DISTINCT a FROM t)",
        "SELECT a FROM (SELECT DISTINCT a FROM t) UNION ALL SELECT DISTINCT k FROM u",
        "SELECT a FROM (SELECT DISTINCT a FROM t) FULL JOIN (SELECT DISTINCT k FROM u) ON a = k",
    ] {
        assert!(!both(sql, |plan| proves_unique(plan, &[0])).await, "{sql}");
    }
    let sql = "SELECT a, b, sum(c) FROM t GROUP BY a, b";
    assert!(both(sql, |plan| proves_unique(plan, &[1, 0])).await);
    assert!(both(sql, |plan| proves_unique(plan, &[0, 1, 2])).await);
}

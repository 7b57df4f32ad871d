//! Spellings of one query that have one digest.

use crate::support::{Session, side_by_side};

/// A kind of refactoring, one spelling, and another.
pub(crate) const PAIRS: &[(&str, &str, &str)] = &[
    ("table alias", "SELECT x.a FROM t x", "SELECT y.a FROM t y"),
    ("no alias", "SELECT x.a FROM t x", "SELECT a FROM t"),
    (
        "white space and case of keywords",
        "SELECT a,b FROM t WHERE a>1",
        "select\n  a,\n  b\nfrom t\nwhere a > 1\n",
    ),
    (
        "comments",
        "SELECT a FROM t",
        "-- the letter\nSELECT a /* first */ FROM t -- done",
    ),
    ("* expanded", "SELECT * FROM u", "SELECT a, b, c, k FROM u"),
    (
        "qualified *",
        "SELECT u.* FROM u JOIN v ON u.k = v.id",
        "SELECT u.a, u.b, u.c, u.k FROM u JOIN v ON u.k = v.id",
    ),
    (
        "* EXCEPT",
        "SELECT * EXCEPT (c) FROM u",
        "SELECT a, b, k FROM u",
    ),
    (
        "order of conjuncts",
        "SELECT a FROM t WHERE a > 1 AND b < 2 AND flag",
        "SELECT a FROM t WHERE flag AND b < 2 AND a > 1",
    ),
    (
        "nesting of conjuncts",
        "SELECT a FROM t WHERE (a > 1 AND b < 2) AND d = 3",
        "SELECT a FROM t WHERE a > 1 AND (b < 2 AND d = 3)",
    ),
    (
        "repeated conjunct",
        "SELECT a FROM t WHERE a > 1 AND b < 2 AND a > 1",
        "SELECT a FROM t WHERE a > 1 AND b < 2",
    ),
    (
        "order of disjuncts",
        "SELECT a FROM t WHERE a = 1 OR b = 2 OR d > 3",
        "SELECT a FROM t WHERE d > 3 OR b = 2 OR a = 1",
    ),
    (
        "sides of =",
        "SELECT a FROM t WHERE a = b",
        "SELECT a FROM t WHERE b = a",
    ),
    (
        "sides of <>",
        "SELECT a FROM t WHERE a <> b",
        "SELECT a FROM t WHERE b != a",
    ),
    (
        "> as <",
        "SELECT a FROM t WHERE a > b",
        "SELECT a FROM t WHERE b < a",
    ),
    (
        ">= as <=",
        "SELECT a FROM t WHERE a >= 10",
        "SELECT a FROM t WHERE 10 <= a",
    ),
    (
        "sides of IS DISTINCT FROM",
        "SELECT a IS DISTINCT FROM b AS x FROM t",
        "SELECT b IS DISTINCT FROM a AS x FROM t",
    ),
    (
        "De Morgan",
        "SELECT a FROM t WHERE NOT (a = 1 OR b = 2)",
        "SELECT a FROM t WHERE a <> 1 AND b <> 2",
    ),
    (
        "BETWEEN as two comparisons",
        "SELECT a FROM t WHERE a BETWEEN 1 AND 5",
        "SELECT a FROM t WHERE a >= 1 AND a <= 5",
    ),
    (
        "short IN list as OR",
        "SELECT a FROM t WHERE a IN (1, 2)",
        "SELECT a FROM t WHERE a = 2 OR a = 1",
    ),
    (
        "order of a long IN list",
        "SELECT a FROM t WHERE a IN (1, 2, 3, 4, 5)",
        "SELECT a FROM t WHERE a IN (5, 4, 3, 2, 1)",
    ),
    (
        "CTE name",
        "WITH x AS (SELECT a, count(*) AS n FROM t GROUP BY a) SELECT a, n FROM x WHERE n > 1",
        "WITH y AS (SELECT a, count(*) AS n FROM t GROUP BY a) SELECT a, n FROM y WHERE n > 1",
    ),
    (
        "CTE column name",
        "WITH x AS (SELECT a AS p FROM t) SELECT p AS out FROM x WHERE p > 1",
        "WITH x AS (SELECT a AS q FROM t) SELECT q AS out FROM x WHERE q > 1",
    ),
    (
        "CTE as subquery",
        "WITH x AS (SELECT a, b FROM t WHERE b > 0) SELECT a FROM x",
        "SELECT a FROM (SELECT a, b FROM t WHERE b > 0) AS s",
    ),
    (
        "subquery merged",
        "SELECT a FROM (SELECT a, b FROM t WHERE b > 0) s WHERE a < 5",
        "SELECT a FROM t WHERE b > 0 AND a < 5",
    ),
    (
        "nested subqueries",
        "SELECT a FROM (SELECT a FROM (SELECT a, b FROM t) x) y",
        "SELECT a FROM t",
    ),
    (
        "unused CTE",
        "WITH x AS (SELECT 1 AS one) SELECT a FROM t",
        "SELECT a FROM t",
    ),
    (
        "unused column of a subquery",
        "SELECT a FROM (SELECT a, b + 1 AS z FROM t) s",
        "SELECT a FROM (SELECT a FROM t) s",
    ),
    (
        "USING as ON",
        "SELECT t.a, v.parent FROM t JOIN (SELECT id AS k, parent FROM v) v USING (k)",
        "SELECT t.a, v.parent FROM t JOIN (SELECT id AS k, parent FROM v) v ON t.k = v.k",
    ),
    (
        "comma join as JOIN",
        "SELECT t.a, u.b FROM t, u WHERE t.k = u.k",
        "SELECT t.a, u.b FROM t JOIN u ON t.k = u.k",
    ),
    (
        "CROSS JOIN with a condition",
        "SELECT t.a, u.b FROM t CROSS JOIN u WHERE t.k = u.k",
        "SELECT t.a, u.b FROM t INNER JOIN u ON t.k = u.k",
    ),
    (
        "sides of a join condition",
        "SELECT t.a FROM t JOIN u ON t.k = u.k",
        "SELECT t.a FROM t JOIN u ON u.k = t.k",
    ),
    (
        "order of join conditions",
        "SELECT t.d FROM t JOIN u ON t.a = u.a AND t.b = u.b",
        "SELECT t.d FROM t JOIN u ON t.b = u.b AND t.a = u.a",
    ),
    (
        "join aliases",
        "SELECT x.a, y.b FROM t x JOIN t y ON x.k = y.a",
        "SELECT l.a, r.b FROM t l JOIN t r ON l.k = r.a",
    ),
    (
        "EXISTS as IN",
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.k)",
        "SELECT a FROM t WHERE k IN (SELECT k FROM u)",
    ),
    (
        "select list of EXISTS",
        "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.k)",
        "SELECT a FROM t WHERE EXISTS (SELECT u.a FROM u WHERE u.k = t.k)",
    ),
    (
        "alias in a correlated subquery",
        "SELECT a FROM t x WHERE a > (SELECT max(b) FROM u i WHERE i.k = x.k)",
        "SELECT a FROM t o WHERE a > (SELECT max(b) FROM u p WHERE p.k = o.k)",
    ),
    (
        "named window",
        "SELECT sum(a) OVER w AS x FROM t WINDOW w AS (PARTITION BY b ORDER BY k)",
        "SELECT sum(a) OVER (PARTITION BY b ORDER BY k) AS x FROM t",
    ),
    (
        "default frame written out",
        "SELECT sum(a) OVER (ORDER BY k) AS x FROM t",
        "SELECT sum(a) OVER (ORDER BY k RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS x FROM t",
    ),
    (
        "RESPECT NULLS written out",
        "SELECT first_value(a) OVER (ORDER BY k) AS x FROM t",
        "SELECT first_value(a) RESPECT NULLS OVER (ORDER BY k) AS x FROM t",
    ),
    (
        "GROUP BY ordinal",
        "SELECT a, count(*) AS n FROM t GROUP BY 1",
        "SELECT a, count(*) AS n FROM t GROUP BY a",
    ),
    (
        "ORDER BY ordinal",
        "SELECT a, b FROM t ORDER BY 2",
        "SELECT a, b FROM t ORDER BY b",
    ),
    (
        "default order written out",
        "SELECT a FROM t ORDER BY a",
        "SELECT a FROM t ORDER BY a ASC NULLS LAST",
    ),
    (
        "count(*) as count(1)",
        "SELECT count(*) AS n FROM t",
        "SELECT count(1) AS n FROM t",
    ),
    (
        "DISTINCT as GROUP BY",
        "SELECT DISTINCT a, b FROM t",
        "SELECT a, b FROM t GROUP BY a, b",
    ),
    (
        "folded constant",
        "SELECT a FROM t WHERE a > 1 + 1",
        "SELECT a FROM t WHERE a > 2",
    ),
    (
        "superfluous parentheses",
        "SELECT ((a) + (b)) AS x FROM t",
        "SELECT a + b AS x FROM t",
    ),
    (
        "CAST as ::",
        "SELECT CAST(a AS DOUBLE) AS x FROM t",
        "SELECT a::double AS x FROM t",
    ),
    (
        "alias of a function",
        "SELECT character_length(c) AS n FROM t",
        "SELECT length(c) AS n FROM t",
    ),
    (
        "name of a recursive CTE and its column",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 9) SELECT n AS x FROM r",
        "WITH RECURSIVE q(m) AS (SELECT 1 UNION ALL SELECT m + 1 FROM q WHERE m < 9) SELECT m AS x FROM q",
    ),
    (
        "LIMIT over OFFSET 0",
        "SELECT a FROM t ORDER BY a LIMIT 3",
        "SELECT a FROM t ORDER BY a LIMIT 3 OFFSET 0",
    ),
    (
        "HAVING as a filter around",
        "SELECT a, sum(b) AS s FROM t GROUP BY a HAVING sum(b) > 5",
        "SELECT a, s FROM (SELECT a, sum(b) AS s FROM t GROUP BY a) x WHERE s > 5",
    ),
    (
        "aliases of aggregates in a subquery",
        "SELECT p + 1 AS x FROM (SELECT sum(a) AS p FROM t) s",
        "SELECT q + 1 AS x FROM (SELECT sum(a) AS q FROM t) s",
    ),
    (
        "inner filter of a join",
        "SELECT t.a FROM t JOIN u ON t.k = u.k WHERE u.b > 3",
        "SELECT t.a FROM t JOIN (SELECT k FROM u WHERE b > 3) u ON t.k = u.k",
    ),
    (
        "condition in ON or WHERE of an inner join",
        "SELECT t.a FROM t JOIN u ON t.k = u.k AND t.b > 3",
        "SELECT t.a FROM t JOIN u ON t.k = u.k WHERE t.b > 3",
    ),
    (
        "simple CASE as searched CASE",
        "SELECT CASE a WHEN 1 THEN 'x' WHEN b THEN 'y' ELSE c END AS x FROM t",
        "SELECT CASE WHEN a = 1 THEN 'x' WHEN b = a THEN 'y' ELSE c END AS x FROM t",
    ),
    (
        "NULLIF as CASE",
        "SELECT nullif(a, 1) AS x FROM t",
        "SELECT CASE WHEN a = 1 THEN NULL ELSE a END AS x FROM t",
    ),
    (
        "COALESCE as CASE",
        "SELECT coalesce(a, b) AS x FROM t",
        "SELECT CASE WHEN a IS NOT NULL THEN a ELSE b END AS x FROM t",
    ),
    (
        "sides of +",
        "SELECT a + b AS x FROM t",
        "SELECT b + a AS x FROM t",
    ),
    (
        "sides of * over decimals",
        "SELECT e * 2 AS x FROM t",
        "SELECT 2 * e AS x FROM t",
    ),
    (
        "sides of &",
        "SELECT a & b AS x FROM t",
        "SELECT b & a AS x FROM t",
    ),
    (
        "RIGHT JOIN as LEFT JOIN",
        "SELECT t.a, u.b FROM t RIGHT JOIN u ON t.k = u.k AND t.b > u.a",
        "SELECT t.a, u.b FROM u LEFT JOIN t ON u.k = t.k AND u.a < t.b",
    ),
    (
        "RIGHT JOIN as LEFT JOIN, all columns",
        "SELECT * FROM v RIGHT JOIN u ON v.id = u.k",
        "SELECT v.*, u.* FROM u LEFT JOIN v ON v.id = u.k",
    ),
    (
        "sides of JOIN",
        "SELECT t.a, u.b FROM t JOIN u ON t.k = u.k",
        "SELECT t.a, u.b FROM u JOIN t ON t.k = u.k",
    ),
    (
        "order of three tables under one filter",
        "SELECT t.a, v.parent FROM t JOIN v ON t.k = v.id WHERE t.b > 1",
        "SELECT t.a, v.parent FROM v, t WHERE v.id = t.k AND 1 < t.b",
    ),
    (
        "sides of FULL JOIN",
        "SELECT t.a, u.b FROM t FULL JOIN u ON t.k = u.k",
        "SELECT t.a, u.b FROM u FULL OUTER JOIN t ON t.k = u.k",
    ),
    (
        "order of GROUP BY",
        "SELECT a, b, count(*) AS n FROM t GROUP BY a, b",
        "SELECT a, b, count(*) AS n FROM t GROUP BY b, a",
    ),
    (
        "order of PARTITION BY",
        "SELECT rank() OVER (PARTITION BY a, b ORDER BY k) AS x FROM t",
        "SELECT rank() OVER (PARTITION BY b, a ORDER BY k) AS x FROM t",
    ),
    (
        "order of UNION ALL",
        "SELECT a FROM t UNION ALL SELECT a FROM u",
        "SELECT a FROM u UNION ALL SELECT a FROM t",
    ),
    (
        "nesting of UNION ALL",
        "SELECT a FROM t UNION ALL (SELECT a FROM u UNION ALL SELECT b FROM u)",
        "(SELECT a FROM t UNION ALL SELECT a FROM u) UNION ALL SELECT b FROM u",
    ),
    (
        "UNION as DISTINCT over UNION ALL",
        "SELECT a FROM t UNION SELECT a FROM u",
        "SELECT DISTINCT a FROM (SELECT a FROM t UNION ALL SELECT a FROM u) x",
    ),
    (
        "filter above a union",
        "SELECT a FROM (SELECT a FROM t UNION ALL SELECT a FROM u) x WHERE a > 1",
        "SELECT a FROM t WHERE a > 1 UNION ALL SELECT a FROM u WHERE a > 1",
    ),
    (
        "filter above an aggregate",
        "SELECT a, n FROM (SELECT a, count(*) AS n FROM t GROUP BY a) x WHERE a > 1",
        "SELECT a, count(*) AS n FROM t WHERE a > 1 GROUP BY a",
    ),
    (
        "HAVING on a key as WHERE",
        "SELECT a, count(*) AS n FROM t GROUP BY a HAVING a > 1",
        "SELECT a, count(*) AS n FROM t WHERE a > 1 GROUP BY a",
    ),
    (
        "filter above a projection",
        "SELECT x FROM (SELECT a + b AS x FROM t) s WHERE x > 3",
        "SELECT a + b AS x FROM t WHERE a + b > 3",
    ),
    (
        "filter above a left join",
        "SELECT t.a, u.b FROM t LEFT JOIN u ON t.k = u.k WHERE t.b > 3",
        "SELECT t.a, u.b FROM (SELECT a, k FROM t WHERE b > 3) t LEFT JOIN u ON t.k = u.k",
    ),
    (
        "left join whose nulls are refused",
        "SELECT t.a, u.b FROM t LEFT JOIN u ON t.k = u.k WHERE u.b > 3",
        "SELECT t.a, u.b FROM t JOIN u ON t.k = u.k WHERE u.b > 3",
    ),
    (
        "order of common table expressions",
        "WITH p AS (SELECT a, k FROM t), q AS (SELECT b, k FROM u) SELECT p.a, q.b FROM p JOIN q ON p.k = q.k",
        "WITH q AS (SELECT b, k FROM u), p AS (SELECT a, k FROM t) SELECT p.a, q.b FROM p JOIN q ON p.k = q.k",
    ),
    (
        "names of columns after the alias",
        "SELECT p FROM (SELECT a, b FROM t) x (p, q) WHERE q > 1",
        "SELECT a AS p FROM t WHERE b > 1",
    ),
    (
        "quoted names and other case",
        "SELECT \"a\", \"t\".\"b\" FROM \"t\"",
        "SELECT A, T.B FROM T",
    ),
    (
        "case of function names",
        "SELECT UPPER(c) AS x, COUNT(a) AS n FROM t GROUP BY UPPER(c)",
        "SELECT upper(c) AS x, count(a) AS n FROM t GROUP BY 1",
    ),
    (
        "LEFT OUTER written out",
        "SELECT t.a FROM t LEFT OUTER JOIN u ON t.a = u.a",
        "SELECT t.a FROM t LEFT JOIN u ON t.a = u.a",
    ),
    (
        "NATURAL JOIN as ON",
        "SELECT a, w.parent FROM t NATURAL JOIN (SELECT id AS k, parent FROM v) w",
        "SELECT t.a, w.parent FROM t JOIN (SELECT id AS k, parent FROM v) w ON t.k = w.k",
    ),
    (
        "NOT EXISTS as anti join",
        "SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a)",
        "SELECT t.a FROM t LEFT ANTI JOIN u ON t.a = u.a",
    ),
    ("SELECT ALL", "SELECT ALL a FROM t", "SELECT a FROM t"),
    (
        "WHERE TRUE",
        "SELECT a FROM t WHERE TRUE AND b > 1",
        "SELECT a FROM t WHERE b > 1",
    ),
    (
        "double negation",
        "SELECT a FROM t WHERE NOT (NOT flag)",
        "SELECT a FROM t WHERE flag",
    ),
    (
        "comparison with TRUE",
        "SELECT a FROM t WHERE flag = TRUE",
        "SELECT a FROM t WHERE flag",
    ),
    (
        "negated comparison",
        "SELECT a FROM t WHERE NOT (a < b)",
        "SELECT a FROM t WHERE a >= b",
    ),
    (
        "NOT IN as <>",
        "SELECT a FROM t WHERE a NOT IN (1, 2)",
        "SELECT a FROM t WHERE a <> 1 AND a <> 2",
    ),
    (
        "IN of one value as =",
        "SELECT a FROM t WHERE a IN (1)",
        "SELECT a FROM t WHERE a = 1",
    ),
    (
        "EXTRACT as date_part",
        "SELECT EXTRACT(year FROM day) AS x FROM t",
        "SELECT date_part('YEAR', day) AS x FROM t",
    ),
    (
        "SUBSTRING as substr",
        "SELECT SUBSTRING(c FROM 1 FOR 2) AS x FROM t",
        "SELECT substr(c, 1, 2) AS x FROM t",
    ),
    (
        "TRIM as btrim",
        "SELECT TRIM(c) AS x FROM t",
        "SELECT btrim(c) AS x FROM t",
    ),
    (
        "POSITION as strpos",
        "SELECT POSITION('x' IN c) AS x FROM t",
        "SELECT strpos(c, 'x') AS x FROM t",
    ),
    (
        "DATE literal as CAST",
        "SELECT a FROM t WHERE day > DATE '2026-01-01'",
        "SELECT a FROM t WHERE day > CAST('2026-01-01' AS DATE)",
    ),
    (
        "INTERVAL with its unit outside",
        "SELECT day + INTERVAL '1' MONTH AS x FROM t",
        "SELECT day + INTERVAL '1 month' AS x FROM t",
    ),
    (
        "names of a self join exchanged",
        "SELECT x.b FROM t x JOIN t y ON x.k = y.a",
        "SELECT y.b FROM t x JOIN t y ON x.a = y.k",
    ),
    (
        "LIMIT ALL",
        "SELECT a FROM t ORDER BY a LIMIT ALL",
        "SELECT a FROM t ORDER BY a",
    ),
    (
        "column that nobody uses in an aggregate",
        "SELECT n FROM (SELECT a, count(*) AS n, max(b) AS m FROM t GROUP BY a) x",
        "SELECT count(*) AS n FROM t GROUP BY a",
    ),
    (
        "lateral subquery as join",
        "SELECT t.a, x.m FROM t CROSS JOIN LATERAL (SELECT u.b AS m FROM u WHERE u.k = t.k) x",
        "SELECT t.a, u.b AS m FROM t JOIN u ON t.k = u.k",
    ),
    (
        "order in which a grouping subquery lists its columns",
        "SELECT p.a, p.n FROM (SELECT a, count(*) AS n FROM t GROUP BY a) p",
        "SELECT p.a, p.n FROM (SELECT count(*) AS n, a FROM t GROUP BY a) p",
    ),
    (
        "order in which a subquery with a limit lists its columns",
        "SELECT p.a, p.b FROM (SELECT a, b, k FROM t LIMIT 5) p",
        "SELECT p.a, p.b FROM (SELECT k, b, a FROM t LIMIT 5) p",
    ),
];

/// Kinds that mean the same and are not made equal. The page of fingerprints names them too.
const NOT_MADE_EQUAL: &[&str] = &["NULLIF as CASE"];

#[test]
fn a_refactored_query_has_the_same_digest() {
    let session = Session::new();
    let (mut different, mut named) = (Vec::new(), Vec::new());
    for (kind, one, other) in PAIRS {
        if session.digest(one) == session.digest(other) {
            continue;
        }
        if NOT_MADE_EQUAL.contains(kind) {
            named.push(*kind);
        } else {
            let plans = side_by_side(&session, one, other);
            different.push(format!("## {kind}\n{plans}"));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n\n"));
    // A kind that is equal by now is struck from the list and from the page.
    assert_eq!(named, NOT_MADE_EQUAL);
    assert!(PAIRS.len() >= 60 && named.len() * 20 <= PAIRS.len());
}

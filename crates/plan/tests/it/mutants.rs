//! Changes of a query that always change its digest.

use std::collections::BTreeMap;

use crate::support::{Session, side_by_side};

mod sides;

/// All groups of queries; within a group, no two mean the same.
pub(crate) fn groups() -> impl Iterator<Item = &'static (&'static str, &'static [&'static str])> {
    GROUPS.iter().chain(sides::GROUPS)
}

const GROUPS: &[(&str, &[&str])] = &[
    (
        "column",
        &[
            "SELECT a FROM u",
            "SELECT b FROM u",
            "SELECT a + b AS a FROM u",
        ],
    ),
    (
        "order of columns",
        &["SELECT a, b FROM u", "SELECT b, a FROM u"],
    ),
    (
        "swapped columns under the same names",
        &["SELECT a, b FROM u", "SELECT b AS a, a AS b FROM u"],
    ),
    ("output name", &["SELECT a FROM u", "SELECT a AS z FROM u"]),
    (
        "table",
        &[
            "SELECT k FROM t",
            "SELECT k FROM u",
            "SELECT id AS k FROM v",
        ],
    ),
    (
        "number literal",
        &[
            "SELECT a FROM t WHERE a > 1",
            "SELECT a FROM t WHERE a > 2",
            "SELECT a FROM t WHERE a > -1",
            "SELECT a FROM t WHERE a > NULL",
        ],
    ),
    (
        "text literal",
        &[
            "SELECT a FROM t WHERE c = 'x'",
            "SELECT a FROM t WHERE c = 'X'",
            "SELECT a FROM t WHERE c = 'x '",
            "SELECT a FROM t WHERE c = ''",
        ],
    ),
    (
        "type of a literal",
        &[
            "SELECT 1 AS x",
            "SELECT 1.0 AS x",
            "SELECT '1' AS x",
            "SELECT CAST(1 AS INT) AS x",
            "SELECT CAST(1 AS SMALLINT) AS x",
            "SELECT CAST(NULL AS BIGINT) AS x",
        ],
    ),
    (
        "sign of zero, and not a number",
        &[
            "SELECT CAST('0.0' AS DOUBLE) AS x",
            "SELECT CAST('-0.0' AS DOUBLE) AS x",
            "SELECT CAST('NaN' AS DOUBLE) AS x",
        ],
    ),
    (
        "comparison",
        &[
            "SELECT a FROM t WHERE a > b",
            "SELECT a FROM t WHERE a >= b",
            "SELECT a FROM t WHERE a < b",
            "SELECT a FROM t WHERE a <= b",
            "SELECT a FROM t WHERE a = b",
            "SELECT a FROM t WHERE a <> b",
            "SELECT a FROM t WHERE a IS DISTINCT FROM b",
            "SELECT a FROM t WHERE a IS NOT DISTINCT FROM b",
        ],
    ),
    (
        "arithmetic",
        &[
            "SELECT a + b AS x FROM t",
            "SELECT a - b AS x FROM t",
            "SELECT b - a AS x FROM t",
            "SELECT a * b AS x FROM t",
            "SELECT a / b AS x FROM t",
            "SELECT b / a AS x FROM t",
            "SELECT a % b AS x FROM t",
            "SELECT -a AS x FROM t",
            "SELECT a & b AS x FROM t",
            "SELECT a | b AS x FROM t",
            "SELECT a ^ b AS x FROM t",
            "SELECT a << b AS x FROM t",
            "SELECT a >> b AS x FROM t",
        ],
    ),
    (
        "grouping of arithmetic",
        &[
            "SELECT a - (b - k) AS x FROM t",
            "SELECT (a - b) - k AS x FROM t",
        ],
    ),
    (
        "connective",
        &[
            "SELECT a FROM t WHERE a = 1 AND b = 2",
            "SELECT a FROM t WHERE a = 1 OR b = 2",
            "SELECT a FROM t WHERE a = 1",
            "SELECT a FROM t WHERE NOT (a = 1 AND b = 2)",
        ],
    ),
    (
        "grouping of connectives",
        &[
            "SELECT a FROM t WHERE (a = 1 OR b = 2) AND flag",
            "SELECT a FROM t WHERE a = 1 OR (b = 2 AND flag)",
        ],
    ),
    (
        "truth tests",
        &[
            "SELECT flag AS x FROM t",
            "SELECT NOT flag AS x FROM t",
            "SELECT flag IS TRUE AS x FROM t",
            "SELECT flag IS FALSE AS x FROM t",
            "SELECT flag IS NULL AS x FROM t",
            "SELECT flag IS NOT TRUE AS x FROM t",
            "SELECT flag IS NOT FALSE AS x FROM t",
            "SELECT flag IS NOT NULL AS x FROM t",
        ],
    ),
    (
        "bounds by one",
        &[
            "SELECT a FROM t WHERE a BETWEEN 1 AND 5",
            "SELECT a FROM t WHERE a BETWEEN 0 AND 5",
            "SELECT a FROM t WHERE a BETWEEN 1 AND 6",
            "SELECT a FROM t WHERE a NOT BETWEEN 1 AND 5",
        ],
    ),
    (
        "IN list",
        &[
            "SELECT a FROM t WHERE a IN (1, 2, 3, 4)",
            "SELECT a FROM t WHERE a IN (1, 2, 3, 5)",
            "SELECT a FROM t WHERE a IN (1, 2, 3, 4, 5)",
            "SELECT a FROM t WHERE a NOT IN (1, 2, 3, 4)",
            "SELECT a FROM t WHERE a IN (1, 2, 3, NULL)",
        ],
    ),
    (
        "LIKE",
        &[
            "SELECT a FROM t WHERE c LIKE 'x_y%'",
            "SELECT a FROM t WHERE c ILIKE 'x_y%'",
            "SELECT a FROM t WHERE c NOT LIKE 'x_y%'",
            "SELECT a FROM t WHERE c LIKE 'x_y%' ESCAPE '_'",
            "SELECT a FROM t WHERE c SIMILAR TO 'x_y%'",
            "SELECT a FROM t WHERE c ~ 'x_y%'",
            "SELECT a FROM t WHERE c ~* 'x_y%'",
            "SELECT a FROM t WHERE c !~ 'x_y%'",
        ],
    ),
    (
        "kind of join",
        &[
            "SELECT t.a FROM t JOIN u ON t.a = u.a",
            "SELECT t.a FROM t LEFT JOIN u ON t.a = u.a",
            "SELECT t.a FROM t RIGHT JOIN u ON t.a = u.a",
            "SELECT t.a FROM t FULL JOIN u ON t.a = u.a",
            "SELECT t.a FROM t LEFT SEMI JOIN u ON t.a = u.a",
            "SELECT t.a FROM t LEFT ANTI JOIN u ON t.a = u.a",
            "SELECT t.a FROM t CROSS JOIN u",
        ],
    ),
    (
        "condition of a join",
        &[
            "SELECT t.a FROM t JOIN u ON t.a = u.a",
            "SELECT t.a FROM t JOIN u ON t.a = u.b",
            "SELECT t.a FROM t JOIN u ON t.b = u.a",
            "SELECT t.a FROM t JOIN u ON t.a = u.a AND t.b = u.b",
            "SELECT t.a FROM t JOIN u ON t.a = u.a AND t.b < u.b",
            "SELECT t.a FROM t JOIN u ON t.a = u.a AND t.b > u.b",
            "SELECT t.a FROM t JOIN u ON t.a IS NOT DISTINCT FROM u.a",
        ],
    ),
    (
        "side of a self join",
        &[
            "SELECT x.b FROM t x JOIN t y ON x.a = y.k",
            "SELECT y.b FROM t x JOIN t y ON x.a = y.k",
            "SELECT x.b FROM t x JOIN t y ON x.a = y.a",
        ],
    ),
    (
        "condition in ON or WHERE of an outer join",
        &[
            "SELECT t.a FROM t LEFT JOIN u ON t.a = u.a AND t.b > 3",
            "SELECT t.a FROM t LEFT JOIN u ON t.a = u.a WHERE t.b > 3",
        ],
    ),
    (
        "NOT IN is not an anti join",
        &[
            "SELECT a FROM t WHERE a NOT IN (SELECT a FROM u)",
            "SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a)",
            "SELECT a FROM t WHERE a IN (SELECT a FROM u)",
            "SELECT a FROM t WHERE a NOT IN (SELECT b FROM u)",
        ],
    ),
    (
        "scalar subquery",
        &[
            "SELECT a FROM t WHERE a > (SELECT max(b) FROM u)",
            "SELECT a FROM t WHERE a > (SELECT min(b) FROM u)",
            "SELECT a FROM t WHERE a > (SELECT max(a) FROM u)",
            "SELECT a FROM t WHERE a > (SELECT max(b) FROM u WHERE u.k = t.k)",
            "SELECT a FROM t WHERE a > (SELECT max(b) FROM u WHERE u.k = t.a)",
        ],
    ),
    (
        "ANY and ALL",
        &[
            "SELECT a FROM t WHERE a > ANY (SELECT b FROM u)",
            "SELECT a FROM t WHERE a > ALL (SELECT b FROM u)",
            "SELECT a FROM t WHERE a < ALL (SELECT b FROM u)",
        ],
    ),
    (
        "aggregate function",
        &[
            "SELECT sum(a) AS x FROM t",
            "SELECT min(a) AS x FROM t",
            "SELECT max(a) AS x FROM t",
            "SELECT avg(a) AS x FROM t",
            "SELECT count(a) AS x FROM t",
            "SELECT count(*) AS x FROM t",
            "SELECT count(DISTINCT a) AS x FROM t",
            "SELECT sum(DISTINCT a) AS x FROM t",
            "SELECT sum(a) FILTER (WHERE b > 1) AS x FROM t",
            "SELECT sum(a) FILTER (WHERE b > 2) AS x FROM t",
            "SELECT median(a) AS x FROM t",
            "SELECT var_pop(a) AS x FROM t",
            "SELECT var_samp(a) AS x FROM t",
        ],
    ),
    (
        "order and nulls in an aggregate",
        &[
            "SELECT array_agg(a) AS x FROM t",
            "SELECT array_agg(a ORDER BY b) AS x FROM t",
            "SELECT array_agg(a ORDER BY b DESC) AS x FROM t",
            "SELECT array_agg(a ORDER BY b NULLS FIRST) AS x FROM t",
            "SELECT array_agg(a) IGNORE NULLS AS x FROM t",
            "SELECT first_value(a ORDER BY b) AS x FROM t",
            "SELECT first_value(a ORDER BY b) IGNORE NULLS AS x FROM t",
            "SELECT last_value(a ORDER BY b) AS x FROM t",
        ],
    ),
    (
        "grouping",
        &[
            "SELECT sum(k) AS x FROM t GROUP BY a",
            "SELECT sum(k) AS x FROM t GROUP BY b",
            "SELECT sum(k) AS x FROM t GROUP BY a, b",
            "SELECT sum(k) AS x FROM t GROUP BY ROLLUP (a, b)",
            "SELECT sum(k) AS x FROM t GROUP BY CUBE (a, b)",
            "SELECT sum(k) AS x FROM t GROUP BY GROUPING SETS ((a), (b))",
            "SELECT sum(k) AS x FROM t GROUP BY GROUPING SETS ((a), (a, b))",
            "SELECT sum(k) AS x FROM t",
        ],
    ),
    (
        "WHERE or HAVING",
        &[
            "SELECT a, sum(b) AS s FROM t GROUP BY a",
            "SELECT a, sum(b) AS s FROM t WHERE b > 1 GROUP BY a",
            "SELECT a, sum(b) AS s FROM t GROUP BY a HAVING sum(b) > 1",
            "SELECT a, sum(b) AS s FROM t GROUP BY a HAVING sum(b) > 2",
        ],
    ),
    (
        "window function",
        &[
            "SELECT row_number() OVER (ORDER BY a) AS x FROM t",
            "SELECT rank() OVER (ORDER BY a) AS x FROM t",
            "SELECT dense_rank() OVER (ORDER BY a) AS x FROM t",
            "SELECT row_number() OVER (ORDER BY a DESC) AS x FROM t",
            "SELECT row_number() OVER (ORDER BY a NULLS FIRST) AS x FROM t",
            "SELECT row_number() OVER (ORDER BY b) AS x FROM t",
            "SELECT row_number() OVER (PARTITION BY b ORDER BY a) AS x FROM t",
            "SELECT row_number() OVER (PARTITION BY c ORDER BY a) AS x FROM t",
            "SELECT row_number() OVER () AS x FROM t",
            "SELECT ntile(2) OVER (ORDER BY a) AS x FROM t",
            "SELECT ntile(3) OVER (ORDER BY a) AS x FROM t",
        ],
    ),
    (
        "offset and default of a window function",
        &[
            "SELECT lag(a) OVER (ORDER BY k) AS x FROM t",
            "SELECT lead(a) OVER (ORDER BY k) AS x FROM t",
            "SELECT lag(a, 2) OVER (ORDER BY k) AS x FROM t",
            "SELECT lag(a, 1, 0) OVER (ORDER BY k) AS x FROM t",
            "SELECT lag(a) IGNORE NULLS OVER (ORDER BY k) AS x FROM t",
        ],
    ),
    (
        "window frame",
        &[
            "SELECT sum(a) OVER (ORDER BY k) AS x FROM t",
            "SELECT sum(a) OVER () AS x FROM t",
            "SELECT sum(a) OVER (ORDER BY k ROWS UNBOUNDED PRECEDING) AS x FROM t",
            "SELECT sum(a) OVER (ORDER BY k ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS x FROM t",
            "SELECT sum(a) OVER (ORDER BY k ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS x FROM t",
            "SELECT sum(a) OVER (ORDER BY k ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) AS x FROM t",
            "SELECT sum(a) OVER (ORDER BY k ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS x FROM t",
            "SELECT sum(a) OVER (ORDER BY k RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) AS x FROM t",
            "SELECT sum(a) OVER (ORDER BY k GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW) AS x FROM t",
            "SELECT sum(a) OVER (ORDER BY k ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS x FROM t",
        ],
    ),
    (
        "aggregate as window function",
        &[
            "SELECT sum(a) OVER (PARTITION BY b) AS x FROM t",
            "SELECT sum(a) FILTER (WHERE k > 1) OVER (PARTITION BY b) AS x FROM t",
            "SELECT sum(DISTINCT a) OVER (PARTITION BY b) AS x FROM t",
            "SELECT count(a) OVER (PARTITION BY b) AS x FROM t",
        ],
    ),
    (
        "DISTINCT",
        &[
            "SELECT a FROM t",
            "SELECT DISTINCT a FROM t",
            "SELECT DISTINCT ON (b) a FROM t ORDER BY b, k",
            "SELECT DISTINCT ON (b) a FROM t ORDER BY b, k DESC",
            "SELECT DISTINCT ON (b) a FROM t",
        ],
    ),
    (
        "set operation",
        &[
            "SELECT a FROM t UNION ALL SELECT a FROM u",
            "SELECT a FROM t UNION SELECT a FROM u",
            "SELECT a FROM t INTERSECT SELECT a FROM u",
            "SELECT a FROM t EXCEPT SELECT a FROM u",
            "SELECT a FROM u EXCEPT SELECT a FROM t",
            "SELECT a FROM t INTERSECT ALL SELECT a FROM u",
            "SELECT a FROM t EXCEPT ALL SELECT a FROM u",
            "SELECT a FROM t UNION ALL SELECT a FROM u UNION ALL SELECT a FROM u",
        ],
    ),
    (
        "ORDER BY",
        &[
            "SELECT a, b FROM t",
            "SELECT a, b FROM t ORDER BY a",
            "SELECT a, b FROM t ORDER BY a DESC",
            "SELECT a, b FROM t ORDER BY a NULLS FIRST",
            "SELECT a, b FROM t ORDER BY b",
            "SELECT a, b FROM t ORDER BY a, b",
            "SELECT a, b FROM t ORDER BY b, a",
        ],
    ),
    (
        "LIMIT and OFFSET",
        &[
            "SELECT a FROM t ORDER BY a",
            "SELECT a FROM t ORDER BY a LIMIT 10",
            "SELECT a FROM t ORDER BY a LIMIT 11",
            "SELECT a FROM t ORDER BY a LIMIT 10 OFFSET 1",
            "SELECT a FROM t ORDER BY a OFFSET 10",
            "SELECT a FROM t LIMIT 10",
            "SELECT a FROM t LIMIT 0",
        ],
    ),
    (
        "LIMIT inside or outside",
        &[
            "SELECT a FROM (SELECT a FROM t LIMIT 5) x WHERE a > 1",
            "SELECT a FROM t WHERE a > 1 LIMIT 5",
        ],
    ),
    (
        "cast",
        &[
            "SELECT CAST(c AS BIGINT) AS x FROM t",
            "SELECT TRY_CAST(c AS BIGINT) AS x FROM t",
            "SELECT CAST(c AS INT) AS x FROM t",
            "SELECT CAST(c AS DOUBLE) AS x FROM t",
            "SELECT CAST(c AS DECIMAL(10, 2)) AS x FROM t",
            "SELECT CAST(c AS DECIMAL(10, 3)) AS x FROM t",
            "SELECT CAST(c AS DECIMAL(11, 2)) AS x FROM t",
            "SELECT CAST(CAST(c AS INT) AS BIGINT) AS x FROM t",
        ],
    ),
    (
        "time zone",
        &[
            "SELECT ts AS x FROM t",
            "SELECT arrow_cast(ts, 'Timestamp(Microsecond, Some(\"UTC\"))') AS x FROM t",
            "SELECT arrow_cast(ts, 'Timestamp(Microsecond, Some(\"+01:00\"))') AS x FROM t",
            "SELECT arrow_cast(ts, 'Timestamp(Millisecond, None)') AS x FROM t",
            "SELECT tz AS x FROM t",
            "SELECT tz AT TIME ZONE 'Europe/Brussels' AS x FROM t",
            "SELECT tz AT TIME ZONE 'Europe/Paris' AS x FROM t",
        ],
    ),
    (
        "date and time literal",
        &[
            "SELECT a FROM t WHERE day > DATE '2026-01-01'",
            "SELECT a FROM t WHERE day > DATE '2026-01-02'",
            "SELECT a FROM t WHERE ts > TIMESTAMP '2026-01-01 00:00:00'",
            "SELECT a FROM t WHERE ts > TIMESTAMP '2026-01-01 00:00:01'",
        ],
    ),
    (
        "interval",
        &[
            "SELECT day + INTERVAL '1 day' AS x FROM t",
            "SELECT day + INTERVAL '2 day' AS x FROM t",
            "SELECT day + INTERVAL '1 month' AS x FROM t",
            "SELECT day - INTERVAL '1 day' AS x FROM t",
        ],
    ),
    (
        "part of a date",
        &[
            "SELECT date_part('year', day) AS x FROM t",
            "SELECT date_part('month', day) AS x FROM t",
            "SELECT date_trunc('year', ts) AS x FROM t",
            "SELECT date_trunc('month', ts) AS x FROM t",
        ],
    ),
    (
        "concat is not ||",
        &[
            "SELECT concat(c, 'x') AS x FROM t",
            "SELECT c || 'x' AS x FROM t",
            "SELECT concat('x', c) AS x FROM t",
            "SELECT concat_ws('-', c, 'x') AS x FROM t",
        ],
    ),
    (
        "function",
        &[
            "SELECT upper(c) AS x FROM t",
            "SELECT lower(c) AS x FROM t",
            "SELECT trim(c) AS x FROM t",
            "SELECT ltrim(c) AS x FROM t",
            "SELECT substr(c, 1, 2) AS x FROM t",
            "SELECT substr(c, 2, 2) AS x FROM t",
            "SELECT substr(c, 1) AS x FROM t",
            "SELECT replace(c, 'a', 'b') AS x FROM t",
            "SELECT replace(c, 'b', 'a') AS x FROM t",
        ],
    ),
    (
        "rounding",
        &[
            "SELECT round(d) AS x FROM t",
            "SELECT round(d, 1) AS x FROM t",
            "SELECT floor(d) AS x FROM t",
            "SELECT ceil(d) AS x FROM t",
            "SELECT trunc(d) AS x FROM t",
        ],
    ),
    (
        "CASE",
        &[
            "SELECT CASE WHEN a > 1 THEN 1 ELSE 0 END AS x FROM t",
            "SELECT CASE WHEN a > 1 THEN 1 END AS x FROM t",
            "SELECT CASE WHEN a > 1 THEN 0 ELSE 1 END AS x FROM t",
            "SELECT CASE WHEN a > 1 THEN 1 WHEN b > 1 THEN 2 ELSE 0 END AS x FROM t",
            "SELECT CASE WHEN b > 1 THEN 2 WHEN a > 1 THEN 1 ELSE 0 END AS x FROM t",
            "SELECT CASE a WHEN 1 THEN 1 ELSE 0 END AS x FROM t",
            "SELECT CASE b WHEN 1 THEN 1 ELSE 0 END AS x FROM t",
        ],
    ),
    (
        "null handling",
        &[
            "SELECT coalesce(a, b) AS x FROM t",
            "SELECT coalesce(b, a) AS x FROM t",
            "SELECT nullif(a, b) AS x FROM t",
            "SELECT nullif(b, a) AS x FROM t",
            "SELECT greatest(a, b) AS x FROM t",
            "SELECT least(a, b) AS x FROM t",
        ],
    ),
    (
        "struct",
        &[
            "SELECT s['x'] AS z FROM t",
            "SELECT CAST(s['y'] AS BIGINT) AS z FROM t",
            "SELECT named_struct('p', a) AS z FROM t",
            "SELECT named_struct('q', a) AS z FROM t",
            "SELECT struct(a) AS z FROM t",
        ],
    ),
    (
        "array",
        &[
            "SELECT list[1] AS x FROM t",
            "SELECT list[2] AS x FROM t",
            "SELECT list[1:2] AS x FROM t",
            "SELECT list[1:3] AS x FROM t",
            "SELECT make_array(1, 2) AS x FROM t",
            "SELECT make_array(2, 1) AS x FROM t",
            "SELECT make_array(1, 2, NULL) AS x FROM t",
            "SELECT array_has(list, 1) AS x FROM t",
        ],
    ),
    (
        "unnest",
        &[
            "SELECT unnest(list) AS x FROM t",
            "SELECT a, unnest(list) AS x FROM t",
            "SELECT unnest(make_array(a, b)) AS x FROM t",
            "SELECT unnest(make_array(b, a)) AS x FROM t",
        ],
    ),
    (
        "VALUES",
        &[
            "VALUES (1, 'a'), (2, 'b')",
            "VALUES (1, 'a'), (2, 'c')",
            "VALUES (2, 'b'), (1, 'a')",
            "VALUES (1, 'a')",
        ],
    ),
    (
        "recursive query",
        &[
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 9) SELECT n FROM r",
            "WITH RECURSIVE r(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM r WHERE n < 9) SELECT n FROM r",
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 2 FROM r WHERE n < 9) SELECT n FROM r",
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 8) SELECT n FROM r",
            "WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT n + 1 FROM r WHERE n < 9) SELECT n FROM r",
        ],
    ),
    (
        "which column a recursive query carries",
        &[
            "WITH RECURSIVE r(p, q) AS (SELECT id, parent FROM v UNION ALL SELECT p, q FROM r WHERE p < 3) SELECT p AS x, q AS y FROM r",
            "WITH RECURSIVE r(p, q) AS (SELECT id, parent FROM v UNION ALL SELECT q, p FROM r WHERE p < 3) SELECT p AS x, q AS y FROM r",
            "WITH RECURSIVE r(p, q) AS (SELECT id, parent FROM v UNION ALL SELECT p, q FROM r WHERE q < 3) SELECT p AS x, q AS y FROM r",
        ],
    ),
    (
        "name that a function reads",
        &[
            "SELECT arrow_field(a) AS x FROM u",
            "SELECT arrow_field(b) AS x FROM u",
            "SELECT arrow_field(a) AS x FROM (SELECT a + 1 AS a FROM u) s",
            "SELECT arrow_field(b) AS x FROM (SELECT a + 1 AS b FROM u) s",
        ],
    ),
    (
        "alias that swaps two sides of a join",
        &[
            "SELECT x.b AS p, y.b AS q FROM u x JOIN u y ON x.a = y.a",
            "SELECT y.b AS p, x.b AS q FROM u x JOIN u y ON x.a = y.a",
        ],
    ),
];

#[test]
fn a_changed_query_has_another_digest() {
    let session = Session::new();
    let mut same = Vec::new();
    let mut mutants = 0;
    for (kind, queries) in groups() {
        let mut seen = BTreeMap::new();
        for query in *queries {
            mutants += 1;
            if let Some(other) = seen.insert(session.digest(query), *query) {
                same.push(format!(
                    "## {kind}\n{}",
                    side_by_side(&session, query, other)
                ));
            }
        }
    }
    assert!(same.is_empty(), "{}", same.join("\n\n"));
    assert!(groups().count() >= 60 && mutants >= 280, "{mutants}");
}

/// Queries of different groups that mean the same.
const ONE_QUERY: &[(&str, &str)] = &[
    (
        "SELECT t.a FROM t LEFT ANTI JOIN u ON t.a = u.a",
        "SELECT a FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.a = t.a)",
    ),
    (
        "SELECT t.a FROM t LEFT SEMI JOIN u ON t.a = u.a",
        "SELECT a FROM t WHERE a IN (SELECT a FROM u)",
    ),
    ("SELECT a FROM t WHERE a > NULL", "SELECT a FROM t LIMIT 0"),
];

#[test]
fn queries_of_different_groups_have_one_digest_only_where_they_are_one_query() {
    let session = Session::new();
    let mut seen: BTreeMap<_, &str> = BTreeMap::new();
    let mut same = Vec::new();
    for query in groups().flat_map(|(_, queries)| *queries) {
        if let Some(other) = seen.insert(session.digest(query), query)
            && other != *query
            && !ONE_QUERY.contains(&(other, query))
        {
            same.push(format!("(\n    \"{other}\",\n    \"{query}\",\n),"));
        }
    }
    assert!(same.is_empty(), "{}", same.join("\n"));
}

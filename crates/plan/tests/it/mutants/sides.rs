//! Mutants of sides, orders and places, which plans that are free of order have in a form of their
//! own.

pub(super) const GROUPS: &[(&str, &[&str])] = &[
    (
        "which side of an outer join keeps its rows",
        &[
            "SELECT t.a AS p, u.b AS q FROM t LEFT JOIN u ON t.k = u.k",
            "SELECT t.a AS p, u.b AS q FROM t RIGHT JOIN u ON t.k = u.k",
            "SELECT u.a AS p, t.b AS q FROM t LEFT JOIN u ON t.k = u.k",
            "SELECT u.a AS p, t.b AS q FROM t RIGHT JOIN u ON t.k = u.k",
        ],
    ),
    (
        "columns of a right join under the same names",
        &[
            "SELECT x.a AS p, y.a AS q FROM u x RIGHT JOIN u y ON x.k = y.b",
            "SELECT y.a AS p, x.a AS q FROM u x RIGHT JOIN u y ON x.k = y.b",
            "SELECT x.a AS p, y.a AS q FROM u x RIGHT JOIN u y ON x.b = y.k",
            "SELECT x.b AS p, y.a AS q FROM u x RIGHT JOIN u y ON x.k = y.b",
        ],
    ),
    (
        "side of a condition of a join",
        &[
            "SELECT x.a AS p FROM u x JOIN v y ON x.k = y.id AND x.a < y.parent",
            "SELECT x.a AS p FROM u x JOIN v y ON x.k = y.id AND x.b < y.parent",
            "SELECT x.a AS p FROM u x JOIN v y ON x.k = y.id AND x.a > y.parent",
            "SELECT x.a AS p FROM u x JOIN v y ON x.k = y.id AND x.a < y.id",
        ],
    ),
    (
        "which key comes out where",
        &[
            "SELECT a AS p, b AS q, count(*) AS n FROM t GROUP BY a, b",
            "SELECT b AS p, a AS q, count(*) AS n FROM t GROUP BY a, b",
            "SELECT a AS p, a AS q, count(*) AS n FROM t GROUP BY a, b",
        ],
    ),
    (
        "which aggregate comes out where",
        &[
            "SELECT min(a) AS p, max(a) AS q FROM t GROUP BY b",
            "SELECT max(a) AS p, min(a) AS q FROM t GROUP BY b",
            "SELECT max(a) AS p, max(a) AS q FROM t GROUP BY b",
        ],
    ),
    (
        "inputs of a union",
        &[
            "SELECT a AS x FROM t UNION ALL SELECT b FROM t",
            "SELECT a AS x FROM t UNION ALL SELECT a FROM t",
            "SELECT b AS x FROM t UNION ALL SELECT b FROM t",
            "SELECT a AS x FROM t UNION ALL SELECT a FROM t UNION ALL SELECT b FROM t",
        ],
    ),
    (
        "order of the inputs of a union under a limit",
        &[
            "SELECT a FROM (SELECT a FROM t UNION ALL SELECT a FROM u) x LIMIT 3",
            "SELECT a FROM (SELECT a FROM u UNION ALL SELECT a FROM t) x LIMIT 3",
        ],
    ),
    (
        "sides of a join under a limit",
        &[
            "SELECT t.a AS x FROM t JOIN u ON t.k = u.k LIMIT 3",
            "SELECT t.a AS x FROM u JOIN t ON t.k = u.k LIMIT 3",
        ],
    ),
    (
        "sides of a join below a sum of floats",
        &[
            "SELECT sum(t.d) AS x FROM t JOIN u ON t.a = u.a",
            "SELECT sum(t.d) AS x FROM u JOIN t ON t.a = u.a",
        ],
    ),
    (
        "arms of a CASE",
        &[
            "SELECT CASE a WHEN 1 THEN 'x' WHEN 2 THEN 'y' END AS x FROM t",
            "SELECT CASE a WHEN 2 THEN 'x' WHEN 1 THEN 'y' END AS x FROM t",
            "SELECT CASE a WHEN 1 THEN 'y' WHEN 2 THEN 'x' END AS x FROM t",
            "SELECT CASE b WHEN 1 THEN 'x' WHEN 2 THEN 'y' END AS x FROM t",
            "SELECT CASE a WHEN 1 THEN 'x' WHEN 2 THEN 'y' ELSE 'z' END AS x FROM t",
        ],
    ),
    (
        "PARTITION BY and ORDER BY of a window",
        &[
            "SELECT rank() OVER (PARTITION BY a, b ORDER BY k) AS x FROM t",
            "SELECT rank() OVER (PARTITION BY a ORDER BY b, k) AS x FROM t",
            "SELECT rank() OVER (PARTITION BY a ORDER BY k, b) AS x FROM t",
            "SELECT rank() OVER (PARTITION BY a, b, k ORDER BY k) AS x FROM t",
        ],
    ),
    (
        "lateral subquery",
        &[
            "SELECT t.a, x.m FROM t CROSS JOIN LATERAL (SELECT max(u.b) AS m FROM u WHERE u.k = t.k) x",
            "SELECT t.a, x.m FROM t CROSS JOIN LATERAL (SELECT max(u.b) AS m FROM u WHERE u.a = t.k) x",
            "SELECT t.a, x.m FROM t CROSS JOIN LATERAL (SELECT max(u.b) AS m FROM u) x",
        ],
    ),
];

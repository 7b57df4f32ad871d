//! SQL macros: from text to plans that do not know them.

use std::sync::Arc;

use codeanatomy_plan::{plan_digest, required_functions};
use codeanatomy_udf::factory::{MacroFactory, MacroFile, MacroSet, Macros, inline};
use codeanatomy_vocab::Errors;
use datafusion::common::config::Dialect;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::SessionContext;

use crate::support::{error, rows, run, session};

fn files(texts: &[&str]) -> Vec<MacroFile> {
    let texts = texts.iter().enumerate();
    texts
        .map(|(at, sql)| MacroFile {
            path: format!("macros/m{at}.sql").into(),
            sql: Arc::from(*sql),
        })
        .collect()
}

fn planned(texts: &[&str]) -> Result<Macros, Errors> {
    let context = session();
    MacroSet::parse(files(texts), Dialect::Generic)?.plan(&context.state())
}

fn context_with(texts: &[&str]) -> SessionContext {
    let context = session();
    planned(texts)
        .unwrap_or_else(|errors| panic!("{errors}"))
        .register_in(&context);
    context
}

/// The only error of texts, as `code place message`.
fn refused(texts: &[&str]) -> String {
    let errors = planned(texts).expect_err(texts[0]);
    let shown: Vec<String> = errors
        .iter()
        .map(|error| {
            let place = error
                .location()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(error.help().is_some(), "{error:?}");
            format!("{} {place} {error}", error.code().id())
        })
        .collect();
    shown.join("\n")
}

const NET: &str = "create function net(price double, tax double default 0.25) returns double\n\
                   return price / (1 + tax);";

#[test]
fn a_call_is_the_body_with_arguments_and_defaults() {
    let context = context_with(&[
        NET,
        "create function twice(n bigint) return plus(n, n);
         create or replace function Plus(a bigint, b bigint) returns bigint immutable return $a + $2;
         create function label(region varchar, n bigint) return upper(region) || '-' || cast(n as varchar);
         create function answer() returns int return 42;
         create function stamped(n bigint default 1) return stable_hash64(cast(n as varchar))",
    ]);
    for (call, value) in [
        ("net(10)", "8.0"),
        ("net(12, 0.5)", "8.0"),
        ("net(null)", "NULL"),
        ("twice(21)", "42"),
        ("twice(cast(4 as smallint))", "8"),
        ("label('north', 3)", "NORTH-3"),
        ("answer() + 1", "43"),
        ("stamped() = stable_hash64('1')", "true"),
    ] {
        assert_eq!(rows(&context, &format!("select {call}")), [value], "{call}");
    }
    let sql = "select twice(v) as d, sum(net(v)) as n from (values (1), (1), (2)) as t(v)
               where twice(v) < 4 group by twice(v) having sum(net(v)) > 0 order by twice(v)";
    assert_eq!(rows(&context, sql), ["2 | 1.6"]);
}

fn analyzed(context: &SessionContext, sql: &str) -> LogicalPlan {
    run(async {
        let state = context.state();
        let plan = state.create_logical_plan(sql).await.unwrap();
        state
            .analyzer()
            .execute_and_check(plan, state.config_options(), |_, _| {})
            .unwrap()
    })
}

#[test]
fn a_plan_with_macros_has_the_identity_of_one_without() {
    let context = context_with(&[
        NET,
        "create function pays(price double) returns boolean return net(price) > 1 and exists_in(price);
         create function exists_in(p double) return p in (1.0, 2.0, 3.0)",
    ]);
    let t = "(values (1.0), (2.0)) as t(v)";
    for (with, without) in [
        (
            format!("select net(v) as n from {t}"),
            format!("select v / (1 + 0.25) as n from {t}"),
        ),
        (
            format!("select v from {t} where pays(v)"),
            format!("select v from {t} where v / (1 + 0.25) > 1 and v in (1.0, 2.0, 3.0)"),
        ),
        (
            format!("select v from {t} where v in (select net(v) from {t})"),
            format!("select v from {t} where v in (select v / (1 + 0.25) from {t})"),
        ),
    ] {
        let inlined = inline(analyzed(&context, &with)).unwrap();
        assert!(inlined.transformed, "{with}");
        let calls = required_functions(&inlined.data);
        assert!(
            !calls.contains("net") && !calls.contains("pays"),
            "{calls:?}"
        );
        let plain = analyzed(&context, &without);
        assert!(!inline(plain.clone()).unwrap().transformed);
        let state = context.state();
        let optimized = |plan: &LogicalPlan| state.optimize(plan).unwrap();
        assert_eq!(
            plan_digest(&optimized(&inlined.data)).unwrap().digest,
            plan_digest(&optimized(&plain)).unwrap().digest,
            "{with}"
        );
    }
}

#[test]
fn the_order_of_files_and_statements_does_not_matter() {
    let (a, b) = (
        "create function a(n bigint) return b(n) + 1",
        "create function b(n bigint) return n * 2",
    );
    let names = |macros: Macros| -> Vec<String> {
        macros
            .functions()
            .iter()
            .map(|function| function.name().to_owned())
            .collect()
    };
    for texts in [
        vec![a, b],
        vec![b, a],
        vec![
            "create function a(n bigint) return b(n) + 1; create function b(n bigint) return n * 2",
        ],
    ] {
        assert_eq!(names(planned(&texts).unwrap()), ["b", "a"]);
    }
}

#[test]
fn a_set_of_the_kept_statements_declares_the_same_macros() {
    let macros = planned(&[
        NET,
        "create function twice(n bigint) return net(n) * 2; -- so be it",
    ])
    .unwrap();
    let kept = macros.definitions().values().cloned().collect();
    let again = MacroSet::parse(kept, Dialect::Generic)
        .unwrap()
        .plan(&session().state())
        .unwrap();
    assert_eq!(again.functions(), macros.functions());
    assert_eq!(again.definitions(), macros.definitions());
}

#[test]
fn rings_are_refused_with_their_members() {
    assert_eq!(
        refused(&["create function f(n bigint) return f(n - 1)"]),
        "CA-UDF-0032 macros/m0.sql:1:17 the macro `f` calls itself: f -> f"
    );
    let ring = refused(&[
        "create function a(n bigint) return abs(b(n));",
        "create function c(n bigint) return a(n);\n\ncreate function b(n bigint) return c(n);",
    ]);
    assert_eq!(
        ring,
        "CA-UDF-0032 macros/m0.sql:1:17 macros call each other in a ring: a -> b -> c -> a"
    );
    let by_default = refused(&["create function d(n bigint default d(1)) return n"]);
    assert!(by_default.starts_with("CA-UDF-0032"), "{by_default}");
}

#[test]
fn what_is_no_macro_is_refused_with_its_place() {
    for (sql, start, contains) in [
        (
            "create function f(n bigint) returm n",
            "CA-UDF-0030 macros/m0.sql:1:29",
            "returm",
        ),
        ("create function f(n bigint) return", "CA-UDF-0030", ""),
        ("select 1", "CA-UDF-0031 macros/m0.sql", "SELECT 1"),
        ("drop function f", "CA-UDF-0031", "DROP FUNCTION"),
        (
            "create function f(n bigint)",
            "CA-UDF-0031 macros/m0.sql:1:17",
            "needs a body",
        ),
        (
            "create function s.f(n bigint) return n",
            "CA-UDF-0031",
            "no schema",
        ),
        (
            "create temporary function f(n bigint) return n",
            "CA-UDF-0031",
            "TEMPORARY",
        ),
        (
            "create function f(n bigint) strict return n",
            "CA-UDF-0031",
            "null input",
        ),
        (
            "create function f(n bigint) language python return n",
            "CA-UDF-0031",
            "other than SQL",
        ),
        (
            "create function f(bigint) return $1",
            "CA-UDF-0031",
            "no name",
        ),
        (
            "create function f(n bigint, n int) return n",
            "CA-UDF-0031",
            "two arguments `n`",
        ),
        (
            "create function f(n bigint default 1, m bigint) return n",
            "CA-UDF-0031",
            "`m` has no default",
        ),
        (
            "create function f(n bigint) return n; create function F(n int) return n",
            "CA-UDF-0033 macros/m0.sql:1:55",
            "two macros `f`",
        ),
        (
            "create function abs(n bigint) return n",
            "CA-UDF-0033",
            "`abs` is the name of a function",
        ),
        (
            "create function mode(n bigint) return n",
            "CA-UDF-0033",
            "`mode`",
        ),
        (
            "create function f(n bigint) return m",
            "CA-UDF-0034 macros/m0.sql:1:17",
            "sees its arguments alone",
        ),
        (
            "create function f(n bigint) return $m",
            "CA-UDF-0034",
            "no argument `$m`",
        ),
        (
            "create function f(n bigint) return sum(n)",
            "CA-UDF-0034",
            "aggregate function",
        ),
        (
            "create function f(n bigint) return row_number() over ()",
            "CA-UDF-0034",
            "window function",
        ),
        (
            "create function f(n bigint) return (select 1)",
            "CA-UDF-0034",
            "subquery",
        ),
        (
            "create function f(n bigint) return unnest([n])",
            "CA-UDF-0034",
            "unnest",
        ),
        (
            "create function f(n bigint) return nonsense(n)",
            "CA-UDF-0034",
            "nonsense",
        ),
        (
            "create function f(n bigint) returns varchar return n",
            "CA-UDF-0034",
            "write a CAST",
        ),
        (
            "create function f(n bigint) return n || 'a' + 1",
            "CA-UDF-0034",
            "",
        ),
        (
            "create function f(n nosuchtype) return n",
            "CA-UDF-0034",
            "",
        ),
        (
            "create function f(n bigint default 'x') return n",
            "CA-UDF-0034",
            "n is declared as Int64",
        ),
        (
            "create function f(n bigint) immutable return n + random()",
            "CA-UDF-0034",
            "declared as Immutable",
        ),
    ] {
        let found = refused(&[sql]);
        assert!(found.starts_with(start), "{sql}\n{found}");
        assert!(found.contains(contains), "{sql}\n{found}");
        assert_eq!(found.lines().count(), 1, "{sql}\n{found}");
    }
}

#[test]
fn all_errors_come_at_once_and_each_once() {
    let found = refused(&[
        "create function a(n bigint) return nothing(n); create function b(n bigint) return a(n);",
        "create function c(n bigint) return m; create function ok(n bigint) return n",
    ]);
    assert_eq!(found.lines().count(), 2, "{found}");
}

#[test]
fn a_wrong_call_is_refused() {
    let context = context_with(&[
        NET,
        "create function square(n double) return n * n; create function one(n double) return 1",
    ]);
    for (call, contains) in [
        ("net()", "net"),
        ("net(1, 2, 3)", "net"),
        ("net('a')", "net"),
        ("square(random())", "volatile"),
    ] {
        let found = error(&context, &format!("select {call}"));
        assert!(found.contains(contains), "{call}: {found}");
    }
    assert_eq!(rows(&context, "select one(random())"), ["1"]);
}

#[test]
fn a_session_takes_replaces_and_drops_macros() {
    let context = session();
    context
        .state_ref()
        .write()
        .set_function_factory(Arc::new(MacroFactory));
    let make = |sql: &str| assert_eq!(rows(&context, sql), Vec::<String>::new(), "{sql}");
    make(
        "create function net(price double, tax double default 0.25) returns double return $price / (1 + $tax)",
    );
    make("create function Twice(bigint) return $1 * 2");
    make("create function four(n bigint) return twice(twice($n))");
    assert_eq!(
        rows(&context, "select net(10), twice(4), four(1)"),
        ["8.0 | 8 | 4"]
    );
    let found = error(&context, "create function twice(n bigint) return $n");
    assert!(found.contains("OR REPLACE"), "{found}");
    make("create or replace function twice(n bigint) return $n * 3");
    // What calls it holds the body that it had.
    assert_eq!(rows(&context, "select twice(4), four(1)"), ["12 | 4"]);
    make("drop function twice");
    let found = error(&context, "select twice(4)");
    assert!(found.contains("twice"), "{found}");
    assert_eq!(rows(&context, "select four(1)"), ["4"]);
    make("create function twice(n bigint) return $n + $n");
    assert_eq!(rows(&context, "select twice(4)"), ["8"]);
    for (sql, contains) in [
        (
            "create function abs(n bigint) return $n",
            "a macro does not replace",
        ),
        (
            "create or replace function abs(n bigint) return $n",
            "a macro does not replace",
        ),
        (
            "create or replace function twice(n bigint) return twice($n)",
            "twice -> twice",
        ),
        ("create function f(n bigint) return $m", "$m"),
        ("create function f(n bigint)", "no body"),
    ] {
        let found = error(&context, sql);
        assert!(found.contains(contains), "{sql}: {found}");
    }
}

//! What makes two runs over the same inputs differ is found and named.

use crate::support::Session;

#[test]
fn volatile_functions_are_found_wherever_they_are() {
    let session = Session::new();
    for sql in [
        "SELECT random() AS x",
        "SELECT a FROM t WHERE random() < 0.5",
        "SELECT a FROM t ORDER BY random()",
        "SELECT max(random()) AS x FROM t",
        "SELECT sum(a) OVER (PARTITION BY floor(random())) AS x FROM t",
        "SELECT a FROM t WHERE a > (SELECT max(b * random()) FROM u)",
        "SELECT CASE WHEN a > 1 THEN random() END AS x FROM t",
        "SELECT t.a FROM t JOIN u ON t.d < random()",
    ] {
        assert_eq!(session.plan_digest(sql).volatile, ["random"], "{sql}");
    }
    assert_eq!(
        session
            .plan_digest("SELECT uuid() AS x, random() AS y")
            .volatile,
        ["random", "uuid"]
    );
}

#[test]
fn a_plan_without_volatile_functions_has_none() {
    let session = Session::new();
    for sql in [
        "SELECT a FROM t",
        "SELECT now() AS x",
        "SELECT sqrt(d) AS x FROM t",
    ] {
        let digest = session.plan_digest(sql);
        assert!(
            digest.volatile.is_empty() && digest.opaque.is_empty(),
            "{sql}"
        );
    }
}

#[test]
fn the_time_of_the_run_is_in_the_plan_or_the_plan_is_volatile() {
    let session = Session::new();
    let sql = "SELECT now() AS x, current_date() AS y";
    assert!(session.plan_digest(sql).volatile.is_empty());
    let digest = codeanatomy_plan::plan_digest(&session.logical(sql)).unwrap();
    assert_eq!(digest.volatile, ["current_date", "now"]);
}

#[test]
fn repeated_volatile_conditions_are_not_one() {
    let session = Session::new();
    let once = session.digest("SELECT a FROM t WHERE random() < 0.5");
    let twice = session.digest("SELECT a FROM t WHERE random() < 0.5 AND random() < 0.5");
    assert_ne!(once, twice);
}

#[test]
fn a_table_function_hides_its_arguments_and_is_never_reused() {
    let session = Session::new();
    let digest = session.plan_digest("SELECT value FROM generate_series(1, 10)");
    assert_eq!(digest.opaque, ["generate_series()"]);
    assert_eq!(digest.volatile, ["generate_series()"]);
    assert!(digest.tables.is_empty());
}

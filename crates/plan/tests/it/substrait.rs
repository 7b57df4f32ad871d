//! The Substrait form of plans, and where it has none.

use codeanatomy_plan::codes;
use codeanatomy_plan::forms::substrait::{FormSource, decode_substrait, substrait_form};

use crate::support::Session;

#[test]
fn a_plain_query_survives_substrait() {
    let session = Session::new();
    for sql in [
        "SELECT a, b FROM t WHERE a > 1",
        "SELECT a, sum(b) AS s FROM t GROUP BY a",
        "SELECT t.a, u.b FROM t JOIN u ON t.k = u.k ORDER BY t.a LIMIT 3",
    ] {
        let form = form(&session, sql).unwrap();
        assert!(form.validation.matches, "{sql}: {}", form.validation.reason);
    }
}

#[test]
fn the_bytes_do_not_depend_on_the_session() {
    let sql = "SELECT upper(c), lower(c), abs(a), sqrt(d), length(c), a + b, a - b, a * b FROM t \
               WHERE a > 1 AND b < 2 AND c LIKE 'x%' AND d IS NOT NULL";
    let bytes: Vec<_> = (0..4)
        .map(|_| form(&Session::new(), sql).unwrap().bytes)
        .collect();
    assert!(bytes.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_form_that_loses_meaning_does_not_validate() {
    let session = Session::new();
    let sql = "SELECT first_value(a) IGNORE NULLS OVER (ORDER BY k) AS x FROM t";
    assert!(!form(&session, sql).is_ok_and(|form| form.validation.matches));
}

#[test]
fn not_in_is_never_encoded_as_a_plain_anti_join() {
    let session = Session::new();
    let sql = "SELECT a FROM t WHERE a NOT IN (SELECT a FROM u)";
    let form = form(&session, sql).unwrap();
    assert_eq!(form.source, FormSource::Unoptimized);
    assert!(form.validation.matches, "{}", form.validation.reason);
}

#[test]
fn what_substrait_cannot_say_has_a_reason() {
    let session = Session::new();
    let sql = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 9) SELECT n FROM r";
    let missing = form(&session, sql).unwrap_err();
    assert!(missing.reason.contains("optimized plan"), "{missing}");
}

#[test]
fn damaged_bytes_are_an_error() {
    let session = Session::new();
    let bytes = form(&session, "SELECT a, b FROM t WHERE a > 1")
        .unwrap()
        .bytes;
    for length in 0..bytes.len() {
        let decoded = session.block_on(decode_substrait(&bytes[..length], &session.state));
        if let Err(error) = decoded {
            assert_eq!(error.code(), codes::UNREADABLE_FORM);
        }
    }
    let error = session.block_on(decode_substrait(b"\xff\xff\xff", &session.state));
    assert_eq!(error.unwrap_err().code(), codes::UNREADABLE_FORM);
}

fn form(
    session: &Session,
    sql: &str,
) -> Result<
    codeanatomy_plan::forms::substrait::SubstraitForm,
    codeanatomy_plan::forms::substrait::MissingForm,
> {
    let (optimized, logical) = (session.plan(sql), session.logical(sql));
    session.block_on(substrait_form(&optimized, &logical, &session.state))
}

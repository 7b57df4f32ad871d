//! A digest does not depend on the session, on its history or on the order of registration.

use std::collections::HashMap;
use std::sync::Arc;

use codeanatomy_plan::plan_digest;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::empty::EmptyTable;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::support::Session;

/// Queries for which the planner makes up names, numbered over the life of a session.
const QUERIES: &[&str] = &[
    "SELECT a FROM t WHERE k IN (SELECT k FROM u)",
    "SELECT a FROM t WHERE a > (SELECT max(b) FROM u WHERE u.k = t.k)",
    "SELECT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.b < t.b)",
    "SELECT a FROM t WHERE k NOT IN (SELECT id FROM v)",
    "SELECT a, (SELECT count(*) FROM u WHERE u.k = t.k) AS n FROM t",
    "SELECT a + b AS x, (a + b) * 2 AS y FROM t WHERE a + b > 3",
    "SELECT count(DISTINCT a), sum(DISTINCT a) FROM t",
    "SELECT a FROM t INTERSECT SELECT a FROM u",
    "SELECT unnest(list) AS x FROM t WHERE k IN (SELECT k FROM u)",
];

#[test]
fn what_was_planned_before_does_not_matter() {
    let forwards = Session::new();
    let backwards = Session::new();
    let mut one: Vec<_> = QUERIES.iter().map(|sql| forwards.digest(sql)).collect();
    let other: Vec<_> = QUERIES
        .iter()
        .rev()
        .map(|sql| backwards.digest(sql))
        .collect();
    one.reverse();
    assert_eq!(one, other);

    // The test is worth something only while the plans do differ in their names.
    let sql = QUERIES[1];
    let names = |session: &Session| session.plan(sql).display_indent().to_string();
    assert_ne!(names(&forwards), names(&forwards));
}

#[test]
fn planning_twice_in_one_session_gives_the_same_digest() {
    let session = Session::new();
    for sql in QUERIES {
        assert_eq!(session.digest(sql), session.digest(sql), "{sql}");
    }
}

#[test]
fn the_order_of_metadata_does_not_matter() {
    let digests: Vec<_> = [["one", "two", "three"], ["three", "one", "two"]]
        .into_iter()
        .map(|keys| digest_with_metadata(keys.map(|key| (key.to_owned(), key.to_owned())).into()))
        .collect();
    assert_eq!(digests[0], digests[1]);
    let other = digest_with_metadata([("one".to_owned(), "1".to_owned())].into());
    assert_ne!(digests[0], other);
}

#[test]
fn the_number_of_partitions_does_not_matter() {
    let session =
        |partitions| Session::with_config(SessionConfig::new().with_target_partitions(partitions));
    let (one, many) = (session(1), session(64));
    for sql in QUERIES {
        assert_eq!(one.digest(sql), many.digest(sql), "{sql}");
    }
}

fn digest_with_metadata(metadata: HashMap<String, String>) -> codeanatomy_vocab::Fingerprint {
    let field = Field::new("a", DataType::Int64, true).with_metadata(metadata.clone());
    let schema = Schema::new_with_metadata(vec![field], metadata);
    let ctx = SessionContext::new();
    ctx.register_table("m", Arc::new(EmptyTable::new(Arc::new(schema))))
        .unwrap();
    let plan = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(
            ctx.state()
                .create_logical_plan("SELECT a FROM m WHERE a > 1"),
        )
        .unwrap();
    plan_digest(&ctx.state().optimize(&plan).unwrap())
        .unwrap()
        .digest
}

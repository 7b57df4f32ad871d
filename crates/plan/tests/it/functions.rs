//! Every function of the engine is classified, so that a release which adds one is looked at.

use std::collections::BTreeSet;

use datafusion::prelude::SessionContext;

use crate::support::Session;

#[test]
fn renaming_a_column_below_a_function_of_the_engine_changes_nothing() {
    let session = Session::new();
    for call in [
        "abs(X)",
        "coalesce(X, 1)",
        "round(CAST(X AS DOUBLE), 1)",
        "named_struct('p', X)",
        "array_append(make_array(1), X)",
        "sum(X)",
        "median(X)",
        "array_agg(X ORDER BY k)",
        "rank() OVER (ORDER BY X)",
    ] {
        // The inner query keeps a name of its own, because a LIMIT stands between.
        let sql = |name: &str| {
            let call = call.replace('X', name);
            format!("SELECT {call} AS out FROM (SELECT a + b AS {name}, k FROM u LIMIT 5) s")
        };
        assert_eq!(
            session.digest(&sql("p")),
            session.digest(&sql("q")),
            "{call}"
        );
    }
}

#[test]
fn renaming_a_column_below_a_function_that_reads_names_changes_the_digest() {
    let session = Session::new();
    let sql = |name: &str| {
        format!("SELECT arrow_field({name}) AS out FROM (SELECT a + b AS {name} FROM u LIMIT 5) s")
    };
    assert_ne!(session.digest(&sql("p")), session.digest(&sql("q")));
}

#[test]
fn a_lambda_parameter_is_its_place() {
    let session = Session::with_lambdas();
    let digest = |call: &str| session.digest(&format!("SELECT {call} AS l FROM t"));
    assert_eq!(
        digest("array_transform(list, x -> x + 1)"),
        digest("array_transform(list, y -> y + 1)")
    );
    let nested = "array_transform(list, x -> array_max(array_transform(list, y -> Z)))";
    let mutants = [
        "array_transform(list, x -> x + 1)",
        "array_transform(list, x -> x + 2)",
        "array_transform(list, x -> x + a)",
        "array_transform(list, x -> x + b)",
        "array_transform(list, x -> a + 1)",
        "array_filter(list, x -> x > 1)",
        "array_filter(list, x -> x > 2)",
        &nested.replace('Z', "x"),
        &nested.replace('Z', "y"),
        &nested.replace('Z', "x - y"),
        &nested.replace('Z', "y - x"),
    ];
    let digests: BTreeSet<_> = mutants.iter().map(|call| digest(call)).collect();
    assert_eq!(digests.len(), mutants.len());
}

/// A function of the engine that is in no list is encoded with the names of its arguments: safe,
/// but a renamed alias then looks like a change. This test names it when the engine is upgraded.
#[test]
fn every_function_of_the_engine_is_classified() {
    let ctx = SessionContext::new();
    let state = ctx.state();
    let mut names = BTreeSet::new();
    for function in state.scalar_functions().values() {
        names.insert(("scalar", function.name().to_owned()));
    }
    for function in state.aggregate_functions().values() {
        names.insert(("aggregate", function.name().to_owned()));
    }
    for function in state.window_functions().values() {
        names.insert(("window", function.name().to_owned()));
    }
    for function in state.higher_order_functions().values() {
        names.insert(("higher-order", function.name().to_owned()));
    }
    let listed: BTreeSet<(&str, String)> = include_str!("../../src/canonical/name_blind.txt")
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(kind, name)| {
            let kinds = ["scalar", "aggregate", "window", "higher-order"];
            let kind = kinds.into_iter().find(|known| *known == kind).unwrap();
            (kind, name.to_owned())
        })
        .collect();
    names.remove(&("scalar", "arrow_field".to_owned()));
    let missing: Vec<_> = names.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&names).collect();
    assert!(
        missing.is_empty(),
        "read their implementations: {missing:?}"
    );
    assert!(gone.is_empty(), "no longer the engine's: {gone:?}");
}

//! Operators over spans, and rules with tags.

use codeanatomy_udf::PlatformOptions;

use crate::support::{error, rows, session, session_with};

#[test]
fn operators_over_spans_are_calls() {
    let context = session();
    for (operator, call) in [
        ("span_make(0, 5) && span_make(4, 9)", "true"),
        ("span_make(0, 5) && span_make(5, 9)", "false"),
        ("span_make(0, 5) @> span_make(1, 2)", "true"),
        ("span_make(0, 5) @> 5", "false"),
        ("span_make(1, 2) <@ span_make(0, 5)", "true"),
        ("[1, 2] @> [1]", "true"),
    ] {
        assert_eq!(
            rows(&context, &format!("SELECT {operator}")),
            [call],
            "{operator}"
        );
    }
}

#[test]
fn without_their_planner_there_are_no_operators_over_spans() {
    let context = session_with(PlatformOptions::default());
    error(&context, "SELECT span_make(0, 5) && span_make(4, 9)");
}

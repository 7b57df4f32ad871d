//! Plans with the functions: their digests, and their forms.

use std::collections::BTreeMap;
use std::sync::Arc;

use codeanatomy_plan::forms::{FormKind, PlanSource, executed_forms, restore_plan};
use codeanatomy_plan::{plan_digest, required_functions};
use datafusion::arrow::array::Array;
use datafusion::datasource::provider_as_source;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{LogicalPlan, TableSource};
use datafusion::prelude::SessionContext;

use crate::calls::{CALLS, columns};
use crate::support::{register, run, session};

fn context() -> SessionContext {
    let context = session();
    register(&context, &columns(), &[columns()[0].1.len()]);
    context
}

fn plans(state: &SessionState, sql: &str) -> (LogicalPlan, LogicalPlan) {
    let logical = run(state.create_logical_plan(sql)).unwrap();
    let analyzed = state
        .analyzer()
        .execute_and_check(logical, state.config_options(), |_, _| {})
        .unwrap();
    let optimized = state.optimize(&analyzed).unwrap();
    (analyzed, optimized)
}

#[test]
fn the_digest_of_a_plan_names_the_function_and_tells_calls_apart() {
    let context = context();
    let state = context.state();
    let mut digests = BTreeMap::new();
    for call in CALLS {
        let (analyzed, optimized) = plans(&state, &format!("SELECT {call} AS result FROM t"));
        let digest = plan_digest(&optimized).unwrap();
        assert_eq!(digest.volatile, Vec::<String>::new(), "{call}");
        let again = plans(&context.state(), &format!("SELECT {call} AS result FROM t")).1;
        assert_eq!(plan_digest(&again).unwrap().digest, digest.digest, "{call}");
        let name = call.split('(').next().unwrap();
        let name = if name == "list_compact" {
            "array_compact"
        } else {
            name
        };
        assert!(required_functions(&analyzed).contains(name), "{call}");
        if let Some(other) = digests.insert(digest.digest, call) {
            panic!("{call} and {other} have one digest");
        }
    }
}

#[test]
fn a_plan_with_each_function_survives_its_forms() {
    let context = context();
    let state = context.state();
    let provider = run(context.table_provider("t")).unwrap();
    let tables: BTreeMap<String, Arc<dyn TableSource>> =
        BTreeMap::from([("t".to_owned(), provider_as_source(provider))]);
    let mut broken = Vec::new();
    for call in CALLS {
        let (analyzed, optimized) = plans(&state, &format!("SELECT {call} AS result FROM t"));
        let digest = plan_digest(&optimized).unwrap().digest;
        let functions = required_functions(&analyzed);
        let source = PlanSource {
            optimized: &optimized,
            unoptimized: &analyzed,
            digest,
            functions: &functions,
        };
        let forms = executed_forms(&source, &tables, &state);
        if !forms.protobuf.validation.matches {
            broken.push(format!("{call}: {}", forms.protobuf.validation.reason));
            continue;
        }
        let bytes = forms.protobuf.content.unwrap().bytes;
        restore_plan(FormKind::Protobuf, &bytes, &tables, &state, digest).unwrap();
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn calls_of_constants_are_computed_by_the_planner() {
    let state = session().state();
    for call in [
        "stable_hash64('a')",
        "stable_id_parts('p', 'a', 1)",
        "span_len(span_make(1, 2))",
        "utf8_normalize('A', 'NFC', true)",
        "list_unique_sorted([2, 1])",
        "map_get_default(MAP {'a': 1}, 'a', 0)",
        "cdf_is_delete('delete')",
    ] {
        let (_, optimized) = plans(&state, &format!("SELECT {call} AS result"));
        let text = optimized.display_indent().to_string();
        let name = call.split('(').next().unwrap();
        assert!(!text.contains(&format!("{name}(")), "{text}");
    }
}

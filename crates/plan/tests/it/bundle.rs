//! What is in which key.

use std::collections::{BTreeMap, BTreeSet};

use codeanatomy_plan::forms::{FormContent, FormSource, PlanForms};
use codeanatomy_plan::{
    ComponentClass, ContractIdentity, DeltaInput, Determinism, IdentityInputs, InputIdentity,
    InputKind, PlanBundle, PlanBundleArtifact, codes,
};
use codeanatomy_vocab::{Fingerprint, ViewName};

use crate::support::Session;

const SQL: &str = "SELECT t.a, upper(u.c) AS c FROM t JOIN u ON t.k = u.k WHERE t.b > 1 + 1";

fn fingerprint(byte: u8) -> Fingerprint {
    Fingerprint::from_bytes([byte; 32])
}

fn text_map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn input(identity: u8, footprint: u8) -> InputIdentity {
    InputIdentity {
        kind: InputKind::Dataset,
        identity: fingerprint(identity),
        footprint: fingerprint(footprint),
        schema: fingerprint(5),
        store_policy: Some(fingerprint(6)),
        detail: format!("version {identity}"),
    }
}

fn inputs() -> IdentityInputs {
    IdentityInputs {
        engine_version: "55.2.0".to_owned(),
        planning_env: text_map(&[("profile", "default")]),
        semantic_settings: text_map(&[("datafusion.execution.time_zone", "UTC")]),
        identity_settings: text_map(&[("datafusion.optimizer.max_passes", "3")]),
        performance_settings: text_map(&[("datafusion.execution.batch_size", "8192")]),
        rulepack: vec!["push_down_filter".to_owned(), "push_down_limit".to_owned()],
        parameters: text_map(&[("since", "Date32 2026-01-01")]),
        run_time_unix_ms: Some(1_700_000_000_000),
        function_registry: Some(fingerprint(7)),
        functions: BTreeMap::from([("upper".to_owned(), fingerprint(9))]),
        contract: None,
        inputs: BTreeMap::from([("t".to_owned(), input(1, 2)), ("u".to_owned(), input(3, 4))]),
        ..IdentityInputs::default()
    }
}

fn bundle(sql: &str, inputs: &IdentityInputs) -> PlanBundle {
    let session = Session::new();
    let view = ViewName::new("orders_by_region").unwrap();
    PlanBundle::new(&view, session.logical(sql), session.plan(sql), inputs).unwrap()
}

/// Whether a change of the inputs changes the plan fingerprint and the result key.
#[track_caller]
fn check(what: &str, change: impl FnOnce(&mut IdentityInputs), fingerprint: bool, key: bool) {
    let before = bundle(SQL, &inputs());
    let mut changed = inputs();
    change(&mut changed);
    let after = bundle(SQL, &changed);
    assert_eq!(
        before.plan_fingerprint != after.plan_fingerprint,
        fingerprint,
        "{what}"
    );
    assert_eq!(before.result_key != after.result_key, key, "{what}");
    assert_eq!(before.digest, after.digest, "{what}");
}

#[test]
fn what_can_change_a_row_changes_both_keys() {
    check(
        "engine",
        |i| i.engine_version = "55.3.0".to_owned(),
        true,
        true,
    );
    check(
        "time zone",
        |i| {
            i.semantic_settings = text_map(&[("datafusion.execution.time_zone", "+01:00")]);
        },
        true,
        true,
    );
    check(
        "data of a table",
        |i| {
            i.inputs.insert("t".to_owned(), input(1, 99));
        },
        true,
        true,
    );
    check(
        "implementation of a function",
        |i| {
            i.functions.insert("upper".to_owned(), fingerprint(10));
        },
        true,
        true,
    );
    check(
        "rewrite that made the plan",
        |i| {
            i.planned_with.insert("span_operators".to_owned());
        },
        true,
        true,
    );
    check(
        "rewrite that a function needs",
        |i| {
            let tags = BTreeSet::from(["fusion".to_owned()]);
            i.rewrite_tags.insert("upper".to_owned(), tags);
        },
        true,
        true,
    );
    check(
        "parameter",
        |i| i.parameters = text_map(&[("since", "Date32 2026-01-02")]),
        true,
        true,
    );
    check(
        "contract that alters rows",
        |i| i.contract = Some(contract(true)),
        true,
        true,
    );
}

#[test]
fn what_can_change_the_plan_alone_changes_the_fingerprint_alone() {
    check(
        "version without new data",
        |i| {
            i.inputs.insert("t".to_owned(), input(99, 2));
        },
        true,
        false,
    );
    check(
        "setting of the optimizer",
        |i| {
            i.identity_settings
                .insert("datafusion.optimizer.max_passes".to_owned(), "4".to_owned());
        },
        true,
        false,
    );
    check(
        "profile",
        |i| i.planning_env = text_map(&[("profile", "prod")]),
        true,
        false,
    );
    check(
        "column that the view does not read",
        |i| {
            if let Some(input) = i.inputs.get_mut("t") {
                input.schema = fingerprint(99);
            }
        },
        true,
        false,
    );
    check(
        "options of a store",
        |i| {
            if let Some(input) = i.inputs.get_mut("t") {
                input.store_policy = Some(fingerprint(99));
            }
        },
        true,
        false,
    );
    check(
        "functions of the session",
        |i| i.function_registry = Some(fingerprint(99)),
        true,
        false,
    );
    check(
        "functions and rewrites of the session",
        |i| i.udf_snapshot = Some(fingerprint(99)),
        true,
        false,
    );
    check("order of the rules", |i| i.rulepack.reverse(), true, false);
    check(
        "contract that only checks",
        |i| i.contract = Some(contract(false)),
        true,
        false,
    );
}

#[test]
fn what_does_not_concern_the_view_changes_no_key() {
    check(
        "batch size",
        |i| {
            i.performance_settings
                .insert("datafusion.execution.batch_size".to_owned(), "1".to_owned());
        },
        false,
        false,
    );
    check(
        "dataset that the view does not read",
        |i| {
            i.inputs.insert("v".to_owned(), input(7, 7));
        },
        false,
        false,
    );
    check(
        "rewrite that the plan does not need",
        |i| {
            i.rewrites.insert("fusion".to_owned(), fingerprint(7));
            let tags = BTreeSet::from(["fusion".to_owned()]);
            i.rewrite_tags.insert("lower".to_owned(), tags);
        },
        false,
        false,
    );
    check(
        "function that the view does not call",
        |i| {
            i.functions.insert("lower".to_owned(), fingerprint(7));
        },
        false,
        false,
    );
    check(
        "time of the run, which the view does not ask for",
        |i| i.run_time_unix_ms = Some(0),
        false,
        false,
    );
    check(
        "wording",
        |i| {
            if let Some(input) = i.inputs.get_mut("t") {
                input.detail = "other words".to_owned();
            }
        },
        false,
        false,
    );
}

#[test]
fn two_tables_do_not_swap_their_data_unnoticed() {
    check(
        "swapped footprints",
        |i| {
            i.inputs.insert("t".to_owned(), input(1, 4));
            i.inputs.insert("u".to_owned(), input(3, 2));
        },
        true,
        true,
    );
}

#[test]
fn the_name_of_the_view_is_in_no_key() {
    let session = Session::new();
    let named = |name: &str| {
        let view = ViewName::new(name).unwrap();
        PlanBundle::new(&view, session.logical(SQL), session.plan(SQL), &inputs()).unwrap()
    };
    let (one, other) = (named("one"), named("other"));
    assert_eq!(one.plan_fingerprint, other.plan_fingerprint);
    assert_eq!(one.result_key, other.result_key);
}

#[test]
fn another_query_has_other_keys() {
    let (one, other) = (bundle(SQL, &inputs()), bundle("SELECT a FROM t", &inputs()));
    assert_ne!(one.plan_fingerprint, other.plan_fingerprint);
    assert_ne!(one.result_key, other.result_key);
    assert_ne!(one.plan_fingerprint, one.result_key);
}

#[test]
fn a_table_without_an_identity_is_named() {
    let session = Session::new();
    let mut inputs = inputs();
    inputs.inputs.remove("u");
    let view = ViewName::new("x").unwrap();
    let error = PlanBundle::new(&view, session.logical(SQL), session.plan(SQL), &inputs)
        .err()
        .unwrap();
    assert_eq!(error.code(), codes::INPUT_WITHOUT_IDENTITY);
    assert!(error.to_string().contains("`u`"), "{error}");
}

#[test]
fn a_function_that_the_optimizer_computed_is_still_required() {
    let sql = "SELECT a FROM t WHERE c = upper('x')";
    let bundle = bundle(sql, &inputs());
    assert!(!bundle.digest.functions.contains("upper"));
    assert!(bundle.required_udfs.contains("upper"));
    assert!(
        bundle
            .components
            .iter()
            .any(|component| component.name == "function")
    );
}

#[test]
fn another_version_of_a_needed_rewrite_is_another_key() {
    let with = |digest| {
        let mut inputs = inputs();
        inputs.planned_with.insert("fusion".to_owned());
        inputs
            .rewrites
            .insert("fusion".to_owned(), fingerprint(digest));
        bundle(SQL, &inputs)
    };
    let (one, other) = (with(1), with(2));
    assert_ne!(one.result_key, other.result_key);
    assert_eq!(
        one.required_rewrite_tags,
        BTreeSet::from(["fusion".to_owned()])
    );
}

#[test]
fn the_audit_lists_every_component_once_in_order() {
    let bundle = bundle(SQL, &inputs());
    let names: Vec<_> = bundle
        .components
        .iter()
        .map(|component| (component.name, component.subject.as_deref().unwrap_or("")))
        .collect();
    assert_eq!(
        names,
        [
            ("delta_store_policy", "t"),
            ("delta_store_policy", "u"),
            ("df_settings_identity", ""),
            ("df_settings_performance", ""),
            ("df_settings_semantic", ""),
            ("engine_version", ""),
            ("function", "upper"),
            ("function_registry", ""),
            ("information_schema", "t"),
            ("information_schema", "u"),
            ("input_footprint", "t"),
            ("input_footprint", "u"),
            ("input_identity", "t"),
            ("input_identity", "u"),
            ("parameter", "since"),
            ("plan_digest", ""),
            ("planning_env", ""),
            ("rulepack", ""),
        ]
    );
    let in_no_key = bundle
        .components
        .iter()
        .filter(|c| c.class == ComponentClass::Performance);
    assert_eq!(in_no_key.count(), 1);
}

#[test]
fn an_artifact_is_read_back_as_it_was_written() {
    let bundle = bundle(SQL, &inputs());
    let artifact = kept(&bundle);
    let text = artifact.to_json().unwrap();
    assert_eq!(PlanBundleArtifact::from_json(&text).unwrap(), artifact);
    let bytes = artifact.to_msgpack().unwrap();
    assert_eq!(PlanBundleArtifact::from_msgpack(&bytes).unwrap(), artifact);
    assert!(bytes.len() < text.len());
    assert_eq!(artifact.determinism.class, Determinism::D1);
    let tables: Vec<_> = artifact.delta_inputs.iter().map(|i| &i.table).collect();
    assert_eq!(tables, ["t", "u"]);
    assert!(
        artifact
            .plan_details
            .optimized_plan_dot
            .starts_with("\n// Begin DataFusion GraphViz Plan")
    );
}

#[test]
fn an_artifact_of_another_format_or_a_damaged_one_is_refused() {
    let artifact = kept(&bundle(SQL, &inputs()));
    let text = artifact.to_json().unwrap();
    let newer = text.replacen("\"format_version\": 2", "\"format_version\": 3", 1);
    let error = PlanBundleArtifact::from_json(&newer).unwrap_err();
    assert_eq!(error.code(), codes::UNKNOWN_ARTIFACT_FORMAT);
    let other_key = text.replacen("\"opaque\": []", "\"opaque\": [\"x\"]", 1);
    let compact = serde_json::from_str::<serde_json::Value>(&text)
        .unwrap()
        .to_string();
    let more = format!("{text}\n");
    for damaged in [
        "",
        "{}",
        "[]",
        &text[..text.len() / 2],
        &other_key,
        &compact,
        &more,
    ] {
        let error = PlanBundleArtifact::from_json(damaged).unwrap_err();
        assert_eq!(error.code(), codes::DAMAGED_ARTIFACT);
    }
}

#[test]
fn a_bundle_with_any_other_byte_is_refused() {
    let artifact = kept(&bundle("SELECT a FROM t", &inputs()));
    let refused = [codes::DAMAGED_ARTIFACT, codes::UNKNOWN_ARTIFACT_FORMAT];
    let text = artifact.to_json().unwrap();
    for place in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        for bit in [0, 3, 5] {
            bytes[place] ^= 1 << bit;
            // Text that is no longer Unicode is not even a string.
            if let Ok(flipped) = std::str::from_utf8(&bytes) {
                let error = PlanBundleArtifact::from_json(flipped).unwrap_err();
                assert!(refused.contains(&error.code()), "byte {place}, bit {bit}");
            }
            bytes[place] ^= 1 << bit;
        }
    }
    let bytes = artifact.to_msgpack().unwrap();
    for place in 0..bytes.len() {
        let mut flipped = bytes.clone();
        for bit in 0..8 {
            flipped[place] ^= 1 << bit;
            let error = PlanBundleArtifact::from_msgpack(&flipped).unwrap_err();
            assert!(refused.contains(&error.code()), "byte {place}, bit {bit}");
            flipped[place] ^= 1 << bit;
        }
        assert!(PlanBundleArtifact::from_msgpack(&bytes[..place]).is_err());
    }
}

/// A bundle as it is kept, with a form and two Delta tables.
fn kept(bundle: &PlanBundle) -> PlanBundleArtifact {
    let mut forms = PlanForms::missing("it was not made");
    forms.protobuf.content = Some(FormContent::new(
        FormSource::Optimized,
        vec![0, 1, 254, 255],
    ));
    let input = |table: &str| DeltaInput {
        table: table.to_owned(),
        location: format!("data/{table}"),
        version: 12,
        committed_at: Some(1_700_000_000_000),
        footprint: fingerprint(7),
    };
    bundle.artifact(forms, vec![input("u"), input("t")])
}

fn contract(alters_rows: bool) -> ContractIdentity {
    ContractIdentity {
        hash: fingerprint(5),
        alters_rows,
        detail: "STRICT".to_owned(),
    }
}

#[test]
fn the_time_of_the_run_counts_where_a_view_asks_for_it() {
    let at = |run_time| {
        let inputs = IdentityInputs {
            run_time_unix_ms: Some(run_time),
            ..inputs()
        };
        bundle("SELECT a FROM t WHERE now() > '2020-01-01'", &inputs)
    };
    let (one, other) = (at(1_700_000_000_000), at(1_700_000_000_001));
    let has = |bundle: &PlanBundle| bundle.components.iter().any(|c| c.name == "run_time");
    assert!(has(&one) && !has(&bundle(SQL, &inputs())));
    assert_ne!(one.result_key, other.result_key);
}

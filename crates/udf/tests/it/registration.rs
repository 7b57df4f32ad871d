//! Registration: once, in any order, and what stands in its way.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use codeanatomy_udf::{
    Docs, Entry, Example, Kind, Library, Parity, Platform, PlatformOptions, RowFunction, Snapshot,
    codes, snapshot,
};
use datafusion::arrow::array::Int64Array;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::logical_expr::registry::{FunctionRegistry, MemoryFunctionRegistry};
use datafusion::logical_expr::{Signature, TypeSignature, Volatility};
use datafusion::prelude::SessionContext;

use crate::support::{error, rows, session, session_with};

static DOCS: Docs = Docs {
    section: "test",
    summary: "The number seven.",
    syntax: "seven()",
    arguments: &[],
    returns: "Int64.",
    notes: &[],
    examples: &[Example {
        sql: "SELECT seven()",
        rows: &["7"],
    }],
};

/// A function of a name that gives a number.
fn function(name: &'static str, version: u32) -> Entry {
    RowFunction {
        name,
        aliases: Vec::new(),
        version,
        signature: Signature::one_of(
            vec![TypeSignature::Nullary, TypeSignature::Any(1)],
            Volatility::Immutable,
        ),
        strict: false,
        returns: |_| Ok(Field::new("", DataType::Int64, false)),
        kernel: |call| {
            let sevens = Int64Array::from(vec![7; call.rows]);
            Ok(Arc::new(sevens))
        },
        docs: &DOCS,
    }
    .entry()
}

fn library(name: &str, function_name: &'static str) -> Library {
    Library::new(name).with(function(function_name, 1)).unwrap()
}

fn lenient() -> PlatformOptions {
    PlatformOptions {
        strict: false,
        ..PlatformOptions::default()
    }
}

#[test]
fn registering_twice_is_registering_once() {
    let context = session();
    let before = snapshot(&context.state());
    let platform = Platform::new(PlatformOptions {
        enable_expr_planners: true,
        ..PlatformOptions::default()
    });
    assert_eq!(platform.register_context(&context).unwrap(), []);
    let state = context.state();
    assert_eq!(snapshot(&state), before);
    let planners = state.expr_planners().len();
    platform.register_context(&context).unwrap();
    assert_eq!(context.state().expr_planners().len(), planners);
}

#[test]
fn the_order_of_libraries_cannot_be_seen() {
    let (one, other) = (library("one", "seven"), library("other", "septem"));
    let snapshot_of = |libraries: [&Library; 2]| {
        let mut platform = Platform::new(PlatformOptions::default());
        for library in libraries {
            platform = platform.with_library(library.clone());
        }
        let context = SessionContext::new();
        platform.register_context(&context).unwrap();
        snapshot(&context.state())
    };
    assert_eq!(snapshot_of([&one, &other]), snapshot_of([&other, &one]));
}

#[test]
fn two_libraries_with_one_name_are_an_error_or_a_notice_in_any_order() {
    let (one, other) = (library("one", "seven"), library("other", "seven"));
    let platform = |options, libraries: [&Library; 2]| {
        libraries
            .into_iter()
            .fold(Platform::new(options), |platform, library| {
                platform.with_library(library.clone())
            })
    };
    let strict = platform(PlatformOptions::default(), [&one, &other]);
    let conflict = strict.register_context(&SessionContext::new()).unwrap_err();
    assert_eq!(conflict.code(), codes::CONFLICT);
    for libraries in [[&one, &other], [&other, &one]] {
        let context = SessionContext::new();
        let notices = platform(lenient(), libraries)
            .register_context(&context)
            .unwrap();
        assert_eq!(notices.len(), 1);
        assert_eq!(notices[0].function, "seven");
        let snapshot = snapshot(&context.state());
        assert_eq!(snapshot.get("seven").unwrap().library, "one");
    }
}

#[test]
fn a_function_of_the_engine_is_replaced_only_with_a_notice() {
    let platform = |options| Platform::new(options).with_library(library("mine", "abs"));
    let context = SessionContext::new();
    let conflict = platform(PlatformOptions::default())
        .register_context(&context)
        .unwrap_err();
    assert_eq!(conflict.code(), codes::CONFLICT);
    assert!(conflict.to_string().contains("`abs`"), "{conflict}");
    assert_eq!(rows(&context, "SELECT abs(-1)"), ["1"]);
    let notices = platform(lenient()).register_context(&context).unwrap();
    assert_eq!(notices.len(), 1);
    assert_eq!(rows(&context, "SELECT abs(-1)"), ["7"]);
    assert_eq!(platform(lenient()).register_context(&context).unwrap(), []);
}

#[test]
fn a_bare_registry_takes_the_functions() {
    let platform = Platform::new(PlatformOptions::default());
    let mut registry = MemoryFunctionRegistry::new();
    platform.register(&mut registry).unwrap();
    assert!(registry.udf("stable_id_parts").is_ok());
    assert!(registry.udf("array_compact").is_ok());
    let names = registry.udfs();
    platform.register(&mut registry).unwrap();
    assert_eq!(registry.udfs(), names);
}

#[test]
fn options_that_let_nothing_in_leave_the_session_as_it_is() {
    let context = session_with(PlatformOptions {
        enable_udfs: false,
        ..PlatformOptions::default()
    });
    let message = error(&context, "SELECT stable_hash64('a')");
    assert!(message.contains("stable_hash64"), "{message}");
}

#[test]
fn an_unknown_planner_is_named_with_the_nearest() {
    let options = PlatformOptions {
        enable_expr_planners: true,
        expr_planner_names: vec!["span_operator".to_owned()],
        ..PlatformOptions::default()
    };
    let unknown = Platform::new(options)
        .register_context(&SessionContext::new())
        .unwrap_err();
    assert_eq!(unknown.code(), codes::UNKNOWN_PLANNER);
    assert_eq!(unknown.nearest(), Some("span_operators"));
}

#[test]
fn a_snapshot_is_kept_until_a_function_comes_or_goes() {
    let context = session();
    let first = snapshot(&context.state());
    assert!(Arc::ptr_eq(&first, &snapshot(&context.state())));
    assert!(Arc::ptr_eq(&first, &snapshot(&context.state())));
    Platform::new(PlatformOptions::default())
        .with_library(library("mine", "seven"))
        .register_context(&context)
        .unwrap();
    let second = snapshot(&context.state());
    assert_ne!(first.hash, second.hash);
    context.deregister_udf("seven");
    let third = snapshot(&context.state());
    assert!(third.get("seven").is_none());
    assert_eq!(third.functions, first.functions);
}

#[test]
fn the_end_of_a_session_frees_its_snapshot() {
    let context = session();
    let weak: Weak<Snapshot> = Arc::downgrade(&snapshot(&context.state()));
    assert!(weak.upgrade().is_some());
    drop(context);
    assert!(weak.upgrade().is_none());
}

#[test]
fn another_version_is_another_digest_and_another_snapshot() {
    let of_version = |version| {
        let library = Library::new("mine")
            .with(function("seven", version))
            .unwrap();
        let context = SessionContext::new();
        Platform::new(PlatformOptions::default())
            .with_library(library)
            .register_context(&context)
            .unwrap();
        snapshot(&context.state())
    };
    let (one, two) = (of_version(1), of_version(2));
    assert_ne!(one.hash, two.hash);
    assert_ne!(
        one.implementation_digests()["seven"],
        two.implementation_digests()["seven"]
    );
    assert_eq!(
        one.implementation_digests()["stable_id"],
        two.implementation_digests()["stable_id"]
    );
}

#[test]
fn a_snapshot_knows_functions_of_every_kind() {
    let snapshot = snapshot(&session().state());
    for (name, kind, library) in [
        ("stable_hash64", Kind::Scalar, "codeanatomy"),
        ("abs", Kind::Scalar, "datafusion"),
        ("sum", Kind::Aggregate, "datafusion"),
        ("row_number", Kind::Window, "datafusion"),
        ("udf_registry", Kind::Table, "codeanatomy"),
        ("array_transform", Kind::HigherOrder, "datafusion"),
    ] {
        let function = snapshot.get(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!(
            (function.kind, function.library.as_str()),
            (kind, library),
            "{name}"
        );
    }
    let hash = snapshot.get("stable_hash64").unwrap();
    assert_eq!(hash.return_types, ["Int64"]);
    assert!(!hash.signature_inputs.is_empty());
    assert!(hash.implementation_digest.is_some());
    assert_eq!(snapshot.get("list_compact").unwrap().name, "array_compact");
    assert_eq!(snapshot.names()["list_compact"], "array_compact");
}

#[test]
fn a_snapshot_survives_json() {
    let snapshot = snapshot(&session().state());
    let text = serde_json::to_string(&*snapshot).unwrap();
    assert_eq!(serde_json::from_str::<Snapshot>(&text).unwrap(), *snapshot);
}

#[test]
fn what_a_view_needs_and_the_session_lacks_is_named_with_the_nearest() {
    let snapshot = snapshot(&session().state());
    let set = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<BTreeSet<_>>()
    };
    let parity = snapshot.parity("sales", &set(&["stable_hash64", "list_compact"]), &set(&[]));
    assert!(parity.parity && parity.errors().is_empty());
    let parity: Parity =
        snapshot.parity("sales", &set(&["stable_hash46"]), &set(&["span_operator"]));
    assert!(!parity.parity);
    let errors = parity.errors();
    assert_eq!(errors.len(), 2);
    assert_eq!(errors[0].code(), codes::FUNCTION_NOT_FOUND);
    assert_eq!(errors[0].nearest(), Some("stable_hash64"));
    assert!(errors[0].to_string().contains("`sales`"));
    assert_eq!(errors[1].code(), codes::REWRITE_NOT_FOUND);
}

#[test]
fn a_table_of_functions_can_be_queried() {
    let context = session();
    assert_eq!(
        rows(
            &context,
            "SELECT library, version FROM udf_registry() WHERE name = 'stable_id'"
        ),
        ["codeanatomy | 1"]
    );
    let message = error(&context, "SELECT * FROM udf_registry(1)");
    assert!(message.contains("no argument"), "{message}");
}

#[test]
fn macros_are_made_where_the_options_let_them_in() {
    let sql = "CREATE FUNCTION double_it(value BIGINT) RETURNS BIGINT RETURN $value * 2";
    let context = session();
    rows(&context, sql);
    assert_eq!(rows(&context, "SELECT double_it(21)"), ["42"]);
    let without = session_with(PlatformOptions {
        enable_function_factory: false,
        ..PlatformOptions::default()
    });
    error(&without, sql);
}

//! The snapshot of a session: taken once, then kept.

#![expect(
    clippy::expect_used,
    reason = "a bench that cannot run has nothing to say"
)]

use std::sync::Arc;

use codeanatomy_udf::{Docs, Library, Platform, PlatformOptions, RowFunction, snapshot};
use datafusion::arrow::array::Int64Array;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::logical_expr::{Signature, Volatility};
use datafusion::prelude::SessionContext;
use divan::Bencher;

fn main() {
    divan::main();
}

static DOCS: Docs = Docs {
    section: "bench",
    summary: "A number.",
    syntax: "number(value)",
    arguments: &[("value", "A number.")],
    returns: "Int64.",
    notes: &[],
    examples: &[],
};

/// A session with so many functions besides those that it has anyway.
fn session(count: usize) -> SessionContext {
    let mut library = Library::new("bench");
    for number in 0..count {
        let function = RowFunction {
            // The names live as long as the program, as those of real functions do.
            name: Box::leak(format!("number_{number}").into_boxed_str()),
            aliases: Vec::new(),
            version: 1,
            signature: Signature::exact(vec![DataType::Int64], Volatility::Immutable),
            strict: false,
            returns: |_| Ok(Field::new("", DataType::Int64, false)),
            kernel: |call| Ok(Arc::new(Int64Array::from(vec![1; call.rows]))),
            docs: &DOCS,
        };
        library = library.with(function.entry()).expect("each name is new");
    }
    let context = SessionContext::new();
    Platform::new(PlatformOptions::default())
        .with_library(library)
        .register_context(&context)
        .expect("nothing is in the way");
    context
}

/// Snapshot and hash of a session to which a function just came: under 10 ms for 1,000.
#[divan::bench(args = [100, 1_000])]
fn taken(bencher: Bencher<'_, '_>, count: usize) {
    let context = session(count);
    let state = context.state();
    let function = state
        .scalar_functions()
        .get("number_0")
        .expect("it is registered");
    bencher
        .with_inputs(|| {
            // Another handle of the same function.
            context.register_udf(function.as_ref().clone());
            context.state()
        })
        .bench_local_refs(|state| snapshot(state));
}

/// The same once it is kept.
#[divan::bench(args = [100, 1_000])]
fn kept(bencher: Bencher<'_, '_>, count: usize) {
    let state = session(count).state();
    snapshot(&state);
    bencher.bench_local(|| snapshot(&state));
}

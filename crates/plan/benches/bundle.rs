//! What a view's bundle with all its forms costs, next to what the engine needs to plan the view.
//!
//! `cargo bench -p codeanatomy-plan --features forms --bench bundle`

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a bench that cannot run has nothing to say, and prints what it measured"
)]

use std::time::{Duration, Instant};

use codeanatomy_plan::forms::FormKind;
use codeanatomy_plan::plan_digest;
use codeanatomy_testkit::paired;
use datafusion::logical_expr::{ScalarUDF, Volatility, create_udf};

use self::corpus::Corpus;

#[path = "../tests/it/corpus.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod corpus;

const PAIRS: usize = 15;

fn main() {
    // Large plans recurse, as on the threads that plan views.
    std::thread::Builder::new()
        .stack_size(64 << 20)
        .spawn(measure)
        .expect("a thread for the bench")
        .join()
        .expect("the bench ran");
}

fn measure() {
    let (corpus, views) = Corpus::tpch();
    let mut bundles = Vec::new();
    let mut ratios = Vec::new();
    println!(
        "{:24} {:>12} {:>12} {:>7}",
        "view", "plan", "bundle", "ratio"
    );
    for view in &views {
        let (analyzed, optimized) = corpus.plan(&view.sql).expect("it was planned before");
        let found = paired(
            PAIRS,
            || {
                let bundle = corpus.bundle_of(analyzed.clone(), optimized.clone());
                corpus.forms(&bundle.expect("it has a digest"))
            },
            || corpus.plan(&view.sql),
        );
        println!(
            "{:24} {:>12.2?} {:>12.2?} {:>7.2}",
            view.name, found.second, found.first, found.ratio
        );
        bundles.push(found.first);
        ratios.push(found.ratio);
    }
    bundles.sort_unstable();
    ratios.sort_unstable_by(f64::total_cmp);
    println!(
        "median bundle with both forms: {:.2?} (at most 5 ms), {:.2} of planning (at most 1.5)",
        bundles[bundles.len() / 2],
        ratios[ratios.len() / 2]
    );
    measure_restore(&corpus, &views);
    measure_digest(&corpus);
    measure_registry();
}

/// What a replay does beyond planning: the first form that holds is decoded and its digest compared.
fn measure_restore(corpus: &Corpus, views: &[corpus::View]) {
    let mut medians: Vec<(Duration, &str)> = views
        .iter()
        .map(|view| {
            let forms = corpus.forms(&view.bundle);
            let digest = view.bundle.digest.digest;
            let (kind, content) = if forms.substrait.validation.matches {
                (FormKind::Substrait, forms.substrait.content)
            } else {
                (FormKind::Protobuf, forms.protobuf.content)
            };
            let bytes = content.expect("a form that holds has bytes").bytes;
            let times = (0..PAIRS).map(|_| time(|| corpus.restore(kind, &bytes, digest)));
            (median(times), view.name.as_str())
        })
        .collect();
    medians.sort_unstable();
    let (slowest, name) = medians[medians.len() - 1];
    println!(
        "start of a replay beyond planning: median {:.2?} (at most 1 ms), slowest {slowest:.2?} ({name})",
        medians[medians.len() / 2].0
    );
}

fn measure_digest(corpus: &Corpus) {
    let terms: Vec<String> = (0..10_000)
        .map(|number| format!("select n_name from nation where n_nationkey = {number}"))
        .collect();
    let parts = &terms[..3_334];
    let (_, plan) = corpus
        .plan(&parts.join(" union all "))
        .expect("a union of constants of a column");
    let times = (0..PAIRS).map(|_| time(|| plan_digest(&plan)));
    println!(
        "digest of a union of {} scans, filters and projections: {:.2?} (at most 20 ms)",
        parts.len(),
        median(times)
    );
}

/// A second bundle in a session with a thousand functions more.
fn measure_registry() {
    let (plain, views) = Corpus::tpch();
    let (mut full, _) = Corpus::tpch();
    for number in 0..1_000 {
        full.register(function(number));
    }
    let view = views
        .iter()
        .find(|view| view.name == "q01")
        .expect("the first query");
    let bundle = |corpus: &Corpus| {
        let (analyzed, optimized) = corpus.plan(&view.sql).expect("it was planned before");
        let bundle = corpus.bundle_of(analyzed, optimized);
        corpus.forms(&bundle.expect("it has a digest"))
    };
    let found = paired(PAIRS, || bundle(&full), || bundle(&plain));
    println!(
        "q01 with 1,000 more functions: {:.2?}, without: {:.2?}, ratio {:.3}",
        found.first, found.second, found.ratio
    );
}

fn function(number: usize) -> ScalarUDF {
    use datafusion::arrow::datatypes::DataType;
    let identity =
        std::sync::Arc::new(|args: &[datafusion::logical_expr::ColumnarValue]| Ok(args[0].clone()));
    create_udf(
        &format!("more_{number}"),
        vec![DataType::Int64],
        DataType::Int64,
        Volatility::Immutable,
        identity,
    )
}

fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    std::hint::black_box(work());
    start.elapsed()
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times[times.len() / 2]
}

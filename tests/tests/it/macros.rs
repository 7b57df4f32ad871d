//! SQL macros of a project: in plans and identities, and nowhere else.

use std::fs;

use codeanatomy::exec::ReplayOutcome;
use codeanatomy::udf::table::DeltaOpener;
use codeanatomy::udf::{Library, Platform, PlatformOptions};
use codeanatomy::{CancellationToken, PastRuns, ReplayOptions};
use datafusion::prelude::SessionContext;
use std::sync::Arc;

use crate::shop::{Shop, name};

const TAX: &str = "create function net(price double, tax double default 0.25) returns double\n\
                   return price / (1 + tax);\n\
                   create function cents(amount double) returns bigint return cast(round(amount * 100) as bigint);\n";

/// A shop with a stored view that calls macros, one of which calls another.
fn shop() -> Shop {
    let shop = Shop::new();
    shop.write("macros/tax.sql", TAX);
    shop.write(
        "macros/deep/more.sql",
        "create function net_cents(price double) returns bigint return cents(net(price))",
    );
    shop.view(
        "nets",
        "select region, sum(net_cents(price)) as net from orders group by region",
        "cache = 'delta_output'\n",
    );
    shop
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_calls_macros_and_is_built_again_when_what_they_say_changes() {
    let shop = shop();
    let first = shop.build().await;
    assert_eq!(
        shop.rows("nets").await,
        "| north  | 1760 |\n| south  | 1600 |"
    );
    let built = |report: &codeanatomy::exec::BuildReport| -> Vec<String> {
        let views = report.views.iter().filter(|view| view.was_built());
        views.map(|view| view.name.to_string()).collect()
    };
    assert!(built(&first).contains(&"nets".to_owned()), "{first:#?}");
    // White space, an argument by number and an unused macro change nothing.
    shop.write(
        "macros/tax.sql",
        &format!(
            "{}\ncreate function unused(n int) return n;",
            TAX.replace("price / ", "$1   / ")
        ),
    );
    assert_eq!(built(&shop.build().await), Vec::<String>::new());
    shop.write("macros/tax.sql", &TAX.replace("0.25", "0"));
    assert_eq!(built(&shop.build().await), ["nets"]);
    assert_eq!(
        shop.rows("nets").await,
        "| north  | 2200 |\n| south  | 2000 |"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_macro_that_changed_is_named_as_the_cause() {
    let shop = shop();
    let run = shop.build().await.run_id;
    shop.write("macros/tax.sql", &TAX.replace("0.25", "0"));
    let now = shop.planned().await.unwrap().inputs();
    let past = PastRuns::new(shop.root());
    let before = past.inputs(run.as_str()).unwrap();
    let why = past.why(&name("nets"), &before, &now).unwrap();
    assert!(why.proven && why.changed, "{why:#?}");
    let causes: Vec<_> = why
        .causes
        .iter()
        .map(|cause| (cause.subject.as_deref(), cause.file.as_deref()))
        .collect();
    assert_eq!(causes, [(Some("net"), Some("macros/tax.sql"))]);
    let other = past.why(&name("by_region"), &before, &now).unwrap();
    assert!(!other.changed, "{other:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_replayed_with_the_macros_that_it_had() {
    let shop = shop();
    let run = shop.build().await.run_id;
    fs::remove_dir_all(shop.root().join("macros")).unwrap();
    let options = ReplayOptions {
        views: vec![name("nets")],
        verify: true,
    };
    let replay = || async {
        let past = PastRuns::new(shop.root());
        let report = past
            .replay(run.as_str(), &options, None, &CancellationToken::new())
            .await
            .unwrap();
        report.views[0].clone()
    };
    let view = replay().await;
    assert_eq!(view.outcome, ReplayOutcome::Verified, "{view:#?}");
    // Without the forms of the plan the text is planned again.
    let bundles = shop
        .root()
        .join(".codeanatomy/runs")
        .join(run.as_str())
        .join("bundles");
    if bundles.is_dir() {
        fs::remove_dir_all(bundles).unwrap();
    }
    let view = replay().await;
    assert_eq!(view.outcome, ReplayOutcome::Verified, "{view:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_macros_are_errors_with_their_place() {
    let shop = shop();
    shop.write(
        "macros/ring.sql",
        "create function a(n int) return b(n);\ncreate function b(n int) return a(n);",
    );
    let errors = shop.planned().await.unwrap_err();
    let first = errors.first();
    assert_eq!(first.code().id(), "CA-UDF-0032");
    assert_eq!(
        first.location().unwrap().to_string(),
        "macros/ring.sql:1:17"
    );
    shop.write(
        "macros/ring.sql",
        "create function a(n int) return\n  m + 1",
    );
    let errors = shop.planned().await.unwrap_err();
    let first = errors.first();
    assert_eq!(first.code().id(), "CA-UDF-0034");
    assert!(
        first
            .location()
            .unwrap()
            .to_string()
            .starts_with("macros/ring.sql:"),
        "{first}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_function_in_a_view_is_refused_with_what_to_do() {
    let shop = Shop::new();
    shop.view("scan", "select * from delta_scan('out/by_region')", "");
    let errors = shop.planned().await.unwrap_err();
    let first = errors.first();
    assert_eq!(first.code().id(), "CA-EXEC-0015");
    assert!(first.help().unwrap().contains("[datasets]"), "{first:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_ones_own_reads_outputs_with_table_functions() {
    let shop = Shop::new();
    shop.build().await;
    let reader = codeanatomy::exec::DeltaReader::new(shop.root().to_path_buf());
    let opener: Arc<dyn DeltaOpener> = Arc::new(reader);
    let platform = Platform::new(PlatformOptions::default())
        .with_library(Library::builtin().with_delta(&opener));
    let context = SessionContext::new();
    platform.register_context(&context).unwrap();
    let text = |sql: &'static str| {
        let context = context.clone();
        async move { context.sql(sql).await.unwrap().to_string().await.unwrap() }
    };
    let rows =
        text("select region, total from delta_scan('out/by_region', 0) order by region").await;
    assert!(rows.contains("north") && rows.contains("17"), "{rows}");
    let rows = text("select n_rows, version from delta_metadata('out/by_region')").await;
    assert!(rows.contains("| 2      | 0       |"), "{rows}");
    let rows =
        text("select count(*) as n, sum(n_rows) as r from delta_files('out/by_region')").await;
    assert!(rows.contains("| 1 | 2 |"), "{rows}");
    let error = context
        .sql("select * from delta_scan('out/nothing')")
        .await
        .unwrap_err();
    assert!(error.to_string().contains("nothing"), "{error}");
}

//! What a build does and leaves alone, seen through the facade.

use std::collections::BTreeMap;
use std::fs;

use codeanatomy::exec::BuildReport;
use codeanatomy::obs::{Outcome, RunStatus};
use codeanatomy::{BuildOptions, CancellationToken, Planned};

use crate::shop::{Shop, name};

fn outcomes(report: &BuildReport) -> BTreeMap<&str, Outcome> {
    report
        .views
        .iter()
        .map(|view| (view.name.as_str(), view.outcome))
        .collect()
}

fn with_outcome(report: &BuildReport, outcome: Outcome) -> Vec<&str> {
    let mut names: Vec<&str> = outcomes(report)
        .into_iter()
        .filter(|(_, found)| *found == outcome)
        .map(|(n, _)| n)
        .collect();
    names.sort_unstable();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_build_on_unchanged_input_does_nothing() {
    let shop = Shop::new();
    let first = shop.build().await;
    assert_eq!(first.status, RunStatus::Ok);
    assert_eq!(
        with_outcome(&first, Outcome::Built),
        ["by_region", "customers", "paid", "shares"]
    );
    assert_eq!(
        shop.rows("by_region").await,
        "| north  | 17    |\n| south  | 20    |"
    );

    let second = shop.build().await;
    assert_eq!(with_outcome(&second, Outcome::Skipped).len(), 4);
    let hashes = |report: &BuildReport| -> Vec<_> {
        report
            .views
            .iter()
            .map(|view| (view.rows, view.result_hash.clone()))
            .collect()
    };
    assert_eq!(hashes(&first), hashes(&second));

    // What a person may delete never changes an answer.
    fs::remove_dir_all(shop.root().join(".codeanatomy")).unwrap();
    let third = shop.build().await;
    assert_eq!(with_outcome(&third, Outcome::Skipped).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_rebuilds_the_view_and_its_readers_only() {
    let shop = Shop::new();
    shop.build().await;
    shop.view(
        "by_region",
        "select region, sum(price) + 1 as total from paid group by region",
        "",
    );
    let plan = shop.plan().await;
    let reason = |view: &str| {
        let view = plan
            .views
            .iter()
            .find(|plan| plan.name.as_str() == view)
            .unwrap();
        let reason = &view.reasons[0];
        (reason.component.clone(), reason.file.clone())
    };
    let file = format!("views{}by_region.sql", std::path::MAIN_SEPARATOR);
    assert_eq!(reason("by_region"), ("plan_digest".to_owned(), Some(file)));
    let report = shop.build().await;
    assert_eq!(
        with_outcome(&report, Outcome::Built),
        ["by_region", "shares"]
    );
    assert_eq!(
        with_outcome(&report, Outcome::Skipped),
        ["customers", "paid"]
    );

    // An ephemeral view that is edited counts as built with the views that compute it.
    shop.view(
        "paid",
        "select id, region, price from orders where paid and price > 6",
        "",
    );
    let report = shop.build().await;
    assert_eq!(
        with_outcome(&report, Outcome::Built),
        ["by_region", "paid", "shares"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_spelling_of_a_query_rebuilds_nothing() {
    let shop = Shop::new();
    shop.build().await;
    shop.view(
        "by_region",
        "-- totals\nWITH p AS (SELECT * FROM paid AS q)\nSELECT p.region, SUM(p.price) AS total\n  FROM p GROUP BY p.region",
        "",
    );
    fs::create_dir(shop.root().join("views/marts")).unwrap();
    fs::rename(
        shop.root().join("views/shares.sql"),
        shop.root().join("views/marts/shares.sql"),
    )
    .unwrap();
    fs::rename(
        shop.root().join("views/shares.toml"),
        shop.root().join("views/marts/shares.toml"),
    )
    .unwrap();
    let report = shop.build().await;
    assert_eq!(with_outcome(&report, Outcome::Skipped).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_data_rebuilds_what_reads_it() {
    let shop = Shop::new();
    shop.build().await;
    // One digit, same size: neither size nor time tells the two apart for certain.
    let text = fs::read_to_string(shop.root().join("data/orders.csv")).unwrap();
    shop.write("data/orders.csv", &text.replace("2,south,20", "2,south,30"));
    let report = shop.build().await;
    assert_eq!(with_outcome(&report, Outcome::Skipped), ["customers"]);
    assert_eq!(
        shop.rows("by_region").await,
        "| north  | 17    |\n| south  | 30    |"
    );

    // The same bytes written again are the same data.
    shop.write("data/orders.csv", &text.replace("2,south,20", "2,south,30"));
    assert_eq!(with_outcome(&shop.build().await, Outcome::Skipped).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_count_only_where_they_can_change_a_row() {
    let shop = Shop::new();
    shop.build().await;
    let keys = |planned: &Planned| -> Vec<_> {
        planned
            .fingerprints()
            .views
            .into_values()
            .map(|f| f.result_key)
            .collect()
    };
    let base = keys(&shop.planned().await.unwrap());
    let fast = [
        ("batch_size", "1024"),
        ("target_partitions", "3"),
        ("memory_limit", "1GiB"),
    ];
    assert_eq!(base, keys(&shop.planned_with(&fast).await.unwrap()));
    let zone = [("time_zone", "+02:00")];
    assert_ne!(base, keys(&shop.planned_with(&zone).await.unwrap()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_blocks_its_readers_and_the_rest_completes() {
    let shop = Shop::new();
    shop.view(
        "by_region",
        "select region, sum(price / (price - 20)) as total from paid group by region",
        "",
    );
    let ran = shop.ran().await;
    assert_eq!(ran.status(), RunStatus::Failed);
    let failed: Vec<&str> = ran
        .failures()
        .iter()
        .map(|(view, _)| view.as_str())
        .collect();
    assert_eq!(failed, ["by_region"]);
    let report = ran.into_report();
    assert_eq!(with_outcome(&report, Outcome::Built), ["customers"]);
    assert_eq!(outcomes(&report)["shares"], Outcome::Blocked);
    assert!(!shop.root().join("out/shares").exists());

    // Mended, the next build does the rest and nothing twice.
    shop.view(
        "by_region",
        "select region, sum(price) as total from paid group by region",
        "",
    );
    let report = shop.build().await;
    assert_eq!(
        with_outcome(&report, Outcome::Built),
        ["by_region", "paid", "shares"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volatile_view_is_never_skipped_and_neither_are_its_readers() {
    let shop = Shop::new();
    shop.view(
        "paid",
        "select id, region, price + random() as price from orders",
        "",
    );
    shop.build().await;
    let report = shop.build().await;
    assert_eq!(with_outcome(&report, Outcome::Skipped), ["customers"]);
    let plan = shop.plan().await;
    let view = plan
        .views
        .iter()
        .find(|view| view.name.as_str() == "by_region")
        .unwrap();
    assert_eq!(view.reasons[0].component, "determinism");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forced_view_is_built_and_its_readers_follow() {
    let shop = Shop::new();
    shop.build().await;
    let options = BuildOptions {
        forced: [name("by_region")].into(),
        ..BuildOptions::default()
    };
    let report = shop
        .ran_with(options, CancellationToken::new())
        .await
        .into_report();
    assert_eq!(
        with_outcome(&report, Outcome::Built),
        ["by_region", "shares"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_build_leaves_nothing_half_written() {
    let shop = Shop::new();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let ran = shop.ran_with(BuildOptions::default(), cancel).await;
    assert_eq!(ran.status(), RunStatus::Interrupted);
    assert!(!shop.root().join("out").exists());
    assert_eq!(shop.build().await.status, RunStatus::Ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_view_that_is_not_built_yet_can_be_queried() {
    let shop = Shop::new();
    assert_eq!(
        shop.rows("shares").await,
        "| north  | 45    |\n| south  | 54    |"
    );
    assert!(!shop.root().join("out").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_output_that_somebody_else_changed_is_built_again() {
    let shop = Shop::new();
    shop.build().await;
    let log = shop.root().join("out/customers/_delta_log");
    let first = fs::read_to_string(log.join("00000000000000000000.json")).unwrap();
    let added = first.lines().find(|line| line.contains("\"add\"")).unwrap();
    // A foreign commit that adds the same rows once more under the same name.
    fs::write(log.join("00000000000000000001.json"), format!("{added}\n")).unwrap();
    let report = shop.build().await;
    assert_eq!(with_outcome(&report, Outcome::Built), ["customers"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn recursion_and_series_are_queries_like_others() {
    let shop = Shop::new();
    shop.view(
        "days",
        "with recursive t(n) as (select 1 union all select n + 1 from t where n < 3)\n\
         select n, unnest(generate_series(1, 2)) as m from t",
        "cache = 'delta_output'\n",
    );
    let report = shop.build().await;
    let days = report
        .views
        .iter()
        .find(|view| view.name.as_str() == "days")
        .unwrap();
    assert_eq!(days.rows, Some(6));
    assert_eq!(with_outcome(&shop.build().await, Outcome::Skipped).len(), 5);
}

//! Past runs, run again.

use std::fs;

use codeanatomy::exec::{ReplayOutcome, ReplayedView};
use codeanatomy::plan::forms::FormKind;
use codeanatomy::vocab::RunId;
use codeanatomy::{CancellationToken, PastRuns, ReplayOptions, ReplayReport};

use crate::shop::{Shop, name};

async fn replay(shop: &Shop, run: &RunId, views: &[&str]) -> ReplayReport {
    let options = ReplayOptions {
        views: views.iter().map(|view| name(view)).collect(),
        verify: true,
    };
    PastRuns::new(shop.root())
        .replay(run.as_str(), &options, None, &CancellationToken::new())
        .await
        .unwrap()
}

fn outcomes(report: &ReplayReport) -> Vec<(&str, ReplayOutcome)> {
    report
        .views
        .iter()
        .map(|view| (view.name.as_str(), view.outcome))
        .collect()
}

fn form(view: &ReplayedView) -> FormKind {
    assert!(view.form_reason.is_some());
    view.replay_form.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_gives_the_same_rows_again() {
    let shop = Shop::new();
    let run = shop.build().await.run_id;
    let report = replay(&shop, &run, &[]).await;
    assert_eq!(
        outcomes(&report),
        [
            ("by_region", ReplayOutcome::Verified),
            ("customers", ReplayOutcome::Verified),
            ("shares", ReplayOutcome::Verified),
        ],
        "{report:#?}"
    );
    // Whatever the first choice is, plain sums and filters need no second planning.
    assert_ne!(form(&report.views[0]), FormKind::Plan, "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_replayed_as_it_was_and_not_as_the_project_is_now() {
    let shop = Shop::new();
    let first = shop.build().await.run_id;
    shop.view("paid", "select id, region, price from orders", "");
    shop.view("customers", "select 1 as id, 'x' as name", "");
    shop.build().await;
    let report = replay(&shop, &first, &[]).await;
    let verified = |(_, outcome): &(&str, ReplayOutcome)| *outcome == ReplayOutcome::Verified;
    assert!(outcomes(&report).iter().all(verified), "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_files_are_never_verified() {
    let shop = Shop::new();
    let run = shop.build().await.run_id;
    shop.write("data/people.csv", "id,name\n1,Zoe\n");
    let report = replay(&shop, &run, &[]).await;
    assert_eq!(
        outcomes(&report),
        [
            ("by_region", ReplayOutcome::Verified),
            ("customers", ReplayOutcome::NotReplayable),
            ("shares", ReplayOutcome::Verified),
        ]
    );
    let detail = report.views[1].detail.as_deref().unwrap();
    assert!(
        detail.contains("not replayable") && detail.contains("people"),
        "{detail}"
    );

    fs::remove_file(shop.root().join("data/people.csv")).unwrap();
    let report = replay(&shop, &run, &["customers"]).await;
    assert_eq!(report.views[0].outcome, ReplayOutcome::NotReplayable);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_rows_are_a_difference() {
    let shop = Shop::new();
    let run = shop.build().await.run_id;
    let folder = shop.root().join(".codeanatomy/runs").join(run.as_str());
    let path = folder.join("build.json");
    let text = fs::read_to_string(&path).unwrap();
    // As if the run had recorded another result.
    let digit = text.find("rows1:").unwrap() + "rows1:".len();
    let other = if text.as_bytes()[digit] == b'0' {
        "1"
    } else {
        "0"
    };
    let text = format!("{}{other}{}", &text[..digit], &text[digit + 1..]);
    fs::write(&path, text).unwrap();
    let report = replay(&shop, &run, &[]).await;
    let differs = |view: &&ReplayedView| view.outcome == ReplayOutcome::Differs;
    let different: Vec<_> = report.views.iter().filter(differs).collect();
    assert_eq!(different.len(), 1, "{report:#?}");
    let detail = different[0].detail.as_deref().unwrap();
    assert!(detail.starts_with("determinism class D"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_bundle_is_passed_over_and_named() {
    let shop = Shop::new();
    let run = shop.build().await.run_id;
    let folder = shop.root().join(".codeanatomy/runs").join(run.as_str());
    let path = folder.join("bundles/customers.msgpack");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let report = replay(&shop, &run, &["customers"]).await;
    let view = &report.views[0];
    assert_eq!(view.outcome, ReplayOutcome::Verified, "{view:#?}");
    assert_eq!(form(view), FormKind::Plan);
    assert!(
        view.form_reason.as_deref().unwrap().contains("damaged"),
        "{view:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_run_did_not_compute_is_not_replayed() {
    let shop = Shop::new();
    shop.build().await;
    let second = shop.build().await.run_id;
    assert!(replay(&shop, &second, &[]).await.views.is_empty());
    let report = replay(&shop, &second, &["customers"]).await;
    assert_eq!(report.views[0].outcome, ReplayOutcome::NotRun);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_the_run_is_the_recorded_one() {
    let shop = Shop::new();
    shop.view(
        "seen",
        "select id, now() as at from orders",
        "cache = 'delta_output'\n",
    );
    let run = shop.build().await.run_id;
    let report = replay(&shop, &run, &["seen"]).await;
    assert_eq!(
        report.views[0].outcome,
        ReplayOutcome::Verified,
        "{report:#?}"
    );
}

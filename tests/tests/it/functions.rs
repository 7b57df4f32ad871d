//! Views that call functions of the library.

use std::fs;

use codeanatomy::exec::ReplayOutcome;
use codeanatomy::vocab::RunId;
use codeanatomy::{CancellationToken, PastRuns, ReplayOptions, ReplayReport};

use crate::shop::{Shop, name};

/// A shop with a stored view that hashes and normalises.
fn shop() -> Shop {
    let shop = Shop::new();
    shop.view(
        "ids",
        "select stable_id_parts('order', id, region) as id, utf8_normalize(region, 'NFC', true) as region from orders",
        "cache = 'delta_output'\n",
    );
    shop
}

async fn replay(shop: &Shop, run: &RunId) -> ReplayReport {
    let options = ReplayOptions {
        views: vec![name("ids")],
        verify: true,
    };
    PastRuns::new(shop.root())
        .replay(run.as_str(), &options, None, &CancellationToken::new())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_of_a_function_is_in_the_identity_of_the_views_that_call_it() {
    let planned = shop().planned().await.unwrap();
    let functions = |view: &str| {
        let bundle = planned.views().view(&name(view)).unwrap().bundle();
        let components = bundle.components.iter();
        let named = components.filter(|component| component.name == "function");
        named
            .map(|component| component.subject.clone().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(functions("ids"), ["stable_id_parts", "utf8_normalize"]);
    assert_eq!(functions("by_region"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_with_functions_is_skipped_and_replayed_from_a_form() {
    let shop = shop();
    let run = shop.build().await.run_id;
    let again = shop.build().await;
    assert!(
        !again.views.iter().any(|view| view.was_built()),
        "{again:#?}"
    );
    let report = replay(&shop, &run).await;
    assert_eq!(
        report.views[0].outcome,
        ReplayOutcome::Verified,
        "{report:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_another_implementation_of_a_function_is_not_replayed() {
    let shop = shop();
    let run = shop.build().await.run_id;
    let path = shop
        .root()
        .join(".codeanatomy/runs")
        .join(run.as_str())
        .join("inputs.json");
    let mut inputs: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    inputs["functions"]["stable_id_parts"] = "00".repeat(32).into();
    fs::write(&path, serde_json::to_vec(&inputs).unwrap()).unwrap();
    let report = replay(&shop, &run).await;
    assert_eq!(
        report.views[0].outcome,
        ReplayOutcome::NotReplayable,
        "{report:#?}"
    );
    let detail = report.views[0].detail.as_deref().unwrap();
    assert!(detail.contains("`stable_id_parts`"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_records_the_functions_that_there_were_and_who_needed_which() {
    let shop = shop();
    let run = shop.build().await.run_id;
    let folder = shop.root().join(".codeanatomy/runs").join(run.as_str());
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
    };
    let snapshot = read("rust_udf_snapshot_v1.json");
    let functions = snapshot["functions"].as_array().unwrap();
    let names: Vec<&str> = functions
        .iter()
        .map(|f| f["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"stable_id_parts") && !names.contains(&"abs"),
        "{names:?}"
    );
    let planned = shop.planned().await.unwrap();
    assert_eq!(
        snapshot["hash"],
        serde_json::to_value(planned.inputs().udf_snapshot).unwrap()
    );
    let parities = read("view_udf_parity_v1.json");
    let of_ids = parities
        .as_array()
        .unwrap()
        .iter()
        .find(|p| p["view"] == "ids");
    let of_ids = of_ids.unwrap();
    assert_eq!(of_ids["parity"], true);
    let required = of_ids["required"].as_array().unwrap();
    assert!(required.contains(&"utf8_normalize".into()), "{required:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misspelt_function_is_told_with_the_nearest() {
    let shop = shop();
    shop.view(
        "bad",
        "select stable_hash46(region) as hash from orders",
        "",
    );
    let errors = shop.planned().await.unwrap_err();
    let error = errors.first();
    assert_eq!(error.nearest(), Some("stable_hash64"), "{error:?}");
    assert!(
        error.context().contains(&("view", "bad".to_owned())),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_an_expression_planner_made_needs_it() {
    let shop = shop();
    shop.view(
        "near",
        "select id from orders where span_make(id, id + 2) && span_make(3, 4)",
        "cache = 'delta_output'\n",
    );
    assert!(shop.planned().await.is_err());
    let planned = shop
        .planned_with(&[("enable_expr_planners", "true")])
        .await
        .unwrap();
    let tags = |view: &str| {
        planned
            .views()
            .view(&name(view))
            .unwrap()
            .bundle()
            .required_rewrite_tags
            .clone()
    };
    assert!(tags("near").contains("span_operators"));
    assert!(tags("ids").is_empty());
    let errors = shop
        .planned_with(&[
            ("expr_planner_names", "span_operator"),
            ("enable_expr_planners", "true"),
        ])
        .await
        .unwrap_err();
    assert_eq!(errors.first().code().id(), "CA-UDF-0003");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_library_its_functions_are_not_there() {
    let errors = shop()
        .planned_with(&[("enable_udfs", "false")])
        .await
        .unwrap_err();
    assert!(errors.to_string().contains("stable_id_parts"), "{errors}");
}

//! Why a view changed: each cause provoked, each named, and nothing else named with it.

use std::fs;

use codeanatomy::exec::{RunInputs, Why};
use codeanatomy::vocab::RunId;
use codeanatomy::{PastRuns, Planned};

use crate::shop::{Shop, name};

/// A shop that was built once.
struct Built {
    shop: Shop,
    run: RunId,
}

impl Built {
    async fn new() -> Self {
        Self::of(Shop::new()).await
    }

    async fn of(shop: Shop) -> Self {
        let run = shop.build().await.run_id;
        Self { shop, run }
    }

    fn past(&self) -> PastRuns {
        PastRuns::new(self.shop.root())
    }

    /// Compares the run with the project as it is.
    async fn why(&self, view: &str) -> Why {
        self.why_with(view, &[]).await
    }

    async fn why_with(&self, view: &str, settings: &[(&str, &str)]) -> Why {
        let now: Planned = self.shop.planned_with(settings).await.unwrap();
        let before = self.past().inputs(self.run.as_str()).unwrap();
        self.past()
            .why(&name(view), &before, &now.inputs())
            .unwrap()
    }

    /// Changes the record of the run, as if it had been another world.
    fn rewrite_record(&self, change: impl FnOnce(&mut RunInputs)) {
        let mut inputs = self.past().inputs(self.run.as_str()).unwrap();
        change(&mut inputs);
        let folder = self.shop.root().join(".codeanatomy/runs");
        let path = folder.join(self.run.as_str()).join("inputs.json");
        fs::write(path, serde_json::to_vec(&inputs).unwrap()).unwrap();
    }
}

/// The causes as `component subject`.
fn causes(why: &Why) -> Vec<String> {
    assert!(why.proven, "{why:#?}");
    why.causes
        .iter()
        .map(|cause| match &cause.subject {
            Some(subject) => format!("{} {subject}", cause.component),
            None => cause.component.clone(),
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_changed_has_no_cause() {
    let built = Built::new().await;
    let why = built.why("by_region").await;
    assert!(!why.changed && !why.identity_changed, "{why:#?}");
    assert!(
        why.causes.is_empty() && why.unaffected.is_empty(),
        "{why:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_shown_with_its_line() {
    let built = Built::new().await;
    built.shop.view(
        "by_region",
        "select region,\n       max(price) as total\nfrom paid group by region",
        "",
    );
    let why = built.why("by_region").await;
    assert!(why.changed);
    assert_eq!(causes(&why), ["plan_digest by_region"]);
    let cause = &why.causes[0];
    assert_eq!(cause.file.as_deref(), Some("views/by_region.sql"));
    assert_eq!(cause.line, Some(1));
    assert_eq!(cause.after.as_deref(), Some("select region,"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_upstream_is_named_there() {
    let built = Built::new().await;
    built.shop.view(
        "paid",
        "select id, region, price from orders where paid and price > 5",
        "",
    );
    for view in ["paid", "by_region", "shares"] {
        let why = built.why(view).await;
        assert_eq!(causes(&why), ["plan_digest paid"], "{view}");
    }
    assert!(!built.why("customers").await.identity_changed);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_spelling_is_no_cause() {
    let built = Built::new().await;
    built.shop.view(
        "by_region",
        "-- sums\nselect p.region, sum(p.price) as total from paid p group by p.region",
        "",
    );
    let why = built.why("by_region").await;
    assert!(!why.identity_changed, "{why:#?}");
    assert_eq!(why.unaffected.len(), 1);
    assert!(
        why.unaffected[0]
            .detail
            .ends_with("only the spelling changed")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_rows_are_named_by_their_dataset() {
    let built = Built::new().await;
    built
        .shop
        .write("data/orders.csv", "id,region,price,paid\n1,north,11,true\n");
    assert_eq!(
        causes(&built.why("shares").await),
        ["input_footprint orders"]
    );
    let customers = built.why("customers").await;
    assert!(!customers.changed);
    let unread = customers.unaffected.iter();
    let unread: Vec<&str> = unread.map(|cause| cause.detail.as_str()).collect();
    assert!(
        unread
            .iter()
            .all(|detail| detail.ends_with("the view does not read it")),
        "{unread:?}"
    );
    assert!(!unread.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_column_is_named_with_its_types() {
    let built = Built::new().await;
    built.shop.write(
        "data/orders.csv",
        "id,region,price,paid\n1,north,10.5,true\n",
    );
    let why = built.why("by_region").await;
    assert_eq!(
        causes(&why),
        ["information_schema orders", "input_footprint orders"]
    );
    assert!(why.causes[0].detail.contains("price"), "{why:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_can_change_rows_is_a_cause_with_its_source() {
    let built = Built::new().await;
    let why = built
        .why_with(
            "customers",
            &[("time_zone", "+02:00"), ("batch_size", "77")],
        )
        .await;
    assert_eq!(causes(&why), ["df_settings datafusion.execution.time_zone"]);
    let cause = &why.causes[0];
    assert_eq!(cause.before.as_deref(), Some("+00:00"));
    assert_eq!(cause.after.as_deref(), Some("+02:00"));
    assert!(cause.detail.contains("--set"), "{}", cause.detail);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setting_that_cannot_change_rows_is_no_cause_of_a_rebuild() {
    let built = Built::new().await;
    let why = built
        .why_with(
            "customers",
            &[("datafusion.execution.parquet.pruning", "false")],
        )
        .await;
    assert!(!why.identity_changed, "{why:#?}");
    let why = built.why_with("customers", &[("batch_size", "77")]).await;
    assert!(!why.changed && why.identity_changed);
    assert_eq!(
        causes(&why),
        ["df_settings datafusion.execution.batch_size"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn several_changes_are_told_apart() {
    let built = Built::new().await;
    built.shop.view(
        "paid",
        "select id, region, price from orders where paid and id < 9",
        "",
    );
    built
        .shop
        .view("customers", "select id, name from people", "");
    built
        .shop
        .write("data/orders.csv", "id,region,price,paid\n1,north,11,true\n");
    let settings = [("batch_size", "99"), ("memory_limit", "1GiB")];
    let why = built.why_with("shares", &settings).await;
    assert_eq!(causes(&why), ["plan_digest paid", "input_footprint orders"]);
    let why = built.why_with("customers", &settings).await;
    assert_eq!(causes(&why), ["plan_digest customers"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_is_a_cause_where_the_query_uses_it() {
    let shop = Shop::new();
    let sidecar = |value: u8| {
        format!(
            "cache = 'delta_output'\n[params]\nleast = {{ type = 'Int64', default = {value} }}\n\
             idle = {{ type = 'Int64', default = {value} }}\n"
        )
    };
    let sql = "select id from orders where price >= $least";
    shop.view("dear", sql, &sidecar(7));
    let built = Built::of(shop).await;
    built.shop.view("dear", sql, &sidecar(8));
    let why = built.why("dear").await;
    assert_eq!(causes(&why), ["parameter least"]);
    assert_eq!(why.causes[0].before.as_deref(), Some("Int64 7"));
    assert_eq!(why.causes[0].file.as_deref(), Some("views/dear.toml"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_the_run_is_a_cause_where_the_query_asks_for_it() {
    let shop = Shop::new();
    let sql = "select id, now() as at from orders";
    shop.view("seen", sql, "cache = 'delta_output'\n");
    let built = Built::of(shop).await;
    assert_eq!(causes(&built.why("seen").await), ["run_time"]);
    assert!(!built.why("by_region").await.identity_changed);
}

#[tokio::test(flavor = "multi_thread")]
async fn views_come_and_go() {
    let built = Built::new().await;
    built.shop.view("more", "select 1 as one", "");
    fs::remove_file(built.shop.root().join("views/customers.sql")).unwrap();
    fs::remove_file(built.shop.root().join("views/customers.toml")).unwrap();
    let more = built.why("more").await;
    assert!(more.before.is_none() && more.causes[0].detail == "the view is new");
    let customers = built.why("customers").await;
    assert!(customers.after.is_none() && customers.causes[0].detail == "the view is gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_in_the_place_of_a_dataset_is_a_cause() {
    let built = Built::new().await;
    built.shop.view(
        "by_region",
        "select region, sum(price) as total from cheap group by region",
        "",
    );
    built
        .shop
        .view("cheap", "select * from orders where price < 9", "");
    let why = built.why("by_region").await;
    assert_eq!(causes(&why), ["plan_digest by_region", "plan_digest cheap"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stored_view_upstream_may_change_types() {
    let shop = Shop::new();
    shop.view(
        "small",
        "select arrow_cast(id, 'UInt8') as n from orders",
        "",
    );
    shop.view("reader", "select n from small", "cache = 'delta_output'\n");
    let built = Built::of(shop).await;
    built.shop.view(
        "small",
        "select arrow_cast(id, 'UInt8') as n from orders",
        "cache = 'delta_output'\n",
    );
    assert_eq!(causes(&built.why("reader").await), ["cache_policy small"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_engine_is_named() {
    let built = Built::new().await;
    built.rewrite_record(|inputs| inputs.engine_version = "54.0.0".to_owned());
    let past = built.past().inputs(built.run.as_str()).unwrap();
    let now = built.shop.planned().await.unwrap().inputs();
    // The recorded keys were made by the engine that the record no longer names.
    let why = built.past().why(&name("customers"), &past, &now).unwrap();
    assert!(!why.identity_changed, "the recorded keys are what counts");

    let mut older = past.clone();
    for view in older.views.values_mut() {
        view.keys.result_key = view.keys.plan_digest;
        view.keys.plan_fingerprint = view.keys.plan_digest;
    }
    let why = built.past().why(&name("customers"), &older, &now).unwrap();
    assert_eq!(why.causes.len(), 1, "{why:#?}");
    assert_eq!(why.causes[0].component, "engine_version");
    assert!(why.note.is_some() && !why.proven);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_rules_are_named() {
    let built = Built::new().await;
    let past = built.past().inputs(built.run.as_str()).unwrap();
    let mut now = past.clone();
    now.rulepack.swap(0, 1);
    let closure = now.closure(&name("customers"));
    let (planned, _) = now.plan(built.shop.root(), &closure).unwrap();
    let keys = codeanatomy::exec::ViewFingerprints::of(planned.view(&name("customers")).unwrap());
    now.views.get_mut(&name("customers")).unwrap().keys = keys;
    let why = built.past().why(&name("customers"), &past, &now).unwrap();
    assert!(!why.changed && why.identity_changed);
    assert_eq!(causes(&why), ["rulepack"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_order_of_declarations_is_nothing() {
    let built = Built::new().await;
    built.shop.write(
        "codeanatomy.toml",
        "[datasets.people]\nlocation = 'data/people.csv'\n\
         [datasets.orders]\nlocation = 'data/orders.csv'\n[project]\nname = 'shop'\n",
    );
    let why = built.why("shares").await;
    assert!(
        !why.identity_changed && why.unaffected.is_empty(),
        "{why:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_runs_are_compared_view_by_view() {
    let built = Built::new().await;
    built
        .shop
        .view("customers", "select id, name from people", "");
    let second = built.shop.build().await.run_id;
    let diff = built
        .past()
        .diff(built.run.as_str(), second.as_str())
        .unwrap();
    let changed: Vec<&str> = diff
        .views
        .iter()
        .filter(|view| view.why.changed)
        .map(|view| view.why.view.as_str())
        .collect();
    assert_eq!(changed, ["customers"]);
    let customers = diff.views.iter().find(|view| view.why.changed).unwrap();
    assert_eq!(customers.rows, [Some(2), Some(2)]);
    assert_ne!(customers.result_hash[0], customers.result_hash[1]);
}

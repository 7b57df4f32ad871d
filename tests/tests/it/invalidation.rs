//! Which commits to a Delta table leave views clean, and what is said of it.

use std::collections::BTreeMap;
use std::fs;

use codeanatomy::exec::{Action, PlanReport, ReplayOutcome, ViewPlan};
use codeanatomy::obs::Outcome;
use codeanatomy::{CancellationToken, PastRuns, ReplayOptions};
use codeanatomy_testkit::commits::{Kind, Random, Table};

use crate::lake::{Lake, name, plan_of, result_of};

/// Views over `t`: `part` asks for a part of it, `staged_b` does so through an ephemeral view,
/// `over` reads `part`, and `everything` all of it.
async fn lake() -> (Lake, Table) {
    let lake = Lake::new("");
    let mut table = Table::create_at(&lake.table(), false).await;
    table.append_rows(&[("a", 1), ("a", 2), ("b", 10)]).await;
    table.append_rows(&[("a", 60), ("b", 11), ("c", 7)]).await;
    lake.stored("part", "select id, n from t where p = 'a' and n < 50");
    lake.stored("over", "select count(*) as n, sum(n) as total from part");
    lake.view("staged", "select id, p, n from t where n >= 0", "");
    lake.stored(
        "staged_b",
        "select p, sum(n) as total from staged where p = 'b' group by p",
    );
    lake.stored("everything", "select id, p, n, s from t");
    lake.build().await;
    (lake, table)
}

/// The stored views that a build would build.
fn builds(plan: &PlanReport) -> Vec<&str> {
    let is_stored = |view: &&ViewPlan| view.reasons[0].component != "cache_policy";
    let stored = plan.views.iter().filter(is_stored);
    let built = stored.filter(|view| view.action == Action::Build);
    let mut names: Vec<&str> = built.map(|view| view.name.as_str()).collect();
    names.sort_unstable();
    names
}

fn said<'a>(plan: &'a PlanReport, view: &str, component: &str) -> &'a str {
    let reasons = &plan_of(plan, view).reasons;
    let found = reasons.iter().find(|reason| reason.component == component);
    found.map_or_else(|| panic!("{reasons:?}"), |reason| reason.detail.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_changes_no_row_leaves_all_views_clean_with_the_proof() {
    let (lake, mut table) = lake().await;
    let keys = |plan: &PlanReport| -> BTreeMap<String, String> {
        let stored = plan
            .views
            .iter()
            .filter(|view| view.name.as_str() != "staged");
        stored
            .map(|view| (view.name.to_string(), view.result_key.to_string()))
            .collect()
    };
    let before = keys(&lake.plan().await);
    for kind in Kind::ALL.into_iter().filter(|kind| kind.keeps_rows()) {
        let version = table.library().await.version();
        let made = table.commit(kind, &mut Random::new(5)).await;
        assert!(made.is_some(), "{kind:?}");
        let plan = lake.plan().await;
        assert_eq!(builds(&plan), [""; 0], "{kind:?}");
        assert_eq!(keys(&plan), before, "{kind:?}");
        if table.library().await.version() != version {
            for view in ["part", "staged_b", "everything"] {
                let proof = said(&plan, view, "input_footprint");
                assert!(
                    proof.starts_with("`t` holds the same rows"),
                    "{kind:?}: {proof}"
                );
            }
        }
    }
    let plan = lake.plan().await;
    let proof = said(&plan, "everything", "input_footprint");
    assert!(proof.contains("only rearranged rows"), "{proof}");
    assert_eq!(builds(&plan), [""; 0]);
    let report = lake.build().await;
    assert!(
        report
            .views
            .iter()
            .all(|view| view.outcome == Outcome::Skipped)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_outside_of_a_predicate_change_others_only() {
    let (lake, mut table) = lake().await;
    table.append_rows(&[("c", 5), ("a", 70)]).await;
    let plan = lake.plan().await;
    assert_eq!(builds(&plan), ["everything"]);
    let reason = said(&plan, "everything", "input_footprint");
    assert!(
        reason.contains("`t` changed: WRITE in version 3 at 20") && reason.contains("adds 1 row"),
        "{reason}"
    );
    let proof = said(&plan, "part", "input_footprint");
    assert!(
        proof.contains("version 3 gives the scan the same"),
        "{proof}"
    );
    lake.build().await;

    // A file with rows inside and outside of the predicate of `part` is written anew.
    table.delete_below("b", 11).await;
    assert_eq!(builds(&lake.plan().await), ["everything", "staged_b"]);
    lake.build().await;
    assert_eq!(lake.rows("staged_b").await, ["b|11"]);

    table.delete_below("a", 2).await;
    let plan = lake.plan().await;
    assert_eq!(builds(&plan), ["everything", "over", "part"]);
    let reason = said(&plan, "over", "upstream");
    assert!(reason.contains("`part`"), "{reason}");
    lake.build().await;
    assert_eq!(lake.rows("over").await, ["1|2"]);
    assert_eq!(builds(&lake.plan().await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_version_has_the_keys_that_it_had() {
    let (lake, mut table) = lake().await;
    table.append_rows(&[("a", 3)]).await;
    assert_eq!(builds(&lake.plan().await), ["everything", "over", "part"]);
    let library = table.library().await;
    library.restore().with_version_to_restore(2).await.unwrap();
    let plan = lake.plan().await;
    assert_eq!(builds(&plan), [""; 0]);
    let proof = said(&plan, "everything", "input_footprint");
    assert!(
        proof.contains("version 4 gives the scan the same 5 files"),
        "{proof}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_carried_over_is_carried_on() {
    let (lake, mut table) = lake().await;
    let key = |plan: &PlanReport| plan_of(plan, "everything").result_key;
    let first = key(&lake.plan().await);
    table.commit(Kind::Optimize, &mut Random::new(1)).await;
    // Built for another reason, over the files of today.
    fs::remove_dir_all(lake.root().join("out/part")).unwrap();
    let options = codeanatomy::BuildOptions {
        forced: [name("everything")].into(),
        ..Default::default()
    };
    let ran = lake
        .planned()
        .await
        .build(
            options,
            std::sync::Arc::new(codeanatomy::obs::NoObserver),
            CancellationToken::new(),
        )
        .await
        .unwrap();
    assert_eq!(
        result_of(ran.report(), "everything").outcome,
        Outcome::Built
    );
    table.commit(Kind::ZOrder, &mut Random::new(1)).await;
    let plan = lake.plan().await;
    assert_eq!(builds(&plan), [""; 0]);
    assert_eq!(key(&plan), first);
    // A new view has nothing to carry over, and the old ones keep theirs.
    lake.stored("again", "select id, p, n, s from t");
    lake.build().await;
    table.commit(Kind::Comment, &mut Random::new(1)).await;
    assert_eq!(builds(&lake.plan().await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_depends_on_the_order_of_rows_is_clean_only_over_the_same_files() {
    let (lake, mut table) = lake().await;
    lake.stored("any", "select id from t limit 2");
    lake.view("any_staged", "select id, p from t limit 3", "");
    lake.stored(
        "of_any",
        "select count(*) as n from any_staged where p = 'a'",
    );
    lake.build().await;
    table.commit(Kind::Comment, &mut Random::new(1)).await;
    table.commit(Kind::AddColumn, &mut Random::new(1)).await;
    assert_eq!(builds(&lake.plan().await), [""; 0]);
    table.commit(Kind::Optimize, &mut Random::new(1)).await;
    let plan = lake.plan().await;
    assert_eq!(builds(&plan), ["any", "of_any"]);
    let reason = said(&plan, "any", "input_footprint");
    assert!(reason.contains("may come in another order"), "{reason}");
    lake.build().await;
    assert_eq!(builds(&lake.plan().await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_log_that_the_proof_needs_a_view_is_built() {
    let (lake, mut table) = lake().await;
    table.commit(Kind::Optimize, &mut Random::new(1)).await;
    table.commit(Kind::Checkpoint, &mut Random::new(1)).await;
    assert_eq!(builds(&lake.plan().await), [""; 0]);
    let log = table.path.join("_delta_log");
    for version in 0..=2 {
        fs::remove_file(log.join(format!("{version:020}.json"))).unwrap();
    }
    let plan = lake.plan().await;
    assert_eq!(builds(&plan), ["everything", "over", "part", "staged_b"]);
    let reason = said(&plan, "part", "input_footprint");
    assert!(reason.contains("the log no longer holds"), "{reason}");
    lake.build().await;
    assert_eq!(builds(&lake.plan().await), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn why_names_the_commit_that_changed_a_row() {
    let (lake, mut table) = lake().await;
    let planned = lake.planned().await;
    let run = planned.built_by(&name("part")).unwrap().clone();
    let past = PastRuns::new(lake.root());
    table.commit(Kind::Comment, &mut Random::new(1)).await;
    table.append_rows(&[("a", 4)]).await;
    table.append_rows(&[("a", 5)]).await;
    let planned = lake.planned().await;
    for view in ["part", "over"] {
        let view = name(view);
        let before = past.inputs(run.as_str()).unwrap().only(&view);
        let mut why = past
            .why(&view, &before, &planned.inputs().only(&view))
            .unwrap();
        why.tell_changes(&before, planned.views());
        assert!(why.changed && why.proven, "{why:?}");
        let [cause] = why.causes.as_slice() else {
            panic!("{why:?}");
        };
        assert_eq!(cause.component, "input_footprint");
        let commit = cause.commit.as_ref().unwrap();
        assert_eq!(
            (commit.version, commit.operation.as_deref()),
            (4, Some("WRITE"))
        );
        assert!(commit.committed_at.as_ref().unwrap().starts_with("20"));
        assert!(cause.before.as_ref().unwrap().contains("version 2"));
        assert!(cause.after.as_ref().unwrap().contains("version 5"));
    }
    // What is elsewhere is no cause, and the proof says why.
    let view = name("staged_b");
    let before = past.inputs(run.as_str()).unwrap().only(&view);
    let mut why = past
        .why(&view, &before, &planned.inputs().only(&view))
        .unwrap();
    why.tell_changes(&before, planned.views());
    assert!(!why.changed, "{why:?}");
    let news = why.unaffected.iter().chain(&why.causes);
    let mut details = news.map(|cause| cause.detail.as_str());
    assert!(
        details.any(|text| text.contains("gives the scan the same")),
        "{why:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn between_two_runs_too_the_commit_is_named_that_changed_a_row() {
    let (lake, mut table) = lake().await;
    let run_of = async |view: &str| {
        let planned = lake.planned().await;
        planned.built_by(&name(view)).unwrap().clone()
    };
    let first = run_of("part").await;
    table.commit(Kind::Comment, &mut Random::new(1)).await;
    table.append_rows(&[("a", 4)]).await;
    lake.build().await;
    let second = run_of("part").await;
    // What came later is neither here nor there.
    table.append_rows(&[("a", 5)]).await;
    table.commit(Kind::Optimize, &mut Random::new(1)).await;
    let past = PastRuns::new(lake.root());
    let [before, after] = [&first, &second].map(|run| past.inputs(run.as_str()).unwrap());
    let part = name("part");
    let why = past.why_with_commits(&part, &before, &after, None);
    let why = why.await.unwrap();
    assert!(why.changed && why.proven, "{why:?}");
    let commit = why.causes[0].commit.as_ref().unwrap();
    assert_eq!(
        (commit.version, commit.operation.as_deref()),
        (4, Some("WRITE"))
    );
    // The table is gone, so nobody can tell; the causes are the same.
    fs::remove_dir_all(lake.table()).unwrap();
    let why = past.why_with_commits(&part, &before, &after, None);
    let why = why.await.unwrap();
    assert!(why.causes[0].commit.is_none());
    assert_eq!(why.causes[0].component, "input_footprint");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_query_alone_is_the_cause_where_the_table_is_the_same() {
    let (lake, _table) = lake().await;
    let run = lake
        .planned()
        .await
        .built_by(&name("part"))
        .unwrap()
        .clone();
    lake.stored("part", "select id, n + 1 as n from t where p = 'a'");
    let planned = lake.planned().await;
    let past = PastRuns::new(lake.root());
    let view = name("part");
    let before = past.inputs(run.as_str()).unwrap().only(&view);
    let why = past
        .why(&view, &before, &planned.inputs().only(&view))
        .unwrap();
    assert!(why.proven, "{why:?}");
    let causes: Vec<&str> = why.causes.iter().map(|c| c.component.as_str()).collect();
    assert_eq!(causes, ["plan_digest"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_replayed_at_its_pins() {
    let (lake, mut table) = lake().await;
    let run = lake
        .planned()
        .await
        .built_by(&name("part"))
        .unwrap()
        .clone();
    table.append_rows(&[("a", 4)]).await;
    table.commit(Kind::Optimize, &mut Random::new(1)).await;
    lake.build().await;
    let options = ReplayOptions {
        views: Vec::new(),
        verify: true,
    };
    let past = PastRuns::new(lake.root());
    let replay = past
        .replay(run.as_str(), &options, None, &CancellationToken::new())
        .await
        .unwrap();
    assert_eq!(replay.views.len(), 4);
    for view in &replay.views {
        assert_eq!(view.outcome, ReplayOutcome::Verified, "{view:?}");
    }
}

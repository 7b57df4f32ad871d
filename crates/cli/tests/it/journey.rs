//! From a new project to a project that is kept up to date.

use serde_json::Value;

use crate::project::{Project, assert_shown, outcomes};

#[test]
fn a_new_project_builds_at_once_and_then_only_what_changed() {
    let project = Project::empty();
    assert_eq!(project.run(&["init"]).code, 0);

    let built = [
        "best_customers: built",
        "paid_orders: built",
        "sales_by_region: built",
    ];
    assert_eq!(sorted(project.build(&[])), built);
    let skipped = [
        "best_customers: skipped",
        "paid_orders: skipped",
        "sales_by_region: skipped",
    ];
    assert_eq!(sorted(project.build(&[])), skipped);

    // A change of spelling is no change.
    let view = project.path("views/best_customers.sql");
    let sql = std::fs::read_to_string(&view).unwrap();
    std::fs::write(&view, format!("-- a remark\n{sql}")).unwrap();
    assert_eq!(sorted(project.build(&[])), skipped);

    // A change of one view rebuilds it and what reads it; here, nothing does.
    std::fs::write(&view, format!("select * from ({sql}) limit 1")).unwrap();
    let found = sorted(project.build(&[]));
    assert_eq!(found[0], "best_customers: built");
    assert_eq!(found[2], "sales_by_region: skipped");
    assert_eq!(sorted(project.build(&[])), skipped);

    // The folder with the cache and the diary holds nothing that is needed.
    std::fs::remove_dir_all(project.path(".codeanatomy")).unwrap();
    assert_eq!(sorted(project.build(&[])), skipped);
}

#[test]
fn an_edit_rebuilds_the_view_and_its_consumers_and_nothing_else() {
    let stored = "cache = \"delta_output\"\n";
    let project = Project::new()
        .with(
            "views/top.sql",
            "select max(total) as most from by_region\n",
        )
        .with("views/top.toml", stored)
        .with("views/ids.sql", "select id from orders\n")
        .with("views/ids.toml", stored);
    assert_eq!(
        sorted(project.build(&[])),
        ["by_region: built", "ids: built", "top: built"]
    );
    project.write(
        "views/by_region.sql",
        "select region, sum(amount) + 1 as total from orders group by region\n",
    );
    assert_eq!(
        sorted(project.build(&[])),
        ["by_region: built", "ids: skipped", "top: built"]
    );
    assert_eq!(project.build(&["--force", "ids"]), ["ids: built"]);
}

#[test]
fn a_plan_says_what_a_build_would_do_and_its_exit_code_whether_there_is_anything() {
    let project = Project::new();
    assert_shown!(project.run(&["plan", "-q"]), @r#"
    exit 0
    --- stdout
    VIEW       ACTION  FILES  SIZE  WHY
    by_region  build       1  47 B  there is no output table yet
    1 view to build, 0 to skip
    "#);
    assert_eq!(project.run(&["plan", "--detailed-exitcode"]).code, 8);
    assert_shown!(project.run(&["build"]), @r#"
    exit 0
    --- stdout
    VIEW       OUTCOME  ROWS  VERSION TOOK
    by_region  built       2        0 [TIME]
    1 built in [TIME]
    run [RUN]
    --- stderr
    run [RUN]: 1 view
    building by_region
    built by_region: 2 rows, version 0, [TIME], there is no output table yet
    "#);
    assert_shown!(project.run(&["build"]), @r#"
    exit 0
    --- stdout
    nothing to do: 1 view is up to date ([TIME])
    run [RUN]
    --- stderr
    run [RUN]: 1 view
    skipped by_region: 2 rows, version 0, the output's own commit (version 0) carries the same result key [KEY]
    "#);
    assert_eq!(project.run(&["plan", "--detailed-exitcode"]).code, 0);
    assert_eq!(project.run(&["plan"]).code, 0);
}

#[test]
fn a_project_is_found_from_any_folder_below_it() {
    let project = Project::new().with("views/staging/x.sql", "select * from ordres\n");
    let ran = project.run_in("views/staging", &["plan", "-q"]);
    assert_eq!(ran.code, 3);
    assert!(ran.stderr.contains("--> x.sql:1:15"), "{}", ran.stderr);
    let ran = project.run_in("views", &["plan", "-q"]);
    assert!(
        ran.stderr.contains("--> staging/x.sql:1:15"),
        "{}",
        ran.stderr
    );
}

#[test]
fn past_runs_are_listed_and_shown_by_the_beginning_of_their_id() {
    let project = Project::new();
    assert_shown!(project.run(&["runs", "list"]), @r#"
    exit 0
    --- stdout
    no runs yet; `codeanatomy build` makes one
    "#);
    project.build(&[]);
    project.build(&[]);
    let (_, list) = project.json(&["runs", "list"]);
    let runs = list["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    let outcome = |run: &Value| run["views"][0]["outcome"].clone();
    assert_eq!(
        (outcome(&runs[0]), outcome(&runs[1])),
        ("skipped".into(), "built".into())
    );

    let id = runs[1]["run_id"].as_str().unwrap();
    let (_, shown) = project.json(&["runs", "show", id]);
    assert_eq!(shown, runs[1]);
    assert_eq!(project.run(&["runs", "show", "zzz"]).code, 2);
    let newest = project.run(&["runs", "show"]);
    assert!(newest.stdout.contains("1 skipped"), "{}", newest.stdout);
}

#[test]
fn a_plan_is_explained_in_every_form() {
    let project = Project::new();
    for (kind, word) in [
        ("logical", "Aggregate"),
        ("optimized", "Aggregate"),
        ("physical", "AggregateExec"),
        ("dot", "digraph"),
    ] {
        let ran = project.run(&["explain", "by_region", "--kind", kind, "-q"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains(word), "{kind}: {}", ran.stdout);
    }
}

#[test]
fn a_setting_on_the_command_line_wins_and_says_so() {
    let project = Project::new();
    let args = [
        "config",
        "show",
        "--with-sources",
        "--set",
        "batch_size=1000",
    ];
    let (code, document) = project.json(&args);
    assert_eq!(code, 0);
    let settings = document["settings"].as_array().unwrap();
    let setting = settings
        .iter()
        .find(|setting| setting["key"] == "datafusion.execution.batch_size")
        .unwrap();
    assert_eq!(setting["value"], "1000");
    assert_eq!(setting["source"]["kind"], "flag");
    let ran = project.run(&["config", "show"]);
    assert!(
        ran.stdout.contains("datafusion.execution.batch_size"),
        "{}",
        ran.stdout
    );
}

#[test]
fn data_that_is_there_becomes_a_project() {
    let data = Project::empty().with("in/prices.csv", "id,price\n1,3\n");
    let ran = data.run(&["init", "shop", "--from", "in", "-q"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let ran = data.run(&["build", "--project", "shop", "-q"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(data.run(&["init", "shop"]).code, 2);
}

fn sorted(mut views: Vec<String>) -> Vec<String> {
    views.sort();
    views
}

#[test]
fn the_demo_builds_anywhere_and_its_last_hint_is_true() {
    let folder = Project::empty();
    let ran = folder.run(&["demo", "--scale", "0.001"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("explain q05 --project codeanatomy-demo"),
        "{}",
        ran.stderr
    );

    let view = folder.path("codeanatomy-demo/views/queries/q16.sql");
    let sql = std::fs::read_to_string(&view).unwrap();
    let fewer = sql.trim_end().trim_end_matches(';').to_owned() + "\nlimit 3\n";
    std::fs::write(view, fewer).unwrap();
    let (code, document) = folder.json(&["build", "--project", "codeanatomy-demo"]);
    assert_eq!(code, 0, "{document:#}");
    let mut built = outcomes(&document);
    built.retain(|outcome| !outcome.ends_with("skipped"));
    assert_eq!(built, ["q16: built"]);
}

//! Every JSON document is what its schema in `docs/schemas` says.

use std::path::Path;

use serde_json::Value;

use crate::project::Project;

#[test]
fn every_document_is_what_its_schema_says() {
    let project = Project::new().with("views/all_orders.sql", "select * from orders\n");
    check("plan", 0, &project, &["plan"]);
    check("build", 0, &project, &["build"]);
    check("build", 0, &project, &["build"]);
    check("plan", 0, &project, &["plan"]);
    check("fingerprints", 0, &project, &["fingerprints"]);
    for kind in ["optimized", "determinism", "substrait", "bundle"] {
        let args = ["explain", "by_region", "--kind", kind];
        let document = check("explain", 0, &project, &args);
        assert!(!document["plan"].as_str().unwrap().is_empty());
    }
    for target in [
        &["by_region"][..],
        &["orders.region"],
        &["by_region", "--downstream"],
        &[],
    ] {
        let args = [&["lineage"], target].concat();
        check("lineage", 0, &project, &args);
    }
    check("runs-list", 0, &project, &["runs", "list"]);
    check("runs-show", 0, &project, &["runs", "show"]);
    check("why", 0, &project, &["why", "by_region"]);
    project.write(
        "views/by_region.sql",
        "select region, 1 as total from orders\n",
    );
    check("why", 0, &project, &["why", "by_region"]);
    check("why", 0, &project, &["why-not", "all_orders"]);
    check("build", 0, &project, &["build"]);
    let (_, runs) = project.json(&["runs", "list"]);
    let run = |n: usize| runs["runs"][n]["run_id"].as_str().unwrap().to_owned();
    let (newest, oldest) = (run(0), run(2));
    check("diff", 0, &project, &["diff", &oldest, &newest]);
    check("why", 0, &project, &["why", "by_region", "--to", &newest]);
    check("check", 0, &project, &["check"]);
    check(
        "contract-init",
        0,
        &project,
        &["contract", "init", "by_region"],
    );
    check("check", 0, &project, &["check", "by_region", "--rows"]);
    check("build", 0, &project, &["build", "--force"]);
    project.write(
        "views/all_orders.toml",
        "[contract]\nkey = [\"region\"]\nevolution = \"RELAXED\"\n",
    );
    check("check", 4, &project, &["check", "all_orders", "--rows"]);
    check("config-show", 0, &project, &["config", "show"]);
    check(
        "config-show",
        0,
        &project,
        &["config", "show", "--with-sources"],
    );
    check("udf-list", 0, &project, &["udf", "list"]);
    check("udf-list", 0, &project, &["udf", "list", "--all"]);
    check("udf-show", 0, &project, &["udf", "show", "stable_id"]);
    check("udf-show", 0, &project, &["udf", "show", "list_compact"]);
    check("config-validate", 0, &project, &["config", "validate"]);
    check("version", 0, &project, &["version"]);
    check("completions", 0, &project, &["completions", "fish"]);
    check("init", 0, &project, &["init", "other"]);
}

#[test]
fn every_document_about_a_table_is_what_its_schema_says() {
    let project = Project::new();
    check("build", 0, &project, &["build"]);
    let delta = |schema: &str, args: &[&str]| {
        let args = [&["delta"], args].concat();
        check(&format!("delta-{schema}"), 0, &project, &args)
    };
    delta("info", &["info", "by_region"]);
    delta("protocol", &["protocol", "by_region"]);
    delta("history", &["history", "by_region"]);
    delta("files", &["files", "by_region", "--stats"]);
    delta("checkpoint-create", &["checkpoint", "create", "by_region"]);
    delta(
        "checkpoint-inspect",
        &["checkpoint", "inspect", "by_region"],
    );
    delta("optimize", &["optimize", "by_region"]);
    delta("restore", &["restore", "by_region", "--to-version", "0"]);
    delta("vacuum", &["vacuum", "by_region", "--dry-run"]);
    delta("cleanup-log", &["cleanup-log", "by_region", "--dry-run"]);
    delta("cursor-reset", &["cursor", "reset", "by_region", "orders"]);
    delta("cursor-show", &["cursor", "show"]);
    let enabled = "delta.enableChangeDataFeed";
    let log = project.path("out/by_region/_delta_log");
    let first = std::fs::read_to_string(log.join("00000000000000000000.json")).unwrap();
    let line = first
        .lines()
        .find(|line| line.contains("metaData"))
        .unwrap();
    let mut metadata: Value = serde_json::from_str(line).unwrap();
    metadata["metaData"]["configuration"] = serde_json::json!({ enabled: "true" });
    let next = std::fs::read_dir(&log).unwrap().count();
    let version = (0..next)
        .find(|v| !log.join(format!("{v:020}.json")).exists())
        .unwrap();
    std::fs::write(
        log.join(format!("{version:020}.json")),
        metadata.to_string(),
    )
    .unwrap();
    project.write("orders.csv", "id,region,amount\n1,north,7\n");
    check("build", 0, &project, &["build"]);
    let from = version.to_string();
    let feed = delta("cdf", &["cdf", "by_region", "--from-version", &from]);
    assert_eq!(feed["inserted"], 1);
}

#[test]
fn every_failure_is_what_its_schema_says() {
    let project = Project::new();
    check("error", 2, &project, &["biuld"]);
    check("error", 2, &project, &["build", "../x"]);
    check("error", 2, &project, &["runs", "show", "zzz"]);
    check("error", 2, &project, &["init"]);
    check("error", 2, &project, &["lineage", "ordres.id"]);

    check("error", 3, &project, &["udf", "show", "stable_ids"]);

    project.write("views/bad.sql", "select * from ordres\n");
    check("error", 3, &project, &["plan"]);
    check("error", 3, &project, &["config", "validate"]);

    project.write("views/bad.sql", "select 1 / (id - id) as x from orders\n");
    project.write("views/bad.toml", "cache = \"delta_output\"\n");
    let document = check("build", 6, &project, &["build"]);
    assert_eq!(document["error"][0]["context"]["view"], "bad");

    let runs = project.path(".codeanatomy/runs");
    let damaged = runs.join("01900000-0000-7000-8000-000000000000");
    std::fs::create_dir(damaged).unwrap();
    let list = check("runs-list", 0, &project, &["runs", "list"]);
    assert_eq!(list["damaged"][0]["error"]["code"], "CA-OBS-0005");
}

fn check(schema: &str, code: i32, project: &Project, args: &[&str]) -> Value {
    let (got, document) = project.json(args);
    assert_eq!(got, code, "{args:?}: {document:#}");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/schemas");
    let text = std::fs::read_to_string(folder.join(format!("{schema}.json"))).unwrap();
    let validator = jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap();
    let problems: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{args:?}: {problems:#?}\n{document:#}");
    document
}

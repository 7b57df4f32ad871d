//! Contracts: what they refuse, what they let through, and what they make of rows.

use serde_json::{Value, json};

use crate::project::{Project, assert_shown};

const ORDERS: &str = "id,region,amount\n1,north,7\n2,,5\n3,north,1\n3,south,x\n";

/// A stored view over four orders, of which one has no region, two have one id, and one has an amount
/// that is no number.
fn project(contract: &str) -> Project {
    Project::empty()
        .with(
            "codeanatomy.toml",
            "[datasets.orders]\nlocation = \"orders.csv\"\n",
        )
        .with("orders.csv", ORDERS)
        .with("views/clean.sql", "select id, region, amount from orders\n")
        .with(
            "views/clean.toml",
            format!("cache = \"delta_output\"\n[contract]\n{contract}"),
        )
}

/// The one view of a build's document.
fn built(project: &Project, code: i32) -> (Value, Value) {
    let (got, document) = project.json(&["build"]);
    assert_eq!(got, code, "{document:#}");
    let views = document["views"].as_array().unwrap();
    let view = views.iter().find(|view| view["name"] == "clean").unwrap();
    (view.clone(), document.clone())
}

/// `code column count` of each error of a view.
fn errors(view: &Value) -> Vec<String> {
    let errors = view["validation"]["errors"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    errors
        .map(|error| {
            let (code, column) = (text(&error["error_code"]), text(&error["error_column"]));
            format!("{code} {column} {}", error["error_count"])
        })
        .collect()
}

#[test]
fn rows_that_break_a_contract_are_found_before_anything_is_committed() {
    let project = project(
        "key = [\"id\"]\non_invalid = \"fail\"\nevolution = \"ADDITIVE\"\n\
         columns = [{ name = \"id\" }, { name = \"region\", nullable = false }]\n",
    );
    let (view, document) = built(&project, 4);
    assert_eq!(view["outcome"], "failed");
    assert_eq!(
        errors(&view),
        ["null_violation region 1", "duplicate_keys id 2"]
    );
    let numbers = &view["validation"];
    assert_eq!(
        (
            &numbers["validated"],
            &numbers["invalid_rows"],
            &numbers["valid"]
        ),
        (&json!(4), &json!(3), &json!(false))
    );
    let codes: Vec<&str> = document["error"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["CA-SCHEMA-0101", "CA-SCHEMA-0101"]);
    assert!(!project.path("out/clean").exists());

    // Sound rows are committed, and later unsound ones leave them as they are.
    project.write("orders.csv", "id,region,amount\n1,north,7\n2,south,5\n");
    let (view, _) = built(&project, 0);
    assert_eq!(view["validation"]["valid"], json!(true));
    assert_eq!(view["validation"]["validated"], json!(2));
    project.write("orders.csv", ORDERS);
    let (view, _) = built(&project, 4);
    assert_eq!(view["outcome"], "failed");
    let log = std::fs::read_dir(project.path("out/clean/_delta_log")).unwrap();
    assert_eq!(log.count(), 1);
    let files = std::fs::read_dir(project.path("out/clean")).unwrap();
    assert_eq!(files.count(), 2, "the files of the failed build are gone");
}

#[test]
fn a_filter_leaves_out_what_breaks_the_contract_and_says_how_much() {
    let project = project(
        "key = [\"id\"]\non_invalid = \"filter\"\n\
         columns = [{ name = \"id\" }, { name = \"region\", nullable = false }]\n",
    );
    let (view, _) = built(&project, 0);
    assert_eq!(
        (&view["outcome"], &view["rows"]),
        (&json!("built"), &json!(1))
    );
    assert_eq!(
        errors(&view),
        ["null_violation region 1", "duplicate_keys id 2"]
    );
    let numbers = &view["validation"];
    assert_eq!(
        (
            &numbers["validated"],
            &numbers["invalid_rows"],
            &numbers["valid"]
        ),
        (&json!(4), &json!(3), &json!(true))
    );
    // Nothing changed: the same rows would be left out.
    let (view, _) = built(&project, 0);
    assert_eq!(view["outcome"], "skipped");
    // Another mode gives other rows.
    project.write(
        "views/clean.toml",
        "cache = \"delta_output\"\n[contract]\nkey = [\"id\"]\non_invalid = \"record\"\n\
         columns = [{ name = \"id\" }, { name = \"region\", nullable = false }, { name = \"amount\" }]\n",
    );
    let (view, _) = built(&project, 0);
    assert_eq!(
        (&view["outcome"], &view["rows"]),
        (&json!("built"), &json!(4))
    );
    assert_eq!(view["validation"]["valid"], json!(false));
    let replayed = project.run(&["runs", "list", "-q"]);
    assert_eq!(replayed.code, 0);
}

#[test]
fn a_filter_is_a_part_of_the_view_for_its_readers_and_for_a_replay() {
    let project = project(
        "on_invalid = \"filter\"\ncolumns = [{ name = \"id\" }, { name = \"region\", nullable = false }, \
         { name = \"amount\" }]\n",
    )
    .with("views/clean.toml", "[contract]\non_invalid = \"filter\"\nevolution = \"ADDITIVE\"\n\
         columns = [{ name = \"region\", nullable = false }]\n")
    .with("views/n.sql", "select count(*) as n from clean\n")
    .with("views/n.toml", "cache = \"delta_output\"\n");
    let (code, document) = project.json(&["build"]);
    assert_eq!(code, 0, "{document:#}");
    let run = document["run_id"].as_str().unwrap();
    let (code, replay) = project.json(&["replay", run, "--verify"]);
    assert_eq!(code, 0, "{replay:#}");
    assert_eq!(replay["views"][0]["outcome"], "verified");
    let ran = project.run(&["why", "n", "-q"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);

    // Without the filter there is one row more to count.
    project.write("views/clean.toml", "");
    let (code, why) = project.json(&["why", "n"]);
    assert_eq!(code, 0, "{why:#}");
    assert_eq!(why["changed"], json!(true), "{why:#}");
}

#[test]
fn values_are_cast_to_the_promised_types_and_those_that_do_not_fit_let_nothing_be_written() {
    let contract = "on_invalid = \"coerce\"\nevolution = \"ADDITIVE\"\n\
                    columns = [{ name = \"amount\", type = \"Int64\" }]\n";
    let project = project(contract);
    let (view, _) = built(&project, 4);
    assert_eq!(errors(&view), ["type_mismatch amount 1"]);
    project.write(
        "orders.csv",
        "id,region,amount\n1,north,7\n2,south,\n3,south,x7\n".replace("x7", "8"),
    );
    let (view, _) = built(&project, 0);
    assert_eq!(view["validation"]["valid"], json!(true));
}

#[test]
fn an_output_that_was_never_held_against_the_contract_is_not_skipped() {
    let project = project("key = [\"region\"]\n");
    project.write("orders.csv", "id,region,amount\n1,north,7\n2,south,5\n");
    project.write("views/clean.toml", "cache = \"delta_output\"\n");
    let (view, _) = built(&project, 0);
    assert_eq!(view["validation"], Value::Null);
    project.write(
        "views/clean.toml",
        "cache = \"delta_output\"\n[contract]\nkey = [\"region\"]\n",
    );
    let (_, plan) = project.json(&["plan"]);
    assert_eq!(plan["views"][0]["action"], "build");
    assert_eq!(
        plan["views"][0]["reasons"][0]["component"],
        "schema_contract"
    );
    let (view, _) = built(&project, 0);
    assert_eq!(view["validation"]["validated"], json!(2));
    let (view, _) = built(&project, 0);
    assert_eq!(view["outcome"], "skipped");
    // What the plan proves needs no look at the rows.
    project.write(
        "views/clean.sql",
        "select region, sum(amount) as amount from orders where region is not null group by region\n",
    );
    let (view, _) = built(&project, 0);
    assert_eq!(view["validation"]["validated"], Value::Null);
    assert_eq!(view["validation"]["proved"], json!(2));
}

#[test]
fn everything_that_columns_break_is_told_at_once_with_who_reads_them() {
    let project = project(
        "columns = [{ name = \"id\", type = \"Utf8\" }, { name = \"regoin\" }, { name = \"region\", nullable = false }]\n",
    )
    .with("views/by_id.sql", "select id, count(*) as n from clean group by id\n");
    assert_shown!(project.run(&["build", "-q"]), @r#"
    exit 4
    --- stderr
    error[CA-SCHEMA-0100]: column `id` is Int64, and its contract says Utf8
     --> views/clean.toml:2:2
      |
    2 | [contract]
      |  ^^^^^^^^
      |
      = expected: Utf8
      = violation: TYPE_MISMATCH
      = view: clean
      = read by: by_id
      = help: cast to the type of the contract, or change the contract

    error[CA-SCHEMA-0100]: column `regoin` is missing: its contract says a column
     --> views/clean.toml:2:2
      |
    2 | [contract]
      |  ^^^^^^^^
      |
      = expected: a column
      = violation: MISSING_COLUMN
      = view: clean
      = read by: by_id
      = help: did you mean `region`?
      = help: produce the column, or take it out of the contract

    error[CA-SCHEMA-0100]: column `region` is nullable, and its contract says not null
     --> views/clean.toml:2:2
      |
    2 | [contract]
      |  ^^^^^^^^
      |
      = expected: not null
      = violation: NULLABILITY_MISMATCH
      = view: clean
      = help: rule nulls out, for example with coalesce; or say `on_invalid = "fail"`, and the rows decide; or allow nulls in the contract

    error[CA-SCHEMA-0100]: column `amount` (Utf8) is not in the contract
     --> views/clean.toml:2:2
      |
    2 | [contract]
      |  ^^^^^^^^
      |
      = expected: nothing
      = violation: EXTRA_COLUMN
      = view: clean
      = help: list the column in the contract, or set `evolution = "ADDITIVE"`

    4 errors
    "#);
    let (code, check) = project.json(&["check"]);
    assert_eq!(code, 4);
    let contract = &check["contracts"][0];
    let codes: Vec<&str> = contract["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            "TYPE_MISMATCH",
            "MISSING_COLUMN",
            "NULLABILITY_MISMATCH",
            "EXTRA_COLUMN"
        ]
    );
    assert_eq!(contract["violations"][0]["read_by"], json!(["by_id"]));
    assert!(!project.path("out").exists());
}

#[test]
fn the_columns_of_a_dataset_are_held_against_its_contract_with_who_reads_them() {
    let project = project("").with(
        "codeanatomy.toml",
        "[datasets.orders]\nlocation = \"orders.csv\"\n[datasets.orders.contract]\n\
         columns = [\n  { name = \"id\", type = \"Utf8\" },\n  { name = \"region\" },\n  { name = \"amount\" },\n]\n",
    );
    let ran = project.run(&["build", "-q"]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("codeanatomy.toml:"), "{}", ran.stderr);
    let (_, check) = project.json(&["check", "orders"]);
    let contract = &check["contracts"][0];
    assert_eq!(contract["kind"], "dataset");
    assert_eq!(contract["violations"][0]["read_by"], json!(["clean"]));
}

#[test]
fn check_shows_errors_invalid_rows_and_statistics() {
    let project = project(
        "key = [\"id\"]\non_invalid = \"record\"\nevolution = \"ADDITIVE\"\n\
         columns = [{ name = \"region\", nullable = false }, { name = \"id\" }]\n",
    );
    assert_shown!(project.run(&["check", "-q"]), @r"
    exit 0
    --- stdout
    CONTRACT OF  KIND  POLICY    RESULT  PROVED  OPEN
    clean        view  ADDITIVE  kept         0     3
    1 contract kept, 0 broken; `--rows` looks at what only rows can tell
    ");
    assert_shown!(project.run(&["check", "clean", "--rows", "-q"]), @r"
    exit 4
    --- stdout
    CONTRACT OF  KIND  POLICY    RESULT  PROVED  OPEN  ROWS  INVALID
    clean        view  ADDITIVE  broken       0     3     4        3

    clean: errors
    ERROR           COLUMN  COUNT
    null_violation  region      1
    duplicate_keys  id          2

    clean: invalid rows
      id=3 region=north amount=1  duplicate_keys in id
      id=3 region=south amount=x  duplicate_keys in id
      id=2 region=null amount=5  null_violation in region

    clean: columns
    COLUMN  TYPE   NULLS  DISTINCT  MIN    MAX
    id      Int64      0         3  1      3
    region  Utf8       1         2  north  south
    amount  Utf8       0         4  1      x

    0 contracts kept, 1 broken
    --- stderr
    error[CA-SCHEMA-0101]: 1 of 4 rows break the contract: null_violation in region
     --> views/clean.toml:2:2
      |
    2 | [contract]
      |  ^^^^^^^^
      |
      = view: clean
      = error_code: null_violation
      = column: region
      = rows: 1
      = help: correct the query or its inputs, or change the contract

    error[CA-SCHEMA-0101]: 2 of 4 rows break the contract: duplicate_keys in id
     --> views/clean.toml:2:2
      |
    2 | [contract]
      |  ^^^^^^^^
      |
      = view: clean
      = error_code: duplicate_keys
      = column: id
      = rows: 2
      = help: correct the query or its inputs, or change the contract

    2 errors
    ");
    assert!(!project.path("out").exists(), "a check writes nothing");
    let wrong = project.run(&["check", "claen", "-q"]);
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.stderr.contains("did you mean `clean`"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn a_contract_is_written_from_what_is_there_and_never_over_another() {
    let project = project("");
    project.write(
        "views/clean.sql",
        "select region, sum(id) as ids from orders where region is not null group by region\n",
    );
    project.write(
        "views/clean.toml",
        "# stays\ncache = \"delta_output\" # this too\n",
    );
    assert_shown!(project.run(&["contract", "init", "clean", "-q"]), @r#"
    exit 0
    --- stdout
    [contract]
    evolution = "STRICT"
    key = ["region"]
    columns = [
        { name = "region", type = "Utf8", nullable = false },
        { name = "ids", type = "Int64", nullable = true },
    ]
    written to views/clean.toml
    "#);
    let text = std::fs::read_to_string(project.path("views/clean.toml")).unwrap();
    assert!(
        text.starts_with("# stays\ncache = \"delta_output\" # this too\n"),
        "{text}"
    );
    assert_eq!(project.run(&["check", "-q"]).code, 0);
    assert_eq!(project.run(&["build", "-q"]).code, 0);
    let again = project.run(&["contract", "init", "clean", "-q"]);
    assert_eq!(again.code, 2, "{}", again.stderr);
    assert!(again.stderr.contains("CA-PROJECT-0030"), "{}", again.stderr);
    let (code, document) = project.json(&[
        "contract",
        "init",
        "clean",
        "--force",
        "--evolution",
        "RELAXED",
    ]);
    assert_eq!(code, 0, "{document:#}");
    assert!(document["contract"].as_str().unwrap().contains("RELAXED"));

    let (code, document) = project.json(&["contract", "init", "orders"]);
    assert_eq!((code, &document["file"]), (0, &json!("codeanatomy.toml")));
    assert_eq!(document["section"], "datasets.orders.contract");
    assert_eq!(project.run(&["check", "-q"]).code, 0);
}

#[test]
fn a_contract_that_makes_no_sense_is_refused_where_it_is_written() {
    for (contract, code, line) in [
        (
            "columns = [\n  { name = \"id\", type = \"varchar\" },\n]\n",
            "CA-SCHEMA-0002",
            4,
        ),
        (
            "columns = [\n  { name = \"id\" },\n  { name = \"id\" },\n]\n",
            "CA-PROJECT-0021",
            5,
        ),
        (
            "key = [\"nr\"]\ncolumns = [{ name = \"id\" }]\n",
            "CA-SCHEMA-0004",
            2,
        ),
        (
            "key = [\"id\"]\ncolumns = [\n  { name = \"id\", nullable = true },\n]\n",
            "CA-SCHEMA-0005",
            5,
        ),
        ("evolution = \"STRCT\"\n", "CA-SCHEMA-0001", 3),
        ("on_invalid = \"filtr\"\n", "CA-SCHEMA-0007", 3),
        ("on_ivalid = \"filter\"\n", "CA-PROJECT-0003", 3),
    ] {
        let project = project(contract);
        let (exit, document) = project.json(&["build"]);
        assert_eq!(exit, 2, "{contract}: {document:#}");
        let error = &document["error"][0];
        assert_eq!(error["code"], code, "{document:#}");
        assert_eq!(error["file"], "views/clean.toml", "{document:#}");
        assert_eq!(error["line"], line, "{contract}: {document:#}");
        assert!(!project.path("out").exists());
    }
    // Modes that need an output.
    let project = project("on_invalid = \"record\"\n");
    project.write("views/clean.toml", "[contract]\non_invalid = \"record\"\n");
    let (exit, document) = project.json(&["build"]);
    assert_eq!(
        (exit, &document["error"][0]["code"]),
        (2, &json!("CA-PROJECT-0007"))
    );
    project.write("views/clean.toml", "");
    project.write(
        "codeanatomy.toml",
        "[datasets.orders]\nlocation = \"orders.csv\"\ncontract = { on_invalid = \"fail\" }\n",
    );
    let (exit, document) = project.json(&["build"]);
    assert_eq!(
        (exit, &document["error"][0]["code"]),
        (2, &json!("CA-PROJECT-0007"))
    );
}

#[test]
fn a_thousand_columns_and_a_hundred_levels_are_no_trouble() {
    let names: Vec<String> = (0..1_000).map(|at| format!("c{at}")).collect();
    let header = names.join(",");
    let rows = ["1"; 1_000].join(",");
    let columns: Vec<String> = names
        .iter()
        .map(|name| format!("{{ name = \"{name}\", type = \"Int64\", nullable = false }}"))
        .collect();
    let contract = format!(
        "key = [\"c0\"]\non_invalid = \"fail\"\ncolumns = [\n{}\n]\n",
        columns.join(",\n")
    );
    let project = project(&contract);
    project.write("views/clean.sql", "select * from orders\n");
    project.write("orders.csv", format!("{header}\n{rows}\n"));
    let (view, _) = built(&project, 0);
    assert_eq!(view["validation"]["validated"], json!(1));

    let deep = format!("{}Int64{}", "List(".repeat(100), ")".repeat(100));
    project.write(
        "views/clean.toml",
        format!("cache = \"delta_output\"\n[contract]\ncolumns = [\n{{ name = \"c0\", type = \"{deep}\" }},\n]\n"),
    );
    let (exit, document) = project.json(&["build"]);
    assert_eq!(exit, 2, "{document:#}");
    assert_eq!(document["error"][0]["code"], "CA-SCHEMA-0002");
    assert_eq!(document["error"][0]["line"], 4);
}

#[test]
fn invalid_ids_are_collected_in_a_table_of_the_run() {
    let project = project("");
    project.write(
        "views/clean.toml",
        "cache = \"delta_output\"\n[ids]\nid = \"order\"\nregion = \"region\"\n",
    );
    project.write(
        "orders.csv",
        "id,region,amount\n0,north,7\n2,,5\n3,0,1\n4,west,1\n",
    );
    let (code, document) = project.json(&["build"]);
    assert_eq!(code, 0, "{document:#}");
    let table = format!("{}/quality", document["run_bundle"].as_str().unwrap());
    let looking = Project::empty()
        .with(
            "codeanatomy.toml",
            format!("[datasets.quality]\nlocation = \"{table}\"\n"),
        )
        .with("views/all.sql", "select * from quality\n")
        .with("views/all.toml", "[contract]\nkey = [\"source_table\"]\n");
    let (_, found) = looking.json(&["check", "all", "--rows"]);
    let mut rows: Vec<String> = found["contracts"][0]["rows"]["samples"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let value = |name: &str| row["values"][name].as_str().unwrap_or("null").to_owned();
            let names = ["entity_kind", "entity_id", "issue", "source_table"];
            names.map(value).join(" ")
        })
        .collect();
    rows.sort();
    assert_eq!(
        rows,
        [
            "order 0 invalid_id clean",
            "region 0 invalid_id clean",
            "region null invalid_id clean"
        ]
    );
    project.write(
        "views/clean.toml",
        "cache = \"delta_output\"\n[ids]\nidd = \"order\"\n",
    );
    let (code, document) = project.json(&["build"]);
    assert_eq!(code, 3, "{document:#}");
    let error = &document["error"][0];
    assert_eq!(
        (&error["code"], &error["nearest"]),
        (&json!("CA-EXEC-0044"), &json!("id"))
    );
    assert_eq!(error["line"], 3);
}

#[test]
fn what_the_log_of_a_delta_table_proves_is_not_looked_for() {
    let project = project("");
    project.write("orders.csv", "id,region,amount\n1,north,7\n2,,5\n");
    project.write("views/clean.toml", "cache = \"delta_output\"\n");
    assert_eq!(project.run(&["build", "-q"]).code, 0);
    let table = project.path("out/clean");
    let reader = Project::empty()
        .with(
            "codeanatomy.toml",
            format!("[datasets.t]\nlocation = \"{}\"\n", table.display()),
        )
        .with("views/clean.sql", "select id, region from t\n")
        .with(
            "views/clean.toml",
            "cache = \"delta_output\"\n[contract]\non_invalid = \"record\"\n\
             columns = [{ name = \"id\", nullable = false }, { name = \"region\", nullable = false }]\n",
        );
    let (_, check) = reader.json(&["check"]);
    let outcomes: Vec<&Value> = check["contracts"][0]["checks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|check| &check["outcome"])
        .collect();
    assert_eq!(outcomes, ["proved", "open"], "{check:#}");
    let (view, _) = built(&reader, 0);
    assert_eq!(view["validation"]["proved"], json!(1));
    assert_eq!(errors(&view), ["null_violation region 1"]);
}

//! Which table is meant, and what it says of itself.

use super::built;
use crate::project::{Project, assert_shown};

#[test]
fn a_table_is_found_by_the_name_of_its_view_by_path_and_by_url() {
    let project = built();
    let url = format!("file://{}", project.path("out/by_region").display());
    let mut ids = Vec::new();
    for table in ["by_region", "out/by_region", "./out/by_region", &url] {
        let (code, document) = project.json(&["delta", "info", table]);
        assert_eq!(code, 0, "{document:#}");
        assert_eq!(document["table"], table);
        assert_eq!(document["version"], 2);
        ids.push(document["id"].clone());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    // Outside of the project a path is enough.
    let ran = project.run_in("out", &["delta", "info", "by_region"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let elsewhere = Project::empty();
    let path = project.path("out/by_region");
    let ran = elsewhere.run(&["delta", "history", path.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

#[test]
fn a_dataset_is_looked_at_in_the_version_that_the_project_reads() {
    let project = built();
    project.write(
        "codeanatomy.toml",
        "[datasets.orders]\nlocation = \"orders.csv\"\n\n\
         [datasets.past]\nlocation = \"out/by_region\"\nversion = 1\n",
    );
    project.write("views/by_region.toml", "");
    let (_, pinned) = project.json(&["delta", "files", "past"]);
    let (_, newest) = project.json(&["delta", "files", "past", "--version", "2"]);
    assert_eq!(
        (&pinned["n_files"], &newest["n_files"]),
        (&1.into(), &1.into())
    );
    assert_ne!(pinned["files"], newest["files"]);
}

#[test]
fn what_is_no_table_is_refused_with_the_way_out() {
    let project = built();
    assert_shown!(project.run(&["delta", "info", "by_regoin"]), @r"
    exit 2
    --- stderr
    error[CA-FACADE-0001]: `by_regoin` is no dataset and no view of this project, and no folder
     |
     = help: did you mean `by_region`?
     = help: name a dataset, a view, a path or a URL
    ");
    // Without a format the dataset might be a table.
    assert_shown!(project.run(&["delta", "info", "orders"]), @r"
    exit 5
    --- stderr
    error[CA-DELTA-0003]: orders.csv is a file, not the folder of a Delta table
     |
     = help: name the folder that holds `_delta_log`
    ");
    assert_shown!(project.run(&["delta", "history", "views"]), @r"
    exit 5
    --- stderr
    error[CA-DELTA-0003]: there is no Delta table at views: its `_delta_log` is missing or empty
     |
     = help: correct the location, name another format, or create the table first
    ");
    assert_shown!(project.run(&["delta", "files", "by_region", "--version", "9"]), @r"
    exit 5
    --- stderr
    error[CA-DELTA-0004]: the Delta table at out/by_region has no version 9: its newest is 2
     |
     = expected: a version of 0..2
     = help: there are versions 0..2; ask for one of these
    ");
    assert_shown!(Project::empty().run(&["delta", "info", "orders"]), @r"
    exit 2
    --- stderr
    error[CA-FACADE-0001]: `orders` is no folder, and there is no project whose dataset it could be
     |
     = help: name a path or a URL, or call the program in a project's folder
    ");
    let ran = project.run(&["delta", "info", "by_region", "--option", "key=env:NOT_SET"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("CA-VOCAB-0003"), "{}", ran.stderr);
}

#[test]
fn a_view_that_is_kept_nowhere_has_no_table() {
    let project = built().with("views/loose.sql", "select * from orders\n");
    assert_shown!(project.run(&["delta", "history", "loose"]), @r#"
    exit 2
    --- stderr
    error[CA-FACADE-0002]: the view `loose` is kept in no table
     |
     = help: name a view whose file says `cache = "delta_output"`, or write it for `loose`
    "#);
}

#[test]
fn a_broken_project_is_no_obstacle_to_a_path() {
    let project = built();
    project.write("codeanatomy.toml", "[datasets\n");
    let ran = project.run(&["delta", "info", "./out/by_region"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(project.run(&["delta", "info", "by_region"]).code, 2);
}

#[test]
fn a_table_says_what_it_is() {
    let project = built();
    let shown = project.run(&["delta", "info", "by_region"]).stdout;
    for part in [
        "version    2 (oldest 0)",
        "2 rows in 1 file",
        "COLUMN",
        "region",
        "Int64",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let history = project.run(&["delta", "history", "by_region"]).stdout;
    let versions: Vec<&str> = history
        .lines()
        .skip(1)
        .map(|l| l.trim_start().split(' ').next().unwrap())
        .collect();
    assert_eq!(versions, ["2", "1", "0"], "{history}");
    assert!(history.contains("+1 -1"), "{history}");
    let one = project
        .run(&["delta", "history", "by_region", "--limit", "1"])
        .stdout;
    assert!(one.contains("`--limit` shows more"), "{one}");
    let stats = project
        .run(&["delta", "files", "by_region", "--stats"])
        .stdout;
    assert!(
        stats.contains("north") && stats.contains("south"),
        "{stats}"
    );
    let protocol = project.run(&["delta", "protocol", "by_region"]).stdout;
    assert_eq!(protocol, "reader version 1\nwriter version 2\n");
}

#[test]
fn the_protocol_of_a_table_that_cannot_be_read_says_what_it_needs() {
    let project = built();
    super::commit(
        &project,
        3,
        &[serde_json::json!({ "protocol": {
            "minReaderVersion": 3, "minWriterVersion": 7,
            "readerFeatures": ["variantType"], "writerFeatures": ["variantType"],
        }})],
    );
    let ran = project.run(&["delta", "info", "by_region"]);
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    assert!(ran.stderr.contains("`variantType`"), "{}", ran.stderr);
    let ran = project.run(&["delta", "protocol", "by_region"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(
        ran.stdout.contains("unreadable variantType"),
        "{}",
        ran.stdout
    );
}

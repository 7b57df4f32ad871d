//! Change feeds and cursors.

use serde_json::json;

use super::{action, built, commit};
use crate::project::{Project, assert_shown};

/// A project whose output records its changes from version 3 on; version 4 has some.
fn recording() -> Project {
    let project = built();
    let mut metadata = action(&project, 0, "metaData");
    metadata["configuration"] = json!({ "delta.enableChangeDataFeed": "true" });
    let protocol = json!({ "minReaderVersion": 1, "minWriterVersion": 4 });
    commit(
        &project,
        3,
        &[
            json!({ "protocol": protocol }),
            json!({ "metaData": metadata }),
        ],
    );
    project.write("orders.csv", "id,region,amount\n1,north,2\n2,west,9\n");
    assert_eq!(project.build(&[]), ["by_region: built"]);
    project
}

#[test]
fn changes_are_shown_by_version() {
    let project = recording();
    let ran = project.run(&["delta", "cdf", "by_region", "--from-version", "3"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let rows: Vec<Vec<&str>> = ran
        .stdout
        .lines()
        .map(|l| l.split_whitespace().collect())
        .collect();
    let changed: Vec<_> = rows[1..5].iter().map(|row| row[..4].join(" ")).collect();
    assert_eq!(
        changed,
        [
            "north 2 delete 4",
            "south 5 delete 4",
            "north 2 insert 4",
            "west 9 insert 4"
        ],
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout
            .ends_with("versions 3 to 4: 2 inserted, 0 updated, 2 deleted\n")
    );
    let args = [
        "delta",
        "cdf",
        "by_region",
        "--from-version",
        "3",
        "--limit",
        "1",
    ];
    let (_, document) = project.json(&args);
    assert_eq!(document["rows"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&document["inserted"], &document["deleted"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(document["rows"][0]["total"], 2);
    let nothing = [
        "delta",
        "cdf",
        "by_region",
        "--from-version",
        "3",
        "--to-version",
        "3",
    ];
    assert_eq!(
        project.run(&nothing).stdout,
        "versions 3 to 3: 0 inserted, 0 updated, 0 deleted\n"
    );
}

#[test]
fn a_window_may_be_one_of_times() {
    let project = recording();
    // The commits of other programs are far in the future here, and times never fall.
    let window = |from: &str, to: &str| {
        let args = [
            "delta",
            "cdf",
            "by_region",
            "--from-timestamp",
            from,
            "--to-timestamp",
            to,
        ];
        project.json(&args)
    };
    let (code, all) = window("2030-01-01", "2040-01-01");
    assert_eq!(code, 0, "{all:#}");
    assert_eq!(
        (&all["starting_version"], &all["ending_version"]),
        (&json!(3), &json!(4))
    );
    let (code, later) = window("2040-01-01", "2041-01-01");
    assert_eq!(
        (code, &later["starting_version"]),
        (0, &json!(null)),
        "{later:#}"
    );
    assert_eq!(
        window("2041-01-01", "2040-01-01").1["error"][0]["code"],
        "CA-DELTA-0027"
    );
    assert_eq!(
        window("1990-01-01", "1991-01-01").1["error"][0]["code"],
        "CA-DELTA-0026"
    );
}

#[test]
fn each_wrong_window_has_its_error() {
    let project = recording();
    let cdf = |args: &[&str]| {
        let all = [&["delta", "cdf", "by_region"], args].concat();
        let (code, document) = project.json(&all);
        let found = document["error"][0]["code"]
            .as_str()
            .unwrap_or("none")
            .to_owned();
        (code, found)
    };
    let error = |code, id: &str| (code, id.to_owned());
    assert_eq!(cdf(&["--from-version", "9"]), error(5, "CA-DELTA-0026"));
    assert_eq!(
        cdf(&["--from-version", "9", "--allow-out-of-range"]),
        error(0, "none")
    );
    assert_eq!(
        cdf(&["--from-version", "4", "--to-version", "3"]),
        error(2, "CA-DELTA-0027")
    );
    assert_eq!(cdf(&["--from-version", "1"]), error(5, "CA-DELTA-0028"));
    assert_eq!(cdf(&[]), error(2, "CA-CLI-0001"));
    assert_shown!(project.run(&["delta", "cdf", "by_region", "--from-version", "9"]), @r"
    exit 5
    --- stderr
    error[CA-DELTA-0026]: the change feed of the Delta table at out/by_region cannot start at version 9
     |
     = expected: a version of 0..4
     = dataset: by_region
     = help: start at a version that the log has; `allow_out_of_range` makes a start beyond the newest version an empty feed, and a cursor that is too old has to be reset
    ");
}

#[test]
fn a_cursor_is_moved_by_hand_and_the_output_stays_current() {
    let project = built();
    project.write("out_of_it/.keep", "");
    let shown = project.run(&["delta", "cursor", "show"]);
    assert_eq!(
        shown.stdout, "no view has read the changes of a dataset\n",
        "{}",
        shown.stderr
    );
    let reset = [
        "delta",
        "cursor",
        "reset",
        "by_region",
        "orders",
        "--to-version",
        "7",
    ];
    assert_eq!(
        project.run(&reset).stdout,
        "the cursor of `by_region` in `orders` moved from the beginning to version 7\n"
    );
    let (_, shown) = project.json(&["delta", "cursor", "show", "by_region"]);
    assert_eq!(shown["cursors"][0]["version"], 7);
    assert_eq!(project.build(&[]), ["by_region: skipped"]);
    let back = project.run(&["delta", "cursor", "reset", "by_region", "orders"]);
    assert!(
        back.stdout.ends_with("from version 7 to the beginning\n"),
        "{}",
        back.stdout
    );
    assert_shown!(project.run(&["delta", "cursor", "reset", "by_region", "ordres"]), @r"
    exit 2
    --- stderr
    error[CA-FACADE-0001]: there is no dataset `ordres` in this project
     |
     = help: did you mean `orders`?
     = help: name a dataset of codeanatomy.toml
    ");
}

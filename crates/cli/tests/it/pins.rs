//! `--pin`: which version of a dataset a command reads.

use serde_json::Value;

use crate::project::Project;

/// The built output `by_region`, at versions 0 to 2, is the dataset of a second view.
fn lake() -> [Project; 2] {
    let project = Project::new();
    for n in 0..3 {
        project.write(
            "orders.csv",
            format!("id,region,amount\n1,north,{n}\n2,south,5\n"),
        );
        project.build(&[]);
    }
    let table = project.path("out/by_region");
    let lake = Project::empty();
    lake.write(
        "codeanatomy.toml",
        format!(
            "[project]\nname = \"lake\"\n[datasets.sums]\nlocation = '{}'\nversion = 1\n",
            table.display()
        ),
    );
    lake.write("views/copy.sql", "select * from sums\n");
    lake.write("views/copy.toml", "cache = \"delta_output\"\n");
    [lake, project]
}

fn version(document: &Value) -> u64 {
    document["views"][0]["scans"][0]["version"]
        .as_u64()
        .unwrap()
}

#[test]
fn a_version_of_the_command_line_is_that_of_the_project_or_an_error_with_both_places() {
    let [lake, _shop] = lake();
    let (code, plan) = lake.json(&["plan"]);
    assert_eq!((code, version(&plan)), (0, 1));
    let (code, plan) = lake.json(&["plan", "--pin", "sums=1"]);
    assert_eq!((code, version(&plan)), (0, 1));
    let ran = lake.run(&["build", "--pin", "sums=2"]);
    assert_eq!(ran.code, 2, "{}", ran.shown());
    for part in ["CA-DELTA-0021", "codeanatomy.toml:5", "--pin sums=2"] {
        assert!(ran.stderr.contains(part), "{}", ran.shown());
    }
}

#[test]
fn a_pin_is_read_by_version_and_by_time_and_refused_where_it_is_none() {
    let [lake, _shop] = lake();
    let text = std::fs::read_to_string(lake.path("codeanatomy.toml")).unwrap();
    lake.write("codeanatomy.toml", text.replace("version = 1\n", ""));
    let (_, plan) = lake.json(&["plan"]);
    assert_eq!(version(&plan), 2);
    for (pin, expected) in [("sums=0", 0), ("sums=2999-01-01T00:00:00Z", 2)] {
        let (code, plan) = lake.json(&["plan", "--pin", pin]);
        assert_eq!((code, version(&plan)), (0, expected), "{pin}");
    }
    for (pin, part) in [
        ("sums", "NAME=VERSION"),
        ("sums=soon", "soon"),
        ("sum=1", "sums"),
        ("sums=9", "CA-DELTA-0004"),
    ] {
        let ran = lake.run(&["plan", "--pin", pin]);
        assert!(ran.code == 2 || ran.code == 5, "{pin}: {}", ran.shown());
        assert!(ran.stderr.contains(part), "{pin}: {}", ran.shown());
    }
}

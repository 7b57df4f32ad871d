//! Outputs that would go where they must not.

use codeanatomy_project::codes;

use crate::folder::{Folder, place};

fn output(sidecar: &str) -> Folder {
    Folder::with_sidecar(&format!("cache = 'delta_output'\n{sidecar}"))
}

#[test]
fn a_relative_location_stays_in_the_project() {
    for location in ["../elsewhere", "out/../../x", ".."] {
        let error =
            output(&format!("location = '{location}'")).error(codes::LOCATION_OUTSIDE_PROJECT);
        assert_eq!(place(&error), "views/a.toml:2:12");
        let help = error.help().unwrap();
        assert!(help.contains("absolute path or a URL"), "{help}");
    }
    let error =
        Folder::with_toml("[project]\noutput = '../out'").error(codes::LOCATION_OUTSIDE_PROJECT);
    assert_eq!(place(&error), "codeanatomy.toml:2:10");
}

#[test]
fn absolute_locations_and_urls_may_be_anywhere() {
    for location in [
        "/srv/tables/a",
        "s3://bucket/a",
        "file:///srv/tables/a",
        "x/../y",
    ] {
        let project = output(&format!("location = '{location}'")).load();
        assert!(project.output_place("a").is_some(), "{location}");
    }
}

#[cfg(unix)]
#[test]
fn a_relative_location_does_not_leave_by_a_link() {
    let outside = Folder::empty();
    let folder = output("").link("out", outside.path());
    folder.error(codes::BAD_LINK);
    let folder = output("location = 'x/y/z'").link("x", outside.path());
    folder.error(codes::BAD_LINK);
}

#[test]
fn an_output_keeps_away_from_the_files_of_the_project() {
    for location in [
        ".",
        "views",
        "views/tables",
        "macros/x",
        ".codeanatomy/x",
        "/",
    ] {
        output(&format!("location = '{location}'")).error(codes::OUTPUT_OVERLAPS);
    }
}

#[test]
fn two_outputs_share_no_place() {
    for (one, other) in [("t/x", "t/x"), ("t/x", "t/x/y"), ("t/x/y", "./t/x")] {
        let error = output(&format!("location = '{one}'"))
            .file("views/b.sql", "select 1")
            .file(
                "views/b.toml",
                format!("cache = 'delta_output'\nlocation = '{other}'"),
            )
            .error(codes::OUTPUT_OVERLAPS);
        assert_eq!(place(&error), "views/b.toml:2:12");
        assert!(error.to_string().contains("view `a`"), "{error}");
    }
    output("location = 't/x'")
        .file("views/b.sql", "select 1")
        .file("views/b.toml", "cache = 'delta_output'\nlocation = 't/xy'")
        .load();
}

#[test]
fn an_output_does_not_overwrite_a_dataset() {
    for location in ["out/a", "out", "out/a/part.csv", "."] {
        let error = Folder::with_toml(&format!("[datasets.d]\nlocation = '{location}'"))
            .file("views/a.toml", "cache = 'delta_output'")
            .error(codes::OUTPUT_OVERLAPS);
        assert!(
            error
                .to_string()
                .contains("dataset `d` (codeanatomy.toml:2:12)"),
            "{error}"
        );
    }
    let toml = "[datasets.d]\nlocation = 's3://bucket/t/'";
    Folder::with_toml(toml)
        .file(
            "views/a.toml",
            "cache = 'delta_output'\nlocation = 's3://bucket/t/a'",
        )
        .error(codes::OUTPUT_OVERLAPS);
}

#[test]
fn a_view_that_writes_nothing_shares_no_place() {
    Folder::with_toml("[datasets.d]\nlocation = 'out'").load();
}

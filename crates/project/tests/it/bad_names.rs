//! Names that break a rule, and names that clash.

use codeanatomy_project::codes;

use crate::folder::{Folder, place};

const INVALID_NAME: codeanatomy_vocab::Code = codeanatomy_vocab::codes::INVALID_NAME;

#[test]
fn a_dataset_name_that_breaks_the_rule_is_marked() {
    let error = Folder::with_toml("[datasets.'../x']\nlocation = 'x'").error(INVALID_NAME);
    assert_eq!(place(&error), "codeanatomy.toml:1:11");
}

#[test]
fn a_view_name_that_breaks_the_rule_names_its_file() {
    for file in [
        "views/by region.sql",
        "views/a..b.sql",
        "views/1st.sql",
        "views/é.sql",
    ] {
        let error = Folder::with_toml("")
            .file(file, "select 1")
            .error(INVALID_NAME);
        assert_eq!(place(&error), file);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_view_name_that_is_not_utf8_is_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let folder = Folder::with_toml("");
    let path = folder
        .path()
        .join("views")
        .join(OsStr::from_bytes(b"\xff.sql"));
    std::fs::write(path, "select 1").unwrap();
    folder.error(INVALID_NAME);
}

#[test]
fn two_views_of_one_name_are_both_named() {
    let error = Folder::with_toml("")
        .file("views/x/b.sql", "select 1")
        .file("views/y/b.sql", "select 2")
        .error(codes::DUPLICATE_VIEW);
    let message = error.to_string();
    assert!(message.contains("views/x/b.sql"), "{message}");
    assert!(message.contains("views/y/b.sql"), "{message}");
}

#[test]
fn names_that_differ_in_case_alone_are_refused() {
    let error = Folder::with_toml("")
        .file("views/x/A.sql", "select 1")
        .error(codes::NAMES_DIFFER_IN_CASE);
    let message = error.to_string();
    assert!(
        message.contains("views/a.sql") && message.contains("views/x/A.sql"),
        "{message}"
    );

    let toml = "[datasets.x]\nlocation = 'x'\n[datasets.X]\nlocation = 'y'";
    let error = Folder::with_toml(toml).error(codes::NAMES_DIFFER_IN_CASE);
    assert_eq!(place(&error), "codeanatomy.toml:3:11");
    assert!(
        error.to_string().contains("codeanatomy.toml:1:11"),
        "{error}"
    );
}

#[test]
fn a_view_named_like_a_dataset_is_refused() {
    for name in ["a", "A"] {
        let toml = format!("[datasets.{name}]\nlocation = 'x'");
        let error = Folder::with_toml(&toml).error(codes::VIEW_NAMED_LIKE_DATASET);
        assert_eq!(place(&error), "views/a.sql");
        assert!(
            error.to_string().contains("codeanatomy.toml:1:11"),
            "{error}"
        );
    }
}

#[test]
fn a_sidecar_without_its_view_is_answered_with_the_nearest() {
    let folder = || Folder::with_toml("").file("views/by_region.sql", "select 1");
    let error = folder()
        .file("views/by_regoin.toml", "")
        .error(codes::SIDECAR_WITHOUT_VIEW);
    assert_eq!(error.nearest(), Some("by_region"));
    assert_eq!(place(&error), "views/by_regoin.toml");

    let error = folder()
        .file("views/x/by_region.toml", "")
        .error(codes::SIDECAR_WITHOUT_VIEW);
    assert_eq!(error.help(), Some("move it beside `views/by_region.sql`"));

    let error = folder()
        .file("views/zzz.toml", "cahce = 1")
        .error(codes::SIDECAR_WITHOUT_VIEW);
    assert_eq!(error.nearest(), None);
}

//! What goes to standard output, and what to standard error.

use std::io::Read;

use crate::project::{Project, Ran, assert_shown};

#[test]
fn json_is_one_document_on_standard_output_and_nothing_else() {
    let project = Project::new();
    for args in [
        &["plan", "--format", "json", "-vvv"][..],
        &[
            "build",
            "--format",
            "json",
            "--diagnostics-profile",
            "debug",
        ][..],
        &["build", "nothing", "--format", "json"][..],
        &["--format=json", "biuld"][..],
        &["plan", "--set", "x", "--format", "json"][..],
    ] {
        let ran = project.run(args);
        let mut documents = serde_json::Deserializer::from_str(&ran.stdout).into_iter();
        let first: serde_json::Value = documents.next().unwrap().unwrap();
        assert!(first.is_object(), "{args:?}");
        assert!(documents.next().is_none(), "{args:?}: {}", ran.stdout);
    }
}

#[test]
fn quiet_is_silent_and_verbose_says_more() {
    let project = Project::new();
    let quiet = project.run(&["build", "-q"]);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (0, ""));
    let verbose = project.run(&["build", "-v"]);
    assert!(verbose.stdout.contains("by_region"), "{}", verbose.stdout);
    assert!(verbose.stderr.contains("plan: "), "{}", verbose.stderr);
}

#[test]
fn colours_are_only_where_they_are_wanted() {
    let project = Project::new();
    project.build(&[]);
    for (choice, colours) in [("auto", false), ("never", false), ("always", true)] {
        let ran = project.run(&["runs", "list", "--color", choice]);
        assert_eq!(ran.stdout.contains('\u{1b}'), colours, "{choice}");
        let ran = project.run(&["biuld", "--color", choice]);
        assert_eq!(ran.stderr.contains('\u{1b}'), colours, "{choice}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let project = Project::new();
    let mut child = project.start(&["completions", "bash"]);
    drop(child.stdout.take());
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert_eq!(stderr, "");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_run_record_that_cannot_be_written_is_a_warning() {
    let project = Project::new().with(".codeanatomy", "a file, not a folder");
    let ran = project.run(&["build", "-q"]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.stderr.starts_with("warning[CA-OBS-0001]"),
        "{}",
        ran.stderr
    );
    let (code, document) = project.json(&["build"]);
    assert_eq!(
        (code, &document["run_bundle"]),
        (0, &serde_json::Value::Null)
    );
}

#[test]
fn the_log_follows_flag_variable_and_project_in_this_order() {
    let project = Project::new();
    let is_loud = |ran: Ran| {
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stderr.contains("DEBUG")
    };
    let variable = |value| ("CODEANATOMY_DIAGNOSTICS_PROFILE", value);
    assert!(!is_loud(project.run(&["build", "--force"])));
    assert!(is_loud(
        project.run_with(variable("debug"), &["build", "--force"])
    ));
    let args = ["build", "--force", "--diagnostics-profile", "prod"];
    assert!(!is_loud(project.run_with(variable("debug"), &args)));

    let ran = project.run_with(variable("debgu"), &["build", "--force"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("did you mean `debug`?"),
        "{}",
        ran.stderr
    );
}

#[test]
fn usage_errors_say_what_there_is() {
    assert_shown!(Project::new().run(&["build", "--forse"]), @r#"
    exit 2
    --- stderr
    error: unexpected argument '--forse' found

      tip: a similar argument exists: '--force'

    Usage: codeanatomy build --force [VIEW]...

    For more information, try '--help'.
    "#);
}

#[test]
fn the_version_names_the_engine() {
    let ran: Ran = Project::empty().run(&["version"]);
    assert!(ran.stdout.starts_with("codeanatomy "), "{}", ran.stdout);
    assert!(ran.stdout.contains("datafusion "), "{}", ran.stdout);
}

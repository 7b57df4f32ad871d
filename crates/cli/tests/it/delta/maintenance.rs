//! Checkpoints, compaction, deletion, restoration.

use std::fs;

use serde_json::json;

use super::{action, built, commit, log_file};
use crate::project::{Project, files_below};

fn data_files(project: &Project) -> usize {
    let files = files_below(&project.path("out/by_region"));
    let is_data = |file: &&std::path::PathBuf| {
        !file.starts_with("_delta_log") && file.extension().is_some_and(|end| end == "parquet")
    };
    files.iter().filter(is_data).count()
}

/// Adds the data file of an older version again, so that there are two small ones.
fn with_two_files(project: &Project) {
    let mut add = action(project, 1, "add");
    add["dataChange"] = json!(true);
    commit(project, 3, &[json!({ "add": add })]);
}

#[test]
fn small_files_are_put_together_and_the_rows_stay() {
    let project = built();
    with_two_files(&project);
    let (_, before) = project.json(&["delta", "info", "by_region"]);
    assert_eq!(
        (&before["n_files"], &before["n_rows"]),
        (&json!(2), &json!(4))
    );
    let (code, report) = project.json(&["delta", "optimize", "by_region"]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(
        (&report["files_added"], &report["files_removed"]),
        (&json!(1), &json!(2))
    );
    let (_, after) = project.json(&["delta", "info", "by_region"]);
    assert_eq!(
        (&after["n_files"], &after["n_rows"]),
        (&json!(1), &json!(4))
    );
    let again = project.run(&["delta", "optimize", "by_region"]);
    assert_eq!(again.stdout, "nothing to do: version 4 is fine\n");
    let ordered = project.run(&[
        "delta",
        "optimize",
        "by_region",
        "--z-order",
        "region,total",
    ]);
    assert_eq!(ordered.code, 0, "{}", ordered.stderr);
    let wrong = project.run(&["delta", "optimize", "by_region", "--z-order", "regoin"]);
    assert_eq!(wrong.code, 2, "{}", wrong.stderr);
    assert!(
        wrong.stderr.contains("did you mean `region`?"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn a_compacted_output_is_not_built_again() {
    let project = Project::new();
    project.write(
        "views/by_region.toml",
        "cache = \"delta_output\"\npartition_by = [\"region\"]\n",
    );
    project.build(&[]);
    assert_eq!(
        project
            .run(&["delta", "optimize", "by_region", "--z-order", "total"])
            .code,
        0
    );
    assert_eq!(
        project
            .run(&["delta", "checkpoint", "create", "by_region"])
            .code,
        0
    );
    assert_eq!(project.build(&[]), ["by_region: skipped"]);
}

#[test]
fn a_vacuum_deletes_nothing_young_unless_it_is_forced() {
    let project = built();
    assert_eq!(data_files(&project), 3);
    let kept = project.run(&["delta", "vacuum", "by_region"]);
    assert_eq!(kept.stdout, "no file is old enough to go\n");
    let refused = project.run(&["delta", "vacuum", "by_region", "--retention", "0s"]);
    assert_eq!(refused.code, 2);
    assert!(
        refused.stderr.contains("CA-DELTA-0030"),
        "{}",
        refused.stderr
    );
    let forced = [
        "delta",
        "vacuum",
        "by_region",
        "--retention",
        "0s",
        "--force",
    ];
    let dry = project.run(&[&forced[..], &["--dry-run"]].concat());
    assert!(
        dry.stdout.ends_with("2 files would be deleted\n"),
        "{}",
        dry.stdout
    );
    assert_eq!(data_files(&project), 3);
    let wet = project.run(&forced);
    assert!(wet.stdout.ends_with("deleted 2 files\n"), "{}", wet.stdout);
    assert_eq!(data_files(&project), 1);
    // The rows and what is known of them are as before.
    assert_eq!(project.build(&[]), ["by_region: skipped"]);
    // The log still says which files the old version had.
    assert_eq!(
        project
            .run(&["delta", "files", "by_region", "--version", "0"])
            .code,
        0
    );
    let restored = project.run(&["delta", "restore", "by_region", "--to-version", "0"]);
    assert_eq!(restored.code, 6, "{}", restored.stderr);
}

#[test]
fn a_table_gets_the_rows_of_an_older_version_again() {
    let project = built();
    let (code, report) = project.json(&["delta", "restore", "by_region", "--to-version", "0"]);
    assert_eq!(code, 0, "{report:#}");
    assert_eq!(
        (&report["restored_version"], &report["version"]),
        (&json!(0), &json!(3))
    );
    let (_, first) = project.json(&["delta", "files", "by_region", "--version", "0"]);
    let (_, now) = project.json(&["delta", "files", "by_region"]);
    assert_eq!(first["files"][0]["path"], now["files"][0]["path"]);
    // The view's rows are no longer those of its inputs.
    assert_eq!(project.build(&[]), ["by_region: built"]);
    let neither = project.run(&["delta", "restore", "by_region"]);
    assert_eq!(neither.code, 2);
    let unknown = project.run(&["delta", "restore", "by_region", "--to-version", "99"]);
    assert_eq!(unknown.code, 5, "{}", unknown.stderr);
}

#[test]
fn a_torn_checkpoint_is_named_with_the_remedy_and_the_remedy_works() {
    let project = built();
    let none = project.run(&["delta", "checkpoint", "inspect", "by_region"]);
    assert_eq!(
        none.stdout,
        "no checkpoints; readers start at the oldest commit\n"
    );
    let made = project.run(&["delta", "checkpoint", "create", "by_region"]);
    assert_eq!(
        made.stdout, "made a checkpoint of version 2\n",
        "{}",
        made.stderr
    );
    let whole = project.run(&["delta", "checkpoint", "inspect", "by_region"]);
    assert_eq!(whole.code, 0, "{}", whole.stdout);
    let log = project.path("out/by_region/_delta_log");
    let file = log.join("00000000000000000002.checkpoint.parquet");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let torn = project.run(&["delta", "checkpoint", "inspect", "by_region"]);
    assert_eq!(torn.code, 5);
    assert!(torn.stdout.contains("is torn"), "{}", torn.stdout);
    assert!(torn.stderr.contains("CA-DELTA-0029"), "{}", torn.stderr);
    for args in [&["delta", "info", "by_region"][..], &["build"][..]] {
        let ran = project.run(args);
        assert_eq!(ran.code, 5, "{args:?}: {}", ran.stdout);
        assert!(ran.stderr.contains("CA-DELTA-0029"), "{}", ran.stderr);
        assert!(ran.stderr.contains("`_last_checkpoint`"), "{}", ran.stderr);
    }
    fs::remove_file(&file).unwrap();
    fs::remove_file(log.join("_last_checkpoint")).unwrap();
    assert_eq!(
        project
            .run(&["delta", "checkpoint", "create", "by_region"])
            .code,
        0
    );
    assert_eq!(
        project
            .run(&["delta", "checkpoint", "inspect", "by_region"])
            .code,
        0
    );
    assert_eq!(project.build(&[]), ["by_region: skipped"]);
}

#[test]
fn old_commits_go_when_a_checkpoint_stands_for_them() {
    let project = built();
    let young = project.run(&["delta", "cleanup-log", "by_region"]);
    assert!(
        young.stdout.starts_with("nothing in the log is old enough"),
        "{}",
        young.stdout
    );
    assert_eq!(
        project
            .run(&["delta", "checkpoint", "create", "by_region"])
            .code,
        0
    );
    let long_ago =
        std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    for version in 0..2 {
        let file = fs::File::options()
            .write(true)
            .open(log_file(&project, version))
            .unwrap();
        file.set_modified(long_ago).unwrap();
    }
    let dry = project.run(&["delta", "cleanup-log", "by_region", "--dry-run"]);
    assert!(
        dry.stdout.contains("2 files of the log would be deleted"),
        "{}",
        dry.stdout
    );
    assert!(log_file(&project, 0).exists());
    let wet = project.run(&["delta", "cleanup-log", "by_region"]);
    assert!(
        wet.stdout
            .ends_with("the oldest version that can be read is 2\n"),
        "{}",
        wet.stdout
    );
    assert!(!log_file(&project, 0).exists());
    assert_eq!(project.build(&[]), ["by_region: skipped"]);
}

#[test]
fn an_output_is_laid_out_as_its_view_says() {
    let project = Project::new();
    project.build(&[]);
    project.write(
        "views/by_region.toml",
        "cache = \"delta_output\"\nz_order_by = [\"total\"]\ntarget_file_size = \"64MiB\"\n\
         statistics_columns = [\"total\"]\n[properties]\nowner = \"sales\"\n\
         delta.enableChangeDataFeed = true\n",
    );
    let (_, plan) = project.json(&["plan"]);
    assert_eq!(
        plan["views"][0]["reasons"][0]["component"], "layout",
        "{plan:#}"
    );
    assert_eq!(project.build(&[]), ["by_region: built"]);
    let (_, info) = project.json(&["delta", "info", "by_region"]);
    assert_eq!(info["properties"]["owner"], "sales");
    assert_eq!(info["properties"]["delta.enableChangeDataFeed"], "true");
    let (_, files) = project.json(&["delta", "files", "by_region"]);
    assert!(files["files"][0]["statistics"]["maxValues"]["total"].is_number());
    assert_eq!(project.build(&[]), ["by_region: skipped"]);
    for (line, code) in [
        ("z_order_by = [\"totl\"]\n", "CA-DELTA-0034"),
        (
            "properties = { \"delta.appendOnly\" = true }\n",
            "CA-DELTA-0034",
        ),
        ("target_file_size = \"large\"\n", "CA-PROJECT-0006"),
    ] {
        project.write(
            "views/by_region.toml",
            format!("cache = \"delta_output\"\n{line}"),
        );
        let ran = project.run(&["build"]);
        assert_eq!(ran.code, 2, "{line}: {}", ran.stderr);
        assert!(ran.stderr.contains(code), "{line}: {}", ran.stderr);
    }
    project.write("views/by_region.toml", "z_order_by = [\"total\"]\n");
    assert_eq!(project.run(&["plan"]).code, 2);
}

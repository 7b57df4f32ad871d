//! Bad input: what is wrong, where, and what to do.

use crate::project::{Project, assert_shown};

#[test]
fn an_unknown_table_is_shown_with_its_place_and_the_nearest_name() {
    let project = Project::new().with("views/late.sql", "select *\nfrom ordres\n");
    assert_shown!(project.run(&["plan"]), @"");
}

#[test]
fn an_unknown_column_is_shown_with_its_place_and_the_nearest_name() {
    let project = Project::new().with("views/late.sql", "select id,\n  amuont\nfrom orders\n");
    assert_shown!(project.run(&["plan"]), @"");
}

#[test]
fn a_syntax_error_is_shown_where_it_is() {
    let project = Project::new().with("views/late.sql", "select id\nfrm orders\nwhere id > 1\n");
    assert_shown!(project.run(&["plan"]), @"");
}

#[test]
fn all_errors_of_a_pass_are_shown_at_once() {
    let project = Project::new()
        .with("views/a.sql", "select from from\n")
        .with("views/b.sql", "select * from ordres\n")
        .with("views/c.sql", "drop table orders\n");
    assert_shown!(project.run(&["build"]), @"");
}

#[test]
fn two_views_of_one_name_are_both_named() {
    let project = Project::new()
        .with("views/a/late.sql", "select 1 as n\n")
        .with("views/b/late.sql", "select 2 as n\n");
    assert_shown!(project.run(&["plan"]), @"");
}

#[test]
fn a_ring_of_views_is_shown_whole() {
    let project = Project::new()
        .with("views/a.sql", "select * from b\n")
        .with("views/b.sql", "select * from c\n")
        .with("views/c.sql", "select *\nfrom a\n");
    assert_shown!(project.run(&["plan"]), @"");
}

#[test]
fn a_missing_dataset_is_named() {
    let project = Project::new();
    std::fs::remove_file(project.path("orders.csv")).unwrap();
    assert_shown!(project.run(&["build"]), @"");
}

#[test]
fn an_empty_dataset_is_named() {
    let project = Project::new().with(
        "codeanatomy.toml",
        "[datasets.orders]\nlocation = \"data\"\nformat = \"parquet\"\n",
    );
    std::fs::create_dir(project.path("data")).unwrap();
    assert_shown!(project.run(&["build"]), @"");
}

#[test]
fn a_view_that_is_not_utf8_is_refused() {
    let project = Project::new().with("views/late.sql", b"select '\xff' as x\n");
    assert_shown!(project.run(&["plan"]), @"");
}

#[test]
fn a_view_with_two_statements_is_refused() {
    let project = Project::new().with("views/late.sql", "select 1 as n;\nselect 2 as n;\n");
    assert_shown!(project.run(&["plan"]), @"");
}

#[test]
fn a_view_that_changes_something_is_refused() {
    let project = Project::new().with("views/late.sql", "create table t as\nselect 1 as n\n");
    assert_shown!(project.run(&["plan"]), @"");
}

#[test]
fn an_unknown_key_is_shown_with_the_nearest_one() {
    let project = Project::new().with(
        "codeanatomy.toml",
        "[project]\nname = \"shop\"\n\n[datasets.orders]\nlocatoin = \"orders.csv\"\n",
    );
    assert_shown!(project.run(&["config", "validate"]), @"");
}

#[test]
fn a_view_name_that_would_leave_the_folder_is_refused_as_an_argument() {
    assert_shown!(Project::new().run(&["build", "../x"]), @"");
}

#[test]
fn a_view_file_whose_name_is_no_view_name_is_refused() {
    let project = Project::new().with("views/..x.sql", "select 1 as n\n");
    assert_shown!(project.run(&["plan"]), @"");
}

#[test]
fn an_output_that_would_leave_the_project_is_refused() {
    let project = Project::new().with(
        "views/by_region.toml",
        "cache = \"delta_output\"\nlocation = \"../x\"\n",
    );
    assert_shown!(project.run(&["build"]), @"");
}

#[test]
fn a_location_that_cannot_be_read_is_named() {
    let project = Project::new().with(
        "codeanatomy.toml",
        "[datasets.orders]\nlocation = \"codeanatomy.toml/orders\"\nformat = \"csv\"\n",
    );
    assert_shown!(project.run(&["build"]), @"");
}

#[test]
fn an_output_that_cannot_be_written_fails_its_view_and_not_the_others() {
    let project = Project::new()
        .with("taken", "a file, not a folder")
        .with("views/stuck.sql", "select id from orders\n")
        .with(
            "views/stuck.toml",
            "cache = \"delta_output\"\nlocation = \"taken/stuck\"\n",
        );
    let ran = project.run(&["build", "-q"]);
    assert_shown!(ran, @"");
    let (code, document) = project.json(&["build"]);
    assert_eq!(code, ran.code);
    assert_eq!(document["status"], "failed");
    assert_eq!(document["error"][0]["context"]["view"], "stuck");
}

#[test]
fn an_unknown_view_is_answered_with_the_nearest_one() {
    assert_shown!(Project::new().run(&["explain", "by_regoin"]), @"");
}

#[test]
fn a_folder_without_a_project_is_answered_with_what_to_do() {
    let project = Project::empty();
    assert_shown!(project.run(&["plan", "--project", "."]), @"");
}

#[test]
fn an_unknown_setting_is_answered_with_the_nearest_one() {
    let ran = Project::new().run(&["plan", "--set", "memory_limt=1GiB"]);
    assert_shown!(ran, @"");
}

#[test]
fn a_query_that_fails_while_it_runs_names_its_view() {
    let project = Project::new().with(
        "views/by_region.sql",
        "select region, sum(amount / (id - id)) as total\nfrom orders\ngroup by region\n",
    );
    assert_shown!(project.run(&["build", "-q"]), @"");
}

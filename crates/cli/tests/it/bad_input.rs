//! Bad input: what is wrong, where, and what to do.

use crate::project::{Project, assert_shown};

#[test]
fn an_unknown_table_is_shown_with_its_place_and_the_nearest_name() {
    let project = Project::new().with("views/late.sql", "select *\nfrom ordres\n");
    assert_shown!(project.run(&["plan"]), @r#"
    exit 3
    --- stderr
    error[CA-VIEWS-0004]: there is no table `ordres`
     --> views/late.sql:2:6
      |
    2 | from ordres
      |      ^^^^^^ neither a dataset nor a view
      |
      = view: late
      = help: did you mean `orders`?
      = help: declare it under [datasets] in codeanatomy.toml, or add a view file
    "#);
}

#[test]
fn an_unknown_column_is_shown_with_its_place_and_the_nearest_name() {
    let project = Project::new().with("views/late.sql", "select id,\n  amuont\nfrom orders\n");
    assert_shown!(project.run(&["plan"]), @r#"
    exit 3
    --- stderr
    error[CA-VIEWS-0007]: there is no column `amuont`
     --> views/late.sql:2:3
      |
    2 |   amuont
      |   ^^^^^^
      |
      = view: late
      = help: did you mean `amount`?
      = help: the columns in scope are id, region, amount
    "#);
}

#[test]
fn a_syntax_error_is_shown_where_it_is() {
    let project = Project::new().with("views/late.sql", "select id\nfrm orders\nwhere id > 1\n");
    assert_shown!(project.run(&["plan"]), @r#"
    exit 3
    --- stderr
    error[CA-VIEWS-0001]: expected: end of statement, found: orders
     --> views/late.sql:2:5
      |
    2 | frm orders
      |     ^^^^^^
      |
      = view: late
      = help: correct the SQL at the marked place
    "#);
}

#[test]
fn all_errors_of_a_pass_are_shown_at_once() {
    let project = Project::new()
        .with("views/a.sql", "select (1\n")
        .with("views/b.sql", "select * from ordres\n")
        .with("views/c.sql", "drop table orders\n");
    assert_shown!(project.run(&["build"]), @r#"
    exit 3
    --- stderr
    error[CA-VIEWS-0001]: expected: ), found: EOF
     --> views/a.sql:1:10
      |
    1 | select (1
      |          ^
      |
      = view: a
      = help: correct the SQL at the marked place

    error[CA-VIEWS-0003]: a view is a query, and this is DROP
     --> views/c.sql:1:1
      |
    1 | drop table orders
      | ^^^^
      |
      = expected: SELECT, VALUES, or WITH ... SELECT
      = view: c
      = help: a view only reads: set its output with `cache` in the .toml beside it

    error[CA-VIEWS-0004]: there is no table `ordres`
     --> views/b.sql:1:15
      |
    1 | select * from ordres
      |               ^^^^^^ neither a dataset nor a view
      |
      = view: b
      = help: did you mean `orders`?
      = help: declare it under [datasets] in codeanatomy.toml, or add a view file

    3 errors
    "#);
}

#[test]
fn two_views_of_one_name_are_both_named() {
    let project = Project::new()
        .with("views/a/late.sql", "select 1 as n\n")
        .with("views/b/late.sql", "select 2 as n\n");
    assert_shown!(project.run(&["plan"]), @r#"
    exit 2
    --- stderr
    error[CA-PROJECT-0011]: two files hold a view `late`: `views/a/late.sql` and `views/b/late.sql`
    --> views/b/late.sql
     = help: rename one of the two files
    "#);
}

#[test]
fn a_ring_of_views_is_shown_whole() {
    let project = Project::new()
        .with("views/a.sql", "select * from b\n")
        .with("views/b.sql", "select * from c\n")
        .with("views/c.sql", "select *\nfrom a\n");
    assert_shown!(project.run(&["plan"]), @r#"
    exit 3
    --- stderr
    error[CA-VIEWS-0005]: views read each other in a ring: a -> b -> c -> a
     --> views/a.sql:1:15
      |
    1 | select * from b
      |               ^ the ring starts here; `->` means "reads"
      |
      = view: a
      = help: take one of these references out, or move what they share to another view
    "#);
}

#[test]
fn a_missing_dataset_is_named() {
    let project = Project::new();
    std::fs::remove_file(project.path("orders.csv")).unwrap();
    assert_shown!(project.run(&["build"]), @r#"
    exit 5
    --- stderr
    error[CA-EXEC-0001]: there is nothing at `orders.csv`
     --> codeanatomy.toml:5:12
      |
    5 | location = "orders.csv"
      |            ^^^^^^^^^^^^
      |
      = dataset: orders
      = help: correct `location`, or put the data there
    "#);
}

#[test]
fn an_empty_dataset_is_named() {
    let project = Project::new().with(
        "codeanatomy.toml",
        "[datasets.orders]\nlocation = \"data\"\nformat = \"parquet\"\n",
    );
    std::fs::create_dir(project.path("data")).unwrap();
    assert_shown!(project.run(&["build"]), @r#"
    exit 5
    --- stderr
    error[CA-EXEC-0002]: `data` holds no file
     --> codeanatomy.toml:2:12
      |
    2 | location = "data"
      |            ^^^^^^
      |
      = dataset: orders
      = help: put the data there, or correct `location`
    "#);
}

#[test]
fn a_view_that_is_not_utf8_is_refused() {
    let project = Project::new().with("views/late.sql", b"select '\xff' as x\n");
    assert_shown!(project.run(&["plan"]), @r#"
    exit 2
    --- stderr
    error[CA-PROJECT-0009]: `views/late.sql` is not UTF-8: the byte at offset 8, in line 1, begins no character
     --> views/late.sql:1:9
      |
    1 | select '�' as x
      |         ^ not UTF-8 from here
      |
      = help: save the file as UTF-8
    "#);
}

#[test]
fn a_view_with_two_statements_is_refused() {
    let project = Project::new().with("views/late.sql", "select 1 as n;\nselect 2 as n;\n");
    assert_shown!(project.run(&["plan"]), @r#"
    exit 3
    --- stderr
    error[CA-VIEWS-0002]: the view holds a second statement
     --> views/late.sql:2:1
      |
    2 | select 2 as n;
      | ^^^^^^ the second statement starts here
      |
      = expected: one query, with or without a final semicolon
      = view: late
      = help: keep one query in a file; give the other a file of its own
    "#);
}

#[test]
fn a_view_that_changes_something_is_refused() {
    let project = Project::new().with("views/late.sql", "create table t as\nselect 1 as n\n");
    assert_shown!(project.run(&["plan"]), @r#"
    exit 3
    --- stderr
    error[CA-VIEWS-0003]: a view is a query, and this is CREATE
     --> views/late.sql:1:1
      |
    1 | create table t as
      | ^^^^^^
      |
      = expected: SELECT, VALUES, or WITH ... SELECT
      = view: late
      = help: a view only reads: set its output with `cache` in the .toml beside it
    "#);
}

#[test]
fn an_unknown_key_is_shown_with_the_nearest_one() {
    let project = Project::new().with(
        "codeanatomy.toml",
        "[project]\nname = \"shop\"\n\n[datasets.orders]\nlocatoin = \"orders.csv\"\n",
    );
    assert_shown!(project.run(&["config", "validate"]), @r#"
    exit 2
    --- stderr
    error[CA-PROJECT-0003]: unknown key `locatoin` in `[datasets.orders]`
     --> codeanatomy.toml:5:1
      |
    5 | locatoin = "orders.csv"
      | ^^^^^^^^
      |
      = expected: one of `location`, `format`, `version`, `timestamp`, `options`, `csv`, `contract`, `pruning`, `scan`, `gate`
      = help: did you mean `location`?
      = help: write `location`, or remove the key

    error[CA-PROJECT-0005]: `[datasets.orders]` has no `location`
     --> codeanatomy.toml:4:11
      |
    4 | [datasets.orders]
      |           ^^^^^^
      |
      = help: add `location = "path or URL"`

    2 errors
    "#);
}

#[test]
fn a_view_name_that_would_leave_the_folder_is_refused_as_an_argument() {
    assert_shown!(Project::new().run(&["build", "../x"]), @r#"
    exit 2
    --- stderr
    error: invalid value '../x' for '[VIEW]...': "../x" is not a view name: it would leave its folder

    For more information, try '--help'.
    "#);
}

#[test]
fn a_view_file_whose_name_is_no_view_name_is_refused() {
    let project = Project::new().with("views/my view.sql", "select 1 as n\n");
    assert_shown!(project.run(&["plan"]), @r#"
    exit 2
    --- stderr
    error[CA-VOCAB-0001]: "my view" is not a view name: it has a character that is not allowed
    --> views/my view.sql
     = file: views/my view.sql
     = help: use one to 128 ASCII letters, digits, `_` or `-`, starting with a letter or `_`
    "#);
}

#[test]
fn an_output_that_would_leave_the_project_is_refused() {
    let project = Project::new().with(
        "views/by_region.toml",
        "cache = \"delta_output\"\nlocation = \"../x\"\n",
    );
    assert_shown!(project.run(&["build"]), @r#"
    exit 2
    --- stderr
    error[CA-PROJECT-0016]: the location of view `by_region` leaves the project folder: `../x`
     --> views/by_region.toml:2:12
      |
    2 | location = "../x"
      |            ^^^^^^
      |
      = help: write an absolute path or a URL, or a path that stays in the folder
    "#);
}

#[test]
fn a_location_that_cannot_be_read_is_named() {
    let project = Project::new().with(
        "codeanatomy.toml",
        "[datasets.orders]\nlocation = \"codeanatomy.toml/orders\"\nformat = \"csv\"\n",
    );
    assert_shown!(project.run(&["build"]), @r#"
    exit 5
    --- stderr
    error[CA-EXEC-0001]: there is nothing at `codeanatomy.toml/orders`
     --> codeanatomy.toml:2:12
      |
    2 | location = "codeanatomy.toml/orders"
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = dataset: orders
      = help: correct `location`, or put the data there
    "#);
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
    assert_shown!(ran, @r#"
    exit 6
    --- stdout
    VIEW       OUTCOME  ROWS  VERSION TOOK
    by_region  built       2        0 [TIME]
    stuck      failed [TIME]
    failed: 1 built, 1 failed in [TIME]
    run [RUN]
    --- stderr
    error[CA-DELTA-0013]: taken/stuck cannot be written
    --> views/stuck.sql
     = view: stuck
     = help: check that the folder exists and that you may write it and all files in it
    "#);
    let (code, document) = project.json(&["build"]);
    assert_eq!(code, ran.code);
    assert_eq!(document["status"], "failed");
    assert_eq!(document["error"][0]["context"]["view"], "stuck");
}

#[test]
fn an_unknown_view_is_answered_with_the_nearest_one() {
    assert_shown!(Project::new().run(&["explain", "by_regoin"]), @r#"
    exit 2
    --- stderr
    error[CA-VIEWS-0012]: the project has no view `by_regoin`
     |
     = help: did you mean `by_region`?
     = help: `codeanatomy plan` lists the views
    "#);
}

#[test]
fn a_folder_without_a_project_is_answered_with_what_to_do() {
    let project = Project::empty();
    assert_shown!(project.run(&["plan", "--project", "."]), @r#"
    exit 2
    --- stderr
    error[CA-PROJECT-0001]: there is no codeanatomy.toml in `.` or above it
    --> .
     = help: `codeanatomy init` makes a project here; `--project DIR` names one elsewhere
    "#);
}

#[test]
fn an_unknown_setting_is_answered_with_the_nearest_one() {
    let ran = Project::new().run(&["plan", "--set", "memory_limt=1GiB"]);
    assert_shown!(ran, @r#"
    exit 2
    --- stderr
    error[CA-SESSION-0001]: there is no setting `memory_limt`
     |
     = source: flag --set
     = help: did you mean `memory_limit`?
     = help: use a setting that `config show` lists, or remove it; engine settings start with `datafusion.`
    "#);
}

#[test]
fn a_query_that_fails_while_it_runs_names_its_view() {
    let project = Project::new().with(
        "views/by_region.sql",
        "select region, sum(amount / (id - id)) as total\nfrom orders\ngroup by region\n",
    );
    assert_shown!(project.run(&["build", "-q"]), @r#"
    exit 6
    --- stdout
    VIEW       OUTCOME TOOK
    by_region  failed [TIME]
    failed: 1 failed in [TIME]
    run [RUN]
    --- stderr
    error[CA-DELTA-0014]: the query failed: Arrow error: Divide by zero error
    --> views/by_region.sql
     = view: by_region
     = help: look at the cause; `explain` shows the plan
    "#);
}

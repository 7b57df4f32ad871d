//! New projects.

use std::path::{Path, PathBuf};

use codeanatomy_project::scaffold::{ScaffoldOptions, init, write};
use codeanatomy_project::{CachePolicy, DatasetFormat, Place, Project, codes};

use crate::folder::Folder;

fn from(folder: &Path) -> ScaffoldOptions {
    ScaffoldOptions {
        name: None,
        from: Some(folder.to_path_buf()),
    }
}

/// Makes a project in `dir` from what is in `source`, and loads it.
fn started(dir: &Path, source: &Path) -> Project {
    let files = init(dir, &from(source)).unwrap();
    write(dir, &files).unwrap();
    Project::load(dir).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The datasets of a project: name, location, format.
fn datasets(project: &Project) -> Vec<(&str, &str, DatasetFormat)> {
    let datasets = project.datasets.values();
    datasets
        .map(|d| (d.name.as_str(), d.location.as_str(), d.format.unwrap()))
        .collect()
}

fn views(project: &Project) -> Vec<String> {
    let views = project.views.values();
    views.map(|view| view.path.display().to_string()).collect()
}

#[test]
fn the_example_is_a_good_project_with_its_own_data() {
    let folder = Folder::empty();
    let dir = folder.join("new/shop");
    let files = init(&dir, &ScaffoldOptions::default()).unwrap();
    assert!(!dir.exists());
    write(&dir, &files).unwrap();

    let project = Project::load(&dir).unwrap();
    assert_eq!(project.name, "shop");
    assert_eq!(project.views.len(), 3);
    let written = project
        .views
        .values()
        .filter(|view| view.config.cache == CachePolicy::DeltaOutput);
    assert_eq!(written.count(), 2);
    for dataset in project.datasets.values() {
        let Place::Local(path) = dataset.place(&project.root).unwrap() else {
            panic!("the example needs a network: {dataset:?}");
        };
        assert!(path.is_file(), "{}", path.display());
    }
    let ignore = std::fs::read_to_string(dir.join(".gitignore")).unwrap();
    assert!(
        ignore.contains(".codeanatomy/\n") && ignore.contains("out/\n"),
        "{ignore}"
    );
}

#[test]
fn a_plan_of_files_is_sorted_and_always_the_same() {
    let folder = Folder::empty();
    let plan = || init(folder.path(), &ScaffoldOptions::default()).unwrap();
    assert_eq!(plan(), plan());
    assert!(plan().is_sorted());
}

#[test]
fn a_project_may_have_any_name() {
    for name in ["my \"shop\"", "a\\b", "日本", "x\ny"] {
        let folder = Folder::empty();
        let options = ScaffoldOptions {
            name: Some(name.to_owned()),
            from: None,
        };
        write(folder.path(), &init(folder.path(), &options).unwrap()).unwrap();
        assert_eq!(folder.load().name, name.replace('\n', " "));
    }
}

#[test]
fn a_project_is_not_made_over_another() {
    let folder = Folder::with_toml("");
    let errors = init(folder.path(), &ScaffoldOptions::default()).unwrap_err();
    assert_eq!(errors.first().code(), codes::FILE_EXISTS);
}

#[test]
fn nothing_is_overwritten() {
    let folder = Folder::empty()
        .file("data/orders.csv", "mine")
        .file("views/sales_by_region.sql", "mine too");
    let files = init(folder.path(), &ScaffoldOptions::default()).unwrap();
    let errors = write(folder.path(), &files).unwrap_err();
    let codes: Vec<_> = errors.iter().map(|error| error.code().id()).collect();
    assert_eq!(codes, ["CA-PROJECT-0022", "CA-PROJECT-0022"]);
    assert!(!folder.join("codeanatomy.toml").exists());
    assert_eq!(
        std::fs::read_to_string(folder.join("data/orders.csv")).unwrap(),
        "mine"
    );

    // Also not what came between the plan and the writing.
    let folder = Folder::empty();
    let files = init(folder.path(), &ScaffoldOptions::default()).unwrap();
    write(folder.path(), &files).unwrap();
    assert!(write(folder.path(), &files).is_err());
}

#[test]
fn what_an_interruption_left_behind_is_completed() {
    let folder = Folder::empty();
    let files = init(folder.path(), &ScaffoldOptions::default()).unwrap();
    let half: Vec<(PathBuf, String)> = files[2..5].to_vec();
    write(folder.path(), &half).unwrap();
    write(folder.path(), &files).unwrap();
    folder.load();
}

#[test]
fn a_gitignore_that_is_there_stays() {
    let folder = Folder::empty().file(".gitignore", "target/\n");
    let files = init(folder.path(), &ScaffoldOptions::default()).unwrap();
    write(folder.path(), &files).unwrap();
    assert_eq!(
        std::fs::read_to_string(folder.join(".gitignore")).unwrap(),
        "target/\n"
    );
}

#[cfg(unix)]
#[test]
fn files_are_readable_for_others_as_the_umask_allows() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::empty().file("plain", "");
    let files = init(folder.path(), &ScaffoldOptions::default()).unwrap();
    write(folder.path(), &files).unwrap();
    let mode = |path: &str| folder.join(path).metadata().unwrap().permissions().mode();
    assert_eq!(mode("codeanatomy.toml"), mode("plain"));
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_an_error() {
    let folder = Folder::empty().file("shop", "a file, no folder");
    let dir = folder.join("shop");
    let files = init(&dir, &ScaffoldOptions::default()).unwrap();
    let errors = write(&dir, &files).unwrap_err();
    assert_eq!(errors.first().code(), codes::UNWRITABLE);
}

#[test]
fn a_project_is_made_from_a_folder_of_data() {
    let folder = Folder::empty()
        .file(
            "lake/COVID-19_NYT/_delta_log/00000000000000000000.json",
            "{}",
        )
        .file("lake/COVID-19_NYT/part-0.parquet", "x")
        .file("lake/orders.csv", "a,b\n1,2\n")
        .file("lake/clicks.jsonl", "{\"a\": 1}\n")
        .file("lake/package.json", "{\n  \"name\": \"x\"\n}\n")
        .file("lake/lines.json", "{\"a\": 1}\n{\"a\": 2}\n")
        .file("lake/empty.csv", "")
        .file("lake/events/part-00000-c000.snappy.parquet", "x")
        .file("lake/events/part-00001-c000.snappy.parquet", "x")
        .file("lake/single/data.parquet", "x")
        .file("lake/by_year/year=2024/month=1/a.csv", "a\n1\n")
        .file("lake/by_year/year=2025/month=1/b.csv", "a\n1\n")
        .file("lake/a/orders.csv", "a\n1\n")
        .file("lake/.hidden/x.csv", "a\n1\n")
        .file("lake/1/2/3/4/5/6/at_six.csv", "a\n1\n")
        .file("lake/1/2/3/4/5/6/7/too_deep.csv", "a\n1\n")
        .file("lake/order.csv", "a\n1\n")
        .file("lake/README.md", "x");
    let project = started(&folder.join("projects/new"), &folder.join("lake"));
    use DatasetFormat::{Csv, Delta, Json, Parquet};
    assert_eq!(
        datasets(&project),
        [
            ("at_six", "../../lake/1/2/3/4/5/6/at_six.csv", Csv),
            ("by_year", "../../lake/by_year", Csv),
            ("clicks", "../../lake/clicks.jsonl", Json),
            ("covid_19_nyt", "../../lake/COVID-19_NYT", Delta),
            ("events", "../../lake/events", Parquet),
            ("lines", "../../lake/lines.json", Json),
            ("order", "../../lake/order.csv", Csv),
            ("orders", "../../lake/a/orders.csv", Csv),
            ("orders_2", "../../lake/orders.csv", Csv),
            ("single", "../../lake/single/data.parquet", Parquet),
        ]
    );
    for dataset in project.datasets.values() {
        let Place::Local(path) = dataset.place(&project.root).unwrap() else {
            panic!("{dataset:?}");
        };
        assert!(path.exists(), "{}", path.display());
    }
    assert_eq!(project.views.len(), project.datasets.len());
    assert!(project.views["all_events"].sql.contains("from events\n"));
    assert!(project.views["all_order"].sql.contains("from \"order\"\n"));

    let toml = std::fs::read_to_string(project.root.join("codeanatomy.toml")).unwrap();
    for note in [
        "`package.json` has not",
        "`empty.csv` is empty",
        "`1/2/3/4/5/6/7` is too deep",
    ] {
        assert!(toml.contains(note), "{note} is not in:\n{toml}");
    }
}

#[test]
fn sql_files_become_views_and_datasets_keep_their_names() {
    let folder = Folder::empty()
        .file("src/orders.csv", "a\n1\n")
        .file("src/sql/staging/Clean Orders.sql", "select * from orders")
        .file("src/sql/orders.sql", "select 1 as n")
        .file("src/views/top.sql", "select 1 as n")
        .file("src/empty.sql", "");
    let project = started(&folder.join("project"), &folder.join("src"));
    assert_eq!(
        datasets(&project),
        [("orders", "../src/orders.csv", DatasetFormat::Csv)]
    );
    assert_eq!(
        views(&project),
        [
            "views/sql/staging/clean_orders.sql",
            "views/sql/orders_2.sql",
            "views/top.sql"
        ]
    );
}

#[test]
fn a_project_is_made_where_the_data_is() {
    let folder = Folder::empty()
        .file("data/orders.csv", "a\n1\n")
        .file("views/Mine.sql", "select * from orders")
        .file("out/old/_delta_log/0.json", "{}");
    let project = started(folder.path(), folder.path());
    assert_eq!(
        datasets(&project),
        [("orders", "data/orders.csv", DatasetFormat::Csv)]
    );
    assert_eq!(views(&project), ["views/Mine.sql"]);
}

#[test]
fn a_single_delta_table_is_a_dataset_of_its_own_name() {
    let folder = Folder::empty().file("my table/_delta_log/0.json", "{}");
    let project = started(&folder.join("p"), &folder.join("my table"));
    assert_eq!(
        datasets(&project),
        [("my_table", "../my table", DatasetFormat::Delta)]
    );
}

#[cfg(unix)]
#[test]
fn the_way_to_the_data_is_right_through_links_too() {
    let real = Folder::empty().file("deep/down/lake/orders.csv", "a\n1\n");
    let folder = Folder::empty()
        .link("lake", real.join("deep/down/lake"))
        .link("work", real.join("deep"));
    let project = started(&folder.join("work/project"), &folder.join("lake"));
    let location = "../down/lake/orders.csv";
    assert_eq!(
        datasets(&project),
        [("orders", location, DatasetFormat::Csv)]
    );
    assert!(project.root.join(location).is_file());
}

#[test]
fn a_folder_with_nothing_to_start_from_is_refused() {
    let folder = Folder::empty().file("src/README.md", "x");
    let error = |source: &str| {
        let errors = init(&folder.join("p"), &from(&folder.join(source))).unwrap_err();
        errors.first().code()
    };
    assert_eq!(error("src"), codes::NOTHING_FOUND);
    assert_eq!(error("missing"), codes::UNREADABLE);
}

#[test]
fn sql_files_that_are_not_utf8_are_all_named() {
    let folder = Folder::empty()
        .file("src/a.sql", b"select '\xff'")
        .file("src/b.sql", b"select '\xfe'");
    let errors = init(&folder.join("p"), &from(&folder.join("src"))).unwrap_err();
    assert_eq!(errors.iter().count(), 2);
    assert_eq!(errors.first().code(), codes::NOT_UTF8);
}

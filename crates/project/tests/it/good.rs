//! Folders as they should be.

use codeanatomy_project::{
    CachePolicy, CsvOptions, DatasetFormat, DiagnosticsProfile, OptionValue, Place, Project,
    SettingValue, discover,
};
use codeanatomy_vocab::{DeltaVersionSelector, SecretRef, UnixMillis};

use crate::folder::Folder;

const SHOP: &str = r#"
[project]
name = "shop"

[session]
preset = "dev"
memory_limit = "4GiB"
batch_size = 4096
"datafusion.execution.collect_statistics" = true
[session.datafusion.optimizer]
max_passes = 5
datafusion_like.skew = 0.5

[datasets.orders]
location = "data/orders"
format = "delta"
version = 12
[datasets.orders.contract]
evolution = "ADDITIVE"
key = ["order_id"]
[[datasets.orders.contract.columns]]
name = "order_id"
type = "Int64"
nullable = false
[[datasets.orders.contract.columns]]
name = "note"

[datasets.prices]
location = "s3://bucket/prices"
timestamp = "2026-01-15T10:30:00.5+01:00"
[datasets.prices.options]
aws_region = "eu-central-1"
aws_access_key_id = "AKIAEXAMPLE"
timeout = 30
allow_http = false
aws_secret_access_key = { env = "SHOP_SECRET" }
aws_session_token = { file = "secrets/token" }

[datasets.clicks]
location = "../clicks.csv"
csv = { header = false, delimiter = "\t" }

[diagnostics]
profile = "prod"
"#;

fn shop() -> Folder {
    Folder::empty()
        .file("codeanatomy.toml", SHOP)
        .file("views/staging/paid.sql", "\u{feff}select * from orders\r\n")
        .file("views/by_region.sql", "select 1 as region")
        .file(
            "views/by_region.toml",
            r#"
cache = "delta_output"
location = "tables/by_region"
partition_by = ["region", "year"]
description = "Sales by region"
tags = ["sales", "weekly"]
[contract]
key = ["region"]
columns = [ { name = "region", type = "Utf8", nullable = false } ]
[params]
since = { type = "Date32", default = "2026-01-01" }
until = { type = "Date32", default = 2026-02-01 }
top = { type = "Int64", default = 3 }
open = { type = "Boolean" }
"#,
        )
}

#[test]
fn a_project_is_read_with_all_its_sections() {
    let folder = shop();
    let project = folder.load();
    assert_eq!(project.name, "shop");
    assert_eq!(project.root, folder.path().canonicalize().unwrap());
    assert_eq!(project.output, "out");
    let profile = project.diagnostics.profile.unwrap();
    assert_eq!(profile.value, DiagnosticsProfile::Prod);
    assert_eq!(profile.source.to_string(), "codeanatomy.toml:44:11");
}

#[test]
fn session_settings_may_be_quoted_dotted_or_nested() {
    let session = shop().load().session;
    let preset = session.preset.unwrap();
    assert_eq!(preset.value, "dev");
    assert_eq!(preset.source.to_string(), "codeanatomy.toml:6:10");
    let settings: Vec<(&str, String)> = session
        .settings
        .iter()
        .map(|(key, value)| (key.as_str(), value.value.to_string()))
        .collect();
    assert_eq!(
        settings,
        [
            ("batch_size", "4096".to_owned()),
            ("datafusion.execution.collect_statistics", "true".to_owned()),
            (
                "datafusion.optimizer.datafusion_like.skew",
                "0.5".to_owned()
            ),
            ("datafusion.optimizer.max_passes", "5".to_owned()),
            ("memory_limit", "4GiB".to_owned()),
        ]
    );
    assert_eq!(
        session.settings["batch_size"].source.to_string(),
        "codeanatomy.toml:8:14"
    );
}

#[test]
fn datasets_say_where_in_which_format_and_at_which_version() {
    let folder = shop();
    let project = folder.load();
    let root = &project.root;

    let orders = &project.datasets["orders"];
    assert_eq!(orders.format, Some(DatasetFormat::Delta));
    assert_eq!(orders.selector, DeltaVersionSelector::Version(12));
    assert_eq!(
        orders.selector_at.as_ref().unwrap().to_string(),
        "codeanatomy.toml:17:11"
    );
    assert_eq!(
        orders.place(root).unwrap(),
        Place::Local(root.join("data/orders"))
    );
    assert_eq!(orders.declared_at.to_string(), "codeanatomy.toml:14:11");

    let prices = &project.datasets["prices"];
    assert_eq!(
        prices.selector,
        DeltaVersionSelector::Timestamp(UnixMillis(1_768_469_400_500))
    );
    assert_eq!(
        prices.place(root).unwrap().to_string(),
        "s3://bucket/prices"
    );

    let clicks = &project.datasets["clicks"];
    assert_eq!(clicks.selector, DeltaVersionSelector::Latest);
    assert_eq!(clicks.format, None);
    assert_eq!(
        clicks.csv,
        CsvOptions {
            header: false,
            delimiter: b'\t'
        }
    );
    let beside = root.parent().unwrap().join("clicks.csv");
    assert_eq!(clicks.place(root).unwrap(), Place::Local(beside));
}

#[test]
fn a_timestamp_may_also_be_written_without_quotes() {
    let toml = "[datasets.d]\nlocation = 'd'\ntimestamp = 2026-01-15T10:30:00Z";
    let project = Folder::with_toml(toml).load();
    let expected = DeltaVersionSelector::Timestamp(UnixMillis(1_768_473_000_000));
    assert_eq!(project.datasets["d"].selector, expected);
}

#[test]
fn options_are_plain_or_name_a_secret() {
    let folder = shop().file("secrets/token", "opensesame\n");
    let project = folder.load();
    let prices = &project.datasets["prices"];
    let plain = |text: &str| OptionValue::Plain(text.to_owned());
    assert_eq!(prices.options["aws_region"], plain("eu-central-1"));
    assert_eq!(prices.options["timeout"], plain("30"));
    assert_eq!(prices.options["allow_http"], plain("false"));
    assert_eq!(
        prices.options["aws_secret_access_key"],
        OptionValue::Secret(SecretRef::Env("SHOP_SECRET".to_owned()))
    );
    let token = prices.options["aws_session_token"].resolve(&project.root);
    assert_eq!(token.unwrap().expose(), "opensesame");

    let errors = prices.resolve_options(&project.root).unwrap_err();
    assert!(errors.to_string().contains("SHOP_SECRET"), "{errors}");
    assert_eq!(errors.first().location().unwrap(), &prices.declared_at);
}

#[test]
fn contracts_keep_the_words_as_they_are_written() {
    let project = shop().load();
    let contract = project.datasets["orders"].contract.as_ref().unwrap();
    assert_eq!(contract.evolution, "ADDITIVE");
    assert_eq!(contract.key, ["order_id"]);
    let [id, note] = contract.columns.as_slice() else {
        panic!("{contract:?}");
    };
    assert_eq!(
        (id.type_name.as_deref(), id.nullable),
        (Some("Int64"), Some(false))
    );
    assert_eq!((note.type_name.as_deref(), note.nullable), (None, None));

    let contract = project.views["by_region"].config.contract.as_ref().unwrap();
    assert_eq!(contract.evolution, "STRICT");
    assert_eq!(contract.evolution_at, None);
    assert_eq!(
        contract.columns[0].declared_at.to_string(),
        "views/by_region.toml:9:13"
    );
}

#[test]
fn views_are_found_in_folders_with_their_sidecars() {
    let project = shop().load();
    let names: Vec<&str> = project.views.keys().map(AsRef::as_ref).collect();
    assert_eq!(names, ["by_region", "paid"]);

    let paid = &project.views["paid"];
    assert_eq!(paid.path.to_str(), Some("views/staging/paid.sql"));
    assert_eq!(&*paid.sql, "select * from orders\r\n");
    assert_eq!(paid.config_path, None);
    assert_eq!(paid.config.cache, CachePolicy::None);
    assert_eq!(project.output_place("paid"), None);

    let view = &project.views["by_region"];
    assert_eq!(
        view.config_path.as_ref().unwrap().to_str(),
        Some("views/by_region.toml")
    );
    assert_eq!(view.config.cache, CachePolicy::DeltaOutput);
    assert_eq!(view.config.partition_by, ["region", "year"]);
    assert_eq!(view.config.description.as_deref(), Some("Sales by region"));
    assert_eq!(view.config.tags, ["sales", "weekly"]);
    let place = Place::Local(project.root.join("tables/by_region"));
    assert_eq!(project.output_place("by_region"), Some(place));
}

#[test]
fn parameters_have_a_type_and_may_have_a_default() {
    let project = shop().load();
    let params = &project.views["by_region"].config.params;
    let text = |text: &str| Some(SettingValue::Text(text.to_owned()));
    assert_eq!(params["since"].default, text("2026-01-01"));
    assert_eq!(params["until"].default, text("2026-02-01"));
    assert_eq!(params["top"].default, Some(SettingValue::Integer(3)));
    assert_eq!(params["open"].default, None);
    assert_eq!(params["open"].type_name, "Boolean");
}

#[test]
fn each_key_of_a_sidecar_has_its_place() {
    let project = shop().load();
    let view = &project.views["by_region"];
    let place = |key: &str| view.location_of(key).to_string();
    assert_eq!(place("location"), "views/by_region.toml:3:12");
    assert_eq!(place("partition_by.year"), "views/by_region.toml:4:27");
    assert_eq!(place("params.top"), "views/by_region.toml:13:1");
    assert_eq!(place("contract"), "views/by_region.toml:7:2");
    assert_eq!(place("unsaid"), "views/by_region.sql");
}

#[test]
fn defaults_hold_for_views_that_say_nothing_else() {
    let project = Folder::with_toml("[defaults]\ncache = 'delta_output'")
        .file("views/b.sql", "select 2 as n")
        .file("views/b.toml", "cache = 'none'")
        .file("views/c.sql", "select 3 as n")
        .file("views/c.toml", "partition_by = ['n']")
        .load();
    let cache = |view: &str| project.views[view].config.cache;
    assert_eq!(cache("a"), CachePolicy::DeltaOutput);
    assert_eq!(cache("b"), CachePolicy::None);
    assert_eq!(cache("c"), CachePolicy::DeltaOutput);
    let place = Place::Local(project.root.join("out/a"));
    assert_eq!(project.output_place("a"), Some(place));
}

#[test]
fn hidden_files_and_what_editors_leave_behind_are_no_views() {
    let folder = [
        "views/.hidden.sql",
        "views/.git/x.sql",
        "views/a.sql~",
        "views/#a.sql#",
        "views/~a.sql",
        "views/a.sql.bak",
        "views/.#a.sql",
        "views/README.md",
        "macros/notes.txt",
    ]
    .into_iter()
    .fold(Folder::with_toml(""), |folder, path| folder.file(path, "x"));
    let project = folder.load();
    assert_eq!(project.views.len(), 1);
    let name = folder.path().file_name().unwrap().to_string_lossy();
    assert_eq!(project.name, name);
}

#[test]
fn macros_are_files_of_sql_in_the_order_of_their_paths() {
    let project = Folder::with_toml("")
        .file("macros/tax/net.sql", "create function net(a int) return a")
        .file("macros/empty.sql", "")
        .file("macros/notes.txt", "x")
        .load();
    let files: Vec<(&str, &str)> = project
        .macros
        .iter()
        .map(|file| (file.path.to_str().unwrap(), file.sql.as_ref()))
        .collect();
    let net = ("macros/tax/net.sql", "create function net(a int) return a");
    assert_eq!(files, [("macros/empty.sql", ""), net]);
}

#[cfg(unix)]
#[test]
fn links_that_stay_in_the_project_are_followed() {
    let project = Folder::with_toml("")
        .file("queries/b.sql", "select 1 as n")
        .file("queries/deep/c.sql", "select 1 as n")
        .link("views/b.sql", "../queries/b.sql")
        .link("views/deep", "../queries/deep")
        .load();
    let names: Vec<&str> = project.views.keys().map(AsRef::as_ref).collect();
    assert_eq!(names, ["a", "b", "c"]);
}

#[test]
fn a_project_is_found_from_any_folder_in_it() {
    let folder = shop();
    let root = folder.path().canonicalize().unwrap();
    for start in ["", "views/staging", "views/../views", "codeanatomy.toml"] {
        assert_eq!(discover(&folder.join(start)).unwrap(), root, "{start}");
    }
}

#[test]
fn the_order_of_files_on_disk_does_not_matter() {
    let load = |names: [&str; 3]| {
        let folder = names.iter().fold(Folder::with_toml(""), |folder, name| {
            folder.file(&format!("views/{name}.sql"), "select 1 as n")
        });
        let views = folder.load().views;
        views
            .into_values()
            .map(|view| view.path)
            .collect::<Vec<_>>()
    };
    assert_eq!(load(["x/b", "c", "y/d"]), load(["y/d", "x/b", "c"]));
}

#[test]
fn a_project_that_is_loaded_twice_is_the_same() {
    let folder = shop();
    assert_eq!(folder.load(), Project::load(folder.path()).unwrap());
}

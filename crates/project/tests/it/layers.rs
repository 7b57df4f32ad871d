//! Settings in layers.

use std::collections::BTreeMap;

use codeanatomy_project::{Layers, SettingValue, UserConfig, codes};

use crate::folder::Folder;

fn env(variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn winner(layers: &Layers, key: &str) -> (String, String) {
    let winner = layers.get(key).unwrap();
    (winner.value.to_string(), winner.source.to_string())
}

#[test]
fn the_layer_nearest_to_the_user_wins() {
    let project = Folder::with_toml("[session]\nk = 'project'\npreset = 'dev'").load();
    let user_folder = Folder::empty().file("codeanatomy/config.toml", "[session]\nk = 'user'");
    let variables = env(&[
        ("XDG_CONFIG_HOME", user_folder.path().to_str().unwrap()),
        ("CODEANATOMY_SESSION_K", "env"),
    ]);
    let user = UserConfig::load(&variables).unwrap();

    let layers = Layers::new("session").with_defaults([("k", "default")]);
    assert_eq!(winner(&layers, "k"), ("default".into(), "default".into()));
    let layers = layers.with_preset("dev", [("k", "preset")]);
    assert_eq!(winner(&layers, "k"), ("preset".into(), "preset dev".into()));
    let layers = layers.with_user(user.session.entries());
    let place = user_folder.join("codeanatomy/config.toml:2:5");
    assert_eq!(
        winner(&layers, "k"),
        ("user".into(), place.display().to_string())
    );
    let layers = layers.with_project(project.session.entries());
    assert_eq!(
        winner(&layers, "k"),
        ("project".into(), "codeanatomy.toml:2:5".into())
    );
    assert_eq!(winner(&layers, "preset").0, "dev");
    let layers = layers.with_env(&variables);
    assert_eq!(
        winner(&layers, "k"),
        ("env".into(), "env CODEANATOMY_SESSION_K".into())
    );
    let layers = layers.with_flag("--set", "k", "flag");
    assert_eq!(winner(&layers, "k"), ("flag".into(), "flag --set".into()));

    let all: Vec<String> = layers
        .candidates("k")
        .map(|c| c.value.to_string())
        .collect();
    assert_eq!(all, ["flag", "env", "project", "user", "preset", "default"]);
}

#[test]
fn the_order_in_which_layers_are_added_does_not_matter() {
    let variables = env(&[("CODEANATOMY_SESSION_K", "env")]);
    let one = Layers::new("session")
        .with_flag("--k", "k", 1)
        .with_env(&variables)
        .with_defaults([("k", 3), ("other", 4)]);
    let other = Layers::new("session")
        .with_defaults([("k", 3), ("other", 4)])
        .with_env(&variables)
        .with_flag("--k", "k", 1);
    assert_eq!(one, other);
    let merged = one.merged();
    assert_eq!(merged["k"].value, SettingValue::Integer(1));
    assert_eq!(merged["other"].value, SettingValue::Integer(4));
}

#[test]
fn variables_name_a_section_and_a_key() {
    let layers = Layers::new("session").with_env(&env(&[
        (
            "CODEANATOMY_SESSION_DATAFUSION__EXECUTION__BATCH_SIZE",
            "10",
        ),
        ("CODEANATOMY_SESSION_MEMORY_LIMIT", ""),
        ("CODEANATOMY_SESSION_", "x"),
        ("CODEANATOMY_SESSIONS_X", "x"),
        ("CODEANATOMY_DIAGNOSTICS_PROFILE", "dev"),
        ("MEMORY_LIMIT", "x"),
    ]));
    let merged = layers.merged();
    let keys: Vec<&String> = merged.keys().collect();
    assert_eq!(keys, ["datafusion.execution.batch_size"]);
    let profile =
        Layers::new("diagnostics").with_env(&env(&[("CODEANATOMY_DIAGNOSTICS_PROFILE", "dev")]));
    assert_eq!(winner(&profile, "profile").0, "dev");
}

#[test]
fn the_users_file_is_found_by_the_environment_that_is_passed_in() {
    let path = |variables: &[(&str, &str)]| {
        UserConfig::path(&env(variables)).map(|path| path.display().to_string())
    };
    let in_home = Some("/home/me/.config/codeanatomy/config.toml".to_owned());
    assert_eq!(path(&[("HOME", "/home/me")]), in_home);
    assert_eq!(
        path(&[("HOME", "/home/me"), ("XDG_CONFIG_HOME", "relative")]),
        in_home
    );
    assert_eq!(
        path(&[("HOME", "/home/me"), ("XDG_CONFIG_HOME", "/xdg")]),
        Some("/xdg/codeanatomy/config.toml".to_owned())
    );
    assert_eq!(path(&[]), None);
    assert_eq!(UserConfig::load(&env(&[])).unwrap(), UserConfig::default());
    let nowhere = env(&[("HOME", "/nowhere/at/all")]);
    assert_eq!(UserConfig::load(&nowhere).unwrap(), UserConfig::default());
}

#[test]
fn a_users_file_holds_nothing_that_belongs_to_a_project() {
    let load = |toml: &str| {
        let folder = Folder::empty().file("codeanatomy/config.toml", toml);
        UserConfig::load(&env(&[(
            "XDG_CONFIG_HOME",
            folder.path().to_str().unwrap(),
        )]))
    };
    let user = load("[diagnostics]\nprofile = 'debug'").unwrap();
    assert_eq!(
        user.diagnostics.entries()["profile"].value.to_string(),
        "debug"
    );

    let errors = load("[datasets.x]\nlocation = 'x'\n[sesion]\n[session]\nk = []").unwrap_err();
    let found: Vec<_> = errors.iter().map(codeanatomy_vocab::Error::code).collect();
    assert_eq!(
        found,
        [codes::UNKNOWN_KEY, codes::UNKNOWN_KEY, codes::WRONG_TYPE]
    );
}

//! `[stores.NAME]`, and how outputs are laid out.

use codeanatomy_project::{OptionValue, Place, Project, codes};

use crate::folder::Folder;

const STORES: &str = "[stores.all]\nurl = 's3://lake'\nregion = 'eu-central-1'\n\
                      [stores.raw]\nurl = 's3://lake/raw/'\noptions = { region = 'us-east-1', a = 'b' }\n";

fn options(project: &Project, location: &str) -> Vec<String> {
    let place = Place::parse(&project.root, location).unwrap();
    let options = project.store_options(&place).unwrap();
    let shown = options
        .iter()
        .map(|(key, value)| format!("{key}={}", value.expose()));
    shown.collect()
}

#[test]
fn the_store_with_the_longest_url_gives_the_options() {
    let project = Folder::with_toml(STORES).load();
    assert_eq!(
        options(&project, "s3://lake/out/x"),
        ["region=eu-central-1"]
    );
    assert_eq!(
        options(&project, "s3://lake/raw/x"),
        ["a=b", "region=us-east-1"]
    );
    assert_eq!(
        options(&project, "s3://lake/rawest"),
        ["region=eu-central-1"]
    );
    for elsewhere in ["s3://lakes/x", "gs://lake/x", "raw/x"] {
        assert!(options(&project, elsewhere).is_empty(), "{elsewhere}");
    }
    let store = &project.stores[0];
    assert_eq!(
        store.options["region"],
        OptionValue::Plain("eu-central-1".to_owned())
    );
}

#[test]
fn a_store_needs_the_url_of_one_and_keeps_no_secret() {
    for (toml, code) in [
        ("[stores.x]\nregion = 'a'", codes::MISSING_KEY),
        ("[stores.x]\nurl = 'data'", codes::INVALID_VALUE),
        (
            "[stores.x]\nurl = 's3://a'\nregoin = 'a'",
            codes::UNKNOWN_KEY,
        ),
        ("[stores.x]\nurl = 's3://me:hunter2@a'", codes::PLAIN_SECRET),
        (
            "[stores.x]\nurl = 's3://a'\noptions.aws_secret_access_key = 'hunter2'",
            codes::PLAIN_SECRET,
        ),
        (
            "[stores.x]\nurl = 's3://a'\n[stores.y]\nurl = 's3://a'",
            codes::CONFLICTING_KEYS,
        ),
    ] {
        let error = Folder::with_toml(toml).error(code);
        assert!(!format!("{error:?}").contains("hunter2"), "{toml}");
    }
    let toml = "[stores.x]\nurl = 's3://a'\noptions.token = { env = 'NOT_SET_ANYWHERE' }";
    let project = Folder::with_toml(toml).load();
    let place = Place::parse(&project.root, "s3://a/t").unwrap();
    let errors = project.store_options(&place).unwrap_err();
    assert!(errors.first().to_string().contains("NOT_SET_ANYWHERE"));
}

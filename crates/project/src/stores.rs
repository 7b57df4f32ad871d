//! The sections `[stores.NAME]`: how the places below a URL are reached.

use std::collections::BTreeMap;
use std::path::Path;

use codeanatomy_vocab::{Error, Errors, Location, Result, Secret};

use crate::codes;
use crate::dataset::{OptionValue, read_options, resolve_options};
use crate::place::Place;
use crate::toml::{Findings, Section};

const KEYS: [&str; 4] = ["url", "region", "log_store", "options"];

/// A store as `codeanatomy.toml` declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// Its name, for errors.
    pub name: String,
    /// What it is: all places below this URL.
    pub url: Place,
    /// Its options by their names; `region` and `log_store` are among them.
    pub options: BTreeMap<String, OptionValue>,
    /// Where the store's name stands in the file.
    pub declared_at: Location,
}

impl StoreConfig {
    /// All options with their secrets read; files start at `root`.
    ///
    /// # Errors
    ///
    /// `CA-VOCAB-0003` for each option that points nowhere.
    pub fn resolve_options(&self, root: &Path) -> Result<BTreeMap<String, Secret>, Errors> {
        resolve_options(&self.options, root, |error| {
            error.at(self.declared_at.clone()).with("store", &self.name)
        })
    }
}

/// Reads all stores.
pub(crate) fn read(root: &Path, file: &Section<'_>, findings: &mut Findings) -> Vec<StoreConfig> {
    let section = file
        .get("stores")
        .and_then(|entry| findings.take(entry.section()));
    let Some(section) = section else {
        return Vec::new();
    };
    let mut stores: Vec<StoreConfig> = Vec::new();
    for entry in section.entries() {
        let name = entry.key().to_owned();
        let read = findings
            .take(entry.section())
            .and_then(|section| read_store(name, root, &section, findings));
        let Some(store) = read else {
            continue;
        };
        if let Some(first) = stores.iter().find(|first| first.url == store.url) {
            findings.push(
                Error::new(
                    codes::CONFLICTING_KEYS,
                    format!(
                        "the stores `{}` ({}) and `{}` have one URL",
                        first.name, first.declared_at, store.name
                    ),
                )
                .at(store.declared_at.clone())
                .with_help("keep one of the two"),
            );
            continue;
        }
        stores.push(store);
    }
    stores
}

fn read_store(
    name: String,
    root: &Path,
    section: &Section<'_>,
    findings: &mut Findings,
) -> Option<StoreConfig> {
    section.check_keys(&KEYS, findings);
    let mut options = section
        .get("options")
        .map_or_else(BTreeMap::new, |entry| read_options(&entry, findings));
    for key in ["region", "log_store"] {
        let entry = section.get(key);
        if let Some(value) = entry.and_then(|entry| findings.take(entry.filled_text())) {
            options.insert(key.to_owned(), OptionValue::Plain(value));
        }
    }
    let Some(entry) = section.get("url") else {
        findings.push(
            Error::new(
                codes::MISSING_KEY,
                format!("`[{}]` has no `url`", section.name()),
            )
            .at(section.at().clone())
            .with_help("add `url = \"s3://bucket/\"`: the options are for all places below it"),
        );
        return None;
    };
    let text = findings.take(entry.filled_text())?;
    let place = Place::parse(root, &text).map_err(|error| error.at(entry.at()));
    let url = findings.take(place)?;
    if let Place::Local(_) = url {
        findings.push(entry.invalid(
            format!("`{}` is not the URL of a store", entry.path()),
            "write `scheme://bucket/`; folders of this machine need no options",
        ));
        return None;
    }
    Some(StoreConfig {
        name,
        url,
        options,
        declared_at: section.at().clone(),
    })
}

//! A table of a TOML file.

use codeanatomy_vocab::{Error, Location, nearest};
use toml_edit::TableLike;

use super::{Entry, Findings, Snippets, list};
use crate::codes;

/// A table with its name, such as `datasets.orders`, and its place.
pub(crate) struct Section<'a> {
    snippets: &'a Snippets,
    name: String,
    table: &'a dyn TableLike,
    at: Location,
}

impl<'a> Section<'a> {
    pub(super) fn new(
        snippets: &'a Snippets,
        name: String,
        table: &'a dyn TableLike,
        at: Location,
    ) -> Self {
        Self {
            snippets,
            name,
            table,
            at,
        }
    }

    /// The dotted name; empty for the whole file.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where the section's name stands.
    pub(crate) fn at(&self) -> &Location {
        &self.at
    }

    /// The entry of `key`, if there is one.
    pub(crate) fn get(&self, key: &str) -> Option<Entry<'a>> {
        let (key, item) = self.table.get_key_value(key)?;
        Some(self.entry(key, item))
    }

    /// All entries in the order in which they are written.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry<'a>> {
        self.table.iter().filter_map(|(key, _)| self.get(key))
    }

    /// Finds every key that is not `known`.
    pub(crate) fn check_keys(&self, known: &[&str], findings: &mut Findings) {
        for entry in self.entries() {
            if !known.contains(&entry.key()) {
                findings.push(self.unknown_key(&entry, known));
            }
        }
    }

    fn unknown_key(&self, entry: &Entry<'a>, known: &[&str]) -> Error {
        let nearest = nearest(entry.key(), known.iter().copied());
        let place = if self.name.is_empty() {
            "at the top of the file".to_owned()
        } else {
            format!("in `[{}]`", self.name)
        };
        let help = match nearest {
            Some(name) => format!("write `{name}`, or remove the key"),
            None => format!(
                "remove the key; allowed are {}",
                list(known.iter().copied())
            ),
        };
        Error::new(
            codes::UNKNOWN_KEY,
            format!("unknown key `{}` {place}", entry.key()),
        )
        .at(entry.key_at())
        .with_expected(format!("one of {}", list(known.iter().copied())))
        .with_nearest(nearest)
        .with_help(help)
    }

    fn entry(&self, key: &'a toml_edit::Key, item: &'a toml_edit::Item) -> Entry<'a> {
        let path = if self.name.is_empty() {
            key.get().to_owned()
        } else {
            format!("{}.{}", self.name, key.get())
        };
        Entry::new(self.snippets, path, key, item)
    }
}

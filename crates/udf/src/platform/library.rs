//! A set of functions under one name, so that those of different crates are told apart.

use std::collections::BTreeMap;
use std::sync::Arc;

use codeanatomy_vocab::{Error, Fingerprint, Result};

use crate::codes::CONFLICT;
use crate::table::DeltaOpener;
use crate::{Entry, aggregate, scalar, table, window};

/// Functions by name. Their order of arrival cannot be seen.
///
/// The name is that of the crate which brings the functions: it is part of their digests, so that two
/// crates may each have a version 1 of one name.
#[derive(Debug, Clone)]
pub struct Library {
    name: String,
    entries: BTreeMap<String, Entry>,
}

impl Library {
    /// The name of the library of this crate.
    pub const BUILTIN: &str = "codeanatomy";

    /// An empty library.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            entries: BTreeMap::new(),
        }
    }

    /// The functions of this crate.
    pub fn builtin() -> Self {
        let entries = scalar::entries()
            .into_iter()
            .chain(aggregate::entries())
            .chain(window::entries())
            .chain(table::entries());
        Self {
            name: Self::BUILTIN.to_owned(),
            entries: entries
                .map(|entry| (entry.name().to_owned(), entry))
                .collect(),
        }
    }

    /// The library with table functions that read Delta tables through `opener`.
    #[must_use]
    pub fn with_delta(mut self, opener: &Arc<dyn DeltaOpener>) -> Self {
        for entry in table::entries_with(opener) {
            self.entries.insert(entry.name().to_owned(), entry);
        }
        self
    }

    /// The library with one more function.
    ///
    /// # Errors
    ///
    /// `CA-UDF-0001`: the library has a function of this name or alias.
    pub fn with(mut self, entry: Entry) -> Result<Self> {
        if let Some(name) = entry.names().find(|name| self.get(name).is_some()) {
            let message = format!(
                "the library `{}` has a function `{name}` already",
                self.name
            );
            return Err(Error::new(CONFLICT, message)
                .with("function", name)
                .with_help("give one of the two another name"));
        }
        self.entries.insert(entry.name().to_owned(), entry);
        Ok(self)
    }

    /// The name of the library.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The function of this name or alias.
    pub fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.get(name).or_else(|| {
            self.entries()
                .find(|entry| entry.aliases().iter().any(|alias| alias == name))
        })
    }

    /// The functions, by name.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// What stands for each implementation in identities, by name.
    pub fn implementation_digests(&self) -> BTreeMap<String, Fingerprint> {
        self.entries()
            .filter_map(|entry| {
                let digest = entry.implementation_digest(&self.name)?;
                Some((entry.name().to_owned(), digest))
            })
            .collect()
    }
}

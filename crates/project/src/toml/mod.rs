//! TOML files as sections and entries that know their places.

mod entry;
mod section;

use std::path::PathBuf;
use std::sync::Arc;

use codeanatomy_vocab::{Error, Location, Result};
use toml_edit::Table;

pub(crate) use self::entry::Entry;
pub(crate) use self::section::Section;
use crate::{codes, secrecy};

/// One TOML file.
pub(crate) struct TomlFile {
    snippets: Snippets,
    root: Table,
}

/// A file's text as errors may show it: with every secret overwritten.
#[derive(Clone)]
pub(crate) struct Snippets {
    path: PathBuf,
    text: Arc<str>,
}

/// Collects the errors of a pass over values.
#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Error>);

impl TomlFile {
    /// Reads `text`; errors show it as the file `path`.
    pub(crate) fn parse(path: PathBuf, text: &str) -> Result<Self> {
        match toml_edit::Document::parse(text) {
            Ok(document) => {
                let root = document.into_table();
                let masked = secrecy::mask(text, &root);
                Ok(Self {
                    snippets: Snippets::new(path, &masked),
                    root,
                })
            }
            // The error's own text quotes the line, so neither it nor the line may go further.
            Err(error) => {
                let snippets = Snippets::new(path, &secrecy::mask_lines(text));
                let help = if error.message().contains("duplicate key") {
                    "keep one of them"
                } else {
                    "correct the TOML; text stands in quotes, lists in `[ ]`, tables in `{ }`"
                };
                Err(Error::new(
                    codes::TOML_SYNTAX,
                    format!(
                        "`{}` is not valid TOML: {}",
                        snippets.path.display(),
                        error.message()
                    ),
                )
                .at(snippets.at(error.span()))
                .with_help(help))
            }
        }
    }

    /// The file as one section without a name.
    pub(crate) fn root(&self) -> Section<'_> {
        Section::new(
            &self.snippets,
            String::new(),
            &self.root,
            self.snippets.file(),
        )
    }
}

impl Snippets {
    fn new(path: PathBuf, text: &str) -> Self {
        Self {
            path,
            text: Arc::from(text),
        }
    }

    /// The place of a byte range, or the file alone.
    fn at(&self, span: Option<std::ops::Range<usize>>) -> Location {
        match span {
            Some(span) => Location::span(self.path.clone(), Arc::clone(&self.text), span),
            None => self.file(),
        }
    }

    fn file(&self) -> Location {
        Location::file(self.path.clone())
    }
}

impl Findings {
    pub(crate) fn push(&mut self, error: Error) {
        self.0.push(error);
    }

    /// The value, or nothing and one finding more.
    pub(crate) fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    pub(crate) fn into_vec(self) -> Vec<Error> {
        self.0
    }
}

/// The names as "`a`, `b`, `c`".
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

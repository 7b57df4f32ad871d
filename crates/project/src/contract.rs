//! The `[contract]` of a dataset or a view, as it is written.

use std::collections::BTreeMap;

use codeanatomy_vocab::{Error, Location};

use crate::codes;
use crate::toml::{Entry, Findings, Section};

const KEYS: [&str; 4] = ["evolution", "key", "columns", "on_invalid"];
const COLUMN_KEYS: [&str; 3] = ["name", "type", "nullable"];

/// The policy of a contract that names none.
const DEFAULT_EVOLUTION: &str = "STRICT";

/// A contract as it is written; the layer of schemas gives the words their meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContractSection {
    /// The evolution policy, `STRICT` when none is written.
    pub evolution: String,
    /// Where the evolution policy stands, if it is written.
    pub evolution_at: Option<Location>,
    /// The columns that make a row unique, in the order written, without repetition.
    pub key: Vec<String>,
    /// The columns, in the order written, no name twice.
    pub columns: Vec<ColumnSection>,
    /// What becomes of rows that break the contract, and where it is written.
    pub on_invalid: Option<(String, Location)>,
    /// Where the contract begins.
    pub declared_at: Location,
}

/// One column of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnSection {
    /// The column's name.
    pub name: String,
    /// The name of its type; any type when absent.
    pub type_name: Option<String>,
    /// Whether it may hold nulls; either when absent.
    pub nullable: Option<bool>,
    /// Where the column is written.
    pub declared_at: Location,
}

impl ContractSection {
    /// Where the column of this name is written, if it is.
    pub fn column_at(&self, name: &str) -> Option<&Location> {
        let column = self.columns.iter().find(|column| column.name == name);
        column.map(|column| &column.declared_at)
    }

    /// Reads the `contract` of a section, if it has one.
    pub(crate) fn read(parent: &Section<'_>, findings: &mut Findings) -> Option<Self> {
        let entry = parent.get("contract")?;
        let section = findings.take(entry.section())?;
        section.check_keys(&KEYS, findings);
        let evolution = section.get("evolution").and_then(|entry| {
            let text = findings.take(entry.filled_text())?;
            Some((text, entry.at()))
        });
        let (evolution, evolution_at) = match evolution {
            Some((text, at)) => (text, Some(at)),
            None => (DEFAULT_EVOLUTION.to_owned(), None),
        };
        let key = section.get("key").map_or_else(Vec::new, |entry| {
            let columns = distinct_columns(&entry, findings);
            columns.into_iter().map(|(name, _)| name).collect()
        });
        let on_invalid = section.get("on_invalid").and_then(|entry| {
            let text = findings.take(entry.filled_text())?;
            Some((text, entry.at()))
        });
        Some(Self {
            evolution,
            evolution_at,
            key,
            columns: read_columns(&section, findings),
            on_invalid,
            declared_at: section.at().clone(),
        })
    }
}

/// The columns of a list, with a finding for each name that stands there twice.
pub(crate) fn distinct_columns(
    entry: &Entry<'_>,
    findings: &mut Findings,
) -> Vec<(String, Location)> {
    let mut seen = BTreeMap::new();
    let mut distinct = Vec::new();
    for (name, at) in entry.texts(findings) {
        if is_new(entry.path(), &name, &at, &mut seen, findings) {
            distinct.push((name, at));
        }
    }
    distinct
}

fn read_columns(section: &Section<'_>, findings: &mut Findings) -> Vec<ColumnSection> {
    let Some(entry) = section.get("columns") else {
        return Vec::new();
    };
    let mut seen = BTreeMap::new();
    let mut columns = Vec::new();
    for section in entry.sections(findings) {
        section.check_keys(&COLUMN_KEYS, findings);
        let Some(name) = section.get("name") else {
            findings.push(
                Error::new(
                    codes::MISSING_KEY,
                    format!("`{}` has no `name`", section.name()),
                )
                .at(section.at().clone())
                .with_help("add `name = \"column\"`"),
            );
            continue;
        };
        let type_name = section
            .get("type")
            .and_then(|entry| findings.take(entry.filled_text()));
        let nullable = section
            .get("nullable")
            .and_then(|entry| findings.take(entry.boolean()));
        if let Some(text) = findings.take(name.filled_text())
            && is_new(entry.path(), &text, &name.at(), &mut seen, findings)
        {
            columns.push(ColumnSection {
                name: text,
                type_name,
                nullable,
                declared_at: section.at().clone(),
            });
        }
    }
    columns
}

fn is_new(
    list: &str,
    name: &str,
    at: &Location,
    seen: &mut BTreeMap<String, Location>,
    findings: &mut Findings,
) -> bool {
    match seen.get(name) {
        None => {
            seen.insert(name.to_owned(), at.clone());
            true
        }
        Some(first) => {
            findings.push(
                Error::new(
                    codes::DUPLICATE_COLUMN,
                    format!("`{list}` names the column `{name}` twice, first at {first}"),
                )
                .at(at.clone())
                .with_help("remove one of the two"),
            );
            false
        }
    }
}

//! `xtask/tidy.toml`: which file may break which rule, and why.

use std::cell::RefCell;
use std::collections::BTreeSet;

use anyhow::Context;
use serde::Deserialize;

use crate::problem::Problem;
use crate::repository::Repository;

/// Where the allowances are written.
pub(super) const FILE: &str = "xtask/tidy.toml";

/// A rule that a file may be allowed to break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Rule {
    /// Files stay below the size limit.
    Size,
    /// Only programs print.
    Print,
    /// Crates that make identities hold no map without an order.
    HashMap,
    /// A crate stands after what it imports.
    Order,
}

/// The allowances, and which of them were needed.
#[derive(Debug)]
pub(super) struct Allowances {
    list: Vec<Allowance>,
    used: RefCell<BTreeSet<usize>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Allowance {
    rule: Rule,
    /// A file, or a folder with a final `/`.
    path: String,
    reason: String,
}

impl Allowances {
    /// Reads the allowances.
    ///
    /// # Errors
    ///
    /// When the file is missing or is not in its form.
    pub(super) fn of(repository: &Repository) -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Document {
            #[serde(default, rename = "allow")]
            list: Vec<Allowance>,
        }
        let document: Document = toml_edit::de::from_str(repository.text(FILE)?)
            .with_context(|| format!("bad {FILE}"))?;
        Ok(Self {
            list: document.list,
            used: RefCell::default(),
        })
    }

    /// Whether `path` may break `rule`.
    pub(super) fn cover(&self, rule: Rule, path: &str) -> bool {
        let found = self.list.iter().position(|allowance| {
            allowance.rule == rule
                && (allowance.path == path
                    || (allowance.path.ends_with('/') && path.starts_with(&allowance.path)))
        });
        self.used.borrow_mut().extend(found);
        found.is_some()
    }

    /// Allowances that no check asked for, and those without a reason.
    pub(super) fn unused(&self) -> Vec<Problem> {
        let used = self.used.borrow();
        let mut problems = Vec::new();
        for (index, Allowance { rule, path, reason }) in self.list.iter().enumerate() {
            if !used.contains(&index) {
                problems.push(Problem::new(
                    FILE,
                    format!("`{path}` keeps the rule {rule:?} and needs no allowance"),
                    "delete the [[allow]]",
                ));
            }
            if reason.split_whitespace().count() < 4 {
                problems.push(Problem::new(
                    FILE,
                    format!("the allowance of `{path}` has no reason"),
                    "say in a sentence why the rule does not fit",
                ));
            }
        }
        problems
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::repository::TextFile;

    /// A repository of a few files, with `allowances` as its list.
    pub(crate) fn repository(allowances: &str, files: &[(&str, &str)]) -> Repository {
        let list = (FILE, allowances);
        let files: Vec<TextFile> = files
            .iter()
            .chain([&list])
            .map(|(path, text)| TextFile {
                path: (*path).to_owned(),
                text: (*text).to_owned(),
            })
            .collect();
        let mut paths: Vec<String> = files.iter().map(|file| file.path.clone()).collect();
        paths.sort();
        Repository {
            paths,
            files,
            ..Repository::default()
        }
    }

    /// What a check finds in a few files when nothing is allowed.
    pub(crate) fn found(
        check: impl Fn(&Repository, &Allowances) -> Vec<Problem>,
        files: &[(&str, &str)],
    ) -> Vec<String> {
        let repository = repository("", files);
        let allowances = Allowances::of(&repository).unwrap();
        check(&repository, &allowances)
            .iter()
            .map(Problem::to_string)
            .collect()
    }

    fn one(reason: &str) -> Allowances {
        let text = format!("[[allow]]\nrule = \"size\"\npath = \"docs/\"\nreason = \"{reason}\"");
        Allowances::of(&repository(&text, &[])).unwrap()
    }

    #[test]
    fn an_allowance_covers_its_rule_and_its_folder_only() {
        let allowances = one("a page is searched, not read");
        assert!(!allowances.cover(Rule::Size, "documents.md"));
        assert!(!allowances.cover(Rule::Print, "docs/a.md"));
        assert_eq!(allowances.unused().len(), 1);
        assert!(allowances.cover(Rule::Size, "docs/a.md"));
        assert_eq!(allowances.unused(), []);
    }

    #[test]
    fn an_allowance_needs_a_reason() {
        let allowances = one("big");
        assert!(allowances.cover(Rule::Size, "docs/a.md"));
        assert_eq!(allowances.unused().len(), 1);
    }

    #[test]
    fn a_rule_that_does_not_exist_is_refused() {
        let text = "[[allow]]\nrule = \"taste\"\npath = \"a\"\nreason = \"b\"";
        assert!(Allowances::of(&repository(text, &[])).is_err());
    }
}

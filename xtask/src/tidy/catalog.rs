//! The list of crates: every manifest takes the workspace's lints, and `crates/README.md` and the
//! root manifest name the same crates in the same order, each after what it imports.

use std::collections::BTreeMap;

use anyhow::Context;
use serde::Deserialize;

use crate::problem::Problem;
use crate::repository::Repository;

use super::allowances::{Allowances, Rule};

const LIST: &str = "crates/README.md";

/// Checks the list of crates.
///
/// # Errors
///
/// When a manifest or the list is missing or is not in its form.
pub(super) fn check(
    repository: &Repository,
    allowances: &Allowances,
) -> anyhow::Result<Vec<Problem>> {
    let mut problems = lints(repository)?;
    problems.extend(order(repository, allowances));
    problems.extend(list(repository)?);
    Ok(problems)
}

fn lints(repository: &Repository) -> anyhow::Result<Vec<Problem>> {
    #[derive(Deserialize)]
    struct Manifest {
        lints: Option<Lints>,
    }
    #[derive(Deserialize)]
    struct Lints {
        workspace: Option<bool>,
    }
    let mut problems = Vec::new();
    for package in &repository.packages {
        // The entry point that libFuzzer calls is made by its macro and bears a name that nothing may
        // mangle, which `unsafe_code = "forbid"` refuses.
        if package.folder == "fuzz" {
            continue;
        }
        let path = format!("{}/Cargo.toml", package.folder);
        let manifest: Manifest = toml_edit::de::from_str(repository.text(&path)?)
            .with_context(|| format!("bad {path}"))?;
        if manifest.lints.and_then(|lints| lints.workspace) != Some(true) {
            problems.push(Problem::new(
                path,
                "the crate does not take the workspace's lints",
                "add `[lints]` with `workspace = true`",
            ));
        }
    }
    Ok(problems)
}

fn order(repository: &Repository, allowances: &Allowances) -> Vec<Problem> {
    let position: BTreeMap<&str, usize> = repository
        .packages
        .iter()
        .enumerate()
        .map(|(position, package)| (package.name.as_str(), position))
        .collect();
    let mut problems = Vec::new();
    for (at, package) in repository.packages.iter().enumerate() {
        for dependency in &package.dependencies {
            let Some(needed) = position.get(dependency.name.as_str()) else {
                continue;
            };
            let folder = &repository.packages[*needed].folder;
            if *needed > at && !allowances.cover(Rule::Order, folder) {
                problems.push(Problem::new(
                    "Cargo.toml",
                    format!(
                        "`{}` stands before {folder}, which it imports",
                        package.folder
                    ),
                    "list the members in dependency order, here and in crates/README.md",
                ));
            }
        }
    }
    problems
}

fn list(repository: &Repository) -> anyhow::Result<Vec<Problem>> {
    let listed: Vec<String> = repository
        .text(LIST)?
        .lines()
        .filter_map(|line| {
            let (_, rest) = line.strip_prefix("- [")?.split_once("](")?;
            let (target, _) = rest.split_once(')')?;
            let target = target.trim_end_matches('/');
            Some(match target.strip_prefix("../") {
                Some(elsewhere) => elsewhere.to_owned(),
                None => format!("crates/{target}"),
            })
        })
        .collect();
    let members = repository.packages.iter().map(|package| &package.folder);
    if members.clone().eq(&listed) {
        return Ok(Vec::new());
    }
    let members: Vec<&str> = members.map(String::as_str).collect();
    Ok(vec![Problem::new(
        LIST,
        format!(
            "the list is not the one of Cargo.toml: {}",
            listed.join(" ")
        ),
        format!(
            "one line for each crate, with a link to it, in this order: {}",
            members.join(" ")
        ),
    )])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::{Dependency, Package};
    use crate::tidy::allowances::tests::repository;

    const GOOD: &str = "[lints]\nworkspace = true\n";

    fn found(manifest: &str, list: &str, imports: &[&str], allowed: &str) -> Vec<String> {
        let files = [
            ("crates/a/Cargo.toml", manifest),
            ("b/Cargo.toml", GOOD),
            (LIST, list),
        ];
        let mut repository = repository(allowed, &files);
        let package = |name: &str, folder: &str, imports: &[&str]| Package {
            name: name.to_owned(),
            folder: folder.to_owned(),
            dependencies: imports
                .iter()
                .map(|name| Dependency {
                    name: (*name).to_owned(),
                    optional: false,
                })
                .collect(),
        };
        repository.packages = vec![
            package("a", "crates/a", imports),
            package("b", "b", &["a", "serde"]),
        ];
        let allowances = Allowances::of(&repository).unwrap();
        let problems = check(&repository, &allowances).unwrap();
        problems.iter().map(Problem::to_string).collect()
    }

    const LISTED: &str = "# Crates\nSee [that](../that).\n- [a](a): first\n- [b](../b): second\n";

    #[test]
    fn a_list_in_the_order_of_the_members_is_right() {
        assert_eq!(found(GOOD, LISTED, &[], ""), [""; 0]);
    }

    #[test]
    fn a_crate_without_the_lints_is_named() {
        for manifest in ["", "[lints.rust]\nunsafe_code = \"warn\"\n"] {
            let problems = found(manifest, LISTED, &[], "");
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].starts_with("crates/a/Cargo.toml"));
        }
    }

    #[test]
    fn a_list_that_misses_a_crate_or_has_another_order_is_wrong() {
        for list in [
            "- [a](a)\n",
            "- [b](../b)\n- [a](a)\n",
            "- [a](a)\n- [b](b)\n",
        ] {
            let problems = found(GOOD, list, &[], "");
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].contains("crates/a b"), "{problems:?}");
        }
    }

    #[test]
    fn a_crate_that_stands_before_what_it_imports_is_named() {
        let problems = found(GOOD, LISTED, &["b"], "");
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("`crates/a` stands before b"));
        let allowed =
            "[[allow]]\nrule = \"order\"\npath = \"b\"\nreason = \"listed by its folder\"";
        assert_eq!(found(GOOD, LISTED, &["b"], allowed), [""; 0]);
    }
}

//! Which crate may import which, and how much of the engine each may name.
//!
//! `xtask/layers.toml` is the rule; the crates' manifests are the fact. A new edge is a line in
//! that file which somebody reviews. A line that no manifest needs any more is a problem too, so
//! that the file always shows the real graph.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use serde::Deserialize;

use crate::problem::Problem;
use crate::repository::{Package, Repository};

const RULES: &str = "xtask/layers.toml";

/// The rule file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    /// First words of the names of engine crates: `arrow` covers `arrow` and `arrow-schema`.
    engine_families: Vec<String>,
    /// The crates, in the order of the root manifest.
    #[serde(rename = "crate")]
    crates: Vec<Rule>,
}

/// What one crate may import.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    name: String,
    level: u32,
    /// Crates of the workspace.
    #[serde(default)]
    imports: Vec<String>,
    /// Engine crates.
    #[serde(default)]
    engine: Vec<String>,
    /// Engine crates that only a feature of the crate may turn on.
    #[serde(default)]
    engine_by_feature: Vec<String>,
    /// Further dependencies of either sort, each with its reason.
    #[serde(default, rename = "exception")]
    exceptions: Vec<Exception>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    dependencies: Vec<String>,
    reason: String,
}

/// Compares the crates with the rule file.
///
/// # Errors
///
/// When the rule file is missing or is not in its form.
pub(crate) fn check(repository: &Repository) -> anyhow::Result<Vec<Problem>> {
    let rules: Rules =
        toml_edit::de::from_str(repository.text(RULES)?).with_context(|| format!("bad {RULES}"))?;
    let mut problems = check_rules(&rules);
    let members: BTreeSet<&str> = names(&repository.packages);
    for package in &repository.packages {
        match rules.crates.iter().find(|rule| rule.name == package.name) {
            Some(rule) => check_package(package, rule, &rules, &members, &mut problems),
            None => problems.push(Problem::new(
                format!("{}/Cargo.toml", package.folder),
                format!("the crate `{}` has no layer", package.name),
                format!("add a [[crate]] with its level and imports to {RULES}"),
            )),
        }
    }
    for rule in rules
        .crates
        .iter()
        .filter(|rule| !members.contains(rule.name.as_str()))
    {
        problems.push(Problem::new(
            RULES,
            format!("the crate `{}` is no member of the workspace", rule.name),
            "delete its [[crate]]",
        ));
    }
    Ok(problems)
}

/// What is wrong with the rules alone: edges that do not go down, reasons that say nothing.
fn check_rules(rules: &Rules) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut levels = BTreeMap::new();
    for rule in &rules.crates {
        if levels.insert(rule.name.as_str(), rule.level).is_some() {
            problems.push(Problem::new(
                RULES,
                format!("the crate `{}` is there twice", rule.name),
                "merge the two",
            ));
        }
    }
    for rule in &rules.crates {
        for import in rule.imports.iter().chain(rule.excepted()) {
            let Some(level) = levels.get(import.as_str()) else {
                continue;
            };
            if *level >= rule.level {
                problems.push(Problem::new(
                    RULES,
                    format!(
                        "the edge {} (level {}) -> {import} (level {level}) does not go down",
                        rule.name, rule.level
                    ),
                    "move what both need to a lower crate; no reason lifts this rule",
                ));
            }
        }
        for exception in &rule.exceptions {
            if exception.reason.split_whitespace().count() < 4 {
                problems.push(Problem::new(
                    RULES,
                    format!(
                        "the exception {} -> {} has no reason",
                        rule.name,
                        exception.dependencies.join(", ")
                    ),
                    "say in a sentence why the crate needs it",
                ));
            }
        }
    }
    problems
}

fn check_package(
    package: &Package,
    rule: &Rule,
    rules: &Rules,
    members: &BTreeSet<&str>,
    problems: &mut Vec<Problem>,
) {
    let manifest = format!("{}/Cargo.toml", package.folder);
    let mut unused: BTreeSet<&str> = rule
        .imports
        .iter()
        .chain(&rule.engine)
        .chain(&rule.engine_by_feature)
        .chain(rule.excepted())
        .map(String::as_str)
        .collect();
    for dependency in &package.dependencies {
        let name = &dependency.name;
        unused.remove(name.as_str());
        let ours = members.contains(name.as_str());
        if !ours && !rules.is_engine(name) {
            continue;
        }
        if rule.excepted().any(|excepted| excepted == name) {
            continue;
        }
        if rule.engine_by_feature.contains(name) {
            if !dependency.optional {
                problems.push(Problem::new(
                    &manifest,
                    format!("`{}` names `{name}` without a feature", package.name),
                    format!("make the dependency optional, as {RULES} says"),
                ));
            }
            continue;
        }
        let allowed = if ours { &rule.imports } else { &rule.engine };
        if !allowed.contains(name) {
            let sort = if ours { "import" } else { "engine dependency" };
            problems.push(Problem::new(
                &manifest,
                format!(
                    "the edge {} -> {name} is not an allowed {sort}",
                    package.name
                ),
                format!(
                    "do without it, or write a [[crate.exception]] with its reason below \
                     `{}` in {RULES}",
                    package.name
                ),
            ));
        }
    }
    for name in unused {
        problems.push(Problem::new(
            RULES,
            format!(
                "{} -> {name} is allowed, but {manifest} does not need it",
                package.name
            ),
            "delete it from the list",
        ));
    }
}

impl Rule {
    fn excepted(&self) -> impl Iterator<Item = &String> {
        self.exceptions
            .iter()
            .flat_map(|exception| &exception.dependencies)
    }
}

impl Rules {
    fn is_engine(&self, name: &str) -> bool {
        self.engine_families.iter().any(|family| {
            name.strip_prefix(family.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_']))
        })
    }
}

fn names(packages: &[Package]) -> BTreeSet<&str> {
    packages
        .iter()
        .map(|package| package.name.as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::{Dependency, TextFile};

    const SMALL: &str = r#"
        engine_families = ["arrow", "datafusion"]
        [[crate]]
        name = "low"
        level = 0
        [[crate]]
        name = "high"
        level = 1
        imports = ["low"]
        engine = ["arrow-schema"]
        engine_by_feature = ["datafusion-proto"]
    "#;

    fn found(rules: &str, low: &[&str], high: &[&str]) -> Vec<String> {
        let package = |name: &str, dependencies: &[&str]| Package {
            name: name.to_owned(),
            folder: name.to_owned(),
            dependencies: dependencies
                .iter()
                .map(|name| Dependency {
                    name: name.trim_end_matches('?').to_owned(),
                    optional: name.ends_with('?'),
                })
                .collect(),
        };
        let repository = Repository {
            files: vec![TextFile {
                path: RULES.to_owned(),
                text: rules.to_owned(),
            }],
            packages: vec![package("low", low), package("high", high)],
            ..Repository::default()
        };
        check(&repository)
            .unwrap()
            .iter()
            .map(Problem::to_string)
            .collect()
    }

    const HIGH: [&str; 4] = ["low", "arrow-schema", "datafusion-proto?", "serde"];

    #[test]
    fn what_the_rules_list_is_allowed_and_other_libraries_are_free() {
        assert_eq!(found(SMALL, &["serde"], &HIGH), [""; 0]);
    }

    #[test]
    fn an_import_that_is_not_listed_is_named_with_the_place_for_the_reason() {
        let problems = found(SMALL, &["high"], &HIGH);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("low -> high"));
        assert!(problems[0].contains(RULES));
    }

    #[test]
    fn an_engine_crate_that_is_not_listed_is_refused_even_by_a_part() {
        for name in ["arrow", "arrow-array", "datafusion", "datafusion-expr"] {
            let problems = found(SMALL, &[name], &HIGH);
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].contains("engine dependency"), "{problems:?}");
        }
        assert_eq!(found(SMALL, &["arrowhead"], &HIGH), [""; 0]);
    }

    #[test]
    fn an_engine_crate_that_belongs_behind_a_feature_must_be_optional() {
        let problems = found(SMALL, &[], &["low", "arrow-schema", "datafusion-proto"]);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("without a feature"));
    }

    #[test]
    fn a_line_that_nobody_needs_is_a_problem() {
        let problems = found(SMALL, &[], &["low", "datafusion-proto?"]);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("high -> arrow-schema is allowed"));
    }

    #[test]
    fn an_exception_needs_a_reason() {
        let with = |reason: &str| {
            format!(
                "{SMALL}\n[[crate.exception]]\ndependencies = [\"datafusion\"]\nreason = \"{reason}\""
            )
        };
        let high = [&HIGH[..], &["datafusion"]].concat();
        assert_eq!(
            found(&with("it runs the queries itself"), &[], &high),
            [""; 0]
        );
        let problems = found(&with("needed"), &[], &high);
        assert_eq!(problems.len(), 1, "{problems:?}");
    }

    #[test]
    fn no_line_can_allow_an_edge_that_goes_up_or_sideways() {
        let upward = SMALL.replace("level = 0", "level = 0\nimports = [\"high\"]");
        let problems = found(&upward, &["high"], &HIGH);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("low (level 0) -> high (level 1)"));
        let sideways = SMALL.replace("level = 1", "level = 0");
        assert_eq!(found(&sideways, &[], &HIGH).len(), 1);
    }

    #[test]
    fn crates_and_rules_must_match() {
        let extra = format!("{SMALL}\n[[crate]]\nname = \"gone\"\nlevel = 2\n");
        assert_eq!(found(&extra, &[], &HIGH).len(), 1);
        let missing = SMALL.replacen("name = \"low\"", "name = \"lo\"", 1);
        let problems = found(&missing, &[], &HIGH);
        assert!(
            problems.iter().any(|p| p.contains("`low` has no layer")),
            "{problems:?}"
        );
    }
}

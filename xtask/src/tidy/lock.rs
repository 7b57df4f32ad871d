//! The lock file holds one version of each engine library: two would be two incompatible sets of
//! types that meet at run time.

use std::collections::BTreeMap;

use crate::problem::Problem;
use crate::repository::Repository;

/// Libraries that must be there, once. What starts with one of these names and `-` must be once.
const ONCE: [&str; 6] = [
    "arrow",
    "datafusion",
    "deltalake-core",
    "object_store",
    "parquet",
    "sqlparser",
];

/// Checks the lock file.
pub(super) fn check(repository: &Repository) -> Vec<Problem> {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in &repository.locked {
        versions
            .entry(&package.name)
            .or_default()
            .push(&package.version);
    }
    let mut problems = Vec::new();
    for library in ONCE {
        if !versions.contains_key(library) {
            problems.push(Problem::new(
                "Cargo.lock",
                format!("there is no `{library}`"),
                "name the libraries that must be unique in xtask/src/tidy/lock.rs",
            ));
        }
    }
    for (name, versions) in versions {
        let covered = ONCE.iter().any(|library| {
            name.strip_prefix(library)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        });
        if covered && versions.len() > 1 {
            problems.push(Problem::new(
                "Cargo.lock",
                format!(
                    "`{name}` is there in {} versions: {}",
                    versions.len(),
                    versions.join(", ")
                ),
                format!(
                    "`cargo tree --invert {name}@{}` shows who asks for it",
                    versions[0]
                ),
            ));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::LockedPackage;

    fn found(also: &[(&str, &str)]) -> Vec<String> {
        let once = ONCE.map(|name| (name, "1.0.0"));
        let repository = Repository {
            locked: once
                .iter()
                .chain(also)
                .map(|(name, version)| LockedPackage {
                    name: (*name).to_owned(),
                    version: (*version).to_owned(),
                })
                .collect(),
            ..Repository::default()
        };
        check(&repository).iter().map(Problem::to_string).collect()
    }

    #[test]
    fn one_version_of_each_is_right_and_other_libraries_are_free() {
        assert_eq!(found(&[("rand", "0.9.0"), ("rand", "0.10.0")]), [""; 0]);
    }

    #[test]
    fn a_second_version_of_an_engine_library_or_of_a_part_is_named() {
        let problems = found(&[("arrow", "2.0.0")]);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("1.0.0, 2.0.0"));
        assert_eq!(
            found(&[("arrow-schema", "1.0.0"), ("arrow-schema", "2.0.0")]).len(),
            1
        );
    }

    #[test]
    fn a_check_that_has_nothing_to_look_at_says_so() {
        assert_eq!(check(&Repository::default()).len(), ONCE.len());
    }
}

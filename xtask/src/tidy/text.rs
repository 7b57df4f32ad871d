//! All text: its size, what it leaves for later, paths of one machine, links that lead nowhere,
//! and the promise of the changelog.

use crate::problem::Problem;
use crate::repository::{Repository, TextFile};

use super::allowances::{Allowances, FILE, Rule};

const MAX_BYTES: usize = 24 * 1024;

/// Words that put work off. Written in halves, because this file is checked as well.
const MARKERS: [&str; 4] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("HA", "CK"),
];

/// Macros that put work off.
const MACROS: [&str; 2] = [concat!("to", "do!("), concat!("unimple", "mented!(")];

/// Folders at the root of somebody's machine. `/home/me` is nobody's.
const MACHINE_FOLDERS: [&str; 6] = ["Users", "builds", "home", "root", "work", "workspace"];

/// Folders that may stand beside a checkout and are no part of it.
const FOLDERS_BESIDE: [&str; 1] = ["shared"];

/// Checks every text file.
pub(super) fn check(repository: &Repository, allowances: &Allowances) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in &repository.files {
        size(file, allowances, &mut problems);
        put_off(file, &mut problems);
        machine_paths(file, &mut problems);
        if file.is("md") {
            links(file, &repository.paths, &mut problems);
        }
        if file.path == "CHANGELOG.md" {
            fingerprint_impact(file, &mut problems);
        }
    }
    problems
}

fn size(file: &TextFile, allowances: &Allowances, problems: &mut Vec<Problem>) {
    let bytes = file.text.len();
    if bytes > MAX_BYTES && !allowances.cover(Rule::Size, &file.path) {
        problems.push(Problem::new(
            &file.path,
            format!("the file has {bytes} bytes, more than {MAX_BYTES}"),
            format!("split it by concept, or give a reason in {FILE}"),
        ));
    }
}

fn put_off(file: &TextFile, problems: &mut Vec<Problem>) {
    for (number, line) in file.lines() {
        let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        let found = words
            .find(|word| MARKERS.contains(word))
            .or_else(|| MACROS.into_iter().find(|call| line.contains(call)));
        if let Some(found) = found {
            problems.push(Problem::new(
                format!("{}:{number}", file.path),
                format!("`{found}` puts work off"),
                "do it, or write down as a limit what is not done",
            ));
        }
    }
}

fn machine_paths(file: &TextFile, problems: &mut Vec<Problem>) {
    for (number, line) in file.lines() {
        let machine = MACHINE_FOLDERS.iter().map(|folder| format!("/{folder}/"));
        let beside = FOLDERS_BESIDE.iter().map(|folder| format!("../{folder}"));
        for path in machine.chain(beside) {
            let starts_there = line.match_indices(&path).any(|(at, _)| {
                if line[at..].starts_with("/home/me") {
                    return false;
                }
                let before = line[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || "._-}*~".contains(c))
            });
            if starts_there {
                problems.push(Problem::new(
                    format!("{}:{number}", file.path),
                    format!("`{path}` is a path of one machine"),
                    "name a path inside the repository, or one that everybody has",
                ));
            }
        }
    }
}

fn links(file: &TextFile, paths: &[String], problems: &mut Vec<Problem>) {
    let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut fenced = false;
    for (number, line) in file.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        for rest in line.split("](").skip(1) {
            let target = rest.split([')', '#', ' ']).next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let found = resolve(folder, target)
                .is_some_and(|path| path.is_empty() || paths.binary_search(&path).is_ok());
            if !found {
                problems.push(Problem::new(
                    format!("{}:{number}", file.path),
                    format!("the link to `{target}` leads nowhere"),
                    "mend or delete it",
                ));
            }
        }
    }
}

/// A path from the root, for `target` as seen from `folder`; nothing when it leaves the root.
fn resolve(folder: &str, target: &str) -> Option<String> {
    let mut names: Vec<&str> = folder.split('/').filter(|name| !name.is_empty()).collect();
    for name in target.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop()?;
            }
            name => names.push(name),
        }
    }
    Some(names.join("/"))
}

fn fingerprint_impact(file: &TextFile, problems: &mut Vec<Problem>) {
    let sections: Vec<&str> = file.text.split("\n## ").skip(1).collect();
    for section in sections {
        if !section.contains("Fingerprint impact:") {
            let title = section.lines().next().unwrap_or_default();
            problems.push(Problem::new(
                &file.path,
                format!("the release `{title}` does not state its fingerprint impact"),
                "add a line `Fingerprint impact:` that says `none` or which format is new",
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::allowances::tests::{found, repository};

    #[test]
    fn a_large_file_needs_an_allowance() {
        let large = "x".repeat(MAX_BYTES + 1);
        assert_eq!(found(check, &[("a.md", &large[1..])]), [""; 0]);
        assert_eq!(found(check, &[("a.md", &large)]).len(), 1);
        let allowed =
            "[[allow]]\nrule = \"size\"\npath = \"a.md\"\nreason = \"one long table of facts\"";
        let repository = repository(allowed, &[("a.md", &large)]);
        let allowances = Allowances::of(&repository).unwrap();
        assert_eq!(check(&repository, &allowances), []);
    }

    #[test]
    fn work_that_is_put_off_is_named() {
        for word in MARKERS {
            let problems = found(
                check,
                &[("a.sql", &format!("select 1\n-- {word}: later\n"))],
            );
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].starts_with("a.sql:2"));
            assert_eq!(found(check, &[("a.sql", &format!("-- {word}IT"))]), [""; 0]);
        }
        for call in MACROS {
            assert_eq!(
                found(check, &[("a.rs", &format!("fn a() {{ {call}) }}"))]).len(),
                1
            );
        }
    }

    #[test]
    fn a_path_of_one_machine_is_named() {
        for folder in MACHINE_FOLDERS {
            for before in ["see ", "`", "file://", "\"", ""] {
                let text = format!("{before}/{folder}/ann/data");
                assert_eq!(found(check, &[("a.md", &text)]).len(), 1, "{text}");
            }
            for before in ["out", "..", "${X}", "~"] {
                let text = format!("{before}/{folder}/data");
                assert_eq!(found(check, &[("a.md", &text)]), [""; 0], "{text}");
            }
        }
        assert_eq!(found(check, &[("a.md", "`/home/me/shop`")]), [""; 0]);
        for folder in FOLDERS_BESIDE {
            let text = format!("see ../{folder}/x");
            assert_eq!(found(check, &[("a.md", &text)]).len(), 1);
        }
    }

    #[test]
    fn a_link_that_leads_nowhere_is_named() {
        let good = "[a](b.md) [b](../c.md#part) [c](https://x.y/z) [d](#here)\n```\n[e](f)\n```\n";
        let files = [("docs/a.md", good), ("docs/b.md", ""), ("c.md", "")];
        assert_eq!(found(check, &files), [""; 0]);
        for bad in ["[a](c.md)", "[a](../../c.md)", "[a](b)"] {
            let files = [("c.md", ""), ("docs/a.md", bad), ("docs/b.md", "")];
            assert_eq!(found(check, &files).len(), 1, "{bad}");
        }
    }

    #[test]
    fn a_release_without_its_fingerprint_impact_is_named() {
        let text = "# Changelog\n\n## 2.0\n\nFingerprint impact: none\n\n## 1.0\n\n- first\n";
        let problems = found(check, &[("CHANGELOG.md", text)]);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains("`1.0`"));
    }
}

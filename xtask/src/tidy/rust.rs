//! Rust files: each says what it is for, only programs print, and what makes identities keeps an
//! order.

use crate::problem::Problem;
use crate::repository::{Repository, TextFile};

use super::allowances::{Allowances, FILE, Rule};

/// Crates whose values become identities.
const IDENTITY_CRATES: [&str; 3] = ["crates/vocab/", "crates/schema/", "crates/plan/"];

/// Checks every Rust file.
pub(super) fn check(repository: &Repository, allowances: &Allowances) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in repository.files.iter().filter(|file| file.is("rs")) {
        if !file.text.starts_with("//! ") {
            problems.push(Problem::new(
                format!("{}:1", file.path),
                "the module does not start with a `//!` line",
                "say in a sentence what the module is for",
            ));
        }
        if !file.is_test() {
            printing(file, allowances, &mut problems);
            if IDENTITY_CRATES
                .iter()
                .any(|folder| file.path.starts_with(folder))
            {
                unordered(file, allowances, &mut problems);
            }
        }
    }
    problems
}

fn printing(file: &TextFile, allowances: &Allowances, problems: &mut Vec<Problem>) {
    const PRINTING: [&str; 4] = ["println!(", "print!(", "eprintln!(", "eprint!("];
    for (number, line) in file.code_lines() {
        let prints = PRINTING
            .iter()
            .any(|call| line.trim_start().starts_with(call));
        if prints && !allowances.cover(Rule::Print, &file.path) {
            problems.push(Problem::new(
                format!("{}:{number}", file.path),
                "a library prints",
                format!("return the text or send an event; a program is listed in {FILE}"),
            ));
        }
    }
}

fn unordered(file: &TextFile, allowances: &Allowances, problems: &mut Vec<Problem>) {
    for (number, line) in file.code_lines() {
        let mut words = line.split(|c: char| !c.is_alphanumeric());
        let unordered = words.any(|word| matches!(word, "HashMap" | "HashSet"));
        if unordered && !allowances.cover(Rule::HashMap, &file.path) {
            problems.push(Problem::new(
                format!("{}:{number}", file.path),
                "a map without an order, in a crate that makes identities",
                format!("take BTreeMap or IndexMap, or give a reason in {FILE}"),
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::allowances::tests::found;

    #[test]
    fn a_module_without_its_first_line_is_named() {
        assert_eq!(found(check, &[("a/src/b.rs", "//! Why.\n")]), [""; 0]);
        for text in ["", "// Why.\n", "use a::b;\n//! Why.\n", "//!\n"] {
            let problems = found(check, &[("a/src/b.rs", text)]);
            assert_eq!(problems.len(), 1, "{text:?}: {problems:?}");
            assert!(problems[0].starts_with("a/src/b.rs:1"));
        }
    }

    #[test]
    fn a_library_that_prints_is_named() {
        for call in ["println!(\"x\");", "    eprint!(\"x\");"] {
            let text = format!("//! Why.\n/// println!(\"in a comment\");\n{call}\n");
            let problems = found(check, &[("crates/a/src/b.rs", &text)]);
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].starts_with("crates/a/src/b.rs:3"));
            assert_eq!(found(check, &[("crates/a/tests/it/b.rs", &text)]), [""; 0]);
        }
    }

    #[test]
    fn a_crate_of_identities_that_takes_an_unordered_map_is_named() {
        let text = "//! Why.\nuse std::collections::HashMap;\n";
        assert_eq!(found(check, &[("crates/plan/src/b.rs", text)]).len(), 1);
        assert_eq!(found(check, &[("crates/exec/src/b.rs", text)]), [""; 0]);
        let similar = "//! Why.\nfn a(_: MyHashMapLike) {}\n";
        assert_eq!(found(check, &[("crates/plan/src/b.rs", similar)]), [""; 0]);
    }
}

//! Error codes: each declared once, in its own crate, and explained in `docs/errors.md`.

use std::collections::BTreeMap;

use crate::problem::Problem;
use crate::repository::{Repository, TextFile};

const PAGES: &str = "docs/errors.md";

/// Written in halves, so that this file declares no code.
const DECLARATION: &str = concat!("Code::", "new(");

/// A code as its crate declares it.
#[derive(Debug, PartialEq, Eq)]
struct Declared {
    id: String,
    kind: String,
    stage: String,
    place: String,
}

/// A section of `docs/errors.md`.
#[derive(Debug)]
struct Page<'a> {
    id: &'a str,
    line: usize,
    body: String,
}

/// Checks that codes and pages are the same set, and that each page has its parts.
///
/// # Errors
///
/// When `docs/errors.md` is missing.
pub(super) fn check(repository: &Repository) -> anyhow::Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let mut declared: BTreeMap<String, Declared> = BTreeMap::new();
    for package in &repository.packages {
        let source = format!("{}/src/", package.folder);
        let area = package
            .folder
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_uppercase();
        for file in &repository.files {
            if !file.is("rs") || file.is_test() || !file.path.starts_with(&source) {
                continue;
            }
            for code in codes(file, &mut problems) {
                check_area(&code, &area, &mut problems);
                if let Some(first) = declared.get(&code.id) {
                    problems.push(Problem::new(
                        &code.place,
                        format!(
                            "{} is declared a second time, after {}",
                            code.id, first.place
                        ),
                        "take the next free number of this crate",
                    ));
                } else {
                    declared.insert(code.id.clone(), code);
                }
            }
        }
    }
    let pages = pages(repository.text(PAGES)?);
    for (index, page) in pages.iter().enumerate() {
        let place = format!("{PAGES}:{}", page.line);
        if pages[..index].iter().any(|earlier| earlier.id == page.id) {
            problems.push(Problem::new(
                &place,
                format!("{} has a second section", page.id),
                "merge the two",
            ));
        }
        match declared.get(page.id) {
            Some(code) => check_page(page, code, &place, &mut problems),
            None => problems.push(Problem::new(
                &place,
                format!("no crate declares {}", page.id),
                "delete the section",
            )),
        }
    }
    for code in declared.values() {
        if !pages.iter().any(|page| page.id == code.id) {
            problems.push(Problem::new(
                &code.place,
                format!("{} has no section in {PAGES}", code.id),
                "add one with an example message, its cause and its remedy",
            ));
        }
    }
    Ok(problems)
}

/// All codes that a file declares: `Code::new("CA-…", ErrorKind::…, Stage::…)`, and calls of a
/// `const fn` of the same file that fills in the kind and the stage.
fn codes(file: &TextFile, problems: &mut Vec<Problem>) -> Vec<Declared> {
    let mut found = Vec::new();
    let mut helpers: Vec<(String, String, String)> = Vec::new();
    let lines: Vec<(usize, &str)> = file.code_lines().collect();
    for (at, (number, line)) in lines.iter().enumerate() {
        let place = format!("{}:{number}", file.path);
        if let Some(rest) = arguments(line, DECLARATION) {
            let call = until_closed(rest, &lines[at + 1..]);
            let (Some(kind), Some(stage)) = (
                word_after(&call, "ErrorKind::"),
                word_after(&call, "Stage::"),
            ) else {
                problems.push(Problem::new(
                    &place,
                    "the kind and the stage of this code are not literals",
                    "write both in the call",
                ));
                continue;
            };
            let before = lines[..=at].iter().rev().take(3);
            let helper = before
                .filter_map(|(_, line)| word_after(line, "const fn "))
                .next();
            match (literal(&call), helper) {
                (Some(id), _) => found.push(declared(id, kind, stage, &place)),
                (None, Some(helper)) => {
                    helpers.push((format!("{helper}("), kind.to_owned(), stage.to_owned()));
                }
                (None, None) => problems.push(Problem::new(
                    &place,
                    "the id of this code is not a literal",
                    "write the id in the call",
                )),
            }
        }
        for (helper, kind, stage) in &helpers {
            if let Some(rest) = arguments(line, helper)
                && let Some(id) = literal(&until_closed(rest, &lines[at + 1..]))
            {
                found.push(declared(id, kind, stage, &place));
            }
        }
    }
    found
}

/// What follows `call` in a line, unless it is only the end of a longer name.
fn arguments<'a>(line: &'a str, call: &str) -> Option<&'a str> {
    let (before, rest) = line.split_once(call)?;
    let longer = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    (!longer).then_some(rest)
}

/// The text up to the next closing bracket, at most a few lines on.
fn until_closed(rest: &str, next: &[(usize, &str)]) -> String {
    let mut call = rest.to_owned();
    for (_, line) in next.iter().take(4) {
        call.push_str(line);
    }
    call.split(')').next().unwrap_or_default().to_owned()
}

fn literal(call: &str) -> Option<&str> {
    call.trim_start().strip_prefix('"')?.split('"').next()
}

fn declared(id: &str, kind: &str, stage: &str, place: &str) -> Declared {
    Declared {
        id: id.to_owned(),
        kind: kind.to_owned(),
        stage: stage.to_owned(),
        place: place.to_owned(),
    }
}

fn check_area(code: &Declared, area: &str, problems: &mut Vec<Problem>) {
    let number = code
        .id
        .strip_prefix("CA-")
        .and_then(|rest| rest.strip_prefix(area))
        .and_then(|rest| rest.strip_prefix('-'));
    let right = number.is_some_and(|n| n.len() == 4 && n.bytes().all(|b| b.is_ascii_digit()));
    if !right {
        problems.push(Problem::new(
            &code.place,
            format!("{} is not a code of this crate", code.id),
            format!("codes here are CA-{area}- and four digits"),
        ));
    }
}

fn check_page(page: &Page<'_>, code: &Declared, place: &str, problems: &mut Vec<Problem>) {
    let kind = format!("`{}`", code.kind);
    let stage = format!("`{}`", code.stage);
    for part in [kind.as_str(), &stage, "```", "**Cause.**", "**Remedy.**"] {
        if !page.body.contains(part) {
            problems.push(Problem::new(
                place,
                format!("the section of {} lacks {part}", page.id),
                "a section has kind and stage as declared, an example message, cause and remedy",
            ));
        }
    }
}

fn pages(text: &str) -> Vec<Page<'_>> {
    let mut pages: Vec<Page<'_>> = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        if let Some(title) = line.strip_prefix("### ") {
            pages.push(Page {
                id: title.split(':').next().unwrap_or_default().trim(),
                line: number,
                body: String::new(),
            });
        } else if let Some(page) = pages.last_mut() {
            page.body.push_str(line);
            page.body.push('\n');
        }
    }
    pages
}

fn word_after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(prefix)?;
    let end = rest
        .find(|c: char| !c.is_alphanumeric())
        .unwrap_or(rest.len());
    Some(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::Package;
    use crate::tidy::allowances::tests::repository;

    const CODE: &str = "//! Doc.\n/// Code::new(\"CA-NOT-0001\")\npub const A: Code =\n    \
                        Code::new(\"CA-SMALL-0001\", ErrorKind::Invalid, Stage::Compile);\n";
    const PAGE: &str = "# Errors\n### CA-SMALL-0001: a title\n`Invalid` · `Compile`\n```text\nx\n```\n\
                        **Cause.** This.\n**Remedy.** That.\n";

    fn found(code: &str, pages: &str) -> Vec<String> {
        let mut repository = repository("", &[("crates/small/src/a.rs", code), (PAGES, pages)]);
        repository.packages.push(Package {
            name: "small".to_owned(),
            folder: "crates/small".to_owned(),
            dependencies: Vec::new(),
        });
        check(&repository)
            .unwrap()
            .iter()
            .map(Problem::to_string)
            .collect()
    }

    #[test]
    fn a_declared_and_explained_code_is_right() {
        assert_eq!(found(CODE, PAGE), [""; 0]);
        let wrapped = CODE
            .replace("(\"CA", "(\n        \"CA")
            .replace(", Stage", ",\n        Stage");
        assert_eq!(found(&wrapped, PAGE), [""; 0]);
    }

    #[test]
    fn a_code_without_a_section_and_a_section_without_a_code_are_named() {
        let problems = found(CODE, "# Errors\n");
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("crates/small/src/a.rs:4: CA-SMALL-0001"));
        let problems = found("//! Doc.\n", PAGE);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].starts_with("docs/errors.md:2: no crate declares"));
    }

    #[test]
    fn a_code_that_is_declared_twice_is_named() {
        let twice = format!("{CODE}{}", CODE.replace("//! Doc.\n", ""));
        assert_eq!(found(&twice, PAGE).len(), 1);
        let page_twice = format!("{PAGE}{}", PAGE.replace("# Errors\n", ""));
        assert_eq!(found(CODE, &page_twice).len(), 1);
    }

    #[test]
    fn a_code_of_another_crate_or_form_is_refused() {
        for id in ["CA-OTHER-0001", "CA-SMALL-1", "CA-SMALL-00A1", "SMALL-0001"] {
            let (code, page) = (
                CODE.replace("CA-SMALL-0001", id),
                PAGE.replace("CA-SMALL-0001", id),
            );
            let problems = found(&code, &page);
            assert_eq!(problems.len(), 1, "{id}: {problems:?}");
        }
    }

    #[test]
    fn a_section_that_lacks_a_part_or_has_another_kind_is_named() {
        for (part, other) in [
            ("`Invalid`", "`Data`"),
            ("`Compile`", "`Data`"),
            ("```text\nx\n```\n", ""),
            ("**Cause.**", "Cause"),
            ("**Remedy.**", ""),
        ] {
            let problems = found(CODE, &PAGE.replace(part, other));
            assert_eq!(problems.len(), 1, "{part}: {problems:?}");
        }
    }

    #[test]
    fn a_function_of_the_same_file_may_fill_in_kind_and_stage() {
        let helper = "const fn wrong(id: &'static str) -> Code {\n    \
                      Code::new(id, ErrorKind::Invalid, Stage::Compile)\n}\n";
        let code = format!("//! Doc.\n{helper}pub const A: Code = wrong(\"CA-SMALL-0001\");\n");
        assert_eq!(found(&code, PAGE), [""; 0]);
        assert_eq!(found(&code, "# Errors\n").len(), 1);
        assert_eq!(found(&code.replace("Compile", "Data"), PAGE).len(), 1);
    }

    #[test]
    fn a_code_whose_arguments_are_hidden_is_refused() {
        for hidden in [
            "ID, KIND, STAGE",
            "ID, ErrorKind::Data, Stage::Data",
            "\"CA-SMALL-0001\", K, S",
        ] {
            let problems = found(&format!("pub const A: Code = Code::new({hidden});\n"), "");
            assert_eq!(problems.len(), 1, "{problems:?}");
        }
        assert_eq!(found("ExitCode::new(ID);\n", ""), [""; 0]);
    }
}

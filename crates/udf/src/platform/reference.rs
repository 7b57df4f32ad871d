//! The reference of functions as one page of Markdown.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use crate::{Entry, FunctionRecord, FunctionVolatility, Library};

/// The page `docs/functions.md`: all functions of a library by family.
///
/// # Example: what does the page say of a function?
///
/// ```
/// use codeanatomy_udf::{Library, platform::reference};
///
/// let page = reference(&Library::builtin());
/// assert!(page.contains("### `span_len(span)`"));
/// ```
pub fn reference(library: &Library) -> String {
    let mut page = String::new();
    // Writing to a String cannot fail.
    let _ = write_page(&mut page, library);
    page
}

fn write_page(page: &mut String, library: &Library) -> fmt::Result {
    page.push_str(
        "# Functions\n\nMade from the manifest of `codeanatomy-udf` with `cargo run -p codeanatomy-udf --example reference`; a \
         test holds it fresh.\nEvery example is run as a test.\n\n",
    );
    let mut families: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in library.entries() {
        families
            .entry(entry.docs().section)
            .or_default()
            .push(entry);
    }
    for (family, entries) in &families {
        let link = family.replace(' ', "-");
        let names: Vec<String> = entries
            .iter()
            .map(|entry| format!("`{}`", shown(entry)))
            .collect();
        writeln!(page, "- [{family}](#{link}): {}", names.join(", "))?;
    }
    for (family, entries) in &families {
        writeln!(page, "\n## {family}")?;
        for entry in entries {
            write_entry(page, library.name(), entry)?;
        }
    }
    Ok(())
}

/// The name under which the documentation calls a function: one of its own or an alias.
fn shown(entry: &Entry) -> &str {
    let syntax = entry.docs().syntax;
    syntax.split('(').next().unwrap_or(entry.name())
}

fn write_entry(page: &mut String, library: &str, entry: &Entry) -> fmt::Result {
    let docs = entry.docs();
    writeln!(page, "\n### `{}`\n", docs.syntax)?;
    writeln!(page, "{}\n", docs.summary)?;
    for (name, meaning) in docs.arguments {
        writeln!(page, "- `{name}`: {meaning}")?;
    }
    if !docs.arguments.is_empty() {
        page.push('\n');
    }
    writeln!(page, "**Returns.** {}\n", docs.returns)?;
    for note in docs.notes {
        writeln!(page, "{note}\n")?;
    }
    let record = FunctionRecord::of_entry(library, entry);
    let mut facts = vec![format!("{} function", record.kind.as_str())];
    if record.volatility != FunctionVolatility::Immutable {
        facts.push(record.volatility.as_str().to_owned());
    }
    match record.version {
        Some(version) => facts.push(format!("version {version}")),
        None => facts.push("of the engine".to_owned()),
    }
    let others: Vec<String> = entry
        .names()
        .filter(|name| *name != shown(entry))
        .map(|name| format!("`{name}`"))
        .collect();
    if !others.is_empty() {
        facts.push(format!("also {}", others.join(", ")));
    }
    if !record.rewrite_tags.is_empty() {
        facts.push(format!("needs {}", record.rewrite_tags.join(", ")));
    }
    writeln!(page, "*{}.*", facts.join(", "))?;
    for example in docs.examples {
        writeln!(page, "\n```sql\n{}\n```\n", example.sql)?;
        writeln!(page, "```text\n{}\n```", example.rows.join("\n"))?;
    }
    Ok(())
}

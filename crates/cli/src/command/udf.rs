//! `codeanatomy udf`

use std::fmt::Write;

use codeanatomy::udf::{FunctionRecord, RewriteRecord, Snapshot, codes};
use codeanatomy_vocab::{Error, Errors, Fingerprint, nearest};
use serde::Serialize;

use super::Context;
use crate::args::{UdfList, UdfShow};
use crate::exit::Exit;
use crate::render::{Align, Paint, Table, plain, plural};

/// The library of the engine's own functions.
const ENGINE: &str = "datafusion";

#[derive(Serialize)]
struct ListDocument<'a> {
    format_version: u32,
    udf_snapshot_hash: Fingerprint,
    functions: Vec<&'a FunctionRecord>,
    rewrites: &'a [RewriteRecord],
}

pub(crate) fn list(args: &UdfList, context: &Context) -> Result<Exit, Errors> {
    let snapshot = snapshot(context)?;
    let shown: Vec<&FunctionRecord> = snapshot
        .functions
        .iter()
        .filter(|function| args.all || function.library != ENGINE)
        .collect();
    let document = ListDocument {
        format_version: snapshot.format_version,
        udf_snapshot_hash: snapshot.hash,
        functions: shown.clone(),
        rewrites: &snapshot.rewrites,
    };
    let output = &context.output;
    output.result(&document, || {
        let mut text = table(&shown, output.paint());
        let rest = snapshot.functions.len() - shown.len();
        if rest > 0 {
            let rest = plural(rest, "function");
            let _ = writeln!(
                text,
                "\n{rest} of the engine not listed; `--all` lists them"
            );
        }
        text
    })?;
    Ok(Exit::Ok)
}

pub(crate) fn show(args: &UdfShow, context: &Context) -> Result<Exit, Errors> {
    let snapshot = snapshot(context)?;
    let name = args.name.to_lowercase();
    let function = snapshot
        .get(&name)
        .ok_or_else(|| not_found(&args.name, &snapshot))?;
    context
        .output
        .result(function, || details(function, context.output.paint()))?;
    Ok(Exit::Ok)
}

/// The functions of the project, or of no project where there is none and none was asked for.
fn snapshot(context: &Context) -> Result<Snapshot, Errors> {
    if context.global.project.is_none()
        && codeanatomy_project::discover(&context.environment.current_dir).is_err()
    {
        return Ok(codeanatomy::default_functions()?);
    }
    context.configured()?.functions()
}

fn not_found(name: &str, snapshot: &Snapshot) -> Error {
    let names = snapshot.names();
    Error::new(
        codes::FUNCTION_NOT_FOUND,
        format!("there is no function `{name}`"),
    )
    .with("function", name)
    .with_nearest(nearest(name, names.keys().copied()))
    .with_help("`codeanatomy udf list --all` lists what there is")
}

fn table(functions: &[&FunctionRecord], paint: Paint) -> String {
    let mut table = Table::new(&[
        ("FUNCTION", Align::Left),
        ("KIND", Align::Left),
        ("LIBRARY", Align::Left),
        ("CALL", Align::Left),
    ]);
    for function in functions {
        table.row([
            (function.name.clone(), paint.bold(&function.name)),
            plain(function.kind.to_string()),
            plain(&function.library),
            plain(one_line(&function.documentation.syntax)),
        ]);
    }
    table.render(paint)
}

fn details(function: &FunctionRecord, paint: Paint) -> String {
    let documentation = &function.documentation;
    let mut text = String::new();
    // Writing to a String cannot fail.
    let mut line = |label: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "{:14}{value}", format!("{label}:"));
        }
    };
    line("function", &paint.bold(&function.name));
    line("kind", function.kind.as_str());
    line("also", &function.aliases.join(", "));
    line("library", &function.library);
    line(
        "version",
        &function
            .version
            .map(|version| version.to_string())
            .unwrap_or_default(),
    );
    line(
        "digest",
        &function
            .implementation_digest
            .map(|digest| digest.to_hex())
            .unwrap_or_default(),
    );
    line("call", &one_line(&documentation.syntax));
    line("takes", &function.signature_inputs.join(" | "));
    line("returns", &function.return_types.join(" | "));
    line("volatility", function.volatility.as_str());
    line("waits", if function.is_async { "yes" } else { "" });
    line("needs", &function.rewrite_tags.join(", "));
    let mut paragraph = |paragraph: &str| {
        if !paragraph.is_empty() {
            let _ = writeln!(text, "\n{}", paragraph.trim());
        }
    };
    paragraph(&documentation.summary);
    let arguments: Vec<String> = documentation
        .arguments
        .iter()
        .map(|argument| format!("  {}: {}", argument.name, argument.meaning))
        .collect();
    if !arguments.is_empty() {
        paragraph(&format!("Arguments:\n{}", arguments.join("\n")));
    }
    if !documentation.returns.is_empty() {
        paragraph(&format!("Returns: {}", documentation.returns));
    }
    for note in &documentation.notes {
        paragraph(note);
    }
    for example in &documentation.examples {
        let rows = example.rows.join("\n  ");
        let rows = if rows.is_empty() {
            rows
        } else {
            format!("\n  {rows}")
        };
        paragraph(&format!("Example:\n  {}{rows}", example.sql.trim()));
    }
    text
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

//! `codeanatomy delta files`

use std::collections::{BTreeMap, BTreeSet};

use codeanatomy::delta::maintain::{FileInfo, table_files};
use codeanatomy_vocab::{DeltaVersionSelector, Errors};
use serde::Serialize;
use serde_json::Value;

use super::super::Context;
use super::Document;
use crate::args::DeltaFiles;
use crate::exit::Exit;
use crate::render::{Align, Paint, Table, bytes, count, plain, plural, timestamp};

#[derive(Serialize)]
struct Files<'a> {
    n_files: usize,
    size_bytes: u64,
    files: &'a [FileInfo],
}

pub(crate) fn run(args: &DeltaFiles, context: &Context) -> Result<Exit, Errors> {
    let table = context.table(&args.table)?;
    let selector = match (args.version, args.timestamp) {
        (Some(version), _) => DeltaVersionSelector::Version(version),
        (None, Some(time)) => DeltaVersionSelector::Timestamp(time),
        (None, None) => table.selector,
    };
    let files = context
        .work(async { Ok(table_files(&table.location, selector, &table.options).await?) })?;
    let report = Files {
        n_files: files.len(),
        size_bytes: files.iter().map(|file| file.size_bytes).sum(),
        files: &files,
    };
    let output = &context.output;
    output.result(&Document::new(&table, report), || {
        let paint = output.paint();
        match args.stats {
            true => statistics(&files, paint),
            false => list(&files, paint),
        }
    })?;
    Ok(Exit::Ok)
}

fn list(files: &[FileInfo], paint: Paint) -> String {
    let mut table = Table::new(&[
        ("FILE", Align::Left),
        ("SIZE", Align::Right),
        ("ROWS", Align::Right),
        ("DELETED", Align::Right),
        ("WRITTEN (UTC)", Align::Left),
        ("PARTITION", Align::Left),
    ]);
    for file in files {
        table.row([
            plain(file.path.clone()),
            plain(bytes(file.size_bytes)),
            plain(file.n_rows.map(count).unwrap_or_default()),
            plain(match file.n_deleted {
                0 => String::new(),
                n => count(n),
            }),
            plain(timestamp(file.modified_at)),
            plain(partition(&file.partition_values)),
        ]);
    }
    let size_bytes = files.iter().map(|file| file.size_bytes).sum();
    format!(
        "{}{}, {}\n",
        table.render(paint),
        plural(files.len(), "file"),
        bytes(size_bytes)
    )
}

fn statistics(files: &[FileInfo], paint: Paint) -> String {
    let mut table = Table::new(&[
        ("FILE", Align::Left),
        ("COLUMN", Align::Left),
        ("SMALLEST", Align::Left),
        ("LARGEST", Align::Left),
        ("NULLS", Align::Right),
    ]);
    let mut n_without = 0;
    for file in files {
        let of = |key: &str| {
            let mut leaves = BTreeMap::new();
            if let Some(values) = file.statistics.as_ref().and_then(|s| s.get(key)) {
                flatten(values, String::new(), &mut leaves);
            }
            leaves
        };
        let (smallest, largest, nulls) = (of("minValues"), of("maxValues"), of("nullCount"));
        let columns: BTreeSet<&String> = [&smallest, &largest, &nulls]
            .into_iter()
            .flat_map(BTreeMap::keys)
            .collect();
        if columns.is_empty() {
            n_without += 1;
        }
        for (index, column) in columns.into_iter().enumerate() {
            let cell = |values: &BTreeMap<String, String>| {
                plain(values.get(column).cloned().unwrap_or_default())
            };
            table.row([
                plain(match index {
                    0 => file.path.clone(),
                    _ => String::new(),
                }),
                plain(column.clone()),
                cell(&smallest),
                cell(&largest),
                cell(&nulls),
            ]);
        }
    }
    let mut text = table.render(paint);
    if n_without > 0 {
        text.push_str(&format!(
            "{} without statistics of columns\n",
            plural(n_without, "file")
        ));
    }
    text
}

/// The values of nested columns by their dotted names.
fn flatten(value: &Value, name: String, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                let name = match name.as_str() {
                    "" => field.clone(),
                    above => format!("{above}.{field}"),
                };
                flatten(value, name, leaves);
            }
        }
        Value::String(text) => {
            leaves.insert(name, text.clone());
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            leaves.insert(name, value.to_string());
        }
    }
}

/// `region=north, day=2026-01-15`
fn partition(values: &BTreeMap<String, Option<String>>) -> String {
    let parts = values.iter().map(|(column, value)| {
        let value = value.as_deref().unwrap_or("null");
        format!("{column}={value}")
    });
    parts.collect::<Vec<_>>().join(", ")
}

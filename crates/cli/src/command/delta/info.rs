//! `codeanatomy delta info` and `codeanatomy delta protocol`

use codeanatomy::delta::maintain::{ProtocolInfo, TableInfo, table_info, table_protocol};
use codeanatomy_vocab::Errors;

use super::super::Context;
use super::Document;
use crate::args::DeltaTable;
use crate::exit::Exit;
use crate::output::Output;
use crate::render::{Align, Table, bytes, count, facts, plain, plural, timestamp};

pub(crate) fn info(args: &DeltaTable, context: &Context) -> Result<Exit, Errors> {
    let table = context.table(args)?;
    let info = context.work(async { Ok(table_info(&table.location, &table.options).await?) })?;
    let output = &context.output;
    let document = Document::new(&table, &info);
    output.result(&document, || {
        info_text(&table.name, &document.location, &info, output)
    })?;
    Ok(Exit::Ok)
}

pub(crate) fn protocol(args: &DeltaTable, context: &Context) -> Result<Exit, Errors> {
    let table = context.table(args)?;
    let protocol =
        context.work(async { Ok(table_protocol(&table.location, &table.options).await?) })?;
    let output = &context.output;
    output.result(&Document::new(&table, &protocol), || {
        facts(&protocol_facts(&protocol), output.paint())
    })?;
    Ok(Exit::Ok)
}

fn info_text(name: &str, location: &str, info: &TableInfo, output: &Output) -> String {
    let paint = output.paint();
    let mut lines = vec![
        ("table", name.to_owned()),
        ("location", location.to_owned()),
        ("name", info.name.clone().unwrap_or_default()),
        ("description", info.description.clone().unwrap_or_default()),
        ("id", info.id.clone()),
        (
            "created",
            info.created_at
                .map(|time| format!("{} UTC", timestamp(time)))
                .unwrap_or_default(),
        ),
        (
            "version",
            format!("{} (oldest {})", info.version, info.oldest_version),
        ),
        (
            "checkpoint",
            match info.checkpoint_version {
                Some(version) => format!("version {version}"),
                None => "none".to_owned(),
            },
        ),
        (
            "data",
            format!(
                "{} in {}, {}",
                match info.n_rows {
                    Some(rows) => format!("{} rows", count(rows)),
                    None => "an unknown number of rows".to_owned(),
                },
                plural(info.n_files, "file"),
                bytes(info.size_bytes)
            ),
        ),
        (
            "deletions",
            match info.n_files_with_deletions {
                0 => String::new(),
                n => format!("vectors of deleted rows for {}", plural(n, "file")),
            },
        ),
        ("partitions", info.partition_by.join(", ")),
    ];
    lines.extend(protocol_facts(&info.protocol));
    let mut text = facts(&lines, paint);
    let mut columns = Table::new(&[
        ("COLUMN", Align::Left),
        ("TYPE", Align::Left),
        ("NULLS", Align::Left),
    ]);
    for column in &info.columns {
        columns.row([
            plain(column.name.clone()),
            plain(column.data_type.clone()),
            plain(if column.nullable { "yes" } else { "no" }.to_owned()),
        ]);
    }
    let mut properties = Table::new(&[("PROPERTY", Align::Left), ("VALUE", Align::Left)]);
    for (key, value) in &info.properties {
        properties.row([plain(key.clone()), plain(value.clone())]);
    }
    for table in [columns, properties] {
        if !table.is_empty() {
            text.push('\n');
            text.push_str(&table.render(paint));
        }
    }
    text
}

fn protocol_facts(protocol: &ProtocolInfo) -> Vec<(&'static str, String)> {
    let side = |version: u32, features: &[String]| match features {
        [] => format!("version {version}"),
        features => format!("version {version}: {}", features.join(", ")),
    };
    vec![
        (
            "reader",
            side(protocol.min_reader_version, &protocol.reader_features),
        ),
        (
            "writer",
            side(protocol.min_writer_version, &protocol.writer_features),
        ),
        (
            "unreadable",
            protocol.unsupported_reader_features.join(", "),
        ),
        (
            "unwritable",
            protocol.unsupported_writer_features.join(", "),
        ),
    ]
}

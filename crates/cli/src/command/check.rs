//! `codeanatomy check`

use std::sync::Arc;

use codeanatomy::exec::{CheckReport, ContractReport, RowsOptions, RowsReport};
use codeanatomy_vocab::{Errors, Stage};
use serde::Serialize;

use super::Context;
use super::pipeline::unless_cancelled;
use crate::args::Check;
use crate::exit::Exit;
use crate::progress;
use crate::render::{Align, JsonError, Paint, Table, count, plain, plural};

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    report: &'a CheckReport,
    /// Everything that breaks a contract.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    error: Vec<JsonError>,
}

pub(crate) fn run(args: &Check, context: &Context) -> Result<Exit, Errors> {
    let output = &context.output;
    let dir = context.project_dir()?;
    let configured = context.configured_in(&dir)?;
    let rows = args.rows.then_some(RowsOptions {
        samples: args.samples,
        statistics: !args.names.is_empty(),
    });
    let observer = progress::observer(output);
    let cancel = context.interrupts.token();
    let checked = configured.check(&args.names, rows, Arc::clone(&observer));
    let (report, errors) = context.block_on(unless_cancelled(&cancel, checked))?;
    drop(observer);
    let document = Document {
        report: &report,
        error: errors
            .iter()
            .map(|error| JsonError::new(error, &output.paths))
            .collect(),
    };
    output.result(&document, || text(&report, output.paint()))?;
    output.show_errors(&errors);
    Ok(match report.valid {
        true => Exit::Ok,
        false => Exit::Failed(Stage::Contract),
    })
}

fn text(report: &CheckReport, paint: Paint) -> String {
    if report.contracts.is_empty() {
        return "no contracts; `codeanatomy contract init NAME` writes one\n".to_owned();
    }
    let mut table = Table::new(&[
        ("CONTRACT OF", Align::Left),
        ("KIND", Align::Left),
        ("POLICY", Align::Left),
        ("RESULT", Align::Left),
        ("PROVED", Align::Right),
        ("OPEN", Align::Right),
        ("ROWS", Align::Right),
        ("INVALID", Align::Right),
    ]);
    for contract in &report.contracts {
        let outcomes = |outcome: &str| {
            let checks = contract.checks.iter();
            let n = checks.filter(|check| check.outcome == outcome).count();
            plain(count(n as u64))
        };
        let result = if contract.valid {
            ("kept".to_owned(), paint.good("kept"))
        } else {
            ("broken".to_owned(), paint.bad("broken"))
        };
        let rows = contract.rows.as_ref().map(|rows| &rows.validation);
        let number = |n: Option<u64>| plain(n.map(count).unwrap_or_default());
        table.row([
            plain(contract.name.clone()),
            plain(contract.kind),
            plain(contract.evolution.clone()),
            result,
            outcomes("proved"),
            outcomes("open"),
            number(rows.and_then(|rows| rows.validated)),
            number(rows.and_then(|rows| rows.invalid_rows)),
        ]);
    }
    let mut text = table.render(paint);
    for contract in &report.contracts {
        if let Some(rows) = &contract.rows {
            text.push_str(&of_rows(contract, rows, paint));
        }
    }
    let n_broken = report.contracts.iter().filter(|it| !it.valid).count();
    let n_kept = report.contracts.len() - n_broken;
    let open = report.contracts.iter().any(|contract| {
        let mut checks = contract.checks.iter();
        contract.rows.is_none() && checks.any(|check| check.outcome == "open")
    });
    let hint = if open {
        "; `--rows` looks at what only rows can tell"
    } else {
        ""
    };
    text.push_str(&format!(
        "{} kept, {} broken{hint}\n",
        plural(n_kept, "contract"),
        count(n_broken as u64)
    ));
    text
}

/// Errors, samples and statistics of one contract.
fn of_rows(contract: &ContractReport, rows: &RowsReport, paint: Paint) -> String {
    let mut text = String::new();
    if !rows.validation.errors.is_empty() {
        text.push_str(&format!("\n{}: errors\n", paint.bold(&contract.name)));
        let mut table = Table::new(&[
            ("ERROR", Align::Left),
            ("COLUMN", Align::Left),
            ("COUNT", Align::Right),
        ]);
        for error in &rows.validation.errors {
            table.row([
                plain(error.error_code.clone()),
                plain(error.error_column.clone()),
                plain(count(error.error_count)),
            ]);
        }
        text.push_str(&table.render(paint));
    }
    if !rows.samples.is_empty() {
        text.push_str(&format!("\n{}: invalid rows\n", paint.bold(&contract.name)));
        for row in &rows.samples {
            let values: Vec<String> = row
                .values
                .iter()
                .map(|(name, value)| format!("{name}={}", value.as_deref().unwrap_or("null")))
                .collect();
            let what = format!("{} in {}", row.error_code, row.error_column);
            text.push_str(&format!("  {}  {}\n", values.join(" "), paint.faint(&what)));
        }
    }
    if !rows.columns.is_empty() {
        text.push_str(&format!("\n{}: columns\n", paint.bold(&contract.name)));
        let mut table = Table::new(&[
            ("COLUMN", Align::Left),
            ("TYPE", Align::Left),
            ("NULLS", Align::Right),
            ("DISTINCT", Align::Right),
            ("MIN", Align::Left),
            ("MAX", Align::Left),
        ]);
        for column in &rows.columns {
            table.row([
                plain(column.name.clone()),
                plain(column.data_type.clone()),
                plain(count(column.null_count)),
                plain(column.distinct.map(count).unwrap_or_default()),
                plain(column.min.clone().unwrap_or_default()),
                plain(column.max.clone().unwrap_or_default()),
            ]);
        }
        text.push_str(&table.render(paint));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

//! `codeanatomy delta checkpoint`

use codeanatomy::delta::maintain::{CheckpointInspection, create_checkpoint, inspect_checkpoints};
use codeanatomy_vocab::Errors;

use super::super::Context;
use super::Document;
use crate::args::DeltaTable;
use crate::exit::Exit;
use crate::output::Output;
use crate::render::{Align, Table, bytes, plain};

pub(crate) fn create(args: &DeltaTable, context: &Context) -> Result<Exit, Errors> {
    let table = context.table(args)?;
    let report =
        context.work(async { Ok(create_checkpoint(&table.location, &table.options).await?) })?;
    context.output.result(&Document::new(&table, &report), || {
        format!("made a checkpoint of version {}\n", report.version)
    })?;
    Ok(Exit::Ok)
}

pub(crate) fn inspect(args: &DeltaTable, context: &Context) -> Result<Exit, Errors> {
    let table = context.table(args)?;
    let inspection =
        context.work(async { Ok(inspect_checkpoints(&table.location, &table.options).await?) })?;
    let output = &context.output;
    output.result(&Document::new(&table, &inspection), || {
        text(&inspection, output)
    })?;
    match inspection.check() {
        Ok(()) => Ok(Exit::Ok),
        Err(error) => {
            output.show_errors([&error]);
            Ok(Exit::Failed(error.code().stage()))
        }
    }
}

fn text(inspection: &CheckpointInspection, output: &Output) -> String {
    let paint = output.paint();
    if inspection.checkpoints.is_empty() {
        return "no checkpoints; readers start at the oldest commit\n".to_owned();
    }
    let mut table = Table::new(&[
        ("VERSION", Align::Right),
        ("FILES", Align::Right),
        ("SIZE", Align::Right),
        ("STATE", Align::Left),
    ]);
    for entry in &inspection.checkpoints {
        let state = match &entry.problem {
            None => ("whole".to_owned(), paint.good("whole")),
            Some(problem) => (problem.clone(), paint.bad(problem)),
        };
        table.row([
            plain(entry.version.to_string()),
            plain(entry.files.len().to_string()),
            plain(bytes(entry.size_bytes)),
            state,
        ]);
    }
    let hint = match inspection.last_checkpoint {
        Some(version) => format!("`_last_checkpoint` names version {version}"),
        None => "there is no readable `_last_checkpoint`; readers list the log".to_owned(),
    };
    format!("{}{hint}\n", table.render(paint))
}

//! `codeanatomy delta vacuum` and `codeanatomy delta cleanup-log`

use codeanatomy::delta::maintain::{VacuumSpec, cleanup_log as cleanup, vacuum as vacuum_table};
use codeanatomy_vocab::{Errors, SystemClock};

use super::super::Context;
use super::Document;
use crate::args::{DeltaCleanupLog, DeltaVacuum};
use crate::exit::Exit;
use crate::render::plural;

pub(crate) fn vacuum(args: &DeltaVacuum, context: &Context) -> Result<Exit, Errors> {
    let table = context.table(&args.table)?;
    let spec = VacuumSpec {
        dry_run: args.dry_run,
        retention: args.retention,
        force: args.force,
        unknown_files: args.full,
    };
    let report =
        context.work(async { Ok(vacuum_table(&table.location, &table.options, spec).await?) })?;
    context.output.result(&Document::new(&table, &report), || {
        listed(
            &report.files,
            report.dry_run,
            "file",
            "no file is old enough to go",
        )
    })?;
    Ok(Exit::Ok)
}

pub(crate) fn cleanup_log(args: &DeltaCleanupLog, context: &Context) -> Result<Exit, Errors> {
    let table = context.table(&args.table)?;
    let report = context.work(async {
        Ok(cleanup(&table.location, &table.options, args.dry_run, &SystemClock).await?)
    })?;
    context.output.result(&Document::new(&table, &report), || {
        let nothing = "nothing in the log is old enough to go, or a checkpoint to go by is missing";
        let mut text = listed(&report.files, report.dry_run, "file of the log", nothing);
        if let Some(oldest) = report.oldest_version {
            text.push_str(&format!(
                "the oldest version that can be read is {oldest}\n"
            ));
        }
        text
    })?;
    Ok(Exit::Ok)
}

/// The files, then how many there are.
fn listed(files: &[String], dry_run: bool, noun: &str, nothing: &str) -> String {
    if files.is_empty() {
        return format!("{nothing}\n");
    }
    let mut text: String = files.iter().flat_map(|file| [file, "\n"]).collect();
    let n = match noun.split_once(' ') {
        Some((first, rest)) => format!("{} {rest}", plural(files.len(), first)),
        None => plural(files.len(), noun),
    };
    text.push_str(&match dry_run {
        true => format!("{n} would be deleted\n"),
        false => format!("deleted {n}\n"),
    });
    text
}

//! `codeanatomy delta`

use std::future::Future;

use codeanatomy::{TableRef, Tables};
use codeanatomy_project::Project;
use codeanatomy_vocab::{Errors, Secret, SecretRef};
use serde::Serialize;

use super::Context;
use super::pipeline::unless_cancelled;
use crate::args::{Delta, DeltaCheckpoint, DeltaCursor, DeltaTable, StoreValue};
use crate::exit::Exit;

// Looking at a table.
mod checkpoint;
mod files;
mod history;
mod info;

// Changing it.
mod clean;
mod rewrite;

// What changed in it.
mod cdf;
mod cursor;

/// What every document of these commands begins with.
#[derive(Serialize)]
struct Document<'a, T> {
    /// What the user calls the table.
    table: &'a str,
    /// Where it is, without anything secret.
    location: String,
    #[serde(flatten)]
    report: T,
}

pub(crate) fn run(command: Delta, context: &Context) -> Result<Exit, Errors> {
    match command {
        Delta::Info(args) => info::info(&args, context),
        Delta::History(args) => history::run(&args, context),
        Delta::Files(args) => files::run(&args, context),
        Delta::Protocol(args) => info::protocol(&args, context),
        Delta::Checkpoint(DeltaCheckpoint::Create(args)) => checkpoint::create(&args, context),
        Delta::Checkpoint(DeltaCheckpoint::Inspect(args)) => checkpoint::inspect(&args, context),
        Delta::Optimize(args) => rewrite::optimize(&args, context),
        Delta::Vacuum(args) => clean::vacuum(&args, context),
        Delta::CleanupLog(args) => clean::cleanup_log(&args, context),
        Delta::Restore(args) => rewrite::restore(&args, context),
        Delta::Cdf(args) => cdf::run(&args, context),
        Delta::Cursor(DeltaCursor::Show(args)) => cursor::show(&args, context),
        Delta::Cursor(DeltaCursor::Reset(args)) => cursor::reset(&args, context),
    }
}

impl<'a, T: Serialize> Document<'a, T> {
    fn new(table: &'a TableRef, report: T) -> Self {
        Self {
            table: &table.name,
            location: table.location.to_string(),
            report,
        }
    }
}

impl Context {
    /// The table that the arguments name.
    fn table(&self, args: &DeltaTable) -> Result<TableRef, Errors> {
        let mut tables = self.tables(Some(&args.table))?;
        for option in &args.options {
            let value = match &option.value {
                StoreValue::Plain(value) => Secret::new(value.clone()),
                StoreValue::Reference(SecretRef::File(path)) => {
                    SecretRef::File(self.absolute(path)).resolve()?
                }
                StoreValue::Reference(reference) => reference.resolve()?,
            };
            tables = tables.with_option(option.key.clone(), value);
        }
        tables.find(&args.table)
    }

    /// The tables of the project. For a path or a URL the project is of use only where it can be
    /// read; a name needs it, unless there is a folder of that name and no project.
    fn tables(&self, wanted: Option<&str>) -> Result<Tables, Errors> {
        let is_path = wanted.is_some_and(|text| text.contains(['/', '\\']));
        let base = &self.environment.current_dir;
        let project = match self.project_dir() {
            Ok(dir) => match Project::load(&dir) {
                Ok(project) => Some(project),
                Err(errors) if !is_path => return Err(errors),
                Err(_) => None,
            },
            Err(errors) if wanted.is_none() || self.global.project.is_some() => return Err(errors),
            Err(_) => None,
        };
        Ok(Tables::new(project, base))
    }

    /// Works on a table to the end, or until the user stops it.
    fn work<T>(&self, work: impl Future<Output = Result<T, Errors>>) -> Result<T, Errors> {
        let cancel = self.interrupts.token();
        self.block_on(unless_cancelled(&cancel, work))
    }
}

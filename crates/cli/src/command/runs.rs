//! `codeanatomy runs`

use std::fmt::Write;

use codeanatomy::obs::{DamagedRun, RunEnvelope, RunStore};
use codeanatomy_vocab::{Error, Errors};
use serde::Serialize;

use super::Context;
use crate::args::{RunsList, RunsShow};
use crate::exit::Exit;
use crate::output::Output;
use crate::render::{Align, JsonError, Paint, Table, count, duration, plain, plural, timestamp};

#[derive(Serialize)]
struct ListDocument<'a> {
    runs: &'a [RunEnvelope],
    damaged: Vec<Damaged<'a>>,
}

#[derive(Serialize)]
struct Damaged<'a> {
    run_id: &'a str,
    error: JsonError,
}

pub(crate) fn list(args: &RunsList, context: &Context) -> Result<Exit, Errors> {
    let output = &context.output;
    let list = RunStore::new(&context.project_dir()?).list(Some(args.limit))?;
    let json = ListDocument {
        runs: &list.runs,
        damaged: list
            .damaged
            .iter()
            .map(|run| damaged(run, output))
            .collect(),
    };
    output.result(&json, || table(&list.runs, output.paint()))?;
    output.warnings(list.damaged.iter().map(|run| &run.error));
    Ok(Exit::Ok)
}

pub(crate) fn show(args: &RunsShow, context: &Context) -> Result<Exit, Errors> {
    let output = &context.output;
    let store = RunStore::new(&context.project_dir()?);
    let run = match &args.run {
        Some(run) => store.load(run)?,
        None => {
            let mut newest = store.list(Some(1))?;
            match (newest.runs.pop(), newest.damaged.pop()) {
                (Some(run), _) => run,
                (None, Some(damaged)) => return Err(damaged.error.into()),
                (None, None) => return Err(no_runs().into()),
            }
        }
    };
    output.result(&run, || details(&run, output))?;
    Ok(Exit::Ok)
}

fn no_runs() -> Error {
    Error::new(
        codeanatomy::obs::codes::UNKNOWN_RUN,
        "this project has no runs",
    )
    .with_help("`codeanatomy build` makes one")
}

fn damaged<'a>(run: &'a DamagedRun, output: &Output) -> Damaged<'a> {
    Damaged {
        run_id: run.run_id.as_str(),
        error: JsonError::new(&run.error, &output.paths),
    }
}

fn table(runs: &[RunEnvelope], paint: Paint) -> String {
    if runs.is_empty() {
        return "no runs yet; `codeanatomy build` makes one\n".to_owned();
    }
    let mut table = Table::new(&[
        ("RUN", Align::Left),
        ("STARTED (UTC)", Align::Left),
        ("STATUS", Align::Left),
        ("TOOK", Align::Right),
        ("VIEWS", Align::Left),
        ("LABEL", Align::Left),
    ]);
    for run in runs {
        let status = run.status.as_str();
        table.row([
            plain(run.run_id.to_string()),
            plain(timestamp(run.started_at)),
            (status.to_owned(), paint.state(run.status, status)),
            plain(run.elapsed_ms().map(duration).unwrap_or_default()),
            plain(outcomes(run)),
            plain(run.label.clone().unwrap_or_default()),
        ]);
    }
    table.render(paint)
}

fn details(run: &RunEnvelope, output: &Output) -> String {
    let paint = output.paint();
    let mut text = String::new();
    let status = run.status.as_str();
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{} {value}", paint.faint(&format!("{name:<9}")));
        }
    };
    fact("run", run.run_id.to_string());
    fact("project", run.project.clone());
    fact("label", run.label.clone().unwrap_or_default());
    fact("status", paint.state(run.status, status));
    fact("started", format!("{} UTC", timestamp(run.started_at)));
    fact("took", run.elapsed_ms().map(duration).unwrap_or_default());
    fact("views", outcomes(run));
    fact(
        "versions",
        format!(
            "codeanatomy {}, {}",
            run.product_version, run.engine_version
        ),
    );
    fact(
        "artifacts",
        match run.artifacts.len() {
            0 => String::new(),
            n => plural(n, "file"),
        },
    );

    let mut views = Table::new(&[
        ("VIEW", Align::Left),
        ("OUTCOME", Align::Left),
        ("ROWS", Align::Right),
        ("VERSION", Align::Right),
        ("TOOK", Align::Right),
        ("WHY", Align::Left),
    ]);
    for view in &run.views {
        let outcome = view.outcome.as_str();
        let why = match (&view.error, &view.detail) {
            (Some(error), _) => format!("{}: {}", error.code, error.message),
            (None, detail) => detail.clone().unwrap_or_default(),
        };
        views.row([
            plain(view.view.to_string()),
            (outcome.to_owned(), paint.outcome(view.outcome, outcome)),
            plain(view.rows.map(count).unwrap_or_default()),
            plain(
                view.delta_version
                    .map(|v| v.to_string())
                    .unwrap_or_default(),
            ),
            plain(match view.elapsed_ms {
                0 => String::new(),
                elapsed => duration(elapsed),
            }),
            plain(why.lines().next().unwrap_or_default()),
        ]);
    }
    let mut pins = Table::new(&[
        ("INPUT", Align::Left),
        ("FORMAT", Align::Left),
        ("VERSION", Align::Right),
        ("CONTENT", Align::Left),
    ]);
    for pin in &run.pins {
        pins.row([
            plain(pin.dataset.to_string()),
            plain(pin.format.clone()),
            plain(pin.version.map(|v| v.to_string()).unwrap_or_default()),
            plain(pin.content.map(|c| c.short()).unwrap_or_default()),
        ]);
    }
    for table in [views, pins] {
        if !table.is_empty() {
            text.push('\n');
            text.push_str(&table.render(paint));
        }
    }
    for error in &run.errors {
        let place = error.place.as_deref().map(|place| format!(" ({place})"));
        let _ = write!(
            text,
            "\n{}: {}{}\n",
            paint.bad(&error.code),
            error.message,
            place.unwrap_or_default()
        );
    }
    text
}

/// `3 built, 20 skipped`
fn outcomes(run: &RunEnvelope) -> String {
    crate::render::outcomes(run.views.iter().map(|view| view.outcome))
}

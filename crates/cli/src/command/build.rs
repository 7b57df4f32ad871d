//! `codeanatomy build`

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use codeanatomy::BuildOptions;
use codeanatomy::exec::BuildReport;
use codeanatomy::obs::{Outcome, RunStatus};
use codeanatomy_vocab::{ErrorKind, Errors, Stage};
use serde::Serialize;

use super::Context;
use super::pipeline::unless_cancelled;
use crate::args::Build;
use crate::exit::Exit;
use crate::output::{Output, Verbosity};
use crate::progress;
use crate::render::{Align, JsonError, Table, count, duration, plain, plural};

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    report: &'a BuildReport,
    /// The errors of the views that failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    error: Vec<JsonError>,
}

pub(crate) fn run(args: &Build, context: &Context) -> Result<Exit, Errors> {
    build(args, &context.project_dir()?, context)
}

/// Builds the project in a folder and prints what was done.
pub(crate) fn build(args: &Build, dir: &Path, context: &Context) -> Result<Exit, Errors> {
    let output = &context.output;
    let began = Instant::now();
    let cancel = context.interrupts.token();
    let observer = progress::observer(output);
    let ran = context.block_on(async {
        let openlineage = args.openlineage.clone();
        let planned = context.planned_with(dir, &args.views, &observer, openlineage);
        let planned = unless_cancelled(&cancel, planned).await?;
        let forced = match (args.force, args.views.is_empty()) {
            (false, _) => Vec::new(),
            (true, true) => planned
                .views()
                .iter()
                .map(|view| view.name().clone())
                .collect(),
            (true, false) => args.views.clone(),
        };
        let options = BuildOptions {
            forced: forced.into_iter().collect(),
            fail_fast: args.fail_fast,
            label: None,
        };
        // Stops on its own when cancelled, so that nothing is left half done.
        planned
            .build(options, Arc::clone(&observer), cancel.clone())
            .await
    })?;
    drop(observer);
    let report = ran.report();
    let document = Document {
        report,
        error: ran
            .failures()
            .iter()
            .map(|(_, error)| JsonError::new(error, &output.paths))
            .collect(),
    };
    output.result(&document, || text(report, began.elapsed(), output))?;
    output.warnings(ran.warnings());
    // A view that was stopped did not fail.
    let failures = ran.failures().iter().map(|(_, error)| error);
    output.show_errors(failures.filter(|error| error.kind() != ErrorKind::Interrupted));
    Ok(match report.status {
        RunStatus::Ok => Exit::Ok,
        RunStatus::Interrupted => Exit::Failed(Stage::Interrupt),
        RunStatus::Failed => {
            let first = ran.failures().first();
            Exit::Failed(first.map_or(Stage::Execution, |(_, error)| error.code().stage()))
        }
    })
}

fn text(report: &BuildReport, took: Duration, output: &Output) -> String {
    let paint = output.paint();
    let mut table = Table::new(&[
        ("VIEW", Align::Left),
        ("OUTCOME", Align::Left),
        ("ROWS", Align::Right),
        ("VERSION", Align::Right),
        ("TOOK", Align::Right),
    ]);
    let shows_all = output.verbosity >= Verbosity::Verbose;
    for view in &report.views {
        if view.outcome == Outcome::Skipped && !shows_all {
            continue;
        }
        let outcome = view.outcome.as_str();
        table.row([
            plain(view.name.to_string()),
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
        ]);
    }
    let took = duration(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    let n_skipped = report
        .views
        .iter()
        .filter(|view| view.outcome == Outcome::Skipped)
        .count();
    let summary = match report.status {
        RunStatus::Ok if n_skipped == report.views.len() => format!(
            "nothing to do: {} up to date ({took})",
            match n_skipped {
                1 => "1 view is".to_owned(),
                n => format!("{} are", plural(n, "view")),
            }
        ),
        RunStatus::Ok => format!("{} in {took}", outcomes(report)),
        RunStatus::Failed => format!("{}: {} in {took}", paint.bad("failed"), outcomes(report)),
        RunStatus::Interrupted => format!(
            "{}: {} in {took}; the next build goes on from here",
            paint.attention("interrupted"),
            outcomes(report)
        ),
    };
    let run = paint.faint(&format!("run {}", report.run_id));
    format!("{}{summary}\n{run}\n", table.render(paint))
}

/// `3 built, 20 skipped`
fn outcomes(report: &BuildReport) -> String {
    crate::render::outcomes(report.views.iter().map(|view| view.outcome))
}

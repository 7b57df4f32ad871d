//! `codeanatomy replay`

use codeanatomy::exec::{ReplayOutcome, ReplayedView};
use codeanatomy::{PastRuns, ReplayOptions, ReplayReport};
use codeanatomy_vocab::{Errors, Stage};

use super::Context;
use super::pipeline::unless_cancelled;
use crate::args::Replay;
use crate::exit::Exit;
use crate::output::Output;
use crate::render::{Align, Table, count, duration, plain};

pub(crate) fn run(args: &Replay, context: &Context) -> Result<Exit, Errors> {
    let dir = context.project_dir()?;
    let past = PastRuns::new(&dir);
    // Only options of stores are taken from it; a project that is broken now has none to give.
    let configured = context.configured_in(&dir).ok();
    let cancel = context.interrupts.token();
    let options = ReplayOptions {
        views: args.view.iter().cloned().collect(),
        verify: args.verify,
    };
    let report = context.block_on(async {
        let replay = past.replay(&args.run, &options, configured.as_ref(), &cancel);
        unless_cancelled(&cancel, async { Ok(replay.await?) }).await
    })?;
    let output = &context.output;
    output.result(&report, || text(&report, output))?;
    Ok(if report.has(ReplayOutcome::Differs) {
        Exit::Failed(Stage::Verify)
    } else if report.has(ReplayOutcome::Failed) {
        Exit::Failed(Stage::Execution)
    } else if report.has(ReplayOutcome::NotReplayable) {
        Exit::Failed(Stage::Data)
    } else {
        Exit::Ok
    })
}

fn text(report: &ReplayReport, output: &Output) -> String {
    if report.views.is_empty() {
        return format!("run {} computed no stored view\n", report.run_id);
    }
    let mut table = Table::new(&[
        ("VIEW", Align::Left),
        ("OUTCOME", Align::Left),
        ("ROWS", Align::Right),
        ("FORM", Align::Left),
        ("TOOK", Align::Right),
        ("WHY", Align::Left),
    ]);
    let paint = output.paint();
    for view in &report.views {
        let name = outcome(view.outcome);
        let painted = match view.outcome {
            ReplayOutcome::Verified | ReplayOutcome::Executed => paint.good(name),
            ReplayOutcome::NotRun => paint.faint(name),
            ReplayOutcome::Differs | ReplayOutcome::NotReplayable | ReplayOutcome::Failed => {
                paint.bad(name)
            }
        };
        table.row([
            plain(view.name.to_string()),
            (name.to_owned(), painted),
            plain(view.rows.map(count).unwrap_or_default()),
            plain(
                view.replay_form
                    .map(|form| form.to_string())
                    .unwrap_or_default(),
            ),
            plain(duration(view.elapsed_ms)),
            plain(why(view)),
        ]);
    }
    format!("{}run {}\n", table.render(paint), report.run_id)
}

fn outcome(outcome: ReplayOutcome) -> &'static str {
    match outcome {
        ReplayOutcome::Verified => "verified",
        ReplayOutcome::Differs => "differs",
        ReplayOutcome::Executed => "executed",
        ReplayOutcome::NotReplayable => "not replayable",
        ReplayOutcome::NotRun => "not run",
        ReplayOutcome::Failed => "failed",
    }
}

fn why(view: &ReplayedView) -> String {
    let mut parts = Vec::new();
    parts.extend(view.detail.clone());
    parts.extend(view.form_reason.clone());
    parts.join("; ")
}

//! `codeanatomy plan`

use std::collections::BTreeSet;

use codeanatomy::exec::{Action, PlanReport, Reason};
use codeanatomy_vocab::Errors;

use super::Context;
use crate::args::Plan;
use crate::exit::Exit;
use crate::output::Output;
use crate::progress;
use crate::render::{Align, Table, bytes, count, plain, plural};

pub(crate) fn run(args: &Plan, context: &Context) -> Result<Exit, Errors> {
    let output = &context.output;
    let dir = context.project_dir()?;
    let observer = progress::observer(output);
    let report = context.block_on(async {
        let planned = context.planned(&dir, &args.views, &observer).await?;
        planned.report(&BTreeSet::new())
    })?;
    drop(observer);
    output.result(&report, || text(&report, output))?;
    Ok(if args.detailed_exitcode && report.changes() {
        Exit::Changes
    } else {
        Exit::Ok
    })
}

fn text(report: &PlanReport, output: &Output) -> String {
    let paint = output.paint();
    let mut table = Table::new(&[
        ("VIEW", Align::Left),
        ("ACTION", Align::Left),
        ("FILES", Align::Right),
        ("SIZE", Align::Right),
        ("WHY", Align::Left),
    ]);
    for view in &report.views {
        let action = match view.action {
            Action::Build => ("build".to_owned(), paint.good("build")),
            Action::Skip => ("skip".to_owned(), paint.faint("skip")),
        };
        let mut reasons = view.reasons.iter().map(|reason| why(reason, output));
        table.row([
            plain(view.name.to_string()),
            action,
            plain(count(view.files)),
            plain(bytes(view.bytes)),
            plain(reasons.next().unwrap_or_default()),
        ]);
        for reason in reasons {
            let mut row: [_; 5] = Default::default();
            row[4] = plain(reason);
            table.row(row);
        }
    }
    let n_builds = report
        .views
        .iter()
        .filter(|view| view.action == Action::Build)
        .count();
    let n_skips = report.views.len() - n_builds;
    format!(
        "{}{} to build, {} to skip\n",
        table.render(paint),
        plural(n_builds, "view"),
        count(n_skips as u64)
    )
}

fn why(reason: &Reason, output: &Output) -> String {
    match (&reason.file, reason.line) {
        (Some(file), Some(line)) => {
            format!(
                "{} ({}:{line})",
                reason.detail,
                output.paths.show(file.as_ref())
            )
        }
        (Some(file), None) => {
            format!("{} ({})", reason.detail, output.paths.show(file.as_ref()))
        }
        (None, _) => reason.detail.clone(),
    }
}

//! `codeanatomy plan`

use std::collections::BTreeSet;

use codeanatomy::exec::{Action, PlanReport, PlannedScan, Reason, ViewPlan};
use codeanatomy_vocab::Errors;

use super::Context;
use crate::args::Plan;
use crate::exit::Exit;
use crate::output::{Output, Verbosity};
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
            plain(of(view.files, sum(view, |scan| scan.total_files), count)),
            plain(of(view.bytes, sum(view, |scan| scan.total_bytes), bytes)),
            plain(reasons.next().unwrap_or_default()),
        ]);
        for reason in reasons {
            let mut row: [_; 5] = Default::default();
            row[4] = plain(reason);
            table.row(row);
        }
        // Of files that are no Delta table all are read.
        let shows_all = output.verbosity >= Verbosity::Verbose;
        let builds = view.action == Action::Build;
        let shown = |scan: &&PlannedScan| shows_all || (builds && scan.version.is_some());
        for scan in view.scans.iter().filter(shown) {
            table.row(scan_row(scan));
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

/// One scan of a dataset: what pruning leaves of it, and by which conditions.
fn scan_row(scan: &PlannedScan) -> [(String, String); 5] {
    let version = scan.version.map(|version| format!(" version {version}"));
    let filters = match scan.filters.is_empty() {
        true => String::new(),
        false => format!("where {}", scan.filters.join(" and ")),
    };
    [
        plain(format!("  {}{}", scan.dataset, version.unwrap_or_default())),
        plain("scan".to_owned()),
        plain(of(scan.files, scan.total_files, count)),
        plain(of(scan.bytes, scan.total_bytes, bytes)),
        plain(filters),
    ]
}

/// `2 of 7`, or the number alone where it is all.
fn of(left: u64, total: u64, text: fn(u64) -> String) -> String {
    if left == total {
        text(left)
    } else {
        format!("{} of {}", text(left), text(total))
    }
}

fn sum(view: &ViewPlan, of: fn(&PlannedScan) -> u64) -> u64 {
    view.scans.iter().map(of).sum()
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

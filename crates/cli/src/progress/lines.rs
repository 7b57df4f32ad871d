//! One line for each change of state.

use codeanatomy::obs::{Observer, RunEvent};

use crate::output::{Output, Verbosity};
use crate::render::{count, duration, plural};

/// Writes a line to standard error whenever something begins, ends or stalls.
#[derive(Debug)]
pub(crate) struct Lines {
    output: Output,
}

impl Lines {
    pub(crate) fn new(output: Output) -> Self {
        Self { output }
    }
}

impl Observer for Lines {
    fn observe(&self, event: &RunEvent) {
        if let Some(line) = line(event, self.output.verbosity) {
            self.output.note(&line);
        }
    }
}

/// The line for an event, if it has one.
fn line(event: &RunEvent, verbosity: Verbosity) -> Option<String> {
    match event {
        RunEvent::RunStarted {
            run_id, n_views, ..
        } => Some(format!("run {run_id}: {}", plural(*n_views, "view"))),
        RunEvent::PhaseEnded { phase, elapsed_ms } if verbosity >= Verbosity::Verbose => {
            Some(format!("{phase}: {}", duration(*elapsed_ms)))
        }
        RunEvent::ViewStarted { view } => Some(format!("building {view}")),
        RunEvent::ViewFinished {
            view,
            outcome,
            rows,
            delta_version,
            elapsed_ms,
            detail,
        } => {
            let facts = [
                rows.map(|rows| plural(usize::try_from(rows).unwrap_or(usize::MAX), "row")),
                delta_version.map(|version| format!("version {version}")),
                (*elapsed_ms > 0).then(|| duration(*elapsed_ms)),
                detail.as_deref().map(first_line),
            ];
            let facts: Vec<String> = facts.into_iter().flatten().collect();
            Some(if facts.is_empty() {
                format!("{outcome} {view}")
            } else {
                format!("{outcome} {view}: {}", facts.join(", "))
            })
        }
        RunEvent::Stalled {
            view,
            waits_for,
            for_ms,
        } => Some(format!(
            "stalled {view}: has waited for {waits_for} for {}",
            duration(*for_ms)
        )),
        RunEvent::ViewProgress {
            view,
            rows,
            elapsed_ms,
            ..
        } if verbosity >= Verbosity::VeryVerbose => Some(format!(
            "running {view}: {} rows, {}",
            count(*rows),
            duration(*elapsed_ms)
        )),
        // The result tells how the run ended.
        _ => None,
    }
}

pub(super) fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use codeanatomy::obs::Outcome;

    use super::*;

    #[test]
    fn a_change_of_state_is_one_line_with_what_is_known() {
        let shown = |event| line(&event, Verbosity::Normal);
        let view = || "by_region".parse().unwrap();
        assert_eq!(
            shown(RunEvent::ViewFinished {
                view: view(),
                outcome: Outcome::Built,
                rows: Some(1_234),
                delta_version: Some(3),
                elapsed_ms: 1_249,
                detail: None,
            }),
            Some("built by_region: 1,234 rows, version 3, 1.2 s".into())
        );
        assert_eq!(
            shown(RunEvent::ViewFinished {
                view: view(),
                outcome: Outcome::Failed,
                rows: None,
                delta_version: None,
                elapsed_ms: 0,
                detail: Some("division by zero\nat row 3".into()),
            }),
            Some("failed by_region: division by zero".into())
        );
        assert_eq!(
            shown(RunEvent::Stalled {
                view: view(),
                waits_for: "memory".into(),
                for_ms: 30_000,
            }),
            Some("stalled by_region: has waited for memory for 30.0 s".into())
        );
        assert_eq!(
            shown(RunEvent::ViewProgress {
                view: view(),
                rows: 1,
                bytes: 8,
                elapsed_ms: 1,
            }),
            None
        );
    }
}

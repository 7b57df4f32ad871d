//! One line for each running view, and a bar for the run.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use codeanatomy::obs::{Observer, Outcome, RunEvent};
use codeanatomy_vocab::ViewName;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::lines::first_line;
use crate::output::Output;
use crate::render::{bytes, count, duration};

const TICK: Duration = Duration::from_millis(120);

/// Draws on a terminal while the run lasts and leaves nothing behind but failures and stalls.
#[derive(Debug)]
pub(crate) struct Bars {
    bars: MultiProgress,
    output: Output,
    drawn: Mutex<Drawn>,
}

#[derive(Debug, Default)]
struct Drawn {
    run: Option<ProgressBar>,
    views: BTreeMap<ViewName, ProgressBar>,
    n_views: Option<u64>,
    n_finished: u64,
}

impl Bars {
    pub(crate) fn new(bars: MultiProgress, output: Output) -> Self {
        Self {
            bars,
            output,
            drawn: Mutex::default(),
        }
    }

    fn drawn(&self) -> MutexGuard<'_, Drawn> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bar of the run, made when it is first needed; always the last line.
    fn run_bar(&self, drawn: &mut Drawn) -> ProgressBar {
        let bar = drawn.run.get_or_insert_with(|| {
            let bar = self.bars.add(ProgressBar::new_spinner());
            bar.enable_steady_tick(TICK);
            bar
        });
        bar.clone()
    }
}

impl Observer for Bars {
    fn observe(&self, event: &RunEvent) {
        let mut drawn = self.drawn();
        match event {
            RunEvent::RunStarted { n_views, .. } => {
                let n_views = u64::try_from(*n_views).unwrap_or(u64::MAX);
                drawn.n_views = Some(n_views);
                let bar = self.run_bar(&mut drawn);
                bar.set_length(n_views);
                bar.set_style(style(
                    "{prefix:>10.bold} [{bar:30.green}] {pos}/{len} views  {elapsed}",
                ));
            }
            RunEvent::PhaseStarted { phase } => {
                let has_length = drawn.n_views.is_some();
                let bar = self.run_bar(&mut drawn);
                bar.set_prefix(phase.as_str());
                if !has_length {
                    bar.set_style(style("{prefix:>10.bold} {spinner} {elapsed}"));
                }
            }
            RunEvent::ViewStarted { view } => {
                let run = self.run_bar(&mut drawn);
                let bar = self.bars.insert_before(&run, ProgressBar::new_spinner());
                bar.set_style(style("  {spinner} {prefix}  {msg}  {elapsed}"));
                bar.set_prefix(view.to_string());
                bar.enable_steady_tick(TICK);
                drawn.views.insert(view.clone(), bar);
            }
            RunEvent::ViewProgress {
                view,
                rows,
                bytes: size,
                ..
            } => {
                if let Some(bar) = drawn.views.get(view) {
                    bar.set_message(format!("{} rows  {}", count(*rows), bytes(*size)));
                }
            }
            RunEvent::ViewFinished {
                view,
                outcome,
                detail,
                ..
            } => {
                if let Some(bar) = drawn.views.remove(view) {
                    bar.finish_and_clear();
                    self.bars.remove(&bar);
                }
                drawn.n_finished += 1;
                let n_finished = drawn.n_finished;
                self.run_bar(&mut drawn).set_position(n_finished);
                if *outcome == Outcome::Failed {
                    let why = detail.as_deref().map(first_line).unwrap_or_default();
                    let failed = self.output.stderr_paint().bad("failed");
                    self.output.note(&format!("{failed} {view}: {why}"));
                }
            }
            RunEvent::Stalled {
                view,
                waits_for,
                for_ms,
            } => {
                let waited = duration(*for_ms);
                if let Some(bar) = drawn.views.get(view) {
                    bar.set_message(format!("waits for {waits_for}"));
                }
                let stalled = self.output.stderr_paint().attention("stalled");
                self.output.note(&format!(
                    "{stalled} {view}: has waited for {waits_for} for {waited}"
                ));
            }
            RunEvent::RunFinished { .. } => erase(&self.bars, &mut drawn),
            // Phases follow each other; the next one replaces this.
            _ => {}
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        // A run that failed early sends no last event.
        erase(&self.bars, &mut self.drawn());
    }
}

fn erase(bars: &MultiProgress, drawn: &mut Drawn) {
    let views = std::mem::take(&mut drawn.views).into_values();
    for bar in views.chain(drawn.run.take()) {
        bar.finish_and_clear();
        bars.remove(&bar);
    }
}

/// The style of this template, or a plain one should it not be understood.
pub(super) fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use codeanatomy::obs::{Phase, RunStatus};
    use codeanatomy_vocab::{RunId, UnixMillis};
    use indicatif::ProgressDrawTarget;

    use super::*;
    use crate::args::Global;
    use crate::environment::Environment;

    #[test]
    fn the_templates_are_understood() {
        for template in [
            "{prefix:>10.bold} [{bar:30.green}] {pos}/{len} views  {elapsed}",
            "{prefix:>10.bold} {spinner} {elapsed}",
            "  {spinner} {prefix}  {msg}  {elapsed}",
        ] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }

    #[test]
    fn events_in_any_order_leave_no_bar_behind() {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let output = Output::new(&Global::default(), &Environment::default());
        let observer = Bars::new(bars, output);
        let run_id = RunId::generate(UnixMillis(1));
        let view: ViewName = "v".parse().unwrap();
        let finished = RunEvent::ViewFinished {
            view: view.clone(),
            outcome: Outcome::Skipped,
            rows: None,
            delta_version: None,
            elapsed_ms: 0,
            detail: None,
        };
        for event in [
            finished.clone(),
            RunEvent::PhaseStarted { phase: Phase::Pin },
            RunEvent::RunStarted {
                run_id: run_id.clone(),
                at: UnixMillis(1),
                n_views: 2,
            },
            RunEvent::ViewStarted { view: view.clone() },
            RunEvent::ViewProgress {
                view,
                rows: 1,
                bytes: 8,
                elapsed_ms: 3,
            },
            finished,
            RunEvent::RunFinished {
                run_id,
                status: RunStatus::Ok,
                elapsed_ms: 9,
            },
        ] {
            observer.observe(&event);
        }
        assert!(observer.drawn().views.is_empty());
        assert!(observer.drawn().run.is_none());
    }
}

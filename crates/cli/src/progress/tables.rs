//! Progress of the example's data.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use codeanatomy_tpch::{Progress, Table};
use indicatif::ProgressBar;

use super::bars::style;
use crate::output::{Output, Verbosity};
use crate::render::count;

/// Shows how far each table is: a bar on a terminal, a line when it is complete elsewhere.
#[derive(Debug)]
pub(crate) struct Tables {
    output: Output,
    bars: Mutex<BTreeMap<Table, Option<ProgressBar>>>,
}

impl Tables {
    pub(crate) fn new(output: &Output) -> Self {
        Self {
            output: output.clone(),
            bars: Mutex::default(),
        }
    }

    /// Shows one report. Reports of several tables may come at once.
    pub(crate) fn show(&self, progress: Progress) {
        if self.output.verbosity == Verbosity::Quiet {
            return;
        }
        let Progress {
            table,
            rows,
            total_rows,
        } = progress;
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        let is_complete = rows >= total_rows;
        match self.output.bars() {
            Some(all) => {
                let bar = bars.entry(table).or_insert_with(|| {
                    let bar = all.add(ProgressBar::new(total_rows));
                    bar.set_style(style(
                        "{prefix:>10.bold} [{bar:30.green}] {human_pos} rows  {elapsed}",
                    ));
                    bar.set_prefix(table.to_string());
                    Some(bar)
                });
                if let Some(shown) = bar {
                    shown.set_length(total_rows);
                    shown.set_position(rows);
                    if is_complete {
                        shown.finish_and_clear();
                        *bar = None;
                    }
                }
            }
            None if is_complete && bars.insert(table, None).is_none() => {
                let line = format!("made {table}: {} rows", count(rows));
                self.output.note(&line);
            }
            None => {}
        }
    }
}

impl Drop for Tables {
    fn drop(&mut self) {
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        for bar in std::mem::take(&mut *bars).into_values().flatten() {
            bar.finish_and_clear();
        }
    }
}

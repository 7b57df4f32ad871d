//! Progress of a run, on a terminal and elsewhere.

use std::sync::Arc;

use codeanatomy::obs::{NoObserver, Observer};

use crate::output::{Output, Verbosity};

mod bars;
mod lines;
mod tables;

pub(crate) use self::tables::Tables;

/// Shows the progress of a run as the user wants it: bars on a terminal, lines elsewhere, or
/// nothing.
pub(crate) fn observer(output: &Output) -> Arc<dyn Observer> {
    if output.verbosity == Verbosity::Quiet {
        return Arc::new(NoObserver);
    }
    match output.bars() {
        Some(bars) => Arc::new(bars::Bars::new(bars.clone(), output.clone())),
        None => Arc::new(lines::Lines::new(output.clone())),
    }
}

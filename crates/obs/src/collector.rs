//! Events kept in memory.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::{Observer, RunEvent};

/// Keeps the newest events of a run in memory, for tests and for programs that look back.
#[derive(Debug)]
pub struct Collector {
    capacity: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    events: VecDeque<RunEvent>,
    dropped: u64,
}

impl Collector {
    /// A collector that keeps at most `capacity` events. When one more comes, the oldest goes.
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            kept: Mutex::default(),
        }
    }

    /// The events that are kept, oldest first.
    pub fn events(&self) -> Vec<RunEvent> {
        self.with(|kept| kept.events.iter().cloned().collect())
    }

    /// How many events had to go.
    pub fn dropped(&self) -> u64 {
        self.with(|kept| kept.dropped)
    }

    fn with<T>(&self, body: impl FnOnce(&mut Kept) -> T) -> T {
        body(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Observer for Collector {
    fn observe(&self, event: &RunEvent) {
        self.with(|kept| {
            kept.events.push_back(event.clone());
            while kept.events.len() > self.capacity {
                kept.events.pop_front();
                kept.dropped += 1;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Phase;

    #[test]
    fn a_full_collector_keeps_the_newest_events_and_counts_the_others() {
        let collector = Collector::new(2);
        for phase in [Phase::Load, Phase::Pin, Phase::Plan] {
            collector.observe(&RunEvent::PhaseStarted { phase });
        }
        assert_eq!(
            collector.events(),
            [
                RunEvent::PhaseStarted { phase: Phase::Pin },
                RunEvent::PhaseStarted { phase: Phase::Plan },
            ]
        );
        assert_eq!(collector.dropped(), 1);
    }
}

//! Who is told what happens.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::RunEvent;

/// Is told the events of a run, from several threads.
///
/// An observer returns quickly, because the run waits for it, and keeps its troubles to itself:
/// there is no way to fail the run from here.
pub trait Observer: Send + Sync {
    /// Takes note of one event.
    fn observe(&self, event: &RunEvent);
}

/// Takes note of nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoObserver;

/// Tells several observers, in order.
///
/// An observer that panics misses the event; the others and the run do not notice.
#[derive(Clone, Default)]
pub struct Fanout(pub Vec<Arc<dyn Observer>>);

impl Observer for NoObserver {
    fn observe(&self, _event: &RunEvent) {}
}

impl Observer for Fanout {
    fn observe(&self, event: &RunEvent) {
        for observer in &self.0 {
            let told = catch_unwind(AssertUnwindSafe(|| observer.observe(event)));
            if told.is_err() {
                tracing::warn!("an observer of the run panicked and missed an event");
            }
        }
    }
}

impl<T: Observer + ?Sized> Observer for Arc<T> {
    fn observe(&self, event: &RunEvent) {
        (**self).observe(event);
    }
}

impl std::fmt::Debug for Fanout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fanout({} observers)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Collector, Phase};

    struct Broken;

    impl Observer for Broken {
        fn observe(&self, _event: &RunEvent) {
            panic!("this sink is broken");
        }
    }

    #[test]
    fn a_sink_that_panics_fails_neither_the_run_nor_the_other_sinks() {
        let collector = Arc::new(Collector::new(8));
        let fanout = Fanout(vec![
            Arc::new(Broken),
            Arc::clone(&collector) as Arc<dyn Observer>,
            Arc::new(NoObserver),
        ]);
        fanout.observe(&RunEvent::PhaseStarted { phase: Phase::Pin });
        assert_eq!(
            collector.events(),
            [RunEvent::PhaseStarted { phase: Phase::Pin }]
        );
    }
}

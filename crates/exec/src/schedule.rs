//! Which view may start next.

use std::collections::{BTreeMap, BTreeSet};

use codeanatomy_vocab::ViewName;

/// The views of a run that are still to be computed, and what each waits for.
///
/// Views that are ready start in the order in which they were given, which makes the order of
/// starts depend on the views alone.
#[derive(Debug)]
pub(crate) struct Schedule {
    /// Position in the given order.
    position: BTreeMap<ViewName, usize>,
    waits_for: BTreeMap<ViewName, BTreeSet<ViewName>>,
    readers: BTreeMap<ViewName, BTreeSet<ViewName>>,
    ready: BTreeSet<(usize, ViewName)>,
}

impl Schedule {
    /// `tasks`: each view with the views of the same list that it waits for, upstream first.
    pub(crate) fn new(tasks: Vec<(ViewName, BTreeSet<ViewName>)>) -> Self {
        let position: BTreeMap<_, _> = tasks
            .iter()
            .enumerate()
            .map(|(at, (name, _))| (name.clone(), at))
            .collect();
        let mut readers: BTreeMap<ViewName, BTreeSet<ViewName>> = BTreeMap::new();
        let mut ready = BTreeSet::new();
        let mut waits_for = BTreeMap::new();
        for (at, (name, upstream)) in tasks.into_iter().enumerate() {
            for upstream in &upstream {
                readers
                    .entry(upstream.clone())
                    .or_default()
                    .insert(name.clone());
            }
            if upstream.is_empty() {
                ready.insert((at, name));
            } else {
                waits_for.insert(name, upstream);
            }
        }
        Self {
            position,
            waits_for,
            readers,
            ready,
        }
    }

    /// The next view that may start; it counts as started.
    pub(crate) fn start_next(&mut self) -> Option<ViewName> {
        self.ready.pop_first().map(|(_, name)| name)
    }

    /// Says that a view is done, so that its readers may start.
    pub(crate) fn done(&mut self, view: &ViewName) {
        for reader in self.readers.remove(view).unwrap_or_default() {
            let Some(upstream) = self.waits_for.get_mut(&reader) else {
                continue;
            };
            upstream.remove(view);
            if upstream.is_empty() {
                self.waits_for.remove(&reader);
                let at = self.position.get(&reader).copied().unwrap_or_default();
                self.ready.insert((at, reader));
            }
        }
    }

    /// Says that a view failed. Returns the views that can no longer start, in order.
    pub(crate) fn failed(&mut self, view: &ViewName) -> Vec<ViewName> {
        let mut blocked = BTreeSet::new();
        let mut open = vec![view.clone()];
        while let Some(name) = open.pop() {
            for reader in self.readers.remove(&name).unwrap_or_default() {
                if self.waits_for.remove(&reader).is_some() {
                    let at = self.position.get(&reader).copied().unwrap_or_default();
                    blocked.insert((at, reader.clone()));
                    open.push(reader);
                }
            }
        }
        blocked.into_iter().map(|(_, name)| name).collect()
    }

    /// Gives up everything that has not started, in order.
    pub(crate) fn drain(&mut self) -> Vec<ViewName> {
        let mut left = std::mem::take(&mut self.ready);
        for name in std::mem::take(&mut self.waits_for).into_keys() {
            left.insert((self.position.get(&name).copied().unwrap_or_default(), name));
        }
        left.into_iter().map(|(_, name)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ViewName {
        text.parse().unwrap()
    }

    fn schedule(tasks: &[(&str, &[&str])]) -> Schedule {
        Schedule::new(
            tasks
                .iter()
                .map(|(v, up)| (name(v), up.iter().map(|u| name(u)).collect()))
                .collect(),
        )
    }

    fn texts(names: &[ViewName]) -> Vec<&str> {
        names.iter().map(ViewName::as_str).collect()
    }

    #[test]
    fn a_view_starts_after_everything_that_it_reads() {
        let mut schedule = schedule(&[("a", &[]), ("b", &[]), ("c", &["a", "b"]), ("d", &["a"])]);
        assert_eq!(schedule.start_next(), Some(name("a")));
        assert_eq!(schedule.start_next(), Some(name("b")));
        assert_eq!(schedule.start_next(), None);
        schedule.done(&name("a"));
        assert_eq!(schedule.start_next(), Some(name("d")));
        assert_eq!(schedule.start_next(), None);
        schedule.done(&name("b"));
        assert_eq!(schedule.start_next(), Some(name("c")));
    }

    #[test]
    fn a_failure_blocks_its_readers_only() {
        let mut schedule = schedule(&[
            ("a", &[]),
            ("b", &[]),
            ("c", &["a"]),
            ("d", &["c", "b"]),
            ("e", &["b"]),
        ]);
        schedule.start_next();
        schedule.start_next();
        assert_eq!(texts(&schedule.failed(&name("a"))), ["c", "d"]);
        schedule.done(&name("b"));
        assert_eq!(schedule.start_next(), Some(name("e")));
        assert_eq!(schedule.start_next(), None);
        assert!(schedule.drain().is_empty());
    }

    #[test]
    fn what_has_not_started_can_be_given_up() {
        let mut schedule = schedule(&[("a", &[]), ("b", &["a"]), ("c", &[])]);
        schedule.start_next();
        assert_eq!(texts(&schedule.drain()), ["b", "c"]);
        schedule.done(&name("a"));
        assert_eq!(schedule.start_next(), None);
    }
}

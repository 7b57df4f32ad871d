//! Threads with stacks large enough to plan on.

use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, scope};

/// The stack of a planning thread, in bytes. It is address space: memory is used as far as a plan
/// is deep. A Tokio worker has 2 MiB, which a chain of 2,000 `OR`s overflows in a debug build, and
/// a stack overflow ends the process.
pub const PLANNING_STACK_BYTES: usize = 64 << 20;

/// Runs `f` on a thread with a stack of [`PLANNING_STACK_BYTES`] and waits for it.
///
/// The calling thread is blocked meanwhile: call it from a blocking task, not from an async one.
/// A panic of `f` goes on in the caller. Where the system refuses such a thread, smaller stacks
/// are tried, and at last the caller's own.
///
/// # Example: how is a deep expression planned safely?
///
/// ```
/// use codeanatomy_session::on_planning_stack;
///
/// let answer = on_planning_stack(|| 6 * 7);
/// assert_eq!(answer, 42);
/// ```
pub fn on_planning_stack<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    let task = Mutex::new(Some(f));
    let run = || take(&task).map(|f| f());
    scope(|scope| {
        for stack_bytes in [PLANNING_STACK_BYTES, PLANNING_STACK_BYTES / 4] {
            let builder = thread(stack_bytes);
            if let Ok(handle) = builder.spawn_scoped(scope, run) {
                return handle.join().unwrap_or_else(|panic| resume_unwind(panic));
            }
        }
        run()
    })
    .unwrap_or_else(|| unreachable!("the task is taken by the one thread that runs it"))
}

/// Applies `f` to each item on `n_threads` threads with planning stacks, and returns the results in
/// the order of the items.
///
/// Which thread takes which item is open, so `f` must not depend on it. Zero threads mean one; no
/// more are started than there are items. The calling thread is blocked meanwhile. When `f` panics,
/// no further items are started and the panic goes on in the caller.
///
/// # Example: how are many views planned at once?
///
/// ```
/// use codeanatomy_session::parallel_map;
///
/// let lengths = parallel_map(4, vec!["a", "bb", "ccc"], str::len);
/// assert_eq!(lengths, [1, 2, 3]);
/// ```
pub fn parallel_map<T, U>(n_threads: usize, items: Vec<T>, f: impl Fn(T) -> U + Sync) -> Vec<U>
where
    T: Send,
    U: Send,
{
    let n_items = items.len();
    let n_threads = n_threads.clamp(1, n_items.max(1));
    let queue = Mutex::new(items.into_iter().enumerate());
    let work = || {
        let mut done = Vec::new();
        // The guard is gone before `f` runs, so that only one thread at a time waits here.
        while let Some((index, item)) = next(&queue) {
            let _stop = StopOnPanic(&queue);
            done.push((index, f(item)));
        }
        done
    };
    let mut results: Vec<(usize, U)> = Vec::with_capacity(n_items);
    scope(|scope| {
        let handles: Vec<_> = (0..n_threads)
            .map_while(|_| thread(PLANNING_STACK_BYTES).spawn_scoped(scope, work).ok())
            .collect();
        let mut panic = None;
        for handle in handles {
            match handle.join() {
                Ok(done) => results.extend(done),
                Err(payload) => panic = panic.or(Some(payload)),
            }
        }
        if let Some(payload) = panic {
            resume_unwind(payload);
        }
    });
    // Where the system refused every thread, the items are still there.
    if results.len() < n_items {
        results.extend(on_planning_stack(work));
    }
    results.sort_unstable_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// Empties the queue when the work on an item panics.
struct StopOnPanic<'a, T>(&'a Mutex<std::iter::Enumerate<std::vec::IntoIter<T>>>);

impl<T> Drop for StopOnPanic<'_, T> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *queue = Vec::new().into_iter().enumerate();
        }
    }
}

fn thread(stack_bytes: usize) -> Builder {
    Builder::new()
        .name("planning".to_owned())
        .stack_size(stack_bytes)
}

fn take<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn next<I: Iterator>(queue: &Mutex<I>) -> Option<I::Item> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).next()
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Uses about `frames` times 1 KiB of stack.
    fn descend(frames: usize) -> usize {
        let filler = std::hint::black_box([frames; 128]);
        if frames == 0 {
            0
        } else {
            filler[0] - frames + 1 + descend(frames - 1)
        }
    }

    #[test]
    fn a_planning_thread_survives_what_overflows_a_tokio_worker() {
        assert_eq!(on_planning_stack(|| descend(20_000)), 20_000);
        assert_eq!(
            parallel_map(2, vec![20_000, 19_999], descend),
            [20_000, 19_999]
        );
    }

    #[test]
    fn results_come_back_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1_000).collect();
        for n_threads in [0, 1, 2, 7, 5_000] {
            let doubled = parallel_map(n_threads, items.clone(), |item| {
                if item % 7 == 0 {
                    std::thread::yield_now();
                }
                item * 2
            });
            assert!(doubled.iter().copied().eq((0..1_000).map(|item| item * 2)));
        }
        assert!(parallel_map(4, Vec::<u8>::new(), |item| item).is_empty());
    }

    #[test]
    fn items_are_worked_on_at_the_same_time() {
        let barrier = std::sync::Barrier::new(3);
        let leaders = parallel_map(3, vec![(); 3], |()| barrier.wait().is_leader());
        assert_eq!(leaders.into_iter().filter(|leader| *leader).count(), 1);
    }

    #[test]
    fn a_panic_goes_on_in_the_caller_and_stops_the_rest() {
        let started = AtomicUsize::new(0);
        let caught = catch_unwind(std::panic::AssertUnwindSafe(|| {
            parallel_map(1, (0..100).collect(), |item: usize| {
                started.fetch_add(1, Ordering::SeqCst);
                assert_ne!(item, 3, "the third item fails");
            })
        }));
        assert!(caught.is_err());
        assert_eq!(started.load(Ordering::SeqCst), 4);
        assert!(catch_unwind(|| on_planning_stack(|| panic!("as expected"))).is_err());
    }
}

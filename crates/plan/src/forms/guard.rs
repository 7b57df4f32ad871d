//! What stands between the engine's decoders and bytes that nobody vouches for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// A reason in words.
pub(super) type Reason = String;

/// Forms longer than this are neither made nor read.
pub(super) const MAX_BYTES: usize = 64 << 20;

/// Runs a decoder of the engine, some of which index and unwrap what they read.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, Reason>) -> Result<T, Reason> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err("the engine's decoder gave up in the middle".to_owned()))
}

/// The value of a future that has nothing to wait for.
pub(super) fn ready<F: Future>(future: F) -> Result<F::Output, Reason> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => Err("the decoder waits for something outside of the plan".to_owned()),
    }
}

pub(super) fn check_length(bytes: &[u8]) -> Result<(), Reason> {
    if bytes.len() > MAX_BYTES {
        return Err(format!(
            "it has {} bytes, and {MAX_BYTES} is the most that is read",
            bytes.len()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_a_reason() {
        let empty: Vec<u8> = Vec::new();
        let result = guarded(|| Ok(empty[empty.len()]));
        assert!(result.unwrap_err().contains("gave up"));
    }

    #[test]
    fn a_future_that_waits_is_refused() {
        assert_eq!(ready(async { 1 }), Ok(1));
        assert!(ready(std::future::pending::<()>()).is_err());
    }
}

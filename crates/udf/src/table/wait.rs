//! Waiting for the outside while the engine plans, which it does without waiting.

use datafusion_common::{DataFusionError, Result};

/// Runs `work` to its end on a thread and a runtime of its own, so that no runtime of the caller can
/// be blocked by waiting for itself.
pub(crate) fn wait<T: Send>(work: impl Future<Output = Result<T>> + Send) -> Result<T> {
    let run = move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| DataFusionError::IoError(std::io::Error::other(error)))?;
        runtime.block_on(work)
    };
    std::thread::scope(|scope| match scope.spawn(run).join() {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

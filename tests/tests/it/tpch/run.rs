//! How the tests of this module run the project: the one place that names the product's API.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use codeanatomy::obs::NoObserver;
use codeanatomy::vocab::ViewName;
use codeanatomy::{BuildOptions, CancellationToken, Configured, Overrides, Planned};
use datafusion::arrow::array::RecordBatch;
use futures::TryStreamExt;

/// The project, built and ready to answer.
pub(crate) struct Pipeline {
    planned: Planned,
}

impl Pipeline {
    /// Opens the project in `dir` and builds what is not built.
    pub(crate) async fn build(dir: &Path) -> Self {
        let options = BuildOptions::default();
        let ran = plan(dir)
            .await
            .build(options, Arc::new(NoObserver), CancellationToken::new())
            .await
            .unwrap();
        assert!(ran.failures().is_empty(), "{:?}", ran.failures());
        Self {
            planned: plan(dir).await,
        }
    }

    /// The rows of a view, in its order.
    pub(crate) async fn query(&self, view: &str) -> Vec<RecordBatch> {
        let view = ViewName::new(view).unwrap();
        let rows = self.planned.stream(&view).await.unwrap();
        rows.try_collect().await.unwrap()
    }
}

async fn plan(dir: &Path) -> Planned {
    let configured = Configured::load(dir, Overrides::default()).unwrap();
    let pinned = configured.pin(&[], Arc::new(NoObserver)).await.unwrap();
    pinned.plan(Arc::new(NoObserver)).await.unwrap()
}

/// Runs on a runtime whose threads have room for deep plans, which unoptimised code needs.
pub(crate) fn block_on<T: Send, F: Future<Output = T>>(work: impl FnOnce() -> F + Send) -> T {
    const STACK: usize = 64 << 20;
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || {
                tokio::runtime::Builder::new_multi_thread()
                    .thread_stack_size(STACK)
                    .enable_all()
                    .build()
                    .unwrap()
                    .block_on(work())
            })
            .unwrap()
            .join()
            .unwrap()
    })
}

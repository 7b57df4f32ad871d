//! How the tests of this module run the project: the one place that names the product's API.

use std::collections::BTreeMap;
use std::future::Future;
use std::path::Path;

use codeanatomy_delta::{StoreOptions, TableLocation};
use codeanatomy_tpch::{Table, project_files};
use codeanatomy_vocab::{DatasetName, DeltaVersionSelector};
use datafusion::arrow::array::RecordBatch;
use datafusion::prelude::{SessionConfig, SessionContext};

/// The project, loaded and ready to answer.
pub(crate) struct Pipeline {
    context: SessionContext,
}

impl Pipeline {
    /// Opens the project in `dir`.
    pub(crate) async fn load(dir: &Path) -> Self {
        let config = SessionConfig::new().set_bool(
            "datafusion.optimizer.enable_aggregate_dynamic_filter_pushdown",
            false,
        );
        let context = SessionContext::new_with_config(config);
        for table in Table::ALL {
            let location =
                TableLocation::parse(&format!("data/{table}"), dir).unwrap();
            let name = DatasetName::new(table.name()).unwrap();
            let pinned = codeanatomy_delta::open(
                &name,
                &location,
                DeltaVersionSelector::Latest,
                &StoreOptions::new(),
            )
            .await
            .unwrap();
            context
                .register_table(table.name(), pinned.provider().unwrap())
                .unwrap();
        }
        let mut views: BTreeMap<&str, &str> = project_files()
            .iter()
            .filter_map(|(path, sql)| {
                let name = path.rsplit('/').next()?.strip_suffix(".sql")?;
                Some((name, *sql))
            })
            .collect();
        // A view whose inputs are not there yet fails, and is tried again.
        while !views.is_empty() {
            let waiting = views.len();
            let mut error = None;
            for (name, sql) in views.clone() {
                match context.sql(&format!("create view {name} as {sql}")).await {
                    Ok(_) => {
                        views.remove(name);
                    }
                    Err(cause) => error = Some(format!("{name}: {cause}")),
                }
            }
            assert!(views.len() < waiting, "{error:?}");
        }
        Self { context }
    }

    /// The rows of a view, in its order.
    pub(crate) async fn query(&self, view: &str) -> Vec<RecordBatch> {
        let query = self.context.table(view).await.unwrap();
        query.collect().await.unwrap()
    }
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

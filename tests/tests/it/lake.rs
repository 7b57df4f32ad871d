//! A small project over a Delta table that changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use codeanatomy::exec::{BuildReport, PlanReport, ViewPlan, ViewResult};
use codeanatomy::obs::{NoObserver, Observer};
use codeanatomy::vocab::{Errors, ViewName};
use codeanatomy::{BuildOptions, CancellationToken, Configured, Overrides, Planned};
use tempfile::TempDir;

/// A project in a folder of its own, with the dataset `t` at `data/t`.
pub(crate) struct Lake {
    folder: TempDir,
}

impl Lake {
    /// A project whose `codeanatomy.toml` holds `toml` after the location of `t`.
    pub(crate) fn new(toml: &str) -> Self {
        let lake = Self {
            folder: TempDir::new().unwrap(),
        };
        lake.write(
            "codeanatomy.toml",
            &format!("[project]\nname = 'lake'\n[datasets.t]\nlocation = 'data/t'\n{toml}"),
        );
        lake
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn table(&self) -> PathBuf {
        self.root().join("data/t")
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A view; a stored one where `sidecar` says so.
    pub(crate) fn view(&self, name: &str, sql: &str, sidecar: &str) {
        self.write(&format!("views/{name}.sql"), sql);
        self.write(&format!("views/{name}.toml"), sidecar);
    }

    pub(crate) fn stored(&self, name: &str, sql: &str) {
        self.view(name, sql, "cache = 'delta_output'\n");
    }

    pub(crate) fn configured(&self, overrides: Overrides) -> Result<Configured, Errors> {
        Configured::load(self.root(), overrides)
    }

    pub(crate) async fn planned_with(&self, overrides: Overrides) -> Result<Planned, Errors> {
        let observer: Arc<dyn Observer> = Arc::new(NoObserver);
        let configured = self.configured(overrides)?;
        let pinned = configured.pin(&[], Arc::clone(&observer)).await?;
        pinned.plan(observer).await
    }

    pub(crate) async fn planned(&self) -> Planned {
        self.planned_with(Overrides::default()).await.unwrap()
    }

    pub(crate) async fn plan(&self) -> PlanReport {
        self.planned().await.report(&Default::default()).unwrap()
    }

    pub(crate) async fn build(&self) -> BuildReport {
        let planned = self.planned().await;
        let ran = planned
            .build(
                BuildOptions::default(),
                Arc::new(NoObserver),
                CancellationToken::new(),
            )
            .await
            .unwrap();
        assert!(ran.failures().is_empty(), "{:?}", ran.failures());
        ran.into_report()
    }

    /// The rows of a view's output, or of the view where it is not stored, as text, sorted.
    pub(crate) async fn rows(&self, view: &str) -> Vec<String> {
        let planned = self.planned().await;
        let stream = planned.stream(&name(view)).await.unwrap();
        texts(
            &datafusion::physical_plan::common::collect(stream)
                .await
                .unwrap(),
        )
    }
}

/// Rows as text, with `|` between values, sorted.
pub(crate) fn texts(batches: &[datafusion::arrow::array::RecordBatch]) -> Vec<String> {
    use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
    let options = FormatOptions::default().with_null("NULL");
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<ArrayFormatter<'_>> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let values: Vec<String> = columns.iter().map(|c| c.value(row).to_string()).collect();
            rows.push(values.join("|"));
        }
    }
    rows.sort();
    rows
}

pub(crate) fn name(text: &str) -> ViewName {
    text.parse().unwrap()
}

pub(crate) fn plan_of<'a>(report: &'a PlanReport, view: &str) -> &'a ViewPlan {
    let found = report.views.iter().find(|plan| plan.name.as_str() == view);
    found.unwrap()
}

pub(crate) fn result_of<'a>(report: &'a BuildReport, view: &str) -> &'a ViewResult {
    let found = report.views.iter().find(|plan| plan.name.as_str() == view);
    found.unwrap()
}

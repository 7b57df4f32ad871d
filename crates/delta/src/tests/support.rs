//! What the tests share.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow_schema::SchemaRef;
use codeanatomy_vocab::{
    DatasetName, DeltaVersion, DeltaVersionSelector, Fingerprint, ManualClock, Result, RunId,
    UnixMillis, ViewName,
};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_catalog::TableProvider;
use deltalake_core::DeltaTable;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::schema::conform;
use crate::{
    Committed, OutputLayout, OutputState, OverwriteSpec, PinnedTable, Provenance, StoreOptions,
    TableLocation, WriteMode, open, output_state, write,
};

/// A session as a run has it.
pub(super) fn session(target_partitions: usize) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(target_partitions);
    let options = config.options_mut();
    options.execution.parquet.schema_force_view_types = false;
    options.optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    SessionContext::new_with_config(config)
}

/// The rows of a query over a table named `t`.
pub(super) async fn query(
    provider: Arc<dyn TableProvider>,
    sql: &str,
) -> datafusion::error::Result<Vec<RecordBatch>> {
    let session = session(2);
    session.register_table("t", provider)?;
    session.sql(sql).await?.collect().await
}

/// Rows as text, in an order of their own, with the types of `schema`.
pub(super) fn rows(batches: &[RecordBatch], schema: &SchemaRef) -> Vec<String> {
    let mut rows = Vec::new();
    for batch in batches {
        let batch = conform(batch, schema).unwrap();
        let options = arrow::util::display::FormatOptions::default().with_null("NULL");
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| arrow::util::display::ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let values: Vec<String> = columns
                .iter()
                .map(|column| column.value(row).to_string())
                .collect();
            rows.push(values.join("|"));
        }
    }
    rows.sort();
    rows
}

pub(super) fn location(path: &Path) -> TableLocation {
    TableLocation::parse(path.to_str().unwrap(), Path::new("/")).unwrap()
}

/// The output of one view in a folder of its own.
pub(super) struct Output {
    pub(super) folder: TempDir,
    pub(super) location: TableLocation,
    pub(super) view: ViewName,
    pub(super) clock: Arc<ManualClock>,
    pub(super) partition_by: Vec<String>,
    pub(super) layout: OutputLayout,
}

impl Output {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            location: location(&folder.path().join("out/by region")),
            folder,
            view: ViewName::new("by_region").unwrap(),
            clock: Arc::new(ManualClock::new(UnixMillis(1_700_000_000_000))),
            partition_by: Vec::new(),
            layout: OutputLayout::default(),
        }
    }

    pub(super) fn partitioned_by(columns: &[&str]) -> Self {
        let mut output = Self::new();
        output.partition_by = columns.iter().map(|column| (*column).to_owned()).collect();
        output
    }

    pub(super) fn spec(&self, schema: SchemaRef, expected: Option<DeltaVersion>) -> OverwriteSpec {
        self.clock.advance(1_000);
        OverwriteSpec {
            location: self.location.clone(),
            options: StoreOptions::new(),
            view: self.view.clone(),
            schema,
            partition_by: self.partition_by.clone(),
            layout: self.layout.clone(),
            expected,
            run_id: RunId::generate(codeanatomy_vocab::Clock::now(self.clock.as_ref())),
            result_key: Fingerprint::from_bytes([7; 32]),
            plan_fingerprint: Fingerprint::from_bytes([8; 32]),
            provenance: Provenance::default(),
            clock: Arc::clone(&self.clock) as _,
        }
    }

    /// Writes the rows of a query on top of whatever is there.
    pub(super) async fn write(&self, sql: &str) -> Result<Committed> {
        let expected = self.state().await.map(|state| state.version);
        self.write_at(sql, expected).await
    }

    /// Writes rows that were made from the changes of a dataset up to a version.
    pub(super) async fn write_with_cursor(
        &self,
        sql: &str,
        dataset: &DatasetName,
        cursor: DeltaVersion,
    ) -> Result<Committed> {
        let expected = self.state().await.map(|state| state.version);
        let cursors = BTreeMap::from([(dataset.clone(), cursor)]);
        self.write_from(sql, WriteMode::Overwrite, expected, cursors)
            .await
    }

    /// Writes the rows of a query on top of a version.
    pub(super) async fn write_at(
        &self,
        sql: &str,
        expected: Option<DeltaVersion>,
    ) -> Result<Committed> {
        self.write_as(sql, WriteMode::Overwrite, expected).await
    }

    /// Writes the rows of a query in some mode, on top of a version.
    pub(super) async fn write_as(
        &self,
        sql: &str,
        mode: WriteMode,
        expected: Option<DeltaVersion>,
    ) -> Result<Committed> {
        self.write_from(sql, mode, expected, BTreeMap::new()).await
    }

    /// Puts rows into the table as somebody else would.
    pub(super) async fn append_by_others(&self, sql: &str) {
        let rows = session(1).sql(sql).await.unwrap().collect().await.unwrap();
        self.library_table().await.write(rows).await.unwrap();
    }

    async fn write_from(
        &self,
        sql: &str,
        mode: WriteMode,
        expected: Option<DeltaVersion>,
        cursors: BTreeMap<DatasetName, DeltaVersion>,
    ) -> Result<Committed> {
        let session = session(2);
        let plan = session.sql(sql).await.unwrap();
        let plan = plan.create_physical_plan().await.unwrap();
        let mut spec = self.spec(plan.schema(), expected);
        spec.provenance.cursors = cursors;
        write(
            spec,
            mode,
            plan,
            session.task_ctx(),
            Arc::new(|_, _| {}),
            None,
            CancellationToken::new(),
        )
        .await
    }

    pub(super) async fn state(&self) -> Option<OutputState> {
        output_state(&self.location, &StoreOptions::new(), &self.view)
            .await
            .unwrap()
    }

    pub(super) async fn open(&self) -> PinnedTable {
        self.open_at(DeltaVersionSelector::Latest).await.unwrap()
    }

    pub(super) async fn open_at(&self, selector: DeltaVersionSelector) -> Result<PinnedTable> {
        let name = DatasetName::new("t").unwrap();
        open(&name, &self.location, selector, &StoreOptions::new()).await
    }

    /// All rows as text, sorted.
    pub(super) async fn rows(&self) -> Vec<String> {
        let table = self.open().await;
        let batches = query(table.provider().unwrap(), "select * from t").await;
        rows(&batches.unwrap(), &table.schema())
    }

    /// The answer of a query over the table, named `t`.
    pub(super) async fn answer(&self, sql: &str) -> Vec<String> {
        let table = self.open().await;
        let batches = query(table.provider().unwrap(), sql).await.unwrap();
        rows(&batches, &batches[0].schema())
    }

    /// The table as the Delta library knows it.
    pub(super) async fn library_table(&self) -> DeltaTable {
        deltalake_core::open_table(self.location.url().expose().clone())
            .await
            .unwrap()
    }

    /// Every file below the folder, from it.
    pub(super) fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let path = path.strip_prefix(self.folder.path()).unwrap();
                    files.push(path.display().to_string());
                }
            }
        }
        files.sort();
        files
    }
}

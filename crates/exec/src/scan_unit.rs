//! One scan of a dataset in a plan, with the files that it reads.

use std::collections::BTreeMap;
use std::sync::Arc;

use codeanatomy_delta::{PinnedTable, Pruning, ReadCounter};
use codeanatomy_views::SchemaSource;
use codeanatomy_vocab::{DatasetName, DeltaVersion, Result};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as EngineResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::SessionState;
use datafusion::logical_expr::{Expr, LogicalPlan};
use serde::{Deserialize, Serialize};

use crate::PinnedDataset;
use crate::reading::{CountedTable, ReadSoFar};

/// A scan of a dataset as it is planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedScan {
    /// The dataset.
    pub dataset: DatasetName,
    /// Its version, for a Delta table.
    pub version: Option<DeltaVersion>,
    /// The files that the dataset has.
    pub total_files: u64,
    /// The files that are left once partition values and statistics have told which ones can hold
    /// a row that is asked for. Files that are no Delta table are never left out here.
    pub files: u64,
    /// The size of all files in bytes.
    pub total_bytes: u64,
    /// The size of the files that are left.
    pub bytes: u64,
    /// The conditions of the scan, all of which must hold, as text for people.
    pub filters: Vec<String>,
}

/// A scan of a dataset that ran.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanResult {
    /// What was planned.
    #[serde(flatten)]
    pub planned: PlannedScan,
    /// The files that were opened; none where nobody counted, as for CSV and JSON files. Fewer than
    /// planned where the query needed no more, or learned while it ran which ones it can leave out.
    pub files_read: Option<u64>,
    /// The bytes that were fetched from them; columns and pages that are not needed are not.
    pub bytes_read: Option<u64>,
}

/// A scan of a dataset that is about to run.
#[derive(Debug)]
pub(crate) struct ScanUnit {
    planned: PlannedScan,
    provider: Arc<dyn TableProvider>,
    counter: Counter,
}

/// Who counts what a scan reads.
#[derive(Debug)]
enum Counter {
    /// The readers of files that the scan opens.
    Readers(Arc<ReadCounter>),
    /// The metrics of the engine's scan, or of the Delta library's.
    Metrics(Arc<CountedTable>),
}

impl Counter {
    /// A provider whose scans are counted by the engine, and the counter.
    fn by_metrics(provider: Arc<dyn TableProvider>) -> (Arc<dyn TableProvider>, Self) {
        let counted = Arc::new(CountedTable::new(provider));
        (Arc::clone(&counted) as _, Self::Metrics(counted))
    }

    fn read_so_far(&self) -> Option<ReadSoFar> {
        match self {
            Self::Readers(counter) => Some(ReadSoFar {
                n_files: counter.n_files(),
                n_bytes: counter.n_bytes(),
            }),
            Self::Metrics(table) => table.read_so_far(),
        }
    }
}

impl ScanUnit {
    /// Opens the files of a dataset that `filters` leave.
    pub(crate) fn open(
        dataset: &PinnedDataset,
        filters: &[Expr],
        session: &dyn Session,
    ) -> Result<Self> {
        let Some(table) = dataset.table() else {
            let (provider, counter) = Counter::by_metrics(dataset.provider()?);
            return Ok(Self {
                planned: planned_files(dataset, filters),
                provider,
                counter,
            });
        };
        let pruning = table.prune(session, filters);
        let mut config = dataset.scan_config().clone();
        if pruning.pruned_count > 0 {
            config.file_paths = Some(pruning.candidate_paths.clone());
        }
        let (provider, counter) = match table.counted_provider(&config)? {
            (provider, Some(counter)) => (provider, Counter::Readers(counter)),
            (provider, None) => Counter::by_metrics(provider),
        };
        Ok(Self {
            planned: planned_table(dataset, table, &pruning, filters),
            provider,
            counter,
        })
    }

    pub(crate) fn provider(&self) -> Arc<dyn TableProvider> {
        Arc::clone(&self.provider)
    }

    /// What was read until now.
    pub(crate) fn result(&self) -> ScanResult {
        let read = self.counter.read_so_far();
        ScanResult {
            planned: self.planned.clone(),
            files_read: read.map(|read| read.n_files),
            bytes_read: read.map(|read| read.n_bytes),
        }
    }
}

/// The scans of datasets in an optimized plan against schemas, in its order.
pub(crate) fn planned_scans(
    plan: &LogicalPlan,
    datasets: &BTreeMap<DatasetName, Arc<PinnedDataset>>,
    session: &SessionState,
) -> EngineResult<Vec<PlannedScan>> {
    let mut scans = Vec::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node
            && scan.source.is::<SchemaSource>()
            && let Some(dataset) = datasets.get(scan.table_name.table())
        {
            scans.push(match dataset.table() {
                None => planned_files(dataset, &scan.filters),
                Some(table) => {
                    let pruning = table.prune(session, &scan.filters);
                    planned_table(dataset, table, &pruning, &scan.filters)
                }
            });
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(scans)
}

fn planned_files(dataset: &PinnedDataset, filters: &[Expr]) -> PlannedScan {
    let (files, bytes) = (dataset.n_files(), dataset.size_bytes());
    PlannedScan {
        dataset: dataset.name().clone(),
        version: None,
        total_files: files,
        files,
        total_bytes: bytes,
        bytes,
        filters: texts(filters),
    }
}

fn planned_table(
    dataset: &PinnedDataset,
    table: &PinnedTable,
    pruning: &Pruning,
    filters: &[Expr],
) -> PlannedScan {
    PlannedScan {
        dataset: dataset.name().clone(),
        version: Some(table.pin().version),
        total_files: pruning.total_files as u64,
        files: pruning.candidate_count as u64,
        total_bytes: pruning.total_bytes,
        bytes: pruning.candidate_bytes,
        filters: texts(filters),
    }
}

fn texts(filters: &[Expr]) -> Vec<String> {
    let plain = |filter: &Expr| {
        datafusion::logical_expr::expr_rewriter::unnormalize_col(filter.clone())
            .human_display()
            .to_string()
    };
    filters.iter().map(plain).collect()
}

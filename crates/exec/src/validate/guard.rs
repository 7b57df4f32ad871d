//! Rows held against a contract on their way to where they are written.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use codeanatomy_schema::OnInvalid;
use codeanatomy_schema::validate::{
    MarkedRows, Outcome, Validation, ValidationOptions, ValidationReport, validate_knowing,
};
use codeanatomy_vocab::{Error, Location, Result, ViewName};
use datafusion::arrow::array::{AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::{filter_record_batch, not, or};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::{DataFusionError, Result as EngineResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use futures::StreamExt;
use tokio::sync::mpsc::Sender;

use super::keys::{self, Grouping, Repeated};
use super::{ViewValidation, facts, options};
use crate::bound::engine_error;
use crate::scan_unit::ScanUnit;
use crate::{BoundViews, bind};

/// A contract, and what has been seen of the rows that it is about.
pub(crate) struct Guard {
    validation: Validation,
    mode: OnInvalid,
    /// None where the plan leaves nothing to look for.
    tally: Option<Arc<Tally>>,
    at: Option<Location>,
}

/// A plan that yields the rows to write and looks at them, with the scans of datasets in it.
pub(crate) type WatchedPlan = (Arc<dyn ExecutionPlan>, Vec<ScanUnit>);

/// What has been seen so far.
struct Tally {
    rows: AtomicU64,
    invalid: AtomicU64,
    marks: Vec<(usize, AtomicU64)>,
    repeated: Mutex<Option<Repeated>>,
    key: Option<usize>,
}

/// What the streams of the rows share.
struct Shared {
    tally: Arc<Tally>,
    n_columns: usize,
    key: Vec<usize>,
    keys_schema: Option<SchemaRef>,
    drops_invalid: bool,
    /// Whether errors end the last stream.
    refuses: bool,
    schema: SchemaRef,
    grouping: Mutex<Option<Grouping>>,
    /// Streams that have not ended.
    open: AtomicUsize,
}

impl Guard {
    /// Prepares to hold the rows of a view against its contract, if it has one: with the plan that
    /// yields the rows to write, where they have to be looked at.
    ///
    /// The rows are those that executing the view gives.
    pub(crate) async fn of(
        bound: &BoundViews,
        view: &ViewName,
    ) -> Result<(Option<Self>, Option<WatchedPlan>)> {
        let view = bound.planned().view(view)?;
        let Some(declared) = &view.definition().contract else {
            return Ok((None, None));
        };
        let mode = declared.mode();
        let state = bound.session().planning_state();
        let options = ValidationOptions {
            emit_marked_rows: true,
            ..options(mode)
        };
        let plan = bound.unaltered(view.name())?;
        let facts = facts(bound, view, &plan).await?;
        let validation = validate_knowing(&plan, &declared.contract, &options, &facts, &state)?;
        let mut guard = Self {
            mode,
            tally: None,
            at: declared.declared_at.clone(),
            validation,
        };
        let mut checks = guard.validation.checks().iter();
        let is_open = checks.any(|check| check.outcome == Outcome::Open);
        let (Some(marked), true) = (guard.validation.marked(), is_open) else {
            return Ok((Some(guard), None));
        };
        let failed = |error| engine_error(error, view.definition());
        let optimized = bind::optimize(marked.plan.clone(), &state).map_err(failed)?;
        let (plan, units) = bound.physical_of(view.name(), optimized).await?;
        let (tally, plan) = watch(bound, marked, mode, plan).map_err(failed)?;
        guard.tally = Some(tally);
        Ok((Some(guard), Some((plan, units))))
    }

    /// What has been found. Complete once all rows went by.
    pub(crate) fn found(&self) -> ViewValidation {
        ViewValidation::new(self.mode, &self.report())
    }

    /// An error for each promise that rows break.
    pub(crate) fn errors(&self) -> Vec<Error> {
        let errors = self.report().errors;
        let place = |error: Error| match &self.at {
            Some(at) => error.at(at.clone()),
            None => error,
        };
        errors.iter().map(|error| place(error.to_error())).collect()
    }

    fn report(&self) -> ValidationReport {
        match &self.tally {
            None => self
                .validation
                .report(None)
                .unwrap_or_else(|_| self.validation.tallied(0, 0, |_| 0)),
            Some(tally) => tally.report(&self.validation),
        }
    }
}

impl Tally {
    fn report(&self, validation: &Validation) -> ValidationReport {
        let repeated = lock(&self.repeated).unwrap_or_default();
        let invalid = self.invalid.load(Ordering::Acquire) + repeated.otherwise_valid;
        validation.tallied(self.rows.load(Ordering::Acquire), invalid, |check| {
            if self.key == Some(check) {
                return repeated.rows;
            }
            let mark = self.marks.iter().find(|(number, _)| *number == check);
            mark.map_or(0, |(_, count)| count.load(Ordering::Acquire))
        })
    }

    fn found_any(&self) -> bool {
        let repeated = lock(&self.repeated).unwrap_or_default();
        self.invalid.load(Ordering::Acquire) > 0 || repeated.rows > 0
    }
}

/// Puts the rows of `plan`, which are marked, under watch.
fn watch(
    bound: &BoundViews,
    marked: &MarkedRows,
    mode: OnInvalid,
    plan: Arc<dyn ExecutionPlan>,
) -> EngineResult<(Arc<Tally>, Arc<dyn ExecutionPlan>)> {
    let all = plan.schema();
    let schema = Arc::new(all.project(&(0..marked.n_columns).collect::<Vec<_>>())?);
    let tally = Arc::new(Tally {
        rows: AtomicU64::new(0),
        invalid: AtomicU64::new(0),
        marks: marked
            .marks
            .iter()
            .map(|&number| (number, AtomicU64::new(0)))
            .collect(),
        repeated: Mutex::new(None),
        key: marked.key.as_ref().map(|(number, _)| *number),
    });
    let n_streams = plan.output_partitioning().partition_count();
    let key: Vec<usize> = match &marked.key {
        None => Vec::new(),
        Some((_, positions)) => positions.clone(),
    };
    let (senders, grouping, keys_schema) = if key.is_empty() {
        (Vec::new(), None, None)
    } else {
        let fields: Vec<_> = key
            .iter()
            .map(|&at| Arc::clone(&schema.fields()[at]))
            .collect();
        let context = bound.session().context();
        let (senders, grouping) = keys::start(&context, &fields, n_streams)?;
        (senders, Some(grouping), Some(keys::schema(&fields)))
    };
    let shared = Arc::new(Shared {
        tally: Arc::clone(&tally),
        n_columns: marked.n_columns,
        key,
        keys_schema,
        drops_invalid: mode == OnInvalid::Filter,
        refuses: matches!(mode, OnInvalid::Fail | OnInvalid::Coerce),
        schema: Arc::clone(&schema),
        grouping: Mutex::new(grouping),
        open: AtomicUsize::new(n_streams),
    });
    let mut senders = senders.into_iter();
    let streams = (0..n_streams).map(|partition| {
        let stream: Arc<dyn PartitionStream> = Arc::new(Watched {
            plan: Arc::clone(&plan),
            partition,
            shared: Arc::clone(&shared),
            keys: Mutex::new(senders.next()),
        });
        stream
    });
    let watched =
        StreamingTableExec::try_new(schema, streams.collect(), None, Vec::new(), false, None)?;
    Ok((tally, Arc::new(watched)))
}

/// One stream of rows under watch; it can be read once.
struct Watched {
    plan: Arc<dyn ExecutionPlan>,
    partition: usize,
    shared: Arc<Shared>,
    keys: Mutex<Option<Sender<RecordBatch>>>,
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched")
            .field("partition", &self.partition)
            .finish_non_exhaustive()
    }
}

impl PartitionStream for Watched {
    fn schema(&self) -> &SchemaRef {
        &self.shared.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.shared.schema);
        let rows = match self.plan.execute(self.partition, context) {
            Ok(rows) => rows,
            Err(error) => {
                let stream = futures::stream::once(async { Err(error) });
                return Box::pin(RecordBatchStreamAdapter::new(schema, stream));
            }
        };
        let reading = Reading {
            rows,
            keys: lock(&self.keys).take(),
            shared: Arc::clone(&self.shared),
        };
        let stream = futures::stream::try_unfold(reading, Reading::next);
        // After an error, or after its end, nothing more is asked of it.
        Box::pin(RecordBatchStreamAdapter::new(schema, stream.fuse()))
    }
}

/// A stream of rows that is being read.
struct Reading {
    rows: SendableRecordBatchStream,
    keys: Option<Sender<RecordBatch>>,
    shared: Arc<Shared>,
}

impl Reading {
    async fn next(mut self) -> EngineResult<Option<(RecordBatch, Self)>> {
        while let Some(batch) = self.rows.next().await {
            let (rows, keys) = self.shared.look_at(&batch?)?;
            if let (Some(sender), Some(keys)) = (&self.keys, keys)
                && sender.send(keys).await.is_err()
            {
                // The grouping ended before its input did: it failed, and its error comes at the end.
                self.keys = None;
            }
            if rows.num_rows() > 0 {
                return Ok(Some((rows, self)));
            }
        }
        self.keys = None;
        self.shared.one_ended().await?;
        Ok(None)
    }
}

impl Shared {
    /// Counts what is wrong with a batch; gives the rows to write, and the keys of all rows.
    fn look_at(&self, batch: &RecordBatch) -> EngineResult<(RecordBatch, Option<RecordBatch>)> {
        let mut invalid: Option<BooleanArray> = None;
        let marks = batch.columns().iter().skip(self.n_columns);
        for (column, (_, count)) in marks.zip(&self.tally.marks) {
            let mark = column.as_boolean_opt().ok_or_else(|| {
                DataFusionError::Internal("a mark of a row is no truth value".to_owned())
            })?;
            add(count, mark.true_count());
            invalid = Some(match invalid {
                None => mark.clone(),
                Some(before) => or(&before, mark)?,
            });
        }
        add(&self.tally.rows, batch.num_rows());
        let n_invalid = invalid.as_ref().map_or(0, BooleanArray::true_count);
        add(&self.tally.invalid, n_invalid);
        let all = batch.project(&(0..self.n_columns).collect::<Vec<_>>())?;
        let keys = match &self.keys_schema {
            None => None,
            Some(schema) => {
                let mut columns: Vec<_> = self
                    .key
                    .iter()
                    .map(|&at| Arc::clone(all.column(at)))
                    .collect();
                let marks = invalid.clone();
                let marks =
                    marks.unwrap_or_else(|| BooleanArray::from(vec![false; batch.num_rows()]));
                columns.push(Arc::new(marks));
                Some(RecordBatch::try_new(Arc::clone(schema), columns)?)
            }
        };
        let rows = match invalid {
            Some(invalid) if self.drops_invalid && n_invalid > 0 => {
                filter_record_batch(&all, &not(&invalid)?)?
            }
            Some(_) | None => all,
        };
        Ok((rows, keys))
    }

    /// One stream has ended. The last one waits for the keys and says what is wrong.
    async fn one_ended(&self) -> EngineResult<()> {
        if self.open.fetch_sub(1, Ordering::AcqRel) != 1 {
            return Ok(());
        }
        let grouping = lock(&self.grouping).take();
        if let Some(grouping) = grouping {
            let repeated = grouping.join().await.map_err(|error| {
                DataFusionError::Internal(format!("the grouping of keys ended: {error}"))
            })??;
            *lock(&self.tally.repeated) = Some(repeated);
        }
        if self.refuses && self.tally.found_any() {
            let error = Error::new(
                codeanatomy_schema::codes::ROWS_VIOLATE,
                "rows break the contract of their view",
            );
            return Err(DataFusionError::External(Box::new(error)));
        }
        Ok(())
    }
}

fn add(count: &AtomicU64, n: usize) {
    count.fetch_add(n as u64, Ordering::AcqRel);
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

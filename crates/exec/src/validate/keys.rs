//! Keys that several rows have, found while the rows go by.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::functions_aggregate::expr_fn::{count, sum};
use datafusion::logical_expr::{Expr, ident, lit, when};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::prelude::SessionContext;
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Batches of keys that wait to be grouped, for each stream of rows.
const WAITING_BATCHES: usize = 4;

/// Rows whose whole key another row has too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Repeated {
    /// All of them.
    pub(super) rows: u64,
    /// Those of them that break no other promise.
    pub(super) otherwise_valid: u64,
}

/// Groups keys as they come, with the session's memory and threads.
pub(super) type Grouping = SpawnedTask<Result<Repeated>>;

/// Starts to group. For each of `n_streams` streams of rows there is a sender of keys: batches as
/// [`schema`] describes. The grouping ends when all senders are gone.
pub(super) fn start(
    context: &SessionContext,
    fields: &[Arc<Field>],
    n_streams: usize,
) -> Result<(Vec<Sender<RecordBatch>>, Grouping)> {
    let schema = schema(fields);
    let (senders, receivers): (Vec<_>, Vec<_>) =
        (0..n_streams).map(|_| channel(WAITING_BATCHES)).unzip();
    let streams = receivers.into_iter().map(|receiver| {
        let stream: Arc<dyn PartitionStream> = Arc::new(Keys {
            schema: Arc::clone(&schema),
            receiver: Mutex::new(Some(receiver)),
        });
        stream
    });
    let table = StreamingTable::try_new(Arc::clone(&schema), streams.collect())?;
    let name = |at: usize| ident(key_name(at));
    let whole = (0..fields.len()).map(|at| name(at).is_not_null());
    let whole = whole.reduce(Expr::and).unwrap_or_else(|| lit(true));
    let otherwise_valid = when(ident(INVALID), lit(0_i64)).otherwise(lit(1_i64))?;
    let repeated = context
        .read_table(Arc::new(table))?
        .filter(whole)?
        .aggregate(
            (0..fields.len()).map(name).collect(),
            vec![
                count(lit(1_i64)).alias("n"),
                sum(otherwise_valid).alias("valid"),
            ],
        )?
        .filter(ident("n").gt(lit(1_i64)))?
        .aggregate(
            Vec::new(),
            vec![
                sum(ident("n")).alias("n"),
                sum(ident("valid")).alias("valid"),
            ],
        )?;
    let grouping = SpawnedTask::spawn(async move {
        let batches = repeated.collect().await?;
        let value = |at: usize| {
            let batch = batches.first().filter(|batch| batch.num_rows() == 1)?;
            let column = batch.column(at).as_primitive_opt::<Int64Type>()?;
            // The sum of no rows is null.
            column
                .iter()
                .next()
                .flatten()
                .and_then(|sum| u64::try_from(sum).ok())
        };
        Ok(Repeated {
            rows: value(0).unwrap_or_default(),
            otherwise_valid: value(1).unwrap_or_default(),
        })
    });
    Ok((senders, grouping))
}

/// The column that says whether a row breaks another promise.
const INVALID: &str = "invalid";

fn key_name(at: usize) -> String {
    format!("key_{at}")
}

/// The columns of the key, whatever they are called, and whether the row breaks another promise.
pub(super) fn schema(fields: &[Arc<Field>]) -> SchemaRef {
    let keys = fields
        .iter()
        .enumerate()
        .map(|(at, field)| Field::new(key_name(at), field.data_type().clone(), true));
    let invalid = Field::new(INVALID, DataType::Boolean, false);
    Arc::new(Schema::new(keys.chain([invalid]).collect::<Vec<_>>()))
}

/// One stream of keys, to be read once.
struct Keys {
    schema: SchemaRef,
    receiver: Mutex<Option<Receiver<RecordBatch>>>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl PartitionStream for Keys {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let receiver = self
            .receiver
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let stream = futures::stream::unfold(Some(receiver), |state| async {
            let Some(mut receiver) = state? else {
                let error = DataFusionError::Internal("keys are read twice".to_owned());
                return Some((Err(error), None));
            };
            let batch = receiver.recv().await?;
            Some((Ok(batch), Some(Some(receiver))))
        });
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            stream,
        ))
    }
}

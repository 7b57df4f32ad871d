//! Asynchronous functions with limits: how many rows a call takes, how long it may last, and how many
//! calls run at the same time.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, ArrayRef, new_empty_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, FieldRef};
use async_trait::async_trait;
use codeanatomy_vocab::Error;
use datafusion_common::{DataFusionError, Result, ScalarValue, exec_err};
use datafusion_expr::async_udf::{AsyncScalarUDF, AsyncScalarUDFImpl};
use datafusion_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature,
};
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::codes::{ASYNC_FAILED, ASYNC_TIMEOUT};

/// What calls of asynchronous functions may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AsyncLimits {
    /// How long one call may last, in milliseconds; waiting for its turn does not count.
    pub timeout_ms: u64,
    /// How many rows one call takes at most, unless the function itself wants fewer.
    pub batch_size: usize,
    /// How many calls of one function run at the same time, in all partitions of all queries of the
    /// session together.
    pub concurrency: usize,
}

impl Default for AsyncLimits {
    /// 5 seconds, 1,024 rows, 8 calls.
    fn default() -> Self {
        Self {
            timeout_ms: 5_000,
            batch_size: 1_024,
            concurrency: 8,
        }
    }
}

/// The function under limits, if it is asynchronous; else the function as it is.
///
/// Rows keep their order. A call that fails or takes too long fails the query, with an error that
/// names the function and the rows: their numbers within the batch that the engine handed out,
/// from 0. Calls that are under way then are dropped, as they are when the query is cancelled. A
/// function is called on an empty batch never, and its result must have as many values as there are
/// rows, or be one value for all of them.
///
/// A zero among the limits counts as 1.
///
/// # Errors in queries
///
/// `CA-UDF-0035` for a call that takes too long, and `CA-UDF-0036` for one that fails or returns the
/// wrong number of values. The runtime that runs the query must have a timer.
pub fn limited(function: Arc<ScalarUDF>, limits: AsyncLimits) -> Arc<ScalarUDF> {
    let Some(inner) = function.as_async() else {
        return function;
    };
    let wanted = inner.ideal_batch_size().unwrap_or(limits.batch_size);
    let limits = AsyncLimits {
        timeout_ms: limits.timeout_ms.max(1),
        batch_size: wanted.min(limits.batch_size).max(1),
        concurrency: limits.concurrency.max(1),
    };
    let limited = Limited {
        turns: Arc::new(Semaphore::new(
            limits.concurrency.min(Semaphore::MAX_PERMITS),
        )),
        function,
        limits,
    };
    Arc::new(AsyncScalarUDF::new(Arc::new(limited)).into_scalar_udf())
}

/// A function and its limits. The engine hands over whole batches; they are cut here, so that calls
/// of one batch can run at the same time.
struct Limited {
    function: Arc<ScalarUDF>,
    limits: AsyncLimits,
    turns: Arc<Semaphore>,
}

impl Limited {
    async fn call(&self, args: ScalarFunctionArgs, first_row: usize) -> Result<ArrayRef> {
        let rows = args.number_rows;
        let Some(function) = self.function.as_async() else {
            return exec_err!("`{}` is not asynchronous", self.name());
        };
        let Ok(_turn) = self.turns.acquire().await else {
            return exec_err!("the calls of `{}` were closed", self.name());
        };
        let limit = Duration::from_millis(self.limits.timeout_ms);
        let called = timeout(limit, function.invoke_async_with_args(args)).await;
        let value = match called {
            Ok(Ok(value)) => value,
            Ok(Err(error)) => {
                let message = format!("failed: {}", error.strip_backtrace());
                return Err(self.failed(&message, first_row, rows, Some(error)));
            }
            Err(_) => return Err(self.timed_out(first_row, rows)),
        };
        match value {
            ColumnarValue::Scalar(value) => value.to_array_of_size(rows),
            ColumnarValue::Array(values) if values.len() == rows => Ok(values),
            ColumnarValue::Array(values) => {
                let message = format!("returned {} values", values.len());
                Err(self.failed(&message, first_row, rows, None))
            }
        }
    }

    fn timed_out(&self, first_row: usize, rows: usize) -> DataFusionError {
        let message = format!(
            "the function `{}` took longer than {} ms on {}",
            self.name(),
            self.limits.timeout_ms,
            row_range(first_row, rows)
        );
        let error = Error::new(ASYNC_TIMEOUT, message)
            .with("function", self.name())
            .with("rows", format!("{first_row}..{}", first_row + rows))
            .with_help("raise the timeout, or lower the batch size so that each call does less");
        DataFusionError::External(Box::new(error))
    }

    fn failed(
        &self,
        what: &str,
        first_row: usize,
        rows: usize,
        source: Option<DataFusionError>,
    ) -> DataFusionError {
        let message = format!(
            "the function `{}` {what} on {}",
            self.name(),
            row_range(first_row, rows)
        );
        let mut error = Error::new(ASYNC_FAILED, message)
            .with("function", self.name())
            .with("rows", format!("{first_row}..{}", first_row + rows))
            .with_help("look at the service that the function asks");
        if let Some(source) = source {
            error = error.with_source(source);
        }
        DataFusionError::External(Box::new(error))
    }
}

fn row_range(first_row: usize, rows: usize) -> String {
    if rows == 1 {
        format!("row {first_row} of a batch")
    } else {
        format!("rows {first_row} to {} of a batch", first_row + rows - 1)
    }
}

/// The arguments of some of the rows.
fn cut(args: &ScalarFunctionArgs, first_row: usize, rows: usize) -> ScalarFunctionArgs {
    let cut = |arg: &ColumnarValue| match arg {
        ColumnarValue::Array(values) => ColumnarValue::Array(values.slice(first_row, rows)),
        ColumnarValue::Scalar(value) => ColumnarValue::Scalar(ScalarValue::clone(value)),
    };
    ScalarFunctionArgs {
        args: args.args.iter().map(cut).collect(),
        number_rows: rows,
        ..args.clone()
    }
}

#[async_trait]
impl AsyncScalarUDFImpl for Limited {
    async fn invoke_async_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let total = args.number_rows;
        let size = self.limits.batch_size;
        let calls = (0..total).step_by(size).map(|first_row| {
            let rows = size.min(total - first_row);
            self.call(cut(&args, first_row, rows), first_row)
        });
        let calls = calls.collect::<Vec<_>>();
        let parts: Vec<ArrayRef> = stream::iter(calls)
            .buffered(self.limits.concurrency)
            .try_collect()
            .await?;
        let values = match parts.as_slice() {
            [] => new_empty_array(args.return_field.data_type()),
            [part] => Arc::clone(part),
            parts => {
                let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
                concat(&parts)?
            }
        };
        Ok(ColumnarValue::Array(values))
    }
}

impl ScalarUDFImpl for Limited {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerce_types(arg_types)
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.function.return_type(arg_types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.function.return_field_from_args(args)
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        exec_err!(
            "the asynchronous function `{}` cannot be called here",
            self.name()
        )
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.function.documentation()
    }
}

impl PartialEq for Limited {
    fn eq(&self, other: &Self) -> bool {
        self.function == other.function && self.limits == other.limits
    }
}

impl Eq for Limited {}

impl std::hash::Hash for Limited {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.function.hash(state);
        self.limits.hash(state);
    }
}

impl fmt::Debug for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limited")
            .field("function", &self.function.name())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

//! The time of a run, pinned.
//!
//! The engine folds `now()`, `current_date` and `current_time` into literals while it optimizes,
//! and takes the time from the state that plans. A `SessionContext` sets that time anew for each
//! statement, so pinning it in the state alone would leave a way around it. Here the functions
//! themselves know the time as well.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use codeanatomy_vocab::{Error, Result, UnixMillis};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::Result as EngineResult;
use datafusion::common::config::ConfigOptions;
use datafusion::execution::FunctionRegistry;
use datafusion::execution::context::SessionState;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF,
    ScalarUDFImpl, Signature,
};

use crate::codes::RUN_TIME;

/// The functions that read the time of the run.
pub(crate) const CLOCK_FUNCTIONS: [&str; 3] = ["current_date", "current_time", "now"];

/// A function of the clock that always sees the run's time, and is otherwise the engine's own.
#[derive(Debug, PartialEq, Eq, Hash)]
struct AtRunTime {
    inner: Arc<ScalarUDF>,
    run_time: DateTime<Utc>,
}

/// The instant of `run_time`.
///
/// # Errors
///
/// `CA-SESSION-0006` when it is outside the years 1678 to 2261, which `now()` could not return.
pub(crate) fn instant(run_time: UnixMillis) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_millis(run_time.0)
        .filter(|instant| instant.timestamp_nanos_opt().is_some())
        .ok_or_else(|| {
            let message = format!("{} is not a time that a run can have", run_time.0);
            Error::new(RUN_TIME, message)
                .with_expected("milliseconds since 1970 of a time in the years 1678 to 2261")
                .with_help("check the clock of this machine, or the time that was given")
        })
}

/// Makes the clock functions of `state` read `run_time`.
pub(crate) fn pin_clock_functions(
    state: &mut SessionState,
    run_time: DateTime<Utc>,
) -> EngineResult<()> {
    for name in CLOCK_FUNCTIONS {
        let inner = state.udf(name)?;
        state.register_udf(Arc::new(ScalarUDF::new_from_impl(AtRunTime {
            inner,
            run_time,
        })))?;
    }
    Ok(())
}

impl ScalarUDFImpl for AtRunTime {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> EngineResult<DataType> {
        self.inner.return_type(arg_types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> EngineResult<FieldRef> {
        self.inner.return_field_from_args(args)
    }

    fn with_updated_config(&self, config: &ConfigOptions) -> Option<ScalarUDF> {
        let inner = self.inner.inner().with_updated_config(config)?;
        Some(ScalarUDF::new_from_impl(Self {
            inner: Arc::new(inner),
            run_time: self.run_time,
        }))
    }

    fn simplify(
        &self,
        args: Vec<Expr>,
        info: &SimplifyContext,
    ) -> EngineResult<ExprSimplifyResult> {
        let info = SimplifyContext::builder()
            .with_schema(Arc::clone(info.schema()))
            .with_config_options(Arc::clone(info.config_options()))
            .with_query_execution_start_time(Some(self.run_time))
            .build();
        self.inner.simplify(args, &info)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> EngineResult<ColumnarValue> {
        self.inner.invoke_with_args(args)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.documentation()
    }
}

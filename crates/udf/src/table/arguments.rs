//! The arguments of table functions: constants.

use arrow::datatypes::{DataType, TimeUnit};
use codeanatomy_vocab::{DeltaVersion, DeltaVersionSelector, UnixMillis};
use datafusion_common::{Result, ScalarValue, plan_err};
use datafusion_expr::Expr;

/// The arguments of one call.
pub(crate) struct Arguments<'a> {
    function: &'static str,
    values: Vec<&'a ScalarValue>,
}

impl<'a> Arguments<'a> {
    /// Reads the arguments of a call of `function`.
    ///
    /// # Errors
    ///
    /// When one is not a constant, or there are not `least` to `most` of them.
    pub(crate) fn read(
        function: &'static str,
        exprs: &'a [Expr],
        least: usize,
        most: usize,
    ) -> Result<Self> {
        if !(least..=most).contains(&exprs.len()) {
            let expected = match (least, most) {
                (1, 1) => "1 argument".to_owned(),
                (least, usize::MAX) => format!("at least {least} arguments"),
                (least, most) => format!("{least} to {most} arguments"),
            };
            return plan_err!("`{function}` takes {expected}, not {}", exprs.len());
        }
        let mut values = Vec::with_capacity(exprs.len());
        for expr in exprs {
            let Expr::Literal(value, _) = expr else {
                return plan_err!("the arguments of `{function}` are constants, not `{expr}`");
            };
            values.push(value);
        }
        Ok(Self { function, values })
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// A text.
    pub(crate) fn text(&self, index: usize, what: &str) -> Result<&'a str> {
        match self.values.get(index).map(|value| value.try_as_str()) {
            Some(Some(Some(text))) if !text.is_empty() => Ok(text),
            _ => plan_err!(
                "the {what} of `{}` is a text that is not empty",
                self.function
            ),
        }
    }

    /// A version, if it is given and not null.
    pub(crate) fn version(&self, index: usize, what: &str) -> Result<Option<DeltaVersion>> {
        let Some(value) = self.given(index) else {
            return Ok(None);
        };
        if value.data_type().is_integer()
            && let Ok(ScalarValue::UInt64(Some(version))) = value.cast_to(&DataType::UInt64)
        {
            return Ok(Some(version));
        }
        plan_err!(
            "the {what} of `{}` is a version from 0, not {value}",
            self.function
        )
    }

    /// A version or a time, or the newest version where nothing is given.
    pub(crate) fn selector(&self, index: usize) -> Result<DeltaVersionSelector> {
        let Some(value) = self.given(index) else {
            return Ok(DeltaVersionSelector::Latest);
        };
        if value.data_type().is_integer() {
            let version = self.version(index, "version")?.unwrap_or_default();
            return Ok(DeltaVersionSelector::Version(version));
        }
        let utc = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        match value.cast_to(&utc) {
            Ok(ScalarValue::TimestampMillisecond(Some(time), _)) => {
                Ok(DeltaVersionSelector::Timestamp(UnixMillis(time)))
            }
            _ => plan_err!(
                "the version of `{}` is a number from 0, or a time such as '2026-01-15T10:30:00Z', not \
                 {value}",
                self.function
            ),
        }
    }

    /// Yes or no; no where nothing is given.
    pub(crate) fn flag(&self, index: usize, what: &str) -> Result<bool> {
        match self.given(index) {
            None => Ok(false),
            Some(ScalarValue::Boolean(Some(flag))) => Ok(*flag),
            Some(other) => {
                plan_err!(
                    "the {what} of `{}` is true or false, not {other}",
                    self.function
                )
            }
        }
    }

    fn given(&self, index: usize) -> Option<&'a ScalarValue> {
        self.values
            .get(index)
            .copied()
            .filter(|value| !value.is_null())
    }
}

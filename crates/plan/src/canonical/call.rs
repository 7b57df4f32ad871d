//! Calls of functions: what is called, how, and with what.

use codeanatomy_vocab::{Encoder, Result};
use datafusion_expr::expr::{
    AggregateFunction, AggregateFunctionParams, HigherOrderFunction, NullTreatment, ScalarFunction,
    WindowFunction, WindowFunctionDefinition, WindowFunctionParams,
};
use datafusion_expr::{Volatility, WindowFrame, WindowFrameBound, WindowFrameUnits};

use super::Walker;
use super::expr::{Draft, ExprDigest, Scope};
use super::functions::{Kind, reads_argument_names};
use super::operator::sort_terms;
use super::scalar::encode_scalar;
use super::tag::expr as tag;

impl Walker<'_> {
    pub(super) fn scalar_function(
        &mut self,
        function: &ScalarFunction,
        scope: Scope<'_>,
    ) -> Result<ExprDigest> {
        let ScalarFunction { func, args } = function;
        let mut draft = Draft::new(tag::SCALAR_FUNCTION);
        let volatility = func.signature().volatility;
        self.function(&mut draft, func.name(), volatility);
        let scope = arguments_scope(Kind::Scalar, func.name(), scope);
        draft.children(&self.exprs(args, scope)?);
        Ok(draft.finish())
    }

    pub(super) fn aggregate_function(
        &mut self,
        function: &AggregateFunction,
        scope: Scope<'_>,
    ) -> Result<ExprDigest> {
        let AggregateFunction { func, params } = function;
        let AggregateFunctionParams {
            args,
            distinct,
            filter,
            order_by,
            null_treatment,
        } = params;
        let mut draft = Draft::new(tag::AGGREGATE_FUNCTION);
        self.function(&mut draft, func.name(), func.signature().volatility);
        draft.encoder.bool(*distinct);
        draft.encoder.tag(null_treatment_code(*null_treatment));
        let arguments = arguments_scope(Kind::Aggregate, func.name(), scope);
        draft.children(&self.exprs(args, arguments)?);
        self.optional(&mut draft, filter.as_deref(), scope)?;
        draft.volatile |= self.encode_sorts(&mut draft.encoder, order_by, scope)?;
        Ok(draft.finish())
    }

    pub(super) fn window_function(
        &mut self,
        function: &WindowFunction,
        scope: Scope<'_>,
    ) -> Result<ExprDigest> {
        let WindowFunction { fun, params } = function;
        let WindowFunctionParams {
            args,
            partition_by,
            order_by,
            window_frame,
            filter,
            null_treatment,
            distinct,
        } = params;
        let mut draft = Draft::new(tag::WINDOW_FUNCTION);
        let kind = match fun {
            WindowFunctionDefinition::AggregateUDF(func) => {
                draft.encoder.tag(0);
                self.function(&mut draft, func.name(), func.signature().volatility);
                Kind::Aggregate
            }
            WindowFunctionDefinition::WindowUDF(func) => {
                draft.encoder.tag(1);
                self.function(&mut draft, func.name(), func.signature().volatility);
                Kind::Window
            }
        };
        draft.encoder.bool(*distinct);
        draft.encoder.tag(null_treatment_code(*null_treatment));
        encode_frame(&mut draft.encoder, window_frame)?;
        let arguments = arguments_scope(kind, fun.name(), scope);
        draft.children(&self.exprs(args, arguments)?);
        let mut partitions = self.exprs(partition_by, scope)?;
        if self.is_order_free() && scope.is_blind() {
            sort_terms(&mut partitions);
        }
        draft.children(&partitions);
        draft.volatile |= self.encode_sorts(&mut draft.encoder, order_by, scope)?;
        self.optional(&mut draft, filter.as_deref(), scope)?;
        Ok(draft.finish())
    }

    pub(super) fn higher_order_function(
        &mut self,
        function: &HigherOrderFunction,
        scope: Scope<'_>,
    ) -> Result<ExprDigest> {
        let HigherOrderFunction { func, args } = function;
        let mut draft = Draft::new(tag::HIGHER_ORDER_FUNCTION);
        self.function(&mut draft, func.name(), func.signature().volatility);
        let scope = arguments_scope(Kind::HigherOrder, func.name(), scope);
        draft.children(&self.exprs(args, scope)?);
        Ok(draft.finish())
    }

    /// Writes a function's name and volatility, and notes that the plan needs it.
    fn function(&mut self, draft: &mut Draft, name: &str, volatility: Volatility) {
        draft.encoder.str(name);
        draft.encoder.tag(match volatility {
            Volatility::Immutable => 0,
            Volatility::Stable => 1,
            Volatility::Volatile => 2,
        });
        self.found.functions.insert(name.to_owned());
        // A stable function keeps its value for one run only, and this call was not replaced by it.
        if volatility != Volatility::Immutable {
            self.found.volatile.insert(name.to_owned());
        }
        draft.volatile |= volatility == Volatility::Volatile;
    }
}

fn arguments_scope<'s>(kind: Kind, name: &str, scope: Scope<'s>) -> Scope<'s> {
    if reads_argument_names(kind, name) {
        scope.spelled()
    } else {
        scope
    }
}

/// Nulls are respected unless the query says otherwise.
fn null_treatment_code(treatment: Option<NullTreatment>) -> u8 {
    match treatment {
        None | Some(NullTreatment::RespectNulls) => 0,
        Some(NullTreatment::IgnoreNulls) => 1,
    }
}

fn encode_frame(encoder: &mut Encoder, frame: &WindowFrame) -> Result<()> {
    encoder.tag(match frame.units {
        WindowFrameUnits::Rows => 0,
        WindowFrameUnits::Range => 1,
        WindowFrameUnits::Groups => 2,
    });
    encoder.bool(frame.is_causal());
    encode_bound(encoder, &frame.start_bound)?;
    encode_bound(encoder, &frame.end_bound)
}

/// A null bound is an unbounded one, whatever type the null has.
fn encode_bound(encoder: &mut Encoder, bound: &WindowFrameBound) -> Result<()> {
    let (tag, value) = match bound {
        WindowFrameBound::Preceding(value) => (0, value),
        WindowFrameBound::CurrentRow => {
            encoder.tag(1);
            return Ok(());
        }
        WindowFrameBound::Following(value) => (2, value),
    };
    encoder.tag(tag);
    encoder.bool(value.is_null());
    if !value.is_null() {
        encode_scalar(encoder, value)?;
    }
    Ok(())
}

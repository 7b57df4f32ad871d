//! `span_operators`: `a && b`, `a @> b` and `a <@ b` over spans.

use std::sync::{Arc, LazyLock};

use arrow::datatypes::DataType;
use datafusion_common::{DFSchema, Result};
use datafusion_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion_expr::sqlparser::ast::BinaryOperator;
use datafusion_expr::{Expr, ExprSchemable, ScalarUDF};

use crate::span::is_span;
use crate::{Implementation, Library, Rewrite};

/// One planner for all sessions, so that registering it twice can be seen.
static PLANNER: LazyLock<Arc<SpanOperators>> = LazyLock::new(|| {
    let library = Library::builtin();
    let function = |name| match library
        .get(name)
        .map(|entry| entry.implementation().clone())
    {
        Some(Implementation::Scalar(function)) => Some(function),
        Some(_) | None => None,
    };
    Arc::new(SpanOperators {
        overlaps: function("span_overlaps"),
        contains: function("span_contains"),
    })
});

pub(super) fn rewrite() -> Rewrite {
    let planner: Arc<dyn ExprPlanner> = Arc::<SpanOperators>::clone(&PLANNER);
    Rewrite::planner(
        "span_operators",
        1,
        "`a && b` is `span_overlaps(a, b)`, `a @> b` is `span_contains(a, b)` and `a <@ b` is `span_contains(b, a)`, where \
         the containing side, of `&&` both sides, are spans.",
        planner,
    )
}

#[derive(Debug)]
struct SpanOperators {
    overlaps: Option<Arc<ScalarUDF>>,
    contains: Option<Arc<ScalarUDF>>,
}

impl ExprPlanner for SpanOperators {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let span = |expr: &Expr| {
            let data_type = expr.get_type(schema);
            data_type.is_ok_and(|data_type| data_type != DataType::Null && is_span(&data_type))
        };
        let (left, right) = (&expr.left, &expr.right);
        let call = match expr.op {
            BinaryOperator::PGOverlap if span(left) && span(right) => self
                .overlaps
                .as_ref()
                .map(|function| (function, left, right)),
            BinaryOperator::AtArrow if span(left) => self
                .contains
                .as_ref()
                .map(|function| (function, left, right)),
            BinaryOperator::ArrowAt if span(right) => self
                .contains
                .as_ref()
                .map(|function| (function, right, left)),
            _ => None,
        };
        Ok(match call {
            Some((function, first, second)) => {
                PlannerResult::Planned(function.call(vec![first.clone(), second.clone()]))
            }
            None => PlannerResult::Original(expr),
        })
    }
}

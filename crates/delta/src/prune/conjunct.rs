//! What of a filter can be known before a file is read.

use std::collections::HashSet;

use arrow_schema::DataType;
use datafusion_common::tree_node::TreeNode;
use datafusion_expr::expr_rewriter::unnormalize_col;
use datafusion_expr::utils::split_conjunction_owned;
use datafusion_expr::{Expr, Volatility};

/// The parts of filters that must all hold, each about columns by name alone, without those that
/// only the running query can answer: subqueries, values from outside, and functions that do not
/// give the same answer every time. Leaving a part out keeps more files.
pub(crate) fn conjuncts(filters: &[Expr]) -> Vec<Expr> {
    filters
        .iter()
        .flat_map(|filter| split_conjunction_owned(unnormalize_col(filter.clone())))
        .filter(is_answered_by_values)
        .collect()
}

/// The columns that an expression names.
pub(crate) fn column_names(expr: &Expr) -> HashSet<String> {
    expr.column_refs()
        .iter()
        .map(|column| column.name.clone())
        .collect()
}

/// Whether a filter is about partition columns alone, so that each file is in or out as a whole.
pub(crate) fn is_about_partitions(filter: &Expr, partition_by: &HashSet<&str>) -> bool {
    let columns = filter.column_refs();
    !columns.is_empty()
        && columns
            .iter()
            .all(|column| partition_by.contains(column.name.as_str()))
        && is_answered_by_values(filter)
}

/// Whether the engine's way from a filter on values to one on minima and maxima is right for this
/// filter: it takes every cast for one that keeps the order, and every negation for one that
/// turns it around. Where it is not right, nothing may be left out by the filter.
pub fn keeps_order(expr: &Expr) -> bool {
    let breaks_order = |expr: &Expr| match expr {
        Expr::Cast(cast) => {
            is_cast(&cast.expr) || !is_ordered_like_its_values(cast.field.data_type())
        }
        Expr::TryCast(cast) => {
            is_cast(&cast.expr) || !is_ordered_like_its_values(cast.field.data_type())
        }
        Expr::Negative(inner) => !inner.column_refs().is_empty(),
        _ => false,
    };
    !expr.exists(|expr| Ok(breaks_order(expr))).unwrap_or(true)
}

fn is_cast(expr: &Expr) -> bool {
    matches!(expr, Expr::Cast(_) | Expr::TryCast(_))
}

/// Whether a cast to this type keeps the order of the values that it converts. A time of day does
/// not, nor does a boolean: -1 and 1 are true, and 0 is false.
fn is_ordered_like_its_values(data_type: &DataType) -> bool {
    data_type.is_numeric()
        || data_type.is_string()
        || matches!(
            data_type,
            DataType::Date32 | DataType::Date64 | DataType::Timestamp(_, _)
        )
}

/// Whether the values of columns alone decide what an expression gives.
fn is_answered_by_values(expr: &Expr) -> bool {
    !expr
        .exists(|expr| Ok(needs_more(expr)))
        // Where it cannot be known, it needs more.
        .unwrap_or(true)
}

fn needs_more(expr: &Expr) -> bool {
    let is_fixed = |volatility| match volatility {
        Volatility::Immutable => true,
        Volatility::Stable | Volatility::Volatile => false,
    };
    match expr {
        Expr::ScalarFunction(function) => !is_fixed(function.func.signature().volatility),
        Expr::HigherOrderFunction(_)
        | Expr::AggregateFunction(_)
        | Expr::WindowFunction(_)
        | Expr::Exists(_)
        | Expr::InSubquery(_)
        | Expr::SetComparison(_)
        | Expr::ScalarSubquery(_)
        | Expr::GroupingSet(_)
        | Expr::Placeholder(_)
        | Expr::OuterReferenceColumn(..)
        | Expr::ScalarVariable(..)
        | Expr::Unnest(_)
        | Expr::Lambda(_)
        | Expr::LambdaVariable(_) => true,
        #[expect(deprecated, reason = "the match names every expression")]
        Expr::Wildcard { .. } => true,
        Expr::Alias(_)
        | Expr::Column(_)
        | Expr::Literal(..)
        | Expr::BinaryExpr(_)
        | Expr::Like(_)
        | Expr::SimilarTo(_)
        | Expr::Not(_)
        | Expr::IsNotNull(_)
        | Expr::IsNull(_)
        | Expr::IsTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNotFalse(_)
        | Expr::IsNotUnknown(_)
        | Expr::Negative(_)
        | Expr::Between(_)
        | Expr::Case(_)
        | Expr::Cast(_)
        | Expr::TryCast(_)
        | Expr::InList(_) => false,
    }
}

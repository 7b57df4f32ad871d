//! One pass over an expression.

use datafusion_common::Column;
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::{Expr, Operator};

/// Deeper expressions than this are not written out: the engine does that by recursion.
const MAX_DEPTH: usize = 256;

/// Calls `visit` with an expression and all expressions in it, outer before inner, left to right,
/// but not with those of plans in it. The stack is on the heap.
pub(crate) fn for_each<'e>(expr: &'e Expr, mut visit: impl FnMut(&'e Expr)) {
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        visit(expr);
        let first = pending.len();
        push_children(expr, &mut pending);
        pending[first..].reverse();
    }
}

/// The columns in an expression, without those of an outer query.
pub(crate) fn columns(expr: &Expr) -> Vec<&Column> {
    let mut columns = Vec::new();
    for_each(expr, |expr| {
        if let Expr::Column(column) = expr {
            columns.push(column);
        }
    });
    columns
}

/// The name of the function that the expression itself calls.
pub(crate) fn function_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::ScalarFunction(function) => Some(function.name()),
        Expr::AggregateFunction(function) => Some(function.func.name()),
        Expr::WindowFunction(function) => Some(function.fun.name()),
        Expr::HigherOrderFunction(function) => Some(function.name()),
        #[expect(deprecated, reason = "a plan made by hand may still have one")]
        Expr::Wildcard { .. } => None,
        Expr::Alias(_)
        | Expr::Column(_)
        | Expr::ScalarVariable(_, _)
        | Expr::Literal(_, _)
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
        | Expr::InList(_)
        | Expr::Exists(_)
        | Expr::InSubquery(_)
        | Expr::SetComparison(_)
        | Expr::ScalarSubquery(_)
        | Expr::GroupingSet(_)
        | Expr::Placeholder(_)
        | Expr::OuterReferenceColumn(_, _)
        | Expr::Unnest(_)
        | Expr::Lambda(_)
        | Expr::LambdaVariable(_) => None,
    }
}

/// The expressions whose conjunction `expr` is.
pub(crate) fn conjuncts(expr: &Expr) -> Vec<&Expr> {
    let mut conjuncts = Vec::new();
    let mut pending = vec![expr];
    while let Some(expr) = pending.pop() {
        match expr {
            Expr::BinaryExpr(binary) if binary.op == Operator::And => {
                pending.push(&binary.right);
                pending.push(&binary.left);
            }
            _ => conjuncts.push(expr),
        }
    }
    conjuncts
}

/// An expression as SQL-like text for people, or its depth where the text would be endless.
pub(crate) fn describe(expr: &Expr) -> String {
    let mut deepest = 0;
    let mut pending = vec![(expr, 1)];
    let mut children = Vec::new();
    while let Some((expr, depth)) = pending.pop() {
        deepest = deepest.max(depth);
        push_children(expr, &mut children);
        pending.extend(children.drain(..).map(|child| (child, depth + 1)));
    }
    if deepest > MAX_DEPTH {
        format!("an expression of {deepest} levels")
    } else {
        expr.to_string()
    }
}

fn push_children<'e>(expr: &'e Expr, children: &mut Vec<&'e Expr>) {
    let pushed = expr.apply_children(|child| {
        children.push(child);
        Ok(TreeNodeRecursion::Continue)
    });
    debug_assert!(pushed.is_ok(), "pushing cannot fail");
}

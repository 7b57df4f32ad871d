//! The functions that a plan calls, also of a plan that is not analysed.

use std::collections::{BTreeSet, HashSet};

use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::expr::WindowFunctionDefinition;
use datafusion_expr::{Expr, LogicalPlan};

/// The names of the scalar, aggregate, window and higher-order functions that a plan calls, also in
/// its subqueries.
///
/// The unoptimized plan of a view may call functions that its optimized plan does not show, because
/// the optimizer computed their value: the rows depend on them all the same.
pub fn required_functions(plan: &LogicalPlan) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut seen = HashSet::new();
    // The closure returns no error.
    let _ = plan.apply_with_subqueries(|node| {
        // A subquery in an expression is wrapped in a node that lives for this call only.
        let shared = !matches!(node, LogicalPlan::Subquery(_));
        if shared && !seen.insert(std::ptr::from_ref(node).addr()) {
            return Ok(TreeNodeRecursion::Jump);
        }
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if let Some(name) = called(expr) {
                    names.insert(name.to_owned());
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    names
}

/// The name of the function that this very expression calls.
fn called(expr: &Expr) -> Option<&str> {
    if let Expr::ScalarFunction(function) = expr {
        Some(function.func.name())
    } else if let Expr::AggregateFunction(function) = expr {
        Some(function.func.name())
    } else if let Expr::HigherOrderFunction(function) = expr {
        Some(function.func.name())
    } else if let Expr::WindowFunction(function) = expr {
        Some(match &function.fun {
            WindowFunctionDefinition::AggregateUDF(function) => function.name(),
            WindowFunctionDefinition::WindowUDF(function) => function.name(),
        })
    } else {
        None
    }
}

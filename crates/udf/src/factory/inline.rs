//! Macros leave a plan.

use datafusion_common::Result;
use datafusion_common::tree_node::{Transformed, TreeNode};
use datafusion_expr::expr_rewriter::NamePreserver;
use datafusion_expr::{Expr, LogicalPlan};

use super::SqlMacro;

/// Puts the bodies of macros in the place of their calls, everywhere in an analysed plan, and tells
/// whether there were any.
///
/// The plan must have been through the analyzer, which converts arguments to their types; analyse it
/// again when it was changed. Names of columns stay as they were.
///
/// # Errors
///
/// Those of expanding a call: a volatile argument that would be evaluated more than once.
pub fn inline(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    plan.transform_up_with_subqueries(|node| {
        let names = NamePreserver::new(&node);
        let changed = node.map_expressions(|expr| {
            let name = names.save(&expr);
            let inlined = inline_expr(expr)?;
            Ok(if inlined.transformed {
                inlined.update_data(|expr| name.restore(expr))
            } else {
                inlined
            })
        })?;
        if changed.transformed {
            changed.map_data(LogicalPlan::recompute_schema)
        } else {
            Ok(changed)
        }
    })
}

/// The same for one expression whose types are settled.
pub(crate) fn inline_expr(expr: Expr) -> Result<Transformed<Expr>> {
    expr.transform_up(|expr| {
        if let Expr::ScalarFunction(call) = &expr
            && let Some(sql_macro) = call.func.inner().downcast_ref::<SqlMacro>()
        {
            return Ok(Transformed::yes(sql_macro.expand(call.args.clone())?));
        }
        Ok(Transformed::no(expr))
    })
}

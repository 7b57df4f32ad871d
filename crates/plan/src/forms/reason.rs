//! Why the plan that came back is another one.

use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::{Expr, LogicalPlan, WindowFrameUnits};

use super::FormKind;

/// What is known to get lost, else the first line of the plans' text that differs.
pub(super) fn difference(kind: FormKind, original: &LogicalPlan, decoded: &LogicalPlan) -> String {
    let lost = match kind {
        FormKind::Substrait => known_losses(original),
        FormKind::Protobuf | FormKind::Plan => Vec::new(),
    };
    if lost.is_empty() {
        return format!(
            "the decoded plan has another digest: {}",
            first_difference(original, decoded)
        );
    }
    format!(
        "the decoded plan has another digest: Substrait as the engine writes it has no place for {}",
        lost.join(", ")
    )
}

fn known_losses(plan: &LogicalPlan) -> Vec<&'static str> {
    let mut lost = Vec::new();
    // The closures return no error.
    let _ = plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Join(join) = node
            && join.null_aware
        {
            lost.push("the nulls of NOT IN");
        }
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                lost.extend(lost_of(expr));
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    lost.sort_unstable();
    lost.dedup();
    lost
}

fn lost_of(expr: &Expr) -> Option<&'static str> {
    if let Expr::WindowFunction(function) = expr {
        let params = &function.params;
        if params.filter.is_some() {
            return Some("FILTER of a window function");
        }
        if params.window_frame.units == WindowFrameUnits::Groups {
            return Some("frames of GROUPS");
        }
    }
    None
}

/// A line as far as it is read.
fn start(line: &str) -> String {
    line.trim().chars().take(200).collect()
}

fn first_difference(original: &LogicalPlan, decoded: &LogicalPlan) -> String {
    let text = |plan: &LogicalPlan| plan.display_indent_schema().to_string();
    let (original, decoded) = (text(original), text(decoded));
    let mut lines = original.lines().zip(decoded.lines());
    match lines.find(|(one, other)| one.trim() != other.trim()) {
        Some((one, other)) => format!("`{}` came back as `{}`", start(one), start(other)),
        None if original.lines().count() == decoded.lines().count() => {
            "the plans read alike, and differ in what their text leaves out".to_owned()
        }
        None => "one of the plans has more nodes".to_owned(),
    }
}

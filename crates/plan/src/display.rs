//! Plans for people: text and Graphviz DOT.

use datafusion_expr::LogicalPlan;

/// The plan as indented text, one line per node, each with its output schema.
///
/// The text is for reading. It holds names that the engine makes up, so it is no identity.
pub fn plan_text(plan: &LogicalPlan) -> String {
    plan.display_indent_schema().to_string()
}

/// The plan as a Graphviz DOT document: one cluster of bare nodes and one with their schemas.
///
/// `dot -Tsvg` draws it.
pub fn plan_dot(plan: &LogicalPlan) -> String {
    plan.display_graphviz().to_string()
}

//! The pairs of expressions on which a join matches rows.

use datafusion_common::DFSchema;
use datafusion_expr::{Expr, Join, Operator};

use crate::expr::{columns, conjuncts};

/// The keys of the node, then the equalities in its condition that have one side in each input,
/// the left input's expression first.
pub(crate) fn key_pairs(join: &Join) -> Vec<(&Expr, &Expr)> {
    let mut pairs: Vec<(&Expr, &Expr)> =
        join.on.iter().map(|(left, right)| (left, right)).collect();
    let (left, right) = (join.left.schema(), join.right.schema());
    for conjunct in join.filter.iter().flat_map(conjuncts) {
        if let Expr::BinaryExpr(binary) = conjunct
            && binary.op == Operator::Eq
        {
            if is_from(&binary.left, left) && is_from(&binary.right, right) {
                pairs.push((&binary.left, &binary.right));
            } else if is_from(&binary.right, left) && is_from(&binary.left, right) {
                pairs.push((&binary.right, &binary.left));
            }
        }
    }
    pairs
}

/// Whether an expression has columns, and all of them are columns of `schema`.
fn is_from(expr: &Expr, schema: &DFSchema) -> bool {
    let columns = columns(expr);
    !columns.is_empty()
        && columns
            .iter()
            .all(|column| schema.is_column_from_schema(column))
}

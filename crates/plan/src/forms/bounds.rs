//! How large a plan is when it is written as a tree, and how deep.
//!
//! The encodings are trees: what a plan shares, they repeat. Their decoders stop at a hundred
//! nested messages.

use std::collections::BTreeMap;

use datafusion_common::tree_node::TreeNodeRecursion;
use datafusion_expr::expr::{BinaryExpr, Exists, InSubquery, SetComparison};
use datafusion_expr::{Expr, LogicalPlan, Operator, Subquery};

use super::guard::Reason;

/// Nodes and expressions of a plan as a tree that are still encoded.
const MAX_SIZE: u64 = 200_000;

/// Levels that are still encoded: every level is at least one nested message.
const MAX_HEIGHT: u64 = 100;

/// Which chains of one operator an encoding writes as a list, and not as a nest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chains {
    /// Those of `AND` and of `OR`.
    Connectives,
    /// Those of every operator.
    All,
}

#[derive(Debug, Clone, Copy, Default)]
struct Extent {
    size: u64,
    height: u64,
}

struct Measure {
    chains: Chains,
    plans: BTreeMap<usize, Extent>,
}

/// Refuses a plan that no decoder would take, before somebody recurses through it.
pub(super) fn check_extent(plan: &LogicalPlan, chains: Chains) -> Result<(), Reason> {
    let mut measure = Measure {
        chains,
        plans: BTreeMap::new(),
    };
    let Extent { size, height } = measure.plan(plan);
    if size > MAX_SIZE {
        return Err(format!(
            "the plan is too large: written as a tree it has {size} nodes and expressions, and \
             {MAX_SIZE} is the most that is kept"
        ));
    }
    if height > MAX_HEIGHT {
        return Err(format!(
            "the plan is too deep: it has {height} levels of nodes and expressions, and decoders \
             stop at {MAX_HEIGHT}"
        ));
    }
    Ok(())
}

impl Extent {
    /// One node above nothing.
    const ONE: Self = Self { size: 1, height: 1 };

    fn put_below(&mut self, child: Self) {
        self.size = self.size.saturating_add(child.size);
        self.height = self.height.max(child.height.saturating_add(1));
    }
}

impl Measure {
    #[recursive::recursive]
    fn plan(&mut self, plan: &LogicalPlan) -> Extent {
        let address = std::ptr::from_ref(plan).addr();
        if let Some(extent) = self.plans.get(&address) {
            return *extent;
        }
        let mut extent = Extent::ONE;
        // The closure returns no error.
        let _ = plan.apply_expressions(|expr| {
            extent.put_below(self.expr(expr));
            Ok(TreeNodeRecursion::Continue)
        });
        for input in plan.inputs() {
            extent.put_below(self.plan(input));
        }
        self.plans.insert(address, extent);
        extent
    }

    #[recursive::recursive]
    fn expr(&mut self, expr: &Expr) -> Extent {
        let mut extent = Extent::ONE;
        if let Some(subquery) = subquery_of(expr) {
            extent.put_below(self.plan(&subquery.subquery));
        }
        if let Expr::BinaryExpr(binary) = expr
            && self.is_chain(binary.op)
        {
            for term in terms(binary, self.chains) {
                extent.put_below(self.expr(term));
            }
            return extent;
        }
        use datafusion_common::tree_node::TreeNode;
        // The closure returns no error.
        let _ = expr.apply_children(|child| {
            extent.put_below(self.expr(child));
            Ok(TreeNodeRecursion::Continue)
        });
        extent
    }

    fn is_chain(&self, op: Operator) -> bool {
        match self.chains {
            Chains::Connectives => matches!(op, Operator::And | Operator::Or),
            Chains::All => true,
        }
    }
}

/// The operands of nested operators of one kind, from left to right: of connectives wherever the
/// nest goes, else where it goes to the left.
pub(super) fn terms(binary: &BinaryExpr, chains: Chains) -> Vec<&Expr> {
    let mut terms = Vec::new();
    let mut pending = vec![&*binary.right, &*binary.left];
    while let Some(expr) = pending.pop() {
        match expr {
            Expr::BinaryExpr(nested)
                if nested.op == binary.op
                    && (terms.is_empty() || chains == Chains::Connectives) =>
            {
                pending.push(&nested.right);
                pending.push(&nested.left);
            }
            term => terms.push(term),
        }
    }
    terms
}

fn subquery_of(expr: &Expr) -> Option<&Subquery> {
    if let Expr::Exists(Exists { subquery, .. })
    | Expr::InSubquery(InSubquery { subquery, .. })
    | Expr::SetComparison(SetComparison { subquery, .. })
    | Expr::ScalarSubquery(subquery) = expr
    {
        Some(subquery)
    } else {
        None
    }
}

//! References to columns of outer queries, and plans that nodes make when asked.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::sync::Arc;

use datafusion_expr::{Expr, LogicalPlan};

use crate::expr::for_each;
use crate::parts::{for_each_expr, inputs, subplan, subplans};

/// Plans and expressions that some node gave away rather than lent, kept until the end.
#[derive(Default)]
pub(super) struct Kept(OnceCell<Box<(Item, Kept)>>);

enum Item {
    Plan(Arc<LogicalPlan>),
    Exprs(Vec<Expr>),
}

impl Kept {
    pub(super) fn plan(&self, plan: Arc<LogicalPlan>) -> Option<&LogicalPlan> {
        match self.keep(Item::Plan(plan)) {
            Item::Plan(plan) => Some(plan),
            Item::Exprs(_) => None,
        }
    }

    pub(super) fn exprs(&self, exprs: Vec<Expr>) -> &[Expr] {
        match self.keep(Item::Exprs(exprs)) {
            Item::Exprs(exprs) => exprs,
            Item::Plan(_) => &[],
        }
    }

    fn keep(&self, item: Item) -> &Item {
        let mut end = self;
        while let Some(link) = end.0.get() {
            end = &link.1;
        }
        &end.0.get_or_init(|| Box::new((item, Self::default()))).0
    }
}

impl Drop for Kept {
    /// One link after the other, for a chain may be longer than the stack.
    fn drop(&mut self) {
        let mut rest = self.0.take();
        while let Some(mut link) = rest {
            rest = link.1.0.take();
        }
    }
}

/// Which plans refer to columns of a query around them.
#[derive(Default)]
pub(super) struct Correlated(HashMap<*const LogicalPlan, bool>);

impl Correlated {
    /// Whether `plan`, or a plan in it, refers to an outer column. It may be one of a query within
    /// `plan`.
    pub(super) fn is(&mut self, plan: &LogicalPlan) -> bool {
        let mut pending = vec![(plan, false)];
        while let Some((plan, parts_known)) = pending.pop() {
            let key = std::ptr::from_ref(plan);
            if self.0.contains_key(&key) {
                continue;
            }
            let mut parts = inputs(plan);
            parts.extend(subplans(plan));
            if parts_known {
                let known = |part: &&LogicalPlan| self.0.get(&std::ptr::from_ref(*part));
                let correlated = parts
                    .iter()
                    .any(|part| known(part).copied().unwrap_or(true))
                    || has_outer_column(plan);
                self.0.insert(key, correlated);
            } else {
                pending.push((plan, true));
                pending.extend(parts.into_iter().map(|part| (part, false)));
            }
        }
        self.0
            .get(&std::ptr::from_ref(plan))
            .copied()
            .unwrap_or(true)
    }
}

fn has_outer_column(plan: &LogicalPlan) -> bool {
    let mut found = false;
    for_each_expr(plan, |_, expr| {
        for_each(expr, |expr| {
            found |= matches!(expr, Expr::OuterReferenceColumn(_, _));
        });
    });
    if let LogicalPlan::Extension(extension) = plan {
        for expr in extension.node.expressions() {
            // Plans in expressions that live no longer than this call may refer to anything.
            for_each(&expr, |expr| {
                found |=
                    matches!(expr, Expr::OuterReferenceColumn(_, _)) || subplan(expr).is_some();
            });
        }
    }
    found
}

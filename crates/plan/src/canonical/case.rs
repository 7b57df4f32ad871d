//! `CASE`: a simple one that compares is a searched one.

use codeanatomy_vocab::Result;
use datafusion_expr::expr::Case;

use super::Walker;
use super::expr::{Draft, ExprDigest, Scope};
use super::operator::equality;
use super::tag::expr as tag;

impl Walker<'_> {
    pub(super) fn case(&mut self, case: &Case, scope: Scope<'_>) -> Result<ExprDigest> {
        let Case {
            expr,
            when_then_expr,
            else_expr,
        } = case;
        let operand = match expr {
            Some(expr) => Some(self.expr(expr, scope)?),
            None => None,
        };
        let mut arms = Vec::with_capacity(when_then_expr.len());
        for (when, then) in when_then_expr {
            arms.push((self.expr(when, scope)?, self.expr(then, scope)?));
        }
        let mut draft = Draft::new(tag::CASE);
        let operand = match operand {
            // An operand is compared with each WHEN; evaluated once or often, it has one value.
            Some(operand) if scope.is_blind() && is_compared_alike(operand, &arms) => {
                for (when, _) in &mut arms {
                    *when = equality(operand, *when);
                }
                None
            }
            operand => operand,
        };
        draft.encoder.bool(operand.is_some());
        if let Some(operand) = operand {
            draft.child(operand);
        }
        draft.encoder.len(arms.len());
        for (when, then) in arms {
            draft.child(when);
            draft.child(then);
        }
        self.optional(&mut draft, else_expr.as_deref(), scope)?;
        Ok(draft.finish())
    }
}

fn is_compared_alike(operand: ExprDigest, arms: &[(ExprDigest, ExprDigest)]) -> bool {
    !operand.volatile
        && operand.class.is_comparable()
        && arms.iter().all(|(when, _)| when.class == operand.class)
}

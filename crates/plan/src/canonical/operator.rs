//! Binary operators, and the terms whose order means nothing.

use codeanatomy_vocab::Result;
use datafusion_expr::expr::BinaryExpr;
use datafusion_expr::{Expr, Operator};

use super::Walker;
use super::class::Class;
use super::expr::{Draft, ExprDigest, Scope, without_plain_alias};
use super::tag::expr as tag;

impl Walker<'_> {
    pub(super) fn binary(&mut self, binary: &BinaryExpr, scope: Scope<'_>) -> Result<ExprDigest> {
        let BinaryExpr { left, op, right } = binary;
        if scope.is_blind() && *op == Operator::And {
            return self.connective(tag::ALL_OF, binary, scope);
        }
        if scope.is_blind() && *op == Operator::Or {
            return self.connective(tag::ANY_OF, binary, scope);
        }
        let left = self.expr(left, scope)?;
        let right = self.expr(right, scope)?;
        let class = class_of(left.class, *op, right.class);
        let (left, op, right) = if scope.is_blind() {
            oriented(left, *op, right)
        } else {
            (left, *op, right)
        };
        Ok(operation(left, op, right).of_class(class))
    }

    /// `AND` and `OR`: the set of the terms, however they are nested, ordered or repeated.
    fn connective(&mut self, tag: u8, binary: &BinaryExpr, scope: Scope<'_>) -> Result<ExprDigest> {
        let mut terms = self.terms([&*binary.left, &*binary.right], binary.op, scope)?;
        sort_terms(&mut terms);
        // A set of one term stays a set: `flag AND flag` drops the metadata of `flag`.
        let mut draft = Draft::new(tag);
        draft.children(&terms);
        Ok(draft.finish())
    }

    /// The conditions that all have to be true, as a set.
    pub(super) fn conditions<'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e Expr>,
        scope: Scope<'_>,
    ) -> Result<Vec<ExprDigest>> {
        let mut terms = self.terms(exprs, Operator::And, scope)?;
        sort_terms(&mut terms);
        Ok(terms)
    }

    /// The digests of the terms under nested operators of one kind.
    fn terms<'e>(
        &mut self,
        exprs: impl IntoIterator<Item = &'e Expr>,
        op: Operator,
        scope: Scope<'_>,
    ) -> Result<Vec<ExprDigest>> {
        let mut terms = Vec::new();
        let mut pending: Vec<&Expr> = exprs.into_iter().collect();
        pending.reverse();
        while let Some(expr) = pending.pop() {
            match without_plain_alias(expr) {
                Expr::BinaryExpr(nested) if nested.op == op => {
                    pending.push(&nested.right);
                    pending.push(&nested.left);
                }
                term => terms.push(self.expr(term, scope)?),
            }
        }
        Ok(terms)
    }
}

/// Terms whose order and repetition mean nothing, put in the order of their digests, each once. A
/// term whose evaluations may differ keeps all as they are.
pub(super) fn sort_terms(terms: &mut Vec<ExprDigest>) {
    if terms.iter().all(|term| !term.volatile) {
        terms.sort_unstable_by_key(|term| term.digest);
        terms.dedup_by_key(|term| term.digest);
    }
}

/// The equality of two operands, without regard to their order.
pub(super) fn equality(left: ExprDigest, right: ExprDigest) -> ExprDigest {
    let (left, op, right) = oriented(left, Operator::Eq, right);
    operation(left, op, right)
}

fn operation(left: ExprDigest, op: Operator, right: ExprDigest) -> ExprDigest {
    let mut draft = Draft::new(tag::BINARY);
    draft.encoder.tag(operator_code(op));
    draft.child(left);
    draft.child(right);
    draft.finish()
}

/// What is known about the type of an operation.
fn class_of(left: Class, op: Operator, right: Class) -> Class {
    let arithmetic = matches!(op, Operator::Plus | Operator::Minus | Operator::Multiply);
    let bitwise = matches!(
        op,
        Operator::BitwiseAnd | Operator::BitwiseOr | Operator::BitwiseXor
    );
    match (left, right) {
        (Class::Integer(left), Class::Integer(right))
            if left == right && (arithmetic || bitwise) =>
        {
            Class::Integer(left)
        }
        (Class::Decimal, Class::Decimal) if arithmetic => Class::Decimal,
        (Class::Integer(_) | Class::Decimal | Class::Plain(_) | Class::Other, _) => Class::Other,
    }
}

/// Whether an operation has one value whichever operand comes first.
fn is_commutative(left: Class, op: Operator, right: Class) -> bool {
    class_of(left, op, right) != Class::Other && op != Operator::Minus
}

/// A comparison that reads the same from both sides has its sides in the order of their digests,
/// and one that turns around when its sides are swapped is a "less than". Sums and products of
/// integers and of decimals are ordered too, unless evaluations of an operand may differ.
fn oriented(
    left: ExprDigest,
    op: Operator,
    right: ExprDigest,
) -> (ExprDigest, Operator, ExprDigest) {
    if op == Operator::Gt {
        return (right, Operator::Lt, left);
    }
    if op == Operator::GtEq {
        return (right, Operator::LtEq, left);
    }
    let commutes = is_commutative(left.class, op, right.class) && !left.volatile && !right.volatile;
    let symmetric = commutes
        || matches!(
            op,
            Operator::Eq | Operator::NotEq | Operator::IsDistinctFrom | Operator::IsNotDistinctFrom
        );
    if symmetric && right.digest < left.digest {
        (right, op, left)
    } else {
        (left, op, right)
    }
}

pub(super) fn operator_code(op: Operator) -> u8 {
    match op {
        Operator::Eq => 1,
        Operator::NotEq => 2,
        Operator::Lt => 3,
        Operator::LtEq => 4,
        Operator::Gt => 5,
        Operator::GtEq => 6,
        Operator::Plus => 7,
        Operator::Minus => 8,
        Operator::Multiply => 9,
        Operator::Divide => 10,
        Operator::Modulo => 11,
        Operator::And => 12,
        Operator::Or => 13,
        Operator::IsDistinctFrom => 14,
        Operator::IsNotDistinctFrom => 15,
        Operator::RegexMatch => 16,
        Operator::RegexIMatch => 17,
        Operator::RegexNotMatch => 18,
        Operator::RegexNotIMatch => 19,
        Operator::LikeMatch => 20,
        Operator::ILikeMatch => 21,
        Operator::NotLikeMatch => 22,
        Operator::NotILikeMatch => 23,
        Operator::BitwiseAnd => 24,
        Operator::BitwiseOr => 25,
        Operator::BitwiseXor => 26,
        Operator::BitwiseShiftRight => 27,
        Operator::BitwiseShiftLeft => 28,
        Operator::StringConcat => 29,
        Operator::AtArrow => 30,
        Operator::ArrowAt => 31,
        Operator::Arrow => 32,
        Operator::LongArrow => 33,
        Operator::HashArrow => 34,
        Operator::HashLongArrow => 35,
        Operator::AtAt => 36,
        Operator::IntegerDivide => 37,
        Operator::HashMinus => 38,
        Operator::AtQuestion => 39,
        Operator::Question => 40,
        Operator::QuestionAnd => 41,
        Operator::QuestionPipe => 42,
        Operator::Colon => 43,
    }
}

//! Joins: which side comes first, and what the sides have in common.

use std::rc::Rc;

use codeanatomy_vocab::Result;
use datafusion_common::{JoinType, NullEquality};
use datafusion_expr::LogicalPlan;
use datafusion_expr::logical_plan::Join;

use super::columns::Inputs;
use super::expr::{ExprDigest, Scope};
use super::layout::Layout;
use super::plan::{Draft, inputs_of};
use super::tag::node as tag;
use super::{Frame, Node, Walker};

/// The two sides of a join in the order in which they are digested.
struct Sides {
    first: Node,
    second: Node,
    join_type: JoinType,
    /// Whether the right side is the first one.
    turned: bool,
}

impl Walker<'_> {
    /// The equalities of a join are a set, as conjuncts are. `USING` has done its work when the
    /// columns were resolved.
    #[inline(never)]
    pub(super) fn join(&mut self, join: &Join) -> Result<Node> {
        let Join {
            left,
            right,
            on,
            filter,
            join_type,
            join_constraint: _,
            schema,
            null_equality,
            null_aware,
        } = join;
        let left = self.plan(left)?;
        let lateral = is_lateral(right);
        if lateral {
            self.frames.push(Frame::Outer(inputs_of(&left)));
        }
        let right = self.plan(right);
        if lateral {
            self.frames.pop();
        }
        let right = right?;

        let (left_inputs, right_inputs) = (inputs_of(&left), inputs_of(&right));
        let mut pairs = Vec::with_capacity(on.len());
        for (left, right) in on {
            let left = self.expr(left, Scope::new(&left_inputs))?;
            let right = self.expr(right, Scope::new(&right_inputs))?;
            pairs.push((left, right));
        }
        let volatile = pairs
            .iter()
            .any(|(left, right)| left.volatile || right.volatile);
        if !volatile {
            sort_pairs(&mut pairs);
        }
        // Nothing in a plan that is free of order is volatile.
        let may_turn = self.is_order_free() && !lateral && !null_aware;
        let layout = layout_of(*join_type, &left, &right, may_turn);
        let sides = sides(left, right, *join_type, may_turn);
        if sides.turned {
            for (left, right) in &mut pairs {
                std::mem::swap(left, right);
            }
            sort_pairs(&mut pairs);
        }
        let inputs = Rc::new(Inputs::of_nodes([&sides.first, &sides.second]));
        let conditions = self.conditions(filter, Scope::new(&inputs))?;
        let mut draft = Draft::new(tag::JOIN);
        draft.encoder.tag(join_type_code(sides.join_type));
        draft.encoder.tag(match null_equality {
            NullEquality::NullEqualsNothing => 0,
            NullEquality::NullEqualsNull => 1,
        });
        draft.encoder.bool(*null_aware);
        draft.input(&sides.first);
        draft.input(&sides.second);
        draft.encoder.len(pairs.len());
        for (first, second) in pairs {
            draft.expr(first);
            draft.expr(second);
        }
        draft.exprs(&conditions);
        Ok(draft.finish(schema).laid_out(layout))
    }
}

/// Whether the right side of a join is digested as the first one: that of a right join, so that it
/// is a left join, and the one with the smaller digest where the sides mean the same.
fn is_turned(join_type: JoinType, left: &Node, right: &Node) -> bool {
    match join_type {
        JoinType::Inner | JoinType::Full => right.digest < left.digest,
        JoinType::Right | JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => true,
        JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => false,
    }
}

fn sides(left: Node, right: Node, join_type: JoinType, may_turn: bool) -> Sides {
    if may_turn && is_turned(join_type, &left, &right) {
        Sides {
            first: right,
            second: left,
            join_type: join_type.swap(),
            turned: true,
        }
    } else {
        Sides {
            first: left,
            second: right,
            join_type,
            turned: false,
        }
    }
}

/// Where the columns of a join are in what is digested.
fn layout_of(join_type: JoinType, left: &Node, right: &Node, may_turn: bool) -> Layout {
    match join_type {
        JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
            let turned = may_turn && is_turned(join_type, left, right);
            let (left_columns, right_columns) = (left.layout.columns(), right.layout.columns());
            let (left_offset, right_offset) = if turned {
                (right_columns, 0)
            } else {
                (0, left_columns)
            };
            let places = left.layout.places(left.width(), left_offset);
            Layout::new(
                places
                    .chain(right.layout.places(right.width(), right_offset))
                    .collect(),
                left_columns + right_columns,
            )
        }
        JoinType::LeftSemi | JoinType::LeftAnti => left.layout.clone(),
        JoinType::RightSemi | JoinType::RightAnti => right.layout.clone(),
        JoinType::LeftMark => left.layout.followed_by(left.width(), 1),
        JoinType::RightMark => right.layout.followed_by(right.width(), 1),
    }
}

fn sort_pairs(pairs: &mut Vec<(ExprDigest, ExprDigest)>) {
    pairs.sort_unstable_by_key(|(left, right)| (left.digest, right.digest));
    pairs.dedup_by_key(|(left, right)| (left.digest, right.digest));
}

/// Whether a join's right side may refer to its left side.
fn is_lateral(mut right: &LogicalPlan) -> bool {
    while let LogicalPlan::SubqueryAlias(alias) = right {
        right = &alias.input;
    }
    matches!(right, LogicalPlan::Subquery(_))
}

fn join_type_code(join_type: JoinType) -> u8 {
    match join_type {
        JoinType::Inner => 1,
        JoinType::Left => 2,
        JoinType::Right => 3,
        JoinType::Full => 4,
        JoinType::LeftSemi => 5,
        JoinType::RightSemi => 6,
        JoinType::LeftAnti => 7,
        JoinType::RightAnti => 8,
        JoinType::LeftMark => 9,
        JoinType::RightMark => 10,
    }
}

//! Between which limits the values of an integer column lie, by what a plan and the statistics of
//! tables say.

use arrow_schema::DataType;
use datafusion_common::{DFSchema, ScalarValue};
use datafusion_expr::{Distinct, Expr, JoinType, LogicalPlan, Operator};

use crate::Facts;
use crate::prove::{group_keys, position_of, schema};

/// Limits of values, both included; `None` is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Range {
    pub(crate) min: Option<i128>,
    pub(crate) max: Option<i128>,
}

impl Range {
    const fn new(min: i128, max: i128) -> Self {
        Self {
            min: Some(min),
            max: Some(max),
        }
    }

    /// The integers that a type holds exactly; `None` for a type of which that is not known.
    pub(crate) fn of_type(data_type: &DataType) -> Option<Self> {
        Some(match data_type {
            DataType::Int8 => Self::new(i8::MIN as i128, i8::MAX as i128),
            DataType::Int16 => Self::new(i16::MIN as i128, i16::MAX as i128),
            DataType::Int32 => Self::new(i32::MIN as i128, i32::MAX as i128),
            DataType::Int64 => Self::new(i64::MIN as i128, i64::MAX as i128),
            DataType::UInt8 => Self::new(0, u8::MAX as i128),
            DataType::UInt16 => Self::new(0, u16::MAX as i128),
            DataType::UInt32 => Self::new(0, u32::MAX as i128),
            DataType::UInt64 => Self::new(0, u64::MAX as i128),
            DataType::Float32 => Self::new(-(1 << 24), 1 << 24),
            DataType::Float64 => Self::new(-(1 << 53), 1 << 53),
            DataType::Decimal128(precision, scale) if *scale >= 0 => {
                let digits = i32::from(*precision) - i32::from(*scale);
                let above = 10_i128.checked_pow(u32::try_from(digits).ok()?)?;
                Self::new(1 - above, above - 1)
            }
            _ => return None,
        })
    }

    /// Whether every value in here is one of `other` too.
    pub(crate) fn is_within(self, other: Self) -> bool {
        let above = match (self.min, other.min) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(other)) => own >= other,
        };
        let below = match (self.max, other.max) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(own), Some(other)) => own <= other,
        };
        above && below
    }

    /// The values of both.
    fn and(self, other: Self) -> Self {
        let tighter = |own: Option<i128>, other: Option<i128>, pick: fn(i128, i128) -> i128| match (
            own, other,
        ) {
            (Some(own), Some(other)) => Some(pick(own, other)),
            (one, other) => one.or(other),
        };
        Self {
            min: tighter(self.min, other.min, i128::max),
            max: tighter(self.max, other.max, i128::min),
        }
    }

    /// The values of either.
    fn or(self, other: Self) -> Self {
        Self {
            min: self.min.zip(other.min).map(|(own, other)| own.min(other)),
            max: self.max.zip(other.max).map(|(own, other)| own.max(other)),
        }
    }
}

/// Limits of all values, nulls aside, in the column at `position` of `plan`; none for a column that
/// holds no integers.
///
/// Walks the plan once, and is as wide as it must be where it does not know better.
pub(crate) fn range(plan: &LogicalPlan, position: usize, facts: &Facts) -> Option<Range> {
    let mut found: Option<Range> = None;
    let mut pending = vec![(plan, position, Range::default())];
    while let Some((plan, position, limits)) = pending.pop() {
        let data_type = schema(plan).fields().get(position)?.data_type();
        if !data_type.is_integer() {
            return None;
        }
        let limits = limits.and(Range::of_type(data_type)?);
        match step(plan, position, facts) {
            Step::Nothing => {}
            Step::Among(own) => {
                let limits = limits.and(own);
                found = Some(found.map_or(limits, |found| found.or(limits)));
            }
            Step::Below(inputs, own) => {
                let inputs = inputs.into_iter();
                pending.extend(inputs.map(|(plan, position)| (plan, position, limits.and(own))));
            }
        }
    }
    found
}

enum Step<'p> {
    /// There are no rows.
    Nothing,
    /// The values are among these.
    Among(Range),
    /// The values are those of these columns, as far as they are among these.
    Below(Vec<(&'p LogicalPlan, usize)>, Range),
}

fn step<'p>(plan: &'p LogicalPlan, position: usize, facts: &Facts) -> Step<'p> {
    let same = |input: &'p LogicalPlan| Step::Below(vec![(input, position)], Range::default());
    let computed = |expr: Option<&Expr>, input: &'p LogicalPlan| match expr {
        Some(expr) => of_expr(expr, input),
        None => Step::Among(Range::default()),
    };
    match plan {
        LogicalPlan::Filter(filter) => {
            let limits = limits_of(&filter.predicate, schema(plan), position);
            Step::Below(vec![(&filter.input, position)], limits)
        }
        LogicalPlan::Projection(projection) => {
            computed(projection.expr.get(position), &projection.input)
        }
        LogicalPlan::Aggregate(aggregate) => {
            let key = group_keys(aggregate).and_then(|keys| keys.get(position));
            computed(key, &aggregate.input)
        }
        LogicalPlan::Join(join) => {
            let left = schema(&join.left).fields().len();
            let (one, place) = match join.join_type {
                JoinType::RightSemi | JoinType::RightAnti => (&join.right, position),
                // The mark is no integer.
                JoinType::RightMark => (&join.right, position),
                JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
                    (&join.left, position)
                }
                JoinType::Inner | JoinType::Left | JoinType::Right | JoinType::Full => {
                    if position < left {
                        (&join.left, position)
                    } else {
                        (&join.right, position - left)
                    }
                }
            };
            Step::Below(vec![(one, place)], Range::default())
        }
        LogicalPlan::Union(union) => Step::Below(
            union
                .inputs
                .iter()
                .map(|it| (it.as_ref(), position))
                .collect(),
            Range::default(),
        ),
        LogicalPlan::Window(window) => match schema(&window.input).fields().len() {
            width if position < width => same(&window.input),
            _ => Step::Among(Range::default()),
        },
        LogicalPlan::Sort(sort) => same(&sort.input),
        LogicalPlan::Limit(limit) => same(&limit.input),
        LogicalPlan::Repartition(it) => same(&it.input),
        LogicalPlan::SubqueryAlias(alias) => same(&alias.input),
        LogicalPlan::Distinct(Distinct::All(input)) => same(input),
        LogicalPlan::Distinct(Distinct::On(on)) => {
            computed(on.select_expr.get(position), &on.input)
        }
        LogicalPlan::EmptyRelation(empty) if !empty.produce_one_row => Step::Nothing,
        LogicalPlan::TableScan(scan) => {
            Step::Among(facts.range(scan, position).unwrap_or_default())
        }
        _ => Step::Among(Range::default()),
    }
}

/// What an expression over the rows of `input` gives. A cast between integers keeps the value or
/// fails.
fn of_expr<'p>(expr: &Expr, input: &'p LogicalPlan) -> Step<'p> {
    let mut expr = expr;
    loop {
        expr = match expr {
            Expr::Alias(alias) => &alias.expr,
            Expr::Cast(cast) if cast.field.data_type().is_integer() => &cast.expr,
            Expr::TryCast(cast) if cast.field.data_type().is_integer() => &cast.expr,
            Expr::Literal(value, _) => {
                return Step::Among(
                    integer(value).map_or_else(Range::default, |it| Range::new(it, it)),
                );
            }
            other => {
                let same = position_of(other, schema(input));
                let is_integer = |at: &usize| schema(input).fields()[*at].data_type().is_integer();
                return match same.filter(is_integer) {
                    Some(at) => Step::Below(vec![(input, at)], Range::default()),
                    None => Step::Among(Range::default()),
                };
            }
        };
    }
}

/// Limits that a condition puts on the column at `position`.
fn limits_of(predicate: &Expr, schema: &DFSchema, position: usize) -> Range {
    let is_column = |expr: &Expr| position_of(expr, schema) == Some(position);
    let literal = |expr: &Expr| match expr {
        Expr::Literal(value, _) => integer(value),
        _ => None,
    };
    let mut limits = Range::default();
    let mut pending = vec![predicate];
    while let Some(expr) = pending.pop() {
        match expr {
            Expr::BinaryExpr(binary) if binary.op == Operator::And => {
                pending.extend([binary.left.as_ref(), binary.right.as_ref()]);
            }
            Expr::BinaryExpr(binary) => {
                let (op, value) = if is_column(&binary.left) {
                    (Some(binary.op), literal(&binary.right))
                } else if is_column(&binary.right) {
                    (binary.op.swap(), literal(&binary.left))
                } else {
                    continue;
                };
                let (Some(op), Some(value)) = (op, value) else {
                    continue;
                };
                limits = limits.and(match op {
                    Operator::Eq => Range::new(value, value),
                    // Wider by one than it need be, which is simpler than to look at the ends of types.
                    Operator::Gt | Operator::GtEq => Range {
                        min: Some(value),
                        max: None,
                    },
                    Operator::Lt | Operator::LtEq => Range {
                        min: None,
                        max: Some(value),
                    },
                    _ => Range::default(),
                });
            }
            Expr::Between(between) if !between.negated && is_column(&between.expr) => {
                limits = limits.and(Range {
                    min: literal(&between.low),
                    max: literal(&between.high),
                });
            }
            _ => {}
        }
    }
    limits
}

pub(crate) fn integer(value: &ScalarValue) -> Option<i128> {
    match value {
        ScalarValue::Int8(value) => value.map(i128::from),
        ScalarValue::Int16(value) => value.map(i128::from),
        ScalarValue::Int32(value) => value.map(i128::from),
        ScalarValue::Int64(value) => value.map(i128::from),
        ScalarValue::UInt8(value) => value.map(i128::from),
        ScalarValue::UInt16(value) => value.map(i128::from),
        ScalarValue::UInt32(value) => value.map(i128::from),
        ScalarValue::UInt64(value) => value.map(i128::from),
        _ => None,
    }
}

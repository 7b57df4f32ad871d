//! What a plan proves about its rows, so that nobody has to look at them.
//!
//! Nothing here trusts what a table declares about its keys; that a column is declared not null is
//! trusted, because the engine and the file formats hold to it.

use std::collections::{BTreeMap, BTreeSet};

use datafusion_common::{Column, DFSchema, JoinType, NullEquality, ScalarValue};
use datafusion_expr::{Aggregate, Distinct, Expr, Join, LogicalPlan, Operator, TableScan};

use crate::range::{Range, integer};

/// Whether no row of `plan` can have a null in the column at `position`: its type says so, a filter
/// or an inner join lets no null through, or all of that is true of the columns that it stands for.
///
/// `false` means that it is not proved, not that there are nulls.
pub fn proves_not_null(plan: &LogicalPlan, position: usize) -> bool {
    proves_not_null_knowing(plan, position, &Facts::default())
}

/// What is known of the rows of tables, beyond their types: from the statistics of exactly the files
/// that will be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Columns without nulls, by table and column.
    not_null: BTreeSet<(String, String)>,
    /// The least and the greatest integer of columns, by table and column.
    ranges: BTreeMap<(String, String), (i128, i128)>,
}

impl Facts {
    /// That no row of a table, as the plan calls it, has a null in this column.
    pub fn add_not_null(&mut self, table: impl Into<String>, column: impl Into<String>) {
        self.not_null.insert((table.into(), column.into()));
    }

    /// That every value of an integer column of a table, as the plan calls it, is at least `min` and at
    /// most `max`, nulls aside.
    pub fn add_range(
        &mut self,
        table: impl Into<String>,
        column: impl Into<String>,
        min: &ScalarValue,
        max: &ScalarValue,
    ) {
        if let (Some(min), Some(max)) = (integer(min), integer(max)) {
            self.ranges
                .insert((table.into(), column.into()), (min, max));
        }
    }

    /// Between what the values of a column of a scan lie.
    pub(crate) fn range(&self, scan: &TableScan, position: usize) -> Option<Range> {
        let field = scan.projected_schema.fields().get(position)?;
        let names = (scan.table_name.to_string(), field.name().clone());
        self.ranges.get(&names).map(|(min, max)| Range {
            min: Some(*min),
            max: Some(*max),
        })
    }

    fn is_not_null(&self, scan: &TableScan, position: usize) -> bool {
        let fields = scan.projected_schema.fields();
        fields.get(position).is_some_and(|field| {
            let names = (scan.table_name.to_string(), field.name().clone());
            self.not_null.contains(&names)
        })
    }
}

/// As [`proves_not_null`], with what is known of the tables.
pub(crate) fn proves_not_null_knowing(plan: &LogicalPlan, position: usize, facts: &Facts) -> bool {
    let mut pending = vec![(plan, position)];
    while let Some((plan, position)) = pending.pop() {
        match not_null(plan, position, facts) {
            Step::Proved => {}
            Step::IfAll(rest) => pending.extend(rest),
            Step::Unproved => return false,
        }
    }
    true
}

/// Whether no two rows of `plan` can agree in the columns at `positions`: these are all keys of a
/// `GROUP BY` or of a `DISTINCT`, there is at most one row, or all of that is true further down and
/// no join repeats rows on the way.
///
/// Nulls count as equal. `false` means that it is not proved.
pub fn proves_unique(plan: &LogicalPlan, positions: &[usize]) -> bool {
    let mut pending = vec![(plan, positions.to_vec())];
    while let Some((plan, positions)) = pending.pop() {
        match unique(plan, &positions) {
            Step::Proved => {}
            Step::IfAll(rest) => pending.extend(rest),
            Step::Unproved => return false,
        }
    }
    true
}

enum Step<T> {
    Proved,
    /// It is true if all of these are.
    IfAll(Vec<T>),
    Unproved,
}

impl<T> Step<T> {
    fn if_one(one: Option<T>) -> Self {
        one.map_or(Self::Unproved, |one| Self::IfAll(vec![one]))
    }
}

fn not_null<'p>(
    plan: &'p LogicalPlan,
    position: usize,
    facts: &Facts,
) -> Step<(&'p LogicalPlan, usize)> {
    if let Some(schema) = own_schema(plan)
        && let Some(field) = schema.fields().get(position)
        && !field.is_nullable()
    {
        return Step::Proved;
    }
    match plan {
        LogicalPlan::Filter(filter) => {
            if lets_no_null_through(&filter.predicate, schema(plan), position) {
                Step::Proved
            } else {
                Step::IfAll(vec![(&filter.input, position)])
            }
        }
        LogicalPlan::Projection(projection) => Step::if_one(same_column(
            projection.expr.get(position),
            &projection.input,
        )),
        LogicalPlan::Aggregate(aggregate) => {
            let key = group_keys(aggregate).and_then(|keys| keys.get(position));
            Step::if_one(same_column(key, &aggregate.input))
        }
        LogicalPlan::Join(join) => not_null_in_join(join, position),
        LogicalPlan::Union(union) => Step::IfAll(
            union
                .inputs
                .iter()
                .map(|it| (it.as_ref(), position))
                .collect(),
        ),
        LogicalPlan::Window(window) => {
            let width = schema(&window.input).fields().len();
            Step::if_one((position < width).then_some((window.input.as_ref(), position)))
        }
        LogicalPlan::Sort(sort) => Step::IfAll(vec![(&sort.input, position)]),
        LogicalPlan::Limit(limit) => Step::IfAll(vec![(&limit.input, position)]),
        LogicalPlan::Repartition(it) => Step::IfAll(vec![(&it.input, position)]),
        LogicalPlan::SubqueryAlias(alias) => Step::IfAll(vec![(&alias.input, position)]),
        LogicalPlan::Distinct(Distinct::All(input)) => Step::IfAll(vec![(input, position)]),
        LogicalPlan::Distinct(Distinct::On(on)) => {
            Step::if_one(same_column(on.select_expr.get(position), &on.input))
        }
        LogicalPlan::EmptyRelation(empty) if !empty.produce_one_row => Step::Proved,
        LogicalPlan::TableScan(scan) if facts.is_not_null(scan, position) => Step::Proved,
        LogicalPlan::EmptyRelation(_)
        | LogicalPlan::TableScan(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::Statement(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::Explain(_)
        | LogicalPlan::Analyze(_)
        | LogicalPlan::Extension(_)
        | LogicalPlan::Dml(_)
        | LogicalPlan::Ddl(_)
        | LogicalPlan::Copy(_)
        | LogicalPlan::DescribeTable(_)
        | LogicalPlan::Unnest(_)
        | LogicalPlan::RecursiveQuery(_) => Step::Unproved,
    }
}

fn not_null_in_join(join: &Join, position: usize) -> Step<(&LogicalPlan, usize)> {
    let left_width = schema(&join.left).fields().len();
    let (on_left, in_left, in_right) = match join.join_type {
        JoinType::Inner => (position < left_width, true, true),
        JoinType::Left => (position < left_width, true, false),
        JoinType::Right => (position < left_width, false, true),
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
            (position < left_width, true, false)
        }
        JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => (false, false, true),
        JoinType::Full => return Step::Unproved,
    };
    let right_only = matches!(
        join.join_type,
        JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark
    );
    let (side, position, kept) = match (on_left, right_only) {
        (true, _) => (&join.left, position, in_left),
        (false, true) => (&join.right, position, in_right),
        (false, false) => (&join.right, position - left_width, in_right),
    };
    if !kept || position >= schema(side).fields().len() {
        return Step::Unproved;
    }
    // Only what matches is left, and null matches nothing.
    let matched = matches!(
        join.join_type,
        JoinType::Inner | JoinType::LeftSemi | JoinType::RightSemi
    );
    let is_key = join.on.iter().any(|(left, right)| {
        let key = if on_left { left } else { right };
        position_of(key, schema(side)) == Some(position)
    });
    let is_key = is_key && join.null_equality == NullEquality::NullEqualsNothing;
    let filter = join.filter.as_ref();
    let is_filtered =
        || filter.is_some_and(|filter| lets_no_null_through(filter, schema(side), position));
    if matched && (is_key || is_filtered()) {
        Step::Proved
    } else {
        Step::IfAll(vec![(side, position)])
    }
}

fn unique<'p>(plan: &'p LogicalPlan, positions: &[usize]) -> Step<(&'p LogicalPlan, Vec<usize>)> {
    let same = |input: &'p LogicalPlan| Step::IfAll(vec![(input, positions.to_vec())]);
    match plan {
        LogicalPlan::Aggregate(aggregate) => {
            let keys = group_keys(aggregate);
            proved_if(keys.is_some_and(|keys| (0..keys.len()).all(|key| positions.contains(&key))))
        }
        LogicalPlan::Distinct(Distinct::All(input)) => {
            let width = schema(input).fields().len();
            if (0..width).all(|column| positions.contains(&column)) {
                Step::Proved
            } else {
                same(input)
            }
        }
        LogicalPlan::Distinct(Distinct::On(on)) => {
            let selected = |key: &Expr| {
                let of_key = position_of(key, schema(&on.input));
                let mut columns = positions.iter().filter_map(|&at| on.select_expr.get(at));
                of_key.is_some()
                    && columns.any(|column| position_of(column, schema(&on.input)) == of_key)
            };
            proved_if(on.on_expr.iter().all(selected))
        }
        LogicalPlan::Projection(projection) => {
            let below = positions.iter().filter_map(|&at| {
                let (_, below) = same_column(projection.expr.get(at), &projection.input)?;
                Some(below)
            });
            // Columns that are computed can only tell more rows apart.
            Step::IfAll(vec![(projection.input.as_ref(), below.collect())])
        }
        LogicalPlan::Join(join) => unique_in_join(join, positions),
        LogicalPlan::Window(window) => {
            let width = schema(&window.input).fields().len();
            let below = positions.iter().copied().filter(|&at| at < width);
            Step::IfAll(vec![(window.input.as_ref(), below.collect())])
        }
        LogicalPlan::Filter(filter) => same(&filter.input),
        LogicalPlan::Sort(sort) => same(&sort.input),
        LogicalPlan::Limit(limit) => same(&limit.input),
        LogicalPlan::Repartition(repartition) => same(&repartition.input),
        LogicalPlan::SubqueryAlias(alias) => same(&alias.input),
        // None or one.
        LogicalPlan::EmptyRelation(_) => Step::Proved,
        LogicalPlan::Values(values) => proved_if(values.values.len() <= 1),
        LogicalPlan::TableScan(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::Statement(_)
        | LogicalPlan::Explain(_)
        | LogicalPlan::Analyze(_)
        | LogicalPlan::Extension(_)
        | LogicalPlan::Dml(_)
        | LogicalPlan::Ddl(_)
        | LogicalPlan::Copy(_)
        | LogicalPlan::DescribeTable(_)
        | LogicalPlan::Unnest(_)
        | LogicalPlan::RecursiveQuery(_) => Step::Unproved,
    }
}

/// The rows of one side stay different if each of them meets at most one row of the other side.
fn unique_in_join<'p>(join: &'p Join, positions: &[usize]) -> Step<(&'p LogicalPlan, Vec<usize>)> {
    let left_width = schema(&join.left).fields().len();
    let left = || positions.iter().copied().filter(|&at| at < left_width);
    match join.join_type {
        JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
            Step::IfAll(vec![(join.left.as_ref(), left().collect())])
        }
        JoinType::RightSemi | JoinType::RightAnti | JoinType::RightMark => {
            let right_width = schema(&join.right).fields().len();
            let right = positions.iter().copied().filter(|&at| at < right_width);
            Step::IfAll(vec![(join.right.as_ref(), right.collect())])
        }
        JoinType::Inner | JoinType::Left => Step::IfAll(vec![
            (join.left.as_ref(), left().collect()),
            (join.right.as_ref(), right_keys(join)),
        ]),
        JoinType::Right | JoinType::Full => Step::Unproved,
    }
}

/// The keys of groups, which are the first columns of the output. Nothing for grouping sets, which
/// put null in the place of a key, and for keys that stand twice, of which the output has one column.
pub(crate) fn group_keys(aggregate: &Aggregate) -> Option<&[Expr]> {
    let columns = aggregate.schema.fields().len();
    let keys = columns.checked_sub(aggregate.aggr_expr.len())?;
    let plain = !matches!(aggregate.group_expr.first(), Some(Expr::GroupingSet(_)));
    (plain && keys == aggregate.group_expr.len()).then_some(&aggregate.group_expr)
}

/// The columns of the right side that must equal something of the left side: keys, and equalities in
/// the condition, where they stand until the optimizer finds them.
fn right_keys(join: &Join) -> Vec<usize> {
    let (left, right) = (schema(&join.left), schema(&join.right));
    let on = join.on.iter();
    let mut keys: Vec<usize> = on.filter_map(|(_, key)| position_of(key, right)).collect();
    let mut pending: Vec<&Expr> = join.filter.iter().collect();
    while let Some(expr) = pending.pop() {
        let Expr::BinaryExpr(binary) = expr else {
            continue;
        };
        match binary.op {
            Operator::And => pending.extend([binary.left.as_ref(), binary.right.as_ref()]),
            Operator::Eq => {
                for (one, other) in [(&binary.left, &binary.right), (&binary.right, &binary.left)] {
                    if position_of(one, left).is_some() && position_of(one, right).is_none() {
                        keys.extend(position_of(other, right));
                    }
                }
            }
            _ => {}
        }
    }
    keys
}

fn proved_if<T>(proved: bool) -> Step<T> {
    if proved { Step::Proved } else { Step::Unproved }
}

/// The input column that an expression is.
fn same_column<'p>(
    expr: Option<&Expr>,
    input: &'p LogicalPlan,
) -> Option<(&'p LogicalPlan, usize)> {
    Some((input, position_of(expr?, schema(input))?))
}

/// The position of the column that an expression is.
pub(crate) fn position_of(expr: &Expr, schema: &DFSchema) -> Option<usize> {
    let mut expr = expr;
    while let Expr::Alias(alias) = expr {
        expr = &alias.expr;
    }
    match expr {
        Expr::Column(column) => schema.maybe_index_of_column(column),
        // Any other expression computes something.
        _ => None,
    }
}

/// Whether a condition is never true where the column is null.
fn lets_no_null_through(predicate: &Expr, schema: &DFSchema, position: usize) -> bool {
    let is_column = |expr: &Expr| {
        let column: Option<&Column> = expr.try_as_col();
        column.and_then(|column| schema.maybe_index_of_column(column)) == Some(position)
    };
    let mut pending = vec![predicate];
    while let Some(expr) = pending.pop() {
        let proved = match expr {
            Expr::BinaryExpr(binary) => match binary.op {
                Operator::And => {
                    pending.extend([binary.left.as_ref(), binary.right.as_ref()]);
                    false
                }
                Operator::Eq
                | Operator::NotEq
                | Operator::Lt
                | Operator::LtEq
                | Operator::Gt
                | Operator::GtEq => is_column(&binary.left) || is_column(&binary.right),
                _ => false,
            },
            Expr::IsNotNull(expr) => is_column(expr),
            Expr::Between(between) => is_column(&between.expr),
            Expr::Like(like) => is_column(&like.expr),
            Expr::InList(in_list) => !in_list.list.is_empty() && is_column(&in_list.expr),
            // Null is not in an empty subquery, and then it passes `NOT IN`.
            Expr::InSubquery(it) => !it.negated && is_column(&it.expr),
            // Any other condition may be true of null.
            _ => false,
        };
        if proved {
            return true;
        }
    }
    false
}

/// The schema of a plan, however many nodes pass it on.
pub(crate) fn schema(plan: &LogicalPlan) -> &DFSchema {
    let mut plan = plan;
    loop {
        plan = match plan {
            LogicalPlan::Filter(filter) => &filter.input,
            LogicalPlan::Sort(sort) => &sort.input,
            LogicalPlan::Limit(limit) => &limit.input,
            LogicalPlan::Repartition(repartition) => &repartition.input,
            LogicalPlan::Distinct(Distinct::All(input)) => input,
            // All others have one of their own.
            other => return other.schema(),
        };
    }
}

/// The schema of a node that does not pass on that of its input.
fn own_schema(plan: &LogicalPlan) -> Option<&DFSchema> {
    match plan {
        LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Distinct(Distinct::All(_)) => None,
        other => Some(other.schema()),
    }
}

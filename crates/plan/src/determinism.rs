//! How far two runs over the same inputs agree, as far as the plan proves it.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_common::{Column, DFSchema, Dependency};
use datafusion_expr::expr::{
    AggregateFunction, ScalarFunction, Sort as SortExpr, WindowFunction, WindowFunctionDefinition,
};
use datafusion_expr::logical_plan::{Distinct, Sort};
use datafusion_expr::{
    Expr, ExprSchemable, LogicalPlan, Volatility, WindowFrame, WindowFrameUnits,
};
use serde::{Deserialize, Serialize};

mod aggregates;

/// How far two runs of a plan over the same inputs agree. A later class promises less.
///
/// The class is what the plan proves, so it may be too pessimistic and never too optimistic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Determinism {
    /// The same rows in the same order.
    D0,
    /// The same rows, in any order.
    D1,
    /// The same rows within the tolerance of floating-point sums, in any order.
    D2,
    /// Other rows are possible: a volatile function, or a choice among rows that depends on the
    /// order in which they arrive.
    D3,
}

/// What one node or expression promises, and its name.
type Verdict = (Determinism, String);

/// The class of a plan, and the node that decides it.
///
/// Meant for the optimized plan.
pub fn determinism(plan: &LogicalPlan) -> (Determinism, String) {
    let mut worst: Verdict = (
        Determinism::D1,
        "no node depends on the order of rows".to_owned(),
    );
    let mut seen = HashSet::new();
    // The closure returns no error.
    let _ = plan.apply_with_subqueries(|node| {
        // A subquery in an expression is wrapped in a node that lives for this call only.
        let shared = !matches!(node, LogicalPlan::Subquery(_));
        if shared && !seen.insert(std::ptr::from_ref(node).addr()) {
            return Ok(TreeNodeRecursion::Jump);
        }
        each_verdict(node, &mut |verdict| {
            if verdict.0 > worst.0 {
                worst = verdict;
            }
        });
        Ok(TreeNodeRecursion::Continue)
    });
    if worst.0 == Determinism::D1
        && let Some(reason) = total_order(plan)
    {
        return (Determinism::D0, reason);
    }
    worst
}

impl fmt::Display for Determinism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::D0 => "D0",
            Self::D1 => "D1",
            Self::D2 => "D2",
            Self::D3 => "D3",
        })
    }
}

/// What a node itself promises, and each of its expressions.
fn each_verdict(node: &LogicalPlan, found: &mut dyn FnMut(Verdict)) {
    node_verdict(node).into_iter().for_each(&mut *found);
    let inputs = node.inputs();
    let input = inputs.first().copied();
    // The closure returns no error.
    let _ = node.apply_expressions(|expr| {
        expr.apply(|expr| {
            expr_verdict(expr, input).into_iter().for_each(&mut *found);
            Ok(TreeNodeRecursion::Continue)
        })
    });
}

fn node_verdict(node: &LogicalPlan) -> Option<Verdict> {
    let order = |what: &str| Some((Determinism::D3, what.to_owned()));
    match node {
        LogicalPlan::Sort(sort) if sort.fetch.is_some() && !is_total(sort) => {
            order("LIMIT takes any of the rows that its ORDER BY leaves equal")
        }
        LogicalPlan::Limit(limit) if total_order(&limit.input).is_none() => {
            order("LIMIT takes any rows: what it reads has no total order")
        }
        LogicalPlan::TableScan(scan) if scan.fetch.is_some() => {
            order("LIMIT takes any rows of a table")
        }
        LogicalPlan::TableScan(scan) if scan.table_name.table().ends_with("()") => {
            let name = scan.table_name.table();
            Some((Determinism::D3, format!("table function {name}")))
        }
        LogicalPlan::Distinct(Distinct::On(_)) => order("DISTINCT ON keeps any row of a group"),
        LogicalPlan::Extension(extension) => {
            let name = extension.node.name();
            Some((Determinism::D3, format!("extension node {name}")))
        }
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::TableScan(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::Distinct(Distinct::All(_))
        | LogicalPlan::Unnest(_)
        | LogicalPlan::RecursiveQuery(_) => None,
        LogicalPlan::Statement(_)
        | LogicalPlan::Explain(_)
        | LogicalPlan::Analyze(_)
        | LogicalPlan::Dml(_)
        | LogicalPlan::Ddl(_)
        | LogicalPlan::Copy(_)
        | LogicalPlan::DescribeTable(_) => {
            Some((Determinism::D3, "a statement that is no query".to_owned()))
        }
    }
}

fn expr_verdict(expr: &Expr, input: Option<&LogicalPlan>) -> Option<Verdict> {
    if let Expr::ScalarVariable(_, names) = expr {
        let name = names.join(".");
        return Some((Determinism::D3, format!("session variable {name}")));
    }
    if let Expr::HigherOrderFunction(function) = expr {
        return volatile(function.func.name(), function.func.signature().volatility);
    }
    if let Expr::ScalarFunction(ScalarFunction { func, .. }) = expr {
        return volatile(func.name(), func.signature().volatility);
    }
    if let Expr::AggregateFunction(function) = expr {
        let signature = function.func.signature();
        return volatile(function.func.name(), signature.volatility)
            .or_else(|| aggregate_verdict(expr, function, input));
    }
    if let Expr::WindowFunction(function) = expr {
        return volatile(function.fun.name(), function.fun.signature().volatility)
            .or_else(|| window_verdict(expr, function, input));
    }
    None
}

/// What a function promises by its volatility. The optimizer replaces most stable functions by
/// their value; one that is left has another value in another run.
fn volatile(name: &str, volatility: Volatility) -> Option<Verdict> {
    match volatility {
        Volatility::Immutable => None,
        Volatility::Stable => Some((Determinism::D3, format!("function {name} of the run"))),
        Volatility::Volatile => Some((Determinism::D3, format!("volatile function {name}"))),
    }
}

fn aggregate_verdict(
    expr: &Expr,
    function: &AggregateFunction,
    input: Option<&LogicalPlan>,
) -> Option<Verdict> {
    let name = function.func.name();
    match aggregates::trait_of(name) {
        aggregates::Trait::Exact => None,
        aggregates::Trait::Sum => float_verdict(name, expr, input),
        aggregates::Trait::OrderSensitive => {
            let keys = &function.params.order_by;
            let args = &function.params.args;
            let settled = args.iter().all(|arg| {
                let arg = unaliased(arg);
                matches!(arg, Expr::Literal(..))
                    || keys.iter().any(|key| unaliased(&key.expr) == arg)
            });
            (!settled).then(|| {
                let what = format!("{name} depends on the order in which rows arrive");
                (Determinism::D3, what)
            })
        }
        aggregates::Trait::Unknown => {
            let what = format!("{name} may depend on the order in which rows arrive");
            Some((Determinism::D3, what))
        }
    }
}

/// Sums of floats depend in their last digits on the order of addition.
fn float_verdict(name: &str, expr: &Expr, input: Option<&LogicalPlan>) -> Option<Verdict> {
    let exact = input
        .and_then(|input| expr.get_type(schema_of(input)).ok())
        .is_some_and(|data_type| data_type.is_integer() || data_type.is_decimal());
    (!exact).then(|| {
        (
            Determinism::D2,
            format!("{name} over floating-point numbers"),
        )
    })
}

fn window_verdict(
    expr: &Expr,
    function: &WindowFunction,
    input: Option<&LogicalPlan>,
) -> Option<Verdict> {
    let params = &function.params;
    let name = function.fun.name();
    let keys = params
        .partition_by
        .iter()
        .chain(params.order_by.iter().map(|key| &key.expr));
    let total = input.is_some_and(|input| determines_rows(keys, input));
    let order = || {
        let what = format!("{name} depends on the order of rows that its window leaves equal");
        Some((Determinism::D3, what))
    };
    match &function.fun {
        WindowFunctionDefinition::WindowUDF(_) => {
            let ranks = ["rank", "dense_rank", "percent_rank", "cume_dist"];
            if total || ranks.contains(&name) {
                None
            } else {
                order()
            }
        }
        WindowFunctionDefinition::AggregateUDF(_) => match aggregates::trait_of(name) {
            _ if !total && !takes_whole_peer_groups(&params.window_frame) => order(),
            aggregates::Trait::Exact => None,
            aggregates::Trait::Sum => float_verdict(name, expr, input),
            aggregates::Trait::OrderSensitive if total => None,
            aggregates::Trait::OrderSensitive | aggregates::Trait::Unknown => order(),
        },
    }
}

/// Whether rows that the window's order leaves equal are always in the frame together.
fn takes_whole_peer_groups(frame: &WindowFrame) -> bool {
    match frame.units {
        WindowFrameUnits::Range | WindowFrameUnits::Groups => true,
        WindowFrameUnits::Rows => {
            frame.start_bound.is_unbounded() && frame.end_bound.is_unbounded()
        }
    }
}

/// Why a plan's rows come in one order only, if they do.
fn total_order(plan: &LogicalPlan) -> Option<String> {
    let mut plan = plan;
    loop {
        if let LogicalPlan::Projection(projection) = plan {
            plan = &projection.input;
        } else if let LogicalPlan::SubqueryAlias(alias) = plan {
            plan = &alias.input;
        } else if let LogicalPlan::Limit(limit) = plan {
            plan = &limit.input;
        } else if let LogicalPlan::Sort(sort) = plan {
            return is_total(sort).then(|| "ORDER BY leaves no two rows equal".to_owned());
        } else if let LogicalPlan::Aggregate(aggregate) = plan {
            return aggregate
                .group_expr
                .is_empty()
                .then(|| "an aggregate without groups gives one row".to_owned());
        } else if let LogicalPlan::EmptyRelation(_) = plan {
            return Some("at most one row".to_owned());
        } else {
            return None;
        }
    }
}

fn is_total(sort: &Sort) -> bool {
    let keys = sort.expr.iter().map(|SortExpr { expr, .. }| expr);
    determines_rows(keys, &sort.input)
}

/// Whether rows of the input that agree in the keys agree in all columns.
fn determines_rows<'e>(keys: impl Iterator<Item = &'e Expr>, input: &LogicalPlan) -> bool {
    let schema = schema_of(input);
    let mut ordinals: BTreeSet<usize> = keys
        .filter_map(|key| schema.maybe_index_of_column(as_column(key)?))
        .collect();
    let mut plan = input;
    loop {
        if holds_key(&ordinals, schema_of(plan)) {
            return true;
        }
        if let LogicalPlan::SubqueryAlias(alias) = plan {
            plan = &alias.input;
        } else if let LogicalPlan::Filter(filter) = plan {
            plan = &filter.input;
        } else if let LogicalPlan::Sort(sort) = plan {
            plan = &sort.input;
        } else if let LogicalPlan::Limit(limit) = plan {
            plan = &limit.input;
        } else if let LogicalPlan::Projection(projection) = plan {
            let schema = schema_of(&projection.input);
            ordinals = ordinals
                .into_iter()
                .filter_map(|ordinal| {
                    let column = as_column(projection.expr.get(ordinal)?)?;
                    schema.maybe_index_of_column(column)
                })
                .collect();
            plan = &projection.input;
        } else if let LogicalPlan::Aggregate(aggregate) = plan {
            let sets = aggregate
                .group_expr
                .iter()
                .any(|expr| matches!(expr, Expr::GroupingSet(_)));
            // Groups differ in their keys; a null is one group.
            return !sets
                && (0..aggregate.group_expr.len()).all(|ordinal| ordinals.contains(&ordinal));
        } else {
            return false;
        }
    }
}

/// Whether columns are all columns of a schema, or hold a key by its functional dependencies.
fn holds_key(ordinals: &BTreeSet<usize>, schema: &DFSchema) -> bool {
    let width = schema.fields().len();
    let all = |targets: &[usize]| (0..width).all(|ordinal| targets.contains(&ordinal));
    ordinals.len() == width
        || schema.functional_dependencies().iter().any(|dependency| {
            dependency.mode == Dependency::Single
                && !dependency.nullable
                && all(&dependency.target_indices)
                && dependency
                    .source_indices
                    .iter()
                    .all(|source| ordinals.contains(source))
        })
}

fn unaliased(expr: &Expr) -> &Expr {
    let mut expr = expr;
    while let Expr::Alias(alias) = expr {
        expr = &alias.expr;
    }
    expr
}

fn as_column(expr: &Expr) -> Option<&Column> {
    if let Expr::Column(column) = unaliased(expr) {
        Some(column)
    } else {
        None
    }
}

/// The schema of a plan. `LogicalPlan::schema` recurses through nodes that keep their input's, and
/// a plan may be deep.
pub(crate) fn schema_of(plan: &LogicalPlan) -> &DFSchema {
    let mut plan = plan;
    loop {
        if let LogicalPlan::Filter(filter) = plan {
            plan = &filter.input;
        } else if let LogicalPlan::Sort(sort) = plan {
            plan = &sort.input;
        } else if let LogicalPlan::Limit(limit) = plan {
            plan = &limit.input;
        } else if let LogicalPlan::Repartition(repartition) = plan {
            plan = &repartition.input;
        } else if let LogicalPlan::Distinct(Distinct::All(input)) = plan {
            plan = input;
        } else if let LogicalPlan::Subquery(subquery) = plan {
            plan = &subquery.subquery;
        } else {
            return plan.schema();
        }
    }
}

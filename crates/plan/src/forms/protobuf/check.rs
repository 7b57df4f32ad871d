//! What is refused in a decoded message before the engine makes a plan of it.
//!
//! The engine's decoder trusts its input: it opens folders for a scan of files, enumerates the
//! subsets of a cube, and makes a tree as deep as a list of operands is long.

use datafusion_proto::protobuf::logical_expr_node::ExprType;
use datafusion_proto::protobuf::logical_plan_node::LogicalPlanType;
use datafusion_proto::protobuf::repartition_node::PartitionMethod;
use datafusion_proto::protobuf::{LogicalExprNode, LogicalPlanNode, SortExprNode, WhenThen};

use super::value::{data_type, field, scalar, schema};
use crate::forms::guard::Reason;

/// Levels of the plan that a message may make. The dropping of a plan recurses through them.
const MAX_DEPTH: usize = 10_000;

/// Columns of a cube: twelve have 4,096 subsets.
const MAX_CUBE: usize = 12;

type Checked = Result<usize, Reason>;

/// Checks a message. The recursion is as deep as the message, which its decoder has limited.
pub(super) fn check(node: &LogicalPlanNode) -> Result<(), Reason> {
    plan(node).map(drop)
}

/// The depth of the plan that a node makes.
fn plan(node: &LogicalPlanNode) -> Checked {
    let Some(node) = &node.logical_plan_type else {
        return Err("a node of the plan is empty".to_owned());
    };
    let depth = match node {
        LogicalPlanType::Projection(n) => input(&n.input)?.max(exprs(&n.expr)?),
        LogicalPlanType::Selection(n) => input(&n.input)?.max(boxed(&n.expr)?),
        LogicalPlanType::Limit(n) => input(&n.input)?,
        LogicalPlanType::Aggregate(n) => input(&n.input)?
            .max(exprs(&n.group_expr)?)
            .max(exprs(&n.aggr_expr)?),
        LogicalPlanType::Join(n) => input(&n.left)?
            .max(input(&n.right)?)
            .max(exprs(&n.left_join_key)?)
            .max(exprs(&n.right_join_key)?)
            .max(boxed(&n.filter)?),
        LogicalPlanType::Sort(n) => input(&n.input)?.max(sorts(&n.expr)?),
        LogicalPlanType::Repartition(n) => {
            let partitions = match &n.partition_method {
                Some(PartitionMethod::Hash(hash)) => exprs(&hash.hash_expr)?,
                Some(PartitionMethod::Range(range)) => {
                    for value in range.split_point.iter().flat_map(|point| &point.value) {
                        scalar(value)?;
                    }
                    sorts(&range.sort_expr)?
                }
                Some(PartitionMethod::RoundRobin(_)) | None => 0,
            };
            input(&n.input)?.max(partitions)
        }
        LogicalPlanType::EmptyRelation(_) => 0,
        LogicalPlanType::Window(n) => input(&n.input)?.max(exprs(&n.window_expr)?),
        LogicalPlanType::CrossJoin(n) => input(&n.left)?.max(input(&n.right)?),
        LogicalPlanType::Values(n) => {
            if n.n_cols == 0 {
                return Err("VALUES without columns".to_owned());
            }
            exprs(&n.values_list)?
        }
        // The builder puts one union into the other.
        LogicalPlanType::Union(n) => all(n.inputs.iter().map(plan))? + n.inputs.len(),
        LogicalPlanType::SubqueryAlias(n) => input(&n.input)?,
        LogicalPlanType::Distinct(n) => input(&n.input)?,
        LogicalPlanType::CustomScan(n) => {
            schema(n.schema.as_ref())?;
            exprs(&n.filters)?
        }
        LogicalPlanType::DistinctOn(n) => input(&n.input)?
            .max(exprs(&n.on_expr)?)
            .max(exprs(&n.select_expr)?)
            .max(sorts(&n.sort_expr)?),
        LogicalPlanType::Unnest(n) => input(&n.input)?,
        LogicalPlanType::RecursiveQuery(n) => input(&n.static_term)?.max(input(&n.recursive_term)?),
        LogicalPlanType::CteWorkTableScan(n) => {
            schema(n.schema.as_ref())?;
            0
        }
        LogicalPlanType::ListingScan(_)
        | LogicalPlanType::ViewScan(_)
        | LogicalPlanType::EmptyTableScan(_) => return refused("a table that brings itself along"),
        LogicalPlanType::Extension(_) => return refused("an extension node"),
        LogicalPlanType::CreateExternalTable(_)
        | LogicalPlanType::Explain(_)
        | LogicalPlanType::Analyze(_)
        | LogicalPlanType::CreateCatalogSchema(_)
        | LogicalPlanType::CreateCatalog(_)
        | LogicalPlanType::CreateView(_)
        | LogicalPlanType::Prepare(_)
        | LogicalPlanType::DropView(_)
        | LogicalPlanType::CopyTo(_)
        | LogicalPlanType::Dml(_) => return refused("a statement that is no query"),
    };
    above(depth)
}

/// The depth of the expression that a node makes.
fn expr(node: &LogicalExprNode) -> Checked {
    let Some(node) = &node.expr_type else {
        return Err("an expression of the plan is empty".to_owned());
    };
    let depth = match node {
        ExprType::Column(_) => 0,
        ExprType::Alias(n) => boxed(&n.expr)?,
        ExprType::Literal(value) => {
            scalar(value)?;
            0
        }
        // A list of operands becomes a nest.
        ExprType::BinaryExpr(n) => exprs(&n.operands)? + n.operands.len(),
        ExprType::IsNullExpr(n) => boxed(&n.expr)?,
        ExprType::IsNotNullExpr(n) => boxed(&n.expr)?,
        ExprType::NotExpr(n) => boxed(&n.expr)?,
        ExprType::Between(n) => boxed(&n.expr)?.max(boxed(&n.low)?).max(boxed(&n.high)?),
        ExprType::Case(n) => boxed(&n.expr)?
            .max(boxed(&n.else_expr)?)
            .max(all(n.when_then_expr.iter().map(when_then))?),
        ExprType::Cast(n) => {
            data_type(n.arrow_type.as_ref())?;
            boxed(&n.expr)?
        }
        ExprType::TryCast(n) => {
            data_type(n.arrow_type.as_ref())?;
            boxed(&n.expr)?
        }
        ExprType::Negative(n) => boxed(&n.expr)?,
        ExprType::InList(n) => boxed(&n.expr)?.max(exprs(&n.list)?),
        ExprType::Wildcard(_) => return refused("a wildcard"),
        ExprType::WindowExpr(n) => exprs(&n.exprs)?
            .max(exprs(&n.partition_by)?)
            .max(sorts(&n.order_by)?)
            .max(boxed(&n.filter)?),
        ExprType::AggregateUdfExpr(n) => exprs(&n.args)?
            .max(boxed(&n.filter)?)
            .max(sorts(&n.order_by)?),
        ExprType::ScalarUdfExpr(n) => exprs(&n.args)?,
        ExprType::GroupingSet(n) => all(n.expr.iter().map(|set| exprs(&set.expr)))?,
        ExprType::Cube(n) => {
            if n.expr.len() > MAX_CUBE {
                return refused("a cube of very many columns");
            }
            exprs(&n.expr)?
        }
        ExprType::Rollup(n) => exprs(&n.expr)?,
        ExprType::IsTrue(n) => boxed(&n.expr)?,
        ExprType::IsFalse(n) => boxed(&n.expr)?,
        ExprType::IsUnknown(n) => boxed(&n.expr)?,
        ExprType::IsNotTrue(n) => boxed(&n.expr)?,
        ExprType::IsNotFalse(n) => boxed(&n.expr)?,
        ExprType::IsNotUnknown(n) => boxed(&n.expr)?,
        ExprType::Like(n) => boxed(&n.expr)?.max(boxed(&n.pattern)?),
        ExprType::Ilike(n) => boxed(&n.expr)?.max(boxed(&n.pattern)?),
        ExprType::SimilarTo(n) => boxed(&n.expr)?.max(boxed(&n.pattern)?),
        ExprType::Placeholder(n) => {
            data_type(n.data_type.as_ref())?;
            0
        }
        ExprType::Unnest(n) => exprs(&n.exprs)?,
        ExprType::ScalarSubqueryExpr(n) => match &n.subquery {
            Some(subquery) => input(&subquery.subquery)?.max(exprs(&subquery.outer_ref_columns)?),
            None => 0,
        },
        ExprType::HigherOrderUdfExpr(n) => exprs(&n.args)?,
        ExprType::Lambda(n) => boxed(&n.body)?,
        ExprType::LambdaVariable(n) => {
            if let Some(n) = &n.field {
                field(n)?;
            }
            0
        }
    };
    above(depth)
}

fn refused(what: &str) -> Checked {
    Err(format!("{what} is not read from a kept plan"))
}

fn above(depth: usize) -> Checked {
    if depth >= MAX_DEPTH {
        return Err(format!("the plan has more than {MAX_DEPTH} levels"));
    }
    Ok(depth + 1)
}

fn all(depths: impl Iterator<Item = Checked>) -> Checked {
    let mut deepest = 0;
    for depth in depths {
        deepest = deepest.max(depth?);
    }
    Ok(deepest)
}

fn input(node: &Option<Box<LogicalPlanNode>>) -> Checked {
    node.as_deref().map_or(Ok(0), plan)
}

fn boxed(node: &Option<Box<LogicalExprNode>>) -> Checked {
    node.as_deref().map_or(Ok(0), expr)
}

fn exprs(nodes: &[LogicalExprNode]) -> Checked {
    all(nodes.iter().map(expr))
}

fn sorts(nodes: &[SortExprNode]) -> Checked {
    all(nodes.iter().filter_map(|sort| sort.expr.as_ref()).map(expr))
}

fn when_then(node: &WhenThen) -> Checked {
    let part = |node: &Option<LogicalExprNode>| node.as_ref().map_or(Ok(0), expr);
    Ok(part(&node.when_expr)?.max(part(&node.then_expr)?))
}

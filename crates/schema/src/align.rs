//! Rows of one schema as rows of another.

use arrow_schema::{DataType, Schema};
use codeanatomy_vocab::{Error, Errors, nearest};
use datafusion_common::arrow::compute::can_cast_types;
use datafusion_common::{Column, ScalarValue};
use datafusion_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit, try_cast};

use crate::{codes, path, types};

/// What becomes of a value that its new type cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CastPolicy {
    /// The run fails there.
    #[default]
    Raise,
    /// It becomes null.
    Null,
    /// Its row is left out.
    Filter,
}

/// The rows of `plan` with the columns of `target`: by name, in the order of `target`, cast to its
/// types, and null where `plan` has no column of the name. Other columns are left out.
///
/// The names of the output have no qualifiers. A nullable column stays nullable, even if `target`
/// says that it must not be null; to find out whether it is, see [`validate`](crate::validate).
/// Rows keep their order.
///
/// # Errors
///
/// All at once: [`CA-SCHEMA-0102`](codes::CANNOT_ALIGN) for a column whose type cannot be cast and
/// for a missing one that must not be null; [`CA-SCHEMA-0103`](codes::NO_PLAN) where the engine makes
/// no plan of it.
pub fn align_to_schema(
    plan: &LogicalPlan,
    target: &Schema,
    policy: CastPolicy,
) -> Result<LogicalPlan, Errors> {
    let mut errors = Vec::new();
    let mut exprs = Vec::with_capacity(target.fields().len());
    let mut castable = Vec::new();
    let names: Vec<&str> = plan
        .schema()
        .fields()
        .iter()
        .map(|it| it.name().as_str())
        .collect();
    for field in target.fields() {
        let Some(position) = names.iter().position(|name| name == field.name()) else {
            if field.is_nullable() {
                match ScalarValue::try_from(field.data_type()) {
                    Ok(null) => exprs.push(lit(null).alias(field.name())),
                    Err(source) => errors.push(no_plan(source)),
                }
            } else {
                errors.push(missing(field.name(), field.data_type(), &names));
            }
            continue;
        };
        let (column, from) = column_at(plan, position);
        let to = field.data_type();
        if from == *to {
            exprs.push(column.alias(field.name()));
        } else if can_cast_types(&from, to) {
            exprs.push(match policy {
                CastPolicy::Raise => cast(column, to.clone()).alias(field.name()),
                CastPolicy::Null | CastPolicy::Filter => {
                    let value = try_cast(column.clone(), to.clone());
                    castable.push(column.is_null().or(value.clone().is_not_null()));
                    value.alias(field.name())
                }
            });
        } else {
            errors.push(uncastable(field.name(), &from, to));
        }
    }
    let exprs = Errors::check(errors, exprs)?;
    let mut builder = LogicalPlanBuilder::from(plan.clone());
    if policy == CastPolicy::Filter
        && let Some(condition) = balanced(castable, Expr::and)
    {
        builder = builder.filter(condition).map_err(no_plan)?;
    }
    let aligned = builder.project(exprs).and_then(LogicalPlanBuilder::build);
    aligned.map_err(|source| no_plan(source).into())
}

/// The column of a plan at a position, with its type.
pub(crate) fn column_at(plan: &LogicalPlan, position: usize) -> (Expr, DataType) {
    let (qualifier, field) = plan.schema().qualified_field(position);
    let column = Column::new(qualifier.cloned(), field.name());
    (Expr::Column(column), field.data_type().clone())
}

/// Many conditions as one whose depth grows with the logarithm of their number: the engine passes
/// expressions by recursion.
pub(crate) fn balanced(
    conditions: impl IntoIterator<Item = Expr>,
    join: fn(Expr, Expr) -> Expr,
) -> Option<Expr> {
    let mut layer: Vec<Expr> = conditions.into_iter().collect();
    while layer.len() > 1 {
        let mut pairs = layer.into_iter();
        let mut next = Vec::new();
        while let Some(one) = pairs.next() {
            next.push(match pairs.next() {
                Some(other) => join(one, other),
                None => one,
            });
        }
        layer = next;
    }
    layer.pop()
}

pub(crate) fn no_plan(source: datafusion_common::DataFusionError) -> Error {
    Error::new(codes::NO_PLAN, "the engine makes no plan for these rows")
        .with_source(source)
        .with_help("please report it, with the contract and the types of the columns")
}

fn missing(name: &str, data_type: &DataType, names: &[&str]) -> Error {
    let message = format!(
        "column `{}` is missing, and must not be null",
        path::segment(name)
    );
    Error::new(codes::CANNOT_ALIGN, message)
        .with("column", name)
        .with_expected(types::describe(data_type))
        .with_nearest(nearest(name, names.iter().copied()))
        .with_help("produce the column, or let it be null")
}

fn uncastable(name: &str, from: &DataType, to: &DataType) -> Error {
    let message = format!(
        "column `{}` is {}, which cannot be cast to {}",
        path::segment(name),
        types::describe(from),
        types::describe(to)
    );
    Error::new(codes::CANNOT_ALIGN, message)
        .with("column", name)
        .with_expected(types::describe(to))
        .with_help("convert the column in the query, or change the schema")
}

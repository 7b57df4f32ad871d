//! Statistics of columns, for whoever looks for the reason of an error.

use std::sync::Arc;

use arrow_schema::DataType;
use codeanatomy_vocab::{Error, Result};
use datafusion_common::Result as PlanResult;
use datafusion_expr::registry::FunctionRegistry;
use datafusion_expr::{AggregateUDF, Expr, LogicalPlan, LogicalPlanBuilder, col, ident, lit};

use crate::align::{column_at, no_plan};

/// What [`column_statistics`] tells of one column: which columns of its one row are about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnStatistics {
    /// The column.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// The output column with the number of rows that are not null there, as `Int64`.
    pub count: String,
    /// The output column with the number of different values without null, as `Int64`; nothing for
    /// types whose values cannot be compared.
    pub distinct: Option<String>,
    /// The output columns with the smallest and the largest value, of the type of the column; null
    /// without values; nothing for types without an order.
    pub extremes: Option<(String, String)>,
}

/// The plan of one row with statistics of all columns of `plan`, and where in the row they stand. The
/// column `rows` is the number of rows, so that `rows` without the count is the number of nulls.
///
/// It reads the rows once. Counting different values keeps them all: for large tables this is a tool
/// for a filter or a sample. `functions` gives `count`, `min` and `max`: the state of a session, for
/// example.
///
/// # Errors
///
/// [`CA-SCHEMA-0103`](crate::codes::NO_PLAN) where the engine makes no plan of it.
pub fn column_statistics(
    plan: &LogicalPlan,
    functions: &dyn FunctionRegistry,
) -> Result<(LogicalPlan, Vec<ColumnStatistics>)> {
    let make = || -> PlanResult<_> {
        let [count, min, max] = ["count", "min", "max"].map(|name| functions.udaf(name));
        let (count, min, max) = (count?, min?, max?);
        let mut exprs = vec![count.call(vec![lit(1_i64)]).alias("rows")];
        let mut columns = Vec::new();
        for (at, field) in plan.schema().fields().iter().enumerate() {
            let (column, data_type) = column_at(plan, at);
            let mut tell = |what: &str, value: Expr| {
                let name = format!("{what}_{at}");
                exprs.push(value.alias(&name));
                name
            };
            let ordered = is_ordered(&data_type);
            columns.push(ColumnStatistics {
                name: field.name().clone(),
                count: tell("count", count.call(vec![column.clone()])),
                distinct: if ordered {
                    Some(tell("distinct", distinct(&count, column.clone())))
                } else {
                    None
                },
                extremes: if ordered {
                    let least = tell("min", min.call(vec![column.clone()]));
                    Some((least, tell("max", max.call(vec![column]))))
                } else {
                    None
                },
                data_type,
            });
        }
        let plan = LogicalPlanBuilder::from(plan.clone())
            .aggregate(Vec::<Expr>::new(), exprs)?
            .build()?;
        Ok((plan, columns))
    };
    make().map_err(no_plan)
}

/// The plan of the most frequent values of a column: `value` and `rows`, most frequent first and then
/// by value, at most `limit`. Null is a value.
///
/// # Errors
///
/// [`CA-SCHEMA-0102`](crate::codes::CANNOT_ALIGN) if there is no such column or its values cannot be
/// compared, [`CA-SCHEMA-0103`](crate::codes::NO_PLAN) where the engine makes no plan of it.
pub fn value_counts(
    plan: &LogicalPlan,
    column: &str,
    limit: usize,
    functions: &dyn FunctionRegistry,
) -> Result<LogicalPlan> {
    let names: Vec<&str> = plan
        .schema()
        .fields()
        .iter()
        .map(|it| it.name().as_str())
        .collect();
    let Some(at) = names.iter().position(|name| *name == column) else {
        let nearest = codeanatomy_vocab::nearest(column, names.iter().copied());
        return Err(refused(column, "there is no such column").with_nearest(nearest));
    };
    let (value, data_type) = column_at(plan, at);
    if !is_ordered(&data_type) {
        return Err(refused(column, "its values cannot be compared"));
    }
    let make = || -> PlanResult<LogicalPlan> {
        let rows = functions.udaf("count")?.call(vec![lit(1_i64)]);
        LogicalPlanBuilder::from(plan.clone())
            .aggregate(vec![value.alias("value")], vec![rows.alias("rows")])?
            .sort(vec![
                col("rows").sort(false, false),
                ident("value").sort(true, true),
            ])?
            .limit(0, Some(limit))?
            .build()
    };
    make().map_err(no_plan)
}

fn distinct(count: &Arc<AggregateUDF>, column: Expr) -> Expr {
    let mut call = count.call(vec![column]);
    if let Expr::AggregateFunction(call) = &mut call {
        call.params.distinct = true;
    }
    call
}

/// Whether values of a type have an order, and so can be told apart and sorted.
fn is_ordered(data_type: &DataType) -> bool {
    match data_type {
        DataType::Dictionary(_, values) => is_ordered(values),
        DataType::Null | DataType::Interval(_) => false,
        other => !other.is_nested(),
    }
}

fn refused(column: &str, why: &str) -> Error {
    Error::new(
        crate::codes::CANNOT_ALIGN,
        format!("the values of `{column}` cannot be counted: {why}"),
    )
    .with("column", column)
    .with_help("name a column of numbers, texts, dates or times")
}

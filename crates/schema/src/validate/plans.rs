//! The plans of a validation.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};
use codeanatomy_vocab::Result;
use datafusion_common::{DataFusionError, Result as PlanResult, ScalarValue};
use datafusion_expr::expr::WindowFunction;
use datafusion_expr::registry::FunctionRegistry;
use datafusion_expr::{
    AggregateUDF, Expr, LogicalPlan, LogicalPlanBuilder, WindowFrame, WindowFrameBound,
    WindowFrameUnits, WindowFunctionDefinition, col, ident, lit, when,
};

use super::checks::{Check, Checks, OpenKey};
use super::{MarkedRows, Outcome, Strictness, Validation, ValidationOptions};
use crate::align::{balanced, column_at, no_plan};

/// What the plans call the number of rows with one key. No column of a table is called so.
const KEY_ROWS: &str = "__codeanatomy_key_rows";

/// `count` and `sum`.
struct Functions {
    count: Arc<AggregateUDF>,
    sum: Arc<AggregateUDF>,
}

pub(super) fn validation(
    plan: &LogicalPlan,
    checks: Checks,
    options: ValidationOptions,
    functions: &dyn FunctionRegistry,
) -> Result<Validation> {
    make(plan, checks, options, functions).map_err(no_plan)
}

pub(super) fn error_schema() -> Schema {
    Schema::new(vec![
        Field::new("error_code", DataType::Utf8, false),
        Field::new("error_column", DataType::Utf8, false),
        Field::new("error_count", DataType::Int64, false),
    ])
}

fn make(
    plan: &LogicalPlan,
    checks: Checks,
    options: ValidationOptions,
    functions: &dyn FunctionRegistry,
) -> PlanResult<Validation> {
    let functions = Functions {
        count: functions.udaf("count")?,
        sum: functions.udaf("sum")?,
    };
    let is_open = |check: &Check| check.outcome == Outcome::Open;
    let counts = if !options.emit_marked_rows && checks.checks.iter().any(is_open) {
        Some(counts(plan, &checks, &functions)?)
    } else {
        None
    };
    let marked = marked(plan, &checks, &functions)?;
    let mut invalid = None;
    if options.emit_invalid_rows {
        invalid = Some(invalid_rows(plan, &marked, &checks, options.max_errors)?);
    }
    let mut errors = None;
    if options.emit_error_table {
        let table = error_table(&checks, counts.as_ref(), options.max_errors)?;
        errors = Some(table);
    }
    let valid = valid_rows(&marked, &checks)?;
    let mut marks = None;
    if options.emit_marked_rows {
        let filters = options.strict == Strictness::Filter;
        marks = Some(if filters {
            marked_rows(&marked, &checks, violated(&checks), true)?
        } else {
            marked_rows(plan, &checks, checks.of_rows.clone(), false)?
        });
    }
    Ok(Validation {
        checks: checks.checks,
        options,
        counts,
        valid,
        invalid,
        errors,
        marked: marks,
    })
}

/// One row: the number of rows, of invalid rows, and of errors for each open check in its order.
fn counts(plan: &LogicalPlan, checks: &Checks, functions: &Functions) -> PlanResult<LogicalPlan> {
    let broken = any(checks.of_rows.iter().map(|(_, violated)| violated.clone()));
    let broken = broken.unwrap_or_else(|| lit(false));
    let broken = if checks.none_valid { lit(true) } else { broken };
    let mut totals = vec![("rows".to_owned(), functions.count(lit(1_i64)))];
    totals.push(("invalid".to_owned(), functions.count_if(broken)?));
    for (number, violated) in &checks.of_rows {
        totals.push((name_of(*number), functions.count_if(violated.clone())?));
    }
    let named = |totals: Vec<(String, Expr)>| totals.into_iter().map(|(name, it)| it.alias(name));
    let Some(OpenKey { number, values, .. }) = &checks.key else {
        let counted = LogicalPlanBuilder::from(plan.clone())
            .aggregate(Vec::<Expr>::new(), named(totals).collect::<Vec<_>>())?;
        return ordered(counted, checks);
    };

    // A key that several rows have: all of them are invalid.
    let key_name = |place: usize| format!("__codeanatomy_key_{place}");
    let names: Vec<String> = totals.iter().map(|(name, _)| name.clone()).collect();
    let groups = values.iter().cloned().enumerate();
    let groups: Vec<Expr> = groups
        .map(|(place, key)| key.alias(key_name(place)))
        .collect();
    let grouped = LogicalPlanBuilder::from(plan.clone())
        .aggregate(groups, named(totals).collect::<Vec<_>>())?;
    let present = (0..values.len()).map(|place| ident(key_name(place)).is_not_null());
    let repeated = present.fold(col("rows").gt(lit(1_i64)), Expr::and);
    let mut sums = Vec::new();
    for name in names {
        let summed = if name == "invalid" {
            when(repeated.clone(), col("rows")).otherwise(col("invalid"))?
        } else {
            col(&name)
        };
        sums.push(functions.sum(summed).alias(name));
    }
    let duplicates = when(repeated, col("rows")).otherwise(lit(0_i64))?;
    sums.push(functions.sum(duplicates).alias(name_of(*number)));
    ordered(grouped.aggregate(Vec::<Expr>::new(), sums)?, checks)
}

/// The counts in the order of the checks, 0 where there was no row to count.
fn ordered(counted: LogicalPlanBuilder, checks: &Checks) -> PlanResult<LogicalPlan> {
    let open = open_checks(checks).into_iter().map(name_of);
    let names = ["rows".to_owned(), "invalid".to_owned()]
        .into_iter()
        .chain(open);
    let mut exprs = Vec::new();
    for name in names {
        let known = when(col(&name).is_not_null(), col(&name)).otherwise(lit(0_i64))?;
        exprs.push(known.alias(name));
    }
    counted.project(exprs)?.build()
}

/// The rows with the number of rows of their key, counted up to the neighbours, where that is open.
/// Looking no further than one row lets the engine forget rows as it goes, instead of keeping all.
fn marked(plan: &LogicalPlan, checks: &Checks, functions: &Functions) -> PlanResult<LogicalPlan> {
    let Some(OpenKey { values, .. }) = &checks.key else {
        return Ok(plan.clone());
    };
    let count = WindowFunctionDefinition::AggregateUDF(Arc::clone(&functions.count));
    let mut window = WindowFunction::new(count, vec![lit(1_i64)]);
    let one = || ScalarValue::UInt64(Some(1));
    window.params.window_frame = WindowFrame::new_bounds(
        WindowFrameUnits::Rows,
        WindowFrameBound::Preceding(one()),
        WindowFrameBound::Following(one()),
    );
    window.params.partition_by.clone_from(values);
    let window = Expr::WindowFunction(Box::new(window)).alias(KEY_ROWS);
    LogicalPlanBuilder::from(plan.clone())
        .window(vec![window])?
        .build()
}

/// What each check that a row can break says of a marked row, in the order of the checks.
fn violated(checks: &Checks) -> Vec<(usize, Expr)> {
    let mut violated = checks.of_rows.clone();
    if let Some(OpenKey { number, .. }) = &checks.key {
        // A key with a null is another error.
        let missing = checks
            .of_rows
            .iter()
            .filter(|(number, _)| checks.checks[*number].code == super::ErrorCode::MissingKeyField);
        let repeated = ident(KEY_ROWS).gt(lit(1_i64));
        let whole = missing.fold(repeated, |repeated, (_, missing)| {
            repeated.and(Expr::Not(Box::new(missing.clone())))
        });
        violated.push((*number, whole));
    }
    violated.sort_by_key(|(number, _)| *number);
    violated
}

fn valid_rows(marked: &LogicalPlan, checks: &Checks) -> PlanResult<LogicalPlan> {
    let mut builder = LogicalPlanBuilder::from(marked.clone());
    let broken = any(violated(checks).into_iter().map(|(_, violated)| violated));
    if checks.none_valid {
        builder = builder.filter(lit(false))?;
    } else if let Some(broken) = broken {
        builder = builder.filter(Expr::Not(Box::new(broken)))?;
    }
    builder.project(checks.columns.clone())?.build()
}

/// The columns of the valid rows of `rows` and a mark for each of `violated`. `keys_marked`: whether
/// these tell of repeated keys.
fn marked_rows(
    rows: &LogicalPlan,
    checks: &Checks,
    violated: Vec<(usize, Expr)>,
    keys_marked: bool,
) -> PlanResult<MarkedRows> {
    let mut columns = checks.columns.clone();
    let n_columns = columns.len();
    let names: Vec<String> = columns
        .iter()
        .map(|it| it.name_for_alias())
        .collect::<PlanResult<_>>()?;
    let key = checks.key.as_ref().filter(|_| !keys_marked).map(|key| {
        let position = |name: &String| names.iter().position(|it| it == name);
        (key.number, key.names.iter().filter_map(position).collect())
    });
    let marks = violated.iter().map(|(number, _)| *number).collect();
    for (number, violated) in violated {
        columns.push(violated.alias(unused(&format!("__codeanatomy_check_{number}"), &names)));
    }
    let plan = LogicalPlanBuilder::from(rows.clone())
        .project(columns)?
        .build()?;
    Ok(MarkedRows {
        plan,
        n_columns,
        marks,
        key,
    })
}

fn invalid_rows(
    plan: &LogicalPlan,
    marked: &LogicalPlan,
    checks: &Checks,
    max_errors: Option<usize>,
) -> PlanResult<LogicalPlan> {
    let mut broken = Vec::new();
    // What the schema tells of every row comes first.
    let of_schema = checks.checks.iter().enumerate().filter(|(_, check)| {
        checks.none_valid
            && check.outcome == Outcome::Broken
            && check.code != super::ErrorCode::ExtraColumn
    });
    broken.extend(of_schema.map(|(number, _)| (number, lit(true))).take(1));
    broken.extend(violated(checks));
    let mut builder = LogicalPlanBuilder::from(marked.clone());
    let any = any(broken.iter().map(|(_, violated)| violated.clone()));
    builder = builder.filter(any.unwrap_or_else(|| lit(false)))?;
    let names: Vec<String> = plan
        .schema()
        .fields()
        .iter()
        .map(|it| it.name().clone())
        .collect();
    let mut columns: Vec<Expr> = (0..names.len())
        .map(|at| column_at(plan, at).0.alias(&names[at]))
        .collect();
    let code = |number: usize| lit(checks.checks[number].code.as_str());
    let column = |number: usize| lit(checks.checks[number].column.clone());
    let first_code = choose(&broken, code, lit(""))?;
    let first_column = choose(&broken, column, lit(""))?;
    columns.push(first_code.alias(unused("error_code", &names)));
    columns.push(first_column.alias(unused("error_column", &names)));
    builder = builder.project(columns)?;
    if let Some(limit) = max_errors {
        builder = builder.limit(0, Some(limit))?;
    }
    builder.build()
}

/// One row for each check that is not kept.
fn error_table(
    checks: &Checks,
    counts: Option<&LogicalPlan>,
    max_errors: Option<usize>,
) -> PlanResult<LogicalPlan> {
    let known = checks.checks.iter().enumerate();
    let rows: Vec<Vec<Expr>> = known
        .filter(|(_, check)| check.outcome != Outcome::Proved)
        .map(|(number, check)| {
            let number = i64::try_from(number).unwrap_or(i64::MAX);
            let broken = i64::from(check.outcome == Outcome::Broken);
            vec![
                lit(number),
                lit(check.code.as_str()),
                lit(check.column.clone()),
                lit(broken),
            ]
        })
        .collect();
    if rows.is_empty() {
        let schema = datafusion_common::DFSchema::try_from(error_schema())?;
        return Ok(LogicalPlan::EmptyRelation(datafusion_expr::EmptyRelation {
            produce_one_row: false,
            schema: Arc::new(schema),
        }));
    }
    let mut builder = LogicalPlanBuilder::values(rows)?.project(vec![
        col("column1").alias("number"),
        col("column2").alias("error_code"),
        col("column3").alias("error_column"),
        col("column4").alias("broken"),
    ])?;
    let mut count = col("broken");
    if let Some(counts) = counts {
        builder = builder.cross_join(counts.clone())?;
        let open = open_checks(checks).into_iter();
        let counted: Vec<(usize, Expr)> = open
            .map(|number| {
                let this = i64::try_from(number).unwrap_or(i64::MAX);
                (number, col("number").eq(lit(this)))
            })
            .collect();
        count = choose(&counted, |number| col(name_of(number)), count)?;
    }
    builder = builder
        .filter(count.clone().gt(lit(0_i64)))?
        .sort(vec![col("number").sort(true, false)])?
        .project(vec![
            col("error_code"),
            col("error_column"),
            count.alias("error_count"),
        ])?;
    if let Some(limit) = max_errors {
        builder = builder.limit(0, Some(limit))?;
    }
    builder.build()
}

/// `CASE` over conditions with what each stands for.
fn choose(
    conditions: &[(usize, Expr)],
    value: impl Fn(usize) -> Expr,
    otherwise: Expr,
) -> PlanResult<Expr> {
    let mut conditions = conditions.iter();
    let Some((number, first)) = conditions.next() else {
        return Ok(otherwise);
    };
    let mut case = when(first.clone(), value(*number));
    for (number, condition) in conditions {
        case = case.when(condition.clone(), value(*number));
    }
    case.otherwise(otherwise)
}

/// The numbers of the open checks.
fn open_checks(checks: &Checks) -> Vec<usize> {
    open_checks_of(&checks.checks).collect()
}

/// The numbers of the open ones of `checks`.
pub(super) fn open_checks_of(checks: &[Check]) -> impl Iterator<Item = usize> + '_ {
    let open = checks.iter().enumerate();
    let open = open.filter(|(_, check)| check.outcome == Outcome::Open);
    open.map(|(number, _)| number)
}

fn name_of(number: usize) -> String {
    format!("errors_{number}")
}

/// A name that no column has.
fn unused(name: &str, taken: &[String]) -> String {
    let mut name = name.to_owned();
    while taken.contains(&name) {
        name.insert(0, '_');
    }
    name
}

fn any(conditions: impl IntoIterator<Item = Expr>) -> Option<Expr> {
    balanced(conditions, Expr::or)
}

impl Functions {
    fn count(&self, value: Expr) -> Expr {
        self.count.call(vec![value])
    }

    fn count_if(&self, condition: Expr) -> Result<Expr, DataFusionError> {
        Ok(self.count(when(condition, lit(1_i64)).end()?))
    }

    fn sum(&self, value: Expr) -> Expr {
        self.sum.call(vec![value])
    }
}

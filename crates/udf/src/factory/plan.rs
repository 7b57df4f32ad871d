//! From a declaration to a macro whose types are settled.

use arrow::compute::can_cast_types;
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{DFSchema, DataFusionError, Result, plan_err};
use datafusion::execution::SessionState;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, Volatility};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
use datafusion::sql::sqlparser::ast;

use super::inline::inline_expr;
use super::text::Declaration;
use super::{MacroArgument, SqlMacro};

/// Plans a macro. The macros that it calls must be functions of `state` already.
pub(super) fn plan(declared: &Declaration, state: &SessionState) -> Result<SqlMacro> {
    let nothing = DFSchema::empty();
    let mut arguments = Vec::with_capacity(declared.arguments.len());
    for argument in &declared.arguments {
        let data_type = type_of(&argument.data_type, state)?;
        let default = match &argument.default {
            None => None,
            Some(default) => {
                let default = expr(default.clone(), &nothing, state)?;
                Some(converted(default, &data_type, &nothing, &argument.name)?)
            }
        };
        arguments.push(MacroArgument {
            name: argument.name.clone(),
            data_type,
            default,
        });
    }
    let returned = match &declared.return_type {
        Some(data_type) => Some(type_of(data_type, state)?),
        None => None,
    };
    let schema = schema_of(&arguments)?;
    let body = expr(declared.body.clone(), &schema, state)?;
    finish(
        &declared.name,
        arguments,
        returned,
        body,
        declared.behavior.as_ref().map(promised),
    )
}

/// Settles the types of a body that is planned over `arguments`.
pub(super) fn finish(
    name: &str,
    arguments: Vec<MacroArgument>,
    returned: Option<DataType>,
    body: Expr,
    promised: Option<Volatility>,
) -> Result<SqlMacro> {
    let schema = schema_of(&arguments)?;
    let found = body.get_type(&schema)?;
    let returned = returned.unwrap_or(found);
    let body = converted(body, &returned, &schema, "the result")?;
    let sql_macro = SqlMacro::new(name, arguments, returned, body)?;
    let found = datafusion::logical_expr::ScalarUDFImpl::signature(&sql_macro).volatility;
    match promised {
        Some(promised) if strength(promised) > strength(found) => plan_err!(
            "`{name}` is declared as {promised:?}, but what it calls is {found:?}; leave the \
             declaration out, it is found from the body"
        ),
        _ => Ok(sql_macro),
    }
}

fn strength(volatility: Volatility) -> u8 {
    match volatility {
        Volatility::Immutable => 2,
        Volatility::Stable => 1,
        Volatility::Volatile => 0,
    }
}

fn promised(behavior: &ast::FunctionBehavior) -> Volatility {
    match behavior {
        ast::FunctionBehavior::Immutable => Volatility::Immutable,
        ast::FunctionBehavior::Stable => Volatility::Stable,
        ast::FunctionBehavior::Volatile => Volatility::Volatile,
    }
}

pub(super) fn schema_of(arguments: &[MacroArgument]) -> Result<DFSchema> {
    let fields = arguments.iter();
    let fields: Vec<Field> = fields
        .map(|argument| Field::new(&argument.name, argument.data_type.clone(), true))
        .collect();
    DFSchema::try_from(Schema::new(fields))
}

/// An expression with settled types and without macros.
pub(super) fn settled(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let simplifier = ExprSimplifier::new(SimplifyContext::default());
    let coerced = simplifier.coerce(expr, schema)?;
    let inlined = inline_expr(coerced)?;
    // An inlined body may have another type of string or list than its caller asks for.
    if inlined.transformed {
        simplifier.coerce(inlined.data, schema)
    } else {
        Ok(inlined.data)
    }
}

fn expr(expr: ast::Expr, schema: &DFSchema, state: &SessionState) -> Result<Expr> {
    let expr = ast::ExprWithAlias { expr, alias: None };
    settled(
        state.create_logical_expr_from_sql_expr(expr, schema)?,
        schema,
    )
}

fn converted(expr: Expr, to: &DataType, schema: &DFSchema, what: &str) -> Result<Expr> {
    let from = expr.get_type(schema)?;
    if from == *to {
        Ok(expr)
    } else if can_cast_types(&from, to) && !loses_meaning(&from, to) {
        Ok(Expr::Cast(Cast::new(Box::new(expr), to.clone())))
    } else {
        plan_err!("{what} is declared as {to}, but its expression gives {from}: write a CAST")
    }
}

/// Text becomes a number, or a number a text, by an explicit cast alone.
fn loses_meaning(from: &DataType, to: &DataType) -> bool {
    from.is_string() != to.is_string() && !from.is_null()
}

/// The Arrow type that the engine reads a type of SQL as.
fn type_of(data_type: &ast::DataType, state: &SessionState) -> Result<DataType> {
    let null = ast::Value::Null.with_empty_span();
    let cast = ast::Expr::Cast {
        kind: ast::CastKind::Cast,
        expr: Box::new(ast::Expr::Value(null)),
        data_type: data_type.clone(),
        array: false,
        format: None,
    };
    let nothing = DFSchema::empty();
    let expr = ast::ExprWithAlias {
        expr: cast,
        alias: None,
    };
    let expr = state.create_logical_expr_from_sql_expr(expr, &nothing)?;
    expr.get_type(&nothing).map_err(|error| {
        DataFusionError::Plan(format!("the type {data_type} cannot be used: {error}"))
    })
}

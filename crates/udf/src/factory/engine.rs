//! `CREATE FUNCTION` in a session.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, Result, plan_err};
use datafusion::execution::SessionState;
use datafusion::execution::context::{FunctionFactory, RegisterFunction};
use datafusion::logical_expr::{CreateFunction, Expr, ExprSchemable, ScalarUDF};

use super::plan::{finish, schema_of, settled};
use super::set::is_function;
use super::{MacroArgument, SqlMacro};

/// Lets a session take `CREATE FUNCTION` for SQL macros.
///
/// The engine's planner wants arguments written as `$name` or `$1` in such a body. `CREATE OR
/// REPLACE` replaces a macro, `DROP FUNCTION` drops one. A macro that calls another holds the body
/// which the other has at that time: replacing or dropping the other does not change it. Functions
/// that are no macros are never replaced.
///
/// # Example: a session that takes macros
///
/// ```
/// use std::sync::Arc;
/// use codeanatomy_udf::factory::MacroFactory;
/// use datafusion::prelude::SessionContext;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let context = SessionContext::new().with_function_factory(Arc::new(MacroFactory));
/// context
///     .sql("create function net(price double, tax double default 0.25) returns double return $price / (1 + $tax)")
///     .await?;
/// let rows = context.sql("select net(10.0) as n").await?.to_string().await?;
/// assert!(rows.contains("8.0"));
/// # Ok::<(), datafusion::error::DataFusionError>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct MacroFactory;

#[async_trait]
impl FunctionFactory for MacroFactory {
    async fn create(
        &self,
        state: &SessionState,
        statement: CreateFunction,
    ) -> Result<RegisterFunction> {
        let name = statement.name.to_ascii_lowercase();
        if is_function(state, &name) {
            let existing = state.scalar_functions().get(&name);
            let replaceable = existing
                .is_some_and(|function| function.inner().downcast_ref::<SqlMacro>().is_some());
            if !replaceable {
                return plan_err!(
                    "`{name}` is the name of a function, which a macro does not replace"
                );
            }
            if !statement.or_replace {
                return plan_err!(
                    "there is a macro `{name}` already: write CREATE OR REPLACE FUNCTION, or drop it \
                     first"
                );
            }
        }
        let Some(body) = statement.params.function_body else {
            return plan_err!("the macro `{name}` has no body: write RETURN and an expression");
        };
        let nothing = DFSchema::empty();
        let mut arguments = Vec::new();
        for (at, argument) in statement.args.into_iter().flatten().enumerate() {
            let default = match argument.default_expr {
                Some(default) => Some(settled(
                    default.cast_to(&argument.data_type, &nothing)?,
                    &nothing,
                )?),
                None => None,
            };
            arguments.push(MacroArgument {
                name: argument
                    .name
                    .map_or_else(|| (at + 1).to_string(), |name| name.value),
                data_type: argument.data_type,
                default,
            });
        }
        if calls(&body, &name) {
            return plan_err!("the macro `{name}` calls itself: {name} -> {name}");
        }
        let body = named(body, &arguments)?;
        let body = settled(body, &schema_of(&arguments)?)?;
        let promised = statement.params.behavior;
        let planned = finish(&name, arguments, statement.return_type, body, promised)?;
        Ok(RegisterFunction::Scalar(Arc::new(
            ScalarUDF::new_from_impl(planned),
        )))
    }
}

fn calls(body: &Expr, name: &str) -> bool {
    body.exists(|expr| Ok(matches!(expr, Expr::ScalarFunction(call) if call.func.name() == name)))
        .unwrap_or(false)
}

/// The body with its placeholders as the columns that arguments are.
fn named(body: Expr, arguments: &[MacroArgument]) -> Result<Expr> {
    let named = body.transform_up(|expr| {
        let Expr::Placeholder(placeholder) = &expr else {
            return Ok(Transformed::no(expr));
        };
        let asked = placeholder.id.trim_start_matches('$');
        let at = asked.parse::<usize>().ok().and_then(|at| at.checked_sub(1));
        let found = match at {
            Some(at) => arguments.get(at),
            None => arguments.iter().find(|argument| argument.name == asked),
        };
        match found {
            Some(argument) => {
                let column = Column::new_unqualified(argument.name.clone());
                Ok(Transformed::yes(Expr::Column(column)))
            }
            None => plan_err!("there is no argument `{}`", placeholder.id),
        }
    })?;
    Ok(named.data)
}

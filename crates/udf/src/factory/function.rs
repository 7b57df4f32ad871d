//! A macro as a function of the engine.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema};
use datafusion_common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion_common::{DFSchema, Result, exec_err, plan_err};
use datafusion_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion_expr::{
    ColumnarValue, Expr, ExprSchemable, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl,
    Signature, TypeSignature, Volatility,
};

/// A scalar expression over arguments, under a name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SqlMacro {
    name: String,
    arguments: Vec<MacroArgument>,
    return_type: DataType,
    /// Types are settled, other macros are inlined, and each column is an argument.
    body: Expr,
    signature: Signature,
}

/// An argument of a macro.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MacroArgument {
    /// Its name, as the body writes it.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Its value where a call leaves it out, of its type.
    pub default: Option<Expr>,
}

impl SqlMacro {
    /// A macro whose body has `return_type`, and whose columns are the arguments, without a table.
    ///
    /// # Errors
    ///
    /// When an argument without a default follows one with a default, or when the body holds what
    /// is no scalar expression over the arguments.
    pub fn new(
        name: impl Into<String>,
        arguments: Vec<MacroArgument>,
        return_type: DataType,
        body: Expr,
    ) -> Result<Self> {
        let name = name.into();
        let required = arguments
            .iter()
            .take_while(|argument| argument.default.is_none())
            .count();
        if let Some(late) = arguments[required..]
            .iter()
            .find(|argument| argument.default.is_none())
        {
            return plan_err!(
                "the argument `{}` of `{name}` has no default, but one before it has",
                late.name
            );
        }
        let names = arguments.iter().map(|argument| argument.name.as_str());
        check_scalar(&name, &body, &names.collect::<Vec<_>>())?;
        let mut volatility = volatility_of(&body)?;
        for default in arguments
            .iter()
            .filter_map(|argument| argument.default.as_ref())
        {
            check_scalar(&name, default, &[])?;
            volatility = weaker(volatility, volatility_of(default)?);
        }
        let calls = (required..=arguments.len())
            .map(|count| {
                let types = arguments[..count].iter();
                let types: Vec<_> = types.map(|argument| argument.data_type.clone()).collect();
                if types.is_empty() {
                    TypeSignature::Nullary
                } else {
                    TypeSignature::Exact(types)
                }
            })
            .collect();
        Ok(Self {
            name,
            arguments,
            return_type,
            body,
            signature: Signature::one_of(calls, volatility),
        })
    }

    /// The arguments, in order.
    pub fn arguments(&self) -> &[MacroArgument] {
        &self.arguments
    }

    /// The body, with its arguments as columns.
    pub fn body(&self) -> &Expr {
        &self.body
    }

    /// The body with `values` in the place of the arguments.
    ///
    /// # Errors
    ///
    /// When there are too many or too few of them, or when a volatile one would be evaluated more
    /// than once.
    pub(crate) fn expand(&self, values: Vec<Expr>) -> Result<Expr> {
        if values.len() > self.arguments.len() {
            return plan_err!(
                "`{}` takes {} arguments at most, not {}",
                self.name,
                self.arguments.len(),
                values.len()
            );
        }
        let mut bound: BTreeMap<&str, Expr> = BTreeMap::new();
        let mut values = values.into_iter();
        for argument in &self.arguments {
            let Some(value) = values.next().or_else(|| argument.default.clone()) else {
                return plan_err!("`{}` needs its argument `{}`", self.name, argument.name);
            };
            bound.insert(&argument.name, value);
        }
        for (name, value) in &bound {
            if value.is_volatile() && self.uses(name) > 1 {
                return plan_err!(
                    "the argument `{name}` of the macro `{}` is volatile and its body uses it more \
                     than once, so each use would see another value",
                    self.name
                );
            }
        }
        let body = self.body.clone();
        let expanded = body.transform_down(|expr| match argument_name(&expr) {
            Some(name) => match bound.get(name) {
                Some(value) => Ok(Transformed::new(
                    value.clone(),
                    true,
                    TreeNodeRecursion::Jump,
                )),
                None => plan_err!("the body of `{}` has no argument `{name}`", self.name),
            },
            None => Ok(Transformed::no(expr)),
        })?;
        Ok(expanded.data)
    }

    /// How often the body uses an argument.
    fn uses(&self, name: &str) -> usize {
        let mut uses = 0;
        // The closure returns no error.
        let _ = self.body.apply(|expr| {
            uses += usize::from(argument_name(expr) == Some(name));
            Ok(TreeNodeRecursion::Continue)
        });
        uses
    }

    /// The arguments as the columns that the body sees, with the nullability of a call's values.
    fn schema(&self, nullable: impl Fn(usize) -> bool) -> Result<DFSchema> {
        let fields = self.arguments.iter().enumerate();
        let fields: Vec<Field> = fields
            .map(|(at, argument)| {
                Field::new(&argument.name, argument.data_type.clone(), nullable(at))
            })
            .collect();
        DFSchema::try_from(Schema::new(fields))
    }
}

impl ScalarUDFImpl for SqlMacro {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.return_type.clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let given = args.arg_fields;
        let schema = self.schema(|at| given.get(at).is_none_or(|field| field.is_nullable()))?;
        let nullable = self.body.nullable(&schema)?;
        Ok(Arc::new(Field::new(
            &self.name,
            self.return_type.clone(),
            nullable,
        )))
    }

    fn simplify(&self, args: Vec<Expr>, _info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        Ok(ExprSimplifyResult::Simplified(self.expand(args)?))
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        exec_err!(
            "the macro `{}` is still in a plan that runs: plans with macros need the optimizer, or \
             codeanatomy_udf::factory::inline",
            self.name
        )
    }
}

/// The argument that a column of a body is.
fn argument_name(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Column(column) if column.relation.is_none() => Some(&column.name),
        _ => None,
    }
}

fn weaker(a: Volatility, b: Volatility) -> Volatility {
    match (a, b) {
        (Volatility::Volatile, _) | (_, Volatility::Volatile) => Volatility::Volatile,
        (Volatility::Stable, _) | (_, Volatility::Stable) => Volatility::Stable,
        (Volatility::Immutable, Volatility::Immutable) => Volatility::Immutable,
    }
}

/// The weakest promise of the functions that an expression calls.
fn volatility_of(expr: &Expr) -> Result<Volatility> {
    let mut volatility = Volatility::Immutable;
    expr.apply(|expr| {
        if let Expr::ScalarFunction(function) = expr {
            volatility = weaker(volatility, function.func.signature().volatility);
        } else if let Expr::HigherOrderFunction(function) = expr {
            volatility = weaker(volatility, function.func.signature().volatility);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(volatility)
}

/// Refuses what makes no value out of the values of one row.
fn check_scalar(name: &str, body: &Expr, arguments: &[&str]) -> Result<()> {
    body.apply(|expr| {
        let refused = match expr {
            Expr::Column(column) => {
                if column.relation.is_some() || !arguments.contains(&column.name.as_str()) {
                    return plan_err!(
                        "there is no argument `{}`; the body of a macro sees its arguments alone",
                        column.flat_name()
                    );
                }
                None
            }
            Expr::Placeholder(placeholder) => {
                return plan_err!("there is no argument `{}`", placeholder.id);
            }
            Expr::AggregateFunction(_) => Some("an aggregate function"),
            Expr::WindowFunction(_) => Some("a window function"),
            Expr::Exists(_)
            | Expr::InSubquery(_)
            | Expr::SetComparison(_)
            | Expr::ScalarSubquery(_) => Some("a subquery"),
            Expr::OuterReferenceColumn(_, _) => Some("a column of an outer query"),
            Expr::ScalarVariable(_, _) => Some("a variable of the session"),
            Expr::GroupingSet(_) => Some("a grouping set"),
            Expr::Unnest(_) => Some("`unnest`, which makes several rows of one"),
            #[expect(deprecated, reason = "a plan may still hold one")]
            Expr::Wildcard { .. } => Some("`*`"),
            Expr::Alias(_)
            | Expr::Literal(_, _)
            | Expr::BinaryExpr(_)
            | Expr::Like(_)
            | Expr::SimilarTo(_)
            | Expr::Not(_)
            | Expr::IsNotNull(_)
            | Expr::IsNull(_)
            | Expr::IsTrue(_)
            | Expr::IsFalse(_)
            | Expr::IsUnknown(_)
            | Expr::IsNotTrue(_)
            | Expr::IsNotFalse(_)
            | Expr::IsNotUnknown(_)
            | Expr::Negative(_)
            | Expr::Between(_)
            | Expr::Case(_)
            | Expr::Cast(_)
            | Expr::TryCast(_)
            | Expr::ScalarFunction(_)
            | Expr::InList(_)
            | Expr::HigherOrderFunction(_)
            | Expr::Lambda(_)
            | Expr::LambdaVariable(_) => None,
        };
        match refused {
            Some(what) => plan_err!("the body of the macro `{name}` holds {what}"),
            None => Ok(TreeNodeRecursion::Continue),
        }
    })?;
    Ok(())
}

//! From a plan to a Substrait message: the engine's producer, with what it writes too deep or
//! loses put differently.

use datafusion::execution::SessionState;
use datafusion_common::arrow::array::{Array, StructArray};
use datafusion_common::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{DFSchemaRef, JoinType, Result, ScalarValue, not_impl_err};
use datafusion_expr::expr::{BinaryExpr, NullTreatment, WindowFunction};
use datafusion_expr::logical_plan::{Aggregate, Join};
use datafusion_expr::{Cast, Expr, Extension, LogicalPlan, Operator, TryCast, lit};
use datafusion_substrait::extensions::Extensions;
use datafusion_substrait::logical_plan::producer::{
    DefaultSubstraitProducer, SubstraitProducer, from_aggregate, from_binary_expr, from_cast,
    from_join, from_literal, from_try_cast, from_window_function,
};
use datafusion_substrait::substrait::proto::aggregate_function::AggregationInvocation;
use datafusion_substrait::substrait::proto::expression::{RexType, ScalarFunction};
use datafusion_substrait::substrait::proto::function_argument::ArgType;
use datafusion_substrait::substrait::proto::rel::RelType;
use datafusion_substrait::substrait::proto::r#type::{self, Kind, Nullability};
use datafusion_substrait::substrait::proto::{
    Expression, FunctionArgument, Plan, PlanRel, Rel, RelRoot, Type, plan_rel,
};
use datafusion_substrait::substrait::version::version_with_producer;

use super::options;
use crate::forms::bounds::{Chains, terms};

struct Producer<'s> {
    engine: DefaultSubstraitProducer<'s>,
}

pub(super) fn produce(plan: &LogicalPlan, state: &SessionState) -> Result<Plan> {
    let mut producer = Producer {
        engine: DefaultSubstraitProducer::new(state),
    };
    let input = *producer.handle_plan(plan)?;
    let root = RelRoot {
        input: Some(input),
        names: names_of(plan),
    };
    Ok(Plan {
        version: Some(version_with_producer("codeanatomy")),
        extensions: producer.get_extensions().into(),
        relations: vec![PlanRel {
            rel_type: Some(plan_rel::RelType::Root(root)),
        }],
        ..Plan::default()
    })
}

impl SubstraitProducer for Producer<'_> {
    fn register_function(&mut self, signature: String) -> u32 {
        self.engine.register_function(signature)
    }

    fn register_type(&mut self, name: String) -> u32 {
        self.engine.register_type(name)
    }

    fn get_extensions(self) -> Extensions {
        self.engine.get_extensions()
    }

    /// Substrait as the engine writes it has a flag for nulls and distinct values of neither
    /// aggregates nor windows. Functions have options, so this is one.
    fn handle_aggregate(&mut self, plan: &Aggregate) -> Result<Box<Rel>> {
        let mut rel = from_aggregate(self, plan)?;
        if let Some(RelType::Aggregate(aggregate)) = &mut rel.rel_type {
            for (measure, expr) in aggregate.measures.iter_mut().zip(&plan.aggr_expr) {
                if let (Some(call), Some(treatment)) = (&mut measure.measure, treatment_of(expr)) {
                    call.options.extend(options::null_treatment(treatment));
                }
            }
        }
        Ok(rel)
    }

    fn handle_window_function(
        &mut self,
        function: &WindowFunction,
        schema: &DFSchemaRef,
    ) -> Result<Expression> {
        let mut expression = from_window_function(self, function, schema)?;
        if let Some(RexType::WindowFunction(call)) = &mut expression.rex_type {
            let params = &function.params;
            call.options
                .extend(params.null_treatment.and_then(options::null_treatment));
            if params.distinct {
                call.invocation = AggregationInvocation::Distinct as i32;
            }
        }
        Ok(expression)
    }

    /// A join on nothing is a join on what is always true: the consumer wants a condition.
    fn handle_join(&mut self, plan: &Join) -> Result<Box<Rel>> {
        if plan.join_type == JoinType::Inner || !plan.on.is_empty() || plan.filter.is_some() {
            return from_join(self, plan);
        }
        let filter = Some(lit(true));
        from_join(
            self,
            &Join {
                filter,
                ..plan.clone()
            },
        )
    }

    fn handle_try_cast(&mut self, cast: &TryCast, schema: &DFSchemaRef) -> Result<Expression> {
        match other_zone(cast.field.data_type()) {
            None => from_try_cast(self, cast, schema),
            Some(_) => {
                let input = self.handle_expr(&cast.expr, schema)?;
                self.typed("arrow_try_cast", input, cast.field.data_type())
            }
        }
    }

    fn handle_literal(&mut self, value: &ScalarValue) -> Result<Expression> {
        if let ScalarValue::Struct(fields) = value
            && fields.is_valid(0)
        {
            return self.named_struct(fields);
        }
        let of = value.data_type();
        match other_zone(&of) {
            None => from_literal(self, value),
            Some(utc) => {
                let literal = from_literal(self, &value.cast_to(&utc)?)?;
                self.typed("arrow_cast", literal, &of)
            }
        }
    }

    fn handle_cast(&mut self, cast: &Cast, schema: &DFSchemaRef) -> Result<Expression> {
        match other_zone(cast.field.data_type()) {
            None => from_cast(self, cast, schema),
            Some(_) => {
                let input = self.handle_expr(&cast.expr, schema)?;
                self.typed("arrow_cast", input, cast.field.data_type())
            }
        }
    }

    fn handle_extension(&mut self, plan: &Extension) -> Result<Box<Rel>> {
        not_impl_err!("the extension node {} has no kept form", plan.node.name())
    }

    /// `AND` and `OR` take any number of arguments: a chain is no nest.
    fn handle_binary_expr(
        &mut self,
        expr: &BinaryExpr,
        schema: &DFSchemaRef,
    ) -> Result<Expression> {
        let name = match expr.op {
            Operator::And => "and",
            Operator::Or => "or",
            _ => return from_binary_expr(self, expr, schema),
        };
        let arguments = terms(expr, Chains::Connectives)
            .into_iter()
            .map(|term| {
                let value = self.handle_expr(term, schema)?;
                Ok(FunctionArgument {
                    arg_type: Some(ArgType::Value(value)),
                })
            })
            .collect::<Result<_>>()?;
        Ok(Expression {
            rex_type: Some(RexType::ScalarFunction(ScalarFunction {
                function_reference: self.register_function(name.to_owned()),
                arguments,
                output_type: Some(nullable_boolean()),
                ..ScalarFunction::default()
            })),
        })
    }

    fn push_lambda_parameters(&mut self, parameters: Vec<FieldRef>) -> Result<()> {
        self.engine.push_lambda_parameters(parameters)
    }

    fn pop_lambda_parameters(&mut self) -> Result<()> {
        self.engine.pop_lambda_parameters()
    }

    fn lambda_variable(&self, name: &str) -> Result<(u32, i32)> {
        self.engine.lambda_variable(name)
    }

    fn lambda_parameter_type(&self, name: &str) -> Result<Type> {
        self.engine.lambda_parameter_type(name)
    }
}

impl Producer<'_> {
    /// A cast whose type is a text, because Substrait has instants and no zones. The optimizer
    /// makes a cast of it.
    fn typed(&mut self, cast: &str, input: Expression, of: &DataType) -> Result<Expression> {
        let name = from_literal(self, &ScalarValue::from(of.to_string()))?;
        Ok(self.call(cast, vec![input, name]))
    }

    /// A struct as the call that makes it, because a literal has no names. The optimizer makes a
    /// literal of it.
    fn named_struct(&mut self, fields: &StructArray) -> Result<Expression> {
        let mut arguments = Vec::new();
        for (name, column) in fields.column_names().into_iter().zip(fields.columns()) {
            arguments.push(from_literal(self, &ScalarValue::from(name))?);
            arguments.push(self.handle_literal(&ScalarValue::try_from_array(column, 0)?)?);
        }
        Ok(self.call("named_struct", arguments))
    }

    fn call(&mut self, function: &str, arguments: Vec<Expression>) -> Expression {
        let arguments = arguments.into_iter().map(|value| FunctionArgument {
            arg_type: Some(ArgType::Value(value)),
        });
        Expression {
            rex_type: Some(RexType::ScalarFunction(ScalarFunction {
                function_reference: self.register_function(function.to_owned()),
                arguments: arguments.collect(),
                ..ScalarFunction::default()
            })),
        }
    }
}

/// For a timestamp in another zone than UTC, the type in UTC.
fn other_zone(data_type: &DataType) -> Option<DataType> {
    match data_type {
        DataType::Timestamp(unit, Some(zone)) if &**zone != "UTC" => {
            Some(DataType::Timestamp(*unit, Some("UTC".into())))
        }
        _ => None,
    }
}

fn treatment_of(expr: &Expr) -> Option<NullTreatment> {
    let mut expr = expr;
    while let Expr::Alias(alias) = expr {
        expr = &alias.expr;
    }
    if let Expr::AggregateFunction(function) = expr {
        function.params.null_treatment
    } else {
        None
    }
}

fn nullable_boolean() -> Type {
    Type {
        kind: Some(Kind::Bool(r#type::Boolean {
            type_variation_reference: 0,
            nullability: Nullability::Nullable as i32,
        })),
    }
}

/// The names of the output, those of structs in it after their own, depth first.
fn names_of(plan: &LogicalPlan) -> Vec<String> {
    let mut names = Vec::new();
    for field in plan.schema().fields() {
        names.push(field.name().clone());
        names_in(field.data_type(), &mut names);
    }
    names
}

fn names_in(data_type: &DataType, names: &mut Vec<String>) {
    match data_type {
        DataType::Struct(fields) => {
            for field in fields {
                names.push(field.name().clone());
                names_in(field.data_type(), names);
            }
        }
        DataType::List(item) | DataType::LargeList(item) => names_in(item.data_type(), names),
        DataType::Map(entries, _) => {
            if let DataType::Struct(key_and_value) = entries.data_type() {
                for field in key_and_value {
                    names_in(Field::data_type(field), names);
                }
            }
        }
        _ => {}
    }
}

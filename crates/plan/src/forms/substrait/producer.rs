//! From a plan to a Substrait message: the engine's producer, with what it writes too deep or
//! loses put differently.

use datafusion::execution::SessionState;
use datafusion_common::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{DFSchemaRef, Result, not_impl_err};
use datafusion_expr::expr::BinaryExpr;
use datafusion_expr::{Extension, LogicalPlan, Operator};
use datafusion_substrait::extensions::Extensions;
use datafusion_substrait::logical_plan::producer::{
    DefaultSubstraitProducer, SubstraitProducer, from_binary_expr,
};
use datafusion_substrait::substrait::proto::expression::{RexType, ScalarFunction};
use datafusion_substrait::substrait::proto::function_argument::ArgType;
use datafusion_substrait::substrait::proto::r#type::{self, Kind, Nullability};
use datafusion_substrait::substrait::proto::{
    Expression, FunctionArgument, Plan, PlanRel, Rel, RelRoot, Type, plan_rel,
};
use datafusion_substrait::substrait::version::version_with_producer;

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

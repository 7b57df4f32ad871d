//! From a Substrait message to a plan: the engine's consumer, over given tables, with limits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::execution::{FunctionRegistry, SessionState};
use datafusion_common::{DFSchema, Result, TableReference, substrait_err};
use datafusion_expr::{Expr, LogicalPlan};
use datafusion_substrait::extensions::Extensions;
use datafusion_substrait::logical_plan::consumer::{
    DefaultSubstraitLambdaConsumer, SubstraitConsumer, from_field_reference, from_set_rel,
    from_substrait_rel,
};
use datafusion_substrait::substrait::proto::expression::field_reference::ReferenceType;
use datafusion_substrait::substrait::proto::expression::reference_segment;
use datafusion_substrait::substrait::proto::expression::{FieldReference, field_reference::RootType};
use datafusion_substrait::substrait::proto::{Rel, SetRel, Type};

use crate::forms::tables::{FormTable, Tables};

/// Relations of one message, and inputs of its set operations, each of which is a level of the
/// plan that comes out.
const MAX_RELATIONS: usize = 10_000;

pub(super) struct Consumer<'s> {
    extensions: &'s Extensions,
    tables: &'s Tables,
    state: &'s SessionState,
    lambdas: DefaultSubstraitLambdaConsumer,
    /// The schemas around the subquery that is being read, outermost first.
    outer: Mutex<Vec<Arc<DFSchema>>>,
    relations: AtomicUsize,
}

impl<'s> Consumer<'s> {
    pub(super) fn new(
        extensions: &'s Extensions,
        tables: &'s Tables,
        state: &'s SessionState,
    ) -> Self {
        Self {
            extensions,
            tables,
            state,
            lambdas: DefaultSubstraitLambdaConsumer::new(),
            outer: Mutex::new(Vec::new()),
            relations: AtomicUsize::new(0),
        }
    }

    fn count(&self, relations: usize) -> Result<()> {
        let before = self.relations.fetch_add(relations, Ordering::Relaxed);
        if before.saturating_add(relations) > MAX_RELATIONS {
            return substrait_err!("the plan has more than {MAX_RELATIONS} relations");
        }
        Ok(())
    }

    fn outer(&self) -> std::sync::MutexGuard<'_, Vec<Arc<DFSchema>>> {
        self.outer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SubstraitConsumer for Consumer<'_> {
    async fn resolve_table_ref(
        &self,
        table_ref: &TableReference,
    ) -> Result<Option<Arc<dyn TableProvider>>> {
        Ok(FormTable::find(self.tables, table_ref))
    }

    fn get_extensions(&self) -> &Extensions {
        self.extensions
    }

    fn get_function_registry(&self) -> &impl FunctionRegistry {
        self.state
    }

    async fn consume_rel(&self, rel: &Rel) -> Result<LogicalPlan> {
        self.count(1)?;
        from_substrait_rel(self, rel).await
    }

    async fn consume_set(&self, rel: &SetRel) -> Result<LogicalPlan> {
        self.count(rel.inputs.len())?;
        from_set_rel(self, rel).await
    }

    /// The engine takes an ordinal as it comes.
    async fn consume_field_reference(
        &self,
        expr: &FieldReference,
        input_schema: &DFSchema,
    ) -> Result<Expr> {
        let ordinal = ordinal_of(expr);
        let width = match &expr.root_type {
            Some(RootType::OuterReference(outer)) => {
                let levels = usize::try_from(outer.steps_out).unwrap_or(usize::MAX);
                self.get_outer_schema(levels)
                    .map_or(0, |schema| schema.fields().len())
            }
            Some(RootType::LambdaParameterReference(_)) => usize::MAX,
            Some(RootType::RootReference(_) | RootType::Expression(_)) | None => {
                input_schema.fields().len()
            }
        };
        if ordinal.is_none_or(|ordinal| ordinal >= width) {
            return substrait_err!("a reference to a column that its input does not have");
        }
        from_field_reference(self, expr, input_schema).await
    }

    fn push_outer_schema(&self, schema: Arc<DFSchema>) {
        self.outer().push(schema);
    }

    fn pop_outer_schema(&self) {
        self.outer().pop();
    }

    /// One step out is the nearest.
    fn get_outer_schema(&self, steps_out: usize) -> Option<Arc<DFSchema>> {
        let schemas = self.outer();
        let number = schemas.len().checked_sub(steps_out)?;
        schemas.get(number).cloned()
    }

    fn push_lambda_parameters(
        &self,
        lambda_parameters: &[Type],
        input_schema: &DFSchema,
    ) -> Result<Vec<String>> {
        self.lambdas
            .push_lambda_parameters(self, lambda_parameters, input_schema)
    }

    fn pop_lambda_parameters(&self) {
        self.lambdas.pop_lambda_parameters();
    }

    fn lambda_variable(&self, steps_out: usize, field_idx: usize) -> Result<Expr> {
        self.lambdas.lambda_variable(steps_out, field_idx)
    }
}

fn ordinal_of(expr: &FieldReference) -> Option<usize> {
    let Some(ReferenceType::DirectReference(segment)) = &expr.reference_type else {
        return None;
    };
    let Some(reference_segment::ReferenceType::StructField(field)) = &segment.reference_type
    else {
        return None;
    };
    usize::try_from(field.field).ok()
}

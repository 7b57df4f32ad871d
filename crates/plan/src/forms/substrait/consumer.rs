//! From a Substrait message to a plan: the engine's consumer, over given tables, with limits.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::execution::{FunctionRegistry, SessionState};
use datafusion_common::arrow::datatypes::DataType;
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_common::{
    DFSchema, NullEquality, Result, ScalarValue, TableReference, substrait_err,
};
use datafusion_expr::expr::{Alias, NullTreatment};
use datafusion_expr::logical_plan::{Aggregate, Join, Projection};
use datafusion_expr::utils::{conjunction, split_conjunction_owned};
use datafusion_expr::{
    Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, Operator, WindowFrame, WindowFrameBound,
    WindowFrameUnits,
};
use datafusion_substrait::extensions::Extensions;
use datafusion_substrait::logical_plan::consumer::{
    DefaultSubstraitLambdaConsumer, SubstraitConsumer, from_aggregate_rel, from_field_reference,
    from_join_rel, from_project_rel, from_set_rel, from_substrait_rel, from_window_function,
};
use datafusion_substrait::substrait::proto::aggregate_function::AggregationInvocation;
use datafusion_substrait::substrait::proto::expression::WindowFunction as SubstraitWindowFunction;
use datafusion_substrait::substrait::proto::expression::field_reference::ReferenceType;
use datafusion_substrait::substrait::proto::expression::reference_segment;
use datafusion_substrait::substrait::proto::expression::{
    FieldReference, field_reference::RootType,
};
use datafusion_substrait::substrait::proto::join_rel::JoinType as JoinRelType;
use datafusion_substrait::substrait::proto::{
    AggregateRel, JoinRel, ProjectRel, Rel, SetRel, Type,
};

use super::options::ignores_nulls;
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
    /// Marks of joins that were named.
    marks: AtomicUsize,
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
            marks: AtomicUsize::new(0),
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

    async fn consume_aggregate(&self, rel: &AggregateRel) -> Result<LogicalPlan> {
        let plan = from_aggregate_rel(self, rel).await?;
        let ignores = |number: usize| {
            rel.measures
                .get(number)
                .and_then(|measure| measure.measure.as_ref())
                .is_some_and(|call| ignores_nulls(&call.options))
        };
        if !(0..rel.measures.len()).any(ignores) {
            return Ok(plan);
        }
        let LogicalPlan::Aggregate(aggregate) = plan else {
            return substrait_err!("an aggregation that is none");
        };
        let values = aggregate.aggr_expr.into_iter().enumerate();
        let values = values.map(|(number, expr)| {
            if ignores(number) {
                without_nulls(expr)
            } else {
                expr
            }
        });
        Aggregate::try_new(aggregate.input, aggregate.group_expr, values.collect())
            .map(LogicalPlan::Aggregate)
    }

    /// The engine collects the window functions of a projection in a hash set.
    async fn consume_project(&self, rel: &ProjectRel) -> Result<LogicalPlan> {
        match from_project_rel(self, rel).await? {
            LogicalPlan::Projection(projection) => with_windows_in_order(projection),
            other => Ok(other),
        }
    }

    async fn consume_window_function(
        &self,
        expr: &SubstraitWindowFunction,
        input_schema: &DFSchema,
    ) -> Result<Expr> {
        let window = from_window_function(self, expr, input_schema).await?;
        let Expr::WindowFunction(mut function) = window else {
            return Ok(window);
        };
        if ignores_nulls(&expr.options) {
            function.params.null_treatment = Some(NullTreatment::IgnoreNulls);
        }
        let counted = match &function.params.order_by[..] {
            _ if function.params.window_frame.units != WindowFrameUnits::Range => DataType::UInt64,
            [key] => key.expr.get_type(input_schema)?,
            _ => DataType::Null,
        };
        type_bounds(&mut function.params.window_frame, &counted)?;
        function.params.distinct = expr.invocation == AggregationInvocation::Distinct as i32;
        Ok(Expr::WindowFunction(function))
    }

    /// The mark of a join has the name of its right side, which may be joined again.
    async fn consume_join(&self, rel: &JoinRel) -> Result<LogicalPlan> {
        let plan = match from_join_rel(self, rel).await? {
            LogicalPlan::Join(join) => with_equalities_of_nulls(join)?,
            other => other,
        };
        let marks = [JoinRelType::LeftMark as i32, JoinRelType::RightMark as i32];
        if !marks.contains(&rel.r#type) {
            return Ok(plan);
        }
        let name = format!("__mark_{}", self.marks.fetch_add(1, Ordering::Relaxed));
        let mut columns: Vec<Expr> = plan
            .schema()
            .columns()
            .into_iter()
            .map(Expr::Column)
            .collect();
        if let Some(mark) = columns.pop() {
            columns.push(mark.alias(name));
        }
        LogicalPlanBuilder::from(plan).project(columns)?.build()
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

/// Puts the window functions below a projection in the order in which it names them.
fn with_windows_in_order(projection: Projection) -> Result<LogicalPlan> {
    let mut waiting: BTreeMap<String, Expr> = BTreeMap::new();
    let mut input = Arc::clone(&projection.input);
    while let LogicalPlan::Window(window) = &*input {
        let named = window.window_expr.iter();
        waiting.extend(named.map(|expr| (expr.schema_name().to_string(), expr.clone())));
        let below = Arc::clone(&window.input);
        input = below;
    }
    if waiting.is_empty() {
        return Ok(LogicalPlan::Projection(projection));
    }
    let mut ordered = Vec::with_capacity(waiting.len());
    for expr in &projection.expr {
        expr.apply(|expr| {
            if let Expr::Column(column) = expr {
                ordered.extend(waiting.remove(&column.name));
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    ordered.extend(waiting.into_values());
    let windows = LogicalPlanBuilder::window_plan(Arc::unwrap_or_clone(input), ordered)?;
    Projection::try_new(projection.expr, Arc::new(windows)).map(LogicalPlan::Projection)
}

/// The engine takes the equalities of columns out of the condition of a join, and leaves those of
/// other expressions where nothing looks for them if nulls are equal in them.
fn with_equalities_of_nulls(mut join: Join) -> Result<LogicalPlan> {
    let no_equality = join.on.is_empty();
    if join.null_equality != NullEquality::NullEqualsNull && !no_equality {
        return Ok(LogicalPlan::Join(join));
    }
    let Some(filter) = join.filter.take() else {
        return Ok(LogicalPlan::Join(join));
    };
    let mut rest = Vec::new();
    for term in split_conjunction_owned(filter) {
        match equal_with_nulls(term, &join) {
            Ok(pair) => join.on.push(pair),
            Err(term) => rest.push(term),
        }
    }
    let null_equality = if no_equality && !join.on.is_empty() {
        NullEquality::NullEqualsNull
    } else {
        join.null_equality
    };
    Join::try_new(
        join.left,
        join.right,
        join.on,
        conjunction(rest),
        join.join_type,
        join.join_constraint,
        null_equality,
        join.null_aware,
    )
    .map(LogicalPlan::Join)
}

/// The sides of a term that says that something on the left is not distinct from something on the
/// right; the term itself where it says something else.
fn equal_with_nulls(term: Expr, join: &Join) -> std::result::Result<(Expr, Expr), Expr> {
    let Expr::BinaryExpr(binary) = &term else {
        return Err(term);
    };
    let belongs = |expr: &Expr, schema: &DFSchema| {
        let columns = expr.column_refs();
        !columns.is_empty()
            && columns
                .iter()
                .all(|column| schema.maybe_index_of_column(column).is_some())
    };
    let is_pair = binary.op == Operator::IsNotDistinctFrom
        && belongs(&binary.left, join.left.schema())
        && belongs(&binary.right, join.right.schema());
    match term {
        Expr::BinaryExpr(binary) if is_pair => Ok((*binary.left, *binary.right)),
        term => Err(term),
    }
}

/// The engine counts rows and groups in one type, and distances in that of the key. The consumer
/// has one type for both, and none for what is unbounded.
fn type_bounds(frame: &mut WindowFrame, counted: &DataType) -> Result<()> {
    for bound in [&mut frame.start_bound, &mut frame.end_bound] {
        if let WindowFrameBound::Preceding(count) | WindowFrameBound::Following(count) = bound {
            if !count.is_null() && counted.is_integer() {
                *count = count.cast_to(counted)?;
            } else if count.is_null() && *counted == DataType::UInt64 {
                *count = ScalarValue::UInt64(None);
            }
        }
    }
    Ok(())
}

fn without_nulls(expr: Expr) -> Expr {
    match expr {
        Expr::Alias(alias) => {
            let expr = Box::new(without_nulls(*alias.expr));
            Expr::Alias(Alias { expr, ..alias })
        }
        Expr::AggregateFunction(mut function) => {
            function.params.null_treatment = Some(NullTreatment::IgnoreNulls);
            Expr::AggregateFunction(function)
        }
        other => other,
    }
}

fn ordinal_of(expr: &FieldReference) -> Option<usize> {
    let Some(ReferenceType::DirectReference(segment)) = &expr.reference_type else {
        return None;
    };
    let Some(reference_segment::ReferenceType::StructField(field)) = &segment.reference_type else {
        return None;
    };
    usize::try_from(field.field).ok()
}

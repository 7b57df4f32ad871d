//! Which named planners took part in the planning of one query.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::Field;
use datafusion::execution::SessionState;
use datafusion_common::{DFSchema, Result, TableReference};
use datafusion_expr::Expr;
use datafusion_expr::planner::{
    ExprPlanner, PlannerResult, RawAggregateExpr, RawBinaryExpr, RawDictionaryExpr,
    RawFieldAccessExpr, RawWindowExpr,
};

use super::planner::Rule;
use super::session::rewrites;

/// The tags of the planners that planned something, as they do.
#[derive(Debug, Clone, Default)]
pub struct UsedRewrites(Arc<Mutex<BTreeSet<String>>>);

impl UsedRewrites {
    /// The tags so far.
    pub fn tags(&self) -> BTreeSet<String> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn add(&self, tag: &str) {
        let mut tags = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tags.insert(tag.to_owned());
    }
}

/// The expression planners of a session for one query, and where those that have a name write it down
/// when they plan something.
///
/// # Example: what did a query need?
///
/// ```
/// use codeanatomy_udf::{Platform, PlatformOptions, recorded_planners};
/// use datafusion::prelude::SessionContext;
///
/// let context = SessionContext::new();
/// Platform::new(PlatformOptions::default()).register_context(&context)?;
/// let (planners, used) = recorded_planners(&context.state());
/// assert_eq!(planners.len(), context.state().expr_planners().len());
/// assert!(used.tags().is_empty());
/// # Ok::<(), codeanatomy_vocab::Error>(())
/// ```
pub fn recorded_planners(state: &SessionState) -> (Vec<Arc<dyn ExprPlanner>>, UsedRewrites) {
    let used = UsedRewrites::default();
    let named = rewrites(state);
    let planners = state.expr_planners().iter().map(|planner| {
        let tag = named.iter().find_map(|rewrite| match rewrite.rule() {
            Rule::Planner(known) if Arc::ptr_eq(known, planner) => Some(rewrite.tag()),
            Rule::Planner(_) | Rule::Function(_) => None,
        });
        match tag {
            Some(tag) => Arc::new(Recording {
                tag,
                planner: Arc::clone(planner),
                used: used.clone(),
            }),
            None => Arc::clone(planner),
        }
    });
    (planners.collect(), used)
}

/// A planner that writes down that it was used.
#[derive(Debug)]
struct Recording {
    tag: &'static str,
    planner: Arc<dyn ExprPlanner>,
    used: UsedRewrites,
}

impl Recording {
    fn note<T>(&self, result: Result<PlannerResult<T>>) -> Result<PlannerResult<T>> {
        if let Ok(PlannerResult::Planned(_)) = &result {
            self.used.add(self.tag);
        }
        result
    }
}

impl ExprPlanner for Recording {
    fn plan_binary_op(
        &self,
        expr: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        self.note(self.planner.plan_binary_op(expr, schema))
    }

    fn plan_field_access(
        &self,
        expr: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        self.note(self.planner.plan_field_access(expr, schema))
    }

    fn plan_array_literal(
        &self,
        exprs: Vec<Expr>,
        schema: &DFSchema,
    ) -> Result<PlannerResult<Vec<Expr>>> {
        self.note(self.planner.plan_array_literal(exprs, schema))
    }

    fn plan_position(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        self.note(self.planner.plan_position(args))
    }

    fn plan_dictionary_literal(
        &self,
        expr: RawDictionaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawDictionaryExpr>> {
        self.note(self.planner.plan_dictionary_literal(expr, schema))
    }

    fn plan_extract(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        self.note(self.planner.plan_extract(args))
    }

    fn plan_substring(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        self.note(self.planner.plan_substring(args))
    }

    fn plan_struct_literal(
        &self,
        args: Vec<Expr>,
        is_named_struct: bool,
    ) -> Result<PlannerResult<Vec<Expr>>> {
        self.note(self.planner.plan_struct_literal(args, is_named_struct))
    }

    fn plan_overlay(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        self.note(self.planner.plan_overlay(args))
    }

    fn plan_make_map(&self, args: Vec<Expr>) -> Result<PlannerResult<Vec<Expr>>> {
        self.note(self.planner.plan_make_map(args))
    }

    fn plan_compound_identifier(
        &self,
        field: &Field,
        qualifier: Option<&TableReference>,
        nested_names: &[String],
    ) -> Result<PlannerResult<Vec<Expr>>> {
        let planned = self
            .planner
            .plan_compound_identifier(field, qualifier, nested_names);
        self.note(planned)
    }

    fn plan_aggregate(&self, expr: RawAggregateExpr) -> Result<PlannerResult<RawAggregateExpr>> {
        self.note(self.planner.plan_aggregate(expr))
    }

    fn plan_window(&self, expr: RawWindowExpr) -> Result<PlannerResult<RawWindowExpr>> {
        self.note(self.planner.plan_window(expr))
    }
}

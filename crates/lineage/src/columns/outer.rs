//! References to columns of outer queries, and plans that nodes make when asked.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use datafusion_common::arrow::datatypes::{DataType, Field};
use datafusion_common::{Column, DFSchema};
use datafusion_expr::{Distinct, Expr, LogicalPlan};

use crate::expr::for_each;
use crate::parts::{for_each_expr, inputs, subplan, subplans};

/// Plans and expressions that some node gave away rather than lent, kept until the end.
#[derive(Default)]
pub(super) struct Kept(OnceCell<Box<(Item, Kept)>>);

enum Item {
    Plan(Arc<LogicalPlan>),
    Exprs(Vec<Expr>),
}

impl Kept {
    pub(super) fn plan(&self, plan: Arc<LogicalPlan>) -> Option<&LogicalPlan> {
        match self.keep(Item::Plan(plan)) {
            Item::Plan(plan) => Some(plan),
            Item::Exprs(_) => None,
        }
    }

    pub(super) fn exprs(&self, exprs: Vec<Expr>) -> &[Expr] {
        match self.keep(Item::Exprs(exprs)) {
            Item::Exprs(exprs) => exprs,
            Item::Plan(_) => &[],
        }
    }

    fn keep(&self, item: Item) -> &Item {
        let mut end = self;
        while let Some(link) = end.0.get() {
            end = &link.1;
        }
        &end.0.get_or_init(|| Box::new((item, Self::default()))).0
    }
}

impl Drop for Kept {
    /// One link after the other, for a chain may be longer than the stack.
    fn drop(&mut self) {
        let mut rest = self.0.take();
        while let Some(mut link) = rest {
            rest = link.1.0.take();
        }
    }
}

/// Which plans refer to columns of a query around them.
#[derive(Default)]
pub(super) struct Correlated(HashMap<*const LogicalPlan, Rc<[Column]>>);

impl Correlated {
    /// Whether `plan` refers to columns that only a query around it can have.
    pub(super) fn is(&mut self, plan: &LogicalPlan) -> bool {
        let mut pending = vec![(plan, false)];
        while let Some((plan, parts_known)) = pending.pop() {
            if self.0.contains_key(&std::ptr::from_ref(plan)) {
                continue;
            }
            if parts_known {
                let free = self.free(plan);
                self.0.insert(std::ptr::from_ref(plan), free.into());
            } else {
                pending.push((plan, true));
                let mut parts = inputs(plan);
                parts.extend(subplans(plan));
                pending.extend(parts.into_iter().map(|part| (part, false)));
            }
        }
        !self.of(plan).is_empty()
    }

    /// The outer columns of a plan whose parts are known.
    fn free(&self, plan: &LogicalPlan) -> Vec<Column> {
        let inputs = inputs(plan);
        let mut free = outer_columns(plan);
        for (number, input) in inputs.iter().enumerate() {
            match plan {
                // The right side of a join may refer to the left side.
                LogicalPlan::Join(join) if number == 1 => {
                    add(&mut free, self.of(input), &[&join.left]);
                }
                // Others see what the node sees.
                _ => add(&mut free, self.of(input), &[]),
            }
        }
        for subplan in subplans(plan) {
            add(&mut free, self.of(subplan), &inputs);
        }
        free
    }

    fn of(&self, plan: &LogicalPlan) -> &[Column] {
        self.0
            .get(&std::ptr::from_ref(plan))
            .map_or(&[], Rc::as_ref)
    }
}

/// Adds the columns that none of the relations has.
fn add(free: &mut Vec<Column>, columns: &[Column], relations: &[&LogicalPlan]) {
    for column in columns {
        let mut schemas = relations.iter().map(|plan| schema(plan));
        if !free.contains(column) && !schemas.any(|schema| schema.is_column_from_schema(column)) {
            free.push(column.clone());
        }
    }
}

/// The outer columns in the expressions of a node.
fn outer_columns(plan: &LogicalPlan) -> Vec<Column> {
    let mut outer = Vec::new();
    let mut look = |expr: &Expr| {
        if let Expr::OuterReferenceColumn(_, column) = expr
            && !outer.contains(column)
        {
            outer.push(column.clone());
        }
    };
    for_each_expr(plan, |_, expr| for_each(expr, &mut look));
    if let LogicalPlan::Extension(extension) = plan {
        for expr in extension.node.expressions() {
            for_each(&expr, &mut look);
            // Plans in expressions that live no longer than this call may refer to anything.
            for_each(&expr, |expr| {
                if subplan(expr).is_some() {
                    let field = Arc::new(Field::new("", DataType::Null, true));
                    look(&Expr::OuterReferenceColumn(field, Column::from_name("")));
                }
            });
        }
    }
    outer
}

/// The schema of a plan, however many nodes pass it on.
fn schema(plan: &LogicalPlan) -> &DFSchema {
    let mut plan = plan;
    loop {
        plan = match plan {
            LogicalPlan::Filter(filter) => &filter.input,
            LogicalPlan::Sort(sort) => &sort.input,
            LogicalPlan::Limit(limit) => &limit.input,
            LogicalPlan::Repartition(repartition) => &repartition.input,
            LogicalPlan::Distinct(Distinct::All(input)) => input,
            // All others have one of their own.
            other => return other.schema(),
        };
    }
}

//! Bundles and forms of deep, large and shared plans, on the stack of a planning thread.

use std::collections::BTreeMap;
use std::sync::Arc;

use codeanatomy_plan::forms::{PlanForms, plan_forms};
use codeanatomy_plan::{IdentityInputs, InputIdentity, InputKind, PlanBundle};
use codeanatomy_views::SchemaSource;
use codeanatomy_vocab::{Fingerprint, ViewName};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::logical_expr::logical_plan::{Filter, TableScanBuilder};
use datafusion::logical_expr::{Expr, LogicalPlan, TableSource, Union, col, lit};
use datafusion::prelude::SessionContext;

/// The stack of the threads that plan views.
const PLANNING_STACK_BYTES: usize = 64 << 20;

fn on_planning_stack(test: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(PLANNING_STACK_BYTES)
        .spawn(test)
        .unwrap()
        .join()
        .unwrap();
}

fn schema() -> SchemaRef {
    let field = |name: &str| Field::new(name, DataType::Int64, true);
    Arc::new(Schema::new(vec![field("a"), field("b")]))
}

fn scan() -> LogicalPlan {
    let source: Arc<dyn TableSource> = Arc::new(SchemaSource::new(schema()));
    TableScanBuilder::new("t", source)
        .build()
        .map(LogicalPlan::TableScan)
        .unwrap()
}

fn filtered(predicate: Expr, input: LogicalPlan) -> LogicalPlan {
    LogicalPlan::Filter(Filter::new(predicate, Arc::new(input)))
}

fn union(inputs: Vec<Arc<LogicalPlan>>) -> LogicalPlan {
    let schema = Arc::clone(inputs[0].schema());
    LogicalPlan::Union(Union { inputs, schema })
}

/// The bundle and the forms of a plan, optimized or as it is.
fn forms(plan: LogicalPlan, optimized: bool) -> (PlanBundle, PlanForms) {
    let state = SessionContext::new().state();
    let other = if optimized {
        state.optimize(&plan).unwrap()
    } else {
        plan.clone()
    };
    let view = ViewName::new("large").unwrap();
    let identity = InputIdentity {
        kind: InputKind::Dataset,
        identity: Fingerprint::from_bytes([1; 32]),
        footprint: Fingerprint::from_bytes([2; 32]),
        detail: String::new(),
    };
    let inputs = IdentityInputs {
        inputs: BTreeMap::from([("t".to_owned(), identity)]),
        ..IdentityInputs::default()
    };
    let bundle = PlanBundle::new(&view, plan, other, &inputs).unwrap();
    let source: Arc<dyn TableSource> = Arc::new(SchemaSource::new(schema()));
    let tables = BTreeMap::from([("t".to_owned(), source)]);
    let forms = plan_forms(&bundle, &tables, &state);
    (bundle, forms)
}

#[test]
fn a_plan_of_10_000_nodes_has_a_bundle_and_says_why_it_has_no_forms() {
    on_planning_stack(|| {
        let plan = (0..10_000).fold(scan(), |input, number| {
            filtered(col("t.a").not_eq(lit(i64::from(number))), input)
        });
        let (_, forms) = forms(plan, false);
        for form in [&forms.substrait, &forms.protobuf] {
            assert!(form.content.is_none());
            assert!(form.validation.reason.contains("too deep"), "{form:?}");
        }
        assert!(forms.best().1.contains("too deep"));
    });
}

#[test]
fn a_wide_plan_of_2_000_nodes_has_both_forms() {
    on_planning_stack(|| {
        let inputs = (0..1_000_i64)
            .map(|number| Arc::new(filtered(col("t.a").eq(lit(number)), scan())))
            .collect();
        let (_, forms) = forms(union(inputs), true);
        for form in [forms.substrait, forms.protobuf] {
            assert!(form.validation.matches, "{:?}", form.validation);
        }
    });
}

#[test]
fn a_chain_of_2_000_alternatives_is_no_deep_plan() {
    on_planning_stack(|| {
        let any = (1..2_000_i64).fold(col("t.a").eq(lit(0_i64)), |expr, number| {
            // The optimizer would make a list of equalities.
            expr.or(col("t.a").lt(col("t.b") + lit(number)))
        });
        let (_, forms) = forms(filtered(any, scan()), false);
        for form in [forms.substrait, forms.protobuf] {
            assert!(form.content.is_some(), "{:?}", form.validation);
        }
    });
}

#[test]
fn expressions_of_2_000_levels_say_why_they_have_no_form() {
    on_planning_stack(|| {
        let sum = (0..2_000_i64)
            .fold(col("t.a"), |expr, number| lit(number) + expr)
            .gt(lit(0_i64));
        let not = (0..2_000).fold(col("t.a").gt(lit(0_i64)), |expr, _| {
            Expr::Not(Box::new(expr))
        });
        for predicate in [sum, not] {
            let (_, forms) = forms(filtered(predicate, scan()), false);
            for form in [&forms.substrait, &forms.protobuf] {
                assert!(form.validation.reason.contains("too deep"), "{form:?}");
            }
        }
    });
}

#[test]
fn a_shared_plan_that_would_be_huge_as_a_tree_is_not_written_out() {
    on_planning_stack(|| {
        let plan = (0..40).fold(scan(), |input, _| {
            let shared = Arc::new(input);
            union(vec![Arc::clone(&shared), shared])
        });
        let (_, forms) = forms(plan, false);
        for form in [&forms.substrait, &forms.protobuf] {
            assert!(form.validation.reason.contains("too large"), "{form:?}");
        }
    });
}

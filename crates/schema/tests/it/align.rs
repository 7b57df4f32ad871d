//! Rows of one schema as rows of another.

use arrow_schema::{DataType, Field, Schema};
use codeanatomy_schema::{CastPolicy, align_to_schema};
use datafusion::prelude::SessionContext;

use crate::support::{plan, rows, session};

fn target() -> Schema {
    Schema::new(vec![
        Field::new("amount", DataType::Float64, true),
        Field::new("id", DataType::Int8, true),
        Field::new("note", DataType::Utf8, true),
    ])
}

#[tokio::test]
async fn columns_are_ordered_cast_filled_and_left_out() {
    let ctx = session("(1, 'a', 1.5), (NULL, 'b', 2.5)").await;
    let plan = plan(&ctx, "SELECT * FROM sales").await;
    for policy in [CastPolicy::Raise, CastPolicy::Null, CastPolicy::Filter] {
        let aligned = align_to_schema(&plan, &target(), policy).unwrap();
        let fields = aligned.schema().fields().iter();
        let types = fields
            .map(|it| (it.name().clone(), it.data_type().clone()))
            .collect::<Vec<_>>();
        let wanted = target();
        let wanted = wanted.fields().iter();
        let wanted = wanted
            .map(|it| (it.name().clone(), it.data_type().clone()))
            .collect::<Vec<_>>();
        assert_eq!(types, wanted);
        assert_eq!(rows(&ctx, &aligned).await, ["1.5 1 -", "2.5 - -"]);
    }
}

#[tokio::test]
async fn a_value_that_does_not_fit_fails_becomes_null_or_goes() {
    let ctx = session("(1, 'a', 1.5), (400, 'b', 2.5), (NULL, 'c', 3.5)").await;
    let plan = plan(&ctx, "SELECT * FROM sales").await;
    let aligned = |policy| align_to_schema(&plan, &target(), policy).unwrap();
    let raised = ctx
        .execute_logical_plan(aligned(CastPolicy::Raise))
        .await
        .unwrap()
        .collect()
        .await;
    assert!(raised.unwrap_err().to_string().contains("400"));
    assert_eq!(
        rows(&ctx, &aligned(CastPolicy::Null)).await,
        ["1.5 1 -", "2.5 - -", "3.5 - -"]
    );
    assert_eq!(
        rows(&ctx, &aligned(CastPolicy::Filter)).await,
        ["1.5 1 -", "3.5 - -"]
    );
}

#[tokio::test]
async fn what_cannot_be_aligned_is_told_all_at_once() {
    let ctx = SessionContext::new();
    let plan = plan(&ctx, "SELECT true AS flag, 1 AS nmae").await;
    let schema = Schema::new(vec![
        Field::new("flag", DataType::Date32, true),
        Field::new("name", DataType::Utf8, false),
    ]);
    let errors = align_to_schema(&plan, &schema, CastPolicy::Raise).unwrap_err();
    let told: Vec<_> = errors
        .iter()
        .map(|error| (error.code().id(), error.nearest()))
        .collect();
    assert_eq!(
        told,
        [("CA-SCHEMA-0102", None), ("CA-SCHEMA-0102", Some("nmae"))]
    );
    assert!(errors.iter().all(|error| error.help().is_some()));
}

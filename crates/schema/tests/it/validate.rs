//! What a person learns about rows that break a contract.

use std::sync::Arc;

use codeanatomy_schema::validate::{
    Outcome, Strictness, Validation, ValidationOptions, ValidationReport, error_schema, validate,
};
use codeanatomy_schema::{EvolutionPolicy, SchemaContract};
use datafusion::arrow::array::RecordBatch;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_expr::LogicalPlan;
use proptest::prelude::*;

use crate::support::{batches, in_order, plan, rows, session};

/// Columns as name, type and nullability; an empty type is any type.
type Columns<'a> = &'a [(&'a str, &'a str, bool)];

const SALES: Columns<'static> = &[
    ("id", "Int64", false),
    ("region", "Utf8", false),
    ("amount", "Float64", true),
];

const EVERYTHING: ValidationOptions = ValidationOptions {
    strict: Strictness::Strict,
    coerce: false,
    max_errors: None,
    emit_invalid_rows: true,
    emit_error_table: true,
    emit_marked_rows: false,
};

fn contract(evolution: &str, key: &[&str], columns: Columns<'_>) -> SchemaContract {
    let key = key.iter().map(|name| (*name).to_owned()).collect();
    let columns = columns.iter().map(|(name, text, nullable)| {
        let data_type = (!text.is_empty()).then(|| (*text).to_owned());
        ((*name).to_owned(), data_type, Some(*nullable))
    });
    SchemaContract::build(evolution, key, columns.collect()).unwrap()
}

async fn of_sales(
    ctx: &SessionContext,
    contract: &SchemaContract,
    options: &ValidationOptions,
) -> Validation {
    let plan = plan(ctx, "SELECT * FROM sales").await;
    validate(&plan, contract, options, &ctx.state()).unwrap()
}

async fn report(ctx: &SessionContext, validation: &Validation) -> ValidationReport {
    let counts = match validation.counts() {
        Some(counts) => Some(batches(ctx, counts).await[0].clone()),
        None => None,
    };
    let report = validation.report(counts.as_ref()).unwrap();
    if let Some(errors) = validation.errors() {
        let told = report.errors.iter();
        let told = told.map(|it| format!("{} {} {}", it.code, it.column, it.count));
        assert_eq!(in_order(ctx, errors).await, told.collect::<Vec<_>>());
    }
    report
}

fn errors(report: &ValidationReport) -> Vec<String> {
    let errors = report.errors.iter();
    errors
        .map(|it| format!("{} {} {}", it.code, it.column, it.count))
        .collect()
}

#[tokio::test]
async fn rows_are_sorted_into_those_that_keep_the_contract_and_those_that_do_not() {
    let ctx = session(
        "(1, 'north', 1.5), (2, NULL, 2.0), (NULL, 'south', 3.0), (3, 'east', NULL), (3, 'west', 4.0), (NULL, NULL, 5.0)",
    )
    .await;
    let contract = contract("STRICT", &["id"], SALES);
    let validation = of_sales(&ctx, &contract, &EVERYTHING).await;
    let report = report(&ctx, &validation).await;
    assert!(!report.valid);
    assert_eq!((report.validated, report.invalid_rows), (Some(6), Some(5)));
    assert_eq!(
        errors(&report),
        [
            "null_violation region 2",
            "missing_key_field id 2",
            "duplicate_keys id 2"
        ]
    );
    assert_eq!(rows(&ctx, validation.valid()).await, ["1 north 1.5"]);
    assert_eq!(
        rows(&ctx, validation.invalid().unwrap()).await,
        [
            "- - 5.0 null_violation region",
            "- south 3.0 missing_key_field id",
            "2 - 2.0 null_violation region",
            "3 east - duplicate_keys id",
            "3 west 4.0 duplicate_keys id",
        ]
    );
    let table = validation.errors().unwrap().schema().as_arrow().clone();
    let types = |schema: &arrow_schema::Schema| {
        let fields = schema.fields().iter();
        fields
            .map(|it| (it.name().clone(), it.data_type().clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(types(&table), types(&error_schema()));
}

#[tokio::test]
async fn rows_without_errors_are_valid_and_so_are_none() {
    for (values, count) in [
        ("(1, 'a', 1.0), (2, 'b', NULL)", 2),
        ("(NULL, NULL, NULL) LIMIT 0", 0),
    ] {
        let ctx = SessionContext::new();
        let sql = format!("SELECT * FROM (VALUES {values}) AS v(id, region, amount)");
        let plan = plan(&ctx, &sql).await;
        let contract = contract(
            "STRICT",
            &["id"],
            &[
                ("id", "", false),
                ("region", "", false),
                ("amount", "", true),
            ],
        );
        let validation = validate(&plan, &contract, &EVERYTHING, &ctx.state()).unwrap();
        let report = report(&ctx, &validation).await;
        assert!(report.valid && report.errors.is_empty());
        assert_eq!(
            (report.validated, report.invalid_rows),
            (Some(count), Some(0))
        );
    }
}

#[tokio::test]
async fn a_schema_that_breaks_the_contract_leaves_no_row_valid() {
    let ctx = session("(1, 'north', 1.5)").await;
    let columns = [
        ("id", "Int32", false),
        ("regoin", "Utf8", true),
        ("amount", "Float64", true),
    ];
    let contract = contract("STRICT", &[], &columns);
    let validation = of_sales(&ctx, &contract, &EVERYTHING).await;
    let report = report(&ctx, &validation).await;
    assert_eq!(
        errors(&report),
        [
            "type_mismatch id 1",
            "missing_column regoin 1",
            "extra_column region 1"
        ]
    );
    assert_eq!((report.validated, report.invalid_rows), (None, None));
    assert!(rows(&ctx, validation.valid()).await.is_empty());
    let invalid = rows(&ctx, validation.invalid().unwrap()).await;
    assert_eq!(invalid, ["1 north 1.5 type_mismatch id"]);
}

#[tokio::test]
async fn extra_columns_are_errors_only_where_the_contract_is_strict() {
    let ctx = session("(1, 'north', 1.5)").await;
    let columns = [("id", "Int64", true), ("region", "Utf8", true)];
    let lax = ValidationOptions {
        strict: Strictness::Lax,
        ..EVERYTHING
    };
    let filter = ValidationOptions {
        strict: Strictness::Filter,
        ..EVERYTHING
    };
    for (evolution, options, valid, left) in [
        ("STRICT", EVERYTHING, false, "1 north 1.5"),
        ("STRICT", lax, true, "1 north 1.5"),
        ("STRICT", filter, true, "1 north"),
        ("ADDITIVE", EVERYTHING, true, "1 north 1.5"),
        ("ADDITIVE", filter, true, "1 north 1.5"),
    ] {
        let contract = contract(evolution, &[], &columns);
        let validation = of_sales(&ctx, &contract, &options).await;
        assert_eq!(report(&ctx, &validation).await.valid, valid, "{evolution}");
        assert_eq!(rows(&ctx, validation.valid()).await, [left]);
    }
}

#[tokio::test]
async fn with_filter_what_is_left_is_valid() {
    let ctx = session("(1, 'north', 1.5), (2, NULL, 2.0), (2, 'x', 2.0)").await;
    let filter = ValidationOptions {
        strict: Strictness::Filter,
        ..EVERYTHING
    };
    let contract = contract("STRICT", &["id"], SALES);
    let validation = of_sales(&ctx, &contract, &filter).await;
    let report = report(&ctx, &validation).await;
    assert!(report.valid);
    assert_eq!(report.invalid_rows, Some(2));
    assert_eq!(rows(&ctx, validation.valid()).await, ["1 north 1.5"]);
}

#[tokio::test]
async fn values_are_coerced_if_nothing_of_them_is_lost() {
    let ctx =
        session("(1, '7', 1.0), (2, 'seven', 2.5), (3000000000, '8', 1e30), (4, NULL, NULL)").await;
    let columns = [
        ("id", "Int32", true),
        ("region", "Int64", true),
        ("amount", "Decimal128(6, 0)", true),
    ];
    let contract = contract("STRICT", &[], &columns);
    let coerce = ValidationOptions {
        coerce: true,
        ..EVERYTHING
    };
    let validation = of_sales(&ctx, &contract, &coerce).await;
    let report = report(&ctx, &validation).await;
    assert_eq!(
        errors(&report),
        [
            "type_mismatch id 1",
            "type_mismatch region 1",
            "type_mismatch amount 2"
        ]
    );
    assert_eq!(rows(&ctx, validation.valid()).await, ["1 7 1", "4 - -"]);
    let types = validation.valid().schema().as_arrow().clone();
    let kept = SchemaContract::of_schema(&types, EvolutionPolicy::Strict);
    let types = kept
        .columns()
        .iter()
        .map(|column| column.data_type.clone().unwrap().to_string());
    assert_eq!(
        types.collect::<Vec<_>>(),
        ["Int32", "Int64", "Decimal128(6, 0)"]
    );
}

#[tokio::test]
async fn a_type_that_holds_every_value_needs_no_look_at_the_rows() {
    let ctx = session("(1, 'a', 1.0)").await;
    let columns = [
        ("id", "Decimal128(20, 0)", true),
        ("region", "Utf8", true),
        ("amount", "Float64", true),
    ];
    let coerce = ValidationOptions {
        coerce: true,
        ..EVERYTHING
    };
    let validation = of_sales(&ctx, &contract("STRICT", &[], &columns), &coerce).await;
    assert!(validation.counts().is_none());
    assert!(report(&ctx, &validation).await.valid);
    assert_eq!(rows(&ctx, validation.valid()).await, ["1 a 1.0"]);
}

#[tokio::test]
async fn fields_and_items_cannot_be_coerced_one_by_one() {
    let ctx = SessionContext::new();
    let plan = plan(&ctx, "SELECT [1, 2] AS numbers, named_struct('a', 1) AS st").await;
    let columns = [
        ("numbers", "List(Int8)", true),
        ("st", "Struct(\"a\": non-null Int64)", true),
    ];
    let coerce = ValidationOptions {
        coerce: true,
        ..EVERYTHING
    };
    let validation = validate(
        &plan,
        &contract("STRICT", &[], &columns),
        &coerce,
        &ctx.state(),
    )
    .unwrap();
    let report = report(&ctx, &validation).await;
    assert_eq!(errors(&report), ["type_mismatch numbers[] 1"]);
}

#[tokio::test]
async fn errors_are_limited_and_counts_are_not() {
    let ctx = session("(1, NULL, 1.0), (2, NULL, 2.0), (NULL, 'a', 3.0)").await;
    let one = ValidationOptions {
        max_errors: Some(1),
        ..EVERYTHING
    };
    let validation = of_sales(&ctx, &contract("STRICT", &["id"], SALES), &one).await;
    assert_eq!(rows(&ctx, validation.invalid().unwrap()).await.len(), 1);
    assert_eq!(
        in_order(&ctx, validation.errors().unwrap()).await,
        ["null_violation region 2"]
    );
    let counts = Some(batches(&ctx, validation.counts().unwrap()).await[0].clone());
    assert_eq!(
        errors(&validation.report(counts.as_ref()).unwrap()).len(),
        2
    );
}

#[tokio::test]
async fn a_key_of_several_columns_is_one_key() {
    let ctx =
        session("(1, 'a', 1.0), (1, 'b', 2.0), (1, 'a', 3.0), (1, NULL, 4.0), (1, NULL, 5.0)")
            .await;
    let columns = [
        ("id", "", false),
        ("region", "", false),
        ("amount", "", true),
    ];
    let validation = of_sales(
        &ctx,
        &contract("STRICT", &["id", "region"], &columns),
        &EVERYTHING,
    )
    .await;
    let report = report(&ctx, &validation).await;
    assert_eq!(
        errors(&report),
        ["missing_key_field region 2", "duplicate_keys id, region 2"]
    );
    assert_eq!(rows(&ctx, validation.valid()).await, ["1 b 2.0"]);
}

#[tokio::test]
async fn what_the_plan_proves_is_not_looked_for() {
    let ctx = session("(1, 'a', 1.0), (1, 'b', 2.0), (2, NULL, 4.0)").await;
    let sql = "SELECT region, count(*) AS n, max(id) AS id FROM sales WHERE region IS NOT NULL GROUP BY region";
    let plan = plan(&ctx, sql).await;
    let columns = [
        ("region", "Utf8", false),
        ("n", "Int64", false),
        ("id", "Int64", true),
    ];
    let validation = validate(
        &plan,
        &contract("STRICT", &["region"], &columns),
        &EVERYTHING,
        &ctx.state(),
    )
    .unwrap();
    assert!(
        validation
            .checks()
            .iter()
            .all(|check| check.outcome == Outcome::Proved)
    );
    let report = report(&ctx, &validation).await;
    assert_eq!(
        (report.valid, report.validated, report.proved),
        (true, None, 3)
    );
    assert_eq!(rows(&ctx, validation.valid()).await, ["a 1 1", "b 1 1"]);
}

#[tokio::test]
async fn columns_of_any_name_are_validated() {
    let ctx = SessionContext::new();
    let sql =
        "SELECT * FROM (VALUES (1, 'x', 2), (1, NULL, 3)) AS v(\"Rows\", \"error_code\", \"a.b\")";
    let plan = plan(&ctx, sql).await;
    let columns = [
        ("Rows", "", false),
        ("error_code", "", false),
        ("a.b", "", false),
    ];
    let validation = validate(
        &plan,
        &contract("STRICT", &["Rows"], &columns),
        &EVERYTHING,
        &ctx.state(),
    )
    .unwrap();
    let report = report(&ctx, &validation).await;
    assert_eq!(
        errors(&report),
        ["null_violation error_code 1", "duplicate_keys Rows 2"]
    );
    let invalid = validation.invalid().unwrap();
    let names: Vec<&String> = invalid
        .schema()
        .fields()
        .iter()
        .map(|it| it.name())
        .collect();
    assert_eq!(
        names,
        ["Rows", "error_code", "a.b", "_error_code", "error_column"]
    );
    assert_eq!(
        rows(&ctx, invalid).await,
        [
            "1 - 3 null_violation error_code",
            "1 x 2 duplicate_keys Rows"
        ]
    );
}

#[tokio::test]
async fn errors_become_messages_that_say_what_to_do() {
    let ctx = session("(1, NULL, 1.0), (1, 'a', 2.0)").await;
    let validation = of_sales(&ctx, &contract("STRICT", &["id"], SALES), &EVERYTHING).await;
    let report = report(&ctx, &validation).await;
    let errors: Vec<_> = report.errors.iter().map(|error| error.to_error()).collect();
    assert_eq!(
        errors[0].to_string(),
        "column `region` is null, and must not be (1 row)"
    );
    assert_eq!(
        errors[1].to_string(),
        "2 rows have a key that another row has too (id)"
    );
    assert!(
        errors
            .iter()
            .all(|error| error.code().id() == "CA-SCHEMA-0101" && error.help().is_some())
    );
    assert!(validation.report(None).is_err());
}

#[tokio::test]
async fn a_wide_contract_is_validated_in_one_pass() {
    let ctx = SessionContext::new();
    let columns =
        (0..250).map(|number| format!("CAST(NULLIF(v, {number}) AS BIGINT) AS c{number}"));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT {columns} FROM (VALUES (1), (5), (9000)) AS t(v)");
    let plan = plan(&ctx, &sql).await;
    let names: Vec<String> = (0..250).map(|number| format!("c{number}")).collect();
    let columns: Vec<(&str, &str, bool)> = names
        .iter()
        .map(|name| (name.as_str(), "Int64", false))
        .collect();
    let validation = validate(
        &plan,
        &contract("STRICT", &[], &columns),
        &EVERYTHING,
        &ctx.state(),
    )
    .unwrap();
    let report = report(&ctx, &validation).await;
    assert_eq!(
        errors(&report),
        ["null_violation c1 1", "null_violation c5 1"]
    );
    assert_eq!(report.invalid_rows, Some(2));
}

#[tokio::test]
async fn validation_spills_where_memory_ends() {
    let pool = Arc::new(FairSpillPool::new(6 << 20));
    let runtime = RuntimeEnvBuilder::new()
        .with_memory_pool(pool)
        .build_arc()
        .unwrap();
    let config = SessionConfig::new()
        .with_target_partitions(1)
        .with_batch_size(1_024)
        .with_sort_spill_reservation_bytes(1 << 19);
    let ctx = SessionContext::new_with_config_rt(config, runtime);
    // Keys of text, of which one stands twice.
    let sql = "SELECT CAST(value % 99999 AS VARCHAR) || '-this-makes-keys-that-need-some-room' AS id, \
               nullif(value, 7) AS amount FROM generate_series(1, 100000)";
    let plan = plan(&ctx, sql).await;
    let contract = contract(
        "STRICT",
        &["id"],
        &[("id", "", false), ("amount", "", false)],
    );
    let validation = validate(&plan, &contract, &EVERYTHING, &ctx.state()).unwrap();

    let (counts, _) = spilling(&ctx, validation.counts().unwrap()).await;
    let report = validation.report(counts.first()).unwrap();
    assert_eq!(
        errors(&report),
        ["null_violation amount 1", "duplicate_keys id 2"]
    );
    assert_eq!(
        (report.validated, report.invalid_rows),
        (Some(100_000), Some(3))
    );

    let (valid, physical) = spilling(&ctx, validation.valid()).await;
    let kept: usize = valid.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(kept, 99_997);
    // This operator forgets rows as it goes; the other one for windows keeps them all.
    assert!(physical.contains("BoundedWindowAggExec"), "{physical}");
}

/// What a plan yields, and the plan that ran, which must have spilled.
async fn spilling(ctx: &SessionContext, plan: &LogicalPlan) -> (Vec<RecordBatch>, String) {
    let physical = ctx.state().create_physical_plan(plan).await.unwrap();
    let stream = collect(Arc::clone(&physical), ctx.task_ctx());
    let batches = stream.await.unwrap();
    assert!(
        spills(&physical) > 0,
        "the memory is enough, so nothing is tried"
    );
    (
        batches,
        displayable(physical.as_ref()).indent(false).to_string(),
    )
}

fn spills(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let own = plan.metrics().and_then(|metrics| metrics.spill_count());
    let below = plan.children().into_iter().map(spills);
    own.unwrap_or_default() + below.sum::<usize>()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(48),
        ..ProptestConfig::default()
    })]

    /// The plans against a count by hand.
    #[test]
    fn the_counts_are_those_that_one_finds_by_hand(
        values in proptest::collection::vec((proptest::option::of(0..4_i64), proptest::option::of(0..3_i64)), 1..12),
    ) {
        let text = |value: &Option<i64>| value.map_or("NULL".to_owned(), |it| it.to_string());
        let literals = values.iter().map(|(id, amount)| format!("({}, 'r', {})", text(id), text(amount)));
        let literals = literals.collect::<Vec<_>>().join(", ");
        let repeated = |id: i64| values.iter().filter(|(it, _)| *it == Some(id)).count() > 1;
        let duplicates = values.iter().filter(|(id, _)| id.is_some_and(repeated)).count();
        let missing = values.iter().filter(|(id, _)| id.is_none()).count();
        let nulls = values.iter().filter(|(_, amount)| amount.is_none()).count();
        let invalid = values.iter().filter(|(id, amount)| amount.is_none() || id.is_none_or(repeated)).count();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (report, valid, rejected) = runtime.block_on(async {
            let ctx = session(&literals).await;
            let columns = [("id", "", false), ("region", "", true), ("amount", "", false)];
            let validation = of_sales(&ctx, &contract("STRICT", &["id"], &columns), &EVERYTHING).await;
            let valid = rows(&ctx, validation.valid()).await.len();
            let rejected = rows(&ctx, validation.invalid().unwrap()).await.len();
            (report(&ctx, &validation).await, valid, rejected)
        });
        let count = |code: &str| {
            let mut found = report.errors.iter().filter(|error| error.code.as_str() == code);
            found.next().map_or(0, |error| error.count) as usize
        };
        prop_assert_eq!(count("duplicate_keys"), duplicates);
        prop_assert_eq!(count("missing_key_field"), missing);
        prop_assert_eq!(count("null_violation"), nulls);
        prop_assert_eq!(report.invalid_rows, Some(invalid as u64));
        prop_assert_eq!((valid, rejected), (values.len() - invalid, invalid));
    }
}

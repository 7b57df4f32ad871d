//! Rows with a mark for each promise that they break.

use codeanatomy_schema::validate::{
    Outcome, Strictness, Validation, ValidationOptions, checks, validate, validate_knowing,
};
use codeanatomy_schema::{Facts, SchemaContract};

use crate::support::{plan, rows, session};

fn contract() -> SchemaContract {
    let columns = vec![
        ("id".to_owned(), Some("Int64".to_owned()), Some(false)),
        ("region".to_owned(), None, Some(false)),
        ("amount".to_owned(), None, None),
    ];
    SchemaContract::build("STRICT", vec!["id".to_owned()], columns).unwrap()
}

/// Columns that may be null by their types.
const SALES: &str = "SELECT nullif(id, 99) AS id, region, amount FROM sales";

fn options(strict: Strictness, coerce: bool) -> ValidationOptions {
    ValidationOptions {
        strict,
        coerce,
        emit_marked_rows: true,
        ..ValidationOptions::default()
    }
}

async fn marked(sql: &str, options: ValidationOptions) -> (Validation, Vec<String>) {
    let ctx = session("(1, 'north', 1), (1, NULL, 2), (2, 'west', 3)").await;
    let plan = plan(&ctx, sql).await;
    let validation = validate(&plan, &contract(), &options, &ctx.state()).unwrap();
    let shown = rows(&ctx, &validation.marked().unwrap().plan).await;
    (validation, shown)
}

#[tokio::test]
async fn a_row_says_what_it_breaks_and_keys_are_left_to_whoever_sees_them_go_by() {
    let (validation, shown) = marked(SALES, options(Strictness::Strict, false)).await;
    assert_eq!(
        shown,
        [
            "1 - 2.0 true false",
            "1 north 1.0 false false",
            "2 west 3.0 false false"
        ]
    );
    let marked = validation.marked().unwrap();
    let codes: Vec<&str> = marked
        .marks
        .iter()
        .map(|&number| validation.checks()[number].code.as_str())
        .collect();
    assert_eq!(codes, ["null_violation", "missing_key_field"]);
    assert_eq!(marked.n_columns, 3);
    let (number, positions) = marked.key.clone().unwrap();
    assert_eq!(validation.checks()[number].code.as_str(), "duplicate_keys");
    assert_eq!(positions, [0]);
    assert!(validation.counts().is_none());
    // What was counted on the way becomes a report: 3 rows, of which 2 are invalid.
    let counted = |check| match check {
        check if check == number => 2,
        check if check == marked.marks[0] => 1,
        _ => 0,
    };
    let report = validation.tallied(3, 2, counted);
    assert!(!report.valid);
    assert_eq!((report.validated, report.invalid_rows), (Some(3), Some(2)));
    assert_eq!(report.errors.len(), 2);
}

#[tokio::test]
async fn where_rows_are_dropped_a_repeated_key_is_marked_too() {
    let (validation, shown) = marked(SALES, options(Strictness::Filter, false)).await;
    assert_eq!(
        shown,
        [
            "1 - 2.0 true false true",
            "1 north 1.0 false false true",
            "2 west 3.0 false false false"
        ]
    );
    assert!(validation.marked().unwrap().key.is_none());
}

#[tokio::test]
async fn keys_are_compared_as_they_are_written_not_as_they_were_read() {
    // '7' and '07' are two texts and one number.
    let sql = "SELECT DISTINCT id, region, amount FROM (VALUES ('7', 'a', 1), ('07', 'b', 2)) AS v(id, region, amount)";
    let (validation, shown) = marked(sql, options(Strictness::Strict, true)).await;
    let marked = validation.marked().unwrap();
    assert!(marked.key.is_some());
    assert!(shown.iter().all(|row| row.starts_with("7 ")), "{shown:?}");
    let ctx = session("(1, 'a', 1)").await;
    let grouped = plan(&ctx, "SELECT id, min(region) AS region, min(amount) AS amount FROM (VALUES ('7', 'a', 1), ('07', 'b', 2)) AS v(id, region, amount) GROUP BY id").await;
    let coerced = ValidationOptions {
        coerce: true,
        ..ValidationOptions::default()
    };
    let validation = validate(&grouped, &contract(), &coerced, &ctx.state()).unwrap();
    let of_key = validation
        .checks()
        .iter()
        .find(|it| it.code.as_str() == "duplicate_keys");
    assert_eq!(of_key.unwrap().outcome, Outcome::Open);
    let counts = rows(&ctx, validation.counts().unwrap()).await;
    assert!(counts[0].starts_with("2 2 "), "{counts:?}");
}

#[tokio::test]
async fn what_statistics_prove_is_not_looked_for() {
    let ctx = session("(1, 'north', 1), (2, NULL, 2)").await;
    let plan = plan(&ctx, "SELECT s.id, s.region, 1.5 AS amount FROM sales s").await;
    let plain = ValidationOptions::default();
    let outcome = |facts: &Facts| {
        let found = checks(&plan, &contract(), &plain, facts);
        let of_region = found.iter().find(|it| it.column == "region").unwrap();
        of_region.outcome
    };
    assert_eq!(outcome(&Facts::default()), Outcome::Open);
    let mut facts = Facts::default();
    facts.add_not_null("sales", "id");
    assert_eq!(outcome(&facts), Outcome::Open);
    facts.add_not_null("sales", "region");
    assert_eq!(outcome(&facts), Outcome::Proved);
    let knowing = validate_knowing(&plan, &contract(), &plain, &facts, &ctx.state()).unwrap();
    let report = knowing
        .checks()
        .iter()
        .filter(|it| it.outcome == Outcome::Proved);
    assert_eq!(report.count(), 2);
    // An outer join makes nulls of its own.
    let outer = crate::support::plan(
        &ctx,
        "SELECT a.id, b.region, 1.5 AS amount FROM sales a LEFT JOIN sales b ON a.id = b.id",
    )
    .await;
    let found = checks(&outer, &contract(), &plain, &facts);
    let of_region = found.iter().find(|it| it.column == "region").unwrap();
    assert_eq!(of_region.outcome, Outcome::Open);
}

#[tokio::test]
async fn a_coercion_that_limits_prove_exact_is_not_looked_for() {
    let ctx = session("(1, 'north', 1), (2, 'south', 2)").await;
    let columns = vec![("id".to_owned(), Some("Int8".to_owned()), None)];
    let contract = SchemaContract::build("STRICT", Vec::new(), columns).unwrap();
    let options = ValidationOptions {
        coerce: true,
        ..ValidationOptions::default()
    };
    let outcome = async |sql: &str, facts: &Facts| {
        let plan = plan(&ctx, sql).await;
        let found = checks(&plan, &contract, &options, facts);
        let [check] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(check.code.as_str(), "type_mismatch", "{sql}");
        check.outcome
    };
    let nothing = Facts::default();
    for sql in [
        "SELECT id FROM sales WHERE id BETWEEN -100 AND 100",
        "SELECT id FROM sales WHERE 0 < id AND id <= 127 AND region = 'x'",
        "SELECT x AS id FROM (SELECT id AS x FROM sales WHERE id = 7) ORDER BY x LIMIT 3",
        "SELECT id FROM sales WHERE id > 0 AND id < 9 UNION ALL SELECT 5",
        "SELECT a.id FROM (SELECT id FROM sales WHERE id >= 1 AND id <= 3) a LEFT JOIN sales b ON a.id = b.id",
        "SELECT id FROM sales WHERE id IN (1) AND id < 100 AND id > -5 GROUP BY id",
        "SELECT cast(id AS INT) AS id FROM sales WHERE id > 0 AND id < 9",
    ] {
        assert_eq!(outcome(sql, &nothing).await, Outcome::Proved, "{sql}");
    }
    for sql in [
        "SELECT id FROM sales",
        "SELECT id FROM sales WHERE id < 100",
        "SELECT id FROM sales WHERE id BETWEEN 0 AND 128",
        "SELECT id FROM sales WHERE id NOT BETWEEN 0 AND 100",
        "SELECT id FROM sales WHERE id > 0 AND id < 9 OR region = 'x'",
        "SELECT id + 1 AS id FROM sales WHERE id > 0 AND id < 9",
        "SELECT id FROM sales WHERE id > 0 AND id < 9 UNION ALL SELECT 500",
        "SELECT sum(id) AS id FROM sales WHERE id > 0 AND id < 9",
        "SELECT b.id FROM (SELECT id FROM sales WHERE id >= 1 AND id <= 3) a LEFT JOIN sales b ON a.id = b.id",
        "SELECT cast(cast(id AS FLOAT) AS BIGINT) AS id FROM sales WHERE id > 0 AND id < 9",
    ] {
        assert_eq!(outcome(sql, &nothing).await, Outcome::Open, "{sql}");
    }
    let range = |min: i64, max: i64| {
        let mut facts = Facts::default();
        facts.add_range("sales", "id", &min.into(), &max.into());
        facts
    };
    let all = "SELECT s.id FROM sales s";
    assert_eq!(outcome(all, &range(-128, 127)).await, Outcome::Proved);
    assert_eq!(outcome(all, &range(-129, 0)).await, Outcome::Open);
    assert_eq!(outcome(all, &range(0, 128)).await, Outcome::Open);
    let below = "SELECT id FROM sales WHERE id < 50";
    assert_eq!(outcome(below, &range(0, 1000)).await, Outcome::Proved);
    // What is coerced without a look is what it was.
    let plan = plan(&ctx, all).await;
    let knowing = validate_knowing(&plan, &contract, &options, &range(1, 2), &ctx.state()).unwrap();
    assert_eq!(rows(&ctx, knowing.valid()).await, ["1", "2"]);
}

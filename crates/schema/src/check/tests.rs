//! What a person reads when a schema breaks its contract.

use arrow_schema::{DataType, Fields};

use super::*;

fn violations(evolution: &str, columns: &[(&str, &str, bool)], schema: &Schema) -> Vec<String> {
    let columns = columns
        .iter()
        .map(|(name, text, nullable)| ((*name).into(), Some((*text).into()), Some(*nullable)));
    let contract = SchemaContract::build(evolution, Vec::new(), columns.collect()).unwrap();
    let violations = check(&contract, schema);
    violations
        .iter()
        .map(|violation| format!("{} {violation}", violation.code))
        .collect()
}

fn sales() -> Schema {
    Schema::new(vec![
        Field::new("region", DataType::Utf8View, true),
        Field::new("units", DataType::Int64, false),
        Field::new("note", DataType::Utf8, true),
    ])
}

#[test]
fn all_violations_are_reported_at_once() {
    let columns = [
        ("region", "Utf8", false),
        ("units", "Int32", true),
        ("revenue", "Decimal128(15, 2)", true),
    ];
    assert_eq!(
        violations("STRICT", &columns, &sales()),
        [
            "NULLABILITY_MISMATCH column `region` is nullable, and its contract says not null",
            "TYPE_MISMATCH column `units` is Int64, and its contract says Int32",
            "MISSING_COLUMN column `revenue` is missing: its contract says Decimal128(15, 2)",
            "EXTRA_COLUMN column `note` (Utf8) is not in the contract",
        ]
    );
    assert_eq!(violations("ADDITIVE", &columns, &sales()).len(), 3);
    assert_eq!(violations("RELAXED", &columns, &sales()).len(), 2);
}

#[test]
fn violations_inside_nested_columns_name_the_path() {
    let street = Field::new("street name", DataType::Int8, true);
    let item = Field::new_list_field(DataType::Struct(Fields::from(vec![street])), true);
    let schema = Schema::new(vec![Field::new(
        "addresses",
        DataType::List(item.into()),
        true,
    )]);
    let promised = r#"List(non-null Struct("street name": non-null Utf8, "zip": Utf8))"#;
    assert_eq!(
        violations("STRICT", &[("addresses", promised, true)], &schema),
        [
            "NULLABILITY_MISMATCH column `addresses[]` is nullable, and its contract says not null",
            "NULLABILITY_MISMATCH column `addresses[].\"street name\"` is nullable, and its contract \
             says not null",
            "MISSING_COLUMN column `addresses[].zip` is missing: its contract says Utf8",
            "TYPE_MISMATCH column `addresses[].\"street name\"` is Int8, and its contract says Utf8",
        ]
    );
}

#[test]
fn what_cannot_be_null_satisfies_a_contract_that_allows_nulls() {
    let columns = [
        ("region", "Utf8", true),
        ("units", "Int64", true),
        ("note", "Utf8", true),
    ];
    assert!(violations("STRICT", &columns, &sales()).is_empty());
}

#[test]
fn a_contract_without_columns_asks_only_for_its_key_and_its_partitioning() {
    let contract = SchemaContract::build("STRICT", vec!["unit".to_owned()], Vec::new())
        .unwrap()
        .with_partition_by(vec!["region".to_owned(), "day".to_owned()])
        .unwrap();
    let violations = check(&contract, &sales());
    let found: Vec<_> = violations
        .iter()
        .map(|v| (v.column.as_str(), v.expected.as_str(), v.nearest.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            ("unit", "a key column", Some("units")),
            ("day", "a partition column", None),
        ]
    );
}

#[test]
fn a_violation_becomes_an_error_that_says_what_to_do() {
    let contract = SchemaContract::build(
        "STRICT",
        Vec::new(),
        vec![("regoin".to_owned(), None, None)],
    )
    .unwrap();
    let error = check(&contract, &sales())[0].to_error();
    assert_eq!(error.code().id(), "CA-SCHEMA-0100");
    assert_eq!(error.code().stage(), codeanatomy_vocab::Stage::Contract);
    assert_eq!(error.nearest(), Some("region"));
    assert!(error.help().is_some());
}

#[test]
fn a_thousand_columns_and_a_hundred_levels_are_checked() {
    let mut deep = DataType::Int8;
    for _ in 0..100 {
        deep = DataType::List(Field::new_list_field(deep, true).into());
    }
    let fields: Vec<Field> = (0..1_000)
        .map(|number| Field::new(format!("c{number}"), deep.clone(), true))
        .collect();
    let schema = Schema::new(fields);
    for policy in ["STRICT", "ADDITIVE", "RELAXED"] {
        let policy = EvolutionPolicy::parse(policy).unwrap();
        assert!(check(&SchemaContract::of_schema(&schema, policy), &schema).is_empty());
    }
}

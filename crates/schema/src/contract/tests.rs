//! What a person hears about a wrong contract, and what a right one is.

use arrow_schema::Field;

use super::*;

fn column(name: &str, data_type: &str) -> (String, Option<String>, Option<bool>) {
    (name.to_owned(), Some(data_type.to_owned()), None)
}

#[test]
fn a_wrong_contract_is_told_everything_that_is_wrong() {
    let key = ["id", "naem", "id"].map(str::to_owned).to_vec();
    let columns = vec![
        column("id", "Itn64"),
        ("name".to_owned(), None, Some(true)),
        column("id", "Int64"),
        column("price", "decimal(15, 2)"),
    ];
    let errors = SchemaContract::build("ADITIVE", key, columns).unwrap_err();
    let found: Vec<(&str, Option<&str>)> = errors
        .iter()
        .map(|error| (error.code().id(), error.nearest()))
        .collect();
    assert_eq!(
        found,
        [
            ("CA-SCHEMA-0001", Some("ADDITIVE")),
            ("CA-SCHEMA-0002", Some("Int64")),
            ("CA-SCHEMA-0002", Some("Decimal128")),
            ("CA-SCHEMA-0003", None),
            ("CA-SCHEMA-0003", None),
            ("CA-SCHEMA-0004", Some("name")),
        ]
    );
    assert!(errors.iter().all(|error| error.help().is_some()));
}

#[test]
fn a_key_column_must_not_be_nullable() {
    let columns = vec![("id".to_owned(), None, Some(true))];
    let errors = SchemaContract::build("STRICT", vec!["id".to_owned()], columns).unwrap_err();
    assert_eq!(errors.first().code(), codes::NULLABLE_KEY);
}

#[test]
fn what_no_column_can_be_is_a_contradiction() {
    let found = |key: &[&str], name: &str, data_type: &str, nullable| {
        let key = key.iter().map(|name| (*name).to_owned()).collect();
        let columns = vec![(name.to_owned(), Some(data_type.to_owned()), nullable)];
        let contract = SchemaContract::build("STRICT", key, columns);
        contract.map_or_else(|errors| errors.first().code().id(), |_| "fine")
    };
    let map = r#"Map("entries": non-null Struct("key": non-null Utf8, "value": Int8), unsorted)"#;
    assert_eq!(found(&[], "a", "Null", Some(false)), "CA-SCHEMA-0006");
    assert_eq!(found(&["a"], "a", "Null", None), "CA-SCHEMA-0006");
    assert_eq!(found(&["a"], "a", map, None), "CA-SCHEMA-0006");
    assert_eq!(found(&[], "a", "Null", None), "fine");
    assert_eq!(found(&[], "a", map, Some(false)), "fine");
}

#[test]
fn an_order_is_part_of_the_promise_and_a_name_is_not() {
    let columns = vec![column("day", "Date32"), column("id", "Int64")];
    let contract = SchemaContract::build("STRICT", Vec::new(), columns).unwrap();
    let order = |names: &[&str]| {
        let column = |name: &&str| OrderColumn {
            name: (*name).to_owned(),
            descending: false,
            nulls_first: true,
        };
        names.iter().map(column).collect::<Vec<_>>()
    };
    let ordered = contract
        .clone()
        .with_ordering(order(&["day", "id"]))
        .unwrap();
    assert_ne!(ordered.fingerprint(), contract.fingerprint());
    let turned = contract
        .clone()
        .with_ordering(order(&["id", "day"]))
        .unwrap();
    assert_ne!(ordered.fingerprint(), turned.fingerprint());
    let named = ordered.clone().with_table_name("sales");
    assert_eq!(named.fingerprint(), ordered.fingerprint());
    let errors = contract
        .with_ordering(order(&["day", "dya", "day"]))
        .unwrap_err();
    let codes: Vec<&str> = errors.iter().map(|error| error.code().id()).collect();
    assert_eq!(codes, ["CA-SCHEMA-0006", "CA-SCHEMA-0004"]);
}

#[test]
fn partition_columns_are_checked_like_the_key() {
    let contract =
        SchemaContract::build("STRICT", Vec::new(), vec![column("region", "Utf8")]).unwrap();
    let errors = contract
        .clone()
        .with_partition_by(vec!["regoin".to_owned()])
        .unwrap_err();
    assert_eq!(errors.first().nearest(), Some("region"));
    let partitioned = contract
        .clone()
        .with_partition_by(vec!["region".to_owned()])
        .unwrap();
    assert_ne!(contract.fingerprint(), partitioned.fingerprint());
}

#[test]
fn a_contract_is_the_same_whatever_the_order_of_its_columns() {
    let build = |evolution, key: &[&str], columns: &[(&str, &str)]| {
        let key = key.iter().map(|name| (*name).to_owned()).collect();
        let columns = columns.iter().map(|(name, text)| column(name, text));
        SchemaContract::build(evolution, key, columns.collect())
            .unwrap()
            .fingerprint()
    };
    let one = build("STRICT", &["a", "b"], &[("a", "Int64"), ("b", "Utf8")]);
    let columns = [("a", "Int64"), ("b", "Utf8")];
    assert_eq!(one, build("STRICT", &["b", "a"], &[columns[1], columns[0]]));
    assert_ne!(one, build("STRICT", &["a"], &columns));
    assert_ne!(one, build("RELAXED", &["a", "b"], &columns));
    assert_ne!(
        one,
        build("STRICT", &["a", "b"], &[("a", "Int64"), ("b", "LargeUtf8")])
    );
}

#[test]
fn a_schema_keeps_the_contract_that_is_made_from_it() {
    let schema = Schema::new(vec![
        Field::new("a", DataType::Int64, false),
        Field::new("b", DataType::Utf8, true),
    ]);
    let contract = SchemaContract::of_schema(&schema, EvolutionPolicy::Strict);
    assert!(crate::check(&contract, &schema).is_empty());
    assert_eq!(contract.columns().len(), 2);
}

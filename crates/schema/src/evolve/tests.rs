//! The laws of the relation: reflexive, transitive, and each policy within the next.

use arrow_schema::Schema;
use proptest::prelude::*;

use super::*;
use crate::generate::{any_type, config, evolved, fields, leaves};
use crate::{SchemaContract, check};

#[test]
fn over_all_leaf_types_the_relation_is_reflexive_and_transitive() {
    let types = leaves();
    for policy in EvolutionPolicy::ALL {
        let accepted: Vec<Vec<usize>> = types
            .iter()
            .map(|one| {
                let others = types.iter().enumerate();
                let accepted = others.filter(|(_, other)| policy.accepts(one, other));
                accepted.map(|(index, _)| index).collect()
            })
            .collect();
        for (a, first) in accepted.iter().enumerate() {
            assert!(
                first.contains(&a),
                "{policy} does not accept {} as itself",
                types[a]
            );
            for &b in first {
                for &c in &accepted[b] {
                    let (a_type, b_type, c_type) = (&types[a], &types[b], &types[c]);
                    assert!(
                        first.contains(&c),
                        "{policy}: {a_type} -> {b_type} -> {c_type}"
                    );
                }
            }
        }
    }
}

#[test]
fn widening_is_what_the_table_says() {
    let accepted = |promised: &str, actual: &str| {
        let [promised, actual] = [promised, actual].map(|t| t.parse::<DataType>().unwrap());
        EvolutionPolicy::Relaxed.accepts(&promised, &actual)
    };
    for (promised, actual) in [
        ("Null", "Struct(\"a\": Int8)"),
        ("UInt8", "Int16"),
        ("UInt32", "Int64"),
        ("Int8", "Float16"),
        ("UInt32", "Float64"),
        ("Int64", "Decimal128(19, 0)"),
        ("UInt64", "Decimal128(22, 2)"),
        ("Decimal128(15, 2)", "Decimal128(17, 4)"),
        ("Decimal128(5, -2)", "Decimal128(7, 0)"),
        ("Time32(s)", "Time64(ns)"),
        ("Interval(DayTime)", "Interval(MonthDayNano)"),
        ("FixedSizeBinary(4)", "Binary"),
        ("FixedSizeList(2 x Int8)", "LargeList(Int16)"),
    ] {
        assert!(accepted(promised, actual), "{promised} -> {actual}");
        assert!(!accepted(actual, promised), "{actual} -> {promised}");
    }
    for (promised, actual) in [
        ("Int8", "UInt64"),
        ("UInt64", "Int64"),
        ("Int64", "Float64"),
        ("Int64", "Decimal128(19, 1)"),
        ("Decimal128(15, 2)", "Decimal128(16, 4)"),
        ("Date32", "Timestamp(s)"),
        ("Timestamp(s)", "Timestamp(ns)"),
        ("Timestamp(s)", "Timestamp(s, \"UTC\")"),
        ("Timestamp(s, \"+02:00\")", "Timestamp(s, \"UTC\")"),
        ("Int8", "Utf8"),
        ("Utf8", "Binary"),
        ("FixedSizeList(2 x Int8)", "FixedSizeList(3 x Int8)"),
    ] {
        assert!(!accepted(promised, actual), "{promised} -> {actual}");
    }
}

#[test]
fn names_that_are_no_part_of_a_promise_are_ignored() {
    let accepted = |promised: &str, actual: &str| {
        let [promised, actual] = [promised, actual].map(|t| t.parse::<DataType>().unwrap());
        EvolutionPolicy::Strict.accepts(&promised, &actual)
    };
    assert!(accepted("List(Int8)", "ListView(Int8, field: 'element')"));
    assert!(accepted(
        "Map(\"entries\": non-null Struct(\"key\": non-null Utf8, \"value\": Int8), unsorted)",
        "Map(\"kv\": non-null Struct(\"k\": non-null Utf8View, \"v\": Int8), sorted)",
    ));
    assert!(accepted(
        "Struct(\"a\": Int8, \"b\": Utf8)",
        "Struct(\"b\": Utf8, \"a\": Int8)"
    ));
    assert!(accepted(
        "Union(Sparse, 0: (\"a\": Int8), 3: (\"b\": Utf8))",
        "Union(Dense, 3: (\"b\": Utf8View), 0: (\"a\": Int8))",
    ));
    assert!(!accepted(
        "Union(Sparse, 0: (\"a\": Int8))",
        "Union(Sparse, 1: (\"a\": Int8))"
    ));
    assert!(accepted(
        "RunEndEncoded(\"r\": Int32, \"v\": Utf8)",
        "Dictionary(Int8, LargeUtf8)"
    ));
}

#[test]
fn a_thousand_levels_are_compared_on_a_small_stack() {
    let work = || {
        let deep = |leaf: DataType| {
            (0..1_000).fold(leaf, |inner, _| {
                DataType::List(Field::new_list_field(inner, true).into())
            })
        };
        let (narrow, wide) = (deep(DataType::Int8), deep(DataType::Int16));
        let accepts = |policy: EvolutionPolicy| policy.accepts(&narrow, &wide);
        assert!(accepts(EvolutionPolicy::Relaxed) && !accepts(EvolutionPolicy::Strict));
    };
    let thread = std::thread::Builder::new().stack_size(512 * 1024);
    thread.spawn(work).unwrap().join().unwrap();
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn what_is_accepted_step_by_step_is_accepted_at_once(
        first in any_type(),
        choices in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut choices = choices.into_iter();
        let second = evolved(&first, &mut choices);
        let third = evolved(&second, &mut choices);
        for policy in EvolutionPolicy::ALL {
            prop_assert!(policy.accepts(&first, &first));
            if policy.accepts(&first, &second) && policy.accepts(&second, &third) {
                prop_assert!(policy.accepts(&first, &third), "{policy} {first} {second} {third}");
            }
        }
        for (strict, lax) in [
            (EvolutionPolicy::Strict, EvolutionPolicy::Additive),
            (EvolutionPolicy::Additive, EvolutionPolicy::Relaxed),
        ] {
            prop_assert!(!strict.accepts(&first, &second) || lax.accepts(&first, &second));
        }
    }

    #[test]
    fn contracts_kept_step_by_step_are_kept_at_once(
        first in fields(proptest::sample::select(leaves())),
        choices in proptest::collection::vec(any::<u8>(), 0..64),
    ) {
        let mut choices = choices.into_iter();
        let mut next = |fields: &Fields| match evolved(&DataType::Struct(fields.clone()), &mut choices) {
            DataType::Struct(fields) => fields,
            _ => Fields::empty(),
        };
        let second = next(&first);
        let third = next(&second);
        // Columns of one table have different names.
        let distinct = |fields: &Fields| {
            let names: BTreeSet<&String> = fields.iter().map(|field| field.name()).collect();
            names.len() == fields.len()
        };
        prop_assume!([&first, &second, &third].into_iter().all(distinct));
        let [first, second, third] = [first, second, third].map(Schema::new);
        for policy in EvolutionPolicy::ALL {
            let keeps = |before: &Schema, after: &Schema| {
                check(&SchemaContract::of_schema(before, policy), after).is_empty()
            };
            // A contract without columns says nothing, so nothing follows from keeping it.
            if !second.fields().is_empty() && keeps(&first, &second) && keeps(&second, &third) {
                prop_assert!(keeps(&first, &third), "{policy} {first:?} {second:?} {third:?}");
            }
        }
    }
}

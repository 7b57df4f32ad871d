//! Types for property tests.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Fields, IntervalUnit, TimeUnit, UnionFields, UnionMode};
use proptest::prelude::*;

use crate::EvolutionPolicy;

/// As many cases as fit a test run, the same in each run.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(cases.into()),
        ..ProptestConfig::default()
    }
}

/// Types without fields, of every kind.
pub(crate) fn leaves() -> Vec<DataType> {
    use DataType::*;
    let dictionary = |values| Dictionary(Box::new(Int32), Box::new(values));
    let mut types = vec![
        Null,
        Boolean,
        Int8,
        Int16,
        Int32,
        Int64,
        UInt8,
        UInt16,
        UInt32,
        UInt64,
        Float16,
        Float32,
        Float64,
        Date32,
        Date64,
        Utf8,
        LargeUtf8,
        Utf8View,
        Binary,
        BinaryView,
        FixedSizeBinary(4),
        FixedSizeBinary(8),
        Time32(TimeUnit::Second),
        Time32(TimeUnit::Millisecond),
        Time64(TimeUnit::Microsecond),
        Time64(TimeUnit::Nanosecond),
        Interval(IntervalUnit::YearMonth),
        Interval(IntervalUnit::DayTime),
        Interval(IntervalUnit::MonthDayNano),
        Duration(TimeUnit::Second),
        Duration(TimeUnit::Nanosecond),
        Decimal32(5, 2),
        dictionary(Utf8),
        dictionary(Int16),
    ];
    for (precision, scale) in [
        (3, 0),
        (5, 0),
        (5, 2),
        (5, -2),
        (7, 0),
        (10, 0),
        (19, 0),
        (20, 0),
        (22, 2),
        (38, 10),
    ] {
        types.push(Decimal128(precision, scale));
        types.push(Decimal256(precision, scale));
    }
    for time_zone in [None, Some("UTC"), Some("+00:00"), Some("+02:00")] {
        types.push(Timestamp(TimeUnit::Second, time_zone.map(Arc::from)));
        types.push(Timestamp(TimeUnit::Microsecond, time_zone.map(Arc::from)));
    }
    types
}

/// Types of up to three levels.
pub(crate) fn any_type() -> impl Strategy<Value = DataType> {
    let leaf = proptest::sample::select(leaves());
    leaf.prop_recursive(3, 12, 3, |inner| {
        let item = (inner.clone(), any::<bool>())
            .prop_map(|(data_type, nullable)| Arc::new(Field::new("i", data_type, nullable)));
        prop_oneof![
            item.clone().prop_map(DataType::List),
            item.clone()
                .prop_map(|item| DataType::FixedSizeList(item, 2)),
            fields(inner.clone()).prop_map(DataType::Struct),
            fields(inner).prop_map(|fields| {
                let ids = (0..).take(fields.len());
                let fields = fields.iter().cloned();
                DataType::Union(UnionFields::try_new(ids, fields).unwrap(), UnionMode::Dense)
            }),
            (item.clone(), item).prop_map(|(key, value)| {
                let entries = DataType::Struct(Fields::from(vec![key, value]));
                DataType::Map(Arc::new(Field::new("entries", entries, false)), false)
            }),
        ]
    })
}

/// Up to two fields, whose names may be the same.
pub(crate) fn fields(types: impl Strategy<Value = DataType>) -> impl Strategy<Value = Fields> {
    let field = (
        proptest::sample::select(vec!["a", "b", "c"]),
        types,
        any::<bool>(),
    )
        .prop_map(|(name, data_type, nullable)| Field::new(name, data_type, nullable));
    proptest::collection::vec(field, 0..3).prop_map(Fields::from)
}

/// A type that may have evolved from `data_type`: here and there something allowed or forbidden
/// happens. `choices` decides, so that a failing case can shrink.
pub(crate) fn evolved(data_type: &DataType, choices: &mut impl Iterator<Item = u8>) -> DataType {
    let mut choose = || choices.next().unwrap_or(0);
    match (choose() % 8, data_type) {
        (7, _) => {
            let leaves = leaves();
            leaves[usize::from(choose()) % leaves.len()].clone()
        }
        (choice, DataType::List(item)) => match choice {
            1 => DataType::LargeList(Arc::new(evolved_field(item, choices))),
            _ => DataType::List(Arc::new(evolved_field(item, choices))),
        },
        (choice, DataType::FixedSizeList(item, length)) => match choice {
            1 => DataType::List(Arc::new(evolved_field(item, choices))),
            _ => DataType::FixedSizeList(Arc::new(evolved_field(item, choices)), *length),
        },
        (choice, DataType::Struct(fields)) => {
            let mut fields: Vec<Field> = fields
                .iter()
                .map(|field| evolved_field(field, choices))
                .collect();
            match choice {
                1 => fields.push(Field::new("new", DataType::Int8, false)),
                2 => fields.reverse(),
                3 => drop(fields.pop()),
                _ => {}
            }
            DataType::Struct(Fields::from(fields))
        }
        (choice, leaf) if choice > 2 => leaf.clone(),
        (_, leaf) => {
            let wider = leaves().into_iter();
            let wider: Vec<DataType> = wider
                .filter(|other| EvolutionPolicy::Relaxed.accepts(leaf, other))
                .collect();
            match wider.len() {
                0 => leaf.clone(),
                len => wider[usize::from(choose()) % len].clone(),
            }
        }
    }
}

fn evolved_field(field: &Field, choices: &mut impl Iterator<Item = u8>) -> Field {
    let nullable = match choices.next().unwrap_or(0) % 8 {
        1 => false,
        2 => true,
        _ => field.is_nullable(),
    };
    Field::new(field.name(), evolved(field.data_type(), choices), nullable)
}

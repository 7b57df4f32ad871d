//! Digests that must not move, and types that must not meet.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_schema::{Fields, UnionFields};

use super::*;

fn digest(data_type: &DataType) -> Fingerprint {
    let mut encoder = Encoder::new("test", 1);
    encode_data_type(&mut encoder, data_type);
    encoder.finish()
}

fn item(data_type: DataType) -> Arc<Field> {
    Arc::new(Field::new_list_field(data_type, true))
}

fn entries() -> Arc<Field> {
    let fields = Fields::from(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", DataType::Int64, true),
    ]);
    Arc::new(Field::new("entries", DataType::Struct(fields), false))
}

fn union_fields(ids: [i8; 2]) -> UnionFields {
    let fields = [
        Field::new("a", DataType::Int32, true),
        Field::new("b", DataType::Utf8, true),
    ];
    UnionFields::try_new(ids, fields).unwrap()
}

/// Types of every kind; each differs from each other in one respect that matters.
fn distinct_types() -> Vec<DataType> {
    use DataType::*;
    let boxed = |data_type| Box::new(data_type);
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
        LargeBinary,
        BinaryView,
        FixedSizeBinary(4),
        FixedSizeBinary(8),
        Decimal32(5, 2),
        Decimal64(5, 2),
        Decimal128(5, 2),
        Decimal128(5, -2),
        Decimal128(6, 2),
        Decimal256(5, 2),
        Time32(TimeUnit::Second),
        Time32(TimeUnit::Millisecond),
        Time64(TimeUnit::Microsecond),
        Time64(TimeUnit::Nanosecond),
        Interval(IntervalUnit::YearMonth),
        Interval(IntervalUnit::DayTime),
        Interval(IntervalUnit::MonthDayNano),
        List(item(Int8)),
        List(Arc::new(Field::new_list_field(Int8, false))),
        List(Arc::new(Field::new("element", Int8, true))),
        LargeList(item(Int8)),
        ListView(item(Int8)),
        LargeListView(item(Int8)),
        FixedSizeList(item(Int8), 2),
        FixedSizeList(item(Int8), 3),
        Struct(Fields::empty()),
        Struct(Fields::from(vec![Field::new("a", Int8, true)])),
        Struct(Fields::from(vec![
            Field::new("a", Int8, true),
            Field::new("b", Int8, true),
        ])),
        Struct(Fields::from(vec![
            Field::new("b", Int8, true),
            Field::new("a", Int8, true),
        ])),
        Map(entries(), false),
        Map(entries(), true),
        Union(union_fields([0, 1]), UnionMode::Sparse),
        Union(union_fields([0, 1]), UnionMode::Dense),
        Union(union_fields([0, 2]), UnionMode::Dense),
        Dictionary(boxed(Int8), boxed(Utf8)),
        Dictionary(boxed(Int16), boxed(Utf8)),
        Dictionary(boxed(Int8), boxed(LargeUtf8)),
        Dictionary(boxed(Int8), boxed(Dictionary(boxed(Int8), boxed(Utf8)))),
        RunEndEncoded(item(Int32), item(Utf8)),
        RunEndEncoded(item(Int16), item(Utf8)),
    ];
    for unit in [
        TimeUnit::Second,
        TimeUnit::Millisecond,
        TimeUnit::Microsecond,
        TimeUnit::Nanosecond,
    ] {
        types.push(Duration(unit));
        for time_zone in [None, Some(""), Some("UTC"), Some("+00:00")] {
            types.push(Timestamp(unit, time_zone.map(Arc::from)));
        }
    }
    types
}

#[test]
fn types_that_differ_have_different_encodings() {
    let mut seen: BTreeMap<Fingerprint, DataType> = BTreeMap::new();
    for data_type in distinct_types() {
        if let Some(other) = seen.insert(digest(&data_type), data_type.clone()) {
            panic!("{data_type} and {other} have one encoding");
        }
    }
    // The same again one level down: a type that is nested is told apart as well.
    for data_type in distinct_types() {
        let nested = DataType::List(item(DataType::List(item(data_type))));
        if let Some(other) = seen.insert(digest(&nested), nested.clone()) {
            panic!("{nested} and {other} have one encoding");
        }
    }
}

#[test]
fn the_encoding_is_the_documented_one() {
    let metadata = [("b", "2"), ("a", "1")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    let values = Field::new("v", DataType::Timestamp(TimeUnit::Microsecond, None), false);
    let fields = Fields::from(vec![
        values.with_metadata(metadata.into()),
        Field::new_list_field(DataType::Decimal128(15, -2), true),
    ]);
    let schema = Schema::new(vec![Field::new("s", DataType::Struct(fields), true)]);

    let mut by_hand = Encoder::new("codeanatomy.schema", 1);
    by_hand.len(0); // metadata of the schema
    by_hand.len(1); // its fields
    field_head(&mut by_hand, "s", true, &[]);
    by_hand.tag(36);
    by_hand.len(2);
    field_head(&mut by_hand, "v", false, &[("a", "1"), ("b", "2")]);
    by_hand.tag(21);
    by_hand.tag(2);
    by_hand.bool(false); // no time zone
    field_head(&mut by_hand, "item", true, &[]);
    by_hand.tag(15);
    by_hand.tag(15);
    by_hand.i64(-2);
    assert_eq!(fingerprint(&schema), by_hand.finish());
}

#[test]
fn recorded_fingerprints_do_not_move() {
    let empty = fingerprint(&Schema::empty());
    let fields: Vec<Field> = distinct_types()
        .into_iter()
        .enumerate()
        .map(|(index, data_type)| Field::new(format!("c{index}"), data_type, index % 2 == 0))
        .collect();
    let every_type = fingerprint(&Schema::new(fields));
    assert_eq!(
        [empty.to_hex(), every_type.to_hex()],
        [
            "5a9024f4d1c691de2cd4a458b46125dcf79552645e9e747f18087f6586235e93",
            "c5eeae29bcb481af1d5255b4bfb8c6e0e707fc764ba39818bf0860f45bb279c1",
        ]
    );
}

#[test]
fn everything_a_reader_can_see_is_in_the_fingerprint() {
    let tagged = |key: &str, value: &str| std::iter::once((key.to_owned(), value.to_owned()));
    let field = Field::new("a", DataType::Int64, true);
    let dictionary = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let schemas = [
        Schema::empty(),
        Schema::new(vec![field.clone()]),
        Schema::new(vec![field.clone().with_name("b")]),
        Schema::new(vec![field.clone().with_nullable(false)]),
        Schema::new(vec![
            field.clone().with_metadata(tagged("k", "v").collect()),
        ]),
        Schema::new(vec![
            field.clone().with_metadata(tagged("k", "w").collect()),
        ]),
        Schema::new(vec![
            field.clone().with_metadata(tagged("kv", "").collect()),
        ]),
        Schema::new(vec![field.clone()]).with_metadata(tagged("k", "v").collect()),
        Schema::new(vec![field.clone(), field.with_name("b")]),
        Schema::new(vec![Field::new("a", dictionary(), true)]),
        Schema::new(vec![
            Field::new("a", dictionary(), true).with_dict_is_ordered(true),
        ]),
    ];
    for (index, one) in schemas.iter().enumerate() {
        for other in &schemas[index + 1..] {
            assert_ne!(fingerprint(one), fingerprint(other), "{one:?} {other:?}");
        }
    }
}

#[test]
fn the_order_in_which_metadata_was_added_does_not_matter() {
    let keys: Vec<String> = (0..64).map(|number| format!("k{number}")).collect();
    let schema = |keys: &mut dyn Iterator<Item = &String>| {
        let metadata = keys.map(|key| (key.clone(), String::new())).collect();
        Schema::empty().with_metadata(metadata)
    };
    let forwards = fingerprint(&schema(&mut keys.iter()));
    assert_eq!(forwards, fingerprint(&schema(&mut keys.iter().rev())));
}

#[test]
fn a_thousand_levels_of_nesting_fit_a_small_stack() {
    let work = || {
        let mut data_type = DataType::Int64;
        for _ in 0..1_000 {
            data_type = DataType::List(item(data_type));
        }
        let field = Field::new("deep", data_type, true);
        fingerprint(&Schema::new(vec![field]))
    };
    let thread = std::thread::Builder::new().stack_size(512 * 1024);
    let first = thread.spawn(work).unwrap().join().unwrap();
    assert_eq!(first, work());
}

fn field_head(encoder: &mut Encoder, name: &str, nullable: bool, metadata: &[(&str, &str)]) {
    encoder.str(name);
    encoder.bool(nullable);
    encoder.bool(false);
    encoder.seq(metadata.iter(), |encoder, (key, value)| {
        encoder.str(key);
        encoder.str(value);
    });
}

//! The canonical encoding of Arrow types, fields and schemas, and the schema fingerprint.
//!
//! This page is normative: whoever follows it gets the same digests. A change to it is a new format
//! version of the digests that contain it.
//!
//! # Notation
//!
//! `tag`, `bool`, `i64`, `len`, `str` and `option` are the writes of
//! [`Encoder`] of the same name. `seq(x)` is `len` of a sequence and
//! then each `x` in its order.
//!
//! # Schema, field, metadata
//!
//! ```text
//! schema   = metadata seq(field)
//! field    = str(name) bool(nullable) bool(ordered) metadata type
//! metadata = seq(str(key) str(value))        sorted by the bytes of the key
//! ```
//!
//! `ordered` is true where the field's own type is a dictionary whose values are declared ordered.
//! The id of a dictionary is no part of a field: it says where the values are in one stream, not
//! what they are. The order of fields is part of a schema.
//!
//! # Type
//!
//! | type | tag | then |
//! |---|---|---|
//! | `Null` | 0 | |
//! | `Boolean` | 1 | |
//! | `Int8`, `Int16`, `Int32`, `Int64` | 2, 3, 4, 5 | |
//! | `UInt8`, `UInt16`, `UInt32`, `UInt64` | 6, 7, 8, 9 | |
//! | `Float16`, `Float32`, `Float64` | 10, 11, 12 | |
//! | `Decimal32`, `Decimal64`, `Decimal128`, `Decimal256` | 13, 14, 15, 16 | `tag(precision) i64(scale)` |
//! | `Date32`, `Date64` | 17, 18 | |
//! | `Time32`, `Time64` | 19, 20 | `tag(unit)` |
//! | `Timestamp` | 21 | `tag(unit) option(str(time zone))` |
//! | `Duration` | 22 | `tag(unit)` |
//! | `Interval` | 23 | `tag`: 0 year-month, 1 day-time, 2 month-day-nano |
//! | `Utf8`, `LargeUtf8`, `Utf8View` | 24, 25, 26 | |
//! | `Binary`, `LargeBinary`, `BinaryView` | 27, 28, 29 | |
//! | `FixedSizeBinary` | 30 | `i64(size in bytes)` |
//! | `List`, `LargeList`, `ListView`, `LargeListView` | 31, 32, 33, 34 | `field` |
//! | `FixedSizeList` | 35 | `i64(items) field` |
//! | `Struct` | 36 | `seq(field)` |
//! | `Map` | 37 | `bool(keys sorted) field` |
//! | `Union` | 38 | `tag`: 0 sparse, 1 dense; `seq(i64(type id) field)` |
//! | `Dictionary` | 39 | `type` of the keys, `type` of the values |
//! | `RunEndEncoded` | 40 | `field` of the run ends, `field` of the values |
//!
//! A time unit is 0 for seconds, 1 for milliseconds, 2 for microseconds, 3 for nanoseconds. A time
//! zone is its text as it stands: `UTC` and `+00:00` differ.
//!
//! # Schema fingerprint
//!
//! The digest of one schema in the domain `codeanatomy.schema`, version 1.

use std::collections::{BTreeMap, HashMap};

use arrow_schema::{DataType, Field, IntervalUnit, Schema, TimeUnit, UnionMode};
use codeanatomy_vocab::{Encoder, Fingerprint};

/// The fingerprint of a schema: everything a reader of its rows can see, and nothing else.
///
/// Names, types, nullability, field order and metadata are in, also of nested fields; dictionary
/// ids are out. The order of metadata does not matter. No depth of nesting is too deep.
///
/// # Example: is nullability part of a schema's identity?
///
/// ```
/// use arrow_schema::{DataType, Field, Schema};
/// use codeanatomy_schema::fingerprint;
///
/// let schema = |nullable| Schema::new(vec![Field::new("id", DataType::Int64, nullable)]);
/// assert_ne!(fingerprint(&schema(true)), fingerprint(&schema(false)));
/// ```
pub fn fingerprint(schema: &Schema) -> Fingerprint {
    let mut encoder = Encoder::new("codeanatomy.schema", 1);
    encode_schema(&mut encoder, schema);
    encoder.finish()
}

/// Writes a schema: its metadata, then its fields in order.
pub fn encode_schema(encoder: &mut Encoder, schema: &Schema) {
    encode_metadata(encoder, &schema.metadata);
    encoder.len(schema.fields().len());
    for field in schema.fields() {
        encode_field(encoder, field);
    }
}

/// Writes a field: name, nullability, metadata and type.
pub fn encode_field(encoder: &mut Encoder, field: &Field) {
    encode(encoder, Item::Field(field));
}

/// Writes a type, with everything that is nested in it.
pub fn encode_data_type(encoder: &mut Encoder, data_type: &DataType) {
    encode(encoder, Item::Type(data_type));
}

/// What is still to be written.
enum Item<'a> {
    Type(&'a DataType),
    Field(&'a Field),
    Variant(i8, &'a Field),
}

/// Writes an item and all that it contains, in depth-first order. The stack is on the heap, so the
/// depth of a type cannot exhaust the thread's.
fn encode<'a>(encoder: &mut Encoder, item: Item<'a>) {
    let mut pending = vec![item];
    while let Some(item) = pending.pop() {
        let data_type = match item {
            Item::Type(data_type) => data_type,
            Item::Field(field) => encode_head(encoder, field),
            Item::Variant(type_id, field) => {
                encoder.i64(i64::from(type_id));
                encode_head(encoder, field)
            }
        };
        encode_type_head(encoder, data_type, &mut pending);
    }
}

/// Writes a field up to its type, which is returned.
fn encode_head<'a>(encoder: &mut Encoder, field: &'a Field) -> &'a DataType {
    encoder.str(field.name());
    encoder.bool(field.is_nullable());
    encoder.bool(field.dict_is_ordered() == Some(true));
    encode_metadata(encoder, field.metadata());
    field.data_type()
}

/// Writes a type up to the types in it, which are put on `pending`, the first one on top.
fn encode_type_head<'a>(
    encoder: &mut Encoder,
    data_type: &'a DataType,
    pending: &mut Vec<Item<'a>>,
) {
    match data_type {
        DataType::Null => encoder.tag(0),
        DataType::Boolean => encoder.tag(1),
        DataType::Int8 => encoder.tag(2),
        DataType::Int16 => encoder.tag(3),
        DataType::Int32 => encoder.tag(4),
        DataType::Int64 => encoder.tag(5),
        DataType::UInt8 => encoder.tag(6),
        DataType::UInt16 => encoder.tag(7),
        DataType::UInt32 => encoder.tag(8),
        DataType::UInt64 => encoder.tag(9),
        DataType::Float16 => encoder.tag(10),
        DataType::Float32 => encoder.tag(11),
        DataType::Float64 => encoder.tag(12),
        DataType::Decimal32(precision, scale) => encode_decimal(encoder, 13, *precision, *scale),
        DataType::Decimal64(precision, scale) => encode_decimal(encoder, 14, *precision, *scale),
        DataType::Decimal128(precision, scale) => encode_decimal(encoder, 15, *precision, *scale),
        DataType::Decimal256(precision, scale) => encode_decimal(encoder, 16, *precision, *scale),
        DataType::Date32 => encoder.tag(17),
        DataType::Date64 => encoder.tag(18),
        DataType::Time32(unit) => encode_unit(encoder, 19, *unit),
        DataType::Time64(unit) => encode_unit(encoder, 20, *unit),
        DataType::Timestamp(unit, time_zone) => {
            encode_unit(encoder, 21, *unit);
            encoder.option(time_zone.as_deref(), Encoder::str);
        }
        DataType::Duration(unit) => encode_unit(encoder, 22, *unit),
        DataType::Interval(unit) => {
            encoder.tag(23);
            encoder.tag(match unit {
                IntervalUnit::YearMonth => 0,
                IntervalUnit::DayTime => 1,
                IntervalUnit::MonthDayNano => 2,
            });
        }
        DataType::Utf8 => encoder.tag(24),
        DataType::LargeUtf8 => encoder.tag(25),
        DataType::Utf8View => encoder.tag(26),
        DataType::Binary => encoder.tag(27),
        DataType::LargeBinary => encoder.tag(28),
        DataType::BinaryView => encoder.tag(29),
        DataType::FixedSizeBinary(size) => {
            encoder.tag(30);
            encoder.i64(i64::from(*size));
        }
        DataType::List(item) => {
            encoder.tag(31);
            pending.push(Item::Field(item));
        }
        DataType::LargeList(item) => {
            encoder.tag(32);
            pending.push(Item::Field(item));
        }
        DataType::ListView(item) => {
            encoder.tag(33);
            pending.push(Item::Field(item));
        }
        DataType::LargeListView(item) => {
            encoder.tag(34);
            pending.push(Item::Field(item));
        }
        DataType::FixedSizeList(item, items) => {
            encoder.tag(35);
            encoder.i64(i64::from(*items));
            pending.push(Item::Field(item));
        }
        DataType::Struct(fields) => {
            encoder.tag(36);
            encoder.len(fields.len());
            pending.extend(fields.iter().rev().map(|field| Item::Field(field)));
        }
        DataType::Map(entries, keys_sorted) => {
            encoder.tag(37);
            encoder.bool(*keys_sorted);
            pending.push(Item::Field(entries));
        }
        DataType::Union(fields, mode) => {
            encoder.tag(38);
            encoder.tag(match mode {
                UnionMode::Sparse => 0,
                UnionMode::Dense => 1,
            });
            encoder.len(fields.len());
            let first = pending.len();
            pending.extend(
                fields
                    .iter()
                    .map(|(type_id, field)| Item::Variant(type_id, field)),
            );
            pending[first..].reverse();
        }
        DataType::Dictionary(keys, values) => {
            encoder.tag(39);
            pending.push(Item::Type(values));
            pending.push(Item::Type(keys));
        }
        DataType::RunEndEncoded(run_ends, values) => {
            encoder.tag(40);
            pending.push(Item::Field(values));
            pending.push(Item::Field(run_ends));
        }
    }
}

fn encode_decimal(encoder: &mut Encoder, tag: u8, precision: u8, scale: i8) {
    encoder.tag(tag);
    encoder.tag(precision);
    encoder.i64(i64::from(scale));
}

fn encode_unit(encoder: &mut Encoder, tag: u8, unit: TimeUnit) {
    encoder.tag(tag);
    encoder.tag(match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 1,
        TimeUnit::Microsecond => 2,
        TimeUnit::Nanosecond => 3,
    });
}

fn encode_metadata(encoder: &mut Encoder, metadata: &HashMap<String, String>) {
    let sorted: BTreeMap<&str, &str> = metadata
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    encoder.seq(sorted.into_iter(), |encoder, (key, value)| {
        encoder.str(key);
        encoder.str(value);
    });
}

#[cfg(test)]
mod tests;

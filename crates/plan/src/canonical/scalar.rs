//! Scalar values: lossless, by type and bits.

use std::sync::Arc;

use codeanatomy_schema::{encode_data_type, encode_field};
use codeanatomy_vocab::{Encoder, Error, Result};
use datafusion_common::ScalarValue;
use datafusion_common::arrow::array::{Array, ArrayRef};
use datafusion_common::arrow::datatypes::UnionMode;

use super::tag::scalar as tag;
use crate::error::codes;

/// Writes a value with its type. Floats are written by their bits, so `-0.0` is not `0.0` and
/// every NaN is itself.
#[recursive::recursive]
pub(super) fn encode_scalar(encoder: &mut Encoder, value: &ScalarValue) -> Result<()> {
    match value {
        ScalarValue::Null => encoder.tag(tag::NULL),
        ScalarValue::Boolean(value) => {
            encoder.tag(tag::BOOLEAN);
            encoder.option(*value, Encoder::bool);
        }
        ScalarValue::Float16(value) => bits(encoder, tag::FLOAT16, value.map(|v| v.to_be_bytes())),
        ScalarValue::Float32(value) => bits(encoder, tag::FLOAT32, value.map(f32::to_be_bytes)),
        ScalarValue::Float64(value) => bits(encoder, tag::FLOAT64, value.map(f64::to_be_bytes)),
        ScalarValue::Decimal32(value, precision, scale) => {
            bits(encoder, tag::DECIMAL32, value.map(i32::to_be_bytes));
            decimal(encoder, *precision, *scale);
        }
        ScalarValue::Decimal64(value, precision, scale) => {
            bits(encoder, tag::DECIMAL64, value.map(i64::to_be_bytes));
            decimal(encoder, *precision, *scale);
        }
        ScalarValue::Decimal128(value, precision, scale) => {
            bits(encoder, tag::DECIMAL128, value.map(i128::to_be_bytes));
            decimal(encoder, *precision, *scale);
        }
        ScalarValue::Decimal256(value, precision, scale) => {
            bits(encoder, tag::DECIMAL256, value.map(|v| v.to_be_bytes()));
            decimal(encoder, *precision, *scale);
        }
        ScalarValue::Int8(value) => bits(encoder, tag::INT8, value.map(i8::to_be_bytes)),
        ScalarValue::Int16(value) => bits(encoder, tag::INT16, value.map(i16::to_be_bytes)),
        ScalarValue::Int32(value) => bits(encoder, tag::INT32, value.map(i32::to_be_bytes)),
        ScalarValue::Int64(value) => bits(encoder, tag::INT64, value.map(i64::to_be_bytes)),
        ScalarValue::UInt8(value) => bits(encoder, tag::UINT8, value.map(u8::to_be_bytes)),
        ScalarValue::UInt16(value) => bits(encoder, tag::UINT16, value.map(u16::to_be_bytes)),
        ScalarValue::UInt32(value) => bits(encoder, tag::UINT32, value.map(u32::to_be_bytes)),
        ScalarValue::UInt64(value) => bits(encoder, tag::UINT64, value.map(u64::to_be_bytes)),
        ScalarValue::Utf8(value) => text(encoder, tag::UTF8, value.as_deref()),
        ScalarValue::Utf8View(value) => text(encoder, tag::UTF8_VIEW, value.as_deref()),
        ScalarValue::LargeUtf8(value) => text(encoder, tag::LARGE_UTF8, value.as_deref()),
        ScalarValue::Binary(value) => binary(encoder, tag::BINARY, value.as_deref()),
        ScalarValue::BinaryView(value) => binary(encoder, tag::BINARY_VIEW, value.as_deref()),
        ScalarValue::FixedSizeBinary(size, value) => {
            binary(encoder, tag::FIXED_SIZE_BINARY, value.as_deref());
            encoder.i64(i64::from(*size));
        }
        ScalarValue::LargeBinary(value) => binary(encoder, tag::LARGE_BINARY, value.as_deref()),
        ScalarValue::FixedSizeList(array) => {
            encoder.tag(tag::FIXED_SIZE_LIST);
            rows(encoder, array.as_ref(), |row| array.value(row))?;
        }
        ScalarValue::List(array) => {
            encoder.tag(tag::LIST);
            rows(encoder, array.as_ref(), |row| array.value(row))?;
        }
        ScalarValue::LargeList(array) => {
            encoder.tag(tag::LARGE_LIST);
            rows(encoder, array.as_ref(), |row| array.value(row))?;
        }
        ScalarValue::ListView(array) => {
            encoder.tag(tag::LIST_VIEW);
            rows(encoder, array.as_ref(), |row| array.value(row))?;
        }
        ScalarValue::LargeListView(array) => {
            encoder.tag(tag::LARGE_LIST_VIEW);
            rows(encoder, array.as_ref(), |row| array.value(row))?;
        }
        ScalarValue::Struct(array) => {
            encoder.tag(tag::STRUCT);
            encode_data_type(encoder, array.data_type());
            encoder.len(array.len());
            for row in 0..array.len() {
                encoder.bool(array.is_valid(row));
                if array.is_valid(row) {
                    encoder.len(array.columns().len());
                    for column in array.columns() {
                        element(encoder, column, row)?;
                    }
                }
            }
        }
        ScalarValue::Map(array) => {
            encoder.tag(tag::MAP);
            rows(encoder, array.as_ref(), |row| Arc::new(array.value(row)))?;
        }
        ScalarValue::Date32(value) => bits(encoder, tag::DATE32, value.map(i32::to_be_bytes)),
        ScalarValue::Date64(value) => bits(encoder, tag::DATE64, value.map(i64::to_be_bytes)),
        ScalarValue::Time32Second(value) => {
            bits(encoder, tag::TIME32_SECOND, value.map(i32::to_be_bytes));
        }
        ScalarValue::Time32Millisecond(value) => {
            bits(
                encoder,
                tag::TIME32_MILLISECOND,
                value.map(i32::to_be_bytes),
            );
        }
        ScalarValue::Time64Microsecond(value) => {
            bits(
                encoder,
                tag::TIME64_MICROSECOND,
                value.map(i64::to_be_bytes),
            );
        }
        ScalarValue::Time64Nanosecond(value) => {
            bits(encoder, tag::TIME64_NANOSECOND, value.map(i64::to_be_bytes));
        }
        ScalarValue::TimestampSecond(value, zone) => {
            timestamp(encoder, tag::TIMESTAMP_SECOND, *value, zone.as_deref());
        }
        ScalarValue::TimestampMillisecond(value, zone) => {
            timestamp(encoder, tag::TIMESTAMP_MILLISECOND, *value, zone.as_deref());
        }
        ScalarValue::TimestampMicrosecond(value, zone) => {
            timestamp(encoder, tag::TIMESTAMP_MICROSECOND, *value, zone.as_deref());
        }
        ScalarValue::TimestampNanosecond(value, zone) => {
            timestamp(encoder, tag::TIMESTAMP_NANOSECOND, *value, zone.as_deref());
        }
        ScalarValue::IntervalYearMonth(value) => {
            bits(
                encoder,
                tag::INTERVAL_YEAR_MONTH,
                value.map(i32::to_be_bytes),
            );
        }
        ScalarValue::IntervalDayTime(value) => {
            encoder.tag(tag::INTERVAL_DAY_TIME);
            encoder.option(*value, |encoder, value| {
                encoder.i64(i64::from(value.days));
                encoder.i64(i64::from(value.milliseconds));
            });
        }
        ScalarValue::IntervalMonthDayNano(value) => {
            encoder.tag(tag::INTERVAL_MONTH_DAY_NANO);
            encoder.option(*value, |encoder, value| {
                encoder.i64(i64::from(value.months));
                encoder.i64(i64::from(value.days));
                encoder.i64(value.nanoseconds);
            });
        }
        ScalarValue::DurationSecond(value) => {
            bits(encoder, tag::DURATION_SECOND, value.map(i64::to_be_bytes));
        }
        ScalarValue::DurationMillisecond(value) => {
            bits(
                encoder,
                tag::DURATION_MILLISECOND,
                value.map(i64::to_be_bytes),
            );
        }
        ScalarValue::DurationMicrosecond(value) => {
            bits(
                encoder,
                tag::DURATION_MICROSECOND,
                value.map(i64::to_be_bytes),
            );
        }
        ScalarValue::DurationNanosecond(value) => {
            bits(
                encoder,
                tag::DURATION_NANOSECOND,
                value.map(i64::to_be_bytes),
            );
        }
        ScalarValue::Union(value, fields, mode) => {
            encoder.tag(tag::UNION);
            encoder.tag(match mode {
                UnionMode::Sparse => 0,
                UnionMode::Dense => 1,
            });
            encoder.len(fields.len());
            for (type_id, field) in fields.iter() {
                encoder.i64(i64::from(type_id));
                encode_field(encoder, field);
            }
            encoder.bool(value.is_some());
            if let Some((type_id, value)) = value {
                encoder.i64(i64::from(*type_id));
                encode_scalar(encoder, value)?;
            }
        }
        ScalarValue::Dictionary(keys, value) => {
            encoder.tag(tag::DICTIONARY);
            encode_data_type(encoder, keys);
            encode_scalar(encoder, value)?;
        }
        ScalarValue::RunEndEncoded(run_ends, values, value) => {
            encoder.tag(tag::RUN_END_ENCODED);
            encode_field(encoder, run_ends);
            encode_field(encoder, values);
            encode_scalar(encoder, value)?;
        }
    }
    Ok(())
}

/// A tag and fixed-size bytes, or nothing.
fn bits<const N: usize>(encoder: &mut Encoder, tag: u8, value: Option<[u8; N]>) {
    encoder.tag(tag);
    encoder.option(value, |encoder, value| encoder.bytes(&value));
}

fn text(encoder: &mut Encoder, tag: u8, value: Option<&str>) {
    encoder.tag(tag);
    encoder.option(value, Encoder::str);
}

fn binary(encoder: &mut Encoder, tag: u8, value: Option<&[u8]>) {
    encoder.tag(tag);
    encoder.option(value, Encoder::bytes);
}

fn decimal(encoder: &mut Encoder, precision: u8, scale: i8) {
    encoder.tag(precision);
    encoder.i64(i64::from(scale));
}

fn timestamp(encoder: &mut Encoder, tag: u8, value: Option<i64>, zone: Option<&str>) {
    encoder.tag(tag);
    encoder.option(value, Encoder::i64);
    encoder.option(zone, Encoder::str);
}

/// The type, and each row of a list array: nothing for null, else its elements in order.
fn rows(encoder: &mut Encoder, array: &dyn Array, row: impl Fn(usize) -> ArrayRef) -> Result<()> {
    encode_data_type(encoder, array.data_type());
    encoder.len(array.len());
    for number in 0..array.len() {
        encoder.bool(array.is_valid(number));
        if array.is_valid(number) {
            let elements = row(number);
            encoder.len(elements.len());
            for number in 0..elements.len() {
                element(encoder, &elements, number)?;
            }
        }
    }
    Ok(())
}

fn element(encoder: &mut Encoder, array: &ArrayRef, number: usize) -> Result<()> {
    let value = ScalarValue::try_from_array(array, number).map_err(|source| {
        Error::new(
            codes::UNREADABLE_VALUE,
            format!("a value of type {} cannot be read", array.data_type()),
        )
        .with_help("report this with the query")
        .with_source(source)
    })?;
    encode_scalar(encoder, &value)
}

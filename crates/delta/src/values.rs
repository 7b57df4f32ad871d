//! Values of columns, from the text of the log.

use arrow_schema::{DataType, Field, TimeUnit};
use chrono::{DateTime, NaiveDate, NaiveDateTime};
use datafusion_common::ScalarValue;
use serde_json::Value;

/// Reads the value of a partition column; `None` when the text is no value of its type.
///
/// An empty text is null, but for text and bytes, whose empty value it is.
pub(crate) fn partition_value(text: Option<&str>, field: &Field) -> Option<ScalarValue> {
    let data_type = field.data_type();
    let text = match text {
        Some("") if !matches!(data_type, DataType::Utf8 | DataType::Binary) => None,
        text => text,
    };
    let Some(text) = text else {
        return ScalarValue::try_from(data_type).ok();
    };
    let value = match data_type {
        DataType::Utf8 => ScalarValue::Utf8(Some(text.to_owned())),
        DataType::Binary => ScalarValue::Binary(Some(text.as_bytes().to_vec())),
        DataType::Boolean => ScalarValue::Boolean(Some(boolean(text)?)),
        DataType::Int8 => ScalarValue::Int8(Some(text.parse().ok()?)),
        DataType::Int16 => ScalarValue::Int16(Some(text.parse().ok()?)),
        DataType::Int32 => ScalarValue::Int32(Some(text.parse().ok()?)),
        DataType::Int64 => ScalarValue::Int64(Some(text.parse().ok()?)),
        DataType::Float32 => ScalarValue::Float32(Some(text.parse().ok()?)),
        DataType::Float64 => ScalarValue::Float64(Some(text.parse().ok()?)),
        DataType::Date32 => ScalarValue::Date32(Some(days(text)?)),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let micros = micros(text, zone.is_some())?;
            ScalarValue::TimestampMicrosecond(Some(micros), zone.clone())
        }
        DataType::Decimal128(..) => {
            let value = ScalarValue::try_from_string(text.to_owned(), data_type).ok()?;
            (!value.is_null()).then_some(value)?
        }
        _ => return None,
    };
    Some(value)
}

/// Reads a minimum or a maximum of a column; `None` when it is no value of its type.
pub(crate) fn scalar(value: &Value, data_type: &DataType) -> Option<ScalarValue> {
    let text = || value.as_str();
    Some(match data_type {
        DataType::Int8 => ScalarValue::Int8(Some(value.as_i64()?.try_into().ok()?)),
        DataType::Int16 => ScalarValue::Int16(Some(value.as_i64()?.try_into().ok()?)),
        DataType::Int32 => ScalarValue::Int32(Some(value.as_i64()?.try_into().ok()?)),
        DataType::Int64 => ScalarValue::Int64(Some(value.as_i64()?)),
        DataType::Boolean => ScalarValue::Boolean(Some(value.as_bool()?)),
        DataType::Date32 => ScalarValue::Date32(Some(days(text()?)?)),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            ScalarValue::TimestampMicrosecond(Some(micros(text()?, zone.is_some())?), zone.clone())
        }
        DataType::Utf8 => ScalarValue::Utf8(Some(text()?.to_owned())),
        DataType::Float32 => {
            #[expect(clippy::cast_possible_truncation, reason = "an estimate, never exact")]
            let value = value.as_f64()? as f32;
            ScalarValue::Float32(Some(value))
        }
        DataType::Float64 => ScalarValue::Float64(Some(value.as_f64()?)),
        DataType::Decimal128(..) => {
            let text = match value {
                Value::Number(number) => number.to_string(),
                Value::String(text) => text.clone(),
                _ => return None,
            };
            let value = ScalarValue::try_from_string(text, data_type).ok()?;
            (!value.is_null()).then_some(value)?
        }
        _ => return None,
    })
}

/// Days since 1970-01-01 of a date as Delta writes it.
fn days(text: &str) -> Option<i32> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    let since = date.signed_duration_since(NaiveDate::default());
    i32::try_from(since.num_days()).ok()
}

/// Microseconds since 1970-01-01 of a time as Delta writes it: without a zone, or, where
/// `with_zone`, with one.
fn micros(text: &str, with_zone: bool) -> Option<i64> {
    const WITHOUT_ZONE: [&str; 2] = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
    let without = WITHOUT_ZONE
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
        .map(|time| time.and_utc())
        // A column that once held dates has dates in older files.
        .or_else(|| {
            let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
            Some(date.and_time(chrono::NaiveTime::MIN).and_utc())
        });
    let time = match without {
        Some(time) => time,
        None if with_zone => DateTime::parse_from_str(text, "%+").ok()?.to_utc(),
        // A time without zone is sometimes written with the zone of no offset.
        None => DateTime::parse_from_str(text, "%+")
            .ok()
            .filter(|time| time.offset().local_minus_utc() == 0)?
            .to_utc(),
    };
    time.signed_duration_since(DateTime::UNIX_EPOCH)
        .num_microseconds()
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, data_type: DataType) -> Option<ScalarValue> {
        partition_value(Some(text), &Field::new("p", data_type, true))
    }

    #[test]
    fn each_type_is_read_as_delta_writes_it() {
        let zone = Some("UTC".into());
        assert_eq!(
            value("-7", DataType::Int8),
            Some(ScalarValue::Int8(Some(-7)))
        );
        assert_eq!(
            value("true", DataType::Boolean),
            Some(ScalarValue::Boolean(Some(true)))
        );
        assert_eq!(
            value("1969-12-31", DataType::Date32),
            Some(ScalarValue::Date32(Some(-1)))
        );
        assert_eq!(
            value("12.30", DataType::Decimal128(10, 2)),
            Some(ScalarValue::Decimal128(Some(1230), 10, 2))
        );
        let utc = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
        for text in [
            "1970-01-01 00:00:01.5",
            "1970-01-01T00:00:01.500000Z",
            "1970-01-01T02:00:01.5+02:00",
        ] {
            assert_eq!(
                value(text, utc.clone()),
                Some(ScalarValue::TimestampMicrosecond(
                    Some(1_500_000),
                    zone.clone()
                )),
                "{text}"
            );
        }
    }

    #[test]
    fn text_that_is_no_value_is_told_from_null() {
        assert_eq!(value("x", DataType::Int32), None);
        assert_eq!(value("300", DataType::Int8), None);
        assert_eq!(value("x", DataType::Decimal128(5, 2)), None);
        assert_eq!(value("", DataType::Int32), Some(ScalarValue::Int32(None)));
        assert_eq!(
            value("", DataType::Utf8),
            Some(ScalarValue::Utf8(Some(String::new())))
        );
        let missing = partition_value(None, &Field::new("p", DataType::Utf8, true));
        assert_eq!(missing, Some(ScalarValue::Utf8(None)));
    }
}

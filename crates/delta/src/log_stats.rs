//! Statistics of a data file, as the log writes them.

use std::fmt;

use arrow_schema::{DataType, TimeUnit};
use datafusion_common::ScalarValue;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::active::ActiveFile;
use crate::values::scalar;

/// The most characters that writers keep of a text; a longer maximum may be cut.
const CUT_CHARACTERS: usize = 32;

/// The most digits that survive the way through a JSON number.
const EXACT_DIGITS: u8 = 15;

/// What the log says of some columns of a file.
#[derive(Debug, Default)]
pub(crate) struct LogStats {
    /// Whether minima and maxima are values of rows, as far as their type lets them be.
    pub(crate) tight: bool,
    /// By the columns that were asked for.
    pub(crate) columns: Vec<RawColumn>,
}

/// What the log says of one column.
#[derive(Debug, Default, Clone)]
pub(crate) struct RawColumn {
    pub(crate) min: Option<Value>,
    pub(crate) max: Option<Value>,
    pub(crate) null_count: Option<u64>,
}

/// Limits that no value of a column crosses, nulls aside; `None` where none is known.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Bounds {
    pub(crate) lower: Option<ScalarValue>,
    pub(crate) upper: Option<ScalarValue>,
}

impl LogStats {
    /// Reads the statistics of columns with these names in files. What is missing or odd is
    /// unknown.
    pub(crate) fn read(file: &ActiveFile, names: &[&str]) -> Self {
        let mut stats = Self {
            tight: true,
            columns: vec![RawColumn::default(); names.len()],
        };
        if let Some(text) = file.stats.as_deref() {
            let mut reader = serde_json::Deserializer::from_str(text);
            let seed = Top {
                names,
                stats: &mut stats,
            };
            if seed.deserialize(&mut reader).is_err() {
                stats.columns.fill(RawColumn::default());
            }
        }
        // Bounds of a file with a deletion vector may be those of rows that are gone.
        stats.tight &= file.deletion_vector.is_none();
        stats
    }
}

impl RawColumn {
    /// Bounds that hold whatever writer made the statistics.
    ///
    /// - Times may be cut to milliseconds, so they get one millisecond at each end.
    /// - Text may be cut: that lowers a minimum, but leaves a maximum that may be too small.
    /// - Decimals of more than 15 digits may be rounded, on their way through a JSON number.
    /// - Floats are left out: NaN, which the engine takes for the greatest, is in no statistics.
    pub(crate) fn bounds(&self, data_type: &DataType) -> Bounds {
        const MILLISECOND: i64 = 1_000;
        let read = |value: &Option<Value>| scalar(value.as_ref()?, data_type);
        let (lower, upper) = (read(&self.min), read(&self.max));
        if let (Some(lower), Some(upper)) = (&lower, &upper)
            && lower.partial_cmp(upper).is_none_or(|order| order.is_gt())
        {
            return Bounds::default();
        }
        let moved = |value: Option<ScalarValue>, by: i64| match value? {
            ScalarValue::TimestampMicrosecond(Some(micros), zone) => Some(
                ScalarValue::TimestampMicrosecond(Some(micros.checked_add(by)?), zone),
            ),
            other => Some(other),
        };
        match data_type {
            DataType::Timestamp(TimeUnit::Microsecond, _) => Bounds {
                lower: moved(lower, -MILLISECOND),
                upper: moved(upper, MILLISECOND),
            },
            DataType::Utf8 => Bounds {
                lower,
                upper: upper.filter(|upper| match upper {
                    ScalarValue::Utf8(Some(text)) => text.chars().count() < CUT_CHARACTERS,
                    _ => false,
                }),
            },
            DataType::Decimal128(precision, _) if *precision <= EXACT_DIGITS => {
                Bounds { lower, upper }
            }
            other if is_written_exactly(other) => Bounds { lower, upper },
            _ => Bounds::default(),
        }
    }
}

/// Whether the log holds minima and maxima of this type as they are: never cut (text), rounded
/// (times, by some writers to milliseconds; decimals and floats, through JSON numbers) or blind to
/// a value (floats, to NaN).
pub(crate) fn is_written_exactly(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::Date32
            | DataType::Boolean
    )
}

/// Reads the object of all statistics.
struct Top<'a> {
    names: &'a [&'a str],
    stats: &'a mut LogStats,
}

/// Reads an object of values by column, and whatever else stands in its place.
struct Values<'a, F> {
    names: &'a [&'a str],
    set: F,
}

impl<'de> DeserializeSeed<'de> for Top<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Top<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of statistics")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let names = self.names;
        let stats = self.stats;
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            let columns = &mut stats.columns;
            match key.as_ref() {
                "tightBounds" => {
                    let tight: Value = map.next_value()?;
                    stats.tight = tight != Value::Bool(false);
                }
                "minValues" => map.next_value_seed(Values {
                    names,
                    set: |column: usize, value| columns[column].min = Some(value),
                })?,
                "maxValues" => map.next_value_seed(Values {
                    names,
                    set: |column: usize, value| columns[column].max = Some(value),
                })?,
                "nullCount" => map.next_value_seed(Values {
                    names,
                    set: |column: usize, value: Value| columns[column].null_count = value.as_u64(),
                })?,
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

impl<'de, F: FnMut(usize, Value)> DeserializeSeed<'de> for Values<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnMut(usize, Value)> Visitor<'de> for Values<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of values by column")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            match self.names.iter().position(|name| *name == key) {
                Some(column) => (self.set)(column, map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use codeanatomy_vocab::UnixMillis;

    use super::*;

    fn file(stats: &str) -> ActiveFile {
        ActiveFile {
            path: "a.parquet".to_owned(),
            size_bytes: 1,
            modified: UnixMillis(0),
            partition_values: Default::default(),
            stats: Some(stats.into()),
            n_rows: None,
            deletion_vector: None,
        }
    }

    #[test]
    fn only_the_columns_that_were_asked_for_are_read_and_odd_parts_are_unknown() {
        let text = r#"{"numRecords":3,"minValues":{"b":1,"s":{"x":1},"a":-2},
            "maxValues":null,"nullCount":{"a":1,"s":{"x":0}},"other":[1,{"c":2}]}"#;
        let stats = LogStats::read(&file(text), &["a", "s", "z"]);
        assert_eq!(stats.columns[0].min, Some(Value::from(-2)));
        assert_eq!(stats.columns[0].max, None);
        assert_eq!(stats.columns[0].null_count, Some(1));
        assert_eq!(stats.columns[1].null_count, None);
        assert_eq!(stats.columns[2].min, None);
        for odd in [
            "",
            "[]",
            "{\"minValues\":{\"a\":1",
            "null",
            "{\"minValues\":7}",
        ] {
            let stats = LogStats::read(&file(odd), &["a"]);
            assert_eq!(stats.columns[0].min, None, "{odd}");
        }
    }

    fn bounds(min: Value, max: Value, data_type: DataType) -> Bounds {
        let column = RawColumn {
            min: Some(min),
            max: Some(max),
            null_count: None,
        };
        column.bounds(&data_type)
    }

    #[test]
    fn bounds_are_as_wide_as_the_log_may_be_wrong() {
        let int = |value| Some(ScalarValue::Int32(Some(value)));
        let both = bounds(1.into(), 2.into(), DataType::Int32);
        assert_eq!((both.lower, both.upper), (int(1), int(2)));
        let none = Bounds::default();
        assert_eq!(bounds(2.into(), 1.into(), DataType::Int32), none);
        assert_eq!(bounds(1.0.into(), 2.0.into(), DataType::Float64), none);
        assert_eq!(
            bounds(1.into(), 2.into(), DataType::Decimal128(16, 0)),
            none
        );
        assert!(
            bounds(1.into(), 2.into(), DataType::Decimal128(15, 2))
                .upper
                .is_some()
        );
        let long = "x".repeat(CUT_CHARACTERS);
        let text = bounds("a".into(), long.as_str().into(), DataType::Utf8);
        assert!(text.lower.is_some() && text.upper.is_none());
        let text = bounds("a".into(), long[1..].into(), DataType::Utf8);
        assert!(text.upper.is_some());
        let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
        let time = "1970-01-01T00:00:01.000";
        let wide = bounds(time.into(), time.into(), micros);
        let at = |value| Some(ScalarValue::TimestampMicrosecond(Some(value), None));
        assert_eq!((wide.lower, wide.upper), (at(999_000), at(1_001_000)));
    }
}

//! Arrow types as text.

use arrow_schema::DataType;
use codeanatomy_vocab::{Error, Result, nearest};

use crate::codes;

/// Deeper types than this are neither parsed nor written out: Arrow does both by recursion.
const MAX_DEPTH: usize = 64;

const NAMES: [&str; 41] = [
    "Null",
    "Boolean",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "Float16",
    "Float32",
    "Float64",
    "Decimal32",
    "Decimal64",
    "Decimal128",
    "Decimal256",
    "Date32",
    "Date64",
    "Time32",
    "Time64",
    "Timestamp",
    "Duration",
    "Interval",
    "Utf8",
    "LargeUtf8",
    "Utf8View",
    "Binary",
    "LargeBinary",
    "BinaryView",
    "FixedSizeBinary",
    "List",
    "LargeList",
    "ListView",
    "LargeListView",
    "FixedSizeList",
    "Struct",
    "Map",
    "Union",
    "Dictionary",
    "RunEndEncoded",
];

/// The other words of the notation.
const WORDS: [&str; 20] = [
    "DayTime",
    "Dense",
    "Microsecond",
    "Millisecond",
    "MonthDayNano",
    "Nanosecond",
    "None",
    "Second",
    "Some",
    "Sparse",
    "YearMonth",
    "field",
    "ms",
    "non-null",
    "ns",
    "nullable",
    "s",
    "sorted",
    "unsorted",
    "us",
];

/// What people write who think in SQL, and what they mean.
const SQL_NAMES: [(&str, &str); 26] = [
    ("bigint", "Int64"),
    ("blob", "Binary"),
    ("bool", "Boolean"),
    ("bytea", "Binary"),
    ("bytes", "Binary"),
    ("char", "Utf8"),
    ("date", "Date32"),
    ("datetime", "Timestamp(Microsecond, None)"),
    ("decimal", "Decimal128"),
    ("double", "Float64"),
    ("float", "Float32"),
    ("int", "Int32"),
    ("integer", "Int32"),
    ("interval", "Interval(MonthDayNano)"),
    ("long", "Int64"),
    ("numeric", "Decimal128"),
    ("real", "Float32"),
    ("short", "Int16"),
    ("smallint", "Int16"),
    ("str", "Utf8"),
    ("string", "Utf8"),
    ("text", "Utf8"),
    ("time", "Time64(Nanosecond)"),
    ("timestamp", "Timestamp(Microsecond, None)"),
    ("tinyint", "Int8"),
    ("varchar", "Utf8"),
];

/// Parses a type in Arrow's own notation, as its `Display` writes it.
///
/// For example `Utf8`, `Decimal128(15, 2)`, `Timestamp(Microsecond, Some("UTC"))`,
/// `List(non-null Int64)`, `Struct("a": Int32, "b": Utf8)`. Case counts. Fields that do not say
/// `non-null` are nullable. At most 64 levels.
///
/// # Errors
///
/// [`CA-SCHEMA-0002`](codes::UNKNOWN_TYPE), with the nearest type.
///
/// # Example: which type is this?
///
/// ```
/// use arrow_schema::DataType;
/// use codeanatomy_schema::parse_data_type;
///
/// assert_eq!(parse_data_type("Decimal128(15, 2)")?, DataType::Decimal128(15, 2));
///
/// let error = parse_data_type("varchar").unwrap_err();
/// assert_eq!(error.nearest(), Some("Utf8"));
/// # Ok::<(), codeanatomy_vocab::Error>(())
/// ```
pub fn parse_data_type(text: &str) -> Result<DataType> {
    let problem = |message: String| {
        Error::new(codes::UNKNOWN_TYPE, message)
            .with_expected("an Arrow type, for example Utf8, Int64 or Decimal128(15, 2)")
            .with_nearest(nearest_type(text))
            .with_help("write the type as Arrow does")
    };
    if written_depth(text) > MAX_DEPTH {
        return Err(problem(format!(
            "the type is nested more than {MAX_DEPTH} levels deep"
        )));
    }
    match text.parse::<DataType>() {
        Ok(data_type) => match malformed(&data_type) {
            None => Ok(data_type),
            Some(why) => Err(problem(format!("`{text}` is not a type: {why}"))),
        },
        Err(source) => Err(problem(format!("`{text}` is not a type")).with_source(source)),
    }
}

/// A type for people: Arrow's own notation, or the number of levels where that would be endless.
pub(crate) fn describe(data_type: &DataType) -> String {
    let mut depth = 0;
    let mut pending = vec![(data_type, 1)];
    while let Some((data_type, level)) = pending.pop() {
        depth = depth.max(level);
        let level = level + 1;
        pending.extend(
            inner_types(data_type)
                .into_iter()
                .map(|inner| (inner, level)),
        );
    }
    if depth > MAX_DEPTH {
        format!("a type of {depth} levels")
    } else {
        data_type.to_string()
    }
}

/// The types directly inside a type.
fn inner_types(data_type: &DataType) -> Vec<&DataType> {
    match data_type {
        DataType::List(field)
        | DataType::LargeList(field)
        | DataType::ListView(field)
        | DataType::LargeListView(field)
        | DataType::FixedSizeList(field, _)
        | DataType::Map(field, _) => vec![field.data_type()],
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        DataType::Union(fields, _) => fields.iter().map(|(_, field)| field.data_type()).collect(),
        DataType::Dictionary(keys, values) => vec![keys, values],
        DataType::RunEndEncoded(run_ends, values) => {
            vec![run_ends.data_type(), values.data_type()]
        }
        DataType::Null
        | DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32
        | DataType::UInt64
        | DataType::Float16
        | DataType::Float32
        | DataType::Float64
        | DataType::Timestamp(_, _)
        | DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_)
        | DataType::Interval(_)
        | DataType::Binary
        | DataType::FixedSizeBinary(_)
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Decimal32(_, _)
        | DataType::Decimal64(_, _)
        | DataType::Decimal128(_, _)
        | DataType::Decimal256(_, _) => Vec::new(),
    }
}

/// What Arrow's parser lets pass and no array can have.
fn malformed(data_type: &DataType) -> Option<&'static str> {
    let mut pending = vec![data_type];
    while let Some(data_type) = pending.pop() {
        match data_type {
            DataType::Map(entries, _) => match entries.data_type() {
                DataType::Struct(fields) if fields.len() == 2 => {}
                _ => return Some("the entries of a map are a Struct of a key and a value"),
            },
            DataType::Dictionary(keys, _) if !keys.is_dictionary_key_type() => {
                return Some("the keys of a dictionary are integers");
            }
            DataType::RunEndEncoded(run_ends, _) if !run_ends.data_type().is_run_ends_type() => {
                return Some("run ends are Int16, Int32 or Int64");
            }
            _ => {}
        }
        pending.extend(inner_types(data_type));
    }
    None
}

/// The nearest word of the notation to the first word that is none.
fn nearest_type(text: &str) -> Option<&'static str> {
    let unquoted = text.split('"').step_by(2);
    let words = unquoted.flat_map(|part| part.split([' ', '(', ')', ',', ':']));
    let mut unknown = words
        .filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()))
        .filter(|word| !NAMES.contains(word) && !WORDS.contains(word));
    let word = unknown.next()?;
    let folded = word.to_ascii_lowercase();
    let meant = SQL_NAMES.iter().find(|(sql, _)| *sql == folded);
    let known = NAMES.iter().chain(&WORDS).copied();
    meant.map_or_else(|| nearest(word, known), |(_, arrow)| Some(arrow))
}

fn written_depth(text: &str) -> usize {
    let mut open: usize = 0;
    let mut deepest = 0;
    for byte in text.bytes() {
        match byte {
            b'(' => open += 1,
            b')' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_schema::{Field, TimeUnit};

    use super::*;

    #[test]
    fn every_type_name_is_one_that_arrow_knows() {
        for name in NAMES {
            let error = name.parse::<DataType>().err().map(|e| e.to_string());
            let known = error.is_none_or(|error| !error.contains("unknown token"));
            assert!(known, "{name}");
        }
        for (_, arrow) in SQL_NAMES {
            assert!(
                arrow == "Decimal128" || parse_data_type(arrow).is_ok(),
                "{arrow}"
            );
        }
    }

    #[test]
    fn types_are_written_as_arrow_writes_them() {
        let zoned = DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::from("UTC")));
        for text in [
            "Timestamp(Microsecond, Some(\"UTC\"))",
            "Timestamp(µs, \"UTC\")",
        ] {
            assert_eq!(parse_data_type(text).unwrap(), zoned);
        }
        assert_eq!(parse_data_type(&zoned.to_string()).unwrap(), zoned);
    }

    #[test]
    fn a_misspelt_type_is_told_its_nearest() {
        let cases = [
            ("Utf9", Some("Utf8")),
            ("int64", Some("Int64")),
            ("string", Some("Utf8")),
            ("DECIMAL(15, 2)", Some("Decimal128")),
            ("List(LargUtf8)", Some("LargeUtf8")),
            ("Timestamp(Microsecnd, None)", Some("Microsecond")),
            ("Struct(\"strng\": Flot64)", Some("Float64")),
            ("Decimal128(15)", None),
            ("", None),
            ("Utf8 Utf8", None),
            ("Map(\"e\": Int64, sorted)", None),
            ("Dictionary(Utf8, Utf8)", None),
            ("RunEndEncoded(\"r\": Utf8, \"v\": Utf8)", None),
            ("Time32(ns)", None),
        ];
        for (text, expected) in cases {
            let error = parse_data_type(text).unwrap_err();
            assert_eq!(error.code(), codes::UNKNOWN_TYPE);
            assert_eq!(error.nearest(), expected, "{text}");
        }
    }

    #[test]
    fn types_nested_too_deep_are_refused_and_described_by_their_depth() {
        let text = format!("{}Int8{}", "List(".repeat(10_000), ")".repeat(10_000));
        let error = parse_data_type(&text).unwrap_err();
        assert!(error.to_string().contains("levels deep"), "{error}");

        let mut data_type = DataType::Int8;
        for _ in 0..1_000 {
            data_type = DataType::List(Arc::new(Field::new_list_field(data_type, true)));
        }
        assert_eq!(describe(&data_type), "a type of 1001 levels");
        assert_eq!(describe(&DataType::Int8), "Int8");
    }
}

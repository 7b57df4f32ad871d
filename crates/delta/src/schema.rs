//! The Arrow types that a Delta table can hold, and how others become them.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::{CastOptions, cast_with_options};
use arrow_schema::{
    ArrowError, DECIMAL128_MAX_PRECISION, DataType, Field, FieldRef, Fields, Schema, SchemaRef,
    TimeUnit,
};
use codeanatomy_vocab::{Error, Errors, Result};
use deltalake_core::kernel::StructType;
use deltalake_core::kernel::engine::arrow_conversion::TryIntoArrow;

use crate::{TableLocation, codes};

/// Characters that a Delta column name cannot hold without column mapping.
const INVALID_CHARACTERS: [char; 9] = [' ', ',', ';', '{', '}', '(', ')', '\n', '\t'];

/// The schema that a Delta table has after rows of `schema` are written to it.
///
/// Field and schema metadata are dropped; nullability stays. Types that Delta has stay as they
/// are; the others become the next wider type, so that no value changes:
///
/// | from | to |
/// |---|---|
/// | `UInt8`, `UInt16`, `UInt32` | `Int16`, `Int32`, `Int64` |
/// | `UInt64` | `Decimal128(20, 0)` |
/// | `Float16` | `Float32` |
/// | `LargeUtf8`, `Utf8View` | `Utf8` |
/// | `LargeBinary`, `BinaryView`, `FixedSizeBinary` | `Binary` |
/// | `Dictionary`, `RunEndEncoded` | the type of its values |
/// | `Date64` | `Date32`, where every value is a whole day |
/// | `Timestamp` in s, ms or ns | `Timestamp` in µs, where every value is whole |
/// | `Timestamp` with any zone | `Timestamp` in `UTC`: the same instant |
/// | `Decimal32`, `Decimal64`, `Decimal256` | `Decimal128`, up to 38 digits |
/// | `LargeList`, `FixedSizeList`, `ListView`, `LargeListView` | `List` |
///
/// Nested types follow the same rules, and what is nested may always be null. The types without a lossless form are `Time*`, `Duration`,
/// `Interval`, `Null` and `Union`.
///
/// # Errors
///
/// All that apply, in the order of the columns:
/// [`CA-DELTA-0010`](codes::UNSUPPORTED_TYPE) names a column of a type without a lossless form;
/// [`CA-DELTA-0011`](codes::INVALID_COLUMN_NAME) a name that is empty, holds one of `` ,;{}()=``,
/// a blank, a tab or a line break, or equals another but for upper and lower case.
///
/// # Example: what becomes of an unsigned number?
///
/// ```
/// use arrow_schema::{DataType, Field, Schema};
///
/// let schema = Schema::new(vec![Field::new("n", DataType::UInt32, false)]);
/// let delta = codeanatomy_delta::delta_schema(&schema).unwrap();
/// assert_eq!(delta.field(0).data_type(), &DataType::Int64);
/// ```
pub fn delta_schema(schema: &Schema) -> Result<SchemaRef, Errors> {
    let mut errors = Vec::new();
    let fields = delta_fields(schema.fields(), "", &mut errors);
    Errors::check(errors, Arc::new(Schema::new(fields)))
}

/// The Arrow schema of a table, without metadata.
pub(crate) fn logical_schema(schema: &StructType, location: &TableLocation) -> Result<SchemaRef> {
    let schema: Schema = schema.try_into_arrow().map_err(|error: ArrowError| {
        Error::new(
            codes::UNSUPPORTED_FEATURE,
            format!(
                "the Delta table at {location} has a column of a type that this version cannot read"
            ),
        )
        .with_source(error)
        .with_help("write a copy of the table without that column")
    })?;
    Ok(Arc::new(Schema::new(without_metadata(schema.fields()))))
}

/// Gives a batch the names, types and nullability of `schema`, column by column.
///
/// # Errors
///
/// [`CA-DELTA-0018`](codes::UNREPRESENTABLE_VALUE) when a value has no place in its column's new
/// type, or a column that may not be null is.
pub(crate) fn conform(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| conform_column(column, field))
        .collect::<Result<Vec<_>>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options).map_err(|error| {
        Error::new(
            codes::INTERNAL,
            format!("rows do not fit the columns of their table: {error}"),
        )
        .with_help("this is a defect: please report it with the query")
    })
}

fn conform_column(column: &ArrayRef, field: &Field) -> Result<ArrayRef> {
    if !field.is_nullable() && column.logical_null_count() > 0 {
        return Err(Error::new(
            codes::UNREPRESENTABLE_VALUE,
            format!("the column `{}` may not be null, and is", field.name()),
        )
        .with_help(
            "filter the rows out, fill the value with `coalesce`, or let the column be null",
        ));
    }
    if column.data_type() == field.data_type() {
        return Ok(Arc::clone(column));
    }
    let strict = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let converted = cast_with_options(column, field.data_type(), &strict)
        .map_err(|error| unrepresentable(field).with_source(error))?;
    if may_lose(column.data_type()) {
        let back = cast_with_options(&converted, column.data_type(), &strict)
            .map_err(|error| unrepresentable(field).with_source(error))?;
        if &back != column {
            return Err(unrepresentable(field));
        }
    }
    Ok(converted)
}

fn unrepresentable(field: &Field) -> Error {
    Error::new(
        codes::UNREPRESENTABLE_VALUE,
        format!(
            "the column `{}` holds a value that Delta's {} cannot hold",
            field.name(),
            field.data_type()
        ),
    )
    .with_help("round the value in the view: for times, `date_trunc('microsecond', ...)`")
}

/// Whether a conversion to Delta's type can cut a value short.
fn may_lose(data_type: &DataType) -> bool {
    match data_type {
        DataType::Timestamp(TimeUnit::Nanosecond, _) | DataType::Date64 => true,
        DataType::Dictionary(_, value) => may_lose(value),
        DataType::RunEndEncoded(_, value)
        | DataType::List(value)
        | DataType::LargeList(value)
        | DataType::FixedSizeList(value, _)
        | DataType::ListView(value)
        | DataType::LargeListView(value)
        | DataType::Map(value, _) => may_lose(value.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| may_lose(field.data_type())),
        _ => false,
    }
}

fn delta_fields(fields: &Fields, parent: &str, errors: &mut Vec<Error>) -> Vec<Field> {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    let mut converted = Vec::with_capacity(fields.len());
    for field in fields {
        let path = if parent.is_empty() {
            field.name().clone()
        } else {
            format!("{parent}.{}", field.name())
        };
        if let Some(error) = invalid_name(field.name(), &path) {
            errors.push(error);
        } else if let Some(other) = seen.insert(field.name().to_lowercase(), field.name()) {
            errors.push(
                Error::new(
                    codes::INVALID_COLUMN_NAME,
                    if other == field.name() {
                        format!("the column `{path}` appears twice")
                    } else {
                        format!(
                            "the columns `{other}` and `{path}` differ only in upper and lower case"
                        )
                    },
                )
                .with_help("give one of them another name with `AS`"),
            );
        }
        let data_type = delta_type(field.data_type(), &path, errors);
        converted.push(Field::new(field.name(), data_type, field.is_nullable()));
    }
    converted
}

fn invalid_name(name: &str, path: &str) -> Option<Error> {
    let why = if name.is_empty() {
        "a column has no name".to_owned()
    } else {
        let found = name
            .chars()
            .find(|c| *c == '=' || INVALID_CHARACTERS.contains(c))?;
        format!("the column name `{path}` holds {found:?}, which a Delta table cannot hold")
    };
    Some(
        Error::new(codes::INVALID_COLUMN_NAME, why)
            .with_help("give the column a plain name with `AS`"),
    )
}

fn delta_type(data_type: &DataType, path: &str, errors: &mut Vec<Error>) -> DataType {
    let utc = || Some(Arc::from("UTC"));
    match data_type {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Utf8
        | DataType::Binary
        | DataType::Date32 => data_type.clone(),
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 => DataType::Float32,
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::Date64 => DataType::Date32,
        DataType::Timestamp(_, None) => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Timestamp(_, Some(_)) => DataType::Timestamp(TimeUnit::Microsecond, utc()),
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale)
        | DataType::Decimal256(precision, scale) => match decimal(*precision, *scale) {
            Some(decimal) => decimal,
            None => unsupported(data_type, path, errors),
        },
        DataType::Dictionary(_, value) => delta_type(value, path, errors),
        DataType::RunEndEncoded(_, value) => delta_type(value.data_type(), path, errors),
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => {
            DataType::List(Arc::new(nested("element", element, path, errors)))
        }
        DataType::Struct(fields) => {
            let fields = delta_fields(fields, path, errors);
            let nullable = fields.into_iter().map(|field| field.with_nullable(true));
            DataType::Struct(nullable.collect())
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                let key = nested("key", &fields[0], path, errors).with_nullable(false);
                let value = nested("value", &fields[1], path, errors);
                let entries = DataType::Struct(vec![key, value].into());
                DataType::Map(Arc::new(Field::new("key_value", entries, false)), false)
            }
            _ => unsupported(data_type, path, errors),
        },
        DataType::Null
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Duration(_)
        | DataType::Interval(_)
        | DataType::Union(..) => unsupported(data_type, path, errors),
    }
}

fn nested(name: &str, field: &Field, path: &str, errors: &mut Vec<Error>) -> Field {
    let data_type = delta_type(field.data_type(), &format!("{path}.{name}"), errors);
    Field::new(name, data_type, true)
}

fn decimal(precision: u8, scale: i8) -> Option<DataType> {
    // A negative scale stands for zeros before the point.
    let zeros = u8::try_from(-i16::from(scale)).unwrap_or(0);
    let precision = precision.checked_add(zeros)?;
    let scale = scale.max(0);
    (precision <= DECIMAL128_MAX_PRECISION && scale.unsigned_abs() <= precision)
        .then_some(DataType::Decimal128(precision, scale))
}

fn unsupported(data_type: &DataType, path: &str, errors: &mut Vec<Error>) -> DataType {
    let help = match data_type {
        DataType::Null => "give the column a type: `CAST(NULL AS ...)`",
        DataType::Time32(_) | DataType::Time64(_) => "cast the column to text",
        DataType::Duration(_) => "cast the column to a number",
        DataType::Interval(_) => "cast the column to text, or compute a number from it",
        DataType::Decimal256(..) => "cast the column to a decimal of at most 38 digits",
        _ => "cast the column to a type that Delta has",
    };
    errors.push(
        Error::new(
            codes::UNSUPPORTED_TYPE,
            format!("the column `{path}` is of type {data_type}, which a Delta table cannot hold"),
        )
        .with_help(help),
    );
    DataType::Null
}

fn without_metadata(fields: &Fields) -> Fields {
    fields
        .iter()
        .map(|field| {
            let data_type = nested_nullable(field.data_type());
            Field::new(field.name(), data_type, field.is_nullable())
        })
        .collect()
}

/// The type without metadata of its parts, which may all be null, but for the keys of a map.
fn nested_nullable(data_type: &DataType) -> DataType {
    let part = |field: &FieldRef, nullable| {
        let data_type = nested_nullable(field.data_type());
        Arc::new(Field::new(field.name(), data_type, nullable))
    };
    match data_type {
        DataType::Struct(fields) => {
            DataType::Struct(fields.iter().map(|field| part(field, true)).collect())
        }
        DataType::List(element) => DataType::List(part(element, true)),
        DataType::Map(entries, sorted) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                let fields = vec![part(&fields[0], false), part(&fields[1], true)];
                let entries = Field::new(entries.name(), DataType::Struct(fields.into()), false);
                DataType::Map(Arc::new(entries), *sorted)
            }
            _ => data_type.clone(),
        },
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;

    use super::*;

    fn schema_of(fields: &[(&str, DataType)]) -> Schema {
        Schema::new(
            fields
                .iter()
                .map(|(name, data_type)| Field::new(*name, data_type.clone(), true))
                .collect::<Vec<_>>(),
        )
    }

    fn problems(fields: &[(&str, DataType)]) -> Vec<(&'static str, String)> {
        delta_schema(&schema_of(fields))
            .unwrap_err()
            .iter()
            .map(|error| (error.code().id(), error.to_string()))
            .collect()
    }

    #[test]
    fn the_promised_schema_is_the_one_that_a_table_has() {
        let element = |data_type| Arc::new(Field::new("item", data_type, false));
        let entries = DataType::Struct(
            vec![
                Field::new("keys", DataType::Utf8View, false),
                Field::new("values", DataType::Float16, false),
            ]
            .into(),
        );
        let schema = schema_of(&[
            ("a", DataType::LargeList(element(DataType::UInt16))),
            (
                "b",
                DataType::Map(Arc::new(Field::new("entries", entries, false)), false),
            ),
            (
                "c",
                DataType::Struct(vec![Field::new("x", DataType::Date64, false)].into()),
            ),
            ("d", DataType::Decimal128(5, -3)),
            (
                "e",
                DataType::Timestamp(TimeUnit::Second, Some("+02:00".into())),
            ),
            (
                "f",
                DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::LargeUtf8)),
            ),
        ]);
        let promised = delta_schema(&schema).unwrap();
        assert_eq!(delta_schema(&promised).unwrap(), promised);
        assert_eq!(promised.field(3).data_type(), &DataType::Decimal128(8, 0));
        let table: StructType = promised.as_ref().try_into_kernel().unwrap();
        let location = TableLocation::parse("/t", std::path::Path::new("/")).unwrap();
        assert_eq!(logical_schema(&table, &location).unwrap(), promised);
    }

    #[test]
    fn all_columns_that_cannot_be_are_named_at_once() {
        let found = problems(&[
            ("a", DataType::Time64(TimeUnit::Nanosecond)),
            ("b c", DataType::Int8),
            ("B", DataType::Int8),
            ("b", DataType::Null),
            ("", DataType::Int8),
            (
                "s",
                DataType::Struct(vec![Field::new("x;y", DataType::Decimal256(76, 0), true)].into()),
            ),
        ]);
        let codes: Vec<&str> = found.iter().map(|(code, _)| *code).collect();
        let (name, data_type) = ("CA-DELTA-0011", "CA-DELTA-0010");
        assert_eq!(
            codes,
            [data_type, name, name, data_type, name, name, data_type]
        );
        assert!(found[1].1.contains("`b c`"));
        assert!(found[2].1.contains("`B` and `b`"));
        assert!(found[5].1.contains("`s.x;y`"));
    }
}

//! What is refused in the values and types of a decoded message.

use datafusion::arrow::ipc::root_as_message;
use datafusion_proto::generated::datafusion_common::arrow_type::ArrowTypeEnum;
use datafusion_proto::generated::datafusion_common::scalar_value::Value;
use datafusion_proto::generated::datafusion_common::{
    ArrowType, Field, ScalarNestedValue, ScalarValue, Schema,
};

use crate::forms::guard::Reason;

/// Elements of one value.
const MAX_ELEMENTS: i64 = 1 << 20;

pub(super) fn scalar(value: &ScalarValue) -> Result<(), Reason> {
    match &value.value {
        Some(
            Value::ListValue(nested)
            | Value::LargeListValue(nested)
            | Value::FixedSizeListValue(nested)
            | Value::ListViewValue(nested)
            | Value::LargeListViewValue(nested)
            | Value::StructValue(nested)
            | Value::MapValue(nested),
        ) => nested_value(nested),
        Some(Value::NullValue(of)) => data_type(Some(of)),
        Some(Value::DictionaryValue(value)) => value.value.as_deref().map_or(Ok(()), scalar),
        Some(Value::RunEndEncodedValue(value)) => value.value.as_deref().map_or(Ok(()), scalar),
        Some(Value::UnionValue(value)) => {
            value
                .fields
                .iter()
                .try_for_each(|union_field| union_field.field.as_ref().map_or(Ok(()), field))?;
            value.value.as_deref().map_or(Ok(()), scalar)
        }
        Some(
            Value::BoolValue(_)
            | Value::Utf8Value(_)
            | Value::LargeUtf8Value(_)
            | Value::Utf8ViewValue(_)
            | Value::Int8Value(_)
            | Value::Int16Value(_)
            | Value::Int32Value(_)
            | Value::Int64Value(_)
            | Value::Uint8Value(_)
            | Value::Uint16Value(_)
            | Value::Uint32Value(_)
            | Value::Uint64Value(_)
            | Value::Float32Value(_)
            | Value::Float64Value(_)
            | Value::Date32Value(_)
            | Value::Time32Value(_)
            | Value::Decimal32Value(_)
            | Value::Decimal64Value(_)
            | Value::Decimal128Value(_)
            | Value::Decimal256Value(_)
            | Value::Date64Value(_)
            | Value::IntervalYearmonthValue(_)
            | Value::DurationSecondValue(_)
            | Value::DurationMillisecondValue(_)
            | Value::DurationMicrosecondValue(_)
            | Value::DurationNanosecondValue(_)
            | Value::TimestampValue(_)
            | Value::BinaryValue(_)
            | Value::LargeBinaryValue(_)
            | Value::BinaryViewValue(_)
            | Value::Time64Value(_)
            | Value::IntervalDaytimeValue(_)
            | Value::IntervalMonthDayNano(_)
            | Value::FixedSizeBinaryValue(_),
        )
        | None => Ok(()),
    }
}

/// A value in Arrow's own format: one row, neither compressed nor longer than its bytes can say.
fn nested_value(value: &ScalarNestedValue) -> Result<(), Reason> {
    schema(value.schema.as_ref())?;
    let mut messages = vec![(&value.ipc_message, value.arrow_data.len())];
    let dictionaries = value.dictionaries.iter();
    messages.extend(dictionaries.map(|part| (&part.ipc_message, part.arrow_data.len())));
    for (number, (bytes, length)) in messages.into_iter().enumerate() {
        let message = root_as_message(bytes).map_err(|error| error.to_string())?;
        let batch = if number == 0 {
            message.header_as_record_batch()
        } else {
            message
                .header_as_dictionary_batch()
                .and_then(|batch| batch.data())
        };
        let batch = batch.ok_or("a nested value is no batch of rows")?;
        if batch.compression().is_some() {
            return Err("a nested value is compressed".to_owned());
        }
        if number == 0 && batch.length() != 1 {
            return Err("a nested value has not one row".to_owned());
        }
        let ends_inside = |offset: i64, size: i64| {
            let end = offset
                .checked_add(size)
                .and_then(|end| usize::try_from(end).ok());
            offset >= 0 && size >= 0 && end.is_some_and(|end| end <= length)
        };
        if !batch
            .buffers()
            .iter()
            .flatten()
            .all(|buffer| ends_inside(buffer.offset(), buffer.length()))
        {
            return Err("a nested value ends before its parts".to_owned());
        }
        let nodes = batch.nodes();
        if nodes
            .iter()
            .flatten()
            .any(|node| !(0..=MAX_ELEMENTS).contains(&node.length()))
        {
            return Err("a nested value has very many elements".to_owned());
        }
    }
    Ok(())
}

pub(super) fn schema(schema: Option<&Schema>) -> Result<(), Reason> {
    schema
        .into_iter()
        .flat_map(|schema| &schema.columns)
        .try_for_each(field)
}

pub(super) fn field(node: &Field) -> Result<(), Reason> {
    data_type(node.arrow_type.as_deref())?;
    node.children.iter().try_for_each(field)
}

/// A fixed-size list as null has all its elements.
pub(super) fn data_type(node: Option<&ArrowType>) -> Result<(), Reason> {
    elements(node).map(drop)
}

/// How many leaves one value of the type has.
fn elements(node: Option<&ArrowType>) -> Result<i64, Reason> {
    let of = |node: &Option<Box<Field>>| match node {
        Some(node) => elements(node.arrow_type.as_deref()),
        None => Ok(1),
    };
    let several = |nodes: &[Field]| {
        nodes.iter().try_fold(1_i64, |sum, node| {
            let part = elements(node.arrow_type.as_deref())?;
            Ok::<_, Reason>(sum.saturating_add(part))
        })
    };
    let Some(node) = node.and_then(|node| node.arrow_type_enum.as_ref()) else {
        return Ok(1);
    };
    let count = match node {
        ArrowTypeEnum::FixedSizeList(list) => {
            of(&list.field_type)?.saturating_mul(i64::from(list.list_size.max(1)))
        }
        ArrowTypeEnum::FixedSizeBinary(size) => i64::from((*size).max(1)),
        ArrowTypeEnum::List(list)
        | ArrowTypeEnum::LargeList(list)
        | ArrowTypeEnum::ListView(list)
        | ArrowTypeEnum::LargeListView(list) => of(&list.field_type)?,
        ArrowTypeEnum::Map(map) => of(&map.field_type)?,
        ArrowTypeEnum::Struct(fields) => several(&fields.sub_field_types)?,
        ArrowTypeEnum::Union(union) => several(&union.union_types)?,
        ArrowTypeEnum::Dictionary(dictionary) => elements(dictionary.value.as_deref())?,
        ArrowTypeEnum::RunEndEncoded(encoded) => of(&encoded.values_field)?,
        ArrowTypeEnum::None(_)
        | ArrowTypeEnum::Bool(_)
        | ArrowTypeEnum::Uint8(_)
        | ArrowTypeEnum::Int8(_)
        | ArrowTypeEnum::Uint16(_)
        | ArrowTypeEnum::Int16(_)
        | ArrowTypeEnum::Uint32(_)
        | ArrowTypeEnum::Int32(_)
        | ArrowTypeEnum::Uint64(_)
        | ArrowTypeEnum::Int64(_)
        | ArrowTypeEnum::Float16(_)
        | ArrowTypeEnum::Float32(_)
        | ArrowTypeEnum::Float64(_)
        | ArrowTypeEnum::Utf8(_)
        | ArrowTypeEnum::Utf8View(_)
        | ArrowTypeEnum::LargeUtf8(_)
        | ArrowTypeEnum::Binary(_)
        | ArrowTypeEnum::BinaryView(_)
        | ArrowTypeEnum::LargeBinary(_)
        | ArrowTypeEnum::Date32(_)
        | ArrowTypeEnum::Date64(_)
        | ArrowTypeEnum::Duration(_)
        | ArrowTypeEnum::Timestamp(_)
        | ArrowTypeEnum::Time32(_)
        | ArrowTypeEnum::Time64(_)
        | ArrowTypeEnum::Interval(_)
        | ArrowTypeEnum::Decimal32(_)
        | ArrowTypeEnum::Decimal64(_)
        | ArrowTypeEnum::Decimal128(_)
        | ArrowTypeEnum::Decimal256(_) => 1,
    };
    if count > MAX_ELEMENTS {
        return Err("a type has very many elements in one value".to_owned());
    }
    Ok(count)
}

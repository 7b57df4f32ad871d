//! Which types aggregates take, and what they make of them.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion_common::{Result, plan_err};

use super::domain::is_comparable;

/// The type without dictionaries and runs, at any depth: their values are what counts.
pub(crate) fn unpacked(data_type: &DataType) -> DataType {
    let inner = |field: &FieldRef| -> FieldRef {
        let plain = unpacked(field.data_type());
        Arc::new(field.as_ref().clone().with_data_type(plain))
    };
    match data_type {
        DataType::Dictionary(_, values) => unpacked(values),
        DataType::RunEndEncoded(_, values) => unpacked(values.data_type()),
        DataType::List(field) => DataType::List(inner(field)),
        DataType::LargeList(field) => DataType::LargeList(inner(field)),
        DataType::FixedSizeList(field, size) => DataType::FixedSizeList(inner(field), *size),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(inner).collect::<Fields>()),
        DataType::Map(entries, sorted) => DataType::Map(inner(entries), *sorted),
        other => other.clone(),
    }
}

/// The unpacked type of values that can be sorted.
///
/// # Errors
///
/// When they cannot.
pub(crate) fn comparable(function: &str, data_type: &DataType) -> Result<DataType> {
    let plain = unpacked(data_type);
    if is_comparable(&plain) {
        Ok(plain)
    } else {
        plan_err!("`{function}` compares its values, and values of type {data_type} have no order")
    }
}

/// A list type whose items are nullable and have the usual name.
pub(crate) fn list_type(items: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(items, true)))
}

/// A nullable column of a state.
pub(crate) fn state_field(function: &str, part: &str, data_type: DataType) -> FieldRef {
    Arc::new(Field::new(format!("{function}[{part}]"), data_type, true))
}

/// The arguments of a function that takes exactly `N`.
///
/// # Errors
///
/// When there are more or fewer.
pub(crate) fn exactly<'a, T, const N: usize>(
    function: &str,
    arguments: &'a [T],
) -> Result<[&'a T; N]> {
    let found: Vec<&T> = arguments.iter().collect();
    match found.try_into() {
        Ok(arguments) => Ok(arguments),
        Err(_) => {
            let plural = if N == 1 { "" } else { "s" };
            plan_err!(
                "`{function}` takes {N} argument{plural}, not {}",
                arguments.len()
            )
        }
    }
}

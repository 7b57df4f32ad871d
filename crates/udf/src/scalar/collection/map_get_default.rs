//! `map_get_default`: the value of a key, or something else.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{CastOptions, can_cast_types, cast_with_options, interleave};
use arrow::datatypes::Field;
use arrow::row::{RowConverter, SortField};
use datafusion_common::{Result, plan_err};
use datafusion_expr::{ReturnFieldArgs, Signature, Volatility};

use super::map_normalize::key_and_value;
use crate::kernel::gives;
use crate::{Call, Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "map_get_default",
        aliases: Vec::new(),
        version: 1,
        signature: Signature::any(3, Volatility::Immutable),
        strict: false,
        returns,
        kernel: get,
        docs: &DOCS,
    }
    .entry()
}

fn returns(args: &ReturnFieldArgs) -> Result<Field> {
    let (key, value) = key_and_value("map_get_default", args.arg_fields[0].data_type())?;
    for (argument, wanted) in [(1, key), (2, value)] {
        let (found, wanted) = (args.arg_fields[argument].data_type(), wanted.data_type());
        if !can_cast_types(found, wanted) {
            return plan_err!(
                "map_get_default takes {wanted} as argument {}, found {found}",
                argument + 1
            );
        }
    }
    if !RowConverter::supports_fields(&[SortField::new(key.data_type().clone())]) {
        let key = key.data_type();
        return plan_err!("map_get_default cannot compare keys of type {key}");
    }
    Ok(gives(
        value.data_type().clone(),
        args.arg_fields[2].is_nullable(),
    ))
}

fn get(call: &Call) -> Result<ArrayRef> {
    const EXACT: CastOptions = CastOptions {
        safe: false,
        format_options: arrow::util::display::FormatOptions::new(),
    };
    let [map_column, key_column, default_column] = call.columns else {
        return plan_err!("map_get_default takes a map, a key and a default");
    };
    let map = map_column.array.as_map();
    let key = cast_with_options(&key_column.array, map.key_type(), &EXACT)?;
    let default = cast_with_options(&default_column.array, map.value_type(), &EXACT)?;
    let converter = RowConverter::new(vec![SortField::new(map.key_type().clone())])?;
    let keys = converter.convert_columns(std::slice::from_ref(map.keys()))?;
    let wanted = converter.convert_columns(std::slice::from_ref(&key))?;
    let nulls = map.values().logical_nulls();
    let key_nulls = key.logical_nulls();
    let offsets = map.value_offsets();
    let find = |row: usize| {
        let map_row = map_column.at(row);
        let wanted_row = key_column.at(row);
        if map.is_null(map_row)
            || key_nulls
                .as_ref()
                .is_some_and(|nulls| nulls.is_null(wanted_row))
        {
            return None;
        }
        let wanted = wanted.row(wanted_row);
        let range = offsets[map_row].unsigned_abs()..offsets[map_row + 1].unsigned_abs();
        let found = range
            .rev()
            .find(|index| keys.row(*index as usize) == wanted)? as usize;
        nulls
            .as_ref()
            .is_none_or(|nulls| nulls.is_valid(found))
            .then_some(found)
    };
    let places: Vec<(usize, usize)> = (0..call.rows)
        .map(|row| match find(row) {
            Some(index) => (0, index),
            None => (1, default_column.at(row)),
        })
        .collect();
    Ok(interleave(
        &[map.values().as_ref(), default.as_ref()],
        &places,
    )?)
}

static DOCS: Docs = Docs {
    section: "collection",
    summary: "The value of a key in a map, or a default where there is none.",
    syntax: "map_get_default(map, key, default)",
    arguments: &[
        ("map", "A map."),
        (
            "key",
            "A value that can be cast to the type of the map's keys.",
        ),
        (
            "default",
            "A value that can be cast to the type of the map's values.",
        ),
    ],
    returns: "The type of the map's values. The default stands in where the map is null, the key is null or not in the map, and \
              where its value is null.",
    notes: &[
        "Where a key is there more than once, its last value counts. A cast that loses a value is an error.",
    ],
    examples: &[
        Example {
            sql: "SELECT map_get_default(MAP {'a': 1}, 'a', 0)",
            rows: &["1"],
        },
        Example {
            sql: "SELECT map_get_default(MAP {'a': 1}, 'b', 0)",
            rows: &["0"],
        },
    ],
};

//! `list_compact`: a list without its nulls.

use arrow::array::{Array, ArrayRef, UInt64Array, new_null_array};
use arrow::compute::take;
use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_expr::{Signature, Volatility};

use super::lists::{Lists, build, list_type};
use crate::kernel::{gives, nullable};
use crate::{Call, Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "list_compact",
        aliases: vec!["array_compact".to_owned()],
        version: 1,
        signature: Signature::any(1, Volatility::Immutable),
        strict: true,
        returns: |args| Ok(gives(list_type("list_compact", args)?, nullable(args))),
        kernel: compact,
        docs: &DOCS,
    }
    .entry()
}

fn compact(call: &Call) -> Result<ArrayRef> {
    let array = &call.columns[0].array;
    if array.data_type() == &DataType::Null {
        return Ok(new_null_array(call.return_type, array.len()));
    }
    let lists = Lists::of(array)?;
    let nulls = lists.items.logical_nulls();
    if nulls.is_none() && array.data_type() == call.return_type {
        return Ok(ArrayRef::clone(array));
    }
    let mut kept: Vec<u64> = Vec::with_capacity(lists.items.len());
    let mut ends = Vec::with_capacity(array.len());
    for range in lists.ranges() {
        let valid = range.filter(|index| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*index)));
        kept.extend(valid.map(|index| index as u64));
        ends.push(kept.len());
    }
    let items = take(&lists.items, &UInt64Array::from(kept), None)?;
    build(call.return_type, items, &ends, lists.nulls)
}

static DOCS: Docs = Docs {
    section: "collection",
    summary: "The list without its nulls.",
    syntax: "list_compact(list)",
    arguments: &[("list", "A list of any type, of any layout.")],
    returns: "A list of the same items in the same order; null where the list is null.",
    notes: &[],
    examples: &[Example {
        sql: "SELECT list_compact([1, NULL, 2, NULL])",
        rows: &["[1, 2]"],
    }],
};

//! `stable_hash128`: 128 bits, as digits, that stand for text or bytes.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::take;
use datafusion_common::Result;

use super::digest::{TEXT, hash128, one_value};
use crate::kernel::{Bytes, HexColumn, gives, nullable};
use crate::{Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "stable_hash128",
        aliases: Vec::new(),
        version: 1,
        signature: one_value(),
        strict: true,
        returns: |args| Ok(gives(TEXT, nullable(args))),
        kernel: |call| digits(&call.columns[0].array),
        docs: &DOCS,
    }
    .entry()
}

fn digits(array: &ArrayRef) -> Result<ArrayRef> {
    if let Some(dictionary) = array.as_any_dictionary_opt()
        && dictionary.values().len() <= dictionary.len()
    {
        return Ok(take(
            &digits(dictionary.values())?,
            dictionary.keys(),
            None,
        )?);
    }
    let values = Bytes::of(array)?;
    let nulls = values.array().nulls().cloned();
    let rows = values.array().len();
    let mut column = HexColumn::with_capacity(rows, 32);
    for row in 0..rows {
        if !nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            column.hex(hash128(values.value(row)));
        }
        column.end_row()?;
    }
    Ok(Arc::new(column.finish(nulls)?))
}

static DOCS: Docs = Docs {
    section: "hash",
    summary: "A hash of text or bytes as 32 hexadecimal digits, the same in every release and on every machine.",
    syntax: "stable_hash128(value)",
    arguments: &[("value", "Text or binary data, of any encoding.")],
    returns: "Utf8 of 32 lower-case digits; null where the value is null.",
    notes: &["The first 16 bytes of the BLAKE3 hash of the value's bytes, as `b3sum` prints them."],
    examples: &[Example {
        sql: "SELECT stable_hash128('abc')",
        rows: &["6437b3ac38465133ffb63b75273a8db5"],
    }],
};

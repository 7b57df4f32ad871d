//! `stable_hash_any`: 128 bits, as digits, that stand for values of any type.

use datafusion_common::plan_err;
use datafusion_expr::{Signature, Volatility};

use super::digest::{TEXT, encodings, hash128};
use crate::kernel::{HexColumn, gives};
use crate::{Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "stable_hash_any",
        aliases: Vec::new(),
        version: 1,
        signature: Signature::variadic_any(Volatility::Immutable),
        strict: false,
        returns: |args| match args.arg_fields {
            [] => plan_err!("stable_hash_any takes at least one value"),
            [_, ..] => Ok(gives(TEXT, false)),
        },
        kernel: |call| {
            let values = encodings(call.columns)?;
            let mut digits = HexColumn::with_capacity(call.rows, 32);
            let mut bytes = Vec::new();
            for row in 0..call.rows {
                bytes.clear();
                for (value, column) in values.iter().zip(call.columns) {
                    value.write(column.at(row), &mut bytes);
                }
                digits.hex(hash128(&bytes));
                digits.end_row()?;
            }
            digits.finish(None)
        },
        docs: &DOCS,
    }
    .entry()
}

static DOCS: Docs = Docs {
    section: "hash",
    summary: "A hash of values of any type as 32 hexadecimal digits: of a whole row, a list, a structure.",
    syntax: "stable_hash_any(value [, value ...])",
    arguments: &[("value", "A value of any type. Null is a value.")],
    returns: "Utf8 of 32 lower-case digits, never null.",
    notes: &[
        "The values are encoded one after the other by their types, then hashed as `stable_hash128` does. The hash does \
         not depend on how a column is stored: width of numbers, encoding of text and lists, dictionary. A structure is \
         its named fields in their order; a map is its entries in their order, so bring them into one with \
         `map_normalize`. See [the encoding](specs/functions-hash.md).",
    ],
    examples: &[Example {
        sql: "SELECT stable_hash_any(1, 'a') = stable_hash_any(arrow_cast(1, 'UInt8'), arrow_cast('a', 'LargeUtf8')) AS same",
        rows: &["true"],
    }],
};

//! `stable_hash64`: 64 bits that stand for text or bytes.

use std::sync::Arc;

use arrow::datatypes::DataType;

use super::digest::{numbers, one_value};
use crate::kernel::{gives, nullable};
use crate::{Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "stable_hash64",
        aliases: Vec::new(),
        version: 1,
        signature: one_value(),
        strict: true,
        returns: |args| Ok(gives(DataType::Int64, nullable(args))),
        kernel: |call| Ok(Arc::new(numbers(&call.columns[0].array)?)),
        docs: &DOCS,
    }
    .entry()
}

static DOCS: Docs = Docs {
    section: "hash",
    summary: "A hash of text or bytes as a whole number, the same in every release and on every machine.",
    syntax: "stable_hash64(value)",
    arguments: &[("value", "Text or binary data, of any encoding.")],
    returns: "Int64, of all its values; null where the value is null.",
    notes: &[
        "The first 8 bytes of the BLAKE3 hash of the value's bytes, big-endian, as a signed number. Text is hashed as \
         its UTF-8 bytes, so text and binary data of the same bytes have the same hash.",
        "Two of a billion different values have the same hash with a chance of about 3 in 100; use `stable_hash128` \
         where that matters.",
    ],
    examples: &[
        Example {
            sql: "SELECT stable_hash64('abc')",
            rows: &["7221438079771758899"],
        },
        Example {
            sql: "SELECT stable_hash64(NULL)",
            rows: &["NULL"],
        },
    ],
};

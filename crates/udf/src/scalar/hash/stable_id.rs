//! `stable_id`: a prefix and 128 bits, as digits, that stand for text or bytes.

use super::digest::{TEXT, hash128, prefix_and_value, prefixed};
use crate::kernel::{gives, nullable};
use crate::{Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "stable_id",
        aliases: Vec::new(),
        version: 1,
        signature: prefix_and_value(),
        strict: true,
        returns: |args| Ok(gives(TEXT, nullable(args))),
        kernel: |call| prefixed(call, hash128),
        docs: &DOCS,
    }
    .entry()
}

static DOCS: Docs = Docs {
    section: "hash",
    summary: "A readable id: a prefix and the 128-bit hash of a value.",
    syntax: "stable_id(prefix, value)",
    arguments: &[
        (
            "prefix",
            "Text that says what the value is, for example `order`. It is not part of what is hashed.",
        ),
        ("value", "Text or binary data, of any encoding."),
    ],
    returns: "Utf8, `prefix:` and 32 hexadecimal digits; null where an argument is null.",
    notes: &["The digits are those of `stable_hash128`."],
    examples: &[Example {
        sql: "SELECT stable_id('order', 'abc')",
        rows: &["order:6437b3ac38465133ffb63b75273a8db5"],
    }],
};

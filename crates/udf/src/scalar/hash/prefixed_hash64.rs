//! `prefixed_hash64`: a prefix and 64 bits, as digits, that stand for text or bytes.

use super::digest::{TEXT, hash64, prefix_and_value, prefixed};
use crate::kernel::{gives, nullable};
use crate::{Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "prefixed_hash64",
        aliases: Vec::new(),
        version: 1,
        signature: prefix_and_value(),
        strict: true,
        returns: |args| Ok(gives(TEXT, nullable(args))),
        kernel: |call| prefixed(call, hash64),
        docs: &DOCS,
    }
    .entry()
}

static DOCS: Docs = Docs {
    section: "hash",
    summary: "A readable key: a prefix and the 64-bit hash of a value.",
    syntax: "prefixed_hash64(prefix, value)",
    arguments: &[
        (
            "prefix",
            "Text that says what the value is, for example `order`. It is not part of what is hashed.",
        ),
        ("value", "Text or binary data, of any encoding."),
    ],
    returns: "Utf8, `prefix:` and 16 hexadecimal digits; null where an argument is null.",
    notes: &["The digits are those of `stable_hash64`."],
    examples: &[Example {
        sql: "SELECT prefixed_hash64('order', 'abc')",
        rows: &["order:6437b3ac38465133"],
    }],
};

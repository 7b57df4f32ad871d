//! `prefixed_hash_parts64`: a prefix and 64 bits, as digits, that stand for several values.

use datafusion_expr::{Signature, Volatility};

use super::digest::{TEXT, check_parts, hash64, prefixed_parts};
use crate::kernel::gives;
use crate::{Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "prefixed_hash_parts64",
        aliases: Vec::new(),
        version: 1,
        signature: Signature::variadic_any(Volatility::Immutable),
        strict: false,
        returns: |args| {
            check_parts("prefixed_hash_parts64", args)?;
            Ok(gives(TEXT, args.arg_fields[0].is_nullable()))
        },
        kernel: |call| prefixed_parts(call, hash64),
        docs: &DOCS,
    }
    .entry()
}

static DOCS: Docs = Docs {
    section: "hash",
    summary: "A readable key: a prefix and the 64-bit hash of several values.",
    syntax: "prefixed_hash_parts64(prefix, part [, part ...])",
    arguments: &[
        (
            "prefix",
            "Text that says what the parts are of, for example `order_line`. It is not part of what is hashed.",
        ),
        (
            "part",
            "A value of any type. Null is a value, and another one than the empty text.",
        ),
    ],
    returns: "Utf8, `prefix:` and 16 hexadecimal digits; null only where the prefix is null.",
    notes: &[
        "The parts are encoded one after the other by their types, so that `'ab', 'c'` and `'a', 'bc'` differ, and `1` and \
         `'1'` do. Equal numbers of different widths are equal, and so is text of different encodings. See \
         [the encoding](specs/functions-hash.md).",
    ],
    examples: &[Example {
        sql: "SELECT prefixed_hash_parts64('line', 'ab', 'c') <> prefixed_hash_parts64('line', 'a', 'bc') AS differ",
        rows: &["true"],
    }],
};

//! `span_id`: an id of a span in a file.

use arrow::array::ArrayRef;
use arrow::buffer::NullBuffer;
use arrow::datatypes::DataType;
use datafusion_common::{Result, plan_err};
use datafusion_expr::{Signature, Volatility};

use super::SPAN_NOTE;
use crate::kernel::{gives, is_text};
use crate::scalar::hash::{Encoding, hash128, prefixed_bytes, write_integer};
use crate::span::Spans;
use crate::{Call, Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "span_id",
        aliases: Vec::new(),
        version: 1,
        signature: Signature::any(3, Volatility::Immutable),
        strict: true,
        returns: |args| {
            let [prefix, path, _] = args.arg_fields else {
                return plan_err!("span_id takes a prefix, a path and a span");
            };
            for (argument, field) in [(1, prefix), (2, path)] {
                if !is_text(field.data_type()) {
                    let found = field.data_type();
                    return plan_err!("span_id takes text as argument {argument}, found {found}");
                }
            }
            super::check_span("span_id", args, 2)?;
            Ok(gives(DataType::Utf8, true))
        },
        kernel: id,
        docs: &DOCS,
    }
    .entry()
}

fn id(call: &Call) -> Result<ArrayRef> {
    let path = Encoding::of(&call.columns[1].array)?;
    let spans = Spans::of(&call.columns[2].array)?;
    let span = |row| spans.get(call.columns[2].at(row));
    let valid: NullBuffer = (0..call.rows).map(|row| span(row).is_some()).collect();
    let nulls = NullBuffer::union(call.any_null().as_ref(), Some(&valid));
    prefixed_bytes(call, nulls, hash128, |row, bytes| {
        let (start, end) = span(row).unwrap_or_default();
        path.write(call.columns[1].at(row), bytes);
        write_integer(start.into(), bytes);
        write_integer(end.into(), bytes);
    })
}

static DOCS: Docs = Docs {
    section: "span",
    summary: "A readable id of a span in a file.",
    syntax: "span_id(prefix, path, span)",
    arguments: &[
        (
            "prefix",
            "Text that says what the span is of, for example `def`. It is not part of what is hashed.",
        ),
        ("path", "The file or document, as text."),
        ("span", "A span."),
    ],
    returns: "Utf8, `prefix:` and 32 hexadecimal digits; null where an argument is null or no span.",
    notes: &[
        "The same as `stable_id_parts(prefix, path, start, end)`. The path is hashed as it is written: normalise it first.",
        SPAN_NOTE,
    ],
    examples: &[Example {
        sql: "SELECT span_id('def', 'a.py', span_make(3, 8)) = stable_id_parts('def', 'a.py', 3, 8) AS same",
        rows: &["true"],
    }],
};

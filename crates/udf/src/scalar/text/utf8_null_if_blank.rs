//! `utf8_null_if_blank`: text, or null where it says nothing.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{nullif, take};
use datafusion_common::Result;
use datafusion_expr::{Signature, Volatility};

use super::UNICODE_NOTE;
use crate::kernel::{Texts, gives, text};
use crate::{Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "utf8_null_if_blank",
        aliases: Vec::new(),
        version: 1,
        signature: Signature::coercible(vec![text()], Volatility::Immutable),
        strict: true,
        returns: |args| Ok(gives(args.arg_fields[0].data_type().clone(), true)),
        kernel: |call| {
            let array = &call.columns[0].array;
            Ok(nullif(array, &blank(array)?)?)
        },
        docs: &DOCS,
    }
    .entry()
}

/// Which rows hold white space only; a null may be either.
fn blank(array: &ArrayRef) -> Result<BooleanArray> {
    if let Some(dictionary) = array.as_any_dictionary_opt() {
        let values = blank(dictionary.values())?;
        return Ok(take(&values, dictionary.keys(), None)?.as_boolean().clone());
    }
    let texts = Texts::of(array)?;
    let blank = BooleanBuffer::collect_bool(array.len(), |row| {
        texts
            .get(row)
            .is_some_and(|text| text.chars().all(char::is_whitespace))
    });
    Ok(BooleanArray::new(blank, None))
}

static DOCS: Docs = Docs {
    section: "text",
    summary: "The text, or null where it is empty or white space only.",
    syntax: "utf8_null_if_blank(text)",
    arguments: &[("text", "Text of any encoding.")],
    returns: "The type of the text. The text itself is not trimmed.",
    notes: &[
        "White space is what has the property `White_Space`, a no-break space among others.",
        UNICODE_NOTE,
    ],
    examples: &[Example {
        sql: "SELECT utf8_null_if_blank(' \u{a0}') AS blank, utf8_null_if_blank(' a') AS text",
        rows: &["NULL |  a"],
    }],
};

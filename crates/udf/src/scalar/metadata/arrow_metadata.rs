//! `arrow_metadata`: the metadata of a column. The function is the engine's own.

use crate::{Docs, Entry, Example, Implementation};

pub(crate) fn entry() -> Entry {
    let function = datafusion_functions::core::arrow_metadata();
    Entry::of_engine(Implementation::Scalar(function), DOCS)
}

static DOCS: Docs = Docs {
    section: "metadata",
    summary: "The metadata of an expression's field.",
    syntax: "arrow_metadata(expression [, key])",
    arguments: &[
        (
            "expression",
            "Any expression; its values are not looked at.",
        ),
        ("key", "A literal text."),
    ],
    returns: "Without a key a map of text to text, sorted by key; with a key its text as Utf8, null where there is none.",
    notes: &["The implementation is that of the engine."],
    examples: &[Example {
        sql: "SELECT arrow_metadata(semantic_tag('unit:ms', 5), 'codeanatomy.semantic_tag')",
        rows: &["unit:ms"],
    }],
};

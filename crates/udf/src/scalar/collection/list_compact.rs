//! `list_compact`: a list without its nulls. The function is the engine's own `array_compact`.

use crate::{Docs, Entry, Example, Implementation};

pub(crate) fn entry() -> Entry {
    let function = datafusion_functions_nested::array_compact::array_compact_udf();
    Entry::of_engine(Implementation::Scalar(function), DOCS)
}

static DOCS: Docs = Docs {
    section: "collection",
    summary: "The list without its nulls.",
    syntax: "list_compact(list)",
    arguments: &[("list", "A list of any type.")],
    returns: "A list of the same items in the same order; null where the list is null.",
    notes: &["The implementation is that of the engine, and `list_compact` an alias of it."],
    examples: &[Example {
        sql: "SELECT list_compact([1, NULL, 2, NULL])",
        rows: &["[1, 2]"],
    }],
};

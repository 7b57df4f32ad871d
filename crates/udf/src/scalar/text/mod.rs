//! Text: normal forms, blanks, qualified names.

mod form;
mod qname_normalize;
mod utf8_normalize;
mod utf8_null_if_blank;

use crate::Entry;

pub(super) fn entries() -> Vec<Entry> {
    vec![
        qname_normalize::entry(),
        utf8_normalize::entry(),
        utf8_null_if_blank::entry(),
    ]
}

/// The version of the Unicode tables that the functions are built with. A test holds it.
const UNICODE_NOTE: &str = "By the tables of Unicode 17.0.";

//! `cdf_is_upsert`: whether a change leaves a row.

use arrow::array::BooleanArray;
use arrow::datatypes::DataType;

use super::{Change, NOTE, of_each, signature};
use crate::kernel::gives;
use crate::{Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "cdf_is_upsert",
        aliases: Vec::new(),
        version: 1,
        signature: signature(),
        strict: true,
        returns: |_| Ok(gives(DataType::Boolean, true)),
        kernel: |call| of_each::<BooleanArray, _>(&call.columns[0].array, value),
        docs: &DOCS,
    }
    .entry()
}

fn value(change: Change) -> bool {
    match change {
        Change::Insert | Change::UpdatePostimage => true,
        Change::UpdatePreimage | Change::Delete => false,
    }
}

static DOCS: Docs = Docs {
    section: "change feed",
    summary: "Whether a change leaves a row: an insert, or the state after an update.",
    syntax: "cdf_is_upsert(change_type)",
    arguments: &[("change_type", "The kind of a change, text of any encoding.")],
    returns: "Boolean; null for null and for what is no kind of change.",
    notes: &[NOTE],
    examples: &[Example {
        sql: "SELECT cdf_is_upsert('update_postimage'), cdf_is_upsert('update_preimage')",
        rows: &["true | false"],
    }],
};

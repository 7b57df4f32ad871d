//! `cdf_is_delete`: whether a change removes a row.

use arrow::array::BooleanArray;
use arrow::datatypes::DataType;

use super::{Change, NOTE, of_each, signature};
use crate::kernel::gives;
use crate::{Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "cdf_is_delete",
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
        Change::Delete => true,
        Change::UpdatePreimage | Change::Insert | Change::UpdatePostimage => false,
    }
}

static DOCS: Docs = Docs {
    section: "change feed",
    summary: "Whether a change removes a row for good; the state before an update is none.",
    syntax: "cdf_is_delete(change_type)",
    arguments: &[("change_type", "The kind of a change, text of any encoding.")],
    returns: "Boolean; null for null and for what is no kind of change.",
    notes: &[NOTE],
    examples: &[Example {
        sql: "SELECT cdf_is_delete('delete'), cdf_is_delete('update_preimage')",
        rows: &["true | false"],
    }],
};

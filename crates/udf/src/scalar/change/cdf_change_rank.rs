//! `cdf_change_rank`: the order of the changes of one commit.

use arrow::array::Int32Array;
use arrow::datatypes::DataType;

use super::{Change, NOTE, of_each, signature};
use crate::kernel::gives;
use crate::{Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "cdf_change_rank",
        aliases: Vec::new(),
        version: 1,
        signature: signature(),
        strict: true,
        returns: |_| Ok(gives(DataType::Int32, true)),
        kernel: |call| of_each::<Int32Array, _>(&call.columns[0].array, value),
        docs: &DOCS,
    }
    .entry()
}

fn value(change: Change) -> i32 {
    match change {
        Change::UpdatePreimage => 0,
        Change::Delete => 1,
        Change::Insert => 2,
        Change::UpdatePostimage => 3,
    }
}

static DOCS: Docs = Docs {
    section: "change feed",
    summary: "The order in which the changes of one commit to one key are applied.",
    syntax: "cdf_change_rank(change_type)",
    arguments: &[("change_type", "The kind of a change, text of any encoding.")],
    returns: "Int32: 0 for `update_preimage`, 1 for `delete`, 2 for `insert`, 3 for `update_postimage`; null for null and for anything else. Of the changes of one commit to a key, the one of the highest rank says what the key has afterwards.",
    notes: &[NOTE],
    examples: &[Example {
        sql: "SELECT cdf_change_rank('insert')",
        rows: &["2"],
    }],
};

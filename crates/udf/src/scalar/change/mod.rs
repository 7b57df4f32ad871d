//! The kinds of change in a change feed, as Delta names them in `_change_type`.

mod cdf_change_rank;
mod cdf_is_delete;
mod cdf_is_upsert;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::take;
use datafusion_common::Result;
use datafusion_expr::{Signature, Volatility};

use crate::Entry;
use crate::kernel::{Texts, text};

pub(super) fn entries() -> Vec<Entry> {
    vec![
        cdf_change_rank::entry(),
        cdf_is_delete::entry(),
        cdf_is_upsert::entry(),
    ]
}

/// The kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    UpdatePreimage,
    Delete,
    Insert,
    UpdatePostimage,
}

impl Change {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "update_preimage" => Some(Self::UpdatePreimage),
            "delete" => Some(Self::Delete),
            "insert" => Some(Self::Insert),
            "update_postimage" => Some(Self::UpdatePostimage),
            _ => None,
        }
    }
}

fn signature() -> Signature {
    Signature::coercible(vec![text()], Volatility::Immutable)
}

/// What a kind of change stands for, for each row; of a dictionary, for each of its values once.
fn of_each<A: Array + FromIterator<Option<T>> + 'static, T>(
    array: &ArrayRef,
    value: fn(Change) -> T,
) -> Result<ArrayRef> {
    if let Some(dictionary) = array.as_any_dictionary_opt() {
        let values = of_each::<A, T>(dictionary.values(), value)?;
        return Ok(take(&values, dictionary.keys(), None)?);
    }
    let texts = Texts::of(array)?;
    let values: A = (0..array.len())
        .map(|row| texts.get(row).and_then(Change::parse).map(value))
        .collect();
    Ok(ArrayRef::from(Box::new(values) as Box<dyn Array>))
}

const NOTE: &str = "The kinds are those of Delta's column `_change_type`: `insert`, `update_preimage`, `update_postimage`, `delete`.";

//! `map_normalize`: a map with its keys in order, each once.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, MapArray, StructArray, UInt64Array};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field};
use arrow::row::{RowConverter, SortField};
use datafusion_common::{Result, exec_datafusion_err, exec_err, plan_err};
use datafusion_expr::{ReturnFieldArgs, Signature, Volatility};

use crate::kernel::{gives, nullable};
use crate::{Call, Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "map_normalize",
        aliases: Vec::new(),
        version: 1,
        signature: Signature::any(1, Volatility::Immutable),
        strict: true,
        returns,
        kernel: normalize,
        docs: &DOCS,
    }
    .entry()
}

fn returns(args: &ReturnFieldArgs) -> Result<Field> {
    let data_type = args.arg_fields[0].data_type();
    let (key, _) = key_and_value("map_normalize", data_type)?;
    if !RowConverter::supports_fields(&[SortField::new(key.data_type().clone())]) {
        let key = key.data_type();
        return plan_err!("map_normalize cannot order keys of type {key}");
    }
    Ok(gives(data_type.clone(), nullable(args)))
}

/// The fields of key and value of a type of maps.
pub(super) fn key_and_value<'a>(
    name: &str,
    data_type: &'a DataType,
) -> Result<(&'a Field, &'a Field)> {
    if let DataType::Map(entries, _) = data_type
        && let DataType::Struct(fields) = entries.data_type()
        && let [key, value] = fields.as_ref()
    {
        return Ok((key, value));
    }
    plan_err!("{name} takes a map as argument 1, found {data_type}")
}

fn normalize(call: &Call) -> Result<ArrayRef> {
    let map = call.columns[0].array.as_map();
    let converter = RowConverter::new(vec![SortField::new(map.key_type().clone())])?;
    let keys = converter.convert_columns(std::slice::from_ref(map.keys()))?;
    let is_done = map.value_offsets().windows(2).all(|pair| {
        let (start, end) = (pair[0].unsigned_abs(), pair[1].unsigned_abs());
        let mut pairs = (start..end).zip(start + 1..end);
        pairs.all(|(left, right)| keys.row(left as usize) < keys.row(right as usize))
    });
    if is_done {
        return Ok(ArrayRef::clone(&call.columns[0].array));
    }
    let mut kept: Vec<u64> = Vec::with_capacity(map.entries().len());
    let mut offsets: Vec<i32> = vec![0];
    let mut one: Vec<usize> = Vec::new();
    for (row, pair) in map.value_offsets().windows(2).enumerate() {
        one.clear();
        if map.is_valid(row) {
            let (start, end) = (pair[0].unsigned_abs(), pair[1].unsigned_abs());
            one.extend(start as usize..end as usize);
        }
        // Of equal keys the last comes first, and stays.
        one.sort_unstable_by(|left, right| {
            let order = keys.row(*left).cmp(&keys.row(*right));
            order.then(right.cmp(left))
        });
        one.dedup_by(|next, kept| keys.row(*next) == keys.row(*kept));
        kept.extend(one.iter().map(|index| *index as u64));
        let end = i32::try_from(kept.len());
        offsets.push(end.map_err(|_| exec_datafusion_err!("too many entries in one batch"))?);
    }
    let DataType::Map(field, sorted) = map.data_type() else {
        return exec_err!("expected maps, found {}", map.data_type());
    };
    let kept = UInt64Array::from(kept);
    let columns = map.entries().columns().iter();
    let columns = columns.map(|column| Ok(take(column, &kept, None)?));
    let entries = StructArray::try_new(
        map.entries().fields().clone(),
        columns.collect::<Result<_>>()?,
        None,
    )?;
    Ok(Arc::new(MapArray::try_new(
        Arc::clone(field),
        OffsetBuffer::new(ScalarBuffer::from(offsets)),
        entries,
        map.nulls().cloned(),
        *sorted,
    )?))
}

static DOCS: Docs = Docs {
    section: "collection",
    summary: "The map with its entries in the order of their keys, each key once.",
    syntax: "map_normalize(map)",
    arguments: &[("map", "A map whose keys have an order.")],
    returns: "The type of the map; null where the map is null. Where a key is there more than once, its last value stays.",
    notes: &["Maps with equal entries are equal after it, and so are their hashes."],
    examples: &[Example {
        sql: "SELECT map_normalize(MAP {'b': 2, 'a': 1})",
        rows: &["{a: 1, b: 2}"],
    }],
};

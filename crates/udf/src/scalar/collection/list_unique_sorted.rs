//! `list_unique_sorted`: the different items of a list, in order.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, PrimitiveArray, UInt64Array,
    downcast_primitive_array, new_null_array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field};
use arrow::row::{RowConverter, SortField};
use datafusion_common::{Result, plan_err};
use datafusion_expr::{ReturnFieldArgs, Signature, Volatility};

use super::lists::{Lists, build, list_type};
use crate::kernel::{TextBuilder, Texts, gives, nullable};
use crate::{Call, Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "list_unique_sorted",
        aliases: Vec::new(),
        version: 1,
        signature: Signature::any(1, Volatility::Immutable),
        strict: true,
        returns,
        kernel: unique_sorted,
        docs: &DOCS,
    }
    .entry()
}

fn returns(args: &ReturnFieldArgs) -> Result<Field> {
    let data_type = list_type("list_unique_sorted", args)?;
    if let DataType::List(item) | DataType::LargeList(item) = &data_type
        && !RowConverter::supports_fields(&[SortField::new(item.data_type().clone())])
    {
        let item = item.data_type();
        return plan_err!("list_unique_sorted cannot order items of type {item}");
    }
    Ok(gives(data_type, nullable(args)))
}

fn unique_sorted(call: &Call) -> Result<ArrayRef> {
    let array = &call.columns[0].array;
    if array.data_type() == &DataType::Null {
        return Ok(new_null_array(call.return_type, array.len()));
    }
    let lists = Lists::of(array)?;
    let items: &dyn Array = &lists.items;
    let mut ends = Vec::with_capacity(array.len());
    let sorted = downcast_primitive_array!(
        items => primitives(items, &lists, &mut ends),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            texts(items, &lists, &mut ends)?
        }
        _ => others(&lists, &mut ends)?
    );
    build(call.return_type, sorted, &ends, lists.nulls)
}

fn primitives<T: ArrowPrimitiveType>(
    items: &PrimitiveArray<T>,
    lists: &Lists,
    ends: &mut Vec<usize>,
) -> ArrayRef {
    let mut sorted: Vec<T::Native> = Vec::with_capacity(items.len());
    let mut one: Vec<T::Native> = Vec::new();
    for range in lists.ranges() {
        one.clear();
        match items.nulls() {
            None => one.extend_from_slice(&items.values()[range]),
            Some(nulls) => {
                let valid = range.filter(|index| nulls.is_valid(*index));
                one.extend(valid.map(|index| items.value(index)));
            }
        }
        one.sort_unstable_by(|left, right| left.compare(*right));
        one.dedup_by(|left, right| left.is_eq(*right));
        sorted.extend_from_slice(&one);
        ends.push(sorted.len());
    }
    let sorted = PrimitiveArray::<T>::new(sorted.into(), None);
    Arc::new(sorted.with_data_type(items.data_type().clone()))
}

fn texts(items: &dyn Array, lists: &Lists, ends: &mut Vec<usize>) -> Result<ArrayRef> {
    let texts = Texts::of(items)?;
    let bytes = match &texts {
        Texts::Utf8(array) => array.values().len(),
        Texts::Large(array) => array.values().len(),
        Texts::View(_) => 0,
    };
    let mut sorted = TextBuilder::new(items.data_type(), items.len(), bytes)?;
    let (mut one, mut end): (Vec<&str>, usize) = (Vec::new(), 0);
    for range in lists.ranges() {
        one.clear();
        one.extend(range.filter_map(|index| texts.get(index)));
        one.sort_unstable();
        one.dedup();
        for text in &one {
            sorted.push(Some(text))?;
        }
        end += one.len();
        ends.push(end);
    }
    Ok(sorted.finish())
}

fn others(lists: &Lists, ends: &mut Vec<usize>) -> Result<ArrayRef> {
    let items = &lists.items;
    let converter = RowConverter::new(vec![SortField::new(items.data_type().clone())])?;
    let rows = converter.convert_columns(std::slice::from_ref(items))?;
    let nulls = items.logical_nulls();
    let mut kept: Vec<u64> = Vec::with_capacity(items.len());
    let mut one: Vec<usize> = Vec::new();
    for range in lists.ranges() {
        one.clear();
        let valid = |index: &usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*index));
        one.extend(range.filter(valid));
        one.sort_unstable_by(|left, right| rows.row(*left).cmp(&rows.row(*right)));
        one.dedup_by(|left, right| rows.row(*left) == rows.row(*right));
        kept.extend(one.iter().map(|index| *index as u64));
        ends.push(kept.len());
    }
    Ok(take(items, &UInt64Array::from(kept), None)?)
}

static DOCS: Docs = Docs {
    section: "collection",
    summary: "The different items of a list in ascending order.",
    syntax: "list_unique_sorted(list)",
    arguments: &[("list", "A list of any layout, of items that have an order.")],
    returns: "A list without nulls; null where the list is null.",
    notes: &[
        "Text is ordered by its bytes. Floating-point numbers are in the total order of IEEE 754: `-0.0` is before `0.0` and \
         another item, and what is not a number is last.",
    ],
    examples: &[Example {
        sql: "SELECT list_unique_sorted([3, 1, NULL, 3, 2])",
        rows: &["[1, 2, 3]"],
    }],
};

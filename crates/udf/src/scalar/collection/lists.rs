//! Lists of every layout, read as ranges of one array of items.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, GenericListArray, OffsetSizeTrait};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, exec_datafusion_err, exec_err, plan_err};
use datafusion_expr::ReturnFieldArgs;

/// The lists of an array.
pub(super) struct Lists {
    pub(super) items: ArrayRef,
    pub(super) nulls: Option<NullBuffer>,
    ranges: Vec<Range<usize>>,
}

impl Lists {
    /// Reads an array of lists, or of type null.
    pub(super) fn of(array: &dyn Array) -> Result<Self> {
        let (items, ranges) = match array.data_type() {
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                (list.values(), between(list.value_offsets()))
            }
            DataType::LargeList(_) => {
                let list = array.as_list::<i64>();
                (list.values(), between(list.value_offsets()))
            }
            DataType::ListView(_) => {
                let list = array.as_list_view::<i32>();
                (
                    list.values(),
                    from(list.value_offsets(), list.value_sizes()),
                )
            }
            DataType::LargeListView(_) => {
                let list = array.as_list_view::<i64>();
                (
                    list.values(),
                    from(list.value_offsets(), list.value_sizes()),
                )
            }
            DataType::FixedSizeList(_, size) => {
                let list = array.as_fixed_size_list();
                let size = usize::try_from(*size).unwrap_or(0);
                let ranges = (0..list.len()).map(|row| row * size..(row + 1) * size);
                (list.values(), ranges.collect())
            }
            other => return exec_err!("expected lists, found {other}"),
        };
        Ok(Self {
            items: Arc::clone(items),
            nulls: array.nulls().cloned(),
            ranges,
        })
    }

    /// Where the items of each list are; nowhere for a null list.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Range<usize>> {
        self.ranges.iter().enumerate().map(|(row, range)| {
            let null = self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
            if null { 0..0 } else { range.clone() }
        })
    }
}

/// The type of lists that a function gives for lists of a type: offsets as wide as those that it takes.
pub(super) fn list_type(name: &str, args: &ReturnFieldArgs) -> Result<DataType> {
    Ok(match args.arg_fields[0].data_type() {
        DataType::LargeList(item) | DataType::LargeListView(item) => {
            DataType::LargeList(Arc::clone(item))
        }
        DataType::List(item) | DataType::ListView(item) | DataType::FixedSizeList(item, _) => {
            DataType::List(Arc::clone(item))
        }
        DataType::Null => DataType::new_list(DataType::Null, true),
        other => return plan_err!("{name} takes a list, found {other}"),
    })
}

/// The lists that end at `ends` in `items`, of a type that [`list_type`] gave.
pub(super) fn build(
    data_type: &DataType,
    items: ArrayRef,
    ends: &[usize],
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    match data_type {
        DataType::LargeList(item) => lists::<i64>(item, items, ends, nulls),
        DataType::List(item) => lists::<i32>(item, items, ends, nulls),
        other => exec_err!("cannot build lists of type {other}"),
    }
}

fn lists<O: OffsetSizeTrait>(
    item: &FieldRef,
    items: ArrayRef,
    ends: &[usize],
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let offsets = std::iter::once(&0)
        .chain(ends)
        .map(|end| {
            O::from_usize(*end).ok_or_else(|| {
                exec_datafusion_err!(
                    "the lists of one batch have too many items: make batches smaller"
                )
            })
        })
        .collect::<Result<Vec<O>>>()?;
    let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
    Ok(Arc::new(GenericListArray::try_new(
        Arc::clone(item),
        offsets,
        items,
        nulls,
    )?))
}

fn between<O: OffsetSizeTrait>(offsets: &[O]) -> Vec<Range<usize>> {
    let pairs = offsets.windows(2);
    pairs
        .map(|pair| pair[0].as_usize()..pair[1].as_usize())
        .collect()
}

fn from<O: OffsetSizeTrait>(starts: &[O], sizes: &[O]) -> Vec<Range<usize>> {
    let pairs = starts.iter().zip(sizes);
    pairs
        .map(|(start, size)| start.as_usize()..start.as_usize() + size.as_usize())
        .collect()
}

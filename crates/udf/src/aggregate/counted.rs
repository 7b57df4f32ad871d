//! How often each group has seen each value.

use std::borrow::Borrow;
use std::fmt::Debug;
use std::hash::BuildHasher;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{Field, FieldRef, UInt64Type};
use datafusion_common::{Result, exec_err, internal_err};
use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};

use super::domain::{Domain, Validity};
use super::grouped::{Groups, counts_of};

/// A multiset of values for each group, in one hash table.
#[derive(Debug)]
pub(crate) struct Counted<D: Domain> {
    domain: D,
    table: HashTable<Slot<D>>,
    hasher: DefaultHashBuilder,
    heap_bytes: usize,
}

/// A value of a group.
#[derive(Debug)]
pub(crate) struct Slot<D: Domain> {
    pub(crate) group: usize,
    pub(crate) key: D::Key,
    pub(crate) count: u64,
}

impl<D: Domain> Slot<D> {
    /// The value as it is compared.
    pub(crate) fn value(&self) -> &D::Ref {
        self.key.borrow()
    }
}

impl<D: Domain> Counted<D> {
    pub(crate) fn new(domain: D) -> Self {
        Self {
            domain,
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            heap_bytes: 0,
        }
    }

    pub(crate) fn domain(&self) -> &D {
        &self.domain
    }

    /// Counts the value of a row of `column` for `group`.
    pub(crate) fn add(&mut self, group: usize, column: &D::Column, row: usize, count: u64) {
        let Self {
            domain,
            table,
            hasher,
            heap_bytes,
        } = self;
        domain.with(column, row, |key| {
            let entry = table.entry(
                hasher.hash_one((group, key)),
                |slot| slot.group == group && slot.value() == key,
                |slot| hasher.hash_one((slot.group, slot.value())),
            );
            match entry {
                Entry::Occupied(mut entry) => entry.get_mut().count += count,
                Entry::Vacant(entry) => {
                    let key = key.to_owned();
                    *heap_bytes += D::heap_bytes(&key);
                    entry.insert(Slot { group, key, count });
                }
            }
        });
    }

    /// Takes back one count of the value of a row of `column` for group 0.
    pub(crate) fn remove(&mut self, column: &D::Column, row: usize) -> Result<()> {
        let Self {
            domain,
            table,
            hasher,
            heap_bytes,
        } = self;
        domain.with(column, row, |key| {
            let hash = hasher.hash_one((0_usize, key));
            let found = table.find_entry(hash, |slot| slot.group == 0 && slot.value() == key);
            let Ok(mut entry) = found else {
                return internal_err!("a value leaves a window that it never entered");
            };
            entry.get_mut().count -= 1;
            if entry.get().count == 0 {
                let (slot, _) = entry.remove();
                *heap_bytes -= D::heap_bytes(&slot.key);
            }
            Ok(())
        })
    }

    /// Counts the values of rows, leaving out nulls.
    pub(crate) fn add_all(&mut self, values: &ArrayRef, groups: Groups<'_>) -> Result<()> {
        let column = self.domain.column(values)?;
        let valid = Validity::of(values);
        for row in 0..values.len() {
            if valid.is_valid(row) {
                self.add(groups.at(row), &column, row, 1);
            }
        }
        Ok(())
    }

    /// Takes back the values of rows of group 0, leaving out nulls.
    pub(crate) fn remove_all(&mut self, values: &ArrayRef) -> Result<()> {
        let column = self.domain.column(values)?;
        let valid = Validity::of(values);
        for row in 0..values.len() {
            if valid.is_valid(row) {
                self.remove(&column, row)?;
            }
        }
        Ok(())
    }

    /// All values of all groups, in no order.
    pub(crate) fn slots(&self) -> impl Iterator<Item = &Slot<D>> {
        self.table.iter()
    }

    /// The values of the first groups, by group and value.
    pub(crate) fn sorted(&self, groups: usize) -> Vec<&Slot<D>> {
        let mut slots: Vec<_> = self.slots().filter(|slot| slot.group < groups).collect();
        slots.sort_unstable_by(|a, b| {
            let keys = || a.value().cmp(b.value());
            a.group.cmp(&b.group).then_with(keys)
        });
        slots
    }

    /// Forgets the first groups and renumbers the others.
    pub(crate) fn forget(&mut self, groups: usize) {
        let slots = std::mem::take(&mut self.table);
        self.heap_bytes = 0;
        for mut slot in slots {
            if slot.group < groups {
                continue;
            }
            slot.group -= groups;
            self.heap_bytes += D::heap_bytes(&slot.key);
            let hash = self.hasher.hash_one((slot.group, slot.value()));
            let hasher = &self.hasher;
            self.table.insert_unique(hash, slot, |slot| {
                hasher.hash_one((slot.group, slot.value()))
            });
        }
    }

    pub(crate) fn size_bytes(&self) -> usize {
        self.table.allocation_size() + self.heap_bytes
    }

    /// The values of the first groups as a list for each, and the counts beside them.
    pub(crate) fn state(&self, groups: usize) -> Result<Vec<ArrayRef>> {
        let slots = self.sorted(groups);
        let offsets = offsets_of(groups, slots.iter().map(|slot| slot.group))?;
        let values = self
            .domain
            .array(slots.iter().map(|slot| Some(&slot.key)))?;
        let counts = counts_of(slots.iter().map(|slot| slot.count));
        Ok(vec![
            list_of(values, offsets.clone(), None)?,
            list_of(counts, offsets, None)?,
        ])
    }

    /// Takes in what [`state`](Self::state) gave out.
    pub(crate) fn merge(&mut self, states: &[ArrayRef], groups: Groups<'_>) -> Result<()> {
        let [values, counts] = states else {
            return internal_err!("a state of values and counts has two columns");
        };
        let (values, counts) = (values.as_list::<i32>(), counts.as_list::<i32>());
        let column = self.domain.column(values.values())?;
        let each = counts.values().as_primitive::<UInt64Type>();
        for row in 0..values.len() {
            let group = groups.at(row);
            let (of_values, of_counts) = (range(values, row), range(counts, row));
            for (item, count) in of_values.zip(of_counts) {
                self.add(group, &column, item, each.value(count));
            }
        }
        Ok(())
    }
}

/// Where the items of a row stand among the values of a list.
pub(crate) fn range(list: &ListArray, row: usize) -> std::ops::Range<usize> {
    if list.is_null(row) {
        return 0..0;
    }
    let offsets = list.value_offsets();
    let at = |index: usize| usize::try_from(offsets[index]).unwrap_or_default();
    at(row)..at(row + 1)
}

/// The field of the items of a list that this module makes.
pub(crate) fn item(values: &dyn Array) -> FieldRef {
    Arc::new(Field::new_list_field(values.data_type().clone(), true))
}

/// A list for each group of what `owners` says, in order, which group it belongs to.
///
/// # Errors
///
/// When there are more items than a list with 32-bit offsets can hold.
pub(crate) fn offsets_of(
    groups: usize,
    owners: impl Iterator<Item = usize>,
) -> Result<OffsetBuffer<i32>> {
    let mut lengths = vec![0_usize; groups];
    let mut total = 0_usize;
    for group in owners {
        lengths[group] += 1;
        total += 1;
    }
    if i32::try_from(total).is_err() {
        return exec_err!("an aggregate holds {total} values, more than a list can: 2147483647");
    }
    Ok(OffsetBuffer::from_lengths(lengths))
}

/// A list array of any values.
pub(crate) fn list_of(
    values: ArrayRef,
    offsets: OffsetBuffer<i32>,
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let field = item(&values);
    Ok(Arc::new(ListArray::try_new(field, offsets, values, nulls)?))
}

//! The union of the items of lists, for lists and maps alike.

use arrow::array::{Array, ArrayRef, AsArray, ListArray};
use arrow::buffer::NullBuffer;
use datafusion_common::{Result, internal_err};

use super::counted::{Counted, list_of, offsets_of, range};
use super::domain::{Domain, Validity};
use super::grouped::Groups;

/// The different items of each group, and whether the group has seen a list at all.
#[derive(Debug)]
pub(crate) struct Union<D: Domain> {
    counted: Counted<D>,
    lists: Vec<u64>,
}

impl<D: Domain> Union<D> {
    pub(crate) fn new(domain: D) -> Self {
        Self {
            counted: Counted::new(domain),
            lists: Vec::new(),
        }
    }

    /// Takes in the items of lists that are not null; null items are left out.
    pub(crate) fn add(&mut self, lists: &ListArray, groups: Groups<'_>) -> Result<()> {
        if self.lists.len() < groups.total() {
            self.lists.resize(groups.total(), 0);
        }
        let column = self.counted.domain().column(lists.values())?;
        let valid = Validity::of(lists.values());
        for row in (0..lists.len()).filter(|row| lists.is_valid(*row)) {
            let group = groups.at(row);
            self.lists[group] += 1;
            for item in range(lists, row).filter(|item| valid.is_valid(*item)) {
                self.counted.add(group, &column, item, 1);
            }
        }
        Ok(())
    }

    /// Takes the items of lists of group 0 out again.
    pub(crate) fn remove(&mut self, lists: &ListArray) -> Result<()> {
        let column = self.counted.domain().column(lists.values())?;
        let valid = Validity::of(lists.values());
        for row in (0..lists.len()).filter(|row| lists.is_valid(*row)) {
            match self.lists.first_mut() {
                Some(lists) if *lists > 0 => *lists -= 1,
                _ => return internal_err!("a list leaves a window that it never entered"),
            }
            for item in range(lists, row).filter(|item| valid.is_valid(*item)) {
                self.counted.remove(&column, item)?;
            }
        }
        Ok(())
    }

    /// The items of the first groups, sorted; null for a group without a list.
    pub(crate) fn lists(&self, groups: usize) -> Result<ListArray> {
        let slots = self.counted.sorted(groups);
        let offsets = offsets_of(groups, slots.iter().map(|slot| slot.group))?;
        let items = slots.iter().map(|slot| Some(&slot.key));
        let items = self.counted.domain().array(items)?;
        let seen = |group: usize| self.lists.get(group).is_some_and(|lists| *lists > 0);
        let nulls: NullBuffer = (0..groups).map(seen).collect();
        Ok(list_of(items, offsets, Some(nulls))?.as_list().clone())
    }

    pub(crate) fn forget(&mut self, groups: usize) {
        self.counted.forget(groups);
        self.lists.drain(..groups.min(self.lists.len()));
    }

    pub(crate) fn size_bytes(&self) -> usize {
        self.counted.size_bytes() + self.lists.capacity() * size_of::<u64>()
    }
}

/// The only column of a state.
pub(crate) fn only(states: &[ArrayRef]) -> Result<&ListArray> {
    match states {
        [lists] => Ok(lists.as_list()),
        _ => internal_err!("a state of lists has one column"),
    }
}

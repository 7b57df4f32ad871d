//! One state for all groups, and the two faces that the engine knows it by.

use std::fmt::Debug;

use arrow::array::{Array, ArrayRef, BooleanArray, UInt64Array};
use arrow::compute::{filter, prep_null_mask_filter};
use datafusion_common::{Result, ScalarValue, internal_err};
use datafusion_expr::{Accumulator, EmitTo, GroupsAccumulator};

/// What an aggregate function keeps, for any number of groups.
pub(crate) trait Grouped: Debug + Send + Sync + 'static {
    /// Takes rows in.
    fn update(&mut self, values: &[ArrayRef], groups: Groups<'_>) -> Result<()>;

    /// Takes states in that [`state`](Self::state) gave out.
    fn merge(&mut self, states: &[ArrayRef], groups: Groups<'_>) -> Result<()>;

    /// Takes rows of the only group out again.
    fn retract(&mut self, _values: &[ArrayRef]) -> Result<()> {
        internal_err!("this aggregate keeps too little to take rows out")
    }

    /// The same function with an empty state.
    fn fresh(&self) -> Result<Box<dyn Grouped>>;

    /// The results of the first groups.
    fn result(&self, groups: usize) -> Result<ArrayRef>;

    /// The states of the first groups.
    fn state(&self, groups: usize) -> Result<Vec<ArrayRef>>;

    /// Forgets the first groups; the next one becomes the first.
    fn forget(&mut self, groups: usize);

    /// The memory that it takes.
    fn size_bytes(&self) -> usize;
}

/// The group that each row belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Groups<'a> {
    /// All rows belong to group 0.
    One,
    /// The group of each row, below `total`.
    Each { groups: &'a [usize], total: usize },
}

impl Groups<'_> {
    /// The group of a row.
    pub(crate) fn at(&self, row: usize) -> usize {
        match self {
            Self::One => 0,
            Self::Each { groups, .. } => groups[row],
        }
    }

    /// The number of groups so far.
    pub(crate) fn total(&self) -> usize {
        match self {
            Self::One => 1,
            Self::Each { total, .. } => *total,
        }
    }
}

/// The state of one group, as the engine calls it outside of `GROUP BY` and in windows.
#[derive(Debug)]
pub(crate) struct Single {
    inner: Box<dyn Grouped>,
    retracts: bool,
}

impl Single {
    /// For plain aggregates.
    pub(crate) fn plain(inner: Box<dyn Grouped>) -> Box<dyn Accumulator> {
        let retracts = false;
        Box::new(Self { inner, retracts })
    }

    /// For windows whose start moves.
    pub(crate) fn sliding(inner: Box<dyn Grouped>) -> Box<dyn Accumulator> {
        let retracts = true;
        Box::new(Self { inner, retracts })
    }
}

impl Accumulator for Single {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.update(values, Groups::One)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.inner.result(1)?, 0)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size_bytes()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let states = self.inner.state(1)?;
        states
            .iter()
            .map(|state| ScalarValue::try_from_array(state, 0))
            .collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.inner.merge(states, Groups::One)
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.inner.retract(values)
    }

    fn supports_retract_batch(&self) -> bool {
        self.retracts
    }
}

/// The state of many groups.
#[derive(Debug)]
pub(crate) struct Many {
    inner: Box<dyn Grouped>,
    total: usize,
}

impl Many {
    pub(crate) fn of(inner: Box<dyn Grouped>) -> Box<dyn GroupsAccumulator> {
        let total = 0;
        Box::new(Self { inner, total })
    }

    fn emitted(&self, emit_to: EmitTo) -> usize {
        match emit_to {
            EmitTo::All => self.total,
            EmitTo::First(groups) => groups.min(self.total),
        }
    }

    fn forget(&mut self, groups: usize) {
        self.inner.forget(groups);
        self.total -= groups;
    }
}

impl GroupsAccumulator for Many {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.total = total_num_groups;
        let (groups, total) = (group_indices, total_num_groups);
        update_filtered(&mut *self.inner, values, groups, total, opt_filter)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups = self.emitted(emit_to);
        let result = self.inner.result(groups)?;
        self.forget(groups);
        Ok(result)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let groups = self.emitted(emit_to);
        let state = self.inner.state(groups)?;
        self.forget(groups);
        Ok(state)
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.total = total_num_groups;
        let (groups, total) = (group_indices, total_num_groups);
        self.inner.merge(values, Groups::Each { groups, total })
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |array| array.len());
        let groups: Vec<usize> = (0..rows).collect();
        let mut each = self.inner.fresh()?;
        update_filtered(&mut *each, values, &groups, rows, opt_filter)?;
        each.state(rows)
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.inner.size_bytes()
    }
}

/// Takes in the rows that a filter keeps; a null keeps none.
fn update_filtered(
    inner: &mut dyn Grouped,
    values: &[ArrayRef],
    groups: &[usize],
    total: usize,
    opt_filter: Option<&BooleanArray>,
) -> Result<()> {
    let Some(mask) = opt_filter else {
        return inner.update(values, Groups::Each { groups, total });
    };
    let mask = if mask.null_count() > 0 {
        prep_null_mask_filter(mask)
    } else {
        mask.clone()
    };
    let values = values
        .iter()
        .map(|array| Ok(filter(array, &mask)?))
        .collect::<Result<Vec<_>>>()?;
    let kept = mask.values().set_indices();
    let groups: Vec<usize> = kept.map(|row| groups[row]).collect();
    let groups = &groups;
    inner.update(&values, Groups::Each { groups, total })
}

/// Counts as a state holds them.
pub(crate) fn counts_of(counts: impl Iterator<Item = u64>) -> ArrayRef {
    std::sync::Arc::new(counts.collect::<UInt64Array>())
}

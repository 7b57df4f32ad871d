//! `mode`: the value that comes most often.

use std::cmp::Reverse;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::Result;
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};

use super::counted::{Counted, Slot};
use super::domain::{Domain, Encoded, Shape, Text, Word};
use super::grouped::{Grouped, Groups, Many, Single};
use super::types::{comparable, list_type, state_field};
use crate::platform::Example;
use crate::{Docs, Entry};

/// The line of the manifest.
pub(crate) fn entry() -> Entry {
    Entry::aggregate(Mode::new(), 1, DOCS)
}

const DOCS: Docs = Docs {
    section: "aggregate",
    summary: "The value that comes most often.",
    syntax: "mode(value)",
    arguments: &[("value", "a value of any type that can be sorted.")],
    returns: "A value of the type of the argument, without a dictionary. Null if there is no value \
              that is not null.",
    notes: &[
        "Nulls are not counted. Of values that come equally often the least one is taken, so the \
         result depends neither on the order of rows nor on partitions. An `ORDER BY` has no effect. \
         With `DISTINCT` each value counts once, which leaves the least value.",
        "Floating-point zeros are one value, written 0.0, and NaNs are one value, above all others.",
        "In a window whose start moves, rows are taken out one by one; the result costs time in the \
         number of different values in the frame.",
    ],
    examples: &[
        Example {
            sql: "select mode(v) from (values (2), (1), (2), (1), (3), (null)) as t(v)",
            rows: &["1"],
        },
        Example {
            sql: "select g, mode(v) as m from (values ('a', 'x'), ('a', 'x'), ('b', null), ('a', 'w')) \
                  as t(g, v) group by g order by g",
            rows: &["a | x", "b | NULL"],
        },
    ],
};

#[derive(Debug, PartialEq, Eq, Hash)]
struct Mode {
    signature: Signature,
}

impl Mode {
    fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for Mode {
    fn name(&self) -> &'static str {
        "mode"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [value] = super::types::exactly(self.name(), arg_types)?;
        Ok(vec![comparable(self.name(), value)?])
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        let [value] = super::types::exactly(self.name(), arg_types)?;
        comparable(self.name(), value)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![
            state_field(args.name, "values", list_type(args.return_type().clone())),
            state_field(args.name, "counts", list_type(DataType::UInt64)),
        ])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Single::plain(state(args.return_type(), args.is_distinct)?))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Single::sliding(state(
            args.return_type(),
            args.is_distinct,
        )?))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Many::of(state(args.return_type(), args.is_distinct)?))
    }

    fn documentation(&self) -> Option<&Documentation> {
        crate::documentation!(DOCS)
    }
}

fn state(data_type: &DataType, distinct: bool) -> Result<Box<dyn Grouped>> {
    Ok(match Shape::of(data_type) {
        Shape::Word => Box::new(Modes::new(data_type, distinct, |of| Ok(Word::new(of)))?),
        Shape::Text => Box::new(Modes::new(data_type, distinct, |of| Ok(Text::new(of)))?),
        Shape::Encoded => Box::new(Modes::new(data_type, distinct, Encoded::new)?),
    })
}

#[derive(Debug)]
struct Modes<D: Domain> {
    data_type: DataType,
    distinct: bool,
    counted: Counted<D>,
}

impl<D: Domain> Modes<D> {
    fn new(
        data_type: &DataType,
        distinct: bool,
        domain: fn(&DataType) -> Result<D>,
    ) -> Result<Self> {
        Ok(Self {
            data_type: data_type.clone(),
            distinct,
            counted: Counted::new(domain(data_type)?),
        })
    }
}

impl<D: Domain> Grouped for Modes<D> {
    fn update(&mut self, values: &[ArrayRef], groups: Groups<'_>) -> Result<()> {
        self.counted.add_all(&values[0], groups)
    }

    fn merge(&mut self, states: &[ArrayRef], groups: Groups<'_>) -> Result<()> {
        self.counted.merge(states, groups)
    }

    fn retract(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.counted.remove_all(&values[0])
    }

    fn fresh(&self) -> Result<Box<dyn Grouped>> {
        state(&self.data_type, self.distinct)
    }

    fn result(&self, groups: usize) -> Result<ArrayRef> {
        let rank = |slot: &Slot<D>| if self.distinct { 1 } else { slot.count };
        let mut best: Vec<Option<&Slot<D>>> = vec![None; groups];
        for slot in self.counted.slots().filter(|slot| slot.group < groups) {
            let held = &mut best[slot.group];
            let wins = held.is_none_or(|held| {
                let order = rank(slot).cmp(&rank(held));
                order
                    .then_with(|| Reverse(slot.value()).cmp(&Reverse(held.value())))
                    .is_gt()
            });
            if wins {
                *held = Some(slot);
            }
        }
        let domain = self.counted.domain();
        domain.array(best.iter().map(|slot| slot.map(|slot| &slot.key)))
    }

    fn state(&self, groups: usize) -> Result<Vec<ArrayRef>> {
        self.counted.state(groups)
    }

    fn forget(&mut self, groups: usize) {
        self.counted.forget(groups);
    }

    fn size_bytes(&self) -> usize {
        self.counted.size_bytes()
    }
}

//! `median_absolute_deviation`: how far numbers typically lie from their median.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, FieldRef, Float64Type};
use datafusion_common::{Result, internal_err, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};

use super::counted::{list_of, offsets_of, range};
use super::domain::{Validity, word_of_float};
use super::grouped::{Grouped, Groups, Many, Single};
use super::types::{exactly, list_type, state_field, unpacked};
use crate::platform::Example;
use crate::{Docs, Entry};

/// The line of the manifest.
pub(crate) fn entry() -> Entry {
    Entry::aggregate(MedianAbsoluteDeviation::new(), 1, DOCS)
}

const DOCS: Docs = Docs {
    section: "aggregate",
    summary: "The median of the distances between numbers and their median.",
    syntax: "median_absolute_deviation(number)",
    arguments: &[("number", "a number of any type; it is read as Float64.")],
    returns: "A Float64. Null if there is no number that is not null. NaN if one of the numbers is NaN, \
              or if the median is infinite.",
    notes: &[
        "Nulls are left out. The median of an even count is the mean of the two numbers in the middle, \
         computed without overflow. Nothing is scaled: multiply by 1.4826 to estimate a standard \
         deviation. The result depends neither on the order of rows nor on partitions, to the last bit; \
         `ORDER BY` has no effect. With `DISTINCT` each number counts once.",
        "All numbers of a group are held in memory. Integers beyond 2^53 and decimals lose digits.",
    ],
    examples: &[Example {
        sql: "select median_absolute_deviation(v) from (values (1), (1), (2), (2), (4), (6), (9)) as t(v)",
        rows: &["1.0"],
    }],
};

#[derive(Debug, PartialEq, Eq, Hash)]
struct MedianAbsoluteDeviation {
    signature: Signature,
}

impl MedianAbsoluteDeviation {
    fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for MedianAbsoluteDeviation {
    fn name(&self) -> &'static str {
        "median_absolute_deviation"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [number] = exactly(self.name(), arg_types)?;
        let plain = unpacked(number);
        if plain.is_numeric() || plain.is_null() {
            Ok(vec![DataType::Float64])
        } else {
            plan_err!("`{}` takes numbers, not {number}", self.name())
        }
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Float64)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let numbers = list_type(DataType::Float64);
        Ok(vec![state_field(args.name, "numbers", numbers)])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Single::plain(Box::new(Numbers::new(args.is_distinct))))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Single::sliding(Box::new(Numbers::new(args.is_distinct))))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Many::of(Box::new(Numbers::new(args.is_distinct))))
    }

    fn documentation(&self) -> Option<&Documentation> {
        crate::documentation!(DOCS)
    }
}

/// The numbers of each group.
#[derive(Debug)]
struct Numbers {
    distinct: bool,
    groups: Vec<Vec<f64>>,
    held: usize,
}

impl Numbers {
    fn new(distinct: bool) -> Self {
        Self {
            distinct,
            groups: Vec::new(),
            held: 0,
        }
    }

    fn of(&self, group: usize) -> &[f64] {
        self.groups.get(group).map_or(&[], Vec::as_slice)
    }

    fn resize(&mut self, groups: Groups<'_>) {
        if self.groups.len() < groups.total() {
            self.groups.resize_with(groups.total(), Vec::new);
        }
    }

    fn deviation(&self, group: usize) -> Option<f64> {
        let mut numbers = self.of(group).to_vec();
        if numbers.is_empty() {
            return None;
        }
        if numbers.iter().any(|number| number.is_nan()) {
            return Some(f64::NAN);
        }
        if self.distinct {
            numbers.sort_unstable_by(f64::total_cmp);
            #[expect(clippy::float_cmp, reason = "equal numbers are the same number")]
            numbers.dedup_by(|a, b| a == b);
        }
        let median = median(&mut numbers);
        if median.is_infinite() {
            return Some(f64::NAN);
        }
        for number in &mut numbers {
            *number = (*number - median).abs();
        }
        Some(self::median(&mut numbers))
    }
}

/// The median of at least one number, none of which is NaN. Reorders them.
fn median(numbers: &mut [f64]) -> f64 {
    let middle = numbers.len() / 2;
    let even = numbers.len().is_multiple_of(2);
    let (below, upper, _) = numbers.select_nth_unstable_by(middle, f64::total_cmp);
    if !even {
        return *upper;
    }
    let lower = below.iter().copied().max_by(f64::total_cmp);
    lower.map_or(*upper, |lower| mean(lower, *upper))
}

/// The mean of two ordered numbers, also where their sum is too large.
fn mean(lower: f64, upper: f64) -> f64 {
    let sum = lower + upper;
    if sum.is_finite() {
        sum / 2.0
    } else {
        lower / 2.0 + upper / 2.0
    }
}

impl Grouped for Numbers {
    fn update(&mut self, values: &[ArrayRef], groups: Groups<'_>) -> Result<()> {
        self.resize(groups);
        let numbers = values[0].as_primitive::<Float64Type>();
        self.held += numbers.len() - numbers.null_count();
        if let (Groups::One, 0) = (groups, numbers.null_count()) {
            self.groups[0].extend_from_slice(numbers.values());
            return Ok(());
        }
        let valid = Validity::of(numbers);
        for (row, number) in numbers.values().iter().enumerate() {
            if valid.is_valid(row) {
                self.groups[groups.at(row)].push(*number);
            }
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: Groups<'_>) -> Result<()> {
        self.resize(groups);
        let [lists] = states else {
            return internal_err!("a state of numbers has one column");
        };
        let lists = lists.as_list::<i32>();
        let numbers = lists.values().as_primitive::<Float64Type>().values();
        self.held += numbers.len();
        for row in 0..lists.len() {
            self.groups[groups.at(row)].extend_from_slice(&numbers[range(lists, row)]);
        }
        Ok(())
    }

    fn retract(&mut self, values: &[ArrayRef]) -> Result<()> {
        let leaving = values[0].as_primitive::<Float64Type>();
        let mut counts: HashMap<u64, usize, hashbrown::DefaultHashBuilder> = HashMap::default();
        for number in leaving.iter().flatten() {
            *counts.entry(word_of_float(number)).or_default() += 1;
        }
        let Some(numbers) = self.groups.first_mut() else {
            return internal_err!("a number leaves a window that it never entered");
        };
        self.held = self
            .held
            .saturating_sub(leaving.len() - leaving.null_count());
        numbers.retain(|number| match counts.get_mut(&word_of_float(*number)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        });
        Ok(())
    }

    fn fresh(&self) -> Result<Box<dyn Grouped>> {
        Ok(Box::new(Self::new(self.distinct)))
    }

    fn result(&self, groups: usize) -> Result<ArrayRef> {
        let deviations: Float64Array = (0..groups).map(|group| self.deviation(group)).collect();
        Ok(Arc::new(deviations))
    }

    fn state(&self, groups: usize) -> Result<Vec<ArrayRef>> {
        let owners = (0..groups).flat_map(|group| self.of(group).iter().map(move |_| group));
        let offsets = offsets_of(groups, owners)?;
        let numbers = (0..groups).flat_map(|group| self.of(group)).copied();
        let numbers = Float64Array::from_iter_values(numbers);
        Ok(vec![list_of(Arc::new(numbers), offsets, None)?])
    }

    fn forget(&mut self, groups: usize) {
        let gone = self.groups.drain(..groups.min(self.groups.len()));
        let gone: usize = gone.map(|numbers| numbers.len()).sum();
        self.held = self.held.saturating_sub(gone);
    }

    fn size_bytes(&self) -> usize {
        // A vector has up to twice the capacity that it needs.
        2 * self.held * size_of::<f64>() + self.groups.capacity() * size_of::<Vec<f64>>()
    }
}

//! `span_intersect_agg`: what all spans have in common.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion_common::{Result, internal_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};

use super::grouped::{Grouped, Groups, Many, Single};
use super::span_union_agg::coerced;
use super::types::state_field;
use crate::platform::Example;
use crate::span::{Spans, collect_spans, span_type};
use crate::{Docs, Entry};

/// The line of the manifest.
pub(crate) fn entry() -> Entry {
    Entry::aggregate(SpanIntersectAgg::new(), 1, DOCS)
}

const DOCS: Docs = Docs {
    section: "aggregate",
    summary: "What all spans have in common.",
    syntax: "span_intersect_agg(span)",
    arguments: &[("span", "a span, its end not included.")],
    returns: "A span. Null if the spans have no position in common, or if there is no span that is not \
              null.",
    notes: &[
        "A span that ends before it starts, or starts before 0, counts as null and is left out; an empty span has no \
         position in common with anything, itself included. All spans must be in one unit and of one \
         text. The result depends neither on the order of rows nor on partitions; `ORDER BY` and \
         `DISTINCT` have no effect.",
    ],
    examples: &[Example {
        sql: "select span_intersect_agg(span_make(s, e)) from (values (0, 9), (4, 12), (2, 7)) as t(s, e)",
        rows: &["{start: 4, end: 7}"],
    }],
};

#[derive(Debug, PartialEq, Eq, Hash)]
struct SpanIntersectAgg {
    signature: Signature,
}

impl SpanIntersectAgg {
    fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for SpanIntersectAgg {
    fn name(&self) -> &'static str {
        "span_intersect_agg"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        coerced(self.name(), arg_types)
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(span_type())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![
            state_field(args.name, "last_start", DataType::Int64),
            state_field(args.name, "first_end", DataType::Int64),
        ])
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Single::plain(Box::new(Common::default())))
    }

    fn create_sliding_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Single::sliding(Box::new(Bounds::default())))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        _args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Many::of(Box::new(Common::default())))
    }

    fn documentation(&self) -> Option<&Documentation> {
        crate::documentation!(DOCS)
    }
}

/// The greatest start and the least end of each group; the start may lie behind the end.
#[derive(Debug, Default)]
struct Common {
    groups: Vec<Option<(i64, i64)>>,
}

impl Common {
    fn resize(&mut self, groups: Groups<'_>) {
        if self.groups.len() < groups.total() {
            self.groups.resize(groups.total(), None);
        }
    }

    fn take_in(&mut self, group: usize, (start, end): (i64, i64)) {
        let common = self.groups[group].get_or_insert((start, end));
        *common = (common.0.max(start), common.1.min(end));
    }

    fn of(&self, group: usize) -> Option<(i64, i64)> {
        self.groups.get(group).copied().flatten()
    }
}

/// Spans, null where start and end are not in order.
fn spans(bounds: &[Option<(i64, i64)>]) -> Result<ArrayRef> {
    let common = bounds.iter();
    collect_spans(common.map(|bounds| bounds.filter(|(start, end)| start < end)))
}

impl Grouped for Common {
    fn update(&mut self, values: &[ArrayRef], groups: Groups<'_>) -> Result<()> {
        self.resize(groups);
        let spans = Spans::of(&values[0])?;
        for row in 0..spans.len() {
            if let Some(span) = spans.get(row) {
                self.take_in(groups.at(row), span);
            }
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: Groups<'_>) -> Result<()> {
        self.resize(groups);
        let [start, end] = states else {
            return internal_err!("a state of bounds has two columns");
        };
        let (start, end) = (
            start.as_primitive::<Int64Type>(),
            end.as_primitive::<Int64Type>(),
        );
        for row in (0..start.len()).filter(|row| start.is_valid(*row) && end.is_valid(*row)) {
            self.take_in(groups.at(row), (start.value(row), end.value(row)));
        }
        Ok(())
    }

    fn fresh(&self) -> Result<Box<dyn Grouped>> {
        Ok(Box::new(Self::default()))
    }

    fn result(&self, groups: usize) -> Result<ArrayRef> {
        let bounds: Vec<_> = (0..groups).map(|group| self.of(group)).collect();
        spans(&bounds)
    }

    fn state(&self, groups: usize) -> Result<Vec<ArrayRef>> {
        let bounds = || (0..groups).map(|group| self.of(group));
        let start: Int64Array = bounds()
            .map(|bounds| bounds.map(|(start, _)| start))
            .collect();
        let end: Int64Array = bounds().map(|bounds| bounds.map(|(_, end)| end)).collect();
        Ok(vec![Arc::new(start), Arc::new(end)])
    }

    fn forget(&mut self, groups: usize) {
        self.groups.drain(..groups.min(self.groups.len()));
    }

    fn size_bytes(&self) -> usize {
        self.groups.capacity() * size_of::<Option<(i64, i64)>>()
    }
}

/// All starts and all ends, for windows whose start moves.
#[derive(Debug, Default)]
struct Bounds {
    starts: BTreeMap<i64, usize>,
    ends: BTreeMap<i64, usize>,
}

fn leave(bounds: &mut BTreeMap<i64, usize>, bound: i64) -> Result<()> {
    let Some(count) = bounds.get_mut(&bound) else {
        return internal_err!("a span leaves a window that it never entered");
    };
    *count -= 1;
    if *count == 0 {
        bounds.remove(&bound);
    }
    Ok(())
}

impl Grouped for Bounds {
    fn update(&mut self, values: &[ArrayRef], _groups: Groups<'_>) -> Result<()> {
        let spans = Spans::of(&values[0])?;
        for (start, end) in (0..spans.len()).filter_map(|row| spans.get(row)) {
            *self.starts.entry(start).or_default() += 1;
            *self.ends.entry(end).or_default() += 1;
        }
        Ok(())
    }

    fn merge(&mut self, _states: &[ArrayRef], _groups: Groups<'_>) -> Result<()> {
        internal_err!("a window merges no states")
    }

    fn retract(&mut self, values: &[ArrayRef]) -> Result<()> {
        let spans = Spans::of(&values[0])?;
        for (start, end) in (0..spans.len()).filter_map(|row| spans.get(row)) {
            leave(&mut self.starts, start)?;
            leave(&mut self.ends, end)?;
        }
        Ok(())
    }

    fn fresh(&self) -> Result<Box<dyn Grouped>> {
        Ok(Box::new(Self::default()))
    }

    fn result(&self, groups: usize) -> Result<ArrayRef> {
        let last_start = self.starts.last_key_value().map(|(start, _)| *start);
        let first_end = self.ends.first_key_value().map(|(end, _)| *end);
        spans(&vec![last_start.zip(first_end); groups])
    }

    fn state(&self, _groups: usize) -> Result<Vec<ArrayRef>> {
        internal_err!("a window gives out no state")
    }

    fn forget(&mut self, _groups: usize) {
        *self = Self::default();
    }

    fn size_bytes(&self) -> usize {
        (self.starts.len() + self.ends.len()) * 2 * size_of::<(i64, usize)>()
    }
}

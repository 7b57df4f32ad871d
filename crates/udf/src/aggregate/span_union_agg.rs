//! `span_union_agg`: what spans cover together.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, internal_err, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};

use super::counted::{list_of, offsets_of, range};
use super::grouped::{Grouped, Groups, Many, Single};
use super::types::{exactly, list_type, state_field};
use crate::platform::Example;
use crate::span::{Spans, collect_spans, is_span, span_type};
use crate::{Docs, Entry};

/// The line of the manifest.
pub(crate) fn entry() -> Entry {
    Entry::aggregate(SpanUnionAgg::new(), 1, DOCS)
}

const DOCS: Docs = Docs {
    section: "aggregate",
    summary: "What spans cover together, as the fewest spans.",
    syntax: "span_union_agg(span)",
    arguments: &[("span", "a span, its end not included.")],
    returns: "A List of spans that neither overlap nor touch, by position. Empty if all spans are empty, \
              null if there is no span that is not null.",
    notes: &[
        "A span that ends before it starts, or starts before 0, counts as null. Spans that touch become one. All spans \
         must be in one unit and of one text. The result depends neither on the order of rows nor on \
         partitions; `ORDER BY` and `DISTINCT` have no effect.",
    ],
    examples: &[Example {
        sql: "select span_union_agg(span_make(s, e)) from (values (5, 9), (0, 2), (2, 4), (3, 4)) as t(s, e)",
        rows: &["[{start: 0, end: 4}, {start: 5, end: 9}]"],
    }],
};

#[derive(Debug, PartialEq, Eq, Hash)]
struct SpanUnionAgg {
    signature: Signature,
}

impl SpanUnionAgg {
    fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for SpanUnionAgg {
    fn name(&self) -> &'static str {
        "span_union_agg"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        coerced(self.name(), arg_types)
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(list_type(span_type()))
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let spans = list_type(span_type());
        Ok(vec![state_field(args.name, "spans", spans)])
    }

    fn accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Single::plain(Box::new(Covers::new(true))))
    }

    fn create_sliding_accumulator(&self, _args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Single::sliding(Box::new(Covers::new(false))))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        _args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Many::of(Box::new(Covers::new(true))))
    }

    fn documentation(&self) -> Option<&Documentation> {
        crate::documentation!(DOCS)
    }
}

/// The type that the only argument of a function over spans is read as.
pub(super) fn coerced(function: &str, arg_types: &[DataType]) -> Result<Vec<DataType>> {
    let [span] = exactly(function, arg_types)?;
    if is_span(span) {
        Ok(vec![span_type()])
    } else {
        plan_err!("`{function}` takes spans (make them with span_make), not {span}")
    }
}

type Span = (i64, i64);

/// The spans of each group, put together now and then.
#[derive(Debug)]
struct Covers {
    /// Whether spans may be put together: a window must keep them apart to take them out again.
    joins: bool,
    groups: Vec<Cover>,
    held_spans: usize,
}

#[derive(Debug, Default)]
struct Cover {
    seen: u64,
    spans: Vec<Span>,
    /// How many spans were left when they were last put together.
    joined: usize,
}

/// Below this many spans it does not pay to put them together.
const FEW_SPANS: usize = 64;

impl Covers {
    fn new(joins: bool) -> Self {
        Self {
            joins,
            groups: Vec::new(),
            held_spans: 0,
        }
    }

    fn resize(&mut self, groups: Groups<'_>) {
        if self.groups.len() < groups.total() {
            self.groups.resize_with(groups.total(), Cover::default);
        }
    }

    fn push(&mut self, group: usize, span: Span) {
        let cover = &mut self.groups[group];
        if span.0 == span.1 {
            return;
        }
        cover.spans.push(span);
        self.held_spans += 1;
        if self.joins && cover.spans.len() > FEW_SPANS.max(2 * cover.joined) {
            let before = cover.spans.len();
            join(&mut cover.spans);
            cover.joined = cover.spans.len();
            self.held_spans -= before - cover.joined;
        }
    }
}

/// Sorts spans and puts together those that overlap or touch.
fn join(spans: &mut Vec<Span>) {
    spans.sort_unstable();
    spans.dedup_by(|next, held| {
        let meets = next.0 <= held.1;
        if meets {
            held.1 = held.1.max(next.1);
        }
        meets
    });
}

impl Grouped for Covers {
    fn update(&mut self, values: &[ArrayRef], groups: Groups<'_>) -> Result<()> {
        self.resize(groups);
        let spans = Spans::of(&values[0])?;
        for row in 0..spans.len() {
            if let Some(span) = spans.get(row) {
                let group = groups.at(row);
                self.groups[group].seen += 1;
                self.push(group, span);
            }
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: Groups<'_>) -> Result<()> {
        self.resize(groups);
        let [lists] = states else {
            return internal_err!("a state of spans has one column");
        };
        let lists = lists.as_list::<i32>();
        let spans = Spans::of(lists.values())?;
        for row in (0..lists.len()).filter(|row| lists.is_valid(*row)) {
            let group = groups.at(row);
            self.groups[group].seen += 1;
            for span in range(lists, row).filter_map(|item| spans.get(item)) {
                self.push(group, span);
            }
        }
        Ok(())
    }

    fn retract(&mut self, values: &[ArrayRef]) -> Result<()> {
        let spans = Spans::of(&values[0])?;
        let mut counts: HashMap<Span, usize, hashbrown::DefaultHashBuilder> = HashMap::default();
        let Some(cover) = self.groups.first_mut() else {
            return internal_err!("a span leaves a window that it never entered");
        };
        for span in (0..spans.len()).filter_map(|row| spans.get(row)) {
            *counts.entry(span).or_default() += 1;
            cover.seen -= 1;
        }
        let before = cover.spans.len();
        cover.spans.retain(|span| match counts.get_mut(span) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        });
        self.held_spans -= before - cover.spans.len();
        Ok(())
    }

    fn fresh(&self) -> Result<Box<dyn Grouped>> {
        Ok(Box::new(Self::new(self.joins)))
    }

    fn result(&self, groups: usize) -> Result<ArrayRef> {
        let mut owners = Vec::new();
        let mut joined = Vec::new();
        let mut seen = Vec::with_capacity(groups);
        for group in 0..groups {
            let Some(cover) = self.groups.get(group) else {
                seen.push(false);
                continue;
            };
            let mut spans = cover.spans.clone();
            join(&mut spans);
            owners.extend(spans.iter().map(|_| group));
            joined.append(&mut spans);
            seen.push(cover.seen > 0);
        }
        let offsets = offsets_of(groups, owners.into_iter())?;
        let spans = collect_spans(joined.into_iter().map(Some))?;
        list_of(spans, offsets, Some(NullBuffer::from(seen)))
    }

    fn state(&self, groups: usize) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.result(groups)?])
    }

    fn forget(&mut self, groups: usize) {
        let gone = self.groups.drain(..groups.min(self.groups.len()));
        let spans: usize = gone.map(|cover| cover.spans.len()).sum();
        self.held_spans -= spans;
    }

    fn size_bytes(&self) -> usize {
        self.held_spans * size_of::<Span>() * 2 + self.groups.capacity() * size_of::<Cover>()
    }
}

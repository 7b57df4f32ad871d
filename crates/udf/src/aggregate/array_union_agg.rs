//! `array_union_agg`: all different items of lists.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};

use super::domain::{Domain, Encoded, Shape, Text, Word};
use super::grouped::{Grouped, Groups, Many, Single};
use super::types::{comparable, exactly, list_type, state_field};
use super::union::{Union, only};
use crate::platform::Example;
use crate::{Docs, Entry};

/// The line of the manifest.
pub(crate) fn entry() -> Entry {
    Entry::aggregate(ArrayUnionAgg::new(), 1, DOCS)
}

const DOCS: Docs = Docs {
    section: "aggregate",
    summary: "All different items of lists, sorted.",
    syntax: "array_union_agg(list)",
    arguments: &[(
        "list",
        "a list of items that can be sorted; large and fixed-size lists as well.",
    )],
    returns: "A List of the items, each once, from the least to the greatest. Empty if all lists are \
              empty, null if there is no list that is not null.",
    notes: &[
        "Null lists and null items are left out. The result depends neither on the order of rows nor \
         on partitions; `ORDER BY` and `DISTINCT` have no effect.",
        "Dictionary items become plain ones. Floating-point zeros are one value, written 0.0, and NaNs \
         are one value, after all others; inside of structures and nested lists they are told apart by \
         their bits.",
    ],
    examples: &[
        Example {
            sql: "select array_union_agg(v) from (values ([3, 1]), ([1, null, 2]), (null)) as t(v)",
            rows: &["[1, 2, 3]"],
        },
        Example {
            sql: "select array_union_agg(v) from (values (['b', 'a']), (['c'])) as t(v)",
            rows: &["[a, b, c]"],
        },
    ],
};

#[derive(Debug, PartialEq, Eq, Hash)]
struct ArrayUnionAgg {
    signature: Signature,
}

impl ArrayUnionAgg {
    fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    fn list_of(&self, arg_types: &[DataType]) -> Result<DataType> {
        let [list] = exactly(self.name(), arg_types)?;
        match list {
            DataType::Null => Ok(list_type(DataType::Null)),
            DataType::List(item)
            | DataType::LargeList(item)
            | DataType::FixedSizeList(item, _)
            | DataType::ListView(item)
            | DataType::LargeListView(item) => {
                Ok(list_type(comparable(self.name(), item.data_type())?))
            }
            other => plan_err!("`{}` takes lists, not {other}", self.name()),
        }
    }
}

impl AggregateUDFImpl for ArrayUnionAgg {
    fn name(&self) -> &'static str {
        "array_union_agg"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(vec![self.list_of(arg_types)?])
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.list_of(arg_types)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let list = args.return_type().clone();
        Ok(vec![state_field(args.name, "items", list)])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Single::plain(state(args.return_type())?))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Single::sliding(state(args.return_type())?))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Many::of(state(args.return_type())?))
    }

    fn documentation(&self) -> Option<&Documentation> {
        crate::documentation!(DOCS)
    }
}

fn state(list: &DataType) -> Result<Box<dyn Grouped>> {
    let DataType::List(item) = list else {
        return plan_err!("`array_union_agg` returns a list, not {list}");
    };
    let of = item.data_type();
    let list = list.clone();
    Ok(match Shape::of(of) {
        Shape::Word => Box::new(Arrays(Union::new(Word::new(of)), list)),
        Shape::Text => Box::new(Arrays(Union::new(Text::new(of)), list)),
        Shape::Encoded => Box::new(Arrays(Union::new(Encoded::new(of)?), list)),
    })
}

#[derive(Debug)]
struct Arrays<D: Domain>(Union<D>, DataType);

impl<D: Domain> Grouped for Arrays<D> {
    fn update(&mut self, values: &[ArrayRef], groups: Groups<'_>) -> Result<()> {
        self.0.add(values[0].as_list(), groups)
    }

    fn merge(&mut self, states: &[ArrayRef], groups: Groups<'_>) -> Result<()> {
        self.0.add(only(states)?, groups)
    }

    fn retract(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.0.remove(values[0].as_list())
    }

    fn fresh(&self) -> Result<Box<dyn Grouped>> {
        state(&self.1)
    }

    fn result(&self, groups: usize) -> Result<ArrayRef> {
        Ok(Arc::new(self.0.lists(groups)?))
    }

    fn state(&self, groups: usize) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.result(groups)?])
    }

    fn forget(&mut self, groups: usize) {
        self.0.forget(groups);
    }

    fn size_bytes(&self) -> usize {
        self.0.size_bytes()
    }
}

//! `map_union_agg`: the entries of all maps in one.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use arrow::buffer::{BooleanBuffer, OffsetBuffer};
use arrow::compute::filter;
use arrow::datatypes::{DataType, FieldRef};
use datafusion_common::{Result, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{
    Accumulator, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature, Volatility,
};

use super::counted::range;
use super::domain::{Domain, Encoded};
use super::grouped::{Grouped, Groups, Many, Single};
use super::types::{comparable, exactly, list_type, state_field};
use super::union::{Union, only};
use crate::platform::Example;
use crate::{Docs, Entry};

/// The line of the manifest.
pub(crate) fn entry() -> Entry {
    Entry::aggregate(MapUnionAgg::new(), 1, DOCS)
}

const DOCS: Docs = Docs {
    section: "aggregate",
    summary: "The entries of all maps in one map.",
    syntax: "map_union_agg(map)",
    arguments: &[("map", "a map whose keys and values can be sorted.")],
    returns: "A map of the type of the argument, without dictionaries, its entries sorted by key. Empty \
              if all maps are empty, null if there is no map that is not null.",
    notes: &[
        "Of the values that a key has in several maps, the least one is taken, and null only if all are \
         null. So the result depends neither on the order of rows nor on partitions; `ORDER BY` and \
         `DISTINCT` have no effect.",
        "Floating-point numbers are compared by their total order: -0.0 comes before 0.0, and NaNs come \
         last and are told apart by their bits.",
    ],
    examples: &[Example {
        sql: "select map_union_agg(m) from (values (map {'b': 2, 'a': 5}), (map {'a': 1, 'c': 3})) as t(m)",
        rows: &["{a: 1, b: 2, c: 3}"],
    }],
};

#[derive(Debug, PartialEq, Eq, Hash)]
struct MapUnionAgg {
    signature: Signature,
}

impl MapUnionAgg {
    fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    fn map_of(&self, arg_types: &[DataType]) -> Result<DataType> {
        let [map] = exactly(self.name(), arg_types)?;
        match map {
            DataType::Map(entries, _) => {
                comparable(self.name(), entries.data_type())?;
                Ok(super::types::unpacked(map))
            }
            other => plan_err!("`{}` takes maps, not {other}", self.name()),
        }
    }
}

impl AggregateUDFImpl for MapUnionAgg {
    fn name(&self) -> &'static str {
        "map_union_agg"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(vec![self.map_of(arg_types)?])
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.map_of(arg_types)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let (entries, _) = parts(args.return_type())?;
        let entries = list_type(entries.data_type().clone());
        Ok(vec![state_field(args.name, "entries", entries)])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Single::plain(Maps::boxed(args.return_type())?))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Single::sliding(Maps::boxed(args.return_type())?))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Many::of(Maps::boxed(args.return_type())?))
    }

    fn documentation(&self) -> Option<&Documentation> {
        crate::documentation!(DOCS)
    }
}

/// The field of the entries, and that of the keys.
fn parts(map: &DataType) -> Result<(&FieldRef, &FieldRef)> {
    match map {
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => Ok((entries, &fields[0])),
            other => plan_err!("the entries of a map are pairs, not {other}"),
        },
        other => plan_err!("`map_union_agg` takes maps, not {other}"),
    }
}

/// The entries as pairs: sorted, the entries of one key stand together, the least value first.
#[derive(Debug)]
struct Maps {
    map: DataType,
    entries: Union<Encoded>,
    keys: Encoded,
}

impl Maps {
    fn boxed(map: &DataType) -> Result<Box<dyn Grouped>> {
        let (entries, key) = parts(map)?;
        Ok(Box::new(Self {
            map: map.clone(),
            entries: Union::new(Encoded::new(entries.data_type())?),
            keys: Encoded::new(key.data_type())?,
        }))
    }

    /// Which items have another key than the item before them in the same list.
    fn firsts(&self, lists: &ListArray) -> Result<BooleanBuffer> {
        let pairs = lists.values().as_struct();
        let keys = self.keys.column(pairs.column(0))?;
        let mut firsts = vec![false; pairs.len()];
        for row in 0..lists.len() {
            let items = range(lists, row);
            for item in items.clone() {
                firsts[item] = item == items.start || keys.row(item) != keys.row(item - 1);
            }
        }
        Ok(BooleanBuffer::from(firsts))
    }
}

impl Grouped for Maps {
    fn update(&mut self, values: &[ArrayRef], groups: Groups<'_>) -> Result<()> {
        self.entries.add(&as_lists(values[0].as_map())?, groups)
    }

    fn merge(&mut self, states: &[ArrayRef], groups: Groups<'_>) -> Result<()> {
        self.entries.add(only(states)?, groups)
    }

    fn retract(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.entries.remove(&as_lists(values[0].as_map())?)
    }

    fn fresh(&self) -> Result<Box<dyn Grouped>> {
        Self::boxed(&self.map)
    }

    fn result(&self, groups: usize) -> Result<ArrayRef> {
        let (field, _) = parts(&self.map)?;
        let lists = self.entries.lists(groups)?;
        let firsts = self.firsts(&lists)?;
        let lengths = (0..groups).map(|row| {
            let items = range(&lists, row);
            firsts.slice(items.start, items.len()).count_set_bits()
        });
        let offsets = OffsetBuffer::from_lengths(lengths);
        let kept = filter(lists.values(), &firsts.into())?;
        let (_, columns, _) = kept.as_struct().clone().into_parts();
        let DataType::Struct(fields) = field.data_type() else {
            return plan_err!("the entries of a map are pairs");
        };
        let entries = StructArray::try_new_with_length(fields.clone(), columns, None, kept.len())?;
        let sorted = matches!(self.map, DataType::Map(_, true));
        let nulls = lists.nulls().cloned();
        let map = MapArray::try_new(Arc::clone(field), offsets, entries, nulls, sorted)?;
        Ok(Arc::new(map))
    }

    fn state(&self, groups: usize) -> Result<Vec<ArrayRef>> {
        Ok(vec![Arc::new(self.entries.lists(groups)?)])
    }

    fn forget(&mut self, groups: usize) {
        self.entries.forget(groups);
    }

    fn size_bytes(&self) -> usize {
        self.entries.size_bytes()
    }
}

/// A map array as the list of entries that it is.
fn as_lists(maps: &MapArray) -> Result<ListArray> {
    let entries: ArrayRef = Arc::new(maps.entries().clone());
    let field = super::counted::item(&entries);
    let (offsets, nulls) = (maps.offsets().clone(), maps.nulls().cloned());
    Ok(ListArray::try_new(field, offsets, entries, nulls)?)
}

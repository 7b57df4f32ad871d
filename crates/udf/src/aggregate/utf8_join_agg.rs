//! `utf8_join_agg`: strings put together, in a defined order.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, RecordBatch};
use arrow::datatypes::{DataType, FieldRef, Schema};
use arrow::row::{RowConverter, SortField};
use datafusion_common::{Result, exec_err, internal_err, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::utils::AggregateOrderSensitivity;
use datafusion_expr::{
    Accumulator, AggregateUDFImpl, ColumnarValue, Documentation, GroupsAccumulator, Signature,
    Volatility,
};

use super::counted::{Counted, list_of, offsets_of, range};
use super::domain::{Strings, Text, Validity, string_array};
use super::grouped::{Grouped, Groups, Many, Single};
use super::types::{list_type, state_field, unpacked};
use crate::platform::Example;
use crate::{Docs, Entry};

/// The line of the manifest.
pub(crate) fn entry() -> Entry {
    Entry::aggregate(Utf8JoinAgg::new(), 1, DOCS)
}

const NAME: &str = "utf8_join_agg";

const DOCS: Docs = Docs {
    section: "aggregate",
    summary: "Strings joined into one, sorted unless the call says in which order.",
    syntax: "utf8_join_agg(text[, separator] [ORDER BY ...])",
    arguments: &[
        ("text", "a string of any encoding, or a dictionary of them."),
        (
            "separator",
            "a constant that stands between two strings; `,` by default, nothing if null.",
        ),
    ],
    returns: "A string of the encoding of the argument. Null if there is no string that is not null.",
    notes: &[
        "Nulls are left out; empty strings are not. Without `ORDER BY` the strings are sorted by their \
         bytes, which is the order of their code points. With it, strings whose keys are equal are sorted \
         so. The result depends neither on the order of rows nor on partitions, and unlike `string_agg` it \
         is the same in every run. With `DISTINCT` each string comes once, at its first place.",
        "A result that an encoding with 32-bit offsets cannot hold is an error, as is a window whose start \
         moves together with `ORDER BY` in the call.",
    ],
    examples: &[
        Example {
            sql: "select utf8_join_agg(v, '; ') from (values ('b'), (null), ('a'), ('b')) as t(v)",
            rows: &["a; b; b"],
        },
        Example {
            sql: "select utf8_join_agg(v, '-' order by n desc) from (values ('a', 1), ('b', 2)) as t(v, n)",
            rows: &["b-a"],
        },
    ],
};

#[derive(Debug, PartialEq, Eq, Hash)]
struct Utf8JoinAgg {
    signature: Signature,
}

impl Utf8JoinAgg {
    fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for Utf8JoinAgg {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let text = text_type(arg_types)?;
        match &arg_types[1..] {
            [] => Ok(vec![text]),
            [separator] => match unpacked(separator) {
                DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => {
                    Ok(vec![text, DataType::Utf8])
                }
                other => plan_err!("the separator of `{NAME}` is a string, not {other}"),
            },
            more => plan_err!("`{NAME}` takes 1 or 2 arguments, not {}", more.len() + 1),
        }
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        text_type(arg_types)
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let strings = list_type(args.return_type().clone());
        let beside = if args.ordering_fields.is_empty() {
            state_field(args.name, "counts", list_type(DataType::UInt64))
        } else {
            state_field(args.name, "keys", list_type(DataType::Binary))
        };
        Ok(vec![state_field(args.name, "strings", strings), beside])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Single::plain(state(&args)?))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        if args.order_bys.is_empty() {
            Ok(Single::sliding(state(&args)?))
        } else {
            Ok(Single::plain(state(&args)?))
        }
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Many::of(state(&args)?))
    }

    /// It sorts by itself: what it needs is the values of the keys, which an insensitive function
    /// does not get.
    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Beneficial
    }

    fn with_beneficial_ordering(
        self: Arc<Self>,
        _beneficial_ordering: bool,
    ) -> Result<Option<Arc<dyn AggregateUDFImpl>>> {
        Ok(Some(self))
    }

    fn documentation(&self) -> Option<&Documentation> {
        crate::documentation!(DOCS)
    }
}

fn text_type(arg_types: &[DataType]) -> Result<DataType> {
    match arg_types.first().map(unpacked) {
        Some(text @ (DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)) => Ok(text),
        Some(DataType::Null) => Ok(DataType::Utf8),
        Some(other) => plan_err!("`{NAME}` joins strings, not {other}"),
        None => plan_err!("`{NAME}` takes 1 or 2 arguments, not 0"),
    }
}

fn state(args: &AccumulatorArgs<'_>) -> Result<Box<dyn Grouped>> {
    let call = Call {
        data_type: args.return_type().clone(),
        separator: separator(args)?,
        distinct: args.is_distinct,
    };
    if args.order_bys.is_empty() {
        return Ok(Box::new(Sorted::new(call)));
    }
    let fields = args
        .order_bys
        .iter()
        .map(|key| {
            let data_type = key.expr.data_type(args.schema)?;
            Ok(SortField::new_with_options(data_type, key.options))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Box::new(Ordered::new(call, fields)?))
}

fn separator(args: &AccumulatorArgs<'_>) -> Result<String> {
    let Some(separator) = args.exprs.get(1) else {
        return Ok(",".to_owned());
    };
    let no_columns = RecordBatch::new_empty(Arc::new(Schema::empty()));
    match separator.evaluate(&no_columns) {
        Ok(ColumnarValue::Scalar(value)) => {
            Ok(value.try_as_str().flatten().unwrap_or_default().to_owned())
        }
        Ok(ColumnarValue::Array(_)) | Err(_) => {
            plan_err!("the separator of `{NAME}` must be a constant, but it is `{separator}`")
        }
    }
}

/// What a call says beside its rows.
#[derive(Debug, Clone)]
struct Call {
    data_type: DataType,
    separator: String,
    distinct: bool,
}

impl Call {
    /// Joins the strings of each group, which come group after group.
    fn joined<'a>(
        &self,
        groups: usize,
        strings: impl Iterator<Item = (usize, &'a str)>,
    ) -> Result<ArrayRef> {
        let mut joined: Vec<Option<String>> = vec![None; groups];
        for (group, text) in strings {
            match &mut joined[group] {
                Some(joined) => {
                    joined.push_str(&self.separator);
                    joined.push_str(text);
                }
                none => *none = Some(text.to_owned()),
            }
        }
        string_array(&self.data_type, NAME, joined.iter().map(Option::as_deref))
    }
}

/// Strings in the order of their bytes.
#[derive(Debug)]
struct Sorted {
    call: Call,
    counted: Counted<Text>,
}

impl Sorted {
    fn new(call: Call) -> Self {
        let counted = Counted::new(Text::new(&call.data_type));
        Self { call, counted }
    }
}

impl Grouped for Sorted {
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
        Ok(Box::new(Self::new(self.call.clone())))
    }

    fn result(&self, groups: usize) -> Result<ArrayRef> {
        let slots = self.counted.sorted(groups);
        let strings = slots.iter().flat_map(|slot| {
            let times = if self.call.distinct { 1 } else { slot.count };
            (0..times).map(|_| (slot.group, slot.value()))
        });
        self.call.joined(groups, strings)
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

/// A string with its sort keys in the row format.
type Placed = (Vec<u8>, String);

/// Strings in the order of keys, then of their bytes.
#[derive(Debug)]
struct Ordered {
    call: Call,
    fields: Vec<SortField>,
    keys: RowConverter,
    strings: Vec<Vec<Placed>>,
    heap_bytes: usize,
}

impl Ordered {
    fn new(call: Call, fields: Vec<SortField>) -> Result<Self> {
        Ok(Self {
            call,
            keys: RowConverter::new(fields.clone())?,
            fields,
            strings: Vec::new(),
            heap_bytes: 0,
        })
    }

    fn push(&mut self, group: usize, key: &[u8], text: &str) {
        self.heap_bytes += heap_bytes(key.len(), text.len());
        self.strings[group].push((key.to_vec(), text.to_owned()));
    }

    fn resize(&mut self, groups: Groups<'_>) {
        if self.strings.len() < groups.total() {
            self.strings.resize_with(groups.total(), Vec::new);
        }
    }

    fn of(&self, group: usize) -> &[Placed] {
        self.strings.get(group).map_or(&[], Vec::as_slice)
    }
}

fn heap_bytes(key: usize, text: usize) -> usize {
    size_of::<Placed>() + key + text
}

impl Grouped for Ordered {
    fn update(&mut self, values: &[ArrayRef], groups: Groups<'_>) -> Result<()> {
        self.resize(groups);
        let Some(first_key) = values.len().checked_sub(self.fields.len()) else {
            return exec_err!("`{NAME}` with ORDER BY needs the values of its keys");
        };
        let keys = self.keys.convert_columns(&values[first_key..])?;
        let strings = Strings::of(&values[0])?;
        let valid = Validity::of(&values[0]);
        for row in (0..values[0].len()).filter(|row| valid.is_valid(*row)) {
            self.push(groups.at(row), keys.row(row).data(), strings.value(row));
        }
        Ok(())
    }

    fn merge(&mut self, states: &[ArrayRef], groups: Groups<'_>) -> Result<()> {
        self.resize(groups);
        let [strings, keys] = states else {
            return internal_err!("a state of strings and keys has two columns");
        };
        let (strings, keys) = (strings.as_list::<i32>(), keys.as_list::<i32>());
        let (texts, bytes) = (
            Strings::of(strings.values())?,
            keys.values().as_binary::<i32>(),
        );
        for row in 0..strings.len() {
            for (text, key) in range(strings, row).zip(range(keys, row)) {
                self.push(groups.at(row), bytes.value(key), texts.value(text));
            }
        }
        Ok(())
    }

    fn fresh(&self) -> Result<Box<dyn Grouped>> {
        Ok(Box::new(Self::new(self.call.clone(), self.fields.clone())?))
    }

    fn result(&self, groups: usize) -> Result<ArrayRef> {
        let mut strings: Vec<(usize, &str)> = Vec::new();
        for group in 0..groups {
            let mut placed: Vec<&Placed> = self.of(group).iter().collect();
            placed.sort_unstable();
            let mut seen: HashSet<&str, hashbrown::DefaultHashBuilder> = HashSet::default();
            let texts = placed.into_iter().map(|(_, text)| text.as_str());
            let kept = texts.filter(|text| !self.call.distinct || seen.insert(text));
            strings.extend(kept.map(|text| (group, text)));
        }
        self.call.joined(groups, strings.into_iter())
    }

    fn state(&self, groups: usize) -> Result<Vec<ArrayRef>> {
        let placed = || (0..groups).flat_map(|group| self.of(group));
        let owners = (0..groups).flat_map(|group| self.of(group).iter().map(move |_| group));
        let offsets = offsets_of(groups, owners)?;
        let texts = placed().map(|(_, text)| Some(text.as_str()));
        let texts = string_array(&self.call.data_type, NAME, texts)?;
        let key_bytes: usize = placed().map(|(key, _)| key.len()).sum();
        if i32::try_from(key_bytes).is_err() {
            return exec_err!("the sort keys of `{NAME}` take more than 2 GiB");
        }
        let keys: BinaryArray = placed().map(|(key, _)| Some(key.as_slice())).collect();
        Ok(vec![
            list_of(texts, offsets.clone(), None)?,
            list_of(Arc::new(keys), offsets, None)?,
        ])
    }

    fn forget(&mut self, groups: usize) {
        for placed in self.strings.drain(..groups.min(self.strings.len())) {
            for (key, text) in placed {
                self.heap_bytes -= heap_bytes(key.len(), text.len());
            }
        }
    }

    fn size_bytes(&self) -> usize {
        self.heap_bytes + self.strings.capacity() * size_of::<Vec<Placed>>()
    }
}

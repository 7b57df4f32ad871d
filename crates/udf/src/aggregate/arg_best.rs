//! `arg_best`: the value at the greatest or least key.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StructArray, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema};
use datafusion_common::{Result, internal_err, plan_err};
use datafusion_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion_expr::{
    Accumulator, AggregateUDFImpl, ColumnarValue, Documentation, GroupsAccumulator, Signature,
    Volatility,
};

use super::counted::{Counted, Slot};
use super::domain::{Domain, Encoded, Shape, Text, Validity, Word, wins};
use super::grouped::{Grouped, Groups, Many, Single};
use super::types::{comparable, state_field, unpacked};
use crate::platform::Example;
use crate::{Docs, Entry};

/// The line of the manifest.
pub(crate) fn entry() -> Entry {
    Entry::aggregate(ArgBest::new(), 1, DOCS)
}

const NAME: &str = "arg_best";

const DOCS: Docs = Docs {
    section: "aggregate",
    summary: "The value that stands beside the best key.",
    syntax: "arg_best(value, key[, best])",
    arguments: &[
        (
            "value",
            "what is wanted, of any type that can be sorted; may be null.",
        ),
        ("key", "what is compared, of any type that can be sorted."),
        (
            "best",
            "a constant: 'max' (the default) for the greatest key, 'min' for the least.",
        ),
    ],
    returns: "A value of the type of the first argument, without a dictionary. Null if there is no key \
              that is not null, or if null is the only value beside the best key.",
    notes: &[
        "Rows whose key is null are left out. Of several values beside the best key the least one is \
         taken, and null only if all are null. So the result depends neither on the order of rows nor on \
         partitions; `ORDER BY` and `DISTINCT` have no effect.",
        "As keys, floating-point zeros are equal, and NaN is greater than all numbers.",
    ],
    examples: &[Example {
        sql: "select arg_best(name, score), arg_best(name, score, 'min') \
                  from (values ('a', 3), ('b', 7), ('c', 7), ('d', null)) as t(name, score)",
        rows: &["b | a"],
    }],
};

#[derive(Debug, PartialEq, Eq, Hash)]
struct ArgBest {
    signature: Signature,
}

impl ArgBest {
    fn new() -> Self {
        Self {
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }
}

impl AggregateUDFImpl for ArgBest {
    fn name(&self) -> &'static str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let (value, key, best) = match arg_types {
            [value, key] => (value, key, None),
            [value, key, best] => (value, key, Some(best)),
            other => return plan_err!("`{NAME}` takes 2 or 3 arguments, not {}", other.len()),
        };
        let mut coerced = vec![comparable(NAME, value)?, comparable(NAME, key)?];
        match best.map(unpacked) {
            None => {}
            Some(DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View) => {
                coerced.push(DataType::Utf8);
            }
            Some(other) => {
                return plan_err!("the third argument of `{NAME}` is 'max' or 'min', not {other}");
            }
        }
        Ok(coerced)
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types {
            [value, ..] => comparable(NAME, value),
            [] => plan_err!("`{NAME}` takes 2 or 3 arguments, not 0"),
        }
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        let Some(key) = args.input_fields.get(1) else {
            return plan_err!("`{NAME}` takes 2 or 3 arguments");
        };
        Ok(vec![
            state_field(args.name, "value", args.return_type().clone()),
            state_field(args.name, "key", key.data_type().clone()),
        ])
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Single::plain(Call::of(&args)?.state()?))
    }

    fn create_sliding_accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Single::sliding(Box::new(Pairs::new(Call::of(&args)?)?)))
    }

    fn groups_accumulator_supported(&self, _args: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Many::of(Call::of(&args)?.state()?))
    }

    fn documentation(&self) -> Option<&Documentation> {
        crate::documentation!(DOCS)
    }
}

/// What a call says beside its rows.
#[derive(Debug, Clone)]
struct Call {
    value: DataType,
    key: DataType,
    least: bool,
}

impl Call {
    fn of(args: &AccumulatorArgs<'_>) -> Result<Self> {
        let Some(key) = args.expr_fields.get(1) else {
            return plan_err!("`{NAME}` takes 2 or 3 arguments");
        };
        Ok(Self {
            value: args.return_type().clone(),
            key: key.data_type().clone(),
            least: is_least(args)?,
        })
    }

    fn state(&self) -> Result<Box<dyn Grouped>> {
        let key = &self.key;
        Ok(match Shape::of(key) {
            Shape::Word => Box::new(Best::new(self.clone(), Word::new(key))?),
            Shape::Text => Box::new(Best::new(self.clone(), Text::new(key))?),
            Shape::Encoded => Box::new(Best::new(self.clone(), Encoded::new(key)?)?),
        })
    }
}

fn is_least(args: &AccumulatorArgs<'_>) -> Result<bool> {
    let Some(best) = args.exprs.get(2) else {
        return Ok(false);
    };
    let no_columns = RecordBatch::new_empty(Arc::new(Schema::empty()));
    let value = match best.evaluate(&no_columns) {
        Ok(ColumnarValue::Scalar(value)) => value,
        Ok(ColumnarValue::Array(_)) | Err(_) => {
            return plan_err!("the third argument of `{NAME}` must be a constant: 'max' or 'min'");
        }
    };
    match value.try_as_str().flatten() {
        Some("max") => Ok(false),
        Some("min") => Ok(true),
        _ => plan_err!("the third argument of `{NAME}` is 'max' or 'min', not {value}"),
    }
}

/// The best key of each group and the least value beside it.
#[derive(Debug)]
struct Best<D: Domain> {
    call: Call,
    keys: D,
    values: Encoded,
    held: Vec<Option<(D::Key, Vec<u8>)>>,
    heap_bytes: usize,
}

impl<D: Domain> Best<D> {
    fn new(call: Call, keys: D) -> Result<Self> {
        Ok(Self {
            values: Encoded::new(&call.value)?,
            call,
            keys,
            held: Vec::new(),
            heap_bytes: 0,
        })
    }

    fn take_in(&mut self, values: &ArrayRef, keys: &ArrayRef, groups: Groups<'_>) -> Result<()> {
        if self.held.len() < groups.total() {
            self.held.resize_with(groups.total(), || None);
        }
        let column = self.keys.column(keys)?;
        let valid = Validity::of(keys);
        let candidates = self.candidates(&column, &valid, keys.len(), groups);
        // Most rows lose by their key alone, so only the values of the others are encoded.
        let rows = UInt64Array::from_iter_values(candidates.iter().map(|row| *row as u64));
        let values = self.values.column(&take(values, &rows, None)?)?;
        for (at, row) in candidates.into_iter().enumerate() {
            let value = values.row(at).data();
            let (held, heap_bytes) = (&mut self.held[groups.at(row)], &mut self.heap_bytes);
            let least = self.call.least;
            self.keys.with(&column, row, |key| {
                let order = held
                    .as_ref()
                    .map_or(Ordering::Greater, |(held, held_value)| {
                        let by_value = || value.cmp(held_value.as_slice()).reverse();
                        wins(key, std::borrow::Borrow::borrow(held), least).then_with(by_value)
                    });
                if order.is_gt() {
                    if let Some((key, value)) = held {
                        *heap_bytes -= D::heap_bytes(key) + value.capacity();
                    }
                    let key = key.to_owned();
                    let value = value.to_vec();
                    *heap_bytes += D::heap_bytes(&key) + value.capacity();
                    *held = Some((key, value));
                }
            });
        }
        Ok(())
    }

    /// The rows whose key is at least as good as all before it in its group.
    fn candidates(
        &self,
        column: &D::Column,
        valid: &Validity,
        rows: usize,
        groups: Groups<'_>,
    ) -> Vec<usize> {
        let least = self.call.least;
        let mut candidates = Vec::new();
        match groups {
            Groups::One => {
                let mut best: Option<usize> = None;
                for row in (0..rows).filter(|row| valid.is_valid(*row)) {
                    let order = self.keys.with(column, row, |key| match best {
                        Some(best) => self.keys.with(column, best, |held| wins(key, held, least)),
                        None => self.against_held(0, key),
                    });
                    if order.is_ge() {
                        best = Some(row);
                        candidates.push(row);
                    }
                }
            }
            Groups::Each { .. } => {
                for row in (0..rows).filter(|row| valid.is_valid(*row)) {
                    let group = groups.at(row);
                    let order = self
                        .keys
                        .with(column, row, |key| self.against_held(group, key));
                    if order.is_ge() {
                        candidates.push(row);
                    }
                }
            }
        }
        candidates
    }

    fn against_held(&self, group: usize, key: &D::Ref) -> Ordering {
        self.held[group]
            .as_ref()
            .map_or(Ordering::Greater, |(held, _)| {
                wins(key, std::borrow::Borrow::borrow(held), self.call.least)
            })
    }

    fn of(&self, group: usize) -> Option<&(D::Key, Vec<u8>)> {
        self.held.get(group).and_then(Option::as_ref)
    }
}

impl<D: Domain> Grouped for Best<D> {
    fn update(&mut self, values: &[ArrayRef], groups: Groups<'_>) -> Result<()> {
        self.take_in(&values[0], &values[1], groups)
    }

    fn merge(&mut self, states: &[ArrayRef], groups: Groups<'_>) -> Result<()> {
        self.take_in(&states[0], &states[1], groups)
    }

    fn fresh(&self) -> Result<Box<dyn Grouped>> {
        self.call.state()
    }

    fn result(&self, groups: usize) -> Result<ArrayRef> {
        let values = (0..groups).map(|group| self.of(group).map(|(_, value)| value));
        self.values.array(values)
    }

    fn state(&self, groups: usize) -> Result<Vec<ArrayRef>> {
        let keys = (0..groups).map(|group| self.of(group).map(|(key, _)| key));
        Ok(vec![self.result(groups)?, self.keys.array(keys)?])
    }

    fn forget(&mut self, groups: usize) {
        let gone = self.held.drain(..groups.min(self.held.len()));
        for (key, value) in gone.flatten() {
            self.heap_bytes -= D::heap_bytes(&key) + value.capacity();
        }
    }

    fn size_bytes(&self) -> usize {
        self.heap_bytes + self.held.capacity() * size_of::<Option<(D::Key, Vec<u8>)>>()
    }
}

/// All pairs of key and value, for windows whose start moves.
#[derive(Debug)]
struct Pairs {
    call: Call,
    fields: Fields,
    counted: Counted<Encoded>,
}

impl Pairs {
    fn new(call: Call) -> Result<Self> {
        let key = Field::new("key", call.key.clone(), true);
        let value = Field::new("value", call.value.clone(), true);
        let fields = Fields::from(vec![key, value]);
        let domain = Encoded::new(&DataType::Struct(Fields::clone(&fields)))?;
        let counted = Counted::new(domain);
        Ok(Self {
            call,
            fields,
            counted,
        })
    }

    /// The pairs as structures, null where the key is.
    fn pairs(&self, values: &[ArrayRef]) -> Result<ArrayRef> {
        let (value, key) = (&values[0], &values[1]);
        let nulls = key.logical_nulls();
        // Keys that compare as equal must have equal bytes.
        let key = match Shape::of(&self.call.key) {
            Shape::Word => {
                let domain = Word::new(&self.call.key);
                let words = domain.column(key)?;
                let valid = Validity::of(key);
                let words = words.iter().enumerate();
                let kept: Vec<Option<&u64>> = words
                    .map(|(row, word)| valid.is_valid(row).then_some(word))
                    .collect();
                domain.array(kept.into_iter())?
            }
            Shape::Text | Shape::Encoded => Arc::clone(key),
        };
        let columns = vec![key, Arc::clone(value)];
        let pairs = StructArray::try_new(Fields::clone(&self.fields), columns, nulls)?;
        Ok(Arc::new(pairs))
    }
}

impl Grouped for Pairs {
    fn update(&mut self, values: &[ArrayRef], groups: Groups<'_>) -> Result<()> {
        let pairs = self.pairs(values)?;
        self.counted.add_all(&pairs, groups)
    }

    fn merge(&mut self, _states: &[ArrayRef], _groups: Groups<'_>) -> Result<()> {
        internal_err!("a window merges no states")
    }

    fn retract(&mut self, values: &[ArrayRef]) -> Result<()> {
        let pairs = self.pairs(values)?;
        self.counted.remove_all(&pairs)
    }

    fn fresh(&self) -> Result<Box<dyn Grouped>> {
        Ok(Box::new(Self::new(self.call.clone())?))
    }

    fn result(&self, groups: usize) -> Result<ArrayRef> {
        // Sorted, the least value beside a key comes first; the greatest key has its least value
        // where the last run of equal keys starts.
        let slots: Vec<&Slot<Encoded>> = self.counted.sorted(groups);
        let pairs = self
            .counted
            .domain()
            .array(slots.iter().map(|slot| Some(&slot.key)))?;
        let pairs = pairs.as_struct();
        let best = if self.call.least || slots.is_empty() {
            0
        } else {
            let keys = Encoded::new(&self.call.key)?;
            let column = keys.column(pairs.column(0))?;
            let last = slots.len() - 1;
            (0..last)
                .rev()
                .take_while(|at| column.row(*at) == column.row(last))
                .last()
                .unwrap_or(last)
        };
        let row = (!slots.is_empty()).then_some(best as u64);
        let rows = UInt64Array::from(vec![row]);
        Ok(take(pairs.column(1), &rows, None)?)
    }

    fn state(&self, _groups: usize) -> Result<Vec<ArrayRef>> {
        internal_err!("a window gives out no state")
    }

    fn forget(&mut self, groups: usize) {
        self.counted.forget(groups);
    }

    fn size_bytes(&self) -> usize {
        self.counted.size_bytes()
    }
}

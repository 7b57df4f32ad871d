//! Random arrays of every type that functions may meet.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, DictionaryArray, FixedSizeBinaryArray,
    FixedSizeListArray, Float64Array, Int8Array, Int32Array, Int64Array, ListArray, MapArray,
    RunArray, StringArray, StructArray, UnionArray, make_array, new_null_array,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit, UnionMode};

/// A small generator: the same seed gives the same numbers everywhere.
pub(crate) struct Random(u64);

/// Text that functions have trouble with.
const TEXTS: [&str; 24] = [
    "",
    " ",
    "\t\n",
    "\u{a0}",
    "a",
    "abc",
    "ABC",
    "Straße",
    "ﬁne",
    "é",
    "e\u{301}",
    "\u{345}\u{399}",
    "日本語",
    "😀",
    "👩‍👩‍👧",
    "\u{0}",
    "a.b::c",
    "/",
    "insert",
    "delete",
    "update_postimage",
    "NFKC",
    "utf16",
    "x\u{2028}y",
];

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below a bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 33) as usize % bound.max(1)
    }

    pub(crate) fn pick<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }

    fn integer(&mut self) -> i64 {
        match self.below(6) {
            0 => self.pick(&[i64::MIN, i64::MAX, -1, 0, 1]),
            _ => self.below(12) as i64 - 2,
        }
    }

    fn valid(&mut self, len: usize) -> Option<NullBuffer> {
        match self.below(4) {
            0 => None,
            _ => Some((0..len).map(|_| self.below(5) != 0).collect()),
        }
    }

    /// A type, nested up to a depth.
    pub(crate) fn data_type(&mut self, depth: usize) -> DataType {
        let flat = [
            DataType::Null,
            DataType::Boolean,
            DataType::Int8,
            DataType::Int16,
            DataType::Int32,
            DataType::Int64,
            DataType::UInt8,
            DataType::UInt32,
            DataType::UInt64,
            DataType::Float16,
            DataType::Float32,
            DataType::Float64,
            DataType::Decimal32(6, 2),
            DataType::Decimal64(12, -2),
            DataType::Decimal128(20, 3),
            DataType::Decimal256(50, 0),
            DataType::Utf8,
            DataType::LargeUtf8,
            DataType::Utf8View,
            DataType::Binary,
            DataType::LargeBinary,
            DataType::BinaryView,
            DataType::FixedSizeBinary(3),
            DataType::Date32,
            DataType::Date64,
            DataType::Time32(TimeUnit::Second),
            DataType::Time64(TimeUnit::Microsecond),
            DataType::Timestamp(TimeUnit::Millisecond, None),
            DataType::Timestamp(TimeUnit::Nanosecond, Some("+02:00".into())),
            DataType::Duration(TimeUnit::Second),
            DataType::Interval(IntervalUnit::YearMonth),
            DataType::Interval(IntervalUnit::DayTime),
            DataType::Interval(IntervalUnit::MonthDayNano),
        ];
        if depth == 0 || self.below(3) != 0 {
            return match self.below(8) {
                0 => DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8)),
                1 => DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8View)),
                _ => self.pick(&flat),
            };
        }
        let item = self.data_type(depth - 1);
        let field = Arc::new(Field::new("item", item.clone(), true));
        match self.below(8) {
            0 => DataType::LargeList(field),
            1 => DataType::FixedSizeList(field, 2),
            2 => DataType::ListView(field),
            3 => DataType::Struct(Fields::from(vec![
                Field::new("end", DataType::Int64, true),
                Field::new("start", DataType::Int32, true),
                Field::new("other", item, true),
            ])),
            4 => {
                let key = self.pick(&[DataType::Utf8, DataType::Int64, DataType::Utf8View]);
                let entries = Fields::from(vec![
                    Field::new("key", key, false),
                    Field::new("value", item, true),
                ]);
                let entries = Field::new("entries", DataType::Struct(entries), false);
                DataType::Map(Arc::new(entries), false)
            }
            5 => DataType::RunEndEncoded(
                Arc::new(Field::new("run_ends", DataType::Int32, false)),
                Arc::new(Field::new("values", DataType::Utf8, true)),
            ),
            6 => {
                let fields = [
                    (3, Arc::new(Field::new("number", DataType::Int64, true))),
                    (5, Arc::new(Field::new("text", DataType::Utf8, true))),
                ];
                DataType::Union(fields.into_iter().collect(), UnionMode::Sparse)
            }
            _ => DataType::List(field),
        }
    }

    /// An array of a type.
    pub(crate) fn array(&mut self, data_type: &DataType, len: usize) -> ArrayRef {
        match data_type {
            DataType::Null => new_null_array(&DataType::Null, len),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                let texts: StringArray = (0..len)
                    .map(|_| (self.below(5) != 0).then(|| self.pick(&TEXTS)))
                    .collect();
                cast(&texts, data_type).unwrap()
            }
            DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
                let bytes: BinaryArray = (0..len)
                    .map(|_| {
                        (self.below(5) != 0).then(|| self.pick(&[&b""[..], b"\xff\x00", b"abc"]))
                    })
                    .collect();
                cast(&bytes, data_type).unwrap()
            }
            DataType::FixedSizeBinary(_) => {
                let values = (0..len).map(|_| (self.below(5) != 0).then_some(*b"xyz"));
                Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(values, 3).unwrap())
            }
            DataType::Boolean => {
                let values = (0..len).map(|_| (self.below(5) != 0).then(|| self.below(2) == 0));
                Arc::new(values.collect::<BooleanArray>())
            }
            DataType::Float16 | DataType::Float32 | DataType::Float64 => {
                let floats = [
                    0.0,
                    -0.0,
                    1.5,
                    f64::NAN,
                    -f64::NAN,
                    f64::INFINITY,
                    f64::MIN,
                    0.1,
                ];
                let values = (0..len).map(|_| (self.below(5) != 0).then(|| self.pick(&floats)));
                cast(&values.collect::<Float64Array>(), data_type).unwrap()
            }
            DataType::Decimal32(..)
            | DataType::Decimal64(..)
            | DataType::Decimal128(..)
            | DataType::Decimal256(..) => {
                let values =
                    (0..len).map(|_| (self.below(5) != 0).then(|| self.below(900) as i64 * 100));
                cast(&values.collect::<Int64Array>(), data_type).unwrap()
            }
            DataType::Dictionary(_, values) => {
                let values = self.array(values, 5);
                let keys = (0..len).map(|_| (self.below(6) != 0).then(|| self.below(5) as i8));
                Arc::new(DictionaryArray::new(keys.collect::<Int8Array>(), values))
            }
            DataType::List(item) => {
                let lengths: Vec<usize> = (0..len).map(|_| self.below(4)).collect();
                let items = self.array(item.data_type(), lengths.iter().sum());
                let offsets = OffsetBuffer::from_lengths(lengths);
                let nulls = self.valid(len);
                Arc::new(ListArray::new(Arc::clone(item), offsets, items, nulls))
            }
            DataType::LargeList(item) | DataType::ListView(item) => {
                let list = self.array(&DataType::List(Arc::clone(item)), len);
                cast(&list, data_type).unwrap()
            }
            DataType::FixedSizeList(item, size) => {
                let items = self.array(item.data_type(), len * *size as usize);
                let nulls = self.valid(len);
                Arc::new(FixedSizeListArray::new(
                    Arc::clone(item),
                    *size,
                    items,
                    nulls,
                ))
            }
            DataType::Struct(fields) => {
                let columns = fields.iter().map(|field| {
                    let column = self.array(field.data_type(), len);
                    // What may not be null has no nulls.
                    if field.is_nullable() {
                        column
                    } else {
                        filled(&column)
                    }
                });
                let columns = columns.collect();
                let nulls = self.valid(len);
                Arc::new(StructArray::new(fields.clone(), columns, nulls))
            }
            DataType::Map(entries, sorted) => {
                let DataType::Struct(fields) = entries.data_type() else {
                    panic!("a map has entries");
                };
                let lengths: Vec<usize> = (0..len).map(|_| self.below(4)).collect();
                let total = lengths.iter().sum();
                let keys = filled(&self.array(fields[0].data_type(), total));
                let values = self.array(fields[1].data_type(), total);
                let inner = StructArray::new(fields.clone(), vec![keys, values], None);
                let offsets = OffsetBuffer::from_lengths(lengths);
                let nulls = self.valid(len);
                Arc::new(MapArray::new(
                    Arc::clone(entries),
                    offsets,
                    inner,
                    nulls,
                    *sorted,
                ))
            }
            DataType::RunEndEncoded(_, values) => {
                let (mut ends, mut end) = (Vec::new(), 0);
                while end < len as i32 {
                    end = (end + 1 + self.below(3) as i32).min(len as i32);
                    ends.push(end);
                }
                let values = self.array(values.data_type(), ends.len());
                Arc::new(RunArray::try_new(&Int32Array::from(ends), &values).unwrap())
            }
            DataType::Union(fields, _) => {
                let ids: Vec<i8> = (0..len).map(|_| self.pick(&[3, 5])).collect();
                let children = fields
                    .iter()
                    .map(|(_, field)| self.array(field.data_type(), len));
                let children = children.collect();
                let union =
                    UnionArray::try_new(fields.clone(), ScalarBuffer::from(ids), None, children);
                Arc::new(union.unwrap())
            }
            _ => self.numbers(data_type, len),
        }
    }

    /// Numbers, dates and times, and what else is made of numbers.
    fn numbers(&mut self, data_type: &DataType, len: usize) -> ArrayRef {
        let numbers: Int64Array = (0..len)
            .map(|_| (self.below(5) != 0).then(|| self.integer()))
            .collect();
        let numbers: ArrayRef = Arc::new(numbers);
        match data_type {
            DataType::Interval(IntervalUnit::YearMonth)
            | DataType::Date32
            | DataType::Time32(_) => {
                let narrow = cast(&numbers, &DataType::Int32).unwrap();
                cast(&narrow, data_type).unwrap()
            }
            DataType::Interval(_) => {
                let months = cast(&numbers, &DataType::Int32).unwrap();
                let months = cast(&months, &DataType::Interval(IntervalUnit::YearMonth)).unwrap();
                cast(&months, data_type).unwrap_or_else(|_| new_null_array(data_type, len))
            }
            _ => cast(&numbers, data_type).unwrap(),
        }
    }
}

/// The array without nulls: those that it has are replaced.
fn filled(array: &ArrayRef) -> ArrayRef {
    let data = array
        .to_data()
        .into_builder()
        .nulls(None)
        .null_bit_buffer(None);
    make_array(data.build().unwrap())
}

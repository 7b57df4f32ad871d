//! Arrays of any type, made from a seed.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, FixedSizeBinaryArray, FixedSizeListArray,
    Float32Array, Float64Array, Int32Array, Int64Array, ListArray, MapArray, NullArray,
    StringArray, StructArray, UInt64Array, make_array,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Fields, IntervalUnit, TimeUnit};

/// Numbers from a seed, the same on every machine.
pub(crate) struct Random(u64);

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

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % limit.max(1)
    }

    pub(crate) fn shuffle<T>(&mut self, values: &mut [T]) {
        for at in (1..values.len()).rev() {
            values.swap(at, self.below(at + 1));
        }
    }

    fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    fn nulls(&mut self, len: usize) -> NullBuffer {
        (0..len).map(|_| self.below(5) != 0).collect()
    }
}

const TEXTS: &[&str] = &[
    "",
    "a",
    "b",
    "aa",
    "Z",
    "é",
    "e\u{301}",
    "日本",
    "\u{10ffff}",
    "a\u{0}b",
    " ",
    "ß",
    "a string that is longer than twelve bytes",
];
const FLOATS: &[f64] = &[
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.5,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::MAX,
    f64::MIN,
    f64::MIN_POSITIVE,
];
const INTS: &[i64] = &[0, 1, -1, 2, 3, 7, 100, i64::MAX, i64::MIN];

/// The name of the fields of a map's entries.
fn entries(key: DataType, value: DataType) -> Arc<Field> {
    let fields = vec![
        Field::new("key", key, false),
        Field::new("value", value, true),
    ];
    Arc::new(Field::new(
        "entries",
        DataType::Struct(Fields::from(fields)),
        false,
    ))
}

pub(crate) fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

pub(crate) fn map_of(key: DataType, value: DataType) -> DataType {
    DataType::Map(entries(key, value), false)
}

pub(crate) fn dictionary_of(value: DataType) -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(value))
}

/// Types whose values can be sorted, flat and nested.
pub(crate) fn sortable_types() -> Vec<DataType> {
    let pair = Fields::from(vec![
        Field::new("a", DataType::Int32, true),
        Field::new("b", DataType::Utf8View, true),
    ]);
    vec![
        DataType::Null,
        DataType::Boolean,
        DataType::Int8,
        DataType::Int16,
        DataType::Int32,
        DataType::Int64,
        DataType::UInt8,
        DataType::UInt16,
        DataType::UInt32,
        DataType::UInt64,
        DataType::Float16,
        DataType::Float32,
        DataType::Float64,
        DataType::Decimal32(9, 2),
        DataType::Decimal64(18, 2),
        DataType::Decimal128(38, 4),
        DataType::Decimal256(60, 4),
        DataType::Date32,
        DataType::Date64,
        DataType::Time32(TimeUnit::Second),
        DataType::Time64(TimeUnit::Nanosecond),
        DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Timestamp(TimeUnit::Nanosecond, Some("Europe/Berlin".into())),
        DataType::Duration(TimeUnit::Millisecond),
        DataType::Interval(IntervalUnit::YearMonth),
        DataType::Interval(IntervalUnit::MonthDayNano),
        DataType::Utf8,
        DataType::LargeUtf8,
        DataType::Utf8View,
        DataType::Binary,
        DataType::LargeBinary,
        DataType::BinaryView,
        DataType::FixedSizeBinary(4),
        dictionary_of(DataType::Utf8),
        dictionary_of(DataType::Int64),
        list_of(DataType::Int32),
        list_of(dictionary_of(DataType::Utf8)),
        DataType::Struct(pair),
        map_of(DataType::Utf8, DataType::Int64),
    ]
}

pub(crate) fn number_types() -> Vec<DataType> {
    let numbers = sortable_types().into_iter();
    let dictionary = dictionary_of(DataType::Int64);
    numbers
        .filter(DataType::is_numeric)
        .chain([DataType::Null, dictionary])
        .collect()
}

/// An array of `len` values, among them nulls, repeated values and extreme ones.
pub(crate) fn array(random: &mut Random, data_type: &DataType, len: usize) -> ArrayRef {
    let nulls = random.nulls(len);
    let through = |values: ArrayRef| cast(&values, data_type).unwrap();
    match data_type {
        DataType::Null => Arc::new(NullArray::new(len)),
        DataType::Boolean => {
            let values: Vec<bool> = (0..len).map(|_| random.below(2) == 0).collect();
            Arc::new(BooleanArray::new(values.into(), Some(nulls)))
        }
        DataType::Float64 => {
            let values: Vec<f64> = (0..len).map(|_| random.pick(FLOATS)).collect();
            Arc::new(Float64Array::new(values.into(), Some(nulls)))
        }
        DataType::Float32 => {
            let values = (0..len).map(|_| random.pick(FLOATS) as f32);
            Arc::new(Float32Array::new(values.collect(), Some(nulls)))
        }
        DataType::UInt64 => {
            let values = (0..len).map(|_| random.pick(&[0, 1, 2, 3, u64::MAX]));
            Arc::new(UInt64Array::new(values.collect(), Some(nulls)))
        }
        DataType::Int64 | DataType::Duration(_) | DataType::Timestamp(_, _) | DataType::Date64 => {
            let values = (0..len).map(|_| random.pick(INTS));
            let values = Int64Array::new(values.collect(), Some(nulls));
            let data = values
                .into_data()
                .into_builder()
                .data_type(data_type.clone());
            make_array(data.build().unwrap())
        }
        DataType::Utf8 => {
            let values: Vec<Option<&str>> = (0..len)
                .map(|row| nulls.is_valid(row).then(|| random.pick(TEXTS)))
                .collect();
            Arc::new(StringArray::from(values))
        }
        DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(_, _) => {
            let plain = match data_type {
                DataType::Dictionary(_, value) if value.is_integer() => DataType::Int64,
                _ => DataType::Utf8,
            };
            through(array(random, &plain, len))
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            let values: Vec<Option<&[u8]>> = (0..len)
                .map(|row| {
                    let bytes: &[u8] = random.pick(&[b"".as_slice(), b"\xff", b"a", b"ab\0"]);
                    nulls.is_valid(row).then_some(bytes)
                })
                .collect();
            through(Arc::new(BinaryArray::from(values)))
        }
        DataType::FixedSizeBinary(size) => {
            let size = usize::try_from(*size).unwrap();
            let values = (0..len).map(|row| {
                let byte = u8::try_from(random.below(3)).unwrap();
                nulls.is_valid(row).then(|| vec![byte; size])
            });
            let values = values.collect::<Vec<_>>().into_iter();
            let size = i32::try_from(size).unwrap();
            let built = FixedSizeBinaryArray::try_from_sparse_iter_with_size(values, size);
            Arc::new(built.unwrap())
        }
        DataType::List(field) => Arc::new(list(random, field, len, nulls)),
        DataType::LargeList(field) => {
            let plain = DataType::List(Arc::clone(field));
            through(array(random, &plain, len))
        }
        DataType::FixedSizeList(field, size) => {
            let items = array(
                random,
                field.data_type(),
                len * usize::try_from(*size).unwrap(),
            );
            let built = FixedSizeListArray::new(Arc::clone(field), *size, items, Some(nulls));
            Arc::new(built)
        }
        DataType::Struct(fields) => {
            let columns = fields.iter().map(|field| {
                let column = array(random, field.data_type(), len);
                if field.is_nullable() {
                    column
                } else {
                    let data = column.into_data().into_builder().nulls(None);
                    make_array(data.build().unwrap())
                }
            });
            Arc::new(StructArray::new(
                fields.clone(),
                columns.collect(),
                Some(nulls),
            ))
        }
        DataType::Map(field, sorted) => Arc::new(map(random, field, *sorted, len, nulls)),
        _ => {
            // Everything else is made of small numbers, which fit in all of them.
            let values: Vec<i32> = (0..len).map(|_| random.pick(&[0, 1, 2, 3, 11])).collect();
            let values = Int32Array::new(values.into(), Some(nulls));
            let values: ArrayRef = Arc::new(values);
            let between = match data_type {
                DataType::Interval(IntervalUnit::YearMonth) | DataType::Time32(_) => {
                    let data = values.to_data().into_builder().data_type(data_type.clone());
                    return make_array(data.build().unwrap());
                }
                DataType::Interval(_) => {
                    let duration = DataType::Duration(TimeUnit::Nanosecond);
                    let wide = cast(&values, &DataType::Int64).unwrap();
                    cast(&wide, &duration).unwrap()
                }
                DataType::Time64(_) => cast(&values, &DataType::Int64).unwrap(),
                _ => values,
            };
            through(between)
        }
    }
}

fn list(random: &mut Random, field: &Arc<Field>, len: usize, nulls: NullBuffer) -> ListArray {
    let lengths: Vec<usize> = (0..len).map(|_| random.below(4)).collect();
    let items = array(random, field.data_type(), lengths.iter().sum());
    let offsets = OffsetBuffer::from_lengths(lengths);
    ListArray::new(Arc::clone(field), offsets, items, Some(nulls))
}

fn map(
    random: &mut Random,
    field: &Arc<Field>,
    sorted: bool,
    len: usize,
    nulls: NullBuffer,
) -> MapArray {
    let DataType::Struct(fields) = field.data_type() else {
        panic!("the entries of a map are pairs");
    };
    let lengths: Vec<usize> = (0..len).map(|_| random.below(3)).collect();
    let total = lengths.iter().sum();
    // The keys of one map differ: they come in turn.
    let mut texts: Vec<&str> = TEXTS.to_vec();
    random.shuffle(&mut texts);
    let keys = (0..total).map(|at| Some(texts[at % texts.len()]));
    let keys: ArrayRef = Arc::new(keys.collect::<StringArray>());
    let keys = cast(&keys, fields[0].data_type()).unwrap();
    let values = array(random, fields[1].data_type(), total);
    let entries = StructArray::new(fields.clone(), vec![keys, values], None);
    let offsets = OffsetBuffer::from_lengths(lengths);
    MapArray::new(Arc::clone(field), offsets, entries, Some(nulls), sorted)
}

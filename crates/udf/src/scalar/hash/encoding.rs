//! The bytes that stand for a value of any type. `docs/specs/functions-hash.md` is normative.
//!
//! Each value starts with a tag and says where it ends, so values written one after the other are
//! told apart. The bytes depend on the value alone, not on how its column is stored.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal256Array, Float64Array, Int64Array,
    PrimitiveArray, UInt64Array, UnionArray, downcast_run_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast, take};
use arrow::datatypes::{
    DataType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type, Decimal256Type,
    Float64Type, Int64Type, IntervalDayTimeType, IntervalMonthDayNanoType, IntervalUnit,
    IntervalYearMonthType, TimeUnit, UInt64Type, i256,
};
use datafusion_common::{Result, exec_err};

const NULL: u8 = b'n';
const BOOLEAN: u8 = b'b';
const INTEGER: u8 = b'i';
const FLOAT: u8 = b'f';
const DECIMAL: u8 = b'd';
const TEXT: u8 = b't';
const BINARY: u8 = b'x';
const DATE: u8 = b'D';
const TIME: u8 = b'T';
const LOCAL_TIMESTAMP: u8 = b'S';
const INSTANT: u8 = b'Z';
const DURATION: u8 = b'U';
const INTERVAL: u8 = b'V';
const LIST: u8 = b'l';
const STRUCT: u8 = b's';
const MAP: u8 = b'm';
const UNION: u8 = b'u';

use crate::kernel::{Bytes, Texts};

/// A column that can be written value by value.
#[derive(Debug)]
pub(in crate::scalar) struct Encoding {
    nulls: Option<NullBuffer>,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Null,
    Boolean(BooleanArray),
    Integer(Int64Array),
    Unsigned(UInt64Array),
    Float(Float64Array),
    Decimal(Decimal256Array, i8),
    Text(Texts),
    Binary(Bytes),
    /// A count of something, each `factor` units of the encoding.
    Count {
        tag: u8,
        counts: Int64Array,
        factor: i128,
    },
    Interval(PrimitiveArray<IntervalMonthDayNanoType>),
    List(Vec<Range<usize>>, Box<Encoding>),
    Struct(Vec<(String, Encoding)>),
    Map(Vec<Range<usize>>, Box<Encoding>, Box<Encoding>),
    Union(UnionArray, Vec<(i8, Encoding)>),
}

/// Writes a whole number as the encoding does.
pub(in crate::scalar) fn write_integer(value: i128, out: &mut Vec<u8>) {
    out.push(INTEGER);
    out.extend_from_slice(&value.to_be_bytes());
}

impl Encoding {
    /// Prepares a column.
    ///
    /// # Errors
    ///
    /// When the engine's kernels cannot unpack it.
    pub(in crate::scalar) fn of(array: &ArrayRef) -> Result<Self> {
        let values = match array.data_type() {
            DataType::Null => Values::Null,
            DataType::Boolean => Values::Boolean(array.as_boolean().clone()),
            DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => {
                Values::Integer(cast(array, &DataType::Int64)?.as_primitive().clone())
            }
            DataType::UInt8 | DataType::UInt16 | DataType::UInt32 | DataType::UInt64 => {
                let wide = cast(array, &DataType::UInt64)?;
                Values::Unsigned(wide.as_primitive::<UInt64Type>().clone())
            }
            DataType::Float16 | DataType::Float32 | DataType::Float64 => {
                let wide = cast(array, &DataType::Float64)?;
                Values::Float(wide.as_primitive::<Float64Type>().clone())
            }
            DataType::Decimal32(_, scale) => {
                let wide = array.as_primitive::<Decimal32Type>();
                Values::Decimal(wide.unary(|value| i256::from_i128(value.into())), *scale)
            }
            DataType::Decimal64(_, scale) => {
                let wide = array.as_primitive::<Decimal64Type>();
                Values::Decimal(wide.unary(|value| i256::from_i128(value.into())), *scale)
            }
            DataType::Decimal128(_, scale) => {
                let wide = array.as_primitive::<Decimal128Type>();
                Values::Decimal(wide.unary(i256::from_i128), *scale)
            }
            DataType::Decimal256(_, scale) => {
                Values::Decimal(array.as_primitive::<Decimal256Type>().clone(), *scale)
            }
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                Values::Text(Texts::of(array)?)
            }
            DataType::Binary
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::FixedSizeBinary(_) => Values::Binary(Bytes::of(array)?),
            DataType::Date32 => {
                let days = array.as_primitive::<Date32Type>();
                const DAY_MS: i64 = 86_400_000;
                Values::Count {
                    tag: DATE,
                    counts: days.unary(|day| i64::from(day) * DAY_MS),
                    factor: 1,
                }
            }
            DataType::Date64 => Values::Count {
                tag: DATE,
                counts: array.as_primitive::<Date64Type>().reinterpret_cast(),
                factor: 1,
            },
            DataType::Time32(unit) | DataType::Time64(unit) => count(TIME, array, *unit)?,
            DataType::Timestamp(unit, None) => count(LOCAL_TIMESTAMP, array, *unit)?,
            DataType::Timestamp(unit, Some(_)) => count(INSTANT, array, *unit)?,
            DataType::Duration(unit) => count(DURATION, array, *unit)?,
            DataType::Interval(unit) => Values::Interval(interval(array, *unit)),
            DataType::List(_) => {
                let list = array.as_list::<i32>();
                let ranges = ranges(list.value_offsets());
                Values::List(ranges, Box::new(Self::of(list.values())?))
            }
            DataType::LargeList(_) => {
                let list = array.as_list::<i64>();
                let ranges = ranges(list.value_offsets());
                Values::List(ranges, Box::new(Self::of(list.values())?))
            }
            DataType::ListView(_) => {
                let list = array.as_list_view::<i32>();
                let ranges = views(list.value_offsets(), list.value_sizes());
                Values::List(ranges, Box::new(Self::of(list.values())?))
            }
            DataType::LargeListView(_) => {
                let list = array.as_list_view::<i64>();
                let ranges = views(list.value_offsets(), list.value_sizes());
                Values::List(ranges, Box::new(Self::of(list.values())?))
            }
            DataType::FixedSizeList(_, size) => {
                let size = usize::try_from(*size).unwrap_or(0);
                let list = array.as_fixed_size_list();
                let ranges = (0..list.len()).map(|row| row * size..(row + 1) * size);
                Values::List(ranges.collect(), Box::new(Self::of(list.values())?))
            }
            DataType::Struct(fields) => {
                let columns = fields.iter().zip(array.as_struct().columns());
                let columns =
                    columns.map(|(field, column)| Ok((field.name().clone(), Self::of(column)?)));
                Values::Struct(columns.collect::<Result<_>>()?)
            }
            DataType::Map(_, _) => {
                let map = array.as_map();
                Values::Map(
                    ranges(map.value_offsets()),
                    Box::new(Self::of(map.keys())?),
                    Box::new(Self::of(map.values())?),
                )
            }
            DataType::Union(fields, _) => {
                let union = array.as_union();
                let children = fields
                    .iter()
                    .map(|(id, _)| Ok((id, Self::of(union.child(id))?)));
                Values::Union(union.clone(), children.collect::<Result<_>>()?)
            }
            DataType::Dictionary(_, _) => {
                let dictionary = array.as_any_dictionary();
                return Self::of(&take(dictionary.values(), dictionary.keys(), None)?);
            }
            DataType::RunEndEncoded(_, _) => return Self::of(&unpack_runs(array)?),
        };
        Ok(Self {
            nulls: array.nulls().cloned(),
            values,
        })
    }

    /// Writes the value at an index.
    pub(in crate::scalar) fn write(&self, index: usize, out: &mut Vec<u8>) {
        if self
            .nulls
            .as_ref()
            .is_some_and(|nulls| nulls.is_null(index))
        {
            out.push(NULL);
            return;
        }
        match &self.values {
            Values::Null => out.push(NULL),
            Values::Boolean(values) => {
                out.extend_from_slice(&[BOOLEAN, u8::from(values.value(index))]);
            }
            Values::Integer(values) => write_integer(values.value(index).into(), out),
            Values::Unsigned(values) => write_integer(values.value(index).into(), out),
            Values::Float(values) => {
                out.push(FLOAT);
                out.extend_from_slice(&canonical(values.value(index)).to_be_bytes());
            }
            Values::Decimal(values, scale) => {
                let (unscaled, scale) = reduce(values.value(index), *scale);
                out.push(DECIMAL);
                out.extend_from_slice(&scale.to_be_bytes());
                out.extend_from_slice(&unscaled.to_be_bytes());
            }
            Values::Text(values) => write_bytes(TEXT, values.value(index).as_bytes(), out),
            Values::Binary(values) => write_bytes(BINARY, values.value(index), out),
            Values::Count {
                tag,
                counts,
                factor,
            } => {
                let count = i128::from(counts.value(index)) * factor;
                out.push(*tag);
                out.extend_from_slice(&count.to_be_bytes());
            }
            Values::Interval(values) => {
                let value = values.value(index);
                out.push(INTERVAL);
                out.extend_from_slice(&value.months.to_be_bytes());
                out.extend_from_slice(&value.days.to_be_bytes());
                out.extend_from_slice(&value.nanoseconds.to_be_bytes());
            }
            Values::List(ranges, values) => {
                let range = ranges[index].clone();
                write_len(LIST, range.len(), out);
                range.for_each(|index| values.write(index, out));
            }
            Values::Struct(fields) => {
                write_len(STRUCT, fields.len(), out);
                for (name, values) in fields {
                    write_bytes(TEXT, name.as_bytes(), out);
                    values.write(index, out);
                }
            }
            Values::Map(ranges, keys, values) => {
                let range = ranges[index].clone();
                write_len(MAP, range.len(), out);
                for index in range {
                    keys.write(index, out);
                    values.write(index, out);
                }
            }
            Values::Union(union, children) => {
                let id = union.type_id(index);
                out.extend_from_slice(&[UNION, id.cast_unsigned()]);
                match children.iter().find(|(child, _)| *child == id) {
                    Some((_, values)) => values.write(union.value_offset(index), out),
                    None => out.push(NULL),
                }
            }
        }
    }
}

fn write_len(tag: u8, len: usize, out: &mut Vec<u8>) {
    out.push(tag);
    out.extend_from_slice(&(len as u64).to_be_bytes());
}

fn write_bytes(tag: u8, bytes: &[u8], out: &mut Vec<u8>) {
    write_len(tag, bytes.len(), out);
    out.extend_from_slice(bytes);
}

/// The bits of a number, one for both zeros and one for all that are not a number.
fn canonical(value: f64) -> u64 {
    if value.is_nan() {
        f64::NAN.to_bits() & !(1 << 63)
    } else if value == 0.0 {
        0
    } else {
        value.to_bits()
    }
}

/// A decimal without zeros at its end.
fn reduce(unscaled: i256, scale: i8) -> (i256, i32) {
    let (mut unscaled, mut scale) = (unscaled, i32::from(scale));
    if unscaled == i256::ZERO {
        return (unscaled, 0);
    }
    let ten = i256::from_i128(10);
    while let (Some(quotient), Some(i256::ZERO)) =
        (unscaled.checked_div(ten), unscaled.checked_rem(ten))
    {
        unscaled = quotient;
        scale -= 1;
    }
    (unscaled, scale)
}

/// Counts of a unit, to be written as nanoseconds.
fn count(tag: u8, array: &ArrayRef, unit: TimeUnit) -> Result<Values> {
    let narrow = matches!(array.data_type(), DataType::Time32(_));
    let array = if narrow {
        cast(array, &DataType::Int32)?
    } else {
        Arc::clone(array)
    };
    let counts = cast(&array, &DataType::Int64)?;
    Ok(Values::Count {
        tag,
        counts: counts.as_primitive::<Int64Type>().clone(),
        factor: match unit {
            TimeUnit::Second => 1_000_000_000,
            TimeUnit::Millisecond => 1_000_000,
            TimeUnit::Microsecond => 1_000,
            TimeUnit::Nanosecond => 1,
        },
    })
}

fn interval(array: &ArrayRef, unit: IntervalUnit) -> PrimitiveArray<IntervalMonthDayNanoType> {
    type Wide = IntervalMonthDayNanoType;
    const MS_NANOSECONDS: i64 = 1_000_000;
    match unit {
        IntervalUnit::YearMonth => array
            .as_primitive::<IntervalYearMonthType>()
            .unary(|months| Wide::make_value(months, 0, 0)),
        IntervalUnit::DayTime => array.as_primitive::<IntervalDayTimeType>().unary(|value| {
            let nanoseconds = i64::from(value.milliseconds) * MS_NANOSECONDS;
            Wide::make_value(0, value.days, nanoseconds)
        }),
        IntervalUnit::MonthDayNano => array.as_primitive::<Wide>().clone(),
    }
}

fn ranges<O: arrow::array::OffsetSizeTrait>(offsets: &[O]) -> Vec<Range<usize>> {
    let pairs = offsets.windows(2);
    pairs
        .map(|pair| pair[0].as_usize()..pair[1].as_usize())
        .collect()
}

fn views<O: arrow::array::OffsetSizeTrait>(starts: &[O], sizes: &[O]) -> Vec<Range<usize>> {
    let pairs = starts.iter().zip(sizes);
    pairs
        .map(|(start, size)| start.as_usize()..start.as_usize() + size.as_usize())
        .collect()
}

/// The values of an array of runs, one for each row.
fn unpack_runs(array: &ArrayRef) -> Result<ArrayRef> {
    let array: &dyn Array = array;
    Ok(downcast_run_array!(
        array => {
            let rows = 0..array.len();
            let indices: UInt64Array = rows.map(|row| array.get_physical_index(row) as u64).collect();
            take(array.values(), &indices, None)?
        },
        _ => return exec_err!("cannot unpack {}", array.data_type())
    ))
}

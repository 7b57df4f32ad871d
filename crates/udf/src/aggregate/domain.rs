//! Values of one type as keys that can be hashed, compared and turned back into an array.
//!
//! Three representations cover all types: 64-bit integers whose order is that of the values, strings
//! as they are, and the engine's row format for everything else. In the first, all zeros of a
//! floating-point type are one value and all NaNs are one value, above all others.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, LargeStringArray, PrimitiveArray, StringArray,
    StringViewArray, make_array, new_null_array,
};
use arrow::buffer::NullBuffer;
use arrow::compute::SortOptions;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, IntervalUnit, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::row::{OwnedRow, RowConverter, Rows, SortField};
use datafusion_common::{DataFusionError, Result, exec_err};

/// How the values of one type are held.
pub(crate) trait Domain: Debug + Send + Sync + 'static {
    /// A value as it is looked up.
    type Ref: Hash + Ord + ToOwned<Owned = Self::Key> + ?Sized;
    /// A value as it is kept.
    type Key: Borrow<Self::Ref> + Debug + Send + Sync;
    /// An array of values, ready to be looked up.
    type Column;

    /// Prepares an array. What stands in the place of nulls is not defined.
    fn column(&self, array: &ArrayRef) -> Result<Self::Column>;

    /// Hands the value of a row to `use_key`.
    fn with<R>(
        &self,
        column: &Self::Column,
        row: usize,
        use_key: impl FnOnce(&Self::Ref) -> R,
    ) -> R;

    /// An array of the type, with nulls for missing keys.
    fn array<'a>(
        &self,
        keys: impl ExactSizeIterator<Item = Option<&'a Self::Key>>,
    ) -> Result<ArrayRef>;

    /// The bytes that a kept key takes beyond its own size.
    fn heap_bytes(key: &Self::Key) -> usize;
}

/// Which domain a type belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// [`Word`]
    Word,
    /// [`Text`]
    Text,
    /// [`Encoded`]
    Encoded,
}

impl Shape {
    /// The domain of a type.
    pub(crate) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean
            | DataType::Int8
            | DataType::Int16
            | DataType::Int32
            | DataType::Int64
            | DataType::UInt8
            | DataType::UInt16
            | DataType::UInt32
            | DataType::UInt64
            | DataType::Float32
            | DataType::Float64
            | DataType::Date32
            | DataType::Date64
            | DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Timestamp(_, _)
            | DataType::Duration(_)
            | DataType::Interval(IntervalUnit::YearMonth)
            | DataType::Decimal32(_, _)
            | DataType::Decimal64(_, _) => Self::Word,
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Self::Text,
            DataType::Null
            | DataType::Float16
            | DataType::Interval(IntervalUnit::DayTime | IntervalUnit::MonthDayNano)
            | DataType::Binary
            | DataType::FixedSizeBinary(_)
            | DataType::LargeBinary
            | DataType::BinaryView
            | DataType::List(_)
            | DataType::ListView(_)
            | DataType::FixedSizeList(_, _)
            | DataType::LargeList(_)
            | DataType::LargeListView(_)
            | DataType::Struct(_)
            | DataType::Union(_, _)
            | DataType::Dictionary(_, _)
            | DataType::Decimal128(_, _)
            | DataType::Decimal256(_, _)
            | DataType::Map(_, _)
            | DataType::RunEndEncoded(_, _) => Self::Encoded,
        }
    }
}

/// Whether values of a type can be held, and so compared and sorted.
pub(crate) fn is_comparable(data_type: &DataType) -> bool {
    match Shape::of(data_type) {
        Shape::Word | Shape::Text => true,
        Shape::Encoded => RowConverter::supports_fields(&[SortField::new(data_type.clone())]),
    }
}

/// Values of at most 64 bits.
#[derive(Debug)]
pub(crate) struct Word {
    data_type: DataType,
}

impl Word {
    pub(crate) fn new(data_type: &DataType) -> Self {
        Self {
            data_type: data_type.clone(),
        }
    }
}

const SIGN: u64 = 1 << 63;

fn word_of_int(value: i64) -> u64 {
    value.cast_unsigned() ^ SIGN
}

fn int_of_word(word: u64) -> i64 {
    (word ^ SIGN).cast_signed()
}

/// The order of floating-point numbers as an order of integers.
pub(crate) fn word_of_float(value: f64) -> u64 {
    let bits = if value.is_nan() {
        f64::NAN.to_bits() & !SIGN
    } else {
        (value + 0.0).to_bits()
    };
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn float_of_word(word: u64) -> f64 {
    f64::from_bits(if word & SIGN == 0 { !word } else { word ^ SIGN })
}

/// The same buffer under another type of equal width.
fn reinterpreted(array: &ArrayRef, data_type: DataType) -> Result<ArrayRef> {
    let data = array
        .to_data()
        .into_builder()
        .data_type(data_type)
        .build()?;
    Ok(make_array(data))
}

fn words<T: ArrowPrimitiveType>(array: &ArrayRef, word: impl Fn(T::Native) -> u64) -> Vec<u64> {
    let values = array.as_primitive::<T>().values();
    values.iter().map(|value| word(*value)).collect()
}

fn natives<'a, T: ArrowPrimitiveType>(
    keys: impl Iterator<Item = Option<&'a u64>>,
    native: impl Fn(u64) -> Option<T::Native>,
) -> ArrayRef {
    let values: PrimitiveArray<T> = keys.map(|key| key.and_then(|key| native(*key))).collect();
    Arc::new(values)
}

impl Domain for Word {
    type Ref = u64;
    type Key = u64;
    type Column = Vec<u64>;

    fn column(&self, array: &ArrayRef) -> Result<Vec<u64>> {
        Ok(match array.data_type() {
            DataType::Boolean => {
                let values = array.as_boolean().values();
                values.iter().map(u64::from).collect()
            }
            DataType::UInt8 => words::<UInt8Type>(array, u64::from),
            DataType::UInt16 => words::<UInt16Type>(array, u64::from),
            DataType::UInt32 => words::<UInt32Type>(array, u64::from),
            DataType::UInt64 => words::<UInt64Type>(array, |value| value),
            DataType::Int8 => words::<Int8Type>(array, |value| word_of_int(value.into())),
            DataType::Int16 => words::<Int16Type>(array, |value| word_of_int(value.into())),
            DataType::Float32 => words::<Float32Type>(array, |value| word_of_float(value.into())),
            DataType::Float64 => words::<Float64Type>(array, word_of_float),
            other if other.primitive_width() == Some(4) => {
                let array = reinterpreted(array, DataType::Int32)?;
                words::<Int32Type>(&array, |value| word_of_int(value.into()))
            }
            other if other.primitive_width() == Some(8) => {
                let array = reinterpreted(array, DataType::Int64)?;
                words::<Int64Type>(&array, word_of_int)
            }
            other => return exec_err!("values of type {other} do not fit in 64 bits"),
        })
    }

    fn with<R>(&self, column: &Vec<u64>, row: usize, use_key: impl FnOnce(&u64) -> R) -> R {
        use_key(&column[row])
    }

    fn array<'a>(&self, keys: impl ExactSizeIterator<Item = Option<&'a u64>>) -> Result<ArrayRef> {
        Ok(match &self.data_type {
            DataType::Boolean => {
                let values: BooleanArray = keys.map(|key| key.map(|key| *key != 0)).collect();
                Arc::new(values)
            }
            DataType::UInt8 => natives::<UInt8Type>(keys, |word| word.try_into().ok()),
            DataType::UInt16 => natives::<UInt16Type>(keys, |word| word.try_into().ok()),
            DataType::UInt32 => natives::<UInt32Type>(keys, |word| word.try_into().ok()),
            DataType::UInt64 => natives::<UInt64Type>(keys, Some),
            DataType::Int8 => natives::<Int8Type>(keys, |word| int_of_word(word).try_into().ok()),
            DataType::Int16 => natives::<Int16Type>(keys, |word| int_of_word(word).try_into().ok()),
            DataType::Float32 =>
            {
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "the word was made of a number of 32 bits"
                )]
                natives::<Float32Type>(keys, |word| Some(float_of_word(word) as f32))
            }
            DataType::Float64 => natives::<Float64Type>(keys, |word| Some(float_of_word(word))),
            other if other.primitive_width() == Some(4) => {
                let ints = natives::<Int32Type>(keys, |word| int_of_word(word).try_into().ok());
                reinterpreted(&ints, other.clone())?
            }
            other => {
                let ints = natives::<Int64Type>(keys, |word| Some(int_of_word(word)));
                reinterpreted(&ints, other.clone())?
            }
        })
    }

    fn heap_bytes(_key: &u64) -> usize {
        0
    }
}

/// Strings in any of the three encodings.
#[derive(Debug)]
pub(crate) struct Text {
    data_type: DataType,
}

/// An array of strings.
pub(crate) enum Strings {
    Small(StringArray),
    Large(LargeStringArray),
    View(StringViewArray),
}

impl Text {
    pub(crate) fn new(data_type: &DataType) -> Self {
        Self {
            data_type: data_type.clone(),
        }
    }
}

impl Strings {
    pub(crate) fn of(array: &ArrayRef) -> Result<Self> {
        match array.data_type() {
            DataType::Utf8 => Ok(Self::Small(array.as_string().clone())),
            DataType::LargeUtf8 => Ok(Self::Large(array.as_string().clone())),
            DataType::Utf8View => Ok(Self::View(array.as_string_view().clone())),
            other => exec_err!("not an array of strings: {other}"),
        }
    }

    pub(crate) fn value(&self, row: usize) -> &str {
        match self {
            Self::Small(array) => array.value(row),
            Self::Large(array) => array.value(row),
            Self::View(array) => array.value(row),
        }
    }
}

/// Strings in the encoding that `data_type` asks for.
///
/// # Errors
///
/// When they are more than an encoding with 32-bit offsets can hold.
pub(crate) fn string_array<'a>(
    data_type: &DataType,
    function: &str,
    values: impl Iterator<Item = Option<&'a str>> + Clone,
) -> Result<ArrayRef> {
    Ok(match data_type {
        DataType::LargeUtf8 => Arc::new(values.collect::<LargeStringArray>()),
        DataType::Utf8View => {
            if values
                .clone()
                .flatten()
                .any(|text| u32::try_from(text.len()).is_err())
            {
                return exec_err!("`{function}` makes a string of more than 4 GiB");
            }
            Arc::new(values.collect::<StringViewArray>())
        }
        _ => {
            let bytes: usize = values.clone().flatten().map(str::len).sum();
            if i32::try_from(bytes).is_err() {
                return exec_err!(
                    "`{function}` makes more than 2 GiB of strings in one batch, which Utf8 cannot \
                     hold: cast its argument with arrow_cast(..., 'LargeUtf8')"
                );
            }
            Arc::new(values.collect::<StringArray>())
        }
    })
}

impl Domain for Text {
    type Ref = str;
    type Key = String;
    type Column = Strings;

    fn column(&self, array: &ArrayRef) -> Result<Strings> {
        Strings::of(array)
    }

    fn with<R>(&self, column: &Strings, row: usize, use_key: impl FnOnce(&str) -> R) -> R {
        use_key(column.value(row))
    }

    fn array<'a>(
        &self,
        keys: impl ExactSizeIterator<Item = Option<&'a String>>,
    ) -> Result<ArrayRef> {
        let keys: Vec<Option<&str>> = keys.map(|key| key.map(String::as_str)).collect();
        string_array(&self.data_type, "an aggregate", keys.iter().copied())
    }

    fn heap_bytes(key: &String) -> usize {
        key.capacity()
    }
}

/// Values of any type that the engine can sort, in its row format: bytes in the order of the values,
/// nulls inside of them last.
#[derive(Debug)]
pub(crate) struct Encoded {
    converter: RowConverter,
    null: OwnedRow,
}

/// A value in the row format.
type Bytes = [u8];

impl Encoded {
    /// # Errors
    ///
    /// When values of the type cannot be sorted.
    pub(crate) fn new(data_type: &DataType) -> Result<Self> {
        let options = SortOptions {
            descending: false,
            nulls_first: false,
        };
        let field = SortField::new_with_options(data_type.clone(), options);
        let converter = RowConverter::new(vec![field])?;
        let null = converter
            .convert_columns(&[new_null_array(data_type, 1)])?
            .row(0)
            .owned();
        Ok(Self { converter, null })
    }
}

impl Domain for Encoded {
    type Ref = Bytes;
    type Key = Vec<u8>;
    type Column = Rows;

    fn column(&self, array: &ArrayRef) -> Result<Rows> {
        Ok(self.converter.convert_columns(&[Arc::clone(array)])?)
    }

    fn with<R>(&self, column: &Rows, row: usize, use_key: impl FnOnce(&Bytes) -> R) -> R {
        use_key(column.row(row).data())
    }

    fn array<'a>(
        &self,
        keys: impl ExactSizeIterator<Item = Option<&'a Vec<u8>>>,
    ) -> Result<ArrayRef> {
        let parser = self.converter.parser();
        let rows = keys.map(|key| match key {
            Some(key) => parser.parse(key),
            None => self.null.row(),
        });
        let columns = self.converter.convert_rows(rows)?;
        let column = columns.into_iter().next();
        column.ok_or_else(|| DataFusionError::Internal("the row format lost a column".to_owned()))
    }

    fn heap_bytes(key: &Vec<u8>) -> usize {
        key.capacity()
    }
}

/// The rows that hold a value.
#[derive(Debug)]
pub(crate) struct Validity(Option<NullBuffer>);

impl Validity {
    /// Of an array, also where its encoding hides the nulls.
    pub(crate) fn of(array: &dyn Array) -> Self {
        Self(array.logical_nulls().filter(|nulls| nulls.null_count() > 0))
    }

    pub(crate) fn is_valid(&self, row: usize) -> bool {
        self.0.as_ref().is_none_or(|nulls| nulls.is_valid(row))
    }
}

/// The greater or, if `least`, the lesser of two.
pub(crate) fn wins<T: Ord + ?Sized>(challenger: &T, holder: &T, least: bool) -> Ordering {
    let order = challenger.cmp(holder);
    if least { order.reverse() } else { order }
}

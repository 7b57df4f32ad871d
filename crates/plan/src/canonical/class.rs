//! What is known about the type of an expression, as far as equal meanings depend on it.

use datafusion_common::arrow::datatypes::DataType;

/// A type whose operators are known to the last bit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Class {
    /// Nothing is known, or the operators depend on the order of their sides: floats, whose values
    /// that are not numbers keep a part of the first operand.
    #[default]
    Other,
    /// One of the integers.
    Integer(u8),
    /// A decimal of any precision and scale.
    Decimal,
    /// A type of which two values are equal or not, and nothing else.
    Plain(u8),
}

impl Class {
    pub(super) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Int8 => Self::Integer(0),
            DataType::Int16 => Self::Integer(1),
            DataType::Int32 => Self::Integer(2),
            DataType::Int64 => Self::Integer(3),
            DataType::UInt8 => Self::Integer(4),
            DataType::UInt16 => Self::Integer(5),
            DataType::UInt32 => Self::Integer(6),
            DataType::UInt64 => Self::Integer(7),
            DataType::Decimal32(_, _)
            | DataType::Decimal64(_, _)
            | DataType::Decimal128(_, _)
            | DataType::Decimal256(_, _) => Self::Decimal,
            DataType::Boolean => Self::Plain(0),
            DataType::Utf8 => Self::Plain(1),
            DataType::LargeUtf8 => Self::Plain(2),
            DataType::Utf8View => Self::Plain(3),
            DataType::Date32 => Self::Plain(4),
            DataType::Date64 => Self::Plain(5),
            DataType::Null
            | DataType::Float16
            | DataType::Float32
            | DataType::Float64
            | DataType::Timestamp(_, _)
            | DataType::Time32(_)
            | DataType::Time64(_)
            | DataType::Duration(_)
            | DataType::Interval(_)
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
            | DataType::Map(_, _)
            | DataType::RunEndEncoded(_, _) => Self::Other,
        }
    }

    /// Whether equality of two values of the class is the same in every expression.
    pub(super) fn is_comparable(self) -> bool {
        match self {
            Self::Integer(_) | Self::Decimal | Self::Plain(_) => true,
            Self::Other => false,
        }
    }
}

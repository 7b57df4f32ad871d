//! The bytes of text and binary data of every encoding, read in place.

use arrow::array::{
    Array, AsArray, BinaryArray, BinaryViewArray, FixedSizeBinaryArray, LargeBinaryArray,
};
use arrow::datatypes::DataType;
use datafusion_common::{Result, exec_err};
use datafusion_expr::{Coercion, EncodingPreservation, TypeSignatureClass};

use super::{Texts, is_text};

/// An array of text or binary data that is no dictionary.
#[derive(Debug)]
pub(crate) enum Bytes {
    Text(Texts),
    Small(BinaryArray),
    Large(LargeBinaryArray),
    View(BinaryViewArray),
    Fixed(FixedSizeBinaryArray),
}

impl Bytes {
    /// An argument that takes binary data, of any encoding.
    pub(crate) fn argument() -> Coercion {
        Coercion::new_exact(TypeSignatureClass::Binary)
            .with_encoding_preservation(EncodingPreservation::dictionary())
    }

    /// Reads an array of text or binary data.
    pub(crate) fn of(array: &dyn Array) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Binary => Self::Small(array.as_binary().clone()),
            DataType::LargeBinary => Self::Large(array.as_binary().clone()),
            DataType::BinaryView => Self::View(array.as_binary_view().clone()),
            DataType::FixedSizeBinary(_) => Self::Fixed(array.as_fixed_size_binary().clone()),
            text if is_text(text) => Self::Text(Texts::of(array)?),
            DataType::Dictionary(_, values) => {
                return Self::of(&arrow::compute::cast(array, values)?);
            }
            other => return exec_err!("expected text or binary data, found {other}"),
        })
    }

    /// The bytes at an index. Where it is null, they have no meaning.
    #[inline]
    pub(crate) fn value(&self, index: usize) -> &[u8] {
        match self {
            Self::Text(texts) => texts.value(index).as_bytes(),
            Self::Small(array) => array.value(index),
            Self::Large(array) => array.value(index),
            Self::View(array) => array.value(index),
            Self::Fixed(array) => array.value(index),
        }
    }

    /// The array without its type.
    pub(crate) fn array(&self) -> &dyn Array {
        match self {
            Self::Text(texts) => texts.array(),
            Self::Small(array) => array,
            Self::Large(array) => array,
            Self::View(array) => array,
            Self::Fixed(array) => array,
        }
    }
}

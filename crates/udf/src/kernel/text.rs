//! Text of every encoding, read in place.

use arrow::array::{Array, ArrayRef, AsArray, LargeStringArray, StringArray, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion_common::types::logical_string;
use datafusion_common::{Result, exec_err};
use datafusion_expr::{Coercion, EncodingPreservation, TypeSignatureClass};

/// An argument that takes text, of any encoding, and leaves the encoding as it is.
pub(crate) fn text() -> Coercion {
    Coercion::new_exact(TypeSignatureClass::Native(logical_string()))
        .with_encoding_preservation(EncodingPreservation::dictionary())
}

/// Whether values of a type are text, or always null.
pub(crate) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => true,
        DataType::Dictionary(_, values) => is_text(values),
        DataType::RunEndEncoded(_, values) => is_text(values.data_type()),
        _ => false,
    }
}

/// An array of text. Dictionaries and runs are unpacked, in the engine's kernel.
#[derive(Debug)]
pub(crate) enum Texts {
    Utf8(StringArray),
    Large(LargeStringArray),
    View(StringViewArray),
}

impl Texts {
    /// Reads an array for which [`is_text`] is true.
    pub(crate) fn of(array: &dyn Array) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Utf8 => Self::Utf8(array.as_string().clone()),
            DataType::LargeUtf8 => Self::Large(array.as_string().clone()),
            DataType::Utf8View => Self::View(array.as_string_view().clone()),
            DataType::Null => Self::Utf8(StringArray::new_null(array.len())),
            DataType::Dictionary(_, values) if is_text(values) => {
                return Self::of(&cast(array, values)?);
            }
            DataType::RunEndEncoded(_, values) if is_text(values.data_type()) => {
                return Self::of(&cast(array, values.data_type())?);
            }
            other => return exec_err!("expected text, found {other}"),
        })
    }

    /// The text at an index. Where it is null, the text has no meaning.
    #[inline]
    pub(crate) fn value(&self, index: usize) -> &str {
        match self {
            Self::Utf8(array) => array.value(index),
            Self::Large(array) => array.value(index),
            Self::View(array) => array.value(index),
        }
    }

    /// The text at an index, unless it is null.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&str> {
        (!self.array().is_null(index)).then(|| self.value(index))
    }

    /// The array without its type.
    pub(crate) fn array(&self) -> &dyn Array {
        match self {
            Self::Utf8(array) => array,
            Self::Large(array) => array,
            Self::View(array) => array,
        }
    }
}

/// Applies a kernel to the values of a dictionary, each once, and keeps the keys; `None` if the array
/// is no dictionary, or has more values than rows.
///
/// The kernel gives one value for each value, of the same type.
pub(crate) fn on_dictionary(
    array: &ArrayRef,
    kernel: impl FnOnce(&ArrayRef) -> Result<ArrayRef>,
) -> Result<Option<ArrayRef>> {
    match array.as_any_dictionary_opt() {
        Some(dictionary) if dictionary.values().len() <= dictionary.len() => {
            let values = kernel(dictionary.values())?;
            Ok(Some(dictionary.with_values(values)))
        }
        Some(_) | None => Ok(None),
    }
}

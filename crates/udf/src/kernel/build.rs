//! Text columns of a wanted encoding, built row by row.

use std::sync::Arc;

use arrow::array::{ArrayRef, LargeStringBuilder, StringBuilder, StringViewBuilder};
use arrow::datatypes::DataType;
use datafusion_common::{Result, exec_err};

/// Builds a column of text.
#[derive(Debug)]
pub(crate) enum TextBuilder {
    Utf8(StringBuilder),
    Large(LargeStringBuilder),
    View(StringViewBuilder),
}

impl TextBuilder {
    /// A builder of a type of text, with room for so many rows and bytes.
    pub(crate) fn new(data_type: &DataType, rows: usize, bytes: usize) -> Result<Self> {
        Ok(match data_type {
            DataType::Utf8 => Self::Utf8(StringBuilder::with_capacity(rows, bytes)),
            DataType::LargeUtf8 => Self::Large(LargeStringBuilder::with_capacity(rows, bytes)),
            DataType::Utf8View => Self::View(StringViewBuilder::with_capacity(rows)),
            other => return exec_err!("cannot build text of type {other}"),
        })
    }

    /// Adds a row.
    ///
    /// # Errors
    ///
    /// When the column is longer than its type can hold.
    #[inline]
    pub(crate) fn push(&mut self, text: Option<&str>) -> Result<()> {
        match self {
            Self::Utf8(builder) => {
                let bytes = builder.values_slice().len() + text.map_or(0, str::len);
                if i32::try_from(bytes).is_err() {
                    return exec_err!(
                        "the text of one batch is longer than 2 GiB: make batches smaller"
                    );
                }
                builder.append_option(text);
            }
            Self::Large(builder) => builder.append_option(text),
            Self::View(builder) => match text {
                Some(text) => builder.try_append_value(text)?,
                None => builder.append_null(),
            },
        }
        Ok(())
    }

    /// The column.
    pub(crate) fn finish(self) -> ArrayRef {
        match self {
            Self::Utf8(mut builder) => Arc::new(builder.finish()),
            Self::Large(mut builder) => Arc::new(builder.finish()),
            Self::View(mut builder) => Arc::new(builder.finish()),
        }
    }
}

//! Text columns of digests in hexadecimal digits.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use datafusion_common::{Result, exec_datafusion_err};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Collects rows of text whose bytes are written in place.
pub(crate) struct HexColumn {
    bytes: Vec<u8>,
    ends: Vec<i32>,
}

impl HexColumn {
    /// Makes room for so many rows of so many bytes.
    pub(crate) fn with_capacity(rows: usize, row_bytes: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Self {
            bytes: Vec::with_capacity(rows.saturating_mul(row_bytes)),
            ends,
        }
    }

    /// Adds text to the row at hand.
    #[inline]
    pub(crate) fn text(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Adds bytes to the row at hand, two lower-case digits for each.
    #[inline]
    pub(crate) fn hex<const N: usize>(&mut self, bytes: [u8; N]) {
        for byte in bytes {
            let pair = [
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ];
            self.bytes.extend_from_slice(&pair);
        }
    }

    /// Ends the row at hand.
    ///
    /// # Errors
    ///
    /// When the column is longer than 2 GiB.
    #[inline]
    pub(crate) fn end_row(&mut self) -> Result<()> {
        let end = i32::try_from(self.bytes.len()).map_err(|_| {
            exec_datafusion_err!("the text of one batch is longer than 2 GiB: make batches smaller")
        })?;
        self.ends.push(end);
        Ok(())
    }

    /// The column. Rows that `nulls` marks are null.
    pub(crate) fn finish(self, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        let array = StringArray::try_new(ends, Buffer::from_vec(self.bytes), nulls)?;
        Ok(Arc::new(array))
    }
}

//! A hash of a result as a multiset of rows.

use std::sync::{Mutex, PoisonError};

use codeanatomy_vocab::{Error, Result};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::row::{RowConverter, SortField};

use crate::codes;

/// The version of the hash, written before it.
const FORMAT: &str = "rows1";

/// Hashes a result without regard to the order of its rows or their division into batches.
///
/// Each row is encoded by Arrow's row format, which is injective for rows of one schema, and hashed
/// with BLAKE3; the 256-bit hashes of all rows are added modulo 2^256. The result hash is the BLAKE3
/// hash of the schema's fingerprint, the number of rows and that sum, so two results have the same
/// hash only if they have the same schema and the same rows as often.
///
/// `-0.0` and `0.0` are different values here, and so are NaNs of different bits.
#[derive(Debug)]
pub(crate) struct ResultHash {
    schema: SchemaRef,
    total: Mutex<Total>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Total {
    rows: u64,
    sum: Sum,
}

/// A number modulo 2^256, the least significant word first.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Sum([u64; 4]);

impl ResultHash {
    pub(crate) fn new(schema: SchemaRef) -> Self {
        Self {
            schema,
            total: Mutex::default(),
        }
    }

    /// Adds the rows of a batch. Batches may come from several threads at once.
    ///
    /// # Errors
    ///
    /// [`INTERNAL`](codes::INTERNAL) for a type that the row format does not know, which no Delta
    /// table can hold.
    pub(crate) fn add(&self, batch: &RecordBatch) -> Result<()> {
        let part = Total::of(batch).map_err(|error| {
            Error::new(codes::INTERNAL, "the rows of a result cannot be hashed")
                .with_source(error)
                .with_help("this is a defect of CodeAnatomy: please report it")
        })?;
        let mut total = self.total.lock().unwrap_or_else(PoisonError::into_inner);
        total.rows += part.rows;
        total.sum.add(&part.sum.to_bytes());
        Ok(())
    }

    /// The hash of all rows added: a format name, a colon, and 64 hexadecimal digits.
    pub(crate) fn finish(&self) -> String {
        let total = *self.total.lock().unwrap_or_else(PoisonError::into_inner);
        let mut hasher = blake3::Hasher::new();
        hasher.update(codeanatomy_schema::fingerprint(&shape(&self.schema)).as_bytes());
        hasher.update(&total.rows.to_le_bytes());
        hasher.update(&total.sum.to_bytes());
        format!("{FORMAT}:{}", hasher.finalize().to_hex())
    }
}

impl Total {
    fn of(batch: &RecordBatch) -> Result<Self, ArrowError> {
        let mut total = Self {
            rows: batch.num_rows() as u64,
            sum: Sum::default(),
        };
        if batch.num_columns() > 0 {
            let fields = batch
                .schema_ref()
                .fields()
                .iter()
                .map(|field| SortField::new(field.data_type().clone()))
                .collect();
            // A converter of its own for each batch keeps batches independent of each other.
            let rows = RowConverter::new(fields)?.convert_columns(batch.columns())?;
            for row in rows.iter() {
                total.sum.add(blake3::hash(row.as_ref()).as_bytes());
            }
        }
        Ok(total)
    }
}

impl Sum {
    fn add(&mut self, bytes: &[u8; 32]) {
        let mut carry = false;
        for (word, bytes) in self.0.iter_mut().zip(bytes.as_chunks::<8>().0) {
            let (sum, first) = word.overflowing_add(u64::from_le_bytes(*bytes));
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *word = sum;
            carry = first || second;
        }
    }

    fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (target, word) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(self.0) {
            *target = word.to_le_bytes();
        }
        bytes
    }
}

/// Names and types alone: whether a column could hold nulls is no part of the rows.
fn shape(schema: &Schema) -> Schema {
    Schema::new(
        schema
            .fields()
            .iter()
            .map(|field| {
                field
                    .as_ref()
                    .clone()
                    .with_nullable(true)
                    .with_metadata([].into())
            })
            .collect::<Vec<_>>(),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{Float64Array, Int64Array, StringArray};

    use super::*;

    fn hash(batches: &[RecordBatch]) -> String {
        let hash = ResultHash::new(batches[0].schema());
        for batch in batches {
            hash.add(batch).unwrap();
        }
        hash.finish()
    }

    fn batch(numbers: &[Option<i64>], texts: &[Option<&str>]) -> RecordBatch {
        RecordBatch::try_from_iter_with_nullable([
            ("n", Arc::new(Int64Array::from(numbers.to_vec())) as _, true),
            ("t", Arc::new(StringArray::from(texts.to_vec())) as _, true),
        ])
        .unwrap()
    }

    #[test]
    fn the_order_of_rows_and_batches_does_not_count() {
        let whole = batch(&[Some(1), None, Some(3)], &[Some("a"), Some(""), None]);
        let turned = batch(&[Some(3), Some(1), None], &[None, Some("a"), Some("")]);
        assert_eq!(hash(std::slice::from_ref(&whole)), hash(&[turned]));
        assert_eq!(
            hash(&[whole.slice(0, 1), whole.slice(1, 2)]),
            hash(&[whole])
        );
    }

    #[test]
    fn everything_else_counts() {
        let base = batch(&[Some(1), Some(2)], &[Some("a"), Some("b")]);
        let others = [
            batch(&[Some(1), Some(2)], &[Some("b"), Some("a")]),
            batch(
                &[Some(1), Some(2), Some(2)],
                &[Some("a"), Some("b"), Some("b")],
            ),
            batch(&[Some(1), None], &[Some("a"), Some("b")]),
            batch(&[Some(1), Some(2)], &[Some("a"), None]),
            batch(&[Some(1)], &[Some("a")]),
            batch(&[], &[]),
        ];
        let mut hashes: Vec<String> = others
            .iter()
            .map(|b| hash(std::slice::from_ref(b)))
            .collect();
        hashes.push(hash(&[base]));
        let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
        assert_eq!(distinct.len(), hashes.len());
    }

    #[test]
    fn the_sum_carries_over_words() {
        let mut sum = Sum([u64::MAX, u64::MAX, 7, 0]);
        let mut one = [0; 32];
        one[0] = 1;
        sum.add(&one);
        assert_eq!(sum, Sum([0, 0, 8, 0]));
    }

    #[test]
    fn floats_are_hashed_by_their_bits() {
        let float = |value: f64| {
            let array = Arc::new(Float64Array::from(vec![value])) as _;
            hash(&[RecordBatch::try_from_iter([("f", array)]).unwrap()])
        };
        assert_ne!(float(0.0), float(-0.0));
        assert_eq!(float(f64::NAN), float(f64::NAN));
    }
}

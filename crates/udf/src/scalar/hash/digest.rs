//! BLAKE3, and the digests made of it. `docs/specs/functions-hash.md` is normative.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::buffer::NullBuffer;
use arrow::compute::take;
use arrow::datatypes::DataType;
use datafusion_common::{Result, plan_err};
use datafusion_expr::{ReturnFieldArgs, Signature, TypeSignature, Volatility};

use super::encoding::Encoding;
use crate::Call;
use crate::kernel::{Bytes, HexColumn, Texts, is_text, text};

/// The first 64 bits of the BLAKE3 hash of some bytes.
#[inline]
pub(super) fn hash64(bytes: &[u8]) -> [u8; 8] {
    first(blake3::hash(bytes))
}

/// The first 128 bits of the BLAKE3 hash of some bytes.
#[inline]
pub(in crate::scalar) fn hash128(bytes: &[u8]) -> [u8; 16] {
    first(blake3::hash(bytes))
}

#[inline]
fn first<const N: usize>(hash: blake3::Hash) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(&hash.as_bytes()[..N]);
    bytes
}

/// The hashes of text or binary data as whole numbers.
pub(super) fn numbers(array: &ArrayRef) -> Result<Int64Array> {
    if let Some(dictionary) = array.as_any_dictionary_opt()
        && dictionary.values().len() <= dictionary.len()
    {
        let hashes: ArrayRef = Arc::new(numbers(dictionary.values())?);
        return Ok(take(&hashes, dictionary.keys(), None)?
            .as_primitive()
            .clone());
    }
    // One loop for each encoding: the choice is not made for each row.
    Ok(match Bytes::of(array)? {
        Bytes::Text(Texts::Utf8(array)) => of_each(&array, |row| array.value(row).as_bytes()),
        Bytes::Text(Texts::Large(array)) => of_each(&array, |row| array.value(row).as_bytes()),
        Bytes::Text(Texts::View(array)) => of_each(&array, |row| array.value(row).as_bytes()),
        Bytes::Small(array) => of_each(&array, |row| array.value(row)),
        Bytes::Large(array) => of_each(&array, |row| array.value(row)),
        Bytes::View(array) => of_each(&array, |row| array.value(row)),
        Bytes::Fixed(array) => of_each(&array, |row| array.value(row)),
    })
}

fn of_each<'a>(array: &dyn Array, value: impl Fn(usize) -> &'a [u8]) -> Int64Array {
    let hash = |row| i64::from_be_bytes(hash64(value(row)));
    let hashes = match array.nulls() {
        None => (0..array.len()).map(hash).collect(),
        Some(nulls) => (0..array.len())
            .map(|row| if nulls.is_null(row) { 0 } else { hash(row) })
            .collect::<Vec<i64>>(),
    };
    Int64Array::new(hashes.into(), array.nulls().cloned())
}

/// Text or binary data, alone.
pub(super) fn one_value() -> Signature {
    Signature::one_of(
        vec![
            TypeSignature::Coercible(vec![text()]),
            TypeSignature::Coercible(vec![Bytes::argument()]),
        ],
        Volatility::Immutable,
    )
}

/// A prefix, and text or binary data.
pub(super) fn prefix_and_value() -> Signature {
    Signature::one_of(
        vec![
            TypeSignature::Coercible(vec![text(), text()]),
            TypeSignature::Coercible(vec![text(), Bytes::argument()]),
        ],
        Volatility::Immutable,
    )
}

/// Checks that there is a prefix and something after it.
///
/// # Errors
///
/// When there is not.
pub(super) fn check_parts(name: &str, args: &ReturnFieldArgs) -> Result<()> {
    match args.arg_fields {
        [prefix, _, ..] if is_text(prefix.data_type()) => Ok(()),
        [prefix, _, ..] => plan_err!(
            "{name} takes text as its prefix, found {}: cast it to text",
            prefix.data_type()
        ),
        _ => plan_err!("{name} takes a prefix and at least one part"),
    }
}

/// Rows of `prefix:digits`, the digits of the hash of the second argument's bytes.
pub(super) fn prefixed<const N: usize>(
    call: &Call,
    hash: impl Fn(&[u8]) -> [u8; N],
) -> Result<ArrayRef> {
    let value = Bytes::of(&call.columns[1].array)?;
    let nulls = call.any_null();
    rows(call, nulls, |row, column| {
        column.hex(hash(value.value(call.columns[1].at(row))));
    })
}

/// Rows of `prefix:digits`, the digits of the hash of the encoded arguments after the first.
pub(super) fn prefixed_parts<const N: usize>(
    call: &Call,
    hash: impl Fn(&[u8]) -> [u8; N],
) -> Result<ArrayRef> {
    let parts = encodings(&call.columns[1..])?;
    let nulls = call.columns[0].nulls(call.rows);
    prefixed_bytes(call, nulls, hash, |row, bytes| {
        for (part, source) in parts.iter().zip(&call.columns[1..]) {
            part.write(source.at(row), bytes);
        }
    })
}

/// Rows of `prefix:digits`, the digits of the hash of what `write` writes for a row.
///
/// The first argument is the prefix. Rows that `nulls` marks are null and not asked for.
pub(in crate::scalar) fn prefixed_bytes<const N: usize>(
    call: &Call,
    nulls: Option<NullBuffer>,
    hash: impl Fn(&[u8]) -> [u8; N],
    mut write: impl FnMut(usize, &mut Vec<u8>),
) -> Result<ArrayRef> {
    let mut bytes = Vec::new();
    rows(call, nulls, |row, column| {
        bytes.clear();
        write(row, &mut bytes);
        column.hex(hash(&bytes));
    })
}

/// Rows that start with the text of the first argument and a colon.
fn rows(
    call: &Call,
    nulls: Option<NullBuffer>,
    mut write: impl FnMut(usize, &mut HexColumn),
) -> Result<ArrayRef> {
    const ROW_BYTES: usize = 48;
    let prefix = Texts::of(&call.columns[0].array)?;
    let mut column = HexColumn::with_capacity(call.rows, ROW_BYTES);
    for row in 0..call.rows {
        if !nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            column.text(prefix.value(call.columns[0].at(row)));
            column.text(":");
            write(row, &mut column);
        }
        column.end_row()?;
    }
    column.finish(nulls)
}

/// How each argument is written.
pub(super) fn encodings(columns: &[crate::Column]) -> Result<Vec<Encoding>> {
    let columns = columns.iter();
    columns.map(|column| Encoding::of(&column.array)).collect()
}

/// The type of digests as text.
pub(super) const TEXT: DataType = DataType::Utf8;

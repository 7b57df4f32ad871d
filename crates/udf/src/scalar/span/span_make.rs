//! `span_make`: a span from its start and its end.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion_common::Result;
use datafusion_common::types::{logical_boolean, logical_int64};
use datafusion_expr::{Coercion, Signature, TypeSignature, TypeSignatureClass, Volatility};

use super::SPAN_NOTE;
use crate::kernel::gives;
use crate::span::{collect_spans, is_valid, span_type};
use crate::{Call, Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    let integer = || {
        Coercion::new_implicit(
            TypeSignatureClass::Native(logical_int64()),
            vec![TypeSignatureClass::Integer],
            logical_int64().native().clone(),
        )
    };
    let boolean = Coercion::new_exact(TypeSignatureClass::Native(logical_boolean()));
    RowFunction {
        name: "span_make",
        aliases: Vec::new(),
        version: 1,
        signature: Signature::one_of(
            vec![
                TypeSignature::Coercible(vec![integer(), integer()]),
                TypeSignature::Coercible(vec![integer(), integer(), integer()]),
                TypeSignature::Coercible(vec![integer(), integer(), integer(), boolean]),
            ],
            Volatility::Immutable,
        ),
        strict: true,
        returns: |_| Ok(gives(span_type(), true)),
        kernel: make,
        docs: &DOCS,
    }
    .entry()
}

fn make(call: &Call) -> Result<ArrayRef> {
    let numbers = call.columns[..call.columns.len().min(3)]
        .iter()
        .map(|column| {
            let array = cast(&column.array, &DataType::Int64)?;
            Ok(array.as_primitive::<Int64Type>().clone())
        })
        .collect::<Result<Vec<_>>>()?;
    let exclusive = match call.columns.get(3) {
        Some(column) => Some(cast(&column.array, &DataType::Boolean)?),
        None => None,
    };
    let number = |argument: usize, row: usize| -> Option<i64> {
        let index = call.columns[argument].at(row);
        let array = &numbers[argument];
        array.is_valid(index).then(|| array.value(index))
    };
    collect_spans((0..call.rows).map(|row| {
        let base = if numbers.len() > 2 {
            number(2, row)?
        } else {
            0
        };
        let exclusive = match &exclusive {
            Some(array) => {
                let index = call.columns[3].at(row);
                let array = array.as_boolean();
                array.is_valid(index).then(|| array.value(index))?
            }
            None => true,
        };
        let start = number(0, row)?.checked_sub(base)?;
        let end = number(1, row)?.checked_sub(base)?;
        let end = end.checked_add(i64::from(!exclusive))?;
        is_valid(start, end).then_some((start, end))
    }))
}

static DOCS: Docs = Docs {
    section: "span",
    summary: "A span from its start and its end.",
    syntax: "span_make(start, end [, base [, end_exclusive]])",
    arguments: &[
        ("start", "The first position, a whole number."),
        ("end", "The first position after it, a whole number."),
        (
            "base",
            "The number of the first position of all, 0 unless given: 1 where positions are counted from 1.",
        ),
        (
            "end_exclusive",
            "`false` where `end` is the last position that belongs to it; `true` unless given.",
        ),
    ],
    returns: "`Struct(start Int64, end Int64)`, counted from 0 and with an exclusive end whatever the arguments say; null \
              where an argument is null, where it would start below 0, and where it would end before it starts.",
    notes: &[SPAN_NOTE],
    examples: &[
        Example {
            sql: "SELECT span_make(3, 8)",
            rows: &["{start: 3, end: 8}"],
        },
        Example {
            sql: "SELECT span_make(1, 5, 1, false)",
            rows: &["{start: 0, end: 5}"],
        },
        Example {
            sql: "SELECT span_make(8, 3)",
            rows: &["NULL"],
        },
    ],
};

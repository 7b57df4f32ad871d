//! `col_to_byte`: the byte at which a column of a line starts.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type};
use datafusion_common::types::logical_int64;
use datafusion_common::{Result, exec_datafusion_err, plan_err};
use datafusion_expr::{
    Coercion, ReturnFieldArgs, Signature, TypeSignature, TypeSignatureClass, Volatility,
};

use crate::kernel::{Texts, gives, literal, text};
use crate::{Call, Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    let integer = || {
        Coercion::new_implicit(
            TypeSignatureClass::Native(logical_int64()),
            vec![TypeSignatureClass::Integer],
            logical_int64().native().clone(),
        )
    };
    RowFunction {
        name: "col_to_byte",
        aliases: Vec::new(),
        version: 1,
        signature: Signature::one_of(
            vec![
                TypeSignature::Coercible(vec![text(), integer()]),
                TypeSignature::Coercible(vec![text(), integer(), text()]),
            ],
            Volatility::Immutable,
        ),
        strict: true,
        returns,
        kernel: to_byte,
        docs: &DOCS,
    }
    .entry()
}

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Utf8,
    Utf16,
    Utf32,
}

impl Unit {
    fn parse(name: &str) -> Option<Self> {
        const UNITS: [(&str, Unit); 3] = [
            ("utf8", Unit::Utf8),
            ("utf16", Unit::Utf16),
            ("utf32", Unit::Utf32),
        ];
        let found = UNITS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, unit)| *unit)
    }

    /// Where a column starts, if one starts there.
    fn byte(self, line: &str, column: usize) -> Option<usize> {
        if self == Self::Utf8 || line.is_ascii() {
            return (column <= line.len() && line.is_char_boundary(column)).then_some(column);
        }
        let mut columns = 0;
        for (byte, character) in line.char_indices() {
            if columns >= column {
                return (columns == column).then_some(byte);
            }
            columns += match self {
                Self::Utf16 => character.len_utf16(),
                Self::Utf8 | Self::Utf32 => 1,
            };
        }
        (columns == column).then_some(line.len())
    }
}

fn returns(args: &ReturnFieldArgs) -> Result<Field> {
    if let Some(name) = literal(args, 2)
        && Unit::parse(name).is_none()
    {
        return plan_err!("col_to_byte knows the units utf8, utf16 and utf32, found `{name}`");
    }
    Ok(gives(DataType::Int64, true))
}

fn to_byte(call: &Call) -> Result<ArrayRef> {
    let lines = Texts::of(&call.columns[0].array)?;
    let columns = cast(&call.columns[1].array, &DataType::Int64)?;
    let columns = columns.as_primitive::<Int64Type>();
    let units = match call.columns.get(2) {
        Some(column) => Texts::of(&column.array)?,
        None => Texts::Utf8(StringArray::from(vec!["utf32"])),
    };
    let byte = |row: usize| -> Result<Option<i64>> {
        let index = call.columns[1].at(row);
        let unit = units.get(call.columns.get(2).map_or(0, |column| column.at(row)));
        let line = lines.get(call.columns[0].at(row));
        let (Some(line), Some(unit), true) = (line, unit, columns.is_valid(index)) else {
            return Ok(None);
        };
        let unit = Unit::parse(unit).ok_or_else(|| {
            exec_datafusion_err!(
                "col_to_byte knows the units utf8, utf16 and utf32, found `{unit}`"
            )
        })?;
        let column = usize::try_from(columns.value(index)).ok();
        let byte = column.and_then(|column| unit.byte(line, column));
        Ok(byte.and_then(|byte| i64::try_from(byte).ok()))
    };
    let bytes = (0..call.rows).map(byte).collect::<Result<Int64Array>>()?;
    Ok(Arc::new(bytes))
}

static DOCS: Docs = Docs {
    section: "position",
    summary: "The byte of a line at which a column starts.",
    syntax: "col_to_byte(line, column [, unit])",
    arguments: &[
        ("line", "The text of the line, of any encoding."),
        ("column", "A column counted from 0, a whole number."),
        (
            "unit",
            "What a column is: `utf32` (unless given) for code points, `utf16` for 16-bit units as editors count, `utf8` for bytes.",
        ),
    ],
    returns: "Int64, a byte of the line's UTF-8 counted from 0; null where an argument is null, the column is past the end of the \
              line (the end itself has one), and where it is within a character.",
    notes: &[],
    examples: &[
        Example {
            sql: "SELECT col_to_byte('é = 1', 2)",
            rows: &["3"],
        },
        Example {
            sql: "SELECT col_to_byte('😀x', 2, 'utf16') AS utf16, col_to_byte('😀x', 1, 'utf16') AS within",
            rows: &["4 | NULL"],
        },
    ],
};

//! `utf8_normalize`: text in a normal form of Unicode.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion_common::types::logical_boolean;
use datafusion_common::{Result, plan_err};
use datafusion_expr::{Coercion, Signature, TypeSignature, TypeSignatureClass, Volatility};

use super::UNICODE_NOTE;
use super::form::{Form, Options};
use crate::kernel::{TextBuilder, Texts, gives, literal, nullable, on_dictionary, text};
use crate::{Call, Column, Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    let boolean = || Coercion::new_exact(TypeSignatureClass::Native(logical_boolean()));
    RowFunction {
        name: "utf8_normalize",
        aliases: Vec::new(),
        version: 1,
        signature: Signature::one_of(
            vec![
                TypeSignature::Coercible(vec![text()]),
                TypeSignature::Coercible(vec![text(), text()]),
                TypeSignature::Coercible(vec![text(), text(), boolean()]),
                TypeSignature::Coercible(vec![text(), text(), boolean(), boolean()]),
            ],
            Volatility::Immutable,
        ),
        strict: true,
        returns: |args| {
            if let Some(name) = literal(args, 1)
                && let Err(error) = Form::parse(name)
            {
                return plan_err!("{}", error.strip_backtrace());
            }
            let data_type = args.arg_fields[0].data_type().clone();
            Ok(gives(data_type, nullable(args)))
        },
        kernel: normalize,
        docs: &DOCS,
    }
    .entry()
}

fn normalize(call: &Call) -> Result<ArrayRef> {
    let [text, options @ ..] = call.columns else {
        return plan_err!("utf8_normalize takes a text");
    };
    if !options.iter().all(Column::is_constant) {
        return by_row(call);
    }
    if options.iter().any(|option| option.nulls(1).is_some()) {
        return Ok(arrow::array::new_null_array(call.return_type, call.rows));
    }
    let options = RowOptions::of(options)?.at(0)?;
    let array = match on_dictionary(&text.array, |values| in_form(values, options))? {
        Some(array) => array,
        None => in_form(&text.array, options)?,
    };
    // A dictionary of more values than rows was unpacked.
    Ok(if array.data_type() == call.return_type {
        array
    } else {
        cast(&array, call.return_type)?
    })
}

/// All texts of an array in one form. Where that changes nothing, the array itself.
fn in_form(array: &ArrayRef, options: Options) -> Result<ArrayRef> {
    let texts = Texts::of(array)?;
    let ascii = match &texts {
        Texts::Utf8(array) => array.is_ascii(),
        Texts::Large(array) => array.is_ascii(),
        Texts::View(array) => array.is_ascii(),
    };
    let rows = texts.array().len();
    let is_done = || (0..rows).all(|row| texts.get(row).is_none_or(|text| options.holds(text)));
    if options.keep_ascii() && (ascii || is_done()) {
        return Ok(Arc::clone(array));
    }
    let bytes = texts.array().get_buffer_memory_size();
    let mut builder = TextBuilder::new(texts.array().data_type(), rows, bytes)?;
    for row in 0..rows {
        match texts.get(row) {
            Some(text) => builder.push(Some(&options.apply(text)))?,
            None => builder.push(None)?,
        }
    }
    Ok(builder.finish())
}

/// A call whose options are columns.
fn by_row(call: &Call) -> Result<ArrayRef> {
    let texts = Texts::of(&call.columns[0].array)?;
    let options = RowOptions::of(&call.columns[1..])?;
    let nulls = call.any_null();
    let mut builder = TextBuilder::new(texts.array().data_type(), call.rows, 0)?;
    for row in 0..call.rows {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            builder.push(None)?;
            continue;
        }
        let text = texts.value(call.columns[0].at(row));
        builder.push(Some(&options.at(row)?.apply(text)))?;
    }
    Ok(cast(&builder.finish(), call.return_type)?)
}

/// The arguments after the text.
struct RowOptions<'a> {
    columns: &'a [Column],
    form: Option<Texts>,
    flags: Vec<ArrayRef>,
}

impl<'a> RowOptions<'a> {
    fn of(columns: &'a [Column]) -> Result<Self> {
        let form = columns.first().map(|column| Texts::of(&column.array));
        let flags = columns.iter().skip(1);
        Ok(Self {
            columns,
            form: form.transpose()?,
            flags: flags
                .map(|column| Ok(cast(&column.array, &DataType::Boolean)?))
                .collect::<Result<_>>()?,
        })
    }

    /// The options of a row in which none is null.
    fn at(&self, row: usize) -> Result<Options> {
        let flag = |index: usize| match self.flags.get(index) {
            Some(array) => array.as_boolean().value(self.columns[index + 1].at(row)),
            None => false,
        };
        Ok(Options {
            form: match &self.form {
                Some(names) => Form::parse(names.value(self.columns[0].at(row)))?,
                None => Form::Nfc,
            },
            fold_case: flag(0),
            collapse_space: flag(1),
        })
    }
}

static DOCS: Docs = Docs {
    section: "text",
    summary: "Text in a normal form of Unicode, if wanted without differences of letter case and white space.",
    syntax: "utf8_normalize(text [, form [, fold_case [, collapse_space]]])",
    arguments: &[
        ("text", "Text of any encoding."),
        (
            "form",
            "`NFC` (unless given), `NFD`, `NFKC`, `NFKD`, or `NONE` to leave the form.",
        ),
        (
            "fold_case",
            "`true` for full case folding, so that `Straße` and `STRASSE` are equal; `false` unless given.",
        ),
        (
            "collapse_space",
            "`true` to make each run of white space one space, and to remove it from both ends; `false` unless given.",
        ),
    ],
    returns: "The type of the text; null where an argument is null.",
    notes: &[
        UNICODE_NOTE,
        "With case folding, canonical forms are made as definition D145 of the Unicode Standard says, compatible ones as D146. \
         White space is what has the property `White_Space`. Applying the function again changes nothing.",
        "Text that is ASCII only, or in its form already, is not copied.",
    ],
    examples: &[
        Example {
            sql: "SELECT utf8_normalize('ﬁne', 'NFKC')",
            rows: &["fine"],
        },
        Example {
            sql: "SELECT utf8_normalize('  Grüne   STRASSE ', 'NFKC', true, true) = utf8_normalize('grüne straße', 'NFKC', true) AS same",
            rows: &["true"],
        },
    ],
};

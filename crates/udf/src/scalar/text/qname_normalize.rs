//! `qname_normalize`: a dotted qualified name in one spelling.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;
use datafusion_common::Result;
use datafusion_expr::{Signature, TypeSignature, Volatility};

use super::UNICODE_NOTE;
use super::form::{Form, Options};
use crate::kernel::{TextBuilder, Texts, gives, text};
use crate::{Call, Docs, Entry, Example, RowFunction};

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "qname_normalize",
        aliases: Vec::new(),
        version: 1,
        signature: Signature::one_of(
            vec![
                TypeSignature::Coercible(vec![text()]),
                TypeSignature::Coercible(vec![text(), text()]),
            ],
            Volatility::Immutable,
        ),
        strict: false,
        returns: |_| Ok(gives(DataType::Utf8, true)),
        kernel: normalize,
        docs: &DOCS,
    }
    .entry()
}

fn normalize(call: &Call) -> Result<ArrayRef> {
    let symbols = Texts::of(&call.columns[0].array)?;
    let modules = call.columns.get(1);
    let module_texts = match modules {
        Some(column) => Texts::of(&column.array)?,
        None => Texts::Utf8(StringArray::new_null(1)),
    };
    let mut builder = TextBuilder::new(&DataType::Utf8, call.rows, 0)?;
    let (mut name, mut module) = (String::new(), String::new());
    for row in 0..call.rows {
        let Some(symbol) = symbols.get(call.columns[0].at(row)) else {
            builder.push(None)?;
            continue;
        };
        join(symbol, &mut name);
        if name.is_empty() {
            builder.push(None)?;
            continue;
        }
        let index = modules.map_or(0, |column| column.at(row));
        join(module_texts.get(index).unwrap_or(""), &mut module);
        if !module.is_empty() && !starts_with(&name, &module) {
            module.push('.');
            module.push_str(&name);
            std::mem::swap(&mut name, &mut module);
        }
        builder.push(Some(&name))?;
    }
    Ok(Arc::new(builder.finish()))
}

/// The segments of a name, joined with dots.
fn join(text: &str, name: &mut String) {
    const OPTIONS: Options = Options {
        form: Form::Nfkc,
        fold_case: false,
        collapse_space: true,
    };
    name.clear();
    let separator = |character| matches!(character, '.' | ':' | '/' | '\\' | '#');
    for segment in OPTIONS.apply(text).split(separator) {
        let segment = segment.trim();
        if segment.is_empty() {
            continue;
        }
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(segment);
    }
}

/// Whether a name is the module or something in it.
fn starts_with(name: &str, module: &str) -> bool {
    name.strip_prefix(module)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

static DOCS: Docs = Docs {
    section: "text",
    summary: "A qualified name in one spelling, its segments joined with dots.",
    syntax: "qname_normalize(symbol [, module])",
    arguments: &[
        (
            "symbol",
            "A name of code, of any encoding: `Class.method`, `crate::module::Type`, `pkg/module#name`.",
        ),
        (
            "module",
            "The qualified name of what the symbol is in. It is put before the symbol, unless the symbol starts with it.",
        ),
    ],
    returns: "Utf8; null where the symbol is null or has no segment. A null module is none.",
    notes: &[
        "Segments are separated by `.`, `:`, `/`, `\\` and `#`; empty ones are dropped. The name is brought to NFKC, in which Python \
         compares identifiers, white space at the ends of segments is removed, and letter case is kept.",
        UNICODE_NOTE,
    ],
    examples: &[
        Example {
            sql: "SELECT qname_normalize('Order::total', 'shop/model')",
            rows: &["shop.model.Order.total"],
        },
        Example {
            sql: "SELECT qname_normalize('shop.model.Order', 'shop.model')",
            rows: &["shop.model.Order"],
        },
    ],
};

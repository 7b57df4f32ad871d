//! `semantic_tag`: a value whose field says what it means.

use std::sync::Arc;

use arrow::datatypes::Field;
use datafusion_common::{Result, plan_err};
use datafusion_expr::{ReturnFieldArgs, Signature, Volatility};

use crate::kernel::literal;
use crate::{Docs, Entry, Example, RowFunction};

/// The metadata key that holds the tag.
const KEY: &str = "codeanatomy.semantic_tag";

pub(crate) fn entry() -> Entry {
    RowFunction {
        name: "semantic_tag",
        aliases: Vec::new(),
        version: 1,
        signature: Signature::any(2, Volatility::Immutable),
        strict: false,
        returns,
        kernel: |call| {
            let value = &call.columns[1];
            Ok(if value.is_constant() && call.rows != 1 {
                arrow::compute::take(
                    &value.array,
                    &arrow::array::UInt64Array::from(vec![0; call.rows]),
                    None,
                )?
            } else {
                Arc::clone(&value.array)
            })
        },
        docs: &DOCS,
    }
    .entry()
}

fn returns(args: &ReturnFieldArgs) -> Result<Field> {
    let value = &args.arg_fields[1];
    let mut metadata = value.metadata().clone();
    // Asked for the type alone, there are no literals.
    if let Some(tag) = args.scalar_arguments[0] {
        match literal(args, 0) {
            Some(tag) if !tag.trim().is_empty() => metadata.insert(KEY.to_owned(), tag.to_owned()),
            Some(_) | None => {
                return plan_err!("semantic_tag takes a text that says something, found {tag}");
            }
        };
    } else if !crate::kernel::is_text(args.arg_fields[0].data_type()) {
        return plan_err!("semantic_tag takes a literal text as argument 1");
    }
    Ok(value.as_ref().clone().with_metadata(metadata))
}

static DOCS: Docs = Docs {
    section: "metadata",
    summary: "The value itself, in a field whose metadata says what it means.",
    syntax: "semantic_tag(tag, value)",
    arguments: &[
        (
            "tag",
            "A literal text that is not blank, for example `unit:ms` or `pii:email`.",
        ),
        ("value", "Any expression."),
    ],
    returns: "The values, type and nullability of `value`; other metadata stays, another tag is replaced.",
    notes: &[
        "The tag is kept under `codeanatomy.semantic_tag` and read with `arrow_metadata`. It is part of the plan's identity.",
    ],
    examples: &[Example {
        sql: "SELECT semantic_tag('unit:ms', 5) AS elapsed",
        rows: &["5"],
    }],
};

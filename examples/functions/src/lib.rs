//! A library of one function, `net_price`, as any crate can bring it.

use std::sync::Arc;

use arrow::array::{AsArray, Int64Array};
use arrow::datatypes::{DataType::Int64, Field, Int64Type};
use codeanatomy_udf::{Docs, Example, Library, RowFunction};
use codeanatomy_vocab::Result;
use datafusion_expr::{Signature, Volatility};

static DOCS: Docs = Docs {
    section: "shop",
    summary: "The price in cents without value-added tax of 19 percent, rounded towards zero.",
    syntax: "net_price(gross)",
    arguments: &[("gross", "The price in cents with tax, Int64.")],
    returns: "Int64; null where the price is.",
    notes: &[],
    examples: &[Example::new("SELECT net_price(119)", &["100"])],
};

/// The functions of this crate.
pub fn library() -> Result<Library> {
    let net_price = RowFunction {
        name: "net_price",
        aliases: Vec::new(),
        version: 1,
        signature: Signature::exact(vec![Int64], Volatility::Immutable),
        strict: true,
        returns: |args| Ok(Field::new("", Int64, args.arg_fields[0].is_nullable())),
        kernel: |call| {
            let gross = call.columns[0].array.as_primitive::<Int64Type>();
            let net: Int64Array = gross.unary(|cents| cents / 119 * 100 + cents % 119 * 100 / 119);
            Ok(Arc::new(net))
        },
        docs: &DOCS,
    };
    Library::new("functions-example").with(net_price.entry())
}

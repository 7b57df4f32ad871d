//! What a function gives, and the literals that decide it.

use arrow::datatypes::{DataType, Field};
use datafusion_expr::ReturnFieldArgs;

/// A result of a type.
pub(crate) fn gives(data_type: DataType, nullable: bool) -> Field {
    Field::new("", data_type, nullable)
}

/// Whether any of the arguments may be null.
pub(crate) fn nullable(args: &ReturnFieldArgs) -> bool {
    args.arg_fields.iter().any(|field| field.is_nullable())
}

/// The text of an argument that is a literal.
pub(crate) fn literal<'a>(args: &ReturnFieldArgs<'a>, index: usize) -> Option<&'a str> {
    let value = args.scalar_arguments.get(index).copied().flatten()?;
    value.try_as_str().flatten()
}

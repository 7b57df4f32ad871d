//! Scalar functions whose result for a row depends on that row alone, as values.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::{
    ColumnarValue, Documentation, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDFImpl, Signature,
};

use crate::{Docs, Entry};

/// A pure function of the values of one row: what it takes, what it gives, and the kernel.
///
/// Constants stay constants: the kernel sees them once, and a call of constants alone gives a
/// constant, which the planner computes. Whatever must differ from that is an ordinary
/// `ScalarUDFImpl`.
///
/// # Example: how is a function added?
///
/// ```
/// use std::sync::Arc;
///
/// use arrow::array::{ArrayRef, AsArray, Int64Array};
/// use arrow::datatypes::{DataType, Field, Int64Type};
/// use codeanatomy_udf::{Call, Docs, Example, RowFunction};
/// use datafusion_common::Result;
/// use datafusion_expr::{ReturnFieldArgs, Signature, Volatility};
///
/// static DOCS: Docs = Docs {
///     section: "shop",
///     summary: "The price after a discount of a tenth.",
///     syntax: "sale_price(price)",
///     arguments: &[("price", "The price in cents, Int64.")],
///     returns: "Int64, rounded down; null where the price is.",
///     notes: &[],
///     examples: &[Example { sql: "SELECT sale_price(200)", rows: &["180"] }],
/// };
///
/// fn sale_price(call: &Call) -> Result<ArrayRef> {
///     let prices = call.columns[0].array.as_primitive::<Int64Type>();
///     let sale: Int64Array = prices.unary(|cents| cents - cents / 10);
///     Ok(Arc::new(sale))
/// }
///
/// let entry = RowFunction {
///     name: "sale_price",
///     aliases: Vec::new(),
///     version: 1,
///     signature: Signature::exact(vec![DataType::Int64], Volatility::Immutable),
///     strict: true,
///     returns: |args: &ReturnFieldArgs| {
///         Ok(Field::new("", DataType::Int64, args.arg_fields[0].is_nullable()))
///     },
///     kernel: sale_price,
///     docs: &DOCS,
/// }
/// .entry();
/// assert_eq!(entry.name(), "sale_price");
/// ```
#[derive(Debug)]
pub struct RowFunction {
    /// The name under which it is called, in lower case.
    pub name: &'static str,
    /// Other names.
    pub aliases: Vec<String>,
    /// Raised whenever any input gives another output.
    pub version: u32,
    /// What it takes, with its volatility.
    pub signature: Signature,
    /// Whether one null among the arguments makes the result null.
    pub strict: bool,
    /// The type, nullability and metadata of the result. The name of the field is replaced.
    pub returns: fn(&ReturnFieldArgs) -> Result<Field>,
    /// Computes the results of a call.
    pub kernel: fn(&Call) -> Result<ArrayRef>,
    /// Its documentation.
    pub docs: &'static Docs,
}

/// One call over a batch.
#[derive(Debug)]
pub struct Call<'a> {
    /// The arguments in order.
    pub columns: &'a [Column],
    /// How many values the kernel has to give.
    pub rows: usize,
    /// The type that the kernel has to give.
    pub return_type: &'a DataType,
}

/// An argument: one value for each row, or one value for all rows.
#[derive(Debug)]
pub struct Column {
    /// As many values as rows, or one.
    pub array: ArrayRef,
    constant: bool,
}

impl RowFunction {
    /// The line of the manifest.
    pub fn entry(self) -> Entry {
        let (version, docs) = (self.version, *self.docs);
        let function = Function {
            documentation: docs.documentation(),
            definition: self,
        };
        Entry::scalar(function, version, docs)
    }
}

impl Call<'_> {
    /// The rows in which any of the arguments is null.
    pub fn any_null(&self) -> Option<NullBuffer> {
        self.columns.iter().fold(None, |nulls, column| {
            NullBuffer::union(nulls.as_ref(), column.nulls(self.rows).as_ref())
        })
    }
}

impl Column {
    /// The index in the array of the value of a row.
    #[inline]
    pub fn at(&self, row: usize) -> usize {
        if self.constant { 0 } else { row }
    }

    /// Whether it is one value for all rows.
    pub fn is_constant(&self) -> bool {
        self.constant
    }

    /// Which rows are null, of a call over so many rows.
    pub fn nulls(&self, rows: usize) -> Option<NullBuffer> {
        // An array of type null has no bitmap, and a dictionary may have nulls among its values.
        match (self.array.logical_nulls(), self.constant) {
            (Some(nulls), false) => Some(nulls),
            (Some(nulls), true) if nulls.is_null(0) => Some(NullBuffer::new_null(rows)),
            (Some(_), true) | (None, _) => None,
        }
    }
}

/// A [`RowFunction`] as the engine takes it.
#[derive(Debug)]
struct Function {
    definition: RowFunction,
    documentation: Documentation,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        let (this, other) = (&self.definition, &other.definition);
        this.name == other.name
            && this.version == other.version
            && this.signature == other.signature
            && std::ptr::fn_addr_eq(this.kernel, other.kernel)
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.definition.name.hash(state);
        self.definition.version.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.definition.name
    }

    fn aliases(&self) -> &[String] {
        &self.definition.aliases
    }

    fn signature(&self) -> &Signature {
        &self.definition.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        let fields: Vec<FieldRef> = arg_types
            .iter()
            .map(|data_type| Arc::new(Field::new("", data_type.clone(), true)))
            .collect();
        let args = ReturnFieldArgs {
            arg_fields: &fields,
            scalar_arguments: &vec![None; fields.len()],
        };
        (self.definition.returns)(&args).map(|field| field.data_type().clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        let field = (self.definition.returns)(&args)?;
        Ok(Arc::new(field.with_name(self.definition.name)))
    }

    fn is_strict(&self) -> bool {
        self.definition.strict
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let constant = |value: &ColumnarValue| matches!(value, ColumnarValue::Scalar(_));
        let all_constant = args.args.iter().all(constant);
        let rows = if all_constant { 1 } else { args.number_rows };
        let columns = args
            .args
            .into_iter()
            .map(|value| {
                let constant = constant(&value);
                let array = value.into_array(1)?;
                Ok(Column { array, constant })
            })
            .collect::<Result<Vec<_>>>()?;
        let call = Call {
            columns: &columns,
            rows,
            return_type: args.return_field.data_type(),
        };
        let result = (self.definition.kernel)(&call)?;
        if all_constant {
            ScalarValue::try_from_array(&result, 0).map(ColumnarValue::Scalar)
        } else {
            Ok(ColumnarValue::Array(result))
        }
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}

//! The tables that random queries read, and rows for them.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray,
    RecordBatch, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields, Int64Type, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;

use super::rng::Rng;
use super::{Column, Type};

/// A table of the grammar.
#[derive(Debug, Clone)]
pub struct QueryTable {
    /// Its name.
    pub name: &'static str,
    /// Its columns.
    pub schema: SchemaRef,
}

/// The tables: `t` has a column of every type, `u` shares names with it, `v` is a tree.
pub fn tables() -> Vec<QueryTable> {
    let table = |name, fields: Vec<Field>| QueryTable {
        name,
        schema: Arc::new(Schema::new(fields)),
    };
    let int = |name: &str| Field::new(name, DataType::Int64, true);
    let key = |name: &str| Field::new(name, DataType::Int64, false);
    let of = |name: &str, data_type| Field::new(name, data_type, true);
    let micros = DataType::Timestamp(TimeUnit::Microsecond, None);
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()));
    vec![
        table(
            "t",
            vec![
                key("k"),
                int("a"),
                int("b"),
                of("c", DataType::Utf8),
                of("d", DataType::Float64),
                of("e", DataType::Decimal128(15, 2)),
                of("flag", DataType::Boolean),
                of("day", DataType::Date32),
                of("ts", micros),
                of("tz", utc),
                of("list", DataType::new_list(DataType::Int64, true)),
                of("s", DataType::Struct(struct_fields())),
            ],
        ),
        table(
            "u",
            vec![
                key("k"),
                int("a"),
                int("b"),
                of("c", DataType::Utf8),
                of("day", DataType::Date32),
                of("flag", DataType::Boolean),
            ],
        ),
        table(
            "v",
            vec![key("id"), int("parent"), of("w", DataType::Float64)],
        ),
    ]
}

impl QueryTable {
    /// Rows with many nulls, few values and a key without repetition.
    ///
    /// # Errors
    ///
    /// None for the tables of this module; arrays are checked against the schema.
    pub fn random_batch(&self, seed: u64, n_rows: usize) -> Result<RecordBatch, ArrowError> {
        let mut rng = Rng::new(seed, 1);
        let columns = self
            .schema
            .fields()
            .iter()
            .map(|field| column(field, n_rows, &mut rng))
            .collect();
        RecordBatch::try_new(Arc::clone(&self.schema), columns)
    }

    /// The columns under the alias of a table.
    pub(super) fn columns(&self, alias: &str) -> Vec<Column> {
        self.schema
            .fields()
            .iter()
            .map(|field| Column {
                sql: format!("{alias}.{}", field.name()),
                of: type_of(field),
            })
            .collect()
    }
}

fn struct_fields() -> Fields {
    Fields::from(vec![
        Field::new("x", DataType::Int64, true),
        Field::new("y", DataType::Utf8, true),
    ])
}

fn type_of(field: &Field) -> Type {
    match field.data_type() {
        DataType::Int64 => Type::Int,
        DataType::Float64 => Type::Float,
        DataType::Decimal128(_, _) => Type::Decimal,
        DataType::Boolean => Type::Bool,
        DataType::Date32 => Type::Date,
        DataType::Timestamp(_, None) => Type::Time,
        DataType::Timestamp(_, Some(_)) => Type::Instant,
        DataType::List(_) => Type::List,
        DataType::Struct(_) => Type::Struct,
        _ => Type::Text,
    }
}

fn column(field: &Field, n_rows: usize, rng: &mut Rng) -> ArrayRef {
    let count = i64::try_from(n_rows).unwrap_or(i64::MAX);
    if !field.is_nullable() {
        return Arc::new(Int64Array::from_iter_values(0..count));
    }
    match type_of(field) {
        Type::Int => Arc::new(values(n_rows, rng, |rng| small(rng) - 2).collect::<Int64Array>()),
        Type::Float => {
            let numbers = [0.0, 0.5, 1.0, -1.5, 2.25, 100.0];
            Arc::new(values(n_rows, rng, |rng| rng.pick(&numbers)).collect::<Float64Array>())
        }
        Type::Decimal => {
            let numbers = values(n_rows, rng, |rng| i128::from(small(rng)) * 125 - 300);
            Arc::new(
                numbers
                    .collect::<Decimal128Array>()
                    .with_data_type(field.data_type().clone()),
            )
        }
        Type::Text => {
            let texts = ["", "x", "X", "xy", "x_y", "100%", "ab", "7"];
            Arc::new(values(n_rows, rng, |rng| rng.pick(&texts)).collect::<StringArray>())
        }
        Type::Bool => {
            Arc::new(values(n_rows, rng, |rng| rng.percent(50)).collect::<BooleanArray>())
        }
        Type::Date => {
            let days = [19_000, 19_001, 19_031, 19_400, 0, -1];
            Arc::new(values(n_rows, rng, |rng| rng.pick(&days)).collect::<Date32Array>())
        }
        Type::Time | Type::Instant => {
            let times = values(n_rows, rng, |rng| {
                1_650_000_000_000_000 + small(rng) * 3_600_000_000 + small(rng)
            });
            Arc::new(
                times
                    .collect::<TimestampMicrosecondArray>()
                    .with_data_type(field.data_type().clone()),
            )
        }
        Type::List => {
            let lists: Vec<Option<Vec<Option<i64>>>> = values(n_rows, rng, |rng| {
                let length = rng.below(4);
                values(length, rng, small).collect()
            })
            .collect();
            Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists))
        }
        Type::Struct => {
            let validity: Vec<bool> = (0..n_rows).map(|_| rng.percent(75)).collect();
            let fields = struct_fields();
            let columns = fields
                .iter()
                .map(|field| column(field, n_rows, rng))
                .collect();
            Arc::new(StructArray::new(
                fields,
                columns,
                Some(NullBuffer::from(validity)),
            ))
        }
    }
}

fn small(rng: &mut Rng) -> i64 {
    i64::try_from(rng.below(6)).unwrap_or(0)
}

/// Values of which a fourth is null.
fn values<'r, T: 'r>(
    n_rows: usize,
    rng: &'r mut Rng,
    mut value: impl FnMut(&mut Rng) -> T + 'r,
) -> impl Iterator<Item = Option<T>> + 'r {
    (0..n_rows).map(move |_| (!rng.percent(25)).then(|| value(rng)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_fit_their_tables() {
        for table in tables() {
            for n_rows in [0, 1, 9] {
                let batch = table.random_batch(3, n_rows).unwrap();
                assert_eq!(batch.num_rows(), n_rows);
                assert_eq!(batch, table.random_batch(3, n_rows).unwrap());
            }
        }
    }
}

//! Where the columns of a table are: in its files, or beside them as partition values.

use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use codeanatomy_vocab::{Error, Result};
use datafusion_common::ScalarValue;

use crate::active::ActiveFile;
use crate::columns::Definitions;
use crate::values::partition_value;
use crate::{TableLocation, codes};

/// The columns of a table by their place.
#[derive(Debug, Clone)]
pub(crate) struct Placement {
    /// All columns, in the order of the table.
    pub(crate) schema: SchemaRef,
    /// Columns that are in the files.
    pub(crate) in_files: Vec<PlacedColumn>,
    /// Columns that have one value in all rows of a file, in the order of partitioning.
    pub(crate) beside: Vec<PlacedColumn>,
}

/// A column, and the name that files, statistics and partition values use for it.
#[derive(Debug, Clone)]
pub(crate) struct PlacedColumn {
    pub(crate) field: FieldRef,
    pub(crate) name: String,
    /// Whether it is no column of the table, but the path of the file.
    pub(crate) is_path: bool,
}

impl Placement {
    pub(crate) fn new(
        location: &TableLocation,
        schema: &SchemaRef,
        partition_by: &[String],
        definitions: &Definitions,
    ) -> Result<Self> {
        let columns: Vec<PlacedColumn> = schema
            .fields()
            .iter()
            .zip(definitions.names_in_files())
            .map(|(field, name)| PlacedColumn {
                field: FieldRef::clone(field),
                name,
                is_path: false,
            })
            .collect();
        let beside = partition_by
            .iter()
            .map(|column| {
                let found = columns.iter().find(|placed| placed.field.name() == column);
                found.cloned().ok_or_else(|| no_column(column, location))
            })
            .collect::<Result<_>>()?;
        let in_files = columns
            .into_iter()
            .filter(|placed| !partition_by.contains(placed.field.name()))
            .collect();
        Ok(Self {
            schema: SchemaRef::clone(schema),
            in_files,
            beside,
        })
    }

    /// The same columns, and one at the end that holds the path of each row's file.
    pub(crate) fn with_path(&self, name: &str) -> Self {
        let field = FieldRef::new(Field::new(name, DataType::Utf8, false));
        let mut fields = self.schema.fields().to_vec();
        fields.push(FieldRef::clone(&field));
        let mut placement = self.clone();
        placement.schema = SchemaRef::new(Schema::new(fields));
        placement.beside.push(PlacedColumn {
            field,
            name: name.to_owned(),
            is_path: true,
        });
        placement
    }

    /// The columns of the files.
    pub(crate) fn file_schema(&self) -> SchemaRef {
        SchemaRef::new(Schema::new(fields(&self.in_files)))
    }

    /// The partition columns.
    pub(crate) fn partition_schema(&self) -> SchemaRef {
        SchemaRef::new(Schema::new(fields(&self.beside)))
    }

    /// The partition values of a file; `Err` with the column whose text is none of its values.
    pub(crate) fn partition_values(&self, file: &ActiveFile) -> Result<Vec<ScalarValue>, &Field> {
        self.beside
            .iter()
            .map(|placed| {
                if placed.is_path {
                    return Ok(ScalarValue::Utf8(Some(file.path.clone())));
                }
                partition_value(self.partition_text(file, placed), &placed.field)
                    .ok_or(placed.field.as_ref())
            })
            .collect()
    }

    fn partition_text<'a>(&self, file: &'a ActiveFile, placed: &PlacedColumn) -> Option<&'a str> {
        file.partition_values.get(&placed.name)
    }

    /// As [`partition_values`](Self::partition_values), for a file that is going to be read.
    pub(crate) fn checked_partition_values(
        &self,
        file: &ActiveFile,
        location: &TableLocation,
    ) -> Result<Vec<ScalarValue>> {
        self.partition_values(file).map_err(|field| {
            let placed = self
                .beside
                .iter()
                .find(|placed| placed.field.name() == field.name());
            let text = placed.and_then(|placed| self.partition_text(file, placed));
            Error::new(
                codes::DAMAGED_TABLE,
                format!(
                    "the log of the Delta table at {location} gives the partition column `{}` a \
                     value that is no {}: `{}`",
                    field.name(),
                    field.data_type(),
                    text.unwrap_or_default()
                ),
            )
            .with("file", &file.path)
            .with_help("correct the value in `_delta_log`, or write the table again")
        })
    }
}

pub(crate) fn fields(columns: &[PlacedColumn]) -> Vec<FieldRef> {
    columns
        .iter()
        .map(|placed| FieldRef::clone(&placed.field))
        .collect()
}

fn no_column(column: &str, location: &TableLocation) -> Error {
    Error::new(
        codes::DAMAGED_TABLE,
        format!(
            "the Delta table at {location} is partitioned by `{column}`, which is none of its columns"
        ),
    )
    .with_help("correct the table's metadata, or write the table again")
}

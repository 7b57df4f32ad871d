//! The eight tables: their names, schemas and rows.

use std::fmt;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Date32Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use codeanatomy_vocab::{Error, Result};
use tpchgen::dates::{MIN_GENERATE_DATE, TOTAL_DATE_RANGE, TPCHDate};
use tpchgen::generators::{
    CustomerGenerator, LineItemGenerator, NationGenerator, OrderGenerator, PartGenerator,
    PartSuppGenerator, RegionGenerator, SupplierGenerator,
};
use tpchgen_arrow::{
    CustomerArrow, LineItemArrow, NationArrow, OrderArrow, PartArrow, PartSuppArrow, RegionArrow,
    SupplierArrow,
};

use crate::codes;

/// A table of TPC-H.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Table {
    /// The five regions.
    Region,
    /// The 25 nations.
    Nation,
    /// 10,000 suppliers for each unit of the scale factor.
    Supplier,
    /// 150,000 customers for each unit.
    Customer,
    /// 200,000 parts for each unit.
    Part,
    /// Four suppliers for each part.
    Partsupp,
    /// 1,500,000 orders for each unit.
    Orders,
    /// One to seven lines for each order.
    Lineitem,
}

/// A column made from a date: its year and month, by which the table is partitioned.
#[derive(Debug, Clone, Copy)]
struct Month {
    name: &'static str,
    date: &'static str,
}

impl Table {
    /// All tables, the small ones first.
    pub const ALL: [Self; 8] = [
        Self::Region,
        Self::Nation,
        Self::Supplier,
        Self::Customer,
        Self::Part,
        Self::Partsupp,
        Self::Orders,
        Self::Lineitem,
    ];

    /// The name in SQL, and of the table's folder.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::Nation => "nation",
            Self::Supplier => "supplier",
            Self::Customer => "customer",
            Self::Part => "part",
            Self::Partsupp => "partsupp",
            Self::Orders => "orders",
            Self::Lineitem => "lineitem",
        }
    }

    /// The columns in the order of the specification; `orders` and `lineitem` end with the month
    /// (`YYYY-MM`, text) of the order or shipping date. No column is nullable. Money and quantities
    /// are `Decimal128(15, 2)`, keys `Int64`, dates `Date32`, text `Utf8`.
    pub fn schema(self) -> SchemaRef {
        let generated = match self {
            Self::Region => RegionArrow::schema_ref(),
            Self::Nation => NationArrow::schema_ref(),
            Self::Supplier => SupplierArrow::schema_ref(),
            Self::Customer => CustomerArrow::schema_ref(),
            Self::Part => PartArrow::schema_ref(),
            Self::Partsupp => PartSuppArrow::schema_ref(),
            Self::Orders => OrderArrow::schema_ref(),
            Self::Lineitem => LineItemArrow::schema_ref(),
        };
        let mut fields: Vec<Field> = generated
            .fields()
            .iter()
            .map(|field| {
                let data_type = match field.data_type() {
                    DataType::Utf8View => DataType::Utf8,
                    other => other.clone(),
                };
                Field::new(field.name(), data_type, false)
            })
            .collect();
        fields.extend(
            self.month()
                .map(|month| Field::new(month.name, DataType::Utf8, false)),
        );
        Arc::new(Schema::new(fields))
    }

    /// The columns by which the Delta table is partitioned.
    pub fn partition_by(self) -> Vec<String> {
        self.month()
            .map(|month| month.name.to_owned())
            .into_iter()
            .collect()
    }

    /// The number of rows at a scale factor; for `lineitem` close to it, because the number of lines
    /// of an order is random.
    pub(crate) fn rows(self, scale: f64) -> u64 {
        let rows = match self {
            Self::Region => 5,
            Self::Nation => 25,
            Self::Supplier => SupplierGenerator::calculate_row_count(scale, 1, 1),
            Self::Customer => CustomerGenerator::calculate_row_count(scale, 1, 1),
            Self::Part => PartGenerator::calculate_row_count(scale, 1, 1),
            Self::Partsupp => 4 * PartGenerator::calculate_row_count(scale, 1, 1),
            Self::Orders => OrderGenerator::calculate_row_count(scale, 1, 1),
            Self::Lineitem => 4 * OrderGenerator::calculate_row_count(scale, 1, 1),
        };
        u64::try_from(rows).unwrap_or_default()
    }

    /// Whether the number of rows does not depend on the scale factor.
    pub(crate) fn is_fixed(self) -> bool {
        matches!(self, Self::Region | Self::Nation)
    }

    /// Rows of part `part` of `parts`, from 1, as one batch in the order of the key; none if the part
    /// has none. `lineitem` is cut between orders.
    ///
    /// # Errors
    ///
    /// [`CA-TPCH-0005`](codes::INTERNAL) when the generator breaks its word.
    pub(crate) fn batch(self, scale: f64, part: i32, parts: i32) -> Result<Option<RecordBatch>> {
        const ALL: usize = usize::MAX;
        let batch = match self {
            Self::Region => RegionArrow::new(RegionGenerator::new(scale, part, parts))
                .with_batch_size(ALL)
                .next(),
            Self::Nation => NationArrow::new(NationGenerator::new(scale, part, parts))
                .with_batch_size(ALL)
                .next(),
            Self::Supplier => SupplierArrow::new(SupplierGenerator::new(scale, part, parts))
                .with_batch_size(ALL)
                .next(),
            Self::Customer => CustomerArrow::new(CustomerGenerator::new(scale, part, parts))
                .with_batch_size(ALL)
                .next(),
            Self::Part => PartArrow::new(PartGenerator::new(scale, part, parts))
                .with_batch_size(ALL)
                .next(),
            Self::Partsupp => PartSuppArrow::new(PartSuppGenerator::new(scale, part, parts))
                .with_batch_size(ALL)
                .next(),
            Self::Orders => OrderArrow::new(OrderGenerator::new(scale, part, parts))
                .with_batch_size(ALL)
                .next(),
            Self::Lineitem => LineItemArrow::new(LineItemGenerator::new(scale, part, parts))
                .with_batch_size(ALL)
                .next(),
        };
        batch
            .transpose()
            .and_then(|batch| batch.map(|batch| self.finished(&batch)).transpose())
            .map_err(|error| {
                Error::new(
                    codes::INTERNAL,
                    "the generated rows do not fit their schema",
                )
                .with("table", self)
                .with_source(error)
            })
    }

    fn month(self) -> Option<Month> {
        match self {
            Self::Orders => Some(Month {
                name: "o_ordermonth",
                date: "o_orderdate",
            }),
            Self::Lineitem => Some(Month {
                name: "l_shipmonth",
                date: "l_shipdate",
            }),
            Self::Region
            | Self::Nation
            | Self::Supplier
            | Self::Customer
            | Self::Part
            | Self::Partsupp => None,
        }
    }

    /// Text as `Utf8`, because Delta has no views, and the month.
    fn finished(self, generated: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let schema = self.schema();
        let mut columns = generated
            .columns()
            .iter()
            .zip(schema.fields())
            .map(|(column, field)| {
                if column.data_type() == field.data_type() {
                    Ok(Arc::clone(column))
                } else {
                    cast(column, field.data_type())
                }
            })
            .collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
        if let Some(month) = self.month() {
            columns.push(months(generated, month)?);
        }
        RecordBatch::try_new(schema, columns)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// `YYYY-MM` of each day that the generator knows, from its first.
static MONTHS: LazyLock<Vec<String>> = LazyLock::new(|| {
    (0..TOTAL_DATE_RANGE)
        .map(|day| {
            let mut date = TPCHDate::new(MIN_GENERATE_DATE + day).to_string();
            date.truncate("YYYY-MM".len());
            date
        })
        .collect()
});

fn months(batch: &RecordBatch, month: Month) -> Result<ArrayRef, ArrowError> {
    let unknown = || ArrowError::ComputeError(format!("a date of {} is out of range", month.date));
    let dates = batch
        .column_by_name(month.date)
        .and_then(|column| column.as_any().downcast_ref::<Date32Array>())
        .ok_or_else(unknown)?;
    let months = dates
        .values()
        .iter()
        .map(|day| {
            usize::try_from(day - TPCHDate::UNIX_EPOCH_OFFSET)
                .ok()
                .and_then(|day| MONTHS.get(day))
                .ok_or_else(unknown)
        })
        .collect::<Result<Vec<_>, ArrowError>>()?;
    Ok(Arc::new(StringArray::from_iter_values(months)))
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::compute::concat_batches;

    use super::*;

    const SCALE: f64 = 0.001;

    #[test]
    fn the_parts_of_a_table_are_the_whole_table() {
        for table in [
            Table::Supplier,
            Table::Partsupp,
            Table::Orders,
            Table::Lineitem,
        ] {
            let whole = table.batch(SCALE, 1, 1).unwrap().unwrap();
            let parts: Vec<_> = (1..=7)
                .filter_map(|part| table.batch(SCALE, part, 7).unwrap())
                .collect();
            assert_eq!(
                concat_batches(&table.schema(), &parts).unwrap(),
                whole,
                "{table}"
            );
        }
    }

    #[test]
    fn the_month_is_the_beginning_of_the_date() {
        let batch = Table::Lineitem.batch(SCALE, 1, 1).unwrap().unwrap();
        let dates = cast(batch.column_by_name("l_shipdate").unwrap(), &DataType::Utf8).unwrap();
        let months = batch
            .column_by_name("l_shipmonth")
            .unwrap()
            .as_string::<i32>();
        for (date, month) in dates.as_string::<i32>().iter().zip(months) {
            assert_eq!(&date.unwrap()[..7], month.unwrap());
        }
    }

    #[test]
    fn every_table_has_the_rows_that_the_scale_factor_promises() {
        for table in Table::ALL {
            let rows = table.batch(SCALE, 1, 1).unwrap().unwrap().num_rows() as u64;
            if table == Table::Lineitem {
                assert!(rows.abs_diff(table.rows(SCALE)) * 20 < rows, "{rows}");
            } else {
                assert_eq!(rows, table.rows(SCALE), "{table}");
            }
        }
    }
}

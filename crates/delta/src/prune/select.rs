//! Which files a filter can leave out.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use datafusion_catalog::Session;
use datafusion_common::pruning::PruningStatistics;
use datafusion_common::{Column, DFSchema, Result, ScalarValue};
use datafusion_expr::Expr;
use datafusion_expr::utils::conjunction;
use datafusion_pruning::PruningPredicateBuilder;

use super::conjunct::column_names;
use crate::active::ActiveFile;
use crate::log_stats::{Bounds, LogStats, RawColumn};
use crate::placement::{PlacedColumn, Placement, fields};

/// For each row of partition values, whether it fulfils all `filters`, which are about partition
/// columns alone.
pub(crate) fn partitions_that_match(
    session: &dyn Session,
    filters: &[Expr],
    fields: &SchemaRef,
    values: &[&[ScalarValue]],
) -> Result<Vec<bool>> {
    let Some(filter) = conjunction(filters.iter().cloned()) else {
        return Ok(vec![true; values.len()]);
    };
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let columns: Vec<ArrayRef> = (0..fields.fields().len())
        .map(|column| ScalarValue::iter_to_array(values.iter().map(|row| row[column].clone())))
        .collect::<Result<_>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(values.len()));
    let batch = RecordBatch::try_new_with_options(nullable(fields), columns, &options)?;
    let schema = DFSchema::try_from(batch.schema())?;
    let expr = session.create_physical_expr(filter, &schema)?;
    let matches = expr.evaluate(&batch)?.into_array(values.len())?;
    Ok(matches
        .as_boolean()
        .iter()
        .map(|matches| matches == Some(true))
        .collect())
}

/// A file with the values that it has in all its rows.
pub(crate) struct Container<'a> {
    pub(crate) file: &'a ActiveFile,
    pub(crate) partition_values: &'a [ScalarValue],
}

/// For each file, whether a row of it may fulfil all `filters`. A filter that says nothing about
/// bounds keeps every file.
pub(crate) fn files_that_may_match(
    session: &dyn Session,
    filters: &[Expr],
    placement: &Placement,
    files: &[Container<'_>],
) -> Vec<bool> {
    let keep_all = vec![true; files.len()];
    let Some(filter) = conjunction(filters.iter().cloned()) else {
        return keep_all;
    };
    let known = Known::of(&column_names(&filter), placement, files);
    let pruned = DFSchema::try_from(Arc::clone(&known.schema))
        .and_then(|df_schema| session.create_physical_expr(filter, &df_schema))
        .and_then(|expr| {
            PruningPredicateBuilder::new()
                .with_file_schema(Arc::clone(&known.schema))
                .try_build(expr)
        })
        .and_then(|predicate| predicate.prune(&known));
    match pruned {
        Ok(kept) => kept,
        Err(error) => {
            tracing::debug!(%error, "files are not pruned by statistics");
            keep_all
        }
    }
}

/// The same columns, all of which may be null: statistics say nothing where they are.
fn nullable(schema: &Schema) -> SchemaRef {
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| field.as_ref().clone().with_nullable(true))
        .collect();
    Arc::new(Schema::new(fields))
}

/// What is known of the columns of a filter, by file.
struct Known {
    /// All columns of the table, so that a filter finds those that it names.
    schema: SchemaRef,
    n_files: usize,
    n_rows: Vec<Option<u64>>,
    columns: Vec<KnownColumn>,
}

struct KnownColumn {
    name: String,
    bounds: Vec<Bounds>,
    null_counts: Vec<Option<u64>>,
}

impl Known {
    fn of(names: &HashSet<String>, placement: &Placement, files: &[Container<'_>]) -> Self {
        let mut all = fields(&placement.in_files);
        all.extend(fields(&placement.beside));
        let in_files: Vec<&PlacedColumn> = placement
            .in_files
            .iter()
            .filter(|placed| names.contains(placed.field.name()))
            .collect();
        let mut columns: Vec<KnownColumn> = in_files
            .iter()
            .map(|placed| KnownColumn::named(placed.field.name(), files.len()))
            .collect();
        let names_in_files: Vec<&str> = in_files.iter().map(|c| c.name.as_str()).collect();
        for container in files {
            let log = LogStats::read(container.file, &names_in_files);
            for ((known, raw), placed) in columns.iter_mut().zip(&log.columns).zip(&in_files) {
                known.add(
                    raw,
                    log.tight,
                    container.file.n_rows,
                    placed.field.data_type(),
                );
            }
        }
        let beside = placement.beside.iter().enumerate();
        columns.extend(
            beside
                .filter(|(_, placed)| names.contains(placed.field.name()))
                .map(|(place, placed)| {
                    let mut known = KnownColumn::named(placed.field.name(), files.len());
                    for container in files {
                        known.add_constant(
                            &container.partition_values[place],
                            container.file.n_rows,
                        );
                    }
                    known
                }),
        );
        Self {
            schema: Arc::new(Schema::new(all)),
            n_files: files.len(),
            n_rows: files
                .iter()
                .map(|container| container.file.n_rows)
                .collect(),
            columns,
        }
    }

    fn column(&self, column: &Column) -> Option<&KnownColumn> {
        self.columns.iter().find(|known| known.name == column.name)
    }

    fn limits(
        &self,
        column: &Column,
        pick: impl Fn(&Bounds) -> Option<&ScalarValue>,
    ) -> Option<ArrayRef> {
        let known = self.column(column)?;
        if known.bounds.iter().all(|bounds| pick(bounds).is_none()) {
            return None;
        }
        let field = self.schema.field_with_name(&column.name).ok()?;
        let null = ScalarValue::try_from(field.data_type()).ok()?;
        let values = known
            .bounds
            .iter()
            .map(|bounds| pick(bounds).unwrap_or(&null).clone());
        ScalarValue::iter_to_array(values).ok()
    }
}

impl KnownColumn {
    fn named(name: &str, n_files: usize) -> Self {
        Self {
            name: name.to_owned(),
            bounds: Vec::with_capacity(n_files),
            null_counts: Vec::with_capacity(n_files),
        }
    }

    /// Adds what the log says of the column in the next file.
    fn add(&mut self, raw: &RawColumn, tight: bool, n_rows: Option<u64>, data_type: &DataType) {
        let is_odd = raw
            .null_count
            .zip(n_rows)
            .is_some_and(|(nulls, rows)| nulls > rows);
        self.bounds.push(if is_odd {
            Bounds::default()
        } else {
            raw.bounds(data_type)
        });
        self.null_counts
            .push(raw.null_count.filter(|_| tight && !is_odd));
    }

    /// Adds the one value of the column in the next file.
    fn add_constant(&mut self, value: &ScalarValue, n_rows: Option<u64>) {
        let bound = (!value.is_null()).then(|| value.clone());
        self.null_counts
            .push(if value.is_null() { n_rows } else { Some(0) });
        self.bounds.push(Bounds {
            lower: bound.clone(),
            upper: bound,
        });
    }
}

impl PruningStatistics for Known {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.limits(column, |bounds| bounds.lower.as_ref())
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.limits(column, |bounds| bounds.upper.as_ref())
    }

    fn num_containers(&self) -> usize {
        self.n_files
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let known = self.column(column)?;
        Some(Arc::new(UInt64Array::from(known.null_counts.clone())))
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        Some(Arc::new(UInt64Array::from(self.n_rows.clone())))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

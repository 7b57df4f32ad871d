//! Which files a filter can leave out.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, UInt64Array};
use arrow_schema::{Schema, SchemaRef};
use datafusion_catalog::Session;
use datafusion_common::pruning::PruningStatistics;
use datafusion_common::stats::Precision;
use datafusion_common::tree_node::TreeNode;
use datafusion_common::{Column, DFSchema, Result, ScalarValue};
use datafusion_expr::Expr;
use datafusion_expr::utils::conjunction;
use datafusion_pruning::PruningPredicateBuilder;

use super::statistics::FileStatistics;

/// Whether a filter is about partition columns alone, so that each file is in or out as a whole.
pub(super) fn is_about_partitions(filter: &Expr, partition_by: &HashSet<&str>) -> bool {
    let columns = filter.column_refs();
    let needs_more = |expr: &Expr| {
        matches!(
            expr,
            Expr::ScalarSubquery(_)
                | Expr::InSubquery(_)
                | Expr::Exists(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..)
                | Expr::Placeholder(_)
        )
    };
    !columns.is_empty()
        && columns
            .iter()
            .all(|column| partition_by.contains(column.name.as_str()))
        && !filter.is_volatile()
        && !filter.exists(|expr| Ok(needs_more(expr))).unwrap_or(true)
}

/// For each file, whether its partition values fulfil all `filters`.
pub(super) fn partitions_that_match(
    session: &dyn Session,
    filters: &[Expr],
    fields: &SchemaRef,
    values: &[&[ScalarValue]],
) -> Result<Vec<bool>> {
    let Some(filter) = conjunction(filters.iter().map(unqualified)) else {
        return Ok(vec![true; values.len()]);
    };
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let columns: Vec<ArrayRef> = (0..fields.fields().len())
        .map(|column| ScalarValue::iter_to_array(values.iter().map(|row| row[column].clone())))
        .collect::<Result<_>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(values.len()));
    let nullable: Vec<_> = fields
        .fields()
        .iter()
        .map(|field| Arc::new(field.as_ref().clone().with_nullable(true)))
        .collect();
    let batch =
        RecordBatch::try_new_with_options(Arc::new(Schema::new(nullable)), columns, &options)?;
    let schema = DFSchema::try_from(batch.schema())?;
    let expr = session.create_physical_expr(filter, &schema)?;
    let matches = expr.evaluate(&batch)?.into_array(values.len())?;
    Ok(matches
        .as_boolean()
        .iter()
        .map(|matches| matches == Some(true))
        .collect())
}

/// For each file, whether a row of it may fulfil all `filters`. A filter that says nothing about
/// bounds keeps every file.
pub(super) fn files_that_may_match(
    session: &dyn Session,
    filters: &[Expr],
    schema: &SchemaRef,
    files: &[&FileStatistics],
) -> Vec<bool> {
    let keep_all = vec![true; files.len()];
    let Some(filter) = conjunction(filters.iter().map(unqualified)) else {
        return keep_all;
    };
    let pruned = DFSchema::try_from(Arc::clone(schema))
        .and_then(|df_schema| session.create_physical_expr(filter, &df_schema))
        .and_then(|expr| {
            PruningPredicateBuilder::new()
                .with_file_schema(Arc::clone(schema))
                .try_build(expr)
        })
        .and_then(|predicate| predicate.prune(&Bounds { schema, files }));
    match pruned {
        Ok(kept) => kept,
        Err(error) => {
            tracing::debug!(%error, "files are not pruned by statistics");
            keep_all
        }
    }
}

/// The filter with columns by name alone, as the schema of one table has them.
fn unqualified(filter: &Expr) -> Expr {
    datafusion_expr::expr_rewriter::unnormalize_col(filter.clone())
}

struct Bounds<'a> {
    schema: &'a SchemaRef,
    files: &'a [&'a FileStatistics],
}

impl Bounds<'_> {
    fn values(
        &self,
        column: &Column,
        pick: impl Fn(&(ScalarValue, ScalarValue)) -> &ScalarValue,
    ) -> Option<ArrayRef> {
        let (index, field) = self.schema.column_with_name(&column.name)?;
        let null = ScalarValue::try_from(field.data_type()).ok()?;
        let bound =
            |file: &&FileStatistics| file.bounds.get(index)?.as_ref().map(|b| pick(b).clone());
        if self.files.iter().all(|file| bound(file).is_none()) {
            return None;
        }
        let values = self
            .files
            .iter()
            .map(|file| bound(file).unwrap_or_else(|| null.clone()));
        ScalarValue::iter_to_array(values).ok()
    }

    fn counts(&self, count: impl Fn(&FileStatistics) -> Precision<usize>) -> Option<ArrayRef> {
        let counts: UInt64Array = self
            .files
            .iter()
            .map(|file| match count(file) {
                Precision::Exact(count) => u64::try_from(count).ok(),
                Precision::Inexact(_) | Precision::Absent => None,
            })
            .collect();
        Some(Arc::new(counts))
    }
}

impl PruningStatistics for Bounds<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |(min, _)| min)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.values(column, |(_, max)| max)
    }

    fn num_containers(&self) -> usize {
        self.files.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let (index, _) = self.schema.column_with_name(&column.name)?;
        self.counts(|file| file.planner.column_statistics[index].null_count)
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        self.counts(|file| file.planner.num_rows)
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}

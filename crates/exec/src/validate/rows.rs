//! The rows of a view or dataset held against a contract, for whoever looks for the reason of an
//! error. Nothing is written.

use codeanatomy_schema::validate::{ValidationOptions, validate_knowing};
use codeanatomy_schema::{Facts, column_statistics};
use codeanatomy_vocab::{Error, Location, Result};
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::collect;
use serde::Serialize;

use super::{ContractCheck, ViewValidation, add_facts, facts, options};
use crate::bound::engine_error;
use crate::{BoundViews, DeclaredContract, PinnedDataset, PlannedView, bind, codes};

/// What the rows of a view or dataset say of its contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowsReport {
    /// What was found.
    #[serde(flatten)]
    pub validation: ViewValidation,
    /// Each promise, with what was known before the rows were looked at.
    pub checks: Vec<ContractCheck>,
    /// Some of the rows that break a promise.
    pub samples: Vec<InvalidRow>,
    /// Statistics of the columns; empty where nobody asked.
    pub columns: Vec<ColumnNumbers>,
}

/// A row that breaks a promise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct InvalidRow {
    /// The kind of the first promise that it breaks.
    pub error_code: String,
    /// The column of that promise.
    pub error_column: String,
    /// The values, as text, in the order of the columns; none for null.
    #[serde(serialize_with = "as_map")]
    pub values: Vec<(String, Option<String>)>,
}

/// What the values of a column are like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnNumbers {
    /// The column.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub data_type: String,
    /// How many rows have a null there.
    pub null_count: u64,
    /// How many different values there are; none for types that cannot be compared.
    pub distinct: Option<u64>,
    /// The smallest value, as text.
    pub min: Option<String>,
    /// The largest value, as text.
    pub max: Option<String>,
}

/// What is to be told beside the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowsOptions {
    /// At most so many invalid rows.
    pub samples: usize,
    /// Whether to make statistics of the columns.
    pub statistics: bool,
}

impl BoundViews {
    /// Holds the rows of a view against its contract, as a build would; `None` for a view without
    /// one. Rows that the contract leaves out or casts are looked at as they were before.
    ///
    /// # Errors
    ///
    /// An unknown view, and errors of its query.
    pub async fn check_rows(
        &self,
        view: &codeanatomy_vocab::ViewName,
        what: RowsOptions,
    ) -> Result<Option<RowsReport>> {
        let view = self.planned().view(view)?;
        let Some(declared) = &view.definition().contract else {
            return Ok(None);
        };
        let plan = self.unaltered(view.name())?;
        let facts = facts(self, view, &plan).await?;
        let rows = Rows {
            bound: self,
            of: Of::View(view),
        };
        rows.check(&plan, declared, &facts, what).await.map(Some)
    }

    /// Holds the rows of a dataset against a contract.
    ///
    /// # Errors
    ///
    /// Errors of reading it.
    pub async fn check_dataset_rows(
        &self,
        dataset: &PinnedDataset,
        declared: &DeclaredContract,
        what: RowsOptions,
    ) -> Result<RowsReport> {
        let rows = Rows {
            bound: self,
            of: Of::Dataset(dataset),
        };
        let provider = dataset.provider()?;
        let mut facts = Facts::default();
        if dataset.pin().is_some() {
            add_facts(self, dataset.name().as_str(), provider.as_ref(), &mut facts).await;
        }
        let source = provider_as_source(provider);
        let plan = LogicalPlanBuilder::scan(dataset.name().as_str(), source, None)
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| rows.failed(error))?;
        rows.check(&plan, declared, &facts, what).await
    }
}

/// Whose rows.
#[derive(Clone, Copy)]
enum Of<'a> {
    View(&'a PlannedView),
    Dataset(&'a PinnedDataset),
}

struct Rows<'a> {
    bound: &'a BoundViews,
    of: Of<'a>,
}

impl Rows<'_> {
    async fn check(
        &self,
        plan: &LogicalPlan,
        declared: &DeclaredContract,
        facts: &Facts,
        what: RowsOptions,
    ) -> Result<RowsReport> {
        let mode = declared.mode();
        let options = ValidationOptions {
            max_errors: Some(what.samples),
            emit_invalid_rows: what.samples > 0,
            ..options(mode)
        };
        let state = self.bound.session().planning_state();
        let validation = validate_knowing(plan, &declared.contract, &options, facts, &state)?;
        let counts = match validation.counts() {
            None => None,
            Some(counts) => self.run(counts.clone()).await?.into_iter().next(),
        };
        let report = validation.report(counts.as_ref())?;
        let mut samples = Vec::new();
        if report.invalid_rows != Some(0)
            && let Some(invalid) = validation.invalid()
        {
            samples = texts_of(&self.run(invalid.clone()).await?).map_err(|it| self.failed(it))?;
            // Threads yield rows in any order.
            samples.sort();
        }
        let columns = if what.statistics {
            self.statistics(plan).await?
        } else {
            Vec::new()
        };
        Ok(RowsReport {
            validation: ViewValidation::new(mode, &report),
            checks: validation.checks().iter().map(ContractCheck::new).collect(),
            samples,
            columns,
        })
    }

    async fn statistics(&self, plan: &LogicalPlan) -> Result<Vec<ColumnNumbers>> {
        let state = self.bound.session().planning_state();
        let (plan, columns) = column_statistics(plan, &state)?;
        let batches = self.run(plan).await?;
        let Some(batch) = batches.first().filter(|batch| batch.num_rows() == 1) else {
            return Ok(Vec::new());
        };
        let number = |name: &str| {
            let column = batch.column_by_name(name)?;
            let column = column.as_primitive_opt::<Int64Type>()?;
            u64::try_from(column.value(0)).ok()
        };
        let text = |name: &str| {
            let column = batch.column_by_name(name)?;
            value(column, 0).ok().flatten()
        };
        let rows = number("rows").unwrap_or_default();
        let numbers = columns.into_iter().map(|column| {
            let (min, max) = column.extremes.unzip();
            ColumnNumbers {
                name: column.name,
                data_type: column.data_type.to_string(),
                null_count: rows.saturating_sub(number(&column.count).unwrap_or_default()),
                distinct: column.distinct.and_then(|name| number(&name)),
                min: min.and_then(|name| text(&name)),
                max: max.and_then(|name| text(&name)),
            }
        });
        Ok(numbers.collect())
    }

    async fn run(&self, plan: LogicalPlan) -> Result<Vec<RecordBatch>> {
        let failed = |error| self.failed(error);
        let session = self.bound.session();
        let optimized = bind::optimize(plan, &session.planning_state()).map_err(failed)?;
        let physical = match self.of {
            Of::View(view) => self.bound.physical_of(view.name(), optimized).await?.0,
            Of::Dataset(_) => bind::physical_plan(optimized, session.planning_state())
                .await
                .map_err(failed)?,
        };
        collect(physical, session.context().task_ctx())
            .await
            .map_err(failed)
    }

    fn failed(&self, error: DataFusionError) -> Error {
        match self.of {
            Of::View(view) => engine_error(error, view.definition()),
            Of::Dataset(dataset) => Error::new(
                codes::DATASET_UNREADABLE,
                format!(
                    "the rows of the dataset cannot be read: {}",
                    error.message()
                ),
            )
            .at(Location::file(dataset.path()))
            .with("dataset", dataset.name())
            .with_source(error)
            .with_help("look at the files of the dataset"),
        }
    }
}

fn as_map<S: serde::Serializer>(
    values: &[(String, Option<String>)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(values.iter().map(|(name, value)| (name, value)))
}

/// Invalid rows as text: their last two columns say what is wrong.
fn texts_of(batches: &[RecordBatch]) -> Result<Vec<InvalidRow>, DataFusionError> {
    let mut rows = Vec::new();
    for batch in batches {
        let n_columns = batch.num_columns().saturating_sub(2);
        for row in 0..batch.num_rows() {
            let schema = batch.schema_ref();
            let mut values = Vec::with_capacity(n_columns);
            for (at, field) in schema.fields().iter().take(n_columns).enumerate() {
                values.push((field.name().clone(), value(batch.column(at), row)?));
            }
            let told = |at: usize| {
                let column = batch.columns().get(at);
                column.map_or(Ok(None), |column| value(column, row))
            };
            rows.push(InvalidRow {
                error_code: told(n_columns)?.unwrap_or_default(),
                error_column: told(n_columns + 1)?.unwrap_or_default(),
                values,
            });
        }
    }
    Ok(rows)
}

fn value(column: &dyn Array, row: usize) -> Result<Option<String>, DataFusionError> {
    if column.is_null(row) {
        return Ok(None);
    }
    let formatter = ArrayFormatter::try_new(column, &FormatOptions::default())?;
    Ok(Some(formatter.value(row).to_string()))
}

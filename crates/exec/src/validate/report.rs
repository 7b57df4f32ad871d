//! What a check of contracts found, as the command line prints it in JSON.

use std::sync::Arc;

use codeanatomy_schema::validate::checks;
use codeanatomy_vocab::{Error, Location, Result, ViewName};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::LogicalPlanBuilder;
use serde::Serialize;

use super::{
    ContractCheck, ContractSubject, ContractViolation, RowsOptions, RowsReport, ViewValidation,
    add_facts, facts, options,
};
use crate::{BoundViews, DeclaredContract, PinnedDataset, codes};

/// What a check of contracts found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CheckReport {
    /// Whether every contract is kept, as far as it was looked at.
    pub valid: bool,
    /// Whether rows were looked at.
    pub rows: bool,
    /// The contracts: datasets first, then views upstream before downstream.
    pub contracts: Vec<ContractReport>,
}

/// What a check found of one contract.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ContractReport {
    /// `view` or `dataset`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Whether the contract is kept, as far as it was looked at.
    pub valid: bool,
    /// `STRICT`, `ADDITIVE` or `RELAXED`.
    pub evolution: String,
    /// What becomes of rows that break it.
    pub on_invalid: &'static str,
    /// The columns of the key.
    pub key: Vec<String>,
    /// The file where it is written.
    pub file: Option<String>,
    /// The line in that file, from 1.
    pub line: Option<usize>,
    /// Where the columns break it.
    pub violations: Vec<ViolationReport>,
    /// What it promises of rows, and what is known of that without looking.
    pub checks: Vec<ContractCheck>,
    /// What the rows say, where they were looked at.
    pub rows: Option<RowsReport>,
    #[serde(skip)]
    at: Option<Location>,
}

/// Where columns break a contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ViolationReport {
    /// `MISSING_COLUMN`, `TYPE_MISMATCH`, `NULLABILITY_MISMATCH` or `EXTRA_COLUMN`.
    pub code: &'static str,
    /// The column, or the path in it.
    pub column: String,
    /// What the contract says.
    pub expected: String,
    /// What there is.
    pub actual: String,
    /// The column that may have been meant.
    pub nearest: Option<String>,
    /// The views that rely on the column.
    pub read_by: Vec<String>,
}

impl CheckReport {
    /// Holds contracts against what they are about. `violations` are those of columns, found when the
    /// views were planned. Rows are looked at only with options for that.
    ///
    /// # Errors
    ///
    /// Errors of opening inputs, and of queries whose rows are looked at.
    pub async fn new(
        bound: &BoundViews,
        violations: &[ContractViolation],
        datasets: &[(Arc<PinnedDataset>, DeclaredContract)],
        views: &[ViewName],
        rows: Option<RowsOptions>,
    ) -> Result<Self> {
        let mut contracts = Vec::new();
        for (dataset, declared) in datasets {
            let subject = ContractSubject::Dataset(dataset.name().clone());
            let mut report = ContractReport::new(subject, declared, violations);
            report.checks = dataset_checks(bound, dataset, declared).await?;
            if let Some(what) = rows {
                let found = bound.check_dataset_rows(dataset, declared, what).await?;
                report.add_rows(found);
            }
            contracts.push(report);
        }
        for view in bound.planned().iter() {
            let Some(declared) = &view.definition().contract else {
                continue;
            };
            if !views.contains(view.name()) {
                continue;
            }
            let subject = ContractSubject::View(view.name().clone());
            let mut report = ContractReport::new(subject, declared, violations);
            let plan = bound.unaltered(view.name())?;
            let known = facts(bound, view, &plan).await?;
            let options = options(declared.mode());
            let promises = checks(&plan, &declared.contract, &options, &known);
            report.checks = promises.iter().map(ContractCheck::new).collect();
            if let Some(what) = rows
                && let Some(found) = bound.check_rows(view.name(), what).await?
            {
                report.add_rows(found);
            }
            contracts.push(report);
        }
        Ok(Self {
            valid: contracts.iter().all(|contract| contract.valid),
            rows: rows.is_some(),
            contracts,
        })
    }

    /// An error for everything that breaks a contract, in the order of the report.
    pub fn errors(&self) -> Vec<Error> {
        let mut errors = Vec::new();
        for contract in self.contracts.iter().filter(|contract| !contract.valid) {
            let Some(rows) = &contract.rows else {
                continue;
            };
            for error in &rows.validation.errors {
                errors.push(contract.row_error(&rows.validation, error));
            }
        }
        errors
    }
}

async fn dataset_checks(
    bound: &BoundViews,
    dataset: &PinnedDataset,
    declared: &DeclaredContract,
) -> Result<Vec<ContractCheck>> {
    let provider = dataset.provider()?;
    let mut known = codeanatomy_schema::Facts::default();
    if dataset.pin().is_some() {
        add_facts(
            bound,
            dataset.name().as_str(),
            provider.as_ref(),
            &mut known,
        )
        .await;
    }
    let plan =
        LogicalPlanBuilder::scan(dataset.name().as_str(), provider_as_source(provider), None)
            .and_then(LogicalPlanBuilder::build)
            .map_err(|error| {
                Error::new(codes::DATASET_UNREADABLE, "the dataset cannot be scanned")
                    .with("dataset", dataset.name())
                    .with_source(error)
                    .with_help("look at the files of the dataset")
            })?;
    let options = options(declared.mode());
    let promises = checks(&plan, &declared.contract, &options, &known);
    Ok(promises.iter().map(ContractCheck::new).collect())
}

impl ContractReport {
    fn new(
        subject: ContractSubject,
        declared: &DeclaredContract,
        violations: &[ContractViolation],
    ) -> Self {
        let own = violations.iter().filter(|found| found.subject == subject);
        let violations: Vec<ViolationReport> = own
            .map(|found| ViolationReport {
                code: found.violation.code.as_str(),
                column: found.violation.column.clone(),
                expected: found.violation.expected.clone(),
                actual: found.violation.actual.clone(),
                nearest: found.violation.nearest.clone(),
                read_by: found.readers.clone(),
            })
            .collect();
        let at = declared.declared_at.as_ref();
        Self {
            kind: subject.kind(),
            name: subject.name().to_owned(),
            valid: violations.is_empty(),
            evolution: declared.contract.evolution().to_string(),
            on_invalid: declared.mode().as_str(),
            key: declared.contract.key().to_vec(),
            file: at.map(|at| at.path().display().to_string()),
            line: at.and_then(Location::position).map(|place| place.line),
            violations,
            checks: Vec::new(),
            rows: None,
            at: declared.declared_at.clone(),
        }
    }

    fn add_rows(&mut self, rows: RowsReport) {
        self.valid &= rows.validation.valid;
        self.rows = Some(rows);
    }

    fn row_error(&self, validation: &ViewValidation, error: &super::RowError) -> Error {
        let super::RowError {
            error_code,
            error_column,
            error_count,
        } = error;
        let n_rows = match validation.validated {
            Some(rows) => format!(" of {rows}"),
            None => String::new(),
        };
        let found = Error::new(
            codeanatomy_schema::codes::ROWS_VIOLATE,
            format!(
                "{error_count}{n_rows} rows break the contract: {error_code} in {error_column}"
            ),
        )
        .with(self.kind, &self.name)
        .with("error_code", error_code)
        .with("column", error_column)
        .with("rows", error_count)
        .with_help("correct the query or its inputs, or change the contract");
        match &self.at {
            Some(at) => found.at(at.clone()),
            None => found,
        }
    }
}

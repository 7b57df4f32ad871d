//! Contracts: held against what they are about, and made from it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use codeanatomy_exec::{
    CheckReport, ContractViolation, PinnedDataset, RowsOptions, check_dataset, proposed_contract,
    unknown_table,
};
use codeanatomy_obs::Observer;
use codeanatomy_project::scaffold::{NewContract, WrittenContract, write_contract};
use codeanatomy_schema::EvolutionPolicy;
use codeanatomy_vocab::{DatasetName, Error, Errors, Location, Result, ViewName};

use crate::Configured;

/// Views and datasets by their names.
#[derive(Debug, Default)]
struct Named {
    views: Vec<ViewName>,
    datasets: BTreeSet<DatasetName>,
}

impl Configured {
    /// Holds contracts against what they are about: all of them, or those of the views and datasets
    /// named. Rows are looked at only with options for that; nothing is written.
    ///
    /// Broken contracts are part of the report and not errors of the call.
    ///
    /// # Errors
    ///
    /// Unknown names; everything that planning can fail with; errors of queries whose rows are looked
    /// at.
    pub async fn check(
        self,
        names: &[String],
        rows: Option<RowsOptions>,
        observer: Arc<dyn Observer>,
    ) -> Result<(CheckReport, Vec<Error>), Errors> {
        let mut named = self.named(names)?;
        if names.is_empty() {
            named.views = self.definitions.keys().cloned().collect();
            named.datasets = self.datasets.keys().cloned().collect();
        }
        named.datasets.retain(|name| {
            let dataset = self.datasets.get(name);
            dataset.is_some_and(|dataset| dataset.contract.is_some())
        });
        // Whoever relies on a dataset is found among all views.
        let selection = match names.is_empty() || !named.datasets.is_empty() {
            true => &[][..],
            false => &named.views[..],
        };
        let pinned = self
            .pin_also(selection, &named.datasets, Arc::clone(&observer))
            .await?;
        let (planned, violations) = pinned.plan_leniently(observer).await?;
        let bound = planned.bind(&planned.unforced());
        let datasets = named.datasets.iter().filter_map(|name| {
            let declared = planned.configured().datasets.get(name)?.contract.clone()?;
            Some((Arc::clone(planned.datasets.get(name)?), declared))
        });
        let datasets: Vec<_> = datasets.collect();
        let report = CheckReport::new(&bound, &violations, &datasets, &named.views, rows).await?;
        let of_report = |violation: &&ContractViolation| {
            let subject = &violation.subject;
            let mut contracts = report.contracts.iter();
            contracts.any(|it| it.kind == subject.kind() && it.name == subject.name())
        };
        let mut errors: Vec<Error> = violations
            .iter()
            .filter(of_report)
            .map(ContractViolation::to_error)
            .collect();
        errors.extend(report.errors());
        Ok((report, errors))
    }

    /// Writes a contract that a view or dataset keeps now: its columns with their types, which of them
    /// are never null, and a key where the plan proves one. Without a policy, views get `STRICT` and
    /// datasets `ADDITIVE`.
    ///
    /// # Errors
    ///
    /// An unknown name; everything that planning can fail with; a contract that is there already,
    /// unless it is to be replaced; a file that cannot be written.
    pub async fn init_contract(
        self,
        name: &str,
        evolution: Option<EvolutionPolicy>,
        replace: bool,
        observer: Arc<dyn Observer>,
    ) -> Result<WrittenContract, Errors> {
        let named = self.named(&[name.to_owned()])?;
        let project = self.project.clone();
        let selection = &named.views[..];
        let pinned = if selection.is_empty() {
            self.pin_also(&[], &named.datasets, Arc::clone(&observer))
                .await?
        } else {
            self.pin(selection, Arc::clone(&observer)).await?
        };
        let (columns, key, policy) = match named.views.first() {
            Some(view) => {
                let (planned, _) = pinned.plan_leniently(observer).await?;
                let (columns, key) = proposed_contract(planned.views().view(view)?);
                (columns, key, EvolutionPolicy::Strict)
            }
            None => {
                let dataset = pinned.dataset(name)?;
                let schema = dataset.schema();
                let fields = schema.fields().iter();
                let columns = fields.map(|field| {
                    let nullable = Some(field.is_nullable());
                    (
                        field.name().clone(),
                        field.data_type().to_string(),
                        nullable,
                    )
                });
                (columns.collect(), Vec::new(), EvolutionPolicy::Additive)
            }
        };
        let contract = NewContract {
            evolution: evolution.unwrap_or(policy).to_string(),
            key,
            columns,
        };
        Ok(write_contract(&project, name, &contract, replace)?)
    }

    fn named(&self, names: &[String]) -> Result<Named, Errors> {
        let mut named = Named::default();
        let mut errors = Vec::new();
        for name in names {
            if let Some(view) = self.definitions.keys().find(|it| it.as_str() == name) {
                named.views.push(view.clone());
            } else if let Some(dataset) = self.datasets.keys().find(|it| it.as_str() == name) {
                named.datasets.insert(dataset.clone());
            } else {
                let views = self.definitions.keys().map(ViewName::as_str);
                let known = views.chain(self.datasets.keys().map(DatasetName::as_str));
                errors.push(unknown_table(name, known));
            }
        }
        Errors::check(errors, named)
    }
}

/// Where the columns of pinned datasets break their contracts.
pub(crate) fn violations_of(
    configured: &Configured,
    datasets: &BTreeMap<DatasetName, Arc<PinnedDataset>>,
) -> Vec<ContractViolation> {
    let declared = datasets.iter().filter_map(|(name, dataset)| {
        let spec = configured.datasets.get(name)?;
        Some((name, dataset, spec, spec.contract.as_ref()?))
    });
    let found = declared.flat_map(|(name, dataset, spec, declared)| {
        let fallback = spec.declared_at.clone();
        let fallback =
            fallback.unwrap_or_else(|| Location::file(codeanatomy_project::PROJECT_FILE));
        check_dataset(name, declared, &dataset.schema(), &fallback)
    });
    found.collect()
}

//! Planned views with data in place of schemas.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use codeanatomy_plan::PlanBundleArtifact;
use codeanatomy_session::Session;
use codeanatomy_vocab::{
    DatasetName, DeltaVersion, DeltaVersionSelector, Error, Location, Result, ViewName,
};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::internal_err;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, col};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};

use crate::inline::{ExecutedPlan, in_place, put_in_place};
use crate::scan_unit::{self, ScanUnit};
use crate::{PinnedDataset, PlannedScan, PlannedView, PlannedViews, ViewDefinition, codes};
use crate::{bind, bundle, decide};

/// Planned views, ready to execute.
///
/// A view reads the pinned datasets, and of each stored view that it reads the output table at the
/// version that is known to be current. Where none is known, and for ephemeral views, the plan of
/// the view that is read is put in place.
#[derive(Debug)]
pub struct BoundViews {
    session: Arc<Session>,
    planned: Arc<PlannedViews>,
    datasets: BTreeMap<DatasetName, Arc<PinnedDataset>>,
    /// The versions at which stored views hold what their keys say.
    outputs: Mutex<BTreeMap<ViewName, DeltaVersion>>,
    /// Opened outputs, while their version stands.
    providers: Mutex<BTreeMap<String, Arc<dyn TableProvider>>>,
}

impl BoundViews {
    /// Binds `planned` to `datasets` and to the outputs that are current.
    pub fn new(
        session: Arc<Session>,
        planned: Arc<PlannedViews>,
        datasets: BTreeMap<DatasetName, Arc<PinnedDataset>>,
        outputs: BTreeMap<ViewName, DeltaVersion>,
    ) -> Self {
        Self {
            session,
            planned,
            datasets,
            outputs: Mutex::new(outputs),
            providers: Mutex::default(),
        }
    }

    /// The session that executes.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The views.
    pub fn planned(&self) -> &PlannedViews {
        &self.planned
    }

    /// Where a dataset, or the output of a stored view, is: a path or a URL without secrets.
    pub fn place_of(&self, table: &str) -> Option<String> {
        if let Some(dataset) = self.datasets.get(table) {
            return Some(dataset.path().display().to_string());
        }
        let view = self.planned.view(&ViewName::new(table).ok()?).ok()?;
        let output = view.definition().output.as_ref()?;
        Some(output.location.to_string())
    }

    /// The output of a stored view at the version that is current.
    pub(crate) async fn open_output(&self, view: &ViewName) -> Result<Arc<dyn TableProvider>> {
        self.open(view.as_str()).await
    }

    /// Whether a table that plans scan is a Delta table; outputs are.
    pub(crate) fn is_delta(&self, table: &str) -> bool {
        match self.datasets.get(table) {
            Some(dataset) => dataset.pin().is_some(),
            None => true,
        }
    }

    /// The columns of a pinned dataset.
    pub fn dataset_schema(&self, name: &str) -> Option<SchemaRef> {
        self.datasets.get(name).map(|dataset| dataset.schema())
    }

    /// Says that the output of `view` at `version` is current from now on.
    pub(crate) fn set_output(&self, view: &ViewName, version: DeltaVersion) {
        lock(&self.outputs).insert(view.clone(), version);
        lock(&self.providers).remove(view.as_str());
    }

    /// The plan that executing a view runs, against schemas still: with the plans of ephemeral
    /// upstream views in place.
    ///
    /// # Errors
    ///
    /// An unknown view, and what the optimizer cannot do.
    pub fn executed(&self, name: &ViewName) -> Result<ExecutedPlan> {
        let view = self.planned.view(name)?;
        let inline = self.inlined(view);
        if inline == *view.inlined() {
            return Ok(view.executed());
        }
        let upstream = self.planned.iter();
        let upstream = upstream.filter(|other| inline.contains(other.name()));
        let state = self.session.planning_state();
        put_in_place(view.definition(), view.analyzed(), upstream, &state)
    }

    /// The plan of a view before its contract left out or cast rows, with the plans of ephemeral
    /// upstream views in place, and not optimized.
    pub(crate) fn unaltered(&self, name: &ViewName) -> Result<LogicalPlan> {
        let view = self.planned.view(name)?;
        let inline = self.inlined(view);
        let upstream = self.planned.iter();
        let upstream = upstream.filter(|other| inline.contains(other.name()));
        in_place(view.definition(), view.unaltered(), upstream)
    }

    /// The bundle that a build of a view would keep, with the forms of the plan that it would run.
    ///
    /// # Errors
    ///
    /// As [`executed`](Self::executed).
    pub fn bundle(&self, name: &ViewName) -> Result<PlanBundleArtifact> {
        bundle::artifact(self, name, &self.executed(name)?)
    }

    /// The logical plan of a view over data, optimized.
    ///
    /// # Errors
    ///
    /// Errors of opening what the view reads.
    pub async fn logical(&self, name: &ViewName) -> Result<LogicalPlan> {
        let plan = self.executed(name)?.optimized;
        Ok(self.over_data(name, plan).await?.0)
    }

    /// A plan of the view `name` against schemas, over data, with the scans of datasets in it: each
    /// reads the files that its own filters leave.
    pub(crate) async fn over_data(
        &self,
        name: &ViewName,
        plan: LogicalPlan,
    ) -> Result<(LogicalPlan, Vec<ScanUnit>)> {
        let view = self.planned.view(name)?;
        let failed = |error| engine_error(error, view.definition());
        let tables = bind::sources(&plan).map_err(failed)?;
        let outputs = tables.keys().map(String::as_str);
        let outputs = outputs.filter(|name| !self.datasets.contains_key(*name));
        let providers = self.providers(outputs).await?;
        let state = self.session.planning_state();
        let mut units = Vec::new();
        let mut unopened = None;
        let plan = bind::bind(plan, |scan| {
            let table = scan.table_name.table();
            if let Some(dataset) = self.datasets.get(table) {
                return match ScanUnit::open(dataset, &scan.filters, &state) {
                    Ok(unit) => {
                        let provider = unit.provider();
                        units.push(unit);
                        Ok(provider)
                    }
                    Err(error) => {
                        unopened = Some(error);
                        internal_err!("the table `{table}` cannot be opened")
                    }
                };
            }
            match providers.get(table) {
                Some(provider) => Ok(Arc::clone(provider)),
                None => internal_err!("nothing is bound to the table `{table}`"),
            }
        });
        match unopened {
            Some(error) => Err(error.with("view", name)),
            None => Ok((plan.map_err(failed)?, units)),
        }
    }

    /// The tables that a plan of `view` scans, by name.
    pub(crate) async fn tables_of(
        &self,
        view: &PlannedView,
        plan: &LogicalPlan,
    ) -> Result<BTreeMap<String, Arc<dyn TableProvider>>> {
        let tables = bind::sources(plan).map_err(|error| engine_error(error, view.definition()))?;
        let names = || tables.keys().map(String::as_str);
        let outputs = names().filter(|name| !self.datasets.contains_key(*name));
        let mut providers = self.providers(outputs).await?;
        for name in names() {
            if let Some(dataset) = self.datasets.get(name) {
                providers.insert(name.to_owned(), dataset.provider()?);
            }
        }
        Ok(providers)
    }

    /// The physical plan of a view.
    ///
    /// # Errors
    ///
    /// As [`logical`](Self::logical), and what the physical planner cannot do.
    pub async fn physical(&self, name: &ViewName) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = self.executed(name)?.optimized;
        Ok(self.physical_of(name, plan).await?.0)
    }

    /// The physical plan of a plan of the view `name` against schemas.
    pub(crate) async fn physical_of(
        &self,
        name: &ViewName,
        plan: LogicalPlan,
    ) -> Result<(Arc<dyn ExecutionPlan>, Vec<ScanUnit>)> {
        let view = self.planned.view(name)?;
        let (plan, units) = self.over_data(name, plan).await?;
        let plan = bind::physical_plan(plan, self.session.planning_state())
            .await
            .map_err(|error| engine_error(error, view.definition()))?;
        Ok((plan, units))
    }

    /// Runs a view and streams its rows; nothing is written.
    ///
    /// # Errors
    ///
    /// As [`physical`](Self::physical). Errors while rows are computed come in the stream.
    pub async fn stream(&self, name: &ViewName) -> Result<SendableRecordBatchStream> {
        let plan = self.physical(name).await?;
        let view = self.planned.view(name)?;
        execute_stream(plan, self.session.context().task_ctx())
            .map_err(|error| engine_error(error, view.definition()))
    }

    /// The scans of datasets that a build of a view makes, with the files that each reads; of an
    /// ephemeral view, those of its own plan and of the ephemeral views that it reads.
    ///
    /// # Errors
    ///
    /// An unknown view.
    pub fn scans(&self, name: &ViewName) -> Result<Vec<PlannedScan>> {
        let view = self.planned.view(name)?;
        let mut plans = vec![view.executed().optimized];
        if !view.is_stored() {
            let upstream = decide::ephemeral_upstream(view, &self.planned);
            plans.extend(upstream.map(|view| view.bundle().optimized.clone()));
        }
        let state = self.session.planning_state();
        let mut scans = Vec::new();
        for plan in &plans {
            let found = scan_unit::planned_scans(plan, &self.datasets, &state)
                .map_err(|error| engine_error(error, view.definition()))?;
            scans.extend(found);
        }
        Ok(scans)
    }

    /// The datasets that executing a view reads, through the views put in place too.
    pub fn datasets_read(&self, name: &ViewName) -> Result<Vec<&Arc<PinnedDataset>>> {
        let view = self.planned.view(name)?;
        let inline = self.inlined(view);
        let mut names: BTreeSet<&DatasetName> = view.datasets().iter().collect();
        for upstream in self
            .planned
            .iter()
            .filter(|other| inline.contains(other.name()))
        {
            names.extend(upstream.datasets());
        }
        Ok(names
            .into_iter()
            .filter_map(|name| self.datasets.get(name))
            .collect())
    }

    /// The views whose plans are put in place when `view` executes.
    fn inlined(&self, view: &PlannedView) -> BTreeSet<ViewName> {
        let outputs = lock(&self.outputs);
        let mut inlined = BTreeSet::new();
        if view
            .upstream()
            .iter()
            .all(|name| outputs.contains_key(name))
        {
            return inlined;
        }
        // A plan is put in place before the optimizer, where a plan still scans everything that
        // its text refers to.
        let mut open: Vec<&PlannedView> = self.references(view).collect();
        while let Some(upstream) = open.pop() {
            if !outputs.contains_key(upstream.name()) && inlined.insert(upstream.name().clone()) {
                open.extend(self.references(upstream));
            }
        }
        inlined
    }

    /// The views that the text of `view` refers to.
    fn references<'a>(&'a self, view: &'a PlannedView) -> impl Iterator<Item = &'a PlannedView> {
        view.definition()
            .spec
            .references()
            .iter()
            .filter_map(|reference| {
                let name = ViewName::new(reference.table.clone()).ok()?;
                self.planned.view(&name).ok()
            })
    }

    async fn providers<'a>(
        &self,
        names: impl Iterator<Item = &'a str>,
    ) -> Result<BTreeMap<String, Arc<dyn TableProvider>>> {
        let mut providers = BTreeMap::new();
        for name in names {
            let known = lock(&self.providers).get(name).map(Arc::clone);
            let provider = match known {
                Some(provider) => provider,
                None => {
                    let provider = self.open(name).await?;
                    lock(&self.providers).insert(name.to_owned(), Arc::clone(&provider));
                    provider
                }
            };
            providers.insert(name.to_owned(), provider);
        }
        Ok(providers)
    }

    async fn open(&self, name: &str) -> Result<Arc<dyn TableProvider>> {
        let view = self.planned.view(&ViewName::new(name)?)?;
        let version = lock(&self.outputs).get(view.name()).copied();
        let (Some(output), Some(version)) = (&view.definition().output, version) else {
            return Err(
                Error::new(codes::INTERNAL, format!("the table `{name}` has no data"))
                    .with_help("this is a defect of CodeAnatomy: please report it"),
            );
        };
        codeanatomy_delta::open(
            &DatasetName::new(name)?,
            &output.location,
            DeltaVersionSelector::Version(version),
            &output.options,
        )
        .await?
        .provider()
    }
}

/// The error of a query, with the view that it is of.
pub(crate) fn engine_error(error: DataFusionError, view: &ViewDefinition) -> Error {
    if let Some(found) = coded(&error) {
        let mut ours = Error::new(found.code(), found.to_string());
        if let Some(help) = found.help() {
            ours = ours.with_help(help);
        }
        return ours
            .at(Location::file(view.spec.path()))
            .with("view", view.spec.name())
            .with_source(error);
    }
    let root = error.find_root();
    let text = root.message().into_owned();
    let line = text
        .lines()
        .next()
        .unwrap_or_default()
        .trim_end_matches('.')
        .to_owned();
    let ours = match root {
        DataFusionError::ResourcesExhausted(_) => Error::new(codes::OUT_OF_MEMORY, line)
            .with_help("raise `memory_limit` of the session, or lower `target_partitions`"),
        DataFusionError::Internal(_) => Error::new(codes::INTERNAL, line)
            .with_help("this is a defect of CodeAnatomy or of the engine: please report it"),
        _ => Error::new(codes::QUERY_FAILED, line).with_help(
            "look at the rows that the query meets; `codeanatomy explain` shows its plan",
        ),
    };
    ours.at(Location::file(view.spec.path()))
        .with("view", view.spec.name())
        .with_source(error)
}

/// An error with a code that a function raised inside of the engine.
fn coded(error: &DataFusionError) -> Option<&Error> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(found) = next {
        if let Some(coded) = found.downcast_ref::<Error>() {
            return Some(coded);
        }
        next = found.source();
    }
    None
}

/// Gives a view's plan the schema that its readers were planned against: that of its output table,
/// whose types may be wider than the query's.
pub(crate) fn as_stored(
    plan: LogicalPlan,
    view: &PlannedView,
) -> datafusion::common::Result<LogicalPlan> {
    let fields = plan.schema().fields().iter().zip(view.schema().fields());
    if fields
        .clone()
        .all(|(has, seen)| has.data_type() == seen.data_type())
    {
        return Ok(plan);
    }
    let columns: Vec<Expr> = plan
        .schema()
        .columns()
        .into_iter()
        .zip(fields)
        .map(|(column, (has, seen))| {
            let expr = col(column);
            if has.data_type() == seen.data_type() {
                expr
            } else {
                cast(expr, seen.data_type().clone()).alias(seen.name())
            }
        })
        .collect();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

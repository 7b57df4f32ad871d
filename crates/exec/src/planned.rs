//! All views of a project, planned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use codeanatomy_delta::ScanScope;
use codeanatomy_lineage::referenced_tables;
use codeanatomy_plan::{
    ComponentClass, Determinism, IdentityInputs, InputIdentity, InputKind, PlanBundle, determinism,
};
use codeanatomy_session::{RuntimeProfile, Session, parallel_map};
use codeanatomy_udf::factory::Macros;
use codeanatomy_views::ViewGraph;
use codeanatomy_vocab::{
    DatasetName, Encoder, Error, Errors, Fingerprint, Location, Result, ViewName, nearest,
};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::logical_expr::LogicalPlan;

use crate::bound::engine_error;
use crate::compile::{Readable, compile};
use crate::footprint::{FootprintSource, InputFootprint};
use crate::inline::{ExecutedPlan, put_in_place};
use crate::lineage::ProjectLineage;
use crate::reads::{DatasetRead, scopes};
use crate::validate::{self, ContractViolation, Held};
use crate::{Environment, TableInput, ViewDefinition, codes};

/// A plan with its upstream views in place may have this many nodes.
const MAX_INLINED_NODES: usize = 20_000;

/// One view with its plans and its identity.
#[derive(Debug)]
pub struct PlannedView {
    definition: ViewDefinition,
    bundle: PlanBundle,
    /// The schema that readers of this view see: the plan's, or that of its output table.
    schema: SchemaRef,
    upstream: BTreeSet<ViewName>,
    datasets: BTreeSet<DatasetName>,
    /// Nodes of the plan once ephemeral upstream views are put in place.
    inlined_nodes: usize,
    /// Volatile functions of this view and of everything that it reads.
    volatile: BTreeSet<String>,
    /// What the view's contract means for its plan.
    held: Held,
    /// The ephemeral views that are computed inside this one, for a stored view.
    inlined: BTreeSet<ViewName>,
    /// The plan with these in place; the bundle's own where there are none.
    executed: Option<ExecutedPlan>,
    /// What executing the view reads of each dataset; of an ephemeral view, what it reads itself.
    inputs: BTreeMap<DatasetName, InputFootprint>,
    /// The identity of what the view computes, whatever its datasets hold.
    query_key: Fingerprint,
}

/// Everything that a run may do, before any of it is done.
#[derive(Debug)]
pub struct PlannedViews {
    order: Vec<ViewName>,
    views: BTreeMap<ViewName, PlannedView>,
    macros: Macros,
}

/// What planning knows of datasets.
#[derive(Clone, Copy)]
pub struct DatasetInputs<'a> {
    /// Their columns and identities.
    pub tables: &'a BTreeMap<DatasetName, TableInput>,
    /// Tells what scans of them read.
    pub footprints: &'a dyn FootprintSource,
}

impl std::fmt::Debug for DatasetInputs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatasetInputs")
            .field("tables", self.tables)
            .finish_non_exhaustive()
    }
}

impl PlannedViews {
    /// Plans `views` in the order of `graph`, layer by layer, each layer on all of the session's
    /// threads. Each view is planned against the schemas of what it reads, so the cost grows with
    /// the size of the SQL and not with the depth of the graph.
    ///
    /// `data` must hold every dataset that one of the views reads. What the views are planned in is told by `profile` and `environment`,
    /// which `session` was made for.
    ///
    /// # Errors
    ///
    /// All at once: what is wrong with the SQL of each view, with its output columns, and with its
    /// contract. A view that reads a broken one is not reported for that.
    pub fn plan(
        graph: &ViewGraph,
        views: BTreeMap<ViewName, ViewDefinition>,
        data: &DatasetInputs<'_>,
        session: &Session,
        profile: &RuntimeProfile,
        environment: &Environment,
    ) -> Result<Self, Errors> {
        let known = Vec::new();
        let (planned, violations) =
            Self::plan_leniently(graph, views, data, session, profile, environment, known)?;
        let errors = violations.iter().map(ContractViolation::to_error).collect();
        Errors::check(errors, planned)
    }

    /// As [`plan`](Self::plan), but columns that break a contract are no error: they come beside the
    /// views, each with the views that rely on it. Those of datasets, which are `known` already, come
    /// first.
    ///
    /// # Errors
    ///
    /// Everything else that is wrong with views, at once, and then the violations too.
    pub fn plan_leniently(
        graph: &ViewGraph,
        mut views: BTreeMap<ViewName, ViewDefinition>,
        data: &DatasetInputs<'_>,
        session: &Session,
        profile: &RuntimeProfile,
        environment: &Environment,
        known: Vec<ContractViolation>,
    ) -> Result<(Self, Vec<ContractViolation>), Errors> {
        let mut violations = known;
        let identity = environment.identity(profile, session.run_time());
        let mut planned = Self {
            order: Vec::new(),
            views: BTreeMap::new(),
            macros: environment.macros.clone(),
        };
        let mut errors = Vec::new();
        for layer in graph.layers() {
            let ready: Vec<ViewDefinition> = layer
                .iter()
                .filter(|spec| {
                    graph
                        .upstream(spec.name())
                        .all(|name| planned.views.contains_key(name))
                })
                .filter_map(|spec| views.remove(spec.name()))
                .collect();
            let results = parallel_map(profile.planning_concurrency(), ready, |view| {
                planned.plan_one(view, data, session, &identity)
            });
            for result in results {
                match result {
                    Ok((view, found)) => {
                        violations.extend(found);
                        planned.order.push(view.name().clone());
                        planned.views.insert(view.name().clone(), view);
                    }
                    Err(error) => errors.extend(error),
                }
            }
        }
        if !violations.is_empty() {
            let lineage = ProjectLineage::new(&planned, data.tables);
            for violation in &mut violations {
                violation.find_readers(&lineage, |table| readers_by_text(graph, table));
            }
        }
        if !errors.is_empty() {
            let broken = violations.iter().map(ContractViolation::to_error);
            errors.splice(0..0, broken);
        }
        Errors::check(errors, (planned, violations))
    }

    /// The SQL macros that the views could call.
    pub fn macros(&self) -> &Macros {
        &self.macros
    }

    /// The views, upstream before downstream.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &PlannedView> {
        self.order.iter().filter_map(|name| self.views.get(name))
    }

    /// One view.
    ///
    /// # Errors
    ///
    /// [`CA-VIEWS-0012`](codeanatomy_views::codes::UNKNOWN_VIEW) with the nearest name.
    pub fn view(&self, name: &ViewName) -> Result<&PlannedView> {
        self.views.get(name).ok_or_else(|| {
            let known = self.views.keys().map(ViewName::as_str);
            Error::new(
                codeanatomy_views::codes::UNKNOWN_VIEW,
                format!("the project has no view `{name}`"),
            )
            .with_nearest(nearest(name.as_str(), known))
            .with_help("`codeanatomy plan` lists the views")
        })
    }

    fn plan_one(
        &self,
        definition: ViewDefinition,
        data: &DatasetInputs<'_>,
        session: &Session,
        identity: &IdentityInputs,
    ) -> Result<(PlannedView, Vec<ContractViolation>), Errors> {
        let DatasetInputs {
            tables: datasets,
            footprints,
        } = *data;
        let mut tables = BTreeMap::new();
        for reference in definition.spec.references() {
            let name = reference.table.as_str();
            let table = match (self.views.get(name), datasets.get(name)) {
                (Some(view), _) => Readable {
                    schema: Arc::clone(&view.schema),
                    stored: &view.schema,
                    filters: &[],
                },
                (None, Some(dataset)) => Readable {
                    schema: Arc::clone(&dataset.schema),
                    stored: &dataset.stored,
                    filters: &dataset.filters,
                },
                (None, None) => return Err(internal(&definition, "a table is not pinned").into()),
            };
            tables.insert(name.to_owned(), table);
        }
        let compiled = compile(session, &definition, &tables, &self.macros)?;
        let (compiled, held, violations) = validate::hold(&definition, compiled, session)?;
        let schema = output_schema(&compiled.optimized, &definition)?;
        let read = referenced_tables(&compiled.optimized);
        let upstream: BTreeSet<ViewName> = read
            .iter()
            .filter_map(|name| self.views.get(name.as_str()))
            .map(|view| view.name().clone())
            .collect();
        let name = definition.spec.name().clone();
        let inlined_nodes = self.inlined_nodes(&compiled.analyzed);
        if inlined_nodes > MAX_INLINED_NODES {
            return Err(Error::new(
                codes::PLAN_TOO_LARGE,
                format!("with its upstream views in place the plan has {inlined_nodes} nodes"),
            )
            .at(Location::file(definition.spec.path()))
            .with("view", &name)
            .with_expected(format!("at most {MAX_INLINED_NODES} nodes"))
            .with_help("set `cache = \"delta_output\"` on upstream views that several views read")
            .into());
        }
        let inlined = self.inlined(&definition, &upstream);
        let executed = if inlined.is_empty() {
            None
        } else {
            let views = self.iter().filter(|view| inlined.contains(view.name()));
            let state = session.planning_state();
            Some(put_in_place(
                &definition,
                &compiled.analyzed,
                views,
                &state,
            )?)
        };
        let runs = executed
            .as_ref()
            .map_or(&compiled.optimized, |executed| &executed.optimized);
        let inputs = input_footprints(&definition, runs, &read, datasets, footprints)?;
        let mut identity = identity.clone();
        let mut own = BTreeSet::new();
        let mut volatile = BTreeSet::new();
        for table in &read {
            if let Some(view) = self.views.get(table.as_str()) {
                volatile.extend(view.volatile.iter().cloned());
                let is_inlined = inlined.contains(view.name());
                identity
                    .inputs
                    .insert(table.clone(), view.identity(is_inlined));
            }
        }
        for (dataset, input) in &inputs {
            let Some(table) = datasets.get(dataset) else {
                continue;
            };
            let mut of_table = table.identity.clone();
            of_table.footprint = input.hash;
            if read.contains(dataset.as_str()) {
                own.insert(dataset.clone());
                identity.inputs.insert(dataset.to_string(), of_table);
            } else {
                identity.through.insert(dataset.to_string(), of_table);
            }
        }
        identity.planned_with = compiled.planned_with;
        identity.contract = definition.contract_identity();
        identity.parameters = definition
            .params
            .iter()
            .filter(|(name, _)| compiled.parameters.contains(*name))
            .map(|(name, parameter)| {
                let text = format!("{} {}", parameter.type_name, parameter.text);
                (name.clone(), text)
            })
            .collect();
        let bundle = PlanBundle::new(&name, compiled.analyzed, compiled.optimized, &identity)
            .map_err(|error| error.at(Location::file(definition.spec.path())))?;
        volatile.extend(bundle.digest.volatile.iter().cloned());
        let query_key = self.query_key(&bundle);
        let view = PlannedView {
            definition,
            bundle,
            schema,
            upstream,
            datasets: own,
            inlined_nodes,
            volatile,
            held,
            inlined,
            executed,
            inputs,
            query_key,
        };
        Ok((view, violations))
    }

    /// The ephemeral views that a stored view is computed with. A plan is put in place before the
    /// optimizer, where a plan still scans everything that its text refers to.
    fn inlined(
        &self,
        definition: &ViewDefinition,
        upstream: &BTreeSet<ViewName>,
    ) -> BTreeSet<ViewName> {
        let mut inlined = BTreeSet::new();
        let ephemeral = |name: &str| self.views.get(name).filter(|view| !view.is_stored());
        if definition.output.is_none()
            || !upstream
                .iter()
                .any(|name| ephemeral(name.as_str()).is_some())
        {
            return inlined;
        }
        let mut open = vec![definition];
        while let Some(view) = open.pop() {
            for reference in view.spec.references() {
                if let Some(found) = ephemeral(&reference.table)
                    && inlined.insert(found.name().clone())
                {
                    open.push(&found.definition);
                }
            }
        }
        inlined
    }

    /// The result key of a view without the footprints of datasets, its own and those of the
    /// ephemeral views that it reads.
    fn query_key(&self, bundle: &PlanBundle) -> Fingerprint {
        let mut encoder = Encoder::new("codeanatomy.query_key", 1);
        let semantic = bundle
            .components
            .iter()
            .filter(|component| component.class == ComponentClass::Semantic);
        for component in semantic {
            let subject = component.subject.as_deref();
            let hash = if component.name == "input_footprint" {
                match subject.and_then(|name| self.views.get(name)) {
                    None => continue,
                    Some(view) if view.is_stored() => view.bundle.result_key,
                    Some(view) => view.query_key,
                }
            } else {
                component.hash
            };
            encoder.str(component.name);
            encoder.option(subject, Encoder::str);
            encoder.fingerprint(&hash);
        }
        encoder.finish()
    }

    /// Counts the nodes of `plan` with every ephemeral upstream view in place of its scans.
    fn inlined_nodes(&self, plan: &LogicalPlan) -> usize {
        let mut nodes = 0usize;
        // The closure never fails.
        let _ = plan.apply_with_subqueries(|node| {
            nodes = nodes.saturating_add(1);
            if let LogicalPlan::TableScan(scan) = node
                && let Some(view) = self.views.get(scan.table_name.table())
                && view.definition.output.is_none()
            {
                nodes = nodes.saturating_add(view.inlined_nodes);
            }
            Ok(TreeNodeRecursion::Continue)
        });
        nodes
    }
}

impl PlannedView {
    /// The view's name.
    pub fn name(&self) -> &ViewName {
        self.definition.spec.name()
    }

    /// What the project says of the view.
    pub fn definition(&self) -> &ViewDefinition {
        &self.definition
    }

    /// Plans, fingerprint and key; its `logical` plan is the one after the analyzer.
    pub fn bundle(&self) -> &PlanBundle {
        &self.bundle
    }

    /// The plan after the analyzer, before the optimizer: upstream plans can take the place of its
    /// scans.
    pub fn analyzed(&self) -> &LogicalPlan {
        &self.bundle.logical
    }

    /// The plan as the query says, before the view's contract left out or cast rows.
    pub fn unaltered(&self) -> &LogicalPlan {
        match &self.held.unaltered {
            Some(plan) => plan,
            None => self.analyzed(),
        }
    }

    /// The identity of the view's contract, where rows have to be looked at to know that they keep
    /// it.
    pub(crate) fn to_validate(&self) -> Option<Fingerprint> {
        self.held.open
    }

    /// The schema that readers of this view see.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The views that the optimized plan scans. An upstream view whose columns the plan proves
    /// needless is not among them.
    pub fn upstream(&self) -> &BTreeSet<ViewName> {
        &self.upstream
    }

    /// The datasets that the optimized plan scans.
    pub fn datasets(&self) -> &BTreeSet<DatasetName> {
        &self.datasets
    }

    /// Volatile functions of this view and of everything that it reads. Where there is one, equal
    /// keys do not mean equal rows.
    pub fn volatile(&self) -> &BTreeSet<String> {
        &self.volatile
    }

    /// Whether the result is kept; an ephemeral view exists only inside its readers.
    pub fn is_stored(&self) -> bool {
        self.definition.output.is_some()
    }

    /// What executing the view reads of each dataset, through the ephemeral views that are computed
    /// inside it too. Of an ephemeral view, what its own plan reads.
    pub fn inputs(&self) -> &BTreeMap<DatasetName, InputFootprint> {
        &self.inputs
    }

    /// The identity of what the view computes, whatever its datasets hold. Where an ephemeral view
    /// is computed inside a stored one, this stands for it in the key of that one, beside the
    /// footprints of what is read for both together.
    pub fn query_key(&self) -> Fingerprint {
        self.query_key
    }

    /// The ephemeral views that are computed inside this one when it is built.
    pub(crate) fn inlined(&self) -> &BTreeSet<ViewName> {
        &self.inlined
    }

    /// The plan that a build runs: with the plans of ephemeral upstream views in place, and the
    /// outputs of stored ones as tables.
    pub fn executed(&self) -> ExecutedPlan {
        match &self.executed {
            Some(executed) => executed.clone(),
            None => ExecutedPlan {
                unoptimized: self.bundle.logical.clone(),
                optimized: self.bundle.optimized.clone(),
            },
        }
    }

    fn identity(&self, is_inlined: bool) -> InputIdentity {
        InputIdentity {
            kind: InputKind::View,
            identity: self.bundle.plan_fingerprint,
            footprint: if is_inlined {
                self.query_key
            } else {
                self.bundle.result_key
            },
            schema: codeanatomy_schema::fingerprint(&self.schema),
            store_policy: None,
            detail: format!("view with result key {}", self.bundle.result_key.short()),
        }
    }
}

/// The views whose text names a table.
fn readers_by_text(graph: &ViewGraph, table: &str) -> Vec<String> {
    let names = graph.order().filter(|spec| {
        let mut references = spec.references().iter();
        references.any(|reference| reference.table == table)
    });
    names.map(|spec| spec.name().to_string()).collect()
}

/// What `plan` reads of each dataset. Of a dataset that only `read` names nothing is read.
fn input_footprints(
    view: &ViewDefinition,
    plan: &LogicalPlan,
    read: &BTreeSet<String>,
    datasets: &BTreeMap<DatasetName, TableInput>,
    footprints: &dyn FootprintSource,
) -> Result<BTreeMap<DatasetName, InputFootprint>> {
    let mut scopes = scopes(plan).map_err(|error| engine_error(error, view))?;
    for table in read {
        scopes.entry(table.clone()).or_default();
    }
    let (class, reason) = determinism(plan);
    let mut inputs = BTreeMap::new();
    for (table, scopes) in scopes {
        let Some((dataset, input)) = datasets.get_key_value(table.as_str()) else {
            continue;
        };
        let reads_paths = input
            .file_column
            .as_ref()
            .is_some_and(|column| scopes.iter().any(|scope| asks(scope, column)));
        let depends_on_layout = match class {
            Determinism::D3 => Some(reason.clone()),
            _ if reads_paths => Some("the view reads the paths of files".to_owned()),
            Determinism::D0 | Determinism::D1 | Determinism::D2 => None,
        };
        let read = DatasetRead {
            scopes,
            depends_on_layout,
        };
        let found = footprints
            .input(view.spec.name(), dataset, &read)
            .map_err(|error| error.with("view", view.spec.name()))?;
        inputs.insert(dataset.clone(), found);
    }
    Ok(inputs)
}

fn asks(scope: &ScanScope, column: &str) -> bool {
    let filtered = || scope.filters.iter().flat_map(|filter| filter.column_refs());
    scope.columns.contains(column) || filtered().any(|found| found.name == column)
}

/// The schema that readers see, checked against the partition columns.
fn output_schema(plan: &LogicalPlan, view: &ViewDefinition) -> Result<SchemaRef, Errors> {
    let planned: SchemaRef = Arc::clone(plan.schema().inner());
    let name = view.spec.name();
    let mut errors = Vec::new();
    let Some(output) = &view.output else {
        return Errors::check(errors, planned);
    };
    for column in &output.partition_by {
        if planned.field_with_name(column).is_err() {
            let names = planned.fields().iter().map(|field| field.name().as_str());
            let error = Error::new(
                codes::UNKNOWN_PARTITION_COLUMN,
                format!("the view has no column `{column}` to partition its output by"),
            )
            .with_nearest(nearest(column, names))
            .with("view", name)
            .with_help("name columns of the view in `partition_by`");
            errors.push(match &output.declared_at {
                Some(location) => error.at(location.clone()),
                None => error.at(Location::file(view.spec.path())),
            });
        }
    }
    for (column, (_, declared_at)) in &view.ids {
        if planned.field_with_name(column).is_err() {
            let names = planned.fields().iter().map(|field| field.name().as_str());
            let error = Error::new(
                codes::UNKNOWN_ID_COLUMN,
                format!("the view has no column `{column}` of ids"),
            )
            .with_nearest(nearest(column, names))
            .with("view", name)
            .with_help("name columns of the view in `ids`");
            errors.push(match declared_at {
                Some(location) => error.at(location.clone()),
                None => error.at(Location::file(view.spec.path())),
            });
        }
    }
    match codeanatomy_delta::delta_schema(&planned) {
        Ok(schema) => Errors::check(errors, schema),
        Err(found) => {
            let place = |error: Error| error.at(Location::file(view.spec.path()));
            errors.extend(
                found
                    .into_iter()
                    .map(|error| place(error).with("view", name)),
            );
            Errors::check(errors, planned)
        }
    }
}

fn internal(view: &ViewDefinition, message: &str) -> Error {
    Error::new(codes::INTERNAL, message)
        .with("view", view.spec.name())
        .with_help("this is a defect of CodeAnatomy: please report it")
}

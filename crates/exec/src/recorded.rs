//! What a run took in, as its record keeps it: enough to plan every view of it again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use codeanatomy_delta::{
    OutputLayout, ProtocolGate, ProtocolMode, PruningPolicy, ScanConfig, ScanFootprint,
    StoreOptions, TableLocation,
};
use codeanatomy_plan::{ContractIdentity, InputIdentity, InputKind};
use codeanatomy_project::{CsvOptions, DatasetFormat, Place};
use codeanatomy_session::{RuntimeProfile, Session};
use codeanatomy_udf::factory::{MacroFile, MacroSet, Macros};
use codeanatomy_views::{ViewGraph, ViewSpec};
use codeanatomy_vocab::{
    DatasetName, DeltaInputPin, DeltaVersion, DeltaVersionSelector, Error, Errors, Fingerprint,
    Result, UnixMillis, ViewName,
};
use datafusion::arrow::datatypes::{DataType, Schema};
use serde::{Deserialize, Serialize};

use crate::dataset::seen_schema;
use crate::footprint::RecordedFootprints;
use crate::planned::DatasetInputs;
use crate::validate::RecordedContract;
use crate::{
    DatasetSpec, DeltaSettings, Environment, FootprintSource, OutputDefinition, Parameter,
    PinnedDataset, PlannedViews, TableInput, ViewDefinition, ViewFingerprints, codes, open_session,
    parameter, sql_dialect,
};

/// The version of the form of [`RunInputs`].
pub const RUN_INPUTS_FORMAT: u32 = 1;

/// Everything that the planning of a run depended on.
///
/// It holds no secret: options of stores are there as hashes only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunInputs {
    /// The version of this form: [`RUN_INPUTS_FORMAT`].
    pub format_version: u32,
    /// The engine's version.
    pub engine_version: String,
    /// The time of the run, in milliseconds since 1970 in UTC.
    pub run_time: UnixMillis,
    /// The settings of the session, with their sources.
    pub profile: RuntimeProfile,
    /// The rules of the session, in order.
    pub rulepack: Vec<String>,
    /// The digest of all functions of the session.
    pub function_registry: Fingerprint,
    /// Implementation digests of functions that are not the engine's own, by name.
    #[serde(default)]
    pub functions: BTreeMap<String, Fingerprint>,
    /// The digest of all functions and rewrites of the session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub udf_snapshot: Option<Fingerprint>,
    /// The rewrites that functions need, by the function's name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rewrite_tags: BTreeMap<String, BTreeSet<String>>,
    /// Digests of the rewrites that took part in planning, by tag.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rewrites: BTreeMap<String, Fingerprint>,
    /// The SQL macros that the views could call: the statement that declares each, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub macros: BTreeMap<String, MacroFile>,
    /// The views, with their text.
    pub views: BTreeMap<ViewName, RecordedView>,
    /// The datasets that the views read.
    pub datasets: BTreeMap<DatasetName, RecordedDataset>,
}

/// A view as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedView {
    /// Its file, relative to the project folder where it is in there.
    pub path: PathBuf,
    /// Its text.
    pub sql: Arc<str>,
    /// Its parameters, by name without the `$`.
    #[serde(default)]
    pub params: BTreeMap<String, RecordedParameter>,
    /// Where its result was kept; none for an ephemeral view.
    #[serde(default)]
    pub output: Option<RecordedOutput>,
    /// The identity of its contract.
    #[serde(default)]
    pub contract: Option<Fingerprint>,
    /// The contract itself, where it left out or cast rows: then it is a part of the plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altering: Option<RecordedContract>,
    /// Its identities in the run.
    pub keys: ViewFingerprints,
}

/// A parameter as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedParameter {
    /// Its Arrow type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its value as text.
    pub value: String,
}

/// Where a result was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedOutput {
    /// The folder of the table, relative to the project folder where it is in there.
    pub location: PathBuf,
    /// The columns by which it was partitioned.
    #[serde(default)]
    pub partition_by: Vec<String>,
}

/// A dataset as it was pinned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedDataset {
    /// Its place, relative to the project folder where it is in there.
    pub location: PathBuf,
    /// `delta`, `parquet`, `csv` or `json`.
    pub format: String,
    /// Whether the first line of CSV files holds names.
    #[serde(default)]
    pub csv_header: bool,
    /// The byte between values of CSV files.
    #[serde(default)]
    pub csv_delimiter: u8,
    /// The pin, for a Delta table.
    #[serde(default)]
    pub pin: Option<DeltaInputPin>,
    /// Which dataset exactly; another version of a table is another one.
    pub identity: Fingerprint,
    /// Which rows, of the whole dataset.
    pub footprint: Fingerprint,
    /// The conditions on its rows, for a Delta table.
    #[serde(default)]
    pub pruning: PruningPolicy,
    /// How it was read, for a Delta table.
    #[serde(default)]
    pub scan: ScanConfig,
    /// Columns that views saw as other types.
    #[serde(default)]
    pub read_as: BTreeMap<String, DataType>,
    /// The columns by whose values the files of a Delta table are laid out.
    #[serde(default)]
    pub partition_by: Vec<String>,
    /// What views read of it, for a Delta table.
    #[serde(default)]
    pub reads: Vec<RecordedRead>,
    /// How its store was reached, without secrets.
    #[serde(default)]
    pub store_policy: Option<Fingerprint>,
    /// The same for people.
    pub detail: String,
    /// All its columns, as Arrow writes a schema in JSON.
    pub schema: Schema,
}

/// What one view read of a Delta table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedRead {
    /// The view.
    pub view: ViewName,
    /// What its scans read, under the hash that its result key holds.
    pub scan: ScanFootprint,
}

impl RunInputs {
    /// Records what `planned` was planned from. Paths inside `root` are kept relative to it.
    pub fn record(
        root: &Path,
        planned: &PlannedViews,
        datasets: &BTreeMap<DatasetName, Arc<PinnedDataset>>,
        session: &Session,
        profile: &RuntimeProfile,
    ) -> Self {
        let Environment {
            engine_version,
            rulepack,
            function_registry,
            functions,
            udf_snapshot,
            rewrite_tags,
            rewrites,
            macros: _,
        } = Environment::of(session);
        let views = planned
            .iter()
            .map(|view| {
                let keys = ViewFingerprints::of(view);
                let recorded = RecordedView::new(root, view.definition(), keys);
                (view.name().clone(), recorded)
            })
            .collect();
        let datasets = datasets
            .iter()
            .map(|(name, dataset)| (name.clone(), RecordedDataset::new(root, dataset, planned)))
            .collect();
        Self {
            format_version: RUN_INPUTS_FORMAT,
            engine_version,
            run_time: session.run_time(),
            profile: profile.clone(),
            rulepack,
            function_registry,
            functions,
            udf_snapshot,
            rewrite_tags,
            rewrites,
            macros: planned.macros().definitions().clone(),
            views,
            datasets,
        }
    }

    /// Reads a record.
    ///
    /// # Errors
    ///
    /// [`RECORD_DAMAGED`](codes::RECORD_DAMAGED) when the text is no such record, and
    /// [`RECORD_FORMAT`](codes::RECORD_FORMAT) for one of another format.
    pub fn from_json(text: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            format_version: u32,
        }
        let damaged = |error: serde_json::Error| {
            Error::new(
                codes::RECORD_DAMAGED,
                "the record of what a run took in is damaged",
            )
            .with_source(error)
            .with_help("nothing can bring it back; compare with another run, or build again")
        };
        let Version { format_version } = serde_json::from_slice(text).map_err(damaged)?;
        if format_version != RUN_INPUTS_FORMAT {
            return Err(Error::new(
                codes::RECORD_FORMAT,
                format!("the record of what a run took in has format {format_version}"),
            )
            .with_expected(format!("format {RUN_INPUTS_FORMAT}"))
            .with_help("use the version of the program that wrote it"));
        }
        serde_json::from_slice(text).map_err(damaged)
    }

    /// `view` and everything that it reads, directly or not, as far as it is recorded; sorted.
    ///
    /// A text that does not parse is taken to read nothing.
    pub fn closure(&self, view: &ViewName) -> BTreeSet<ViewName> {
        let mut found = BTreeSet::new();
        let mut open = vec![view.clone()];
        while let Some(name) = open.pop() {
            if self.views.contains_key(&name) && found.insert(name.clone()) {
                let references = self.references(&name).into_iter();
                open.extend(references.filter_map(|table| ViewName::new(table).ok()));
            }
        }
        found
    }

    /// This record with `view`, what it reads, and nothing else.
    #[must_use]
    pub fn only(mut self, view: &ViewName) -> Self {
        let views = self.closure(view);
        let datasets = self.datasets_of(&views);
        self.views.retain(|name, _| views.contains(name));
        self.datasets.retain(|name, _| datasets.contains(name));
        self
    }

    /// The datasets that the texts of `views` refer to.
    pub(crate) fn datasets_of(&self, views: &BTreeSet<ViewName>) -> BTreeSet<DatasetName> {
        views
            .iter()
            .flat_map(|name| self.references(name))
            .filter_map(|table| DatasetName::new(table).ok())
            .filter(|name| self.datasets.contains_key(name))
            .collect()
    }

    /// The tables that the text of a view refers to. A text that does not parse refers to none.
    fn references(&self, view: &ViewName) -> Vec<String> {
        let Some(recorded) = self.views.get(view) else {
            return Vec::new();
        };
        let (path, sql) = (recorded.path.clone(), Arc::clone(&recorded.sql));
        match ViewSpec::parse(view.clone(), path, sql, sql_dialect(&self.profile)) {
            Ok(spec) => spec.references().iter().map(|r| r.table.clone()).collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Plans `views`, and what they read, as this record says. The session is made for the record's
    /// settings and time, with the engine of this program.
    ///
    /// # Errors
    ///
    /// Those of planning a project.
    pub fn plan(
        &self,
        root: &Path,
        views: &BTreeSet<ViewName>,
    ) -> Result<(PlannedViews, Session), Errors> {
        let session = open_session(&self.profile, self.run_time)?;
        let planned = self.plan_in(root, views, &session)?;
        Ok((planned, session))
    }

    /// Like [`plan`](Self::plan), in a session that was made for the same settings and time.
    pub(crate) fn plan_in(
        &self,
        root: &Path,
        views: &BTreeSet<ViewName>,
        session: &Session,
    ) -> Result<PlannedViews, Errors> {
        self.plan_with(root, views, session, &RecordedFootprints(&self.datasets))
    }

    pub(crate) fn plan_with(
        &self,
        root: &Path,
        views: &BTreeSet<ViewName>,
        session: &Session,
        footprints: &dyn FootprintSource,
    ) -> Result<PlannedViews, Errors> {
        let dialect = sql_dialect(&self.profile);
        let mut definitions = BTreeMap::new();
        let mut errors = Vec::new();
        for name in views {
            let Some(recorded) = self.views.get(name) else {
                continue;
            };
            match recorded.definition(name, root, dialect) {
                Ok(definition) => {
                    definitions.insert(name.clone(), definition);
                }
                Err(error) => errors.push(error),
            }
        }
        Errors::check(errors, ())?;
        let specs = definitions
            .values()
            .map(|view: &ViewDefinition| view.spec.clone())
            .collect();
        let known = self.datasets.keys().map(|name| name.as_str().to_owned());
        let graph = ViewGraph::build(specs, &known.collect())?;
        let environment = Environment {
            engine_version: self.engine_version.clone(),
            rulepack: self.rulepack.clone(),
            function_registry: self.function_registry,
            functions: self.functions.clone(),
            udf_snapshot: self.udf_snapshot,
            rewrite_tags: self.rewrite_tags.clone(),
            rewrites: self.rewrites.clone(),
            macros: self.plan_macros(session)?,
        };
        // Whether columns kept their contracts was found out when the run was made.
        let (planned, _) = PlannedViews::plan_leniently(
            &graph,
            definitions,
            &DatasetInputs {
                tables: &self.tables(),
                footprints,
            },
            session,
            &self.profile,
            &environment,
            Vec::new(),
        )?;
        Ok(planned)
    }

    fn plan_macros(&self, session: &Session) -> Result<Macros, Errors> {
        if self.macros.is_empty() {
            return Ok(Macros::default());
        }
        let files = self.macros.values().cloned().collect();
        MacroSet::parse(files, sql_dialect(&self.profile))?.plan(&session.planning_state())
    }

    /// The datasets as planning sees them.
    pub fn tables(&self) -> BTreeMap<DatasetName, TableInput> {
        self.datasets
            .iter()
            .map(|(name, dataset)| (name.clone(), dataset.table_input()))
            .collect()
    }
}

impl RecordedView {
    fn new(root: &Path, view: &ViewDefinition, keys: ViewFingerprints) -> Self {
        let params = view.params.iter().map(|(name, parameter)| {
            let recorded = RecordedParameter {
                type_name: parameter.type_name.clone(),
                value: parameter.text.clone(),
            };
            (name.clone(), recorded)
        });
        let output = view.output.as_ref().map(|output| RecordedOutput {
            location: relative(root, Path::new(&output.location.to_string())),
            partition_by: output.partition_by.clone(),
        });
        Self {
            path: relative(root, view.spec.path()),
            sql: Arc::clone(view.spec.sql()),
            params: params.collect(),
            output,
            contract: view.contract_identity().map(|contract| contract.hash),
            altering: view.contract.as_ref().and_then(RecordedContract::of),
            keys,
        }
    }

    fn definition(
        &self,
        name: &ViewName,
        root: &Path,
        dialect: codeanatomy_views::Dialect,
    ) -> Result<ViewDefinition> {
        let sql = Arc::clone(&self.sql);
        let spec = ViewSpec::parse(name.clone(), self.path.clone(), sql, dialect)?;
        let params = self
            .params
            .iter()
            .map(|(name, recorded)| {
                let value = parameter(name, &recorded.type_name, &recorded.value)?;
                Ok((name.clone(), value))
            })
            .collect::<Result<BTreeMap<String, Parameter>>>()?;
        let output = match &self.output {
            None => None,
            Some(output) => Some(OutputDefinition {
                location: TableLocation::parse(&output.location.display().to_string(), root)?,
                options: StoreOptions::new(),
                partition_by: output.partition_by.clone(),
                layout: OutputLayout::default(),
                declared_at: None,
            }),
        };
        Ok(ViewDefinition {
            spec,
            output,
            params,
            contract: match &self.altering {
                None => None,
                Some(altering) => Some(altering.declared()?),
            },
            recorded_contract: self.contract.map(|hash| ContractIdentity {
                hash,
                alters_rows: false,
                detail: "as recorded".to_owned(),
            }),
            ids: BTreeMap::new(),
            description: None,
        })
    }
}

impl RecordedDataset {
    fn new(root: &Path, dataset: &PinnedDataset, planned: &PlannedViews) -> Self {
        let reads = planned.iter().filter_map(|view| {
            let scan = view.inputs().get(dataset.name())?.scan.clone()?;
            let view = view.name().clone();
            Some(RecordedRead { view, scan })
        });
        let InputIdentity {
            kind: _,
            identity,
            footprint,
            schema: _,
            store_policy,
            detail,
        } = dataset.identity();
        let csv = dataset.csv();
        Self {
            location: relative(root, dataset.path()),
            format: dataset.format().to_owned(),
            csv_header: csv.header,
            csv_delimiter: csv.delimiter,
            pin: dataset.pin().cloned(),
            identity,
            footprint,
            pruning: dataset.pruning().clone(),
            scan: dataset.scan_config().clone(),
            read_as: dataset.read_as().clone(),
            partition_by: dataset
                .table()
                .map(|table| table.partition_by().to_vec())
                .unwrap_or_default(),
            reads: reads.collect(),
            store_policy,
            detail,
            schema: dataset.stored_schema().as_ref().clone(),
        }
    }

    fn table_input(&self) -> TableInput {
        let stored = Arc::new(self.schema.clone());
        let schema = seen_schema(&stored, &self.read_as);
        TableInput {
            stored,
            schema: Arc::clone(&schema),
            identity: InputIdentity {
                kind: InputKind::Dataset,
                identity: self.identity,
                footprint: self.footprint,
                schema: codeanatomy_schema::fingerprint(&schema),
                store_policy: self.store_policy,
                detail: self.detail.clone(),
            },
            // A policy that was in force has filters.
            filters: self
                .pruning
                .filters(&self.schema, &self.partition_by)
                .unwrap_or_default(),
            file_column: self.scan.file_column.clone(),
        }
    }

    /// The pinned version, for a Delta table.
    pub fn version(&self) -> Option<DeltaVersion> {
        self.pin.as_ref().map(|pin| pin.version)
    }

    /// How to find the same content again. `options` are those of the store, which a record never
    /// holds.
    pub fn spec(&self, name: &DatasetName, root: &Path, options: StoreOptions) -> DatasetSpec {
        let selector = match self.version() {
            Some(version) => DeltaVersionSelector::Version(version),
            None => DeltaVersionSelector::Latest,
        };
        DatasetSpec {
            name: name.clone(),
            place: place(root, &self.location),
            format: DatasetFormat::ALL
                .iter()
                .find(|(name, _)| *name == self.format)
                .map(|(_, format)| *format),
            csv: CsvOptions {
                header: self.csv_header,
                delimiter: self.csv_delimiter,
            },
            selector,
            pinned_by: None,
            options,
            contract: None,
            delta: DeltaSettings {
                pruning: self.pruning.clone(),
                scan: self.scan.clone(),
                read_as: self.read_as.clone(),
                // What a run has read may be read again.
                protocol: ProtocolGate {
                    mode: ProtocolMode::Permissive,
                    ..ProtocolGate::default()
                },
                ..DeltaSettings::default()
            },
            declared_at: None,
        }
    }
}

/// What a record calls a location: a path from the project's folder, or a URL.
fn place(root: &Path, location: &Path) -> Place {
    let local = || Place::Local(root.join(location));
    match location.to_str() {
        Some(text) if text.contains("://") => Place::parse(root, text).unwrap_or_else(|_| local()),
        Some(_) | None => local(),
    }
}

fn relative(root: &Path, path: &Path) -> PathBuf {
    path.strip_prefix(root).unwrap_or(path).to_owned()
}

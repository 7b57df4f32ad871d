//! From a project folder to a pipeline that knows its views and settings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use codeanatomy_delta::{
    FeatureGate, OutputLayout, PartitionFilter, PartitionOperator, PinRequest, ProtocolGate,
    ProtocolMode, ProtocolSupport, PruningPolicy, ScanConfig, StatisticsFilter, StatisticsOperator,
    TableLocation, agree_on_pins,
};
use codeanatomy_exec::{
    DatasetSpec, DeclaredContract, DeltaSettings, OutputDefinition, ViewDefinition, parameter,
    sql_dialect,
};
use codeanatomy_project::{
    CachePolicy, ContractSection, DatasetConfig, DeltaSection, Layers, LayoutSection, Project,
    ProtocolModeSetting, Source, UserConfig, ViewFile,
};
use codeanatomy_schema::{OnInvalid, SchemaContract, parse_data_type};
use codeanatomy_session::{
    Machine, Notice, Preset, ProfileBuilder, RuntimeProfile, SettingSource, parallel_map,
};
use codeanatomy_udf::factory::{MacroFile, MacroSet};
use codeanatomy_views::{ViewGraph, ViewSpec};
use codeanatomy_vocab::{
    Clock, DatasetName, Error, Errors, Location, Result, SystemClock, UnixMillis, ViewName, nearest,
};

use crate::openlineage::OpenLineageSettings;
use crate::tables::{store_options, text_of};

/// What a caller says beyond the project folder.
#[derive(Debug, Clone)]
pub struct Overrides {
    /// Session settings that win over everything else, as `KEY`, `VALUE`.
    pub settings: Vec<(String, String)>,
    /// Environment variables; those that start with `CODEANATOMY_` win over files, and `HOME` and
    /// `XDG_CONFIG_HOME` say where the user's own file is. Empty: none are looked at.
    pub env: BTreeMap<String, String>,
    /// The machine that presets are fitted to.
    pub machine: Machine,
    /// The clock of runs.
    pub clock: Arc<dyn Clock>,
    /// The time that queries see as now; without it, the clock's when inputs are pinned.
    pub as_of: Option<UnixMillis>,
    /// Where OpenLineage events go: a URL or the path of a file. Wins over variables and files.
    pub openlineage: Option<String>,
    /// Versions of datasets that are asked for beside what the project says.
    pub pins: Vec<PinRequest>,
}

impl Default for Overrides {
    /// No settings, no environment, no pins, this machine, the system's clock and time.
    fn default() -> Self {
        Self {
            settings: Vec::new(),
            env: BTreeMap::new(),
            machine: Machine::detect(),
            clock: Arc::new(SystemClock),
            as_of: None,
            openlineage: None,
            pins: Vec::new(),
        }
    }
}

/// A project whose files are read and parsed; no data has been looked at.
#[derive(Debug)]
pub struct Configured {
    pub(crate) project: Project,
    pub(crate) profile: RuntimeProfile,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) as_of: Option<UnixMillis>,
    pub(crate) graph: ViewGraph,
    pub(crate) definitions: BTreeMap<ViewName, ViewDefinition>,
    pub(crate) datasets: BTreeMap<DatasetName, DatasetSpec>,
    pub(crate) macros: MacroSet,
    pub(crate) openlineage: Option<OpenLineageSettings>,
    notices: Vec<Notice>,
}

impl Configured {
    /// Reads the project folder `root`.
    ///
    /// # Errors
    ///
    /// All at once, pass by pass: first everything that is wrong with the files of the folder, then
    /// with settings, SQL, names and rings.
    pub fn load(root: &Path, overrides: Overrides) -> Result<Self, Errors> {
        let project = Project::load(root)?;
        let mut errors = Vec::new();
        let profile = profile(&project, &overrides, &mut errors);
        let mut specs = Vec::new();
        let mut definitions = BTreeMap::new();
        // Names that the graph must not take for unknown: datasets, and views that do not parse.
        let mut known: BTreeSet<String> = project
            .datasets
            .keys()
            .map(|name| name.as_str().to_owned())
            .collect();
        let dialect = profile
            .as_ref()
            .map(|(profile, _)| sql_dialect(profile))
            .unwrap_or_default();
        let threads = profile
            .as_ref()
            .map_or(1, |(profile, _)| profile.planning_concurrency());
        let parsed = parallel_map(
            threads,
            project.views.values().collect(),
            |file: &ViewFile| {
                let sql = Arc::clone(&file.sql);
                let parsed = ViewSpec::parse(file.name.clone(), file.path.clone(), sql, dialect);
                (file, parsed)
            },
        );
        for (file, parsed) in parsed {
            match parsed {
                Ok(spec) => {
                    specs.push(spec.clone());
                    match definition(&project, file, spec) {
                        Ok(definition) => {
                            definitions.insert(file.name.clone(), definition);
                        }
                        Err(found) => errors.extend(found),
                    }
                }
                Err(error) => {
                    known.insert(file.name.as_str().to_owned());
                    errors.push(error);
                }
            }
        }
        let mut datasets = BTreeMap::new();
        for dataset in project.datasets.values() {
            match dataset_spec(&project, dataset) {
                Ok(spec) => {
                    datasets.insert(dataset.name.clone(), spec);
                }
                Err(found) => errors.extend(found),
            }
        }
        let macros = MacroSet::parse(macro_files(&project), dialect).unwrap_or_else(|found| {
            errors.extend(found);
            MacroSet::default()
        });
        pin(&project, &mut datasets, overrides.pins, &mut errors);
        let graph = ViewGraph::build(specs, &known)
            .map_err(|found| errors.extend(found))
            .ok();
        let openlineage = OpenLineageSettings::resolve(
            &project,
            overrides.openlineage.as_deref(),
            &overrides.env,
        )
        .unwrap_or_else(|error| {
            errors.push(error);
            None
        });
        Errors::check(errors, ())?;
        let (Some(graph), Some((profile, notices))) = (graph, profile) else {
            unreachable!("whatever is missing has left an error");
        };
        Ok(Self {
            project,
            profile,
            clock: overrides.clock,
            as_of: overrides.as_of,
            graph,
            definitions,
            datasets,
            macros,
            openlineage,
            notices,
        })
    }

    /// The project as its files say.
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// Every setting of the session, with its source.
    pub fn profile(&self) -> &RuntimeProfile {
        &self.profile
    }

    /// What the user should know of how settings were fitted to the machine.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// The views with what is to become of their results.
    pub fn definitions(&self) -> &BTreeMap<ViewName, ViewDefinition> {
        &self.definitions
    }

    /// The SQL macros; also those that no view calls.
    pub fn macros(&self) -> &MacroSet {
        &self.macros
    }

    /// The datasets, by name; also those that no view reads.
    pub fn datasets(&self) -> impl Iterator<Item = &DatasetSpec> {
        self.datasets.values()
    }

    /// The views and what their text refers to.
    pub fn graph(&self) -> &ViewGraph {
        &self.graph
    }
}

fn profile(
    project: &Project,
    overrides: &Overrides,
    errors: &mut Vec<Error>,
) -> Option<(RuntimeProfile, Vec<Notice>)> {
    let before = errors.len();
    let user = UserConfig::load(&overrides.env).unwrap_or_else(|found| {
        errors.extend(found);
        UserConfig::default()
    });
    let mut layers = Layers::new("session")
        .with_user(user.session.entries())
        .with_project(project.session.entries())
        .with_env(&overrides.env);
    for (key, value) in &overrides.settings {
        layers = layers.with_flag("--set", key, value.as_str());
    }
    let preset = match layers.get("preset") {
        None => Preset::default(),
        Some(named) => named.value.to_string().parse().unwrap_or_else(|error| {
            errors.push(at_source(error, &named.source));
            Preset::default()
        }),
    };
    let mut builder: ProfileBuilder = RuntimeProfile::preset(preset);
    for (key, setting) in layers.merged() {
        if key == "preset" {
            continue;
        }
        let set = builder.set(
            &key,
            &setting.value.to_string(),
            setting_source(&setting.source),
        );
        if let Err(error) = set {
            errors.push(at_source(error, &setting.source));
        }
    }
    let built = builder.build(overrides.machine);
    match built {
        Ok(built) if errors.len() == before => Some(built),
        Ok(_) => None,
        Err(error) => {
            errors.push(error);
            None
        }
    }
}

fn macro_files(project: &Project) -> Vec<MacroFile> {
    let files = project.macros.iter();
    files
        .map(|file| MacroFile {
            path: file.path.clone(),
            sql: Arc::clone(&file.sql),
        })
        .collect()
}

fn at_source(error: Error, source: &Source) -> Error {
    match source {
        Source::File(location) => error.at(location.clone()),
        other => error.with("source", other),
    }
}

fn setting_source(source: &Source) -> SettingSource {
    match source {
        Source::Flag(flag) => SettingSource::Flag { flag: flag.clone() },
        Source::Env(variable) => SettingSource::Environment {
            variable: variable.clone(),
        },
        Source::File(location) => SettingSource::ConfigFile {
            path: location.path().display().to_string(),
            line: location.position().map(|position| position.line),
        },
        Source::Preset(_) | Source::Default => SettingSource::Caller,
    }
}

fn definition(
    project: &Project,
    file: &ViewFile,
    spec: ViewSpec,
) -> Result<ViewDefinition, Errors> {
    let mut errors = Vec::new();
    let mut params = BTreeMap::new();
    for (name, param) in &file.config.params {
        let Some(default) = &param.default else {
            continue;
        };
        match parameter(name, &param.type_name, &default.to_string()) {
            Ok(value) => {
                params.insert(name.clone(), value);
            }
            Err(error) => {
                errors.push(error.at(param.declared_at.clone()).with("view", &file.name));
            }
        }
    }
    let contract = contract(file.config.contract.as_ref()).unwrap_or_else(|found| {
        errors.extend(
            found
                .into_iter()
                .map(|error| error.with("view", &file.name)),
        );
        None
    });
    errors.extend(unstored_mode(file, contract.as_ref()));
    let output = match file.config.cache {
        CachePolicy::None | CachePolicy::Memory | CachePolicy::DeltaStaging => None,
        CachePolicy::DeltaOutput => output(project, file).unwrap_or_else(|found| {
            let place = |error: Error| match error.location() {
                Some(_) => error,
                None => error.at(file.location_of("location")),
            };
            errors.extend(
                found
                    .into_iter()
                    .map(|error| place(error).with("view", &file.name)),
            );
            None
        }),
    };
    let description = file.config.description.clone();
    let ids = file.config.ids.iter().map(|(column, kind)| {
        let at = file.location_of(&format!("ids.{column}"));
        (column.clone(), (kind.clone(), Some(at)))
    });
    let ids = ids.collect();
    Errors::check(
        errors,
        ViewDefinition {
            spec,
            output,
            params,
            contract,
            recorded_contract: None,
            ids,
            description,
        },
    )
}

fn output(project: &Project, file: &ViewFile) -> Result<Option<OutputDefinition>, Errors> {
    let Some(place) = project.output_place(file.name.as_str()) else {
        return Ok(None);
    };
    let location = TableLocation::parse(&text_of(&place), &project.root)?;
    Ok(Some(OutputDefinition {
        location,
        options: store_options(project, &place, None)?,
        partition_by: file.config.partition_by.clone(),
        layout: layout(&file.config.layout),
        declared_at: Some(file.location_of("partition_by")),
    }))
}

/// Rows that are not written anywhere can be left out or cast, and nothing else.
fn unstored_mode(file: &ViewFile, contract: Option<&DeclaredContract>) -> Option<Error> {
    let mode = contract?.on_invalid?;
    let (_, at) = file.config.contract.as_ref()?.on_invalid.as_ref()?;
    let is_stored = file.config.cache == CachePolicy::DeltaOutput;
    (!is_stored && !mode.alters_rows()).then(|| {
        Error::new(
            codeanatomy_project::codes::CONFLICTING_KEYS,
            format!("`on_invalid = \"{mode}\"` has no meaning: the view writes no output"),
        )
        .at(at.clone())
        .with("view", &file.name)
        .with_help(
            "add `cache = \"delta_output\"`, write `filter` or `coerce`, or remove `on_invalid`",
        )
    })
}

fn layout(section: &LayoutSection) -> OutputLayout {
    OutputLayout {
        target_file_bytes: section.target_file_bytes,
        statistics_columns: section.statistics_columns.clone(),
        z_order_by: section.z_order_by.clone(),
        properties: section.properties.clone(),
    }
}

fn contract(section: Option<&ContractSection>) -> Result<Option<DeclaredContract>, Errors> {
    let Some(section) = section else {
        return Ok(None);
    };
    let columns = section
        .columns
        .iter()
        .map(|column| {
            (
                column.name.clone(),
                column.type_name.clone(),
                column.nullable,
            )
        })
        .collect();
    let mut errors = Vec::new();
    let contract = SchemaContract::build(&section.evolution, section.key.clone(), columns)
        .map_err(|found| {
            let place = |error: Error| {
                let at = place_in_contract(section, &error);
                error.at(at)
            };
            errors.extend(found.into_iter().map(place));
        })
        .ok();
    let on_invalid = section.on_invalid.as_ref().map(|(text, at)| {
        OnInvalid::parse(text).unwrap_or_else(|error| {
            errors.push(error.at(at.clone()));
            OnInvalid::default()
        })
    });
    let declared = contract.map(|contract| DeclaredContract {
        contract: Arc::new(contract),
        on_invalid,
        declared_at: Some(section.declared_at.clone()),
    });
    Errors::check(errors, declared)
}

/// The column that an error is about, where it is written, or the policy, or the contract.
fn place_in_contract(section: &ContractSection, error: &Error) -> Location {
    let column = error.context().iter().find(|(key, _)| *key == "column");
    let of_column = column.and_then(|(_, name)| section.column_at(name));
    let of_policy = match error.code() {
        codeanatomy_schema::codes::UNKNOWN_POLICY => section.evolution_at.as_ref(),
        _ => None,
    };
    of_column
        .or(of_policy)
        .unwrap_or(&section.declared_at)
        .clone()
}

/// Gives each dataset the version that the project and the caller agree on.
fn pin(
    project: &Project,
    datasets: &mut BTreeMap<DatasetName, DatasetSpec>,
    asked: Vec<PinRequest>,
    errors: &mut Vec<Error>,
) {
    let (known, unknown): (Vec<PinRequest>, Vec<PinRequest>) = asked
        .into_iter()
        .partition(|request| project.datasets.contains_key(&request.dataset));
    errors.extend(unknown.into_iter().map(|request| {
        let names = project.datasets.keys().map(DatasetName::as_str);
        Error::new(
            codeanatomy_exec::codes::UNKNOWN_DATASET,
            format!("{} names no dataset of the project", request.place),
        )
        .with_nearest(nearest(request.dataset.as_str(), names))
        .with_help("name a dataset of codeanatomy.toml")
    }));
    let declared = project.datasets.values().filter_map(|dataset| {
        Some(PinRequest {
            dataset: dataset.name.clone(),
            selector: dataset.selector,
            place: dataset.selector_at.as_ref()?.to_string(),
        })
    });
    match agree_on_pins(declared.chain(known)) {
        Ok(agreed) => {
            for (name, request) in agreed {
                if let Some(spec) = datasets.get_mut(&name) {
                    spec.selector = request.selector;
                    spec.pinned_by = Some(request.place);
                }
            }
        }
        Err(conflicts) => errors.extend(conflicts),
    }
}

/// What a project lets in.
fn protocol_gate(section: &DeltaSection) -> ProtocolGate {
    let DeltaSection {
        protocol_mode,
        max_reader_version,
        max_writer_version,
        supported_reader_features,
        supported_writer_features,
    } = section.clone();
    let default = ProtocolSupport::default();
    ProtocolGate {
        support: ProtocolSupport {
            max_reader_version: max_reader_version.unwrap_or(default.max_reader_version),
            max_writer_version: max_writer_version.unwrap_or(default.max_writer_version),
            supported_reader_features: supported_reader_features
                .unwrap_or(default.supported_reader_features),
            supported_writer_features: supported_writer_features
                .unwrap_or(default.supported_writer_features),
        },
        mode: match protocol_mode.unwrap_or_default() {
            ProtocolModeSetting::Strict => ProtocolMode::Strict,
            ProtocolModeSetting::Warn => ProtocolMode::Warn,
            ProtocolModeSetting::Permissive => ProtocolMode::Permissive,
        },
    }
}

fn delta_settings(project: &Project, dataset: &DatasetConfig) -> Result<DeltaSettings, Errors> {
    let mut errors = Vec::new();
    let mut read_as = BTreeMap::new();
    for (column, (type_name, at)) in &dataset.scan.schema {
        match parse_data_type(type_name) {
            Ok(data_type) => {
                read_as.insert(column.clone(), data_type);
            }
            Err(error) => errors.push(error.at(at.clone()).with("dataset", &dataset.name)),
        }
    }
    Errors::check(errors, ())?;
    let partition_filters = dataset.pruning.partition_filters.iter();
    let statistics_filters = dataset.pruning.statistics_filters.iter();
    Ok(DeltaSettings {
        pruning: PruningPolicy {
            partition_filters: partition_filters
                .filter_map(|filter| {
                    Some(PartitionFilter {
                        column: filter.column.clone(),
                        op: PartitionOperator::from_symbol(filter.op)?,
                        values: filter.values.clone(),
                    })
                })
                .collect(),
            statistics_filters: statistics_filters
                .filter_map(|filter| {
                    Some(StatisticsFilter {
                        column: filter.column.clone(),
                        op: StatisticsOperator::from_symbol(filter.op)?,
                        value: filter.values.first().cloned().flatten()?,
                    })
                })
                .collect(),
        },
        pruning_at: dataset.pruning.declared_at.clone(),
        scan: ScanConfig {
            file_column: dataset.scan.file_column.clone(),
            parquet_pushdown: dataset.scan.parquet_pushdown,
            ..ScanConfig::default()
        },
        read_as,
        scan_at: dataset.scan.declared_at.clone(),
        protocol: protocol_gate(&project.delta),
        gate: FeatureGate {
            min_reader_version: dataset.gate.min_reader_version,
            min_writer_version: dataset.gate.min_writer_version,
            required_reader_features: dataset.gate.required_reader_features.clone(),
            required_writer_features: dataset.gate.required_writer_features.clone(),
        },
        gate_at: dataset.gate.declared_at.clone(),
    })
}

fn dataset_spec(project: &Project, dataset: &DatasetConfig) -> Result<DatasetSpec, Errors> {
    let place = dataset.place(&project.root)?;
    let options = store_options(project, &place, Some(dataset))?;
    let contract = contract(dataset.contract.as_ref())?;
    if let Some((_, at)) = dataset
        .contract
        .as_ref()
        .and_then(|it| it.on_invalid.as_ref())
    {
        return Err(Error::new(
            codeanatomy_project::codes::CONFLICTING_KEYS,
            "`on_invalid` has no meaning: a dataset is read and not written",
        )
        .at(at.clone())
        .with("dataset", &dataset.name)
        .with_help("remove the key, and put it into the contract of a view that reads the dataset")
        .into());
    }
    Ok(DatasetSpec {
        name: dataset.name.clone(),
        place,
        format: dataset.format,
        csv: dataset.csv,
        selector: dataset.selector,
        options,
        contract,
        delta: delta_settings(project, dataset)?,
        pinned_by: None,
        declared_at: Some(dataset.location_at.clone()),
    })
}

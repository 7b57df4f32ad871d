//! Datasets: what a project reads, pinned for a run.

mod files;
mod objects;
mod parquet;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use codeanatomy_delta::{
    FeatureGate, PinnedTable, ProtocolGate, PruningPolicy, ScanConfig, StoreOptions, TableLocation,
};
use codeanatomy_obs::PinSummary;
use codeanatomy_plan::{InputIdentity, InputKind};
use codeanatomy_project::{CsvOptions, DatasetFormat, Place};
use codeanatomy_schema::EvolutionPolicy;
use codeanatomy_session::Session;
use codeanatomy_vocab::{
    DatasetName, DeltaInputPin, DeltaVersionSelector, Error, Errors, Location, Result, nearest,
};
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::logical_expr::Expr;

use self::files::PinnedFiles;
use self::objects::PinnedObjects;
use crate::view::DeclaredContract;
use crate::{TableInput, codes};

/// What a project says of a dataset.
#[derive(Debug, Clone)]
pub struct DatasetSpec {
    /// Its name, by which views refer to it.
    pub name: DatasetName,
    /// Where its files are.
    pub place: Place,
    /// The format; found out from the files when it is not given.
    pub format: Option<DatasetFormat>,
    /// How to read CSV files.
    pub csv: CsvOptions,
    /// Which version of a Delta table.
    pub selector: DeltaVersionSelector,
    /// Where that version is asked for, for errors.
    pub pinned_by: Option<String>,
    /// Options of the store.
    pub options: StoreOptions,
    /// What the dataset's schema must be, and where that is written.
    pub contract: Option<DeclaredContract>,
    /// What only a Delta table has.
    pub delta: DeltaSettings,
    /// Where the project declares it, for errors.
    pub declared_at: Option<Location>,
}

/// What a project says of a dataset that only a Delta table has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeltaSettings {
    /// Conditions on its rows, as part of what the dataset is: rows that fulfil them not are not
    /// seen, wherever they lie.
    pub pruning: PruningPolicy,
    /// Where these are written, for errors.
    pub pruning_at: Option<Location>,
    /// How its files are read.
    pub scan: ScanConfig,
    /// Columns that views see as other types, which hold every value of the column.
    pub read_as: BTreeMap<String, DataType>,
    /// Where that is written, for errors.
    pub scan_at: Option<Location>,
    /// Which tables the project lets in.
    pub protocol: ProtocolGate,
    /// What the table must have.
    pub gate: FeatureGate,
    /// Where that is written, for errors.
    pub gate_at: Option<Location>,
}

/// A dataset fixed for a run: later commits to a Delta table are not seen, and files that change
/// are noticed.
#[derive(Debug)]
pub struct PinnedDataset {
    name: DatasetName,
    path: PathBuf,
    csv: CsvOptions,
    pruning: PruningPolicy,
    scan: ScanConfig,
    read_as: BTreeMap<String, DataType>,
    /// The conditions of the pruning policy.
    filters: Vec<Expr>,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Delta(Box<PinnedTable>),
    Files(PinnedFiles),
    Objects(PinnedObjects),
}

impl DatasetSpec {
    /// Looks at the dataset and fixes it.
    ///
    /// A Delta table is fixed at one version. Plain files are fixed by the BLAKE3 hash of their
    /// content, so this reads every byte of them once.
    ///
    /// # Errors
    ///
    /// [`DATASET_MISSING`](codes::DATASET_MISSING), [`DATASET_EMPTY`](codes::DATASET_EMPTY),
    /// [`DATASET_FORMAT`](codes::DATASET_FORMAT),
    /// [`DATASET_UNREADABLE`](codes::DATASET_UNREADABLE),
    /// [`DATASET_NOT_VERSIONED`](codes::DATASET_NOT_VERSIONED),
    /// [`DELTA_SETTING`](codes::DELTA_SETTING), those of the protocol gate, of the pruning policy
    /// and of the scan configuration, and the errors of [`codeanatomy_delta::open`], at the place
    /// where the project declares the dataset. Its contract is held against it by
    /// [`check_dataset`](crate::check_dataset).
    pub async fn pin(&self, session: &Session) -> Result<PinnedDataset, Errors> {
        let place = |error: Error, place: &Option<Location>| {
            let mut error = error.with("dataset", &self.name);
            if let Some(place) = &self.pinned_by {
                error = error.with("pinned by", place);
            }
            match place {
                Some(location) => error.at(location.clone()),
                None => error,
            }
        };
        let content = self
            .content(session)
            .await
            .map_err(|error| place(error, &self.declared_at))?;
        let (filters, errors) = match self.delta.check(&content) {
            Ok(filters) => (filters, Vec::new()),
            Err(found) => (Vec::new(), found),
        };
        let errors = errors.into_iter().map(|(error, at)| {
            let at = at.or_else(|| self.declared_at.clone());
            place(error, &at)
        });
        Errors::check(errors.collect(), ())?;
        let pinned = PinnedDataset {
            name: self.name.clone(),
            path: match &self.place {
                Place::Local(path) => path.clone(),
                Place::Url(url) => PathBuf::from(url.to_string()),
            },
            csv: self.csv,
            pruning: self.delta.pruning.clone(),
            scan: self.delta.scan.clone(),
            read_as: self.delta.read_as.clone(),
            filters,
            content,
        };
        Ok(pinned)
    }

    async fn content(&self, session: &Session) -> Result<Content> {
        let (location, shown) = match &self.place {
            Place::Local(path) => {
                let shown = path.display().to_string();
                (TableLocation::parse(&shown, path)?, shown)
            }
            Place::Url(url) => (
                TableLocation::parse(url.expose().as_str(), Path::new("/"))?,
                url.to_string(),
            ),
        };
        let is_delta = match (self.format, &self.place) {
            (Some(format), _) => format == DatasetFormat::Delta,
            (None, Place::Local(path)) => path.join("_delta_log").is_dir(),
            (None, Place::Url(_)) => {
                codeanatomy_delta::is_delta_table(&location, &self.options).await?
            }
        };
        if is_delta {
            let table =
                codeanatomy_delta::open(&self.name, &location, self.selector, &self.options)
                    .await?;
            return Ok(Content::Delta(Box::new(table)));
        }
        if self.selector != DeltaVersionSelector::Latest {
            return Err(Error::new(
                codes::DATASET_NOT_VERSIONED,
                format!("{shown} is not a Delta table and has no versions"),
            )
            .with_help("remove `version` or `timestamp`, or point `location` at a Delta table"));
        }
        match &self.place {
            Place::Local(path) => files::pin(path, &shown, self.format, self.csv, session)
                .await
                .map(Content::Files),
            Place::Url(_) => objects::pin(&location, self, session)
                .await
                .map(Content::Objects),
        }
    }
}

impl DeltaSettings {
    /// The conditions on the rows of a dataset that was found to hold `content`. An error comes
    /// with its place.
    fn check(&self, content: &Content) -> Result<Vec<Expr>, Vec<(Error, Option<Location>)>> {
        let Content::Delta(table) = content else {
            let settings = [
                ("pruning", self.pruning.is_empty(), &self.pruning_at),
                (
                    "scan",
                    self.scan == ScanConfig::default() && self.read_as.is_empty(),
                    &self.scan_at,
                ),
                ("gate", self.gate == FeatureGate::default(), &self.gate_at),
            ];
            let errors: Vec<_> = settings
                .into_iter()
                .filter(|(_, is_default, _)| !is_default)
                .map(|(name, _, at)| (only_delta(name), at.clone()))
                .collect();
            return if errors.is_empty() {
                Ok(Vec::new())
            } else {
                Err(errors)
            };
        };
        let mut errors = Vec::new();
        let pin = table.pin();
        match self.protocol.check_read(pin) {
            Ok(None) => {}
            Ok(Some(finding)) => tracing::warn!(
                "the Delta table of `{}` needs {}, and the project supports {}",
                pin.dataset_name,
                finding.required.join(" and "),
                finding.supported
            ),
            Err(error) => errors.push((error, None)),
        }
        if let Err(error) = self.gate.check(pin) {
            errors.push((error, self.gate_at.clone()));
        }
        // The name of a column of paths is looked at where a provider is made.
        if let Err(error) = table.provider_with(&self.scan) {
            errors.push((error, self.scan_at.clone()));
        }
        let schema = table.schema();
        let problems = self.read_as.iter();
        let problems = problems.filter_map(|(column, as_type)| misread(&schema, column, as_type));
        errors.extend(problems.map(|error| (error, self.scan_at.clone())));
        match self.pruning.filters(&schema, table.partition_by()) {
            Ok(filters) if errors.is_empty() => return Ok(filters),
            Ok(_) => {}
            Err(found) => {
                errors.extend(found.into_iter().map(|e| (e, self.pruning_at.clone())));
            }
        }
        Err(errors)
    }
}

fn only_delta(setting: &str) -> Error {
    Error::new(
        codes::DELTA_SETTING,
        format!("`{setting}` has no meaning: the dataset is not a Delta table"),
    )
    .with_help(format!(
        "remove `{setting}`, or point `location` at a Delta table"
    ))
}

/// What is wrong with reading a column as another type.
fn misread(schema: &Schema, column: &str, as_type: &DataType) -> Option<Error> {
    let names = || schema.fields().iter().map(|field| field.name().as_str());
    let Ok(field) = schema.field_with_name(column) else {
        return Some(
            Error::new(
                codeanatomy_delta::codes::INVALID_SCAN,
                format!("the table has no column `{column}` that could be read as {as_type}"),
            )
            .with_nearest(nearest(column, names()))
            .with_help("correct the name under `schema`, or remove it"),
        );
    };
    let stored = field.data_type();
    let holds_all = !stored.is_nested()
        && !as_type.is_nested()
        && EvolutionPolicy::Relaxed.accepts(stored, as_type);
    (!holds_all).then(|| {
        Error::new(
            codeanatomy_delta::codes::INVALID_SCAN,
            format!(
                "`{column}` is of type {stored}, and {as_type} does not hold every value of it"
            ),
        )
        .with_expected("a wider type, or another storage of the same")
        .with_help("convert the column in a view, where a value that does not fit is seen")
    })
}

/// A schema in which some columns have other types.
pub(crate) fn seen_schema(schema: &SchemaRef, read_as: &BTreeMap<String, DataType>) -> SchemaRef {
    if read_as.is_empty() {
        return Arc::clone(schema);
    }
    let seen = schema
        .fields()
        .iter()
        .map(|field| match read_as.get(field.name()) {
            Some(as_type) => Arc::new(field.as_ref().clone().with_data_type(as_type.clone())),
            None => Arc::clone(field),
        });
    Arc::new(Schema::new_with_metadata(
        seen.collect::<Fields>(),
        schema.metadata().clone(),
    ))
}

/// The columns that scans of a table return.
fn scan_schema(table: &PinnedTable, scan: &ScanConfig) -> SchemaRef {
    let schema = table.schema();
    let Some(column) = &scan.file_column else {
        return schema;
    };
    let mut fields = schema.fields().to_vec();
    fields.push(Arc::new(Field::new(column, DataType::Utf8, false)));
    Arc::new(Schema::new(fields))
}

impl PinnedDataset {
    /// The dataset's name.
    pub fn name(&self) -> &DatasetName {
        &self.name
    }

    /// The schema that views see: no view types and no dictionaries, unless the project asks for
    /// them.
    pub fn schema(&self) -> SchemaRef {
        seen_schema(&self.stored_schema(), &self.read_as)
    }

    /// The schema that scans return.
    pub(crate) fn stored_schema(&self) -> SchemaRef {
        match &self.content {
            Content::Delta(table) => scan_schema(table, &self.scan),
            Content::Files(files) => files.schema(),
            Content::Objects(objects) => objects.schema(),
        }
    }

    /// The pin, for a Delta table.
    pub fn pin(&self) -> Option<&DeltaInputPin> {
        match &self.content {
            Content::Delta(table) => Some(table.pin()),
            Content::Files(_) | Content::Objects(_) => None,
        }
    }

    /// The number of files that a full scan reads.
    pub fn n_files(&self) -> u64 {
        match &self.content {
            Content::Delta(table) => table.n_files() as u64,
            Content::Files(files) => files.n_files(),
            Content::Objects(objects) => objects.n_files(),
        }
    }

    /// The size of these files in bytes.
    pub fn size_bytes(&self) -> u64 {
        match &self.content {
            Content::Delta(table) => table.size_bytes(),
            Content::Files(files) => files.size_bytes(),
            Content::Objects(objects) => objects.size_bytes(),
        }
    }

    /// What the dataset adds to the identity of a view that reads it.
    pub fn identity(&self) -> InputIdentity {
        match &self.content {
            Content::Delta(table) => {
                let pin = table.pin();
                let mut encoder = codeanatomy_vocab::Encoder::new("codeanatomy.delta-pin", 1);
                encoder.str(&pin.table_id);
                encoder.u64(pin.version);
                encoder.fingerprint(&pin.storage_options_hash);
                InputIdentity {
                    kind: InputKind::Dataset,
                    identity: encoder.finish(),
                    footprint: table.footprint(),
                    schema: codeanatomy_schema::fingerprint(&self.schema()),
                    store_policy: Some(pin.storage_options_hash),
                    detail: format!(
                        "Delta table, version {}, {} files",
                        pin.version,
                        table.n_files()
                    ),
                }
            }
            Content::Files(files) => InputIdentity {
                kind: InputKind::Dataset,
                identity: files.footprint(),
                footprint: files.footprint(),
                schema: codeanatomy_schema::fingerprint(&self.schema()),
                store_policy: None,
                detail: format!("{} files", files.n_files()),
            },
            Content::Objects(objects) => InputIdentity {
                kind: InputKind::Dataset,
                identity: objects.footprint(),
                footprint: objects.footprint(),
                schema: codeanatomy_schema::fingerprint(&self.schema()),
                store_policy: Some(objects.store_policy()),
                detail: format!("{} files", objects.n_files()),
            },
        }
    }

    /// The dataset as planning sees it.
    pub fn table_input(&self) -> TableInput {
        TableInput {
            schema: self.schema(),
            stored: self.stored_schema(),
            identity: self.identity(),
            filters: self.filters.clone(),
            file_column: self.scan.file_column.clone(),
        }
    }

    /// The table, where it is a Delta table.
    pub(crate) fn table(&self) -> Option<&PinnedTable> {
        match &self.content {
            Content::Delta(table) => Some(table),
            Content::Files(_) | Content::Objects(_) => None,
        }
    }

    /// The conditions on its rows, as the project says them.
    pub(crate) fn pruning(&self) -> &PruningPolicy {
        &self.pruning
    }

    /// Columns that views see as other types.
    pub(crate) fn read_as(&self) -> &BTreeMap<String, DataType> {
        &self.read_as
    }

    /// How scans of it are made.
    pub(crate) fn scan_config(&self) -> &ScanConfig {
        &self.scan
    }

    /// `delta`, `parquet`, `csv` or `json`.
    pub fn format(&self) -> &'static str {
        match &self.content {
            Content::Delta(_) => "delta",
            Content::Files(files) => files.format(),
            Content::Objects(objects) => objects.format(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn csv(&self) -> CsvOptions {
        self.csv
    }

    /// The pin as a run's record keeps it.
    pub fn summary(&self) -> PinSummary {
        let content = Some(self.identity().footprint);
        match self.pin() {
            Some(pin) => PinSummary {
                content,
                ..PinSummary::from(pin)
            },
            None => PinSummary {
                dataset: self.name.clone(),
                format: self.format().to_owned(),
                version: None,
                table_id: None,
                content,
                protocol: None,
                storage_options_hash: None,
            },
        }
    }

    /// A provider that scans the pinned content.
    ///
    /// # Errors
    ///
    /// The errors of the format's reader.
    pub(crate) fn provider(&self) -> Result<Arc<dyn TableProvider>> {
        match &self.content {
            Content::Delta(table) => table.provider_with(&self.scan),
            Content::Files(files) => files.provider(),
            Content::Objects(objects) => Ok(objects.provider()),
        }
    }

    /// Says whether plain files are still the ones that were pinned. Called after a scan: files
    /// that changed meanwhile may have been read half old, half new.
    ///
    /// # Errors
    ///
    /// [`DATASET_CHANGED`](codes::DATASET_CHANGED).
    pub(crate) fn check_unchanged(&self) -> Result<()> {
        match &self.content {
            // The files of a Delta version never change.
            Content::Delta(_) => Ok(()),
            Content::Files(files) => files
                .check_unchanged()
                .map_err(|error| error.with("dataset", &self.name)),
            // Each is read on the condition that it has not changed.
            Content::Objects(_) => Ok(()),
        }
    }
}

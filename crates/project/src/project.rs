//! A loaded project.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use codeanatomy_vocab::{DatasetName, Error, Errors, Location, Result, Secret, ViewName};

use crate::dataset::DatasetConfig;
use crate::delta::DeltaSection;
use crate::diagnostics::DiagnosticsSection;
use crate::discover::no_project;
use crate::openlineage::OpenLineageSection;
use crate::place::Place;
use crate::session::SessionSection;
use crate::stores::{self, StoreConfig};
use crate::toml::{Findings, Section, TomlFile};
use crate::view::{CachePolicy, Defaults, MacroFile, ViewFile};
use crate::{codes, outputs, text, view};

/// The name of the file that makes a folder a project.
pub const PROJECT_FILE: &str = "codeanatomy.toml";

const KEYS: [&str; 9] = [
    "project",
    "session",
    "stores",
    "delta",
    "datasets",
    "defaults",
    "diagnostics",
    "openlineage",
    "otel",
];
const PROJECT_KEYS: [&str; 2] = ["name", "output"];
const DEFAULT_OUTPUT: &str = "out";

/// A project folder as its files declare it; nothing in it has been opened or run.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    /// The folder, absolute and free of links.
    pub root: PathBuf,
    /// The project's name; the folder's when the file gives none.
    pub name: String,
    /// Where outputs go that name no location, as it is written: a path, relative to the root, or
    /// a URL; `out` when the file says nothing.
    pub output: String,
    /// The section `[session]`.
    pub session: SessionSection,
    /// Stores, in the order in which they are written.
    pub stores: Vec<StoreConfig>,
    /// Datasets by name.
    pub datasets: BTreeMap<DatasetName, DatasetConfig>,
    /// Views by name. No name is also a dataset's.
    pub views: BTreeMap<ViewName, ViewFile>,
    /// The files of SQL macros, `macros/**/*.sql`, in the order of their paths.
    pub macros: Vec<MacroFile>,
    /// The section `[diagnostics]`.
    pub diagnostics: DiagnosticsSection,
    /// The section `[openlineage]`.
    pub openlineage: OpenLineageSection,
    /// The section `[delta]`.
    pub delta: DeltaSection,
}

/// What stands in `codeanatomy.toml`.
struct Declared {
    name: Option<String>,
    output: String,
    output_at: Location,
    session: SessionSection,
    stores: Vec<StoreConfig>,
    datasets: BTreeMap<DatasetName, DatasetConfig>,
    /// Every dataset, also those with errors, by lower-case name.
    dataset_names: BTreeMap<String, (DatasetName, Location)>,
    defaults: Defaults,
    diagnostics: DiagnosticsSection,
    openlineage: OpenLineageSection,
    delta: DeltaSection,
}

impl Project {
    /// Reads `codeanatomy.toml`, all views, all sidecars and all macros of the folder `root`.
    ///
    /// # Errors
    ///
    /// [`CA-PROJECT-0001`](codes::NO_PROJECT) when there is no `codeanatomy.toml`; else everything
    /// that is wrong with any of the files, at once: those of `codeanatomy.toml` first, then
    /// those of the views in the order of their paths.
    pub fn load(root: &Path) -> Result<Self, Errors> {
        let physical = root
            .canonicalize()
            .map_err(|error| no_project(root).with_source(error))?;
        if physical.join(PROJECT_FILE).symlink_metadata().is_err() {
            return Err(no_project(root).into());
        }
        let mut findings = Findings::default();
        let file = text::read_in_project(&physical, Path::new(PROJECT_FILE))
            .and_then(|text| TomlFile::parse(PROJECT_FILE.into(), &text));
        let declared = match findings.take(file) {
            Some(file) => Declared::read(&physical, &file.root(), &mut findings),
            None => Declared::nothing(),
        };
        let views = view::discover(&physical, declared.defaults, &mut findings);
        for view in views.values() {
            let folded = view.name.as_str().to_ascii_lowercase();
            if let Some((dataset, at)) = declared.dataset_names.get(&folded) {
                findings.push(named_like_dataset(view, dataset, at));
            }
        }
        let macros = view::discover_macros(&physical, &mut findings);
        let project = Self {
            name: declared.name.unwrap_or_else(|| folder_name(&physical)),
            root: physical,
            output: declared.output,
            session: declared.session,
            stores: declared.stores,
            datasets: declared.datasets,
            views,
            macros,
            diagnostics: declared.diagnostics,
            openlineage: declared.openlineage,
            delta: declared.delta,
        };
        outputs::check(&project, &declared.output_at, &mut findings);
        Errors::check(findings.into_vec(), project)
    }

    /// The options of the store at a place, with their secrets read: those of the store with the longest
    /// URL that holds it; none for a folder of this machine.
    ///
    /// # Errors
    ///
    /// `CA-VOCAB-0003` for each option that points nowhere.
    pub fn store_options(&self, place: &Place) -> Result<BTreeMap<String, Secret>, Errors> {
        let holding = self.stores.iter().filter(|store| store.url.contains(place));
        match holding.max_by_key(|store| store.url.to_string().len()) {
            Some(store) => store.resolve_options(&self.root),
            None => Ok(BTreeMap::new()),
        }
    }

    /// Where the view of this name writes its output; nothing for an unknown view, or one that
    /// writes none.
    ///
    /// # Example: where does the table go?
    ///
    /// ```
    /// # use codeanatomy_project::{Place, Project};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # std::fs::create_dir(folder.path().join("views"))?;
    /// std::fs::write(folder.path().join("codeanatomy.toml"), "[project]\noutput = 's3://lake'")?;
    /// std::fs::write(folder.path().join("views/a.sql"), "select 1 as n")?;
    /// std::fs::write(folder.path().join("views/a.toml"), "cache = 'delta_output'")?;
    ///
    /// let project = Project::load(folder.path())?;
    /// let place = project.output_place("a").map(|place| place.to_string());
    /// assert_eq!(place.as_deref(), Some("s3://lake/a"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn output_place(&self, view: &str) -> Option<Place> {
        let view = self.views.get(view)?;
        match (view.config.cache, &view.config.location) {
            (CachePolicy::None | CachePolicy::Memory | CachePolicy::DeltaStaging, _) => None,
            (CachePolicy::DeltaOutput, Some(location)) => Place::parse(&self.root, location).ok(),
            (CachePolicy::DeltaOutput, None) => Place::parse(&self.root, &self.output)
                .ok()
                .map(|output| output.join(view.name.as_str())),
        }
    }
}

impl Declared {
    fn nothing() -> Self {
        Self {
            name: None,
            output: DEFAULT_OUTPUT.to_owned(),
            output_at: Location::file(PROJECT_FILE),
            session: SessionSection::default(),
            stores: Vec::new(),
            datasets: BTreeMap::new(),
            dataset_names: BTreeMap::new(),
            defaults: Defaults::default(),
            diagnostics: DiagnosticsSection::default(),
            openlineage: OpenLineageSection::default(),
            delta: DeltaSection::default(),
        }
    }

    fn read(root: &Path, file: &Section<'_>, findings: &mut Findings) -> Self {
        let mut declared = Self::nothing();
        file.check_keys(&KEYS, findings);
        declared.read_project(file, findings);
        declared.session = SessionSection::read(file, findings);
        declared.stores = stores::read(root, file, findings);
        declared.read_datasets(root, file, findings);
        declared.defaults = Defaults::read(file, findings);
        declared.diagnostics = DiagnosticsSection::read(file, findings);
        declared.openlineage = OpenLineageSection::read(file, findings);
        declared.delta = DeltaSection::read(file, findings);
        if let Some(entry) = file.get("otel") {
            findings.push(
                Error::new(
                    codes::NOT_IN_THIS_VERSION,
                    "the export of telemetry (`[otel]`) is not available in this version",
                )
                .at(entry.key_at())
                .with_help("remove the section `[otel]`"),
            );
        }
        declared
    }

    fn read_project(&mut self, file: &Section<'_>, findings: &mut Findings) {
        let section = file
            .get("project")
            .and_then(|entry| findings.take(entry.section()));
        let Some(section) = section else {
            return;
        };
        section.check_keys(&PROJECT_KEYS, findings);
        self.name = section.get("name").and_then(|entry| {
            let name = findings.take(entry.filled_text())?;
            if name.contains(char::is_control) {
                findings.push(entry.invalid(
                    "`project.name` holds a control character",
                    "write a name of one line",
                ));
            }
            Some(name)
        });
        if let Some(entry) = section.get("output")
            && let Some(output) = findings.take(entry.filled_text())
        {
            self.output = output;
            self.output_at = entry.at();
        }
    }

    fn read_datasets(&mut self, root: &Path, file: &Section<'_>, findings: &mut Findings) {
        let section = file
            .get("datasets")
            .and_then(|entry| findings.take(entry.section()));
        let Some(section) = section else {
            return;
        };
        for entry in section.entries() {
            let at = entry.key_at();
            let name = DatasetName::new(entry.key()).map_err(|error| error.at(at.clone()));
            let name = findings.take(name);
            let section = findings.take(
                entry
                    .section()
                    .map_err(|error| error.with_help("write `{ location = \"path or URL\" }`")),
            );
            // A dataset with a bad name is read all the same, for what else is wrong with it.
            let read_as = name.clone().or_else(|| DatasetName::new("unnamed").ok());
            let config = read_as
                .zip(section)
                .and_then(|(name, section)| DatasetConfig::read(name, root, &section, findings));
            if let Some(name) = name {
                self.add_dataset(name, at, config, findings);
            }
        }
    }

    fn add_dataset(
        &mut self,
        name: DatasetName,
        at: Location,
        config: Option<DatasetConfig>,
        findings: &mut Findings,
    ) {
        let folded = name.as_str().to_ascii_lowercase();
        if let Some((first, first_at)) = self.dataset_names.get(&folded) {
            findings.push(
                Error::new(
                    codes::NAMES_DIFFER_IN_CASE,
                    format!(
                        "the datasets `{first}` ({first_at}) and `{name}` differ in case alone"
                    ),
                )
                .at(at)
                .with_help("rename one of the two"),
            );
            return;
        }
        self.dataset_names.insert(folded, (name.clone(), at));
        if let Some(config) = config {
            self.datasets.insert(name, config);
        }
    }
}

fn named_like_dataset(view: &ViewFile, dataset: &DatasetName, at: &Location) -> Error {
    let name = &view.name;
    let message = if name.as_str() == dataset.as_str() {
        format!("`{name}` is the name of a view and of a dataset ({at})")
    } else {
        format!("the view `{name}` and the dataset `{dataset}` ({at}) differ in case alone")
    };
    Error::new(codes::VIEW_NAMED_LIKE_DATASET, message)
        .at(view.location())
        .with("dataset", at)
        .with_help("rename the view's file, or the dataset")
}

fn folder_name(root: &Path) -> String {
    match root.file_name() {
        Some(name) => name.to_string_lossy().into_owned(),
        None => "project".to_owned(),
    }
}

//! Tables by name, for looking at them and looking after them.

use std::path::{Path, PathBuf};

use codeanatomy_delta::{StoreOptions, TableLocation};
use codeanatomy_project::{DatasetConfig, DatasetFormat, Place, Project};
use codeanatomy_vocab::{
    Code, DatasetName, DeltaVersionSelector, Error, ErrorKind, Errors, Result, Secret, Stage,
    ViewName, nearest,
};

/// Error codes of this crate.
pub mod codes {
    use super::{Code, ErrorKind, Stage};

    /// A name that is no dataset and no stored view, and no path either.
    pub const UNKNOWN_TABLE: Code =
        Code::new("CA-FACADE-0001", ErrorKind::Invalid, Stage::Configuration);
    /// A dataset or view that is kept in no Delta table.
    pub const NO_TABLE: Code =
        Code::new("CA-FACADE-0002", ErrorKind::Invalid, Stage::Configuration);
}

/// Where tables are found: in a project, where there is one, and by path or URL.
#[derive(Debug, Clone)]
pub struct Tables {
    project: Option<Project>,
    base: PathBuf,
    options: Vec<(String, Secret)>,
}

/// A table, and how it is reached.
#[derive(Debug, Clone)]
pub struct TableRef {
    /// What the user calls it.
    pub name: String,
    /// Where it is.
    pub location: TableLocation,
    /// How its store is reached.
    pub options: StoreOptions,
    /// The version that the project reads of it; the latest unless it says something else.
    pub selector: DeltaVersionSelector,
    /// The view whose output it is.
    pub view: Option<ViewName>,
}

impl Tables {
    /// Tables of `project` by their names, and all others by paths from `base` or by URLs.
    pub fn new(project: Option<Project>, base: &Path) -> Self {
        Self {
            project,
            base: base.to_owned(),
            options: Vec::new(),
        }
    }

    /// Adds an option of stores, which wins over one of the same key that the project gives.
    #[must_use]
    pub fn with_option(mut self, key: impl Into<String>, value: Secret) -> Self {
        self.options.push((key.into(), value));
        self
    }

    /// The table of this name: a dataset's, a view's output, or the one at a path or URL. A name of
    /// the project wins over a folder of the same name; `./name` is always the folder.
    ///
    /// Nothing is opened, so the table need not be there.
    ///
    /// # Errors
    ///
    /// [`CA-FACADE-0001`](codes::UNKNOWN_TABLE) for a name that nothing has,
    /// [`CA-FACADE-0002`](codes::NO_TABLE) for a dataset that is not a Delta table and a view that is
    /// not stored; those of a location that is none, and of options that point nowhere.
    pub fn find(&self, text: &str) -> Result<TableRef, Errors> {
        if let Some(project) = &self.project {
            if let Some(table) = self.dataset(project, text)? {
                return Ok(table);
            }
            if let Some(view) = project.views.keys().find(|view| view.as_str() == text) {
                return self.output(view);
            }
        }
        let is_path = text.contains(['/', '\\', '.']) || self.base.join(text).exists();
        if !is_path {
            return Err(self.unknown(text).into());
        }
        let location = TableLocation::parse(text, &self.base)?;
        let place = match location.local_path() {
            Some(path) => Place::Local(path),
            None => Place::Url(location.url().clone()),
        };
        Ok(TableRef {
            name: text.to_owned(),
            options: self.options_at(&place)?,
            location,
            selector: DeltaVersionSelector::Latest,
            view: None,
        })
    }

    /// The table that holds the rows of a view.
    ///
    /// # Errors
    ///
    /// As [`find`](Self::find).
    pub fn output(&self, view: &ViewName) -> Result<TableRef, Errors> {
        let project = match &self.project {
            Some(project) if project.views.contains_key(view) => project,
            _ => return Err(self.unknown(view.as_str()).into()),
        };
        let place = project.output_place(view.as_str()).ok_or_else(|| {
            Error::new(
                codes::NO_TABLE,
                format!("the view `{view}` is kept in no table"),
            )
            .with_help(format!(
                "name a view whose file says `cache = \"delta_output\"`, or write it for `{view}`"
            ))
        })?;
        Ok(TableRef {
            name: view.to_string(),
            location: TableLocation::parse(&text_of(&place), &project.root)?,
            options: self.options_at(&place)?,
            selector: DeltaVersionSelector::Latest,
            view: Some(view.clone()),
        })
    }

    /// The views that are kept in a table.
    pub fn stored_views(&self) -> Vec<ViewName> {
        let project = self.project.iter();
        project
            .flat_map(|project| {
                let views = project.views.keys();
                views.filter(|view| project.output_place(view.as_str()).is_some())
            })
            .cloned()
            .collect()
    }

    /// The names of all datasets.
    pub fn datasets(&self) -> Vec<DatasetName> {
        let project = self.project.iter();
        project
            .flat_map(|project| project.datasets.keys().cloned())
            .collect()
    }

    fn dataset(&self, project: &Project, text: &str) -> Result<Option<TableRef>, Errors> {
        let found = project
            .datasets
            .iter()
            .find(|(name, _)| name.as_str() == text);
        let Some((name, dataset)) = found else {
            return Ok(None);
        };
        if let Some(format) = dataset.format
            && format != DatasetFormat::Delta
        {
            return Err(Error::new(
                codes::NO_TABLE,
                format!("the dataset `{name}` is {format}, not a Delta table"),
            )
            .at(dataset.declared_at.clone())
            .with_help("name a dataset that is a Delta table, or the path of one")
            .into());
        }
        let place = dataset.place(&project.root)?;
        Ok(Some(TableRef {
            name: name.to_string(),
            location: TableLocation::parse(&text_of(&place), &project.root)?,
            options: self.options_at(&place)?,
            selector: dataset.selector,
            view: None,
        }))
    }

    /// The options of the store at a place: those of a dataset there, then those that were added.
    fn options_at(&self, place: &Place) -> Result<StoreOptions, Errors> {
        let mut options = match &self.project {
            None => StoreOptions::new(),
            Some(project) => {
                let there = project
                    .datasets
                    .values()
                    .find(|dataset| dataset.place(&project.root).is_ok_and(|at| at == *place));
                store_options(project, place, there)?
            }
        };
        for (key, value) in &self.options {
            options = options.with(key.clone(), value.clone());
        }
        Ok(options)
    }

    fn unknown(&self, text: &str) -> Error {
        let datasets = self.datasets();
        let views = self.stored_views();
        let known = datasets
            .iter()
            .map(DatasetName::as_str)
            .chain(views.iter().map(ViewName::as_str));
        let (message, help) = match &self.project {
            Some(_) => (
                format!("`{text}` is no dataset and no view of this project, and no folder"),
                "name a dataset, a view, a path or a URL",
            ),
            None => (
                format!("`{text}` is no folder, and there is no project whose dataset it could be"),
                "name a path or a URL, or call the program in a project's folder",
            ),
        };
        Error::new(codes::UNKNOWN_TABLE, message)
            .with_nearest(nearest(text, known))
            .with_help(help)
    }
}

impl TableRef {
    /// A name under which the table can be opened: its own where it is one, else `table`.
    pub fn dataset_name(&self) -> Result<DatasetName> {
        DatasetName::new(self.name.as_str()).or_else(|_| DatasetName::new("table"))
    }
}

/// The options of the store at a place, and over them those of a dataset there.
pub(crate) fn store_options(
    project: &Project,
    place: &Place,
    dataset: Option<&DatasetConfig>,
) -> Result<StoreOptions, Errors> {
    let mut options = project.store_options(place)?;
    if let Some(dataset) = dataset {
        let own = dataset.resolve_options(&project.root)?;
        // `region` and `aws_region` are one key.
        options.retain(|key, _| own.keys().all(|known| bare(known) != bare(key)));
        options.extend(own);
    }
    Ok(options
        .into_iter()
        .fold(StoreOptions::new(), |options, (key, value)| {
            options.with(key, value)
        }))
}

/// A key without the prefix that says whose it is.
fn bare(key: &str) -> String {
    let key = key.to_ascii_lowercase();
    let prefixes = ["aws_", "azure_storage_", "azure_", "google_"];
    let bare = prefixes.iter().find_map(|prefix| key.strip_prefix(prefix));
    bare.map_or_else(|| key.clone(), str::to_owned)
}

/// The place as a location is written; a URL with everything it holds, since it is opened.
pub(crate) fn text_of(place: &Place) -> String {
    match place {
        Place::Local(path) => path.display().to_string(),
        Place::Url(url) => url.expose().to_string(),
    }
}

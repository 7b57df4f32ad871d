//! Finding the view files of a project.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use codeanatomy_vocab::{Error, Location, Result, ViewName, nearest};

use super::{MacroFile, ViewConfig, ViewFile};
use crate::codes;
use crate::text;
use crate::toml::{Findings, TomlFile};
use crate::view::Defaults;

const VIEWS: &str = "views";
const MACROS: &str = "macros";

/// The views below `views/` of `root`, which must be free of links, in the order of their names.
///
/// Of views whose names clash, the one whose path comes first is given.
pub(crate) fn discover(
    root: &Path,
    defaults: Defaults,
    findings: &mut Findings,
) -> BTreeMap<ViewName, ViewFile> {
    let found = Tree::read(root, VIEWS, findings);
    let sql_files = found.with_ending("sql");
    let mut sidecars: BTreeMap<PathBuf, &PathBuf> = found
        .with_ending("toml")
        .into_iter()
        .map(|path| (path.with_extension(""), path))
        .collect();
    if sql_files.is_empty() && !found.is_broken {
        findings.push(no_views(root));
    }
    let mut names = Names::default();
    let mut views = BTreeMap::new();
    for path in &sql_files {
        let name = view_name(path);
        let sql = findings.take(read_sql(root, path));
        let config_path = sidecars.remove(&path.with_extension(""));
        let config = match config_path {
            Some(sidecar) => read_sidecar(root, sidecar, defaults, findings),
            None => ViewConfig::of_defaults(defaults),
        };
        let Some(name) = findings.take(name) else {
            continue;
        };
        if let Err(error) = names.add(&name, path) {
            findings.push(error);
            continue;
        }
        // A view without text has its finding; its name still counts for the other checks.
        views.insert(
            name.clone(),
            ViewFile {
                name,
                path: (*path).clone(),
                sql: sql.unwrap_or_default(),
                config,
                config_path: config_path.cloned(),
            },
        );
    }
    for sidecar in sidecars.into_values() {
        findings.push(without_view(sidecar, &sql_files));
    }
    views
}

/// The files of SQL macros below `macros/` of `root`, which must be free of links, in the order of
/// their paths.
pub(crate) fn discover_macros(root: &Path, findings: &mut Findings) -> Vec<MacroFile> {
    let found = Tree::read(root, MACROS, findings);
    let mut macros = Vec::new();
    for path in found.with_ending("sql") {
        if let Some(text) = findings.take(text::read_in_project(root, path)) {
            macros.push(MacroFile {
                path: path.clone(),
                sql: Arc::from(text),
            });
        }
    }
    macros
}

/// The files below a folder, relative to the project's root and sorted, without hidden files and
/// what editors leave behind.
#[derive(Default)]
struct Tree {
    files: Vec<PathBuf>,
    /// The folders that were read, without links, and the names they were reached by.
    folders: BTreeMap<PathBuf, PathBuf>,
    /// Whether a part of the tree could not be read.
    is_broken: bool,
}

/// The names of views by their lower-case form.
#[derive(Default)]
struct Names(BTreeMap<String, (ViewName, PathBuf)>);

impl Tree {
    /// Reads the folder of this name, if there is one.
    fn read(root: &Path, folder: &str, findings: &mut Findings) -> Self {
        let mut tree = Self::default();
        if root.join(folder).symlink_metadata().is_ok() {
            tree.descend(root, Path::new(folder), findings);
            tree.files.sort();
        }
        tree
    }

    fn with_ending(&self, ending: &str) -> Vec<&PathBuf> {
        let has_ending = |path: &&PathBuf| {
            path.extension()
                .is_some_and(|found| found.eq_ignore_ascii_case(ending))
        };
        self.files.iter().filter(has_ending).collect()
    }

    fn descend(&mut self, root: &Path, folder: &Path, findings: &mut Findings) {
        match self.enter(root, folder) {
            Ok(entries) => {
                for entry in entries {
                    let path = folder.join(&entry);
                    if is_skipped(&entry) {
                        continue;
                    }
                    // A link counts as what it points to; one that points nowhere is read, and
                    // refused, where its name is a view's.
                    if root.join(&path).is_dir() {
                        self.descend(root, &path, findings);
                    } else {
                        self.files.push(path);
                    }
                }
            }
            Err(error) => {
                self.is_broken = true;
                findings.push(error);
            }
        }
    }

    /// The names of a folder's entries, sorted.
    fn enter(&mut self, root: &Path, folder: &Path) -> Result<Vec<std::ffi::OsString>> {
        let path = root.join(folder);
        let unreadable = |error| text::unreadable(folder, error);
        text::stays_inside(root, &path, folder)?;
        let physical = path.canonicalize().map_err(unreadable)?;
        if let Some(first) = self.folders.get(&physical) {
            return Err(Error::new(
                codes::BAD_LINK,
                format!(
                    "`{}` and `{}` are the same folder",
                    folder.display(),
                    first.display()
                ),
            )
            .at(Location::file(folder))
            .with_help("remove the link between them"));
        }
        self.folders.insert(physical, folder.to_path_buf());
        let mut names = std::fs::read_dir(&path)
            .and_then(|entries| {
                entries
                    .map(|entry| Ok(entry?.file_name()))
                    .collect::<std::io::Result<Vec<_>>>()
            })
            .map_err(unreadable)?;
        names.sort();
        Ok(names)
    }
}

impl Names {
    fn add(&mut self, name: &ViewName, path: &Path) -> Result<()> {
        let folded = name.as_str().to_ascii_lowercase();
        let Some((first, first_path)) = self.0.get(&folded) else {
            self.0.insert(folded, (name.clone(), path.to_path_buf()));
            return Ok(());
        };
        let error = if first == name {
            Error::new(
                codes::DUPLICATE_VIEW,
                format!(
                    "two files hold a view `{name}`: `{}` and `{}`",
                    first_path.display(),
                    path.display()
                ),
            )
        } else {
            Error::new(
                codes::NAMES_DIFFER_IN_CASE,
                format!(
                    "the views `{first}` (`{}`) and `{name}` (`{}`) differ in case alone",
                    first_path.display(),
                    path.display()
                ),
            )
        };
        Err(error
            .at(Location::file(path))
            .with("first", first_path.display())
            .with_help("rename one of the two files"))
    }
}

fn view_name(path: &Path) -> Result<ViewName> {
    let stem = path.file_stem().unwrap_or_default();
    let name = match stem.to_str() {
        Some(stem) => ViewName::new(stem),
        None => ViewName::new(stem.to_string_lossy()),
    };
    name.map_err(|error| error.at(Location::file(path)).with("file", path.display()))
}

fn read_sql(root: &Path, path: &Path) -> Result<Arc<str>> {
    let text = text::read_in_project(root, path)?;
    if text.trim().is_empty() {
        return Err(Error::new(
            codes::EMPTY_VIEW,
            format!("the view file `{}` is empty", path.display()),
        )
        .at(Location::file(path))
        .with_help("write one query into it, or remove it"));
    }
    Ok(Arc::from(text))
}

fn read_sidecar(
    root: &Path,
    path: &Path,
    defaults: Defaults,
    findings: &mut Findings,
) -> ViewConfig {
    let file = text::read_in_project(root, path)
        .and_then(|text| TomlFile::parse(path.to_path_buf(), &text));
    match findings.take(file) {
        Some(file) => ViewConfig::read(&file.root(), defaults, findings),
        None => ViewConfig::default(),
    }
}

fn no_views(root: &Path) -> Error {
    let message = if root.join(VIEWS).is_dir() {
        "`views/` holds no view"
    } else {
        "the project has no folder `views/`"
    };
    Error::new(codes::NO_VIEWS, message)
        .at(Location::file(VIEWS))
        .with_help("write a query into `views/my_view.sql`")
}

fn without_view(sidecar: &Path, sql_files: &[&PathBuf]) -> Error {
    let stem = stem(sidecar);
    let elsewhere = sql_files.iter().find(|path| self::stem(path) == stem);
    let stems: Vec<String> = sql_files.iter().map(|path| self::stem(path)).collect();
    let near = match elsewhere {
        Some(_) => None,
        None => nearest(&stem, stems.iter().map(String::as_str)),
    };
    let help = match (elsewhere, near) {
        (Some(view), _) => format!("move it beside `{}`", view.display()),
        (None, Some(name)) => format!("rename it to `{name}.toml`, or add `{stem}.sql`"),
        (None, None) => format!("add `{stem}.sql` beside it, or remove it"),
    };
    Error::new(
        codes::SIDECAR_WITHOUT_VIEW,
        format!(
            "`{}` belongs to no view: there is no `{stem}.sql` beside it",
            sidecar.display()
        ),
    )
    .at(Location::file(sidecar))
    .with_nearest(near)
    .with_help(help)
}

fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    stem.to_string_lossy().into_owned()
}

/// Hidden files, and what editors leave beside a file: `x.sql~`, `#x.sql#`, `~x.sql`.
fn is_skipped(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(b".")
        || name.starts_with(b"#")
        || name.starts_with(b"~")
        || name.ends_with(b"~")
        || name.ends_with(b"#")
}

//! Finding the project folder.

use std::path::{Path, PathBuf};

use codeanatomy_vocab::{Error, Location, Result};

use crate::codes;
use crate::project::PROJECT_FILE;

/// The nearest folder at or above `start` that holds a `codeanatomy.toml`.
///
/// `start` may be the file itself. The answer is absolute and free of links.
///
/// # Errors
///
/// [`CA-PROJECT-0001`](codes::NO_PROJECT) when there is none, or `start` is not there.
///
/// # Example: which project does this folder belong to?
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join("codeanatomy.toml"), "")?;
/// std::fs::create_dir_all(folder.path().join("views/staging"))?;
///
/// let root = codeanatomy_project::discover(&folder.path().join("views/staging"))?;
/// assert_eq!(root, folder.path().canonicalize()?);
/// # Ok(())
/// # }
/// ```
pub fn discover(start: &Path) -> Result<PathBuf> {
    // A parent of a path with `..` or links in it is not the parent folder.
    let physical = start
        .canonicalize()
        .map_err(|error| no_project(start).with_source(error))?;
    physical
        .ancestors()
        .find(|folder| folder.join(PROJECT_FILE).is_file())
        .map(Path::to_path_buf)
        .ok_or_else(|| no_project(start))
}

pub(crate) fn no_project(folder: &Path) -> Error {
    Error::new(
        codes::NO_PROJECT,
        format!(
            "there is no {PROJECT_FILE} in `{}` or above it",
            folder.display()
        ),
    )
    .at(Location::file(folder))
    .with_help("`codeanatomy init` makes a project here; `--project DIR` names one elsewhere")
}

//! New projects: what `codeanatomy init` writes; and contracts that `codeanatomy contract init` adds.
//!
//! [`init`] says which files a new project has, and [`write()`] writes them; between the two nothing
//! is remembered, so a caller may show the plan first.

mod contract;
mod example;
mod names;
mod scan;
mod start;
mod write;

use std::path::{Path, PathBuf};

use codeanatomy_vocab::{Error, Errors, Location};

pub use self::contract::{NewContract, WrittenContract, write_contract};
pub use self::write::write;
use crate::PROJECT_FILE;
use crate::codes;

/// What kind of project to make.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScaffoldOptions {
    /// The project's name; the folder's when absent.
    pub name: Option<String>,
    /// A folder with data and SQL files to start from; an example with its own data when absent.
    pub from: Option<PathBuf>,
}

/// The files of a new project in the folder `dir`, which need not be there yet: paths relative to
/// `dir`, sorted, with their contents.
///
/// Without [`from`](ScaffoldOptions::from) that is a small shop that builds without a network.
/// With it, every Delta table, Parquet, CSV and JSON file or folder of such files that is found
/// there becomes a dataset, every `.sql` file a view, and where there is none, each dataset gets a
/// view to start with. Hidden folders and those more than six levels deep are not looked at. A
/// `.gitignore` that is there already is left as it is.
///
/// # Errors
///
/// [`CA-PROJECT-0022`](codes::FILE_EXISTS) when `dir` holds a project already,
/// [`CA-PROJECT-0019`](codes::UNREADABLE) when the folder to start from cannot be read,
/// [`CA-PROJECT-0023`](codes::NOTHING_FOUND) when there is nothing in it, and
/// [`CA-PROJECT-0009`](codes::NOT_UTF8) for each of its SQL files that is not UTF-8.
pub fn init(dir: &Path, options: &ScaffoldOptions) -> Result<Vec<(PathBuf, String)>, Errors> {
    if dir.join(PROJECT_FILE).symlink_metadata().is_ok() {
        return Err(Error::new(
            codes::FILE_EXISTS,
            format!("`{}` holds a project already", dir.display()),
        )
        .at(Location::file(dir.join(PROJECT_FILE)))
        .with_help("name another folder, or remove its codeanatomy.toml first")
        .into());
    }
    let physical = start::physical(dir);
    let name = options.name.clone().unwrap_or_else(|| {
        let folder = physical.file_name().unwrap_or_default();
        folder.to_string_lossy().into_owned()
    });
    let name = names::display_name(&name);
    let mut files = match &options.from {
        None => example::files(&name),
        Some(from) => start::files(&name, &physical, from)?,
    };
    let ignore = Path::new(example::IGNORE_FILE);
    if dir.join(ignore).symlink_metadata().is_err() {
        files.push((ignore.to_path_buf(), example::IGNORE.to_owned()));
    }
    files.sort();
    Ok(files)
}

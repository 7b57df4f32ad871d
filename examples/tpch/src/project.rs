//! The project folder: its files, embedded, and how they are written out.

use std::fs;
use std::path::Path;

use codeanatomy_vocab::{Error, Result};

use crate::codes;

/// What [`write_project`] did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WrittenProject {
    /// Files that were not there before, by their paths in the folder.
    pub written: Vec<&'static str>,
    /// Files that were there with other contents, and were left alone.
    pub kept: Vec<&'static str>,
}

/// Every file of the project, as path in the folder (with `/`) and contents.
pub fn project_files() -> &'static [(&'static str, &'static str)] {
    FILES
}

/// Writes the project into a folder, which is made if it is not there. A file that is there already
/// is never changed, so edits survive.
///
/// # Errors
///
/// [`CA-TPCH-0003`](codes::FOREIGN_PROJECT) when the folder holds the `codeanatomy.toml` of another
/// project, [`CA-TPCH-0004`](codes::UNWRITABLE) when a file cannot be read or written.
///
/// # Example: what happens the second time?
///
/// ```
/// let dir = tempfile::tempdir().unwrap();
/// let first = codeanatomy_tpch::write_project(dir.path()).unwrap();
/// assert_eq!(first.written.len(), codeanatomy_tpch::project_files().len());
///
/// std::fs::write(dir.path().join("views/queries/q06.sql"), "select 1 as one").unwrap();
/// let second = codeanatomy_tpch::write_project(dir.path()).unwrap();
/// assert!(second.written.is_empty());
/// assert_eq!(second.kept, ["views/queries/q06.sql"]);
/// ```
pub fn write_project(dir: &Path) -> Result<WrittenProject> {
    refuse_another_project(dir)?;
    let mut result = WrittenProject::default();
    for &(name, contents) in FILES {
        let path = dir.join(name);
        match read(&path)? {
            Some(found) if found == contents.as_bytes() => {}
            Some(_) => result.kept.push(name),
            None => {
                write(&path, contents)?;
                result.written.push(name);
            }
        }
    }
    Ok(result)
}

/// Embeds files whose contents are next to this crate's `Cargo.toml`.
macro_rules! embedded {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_str!(concat!("../", $path)))),*]
    };
}

const CONFIGURATION: &str = "codeanatomy.toml";

const FILES: &[(&str, &str)] = embedded![
    "codeanatomy.toml",
    "README.md",
    "views/staging/customer_orders.sql",
    "views/staging/late_lines.sql",
    "views/staging/line_revenue.sql",
    "views/staging/nation_region.sql",
    "views/staging/supplier_nation.sql",
    "views/staging/supplier_nation.toml",
    "views/marts/customer_activity.sql",
    "views/marts/customer_activity.toml",
    "views/marts/part_lines.sql",
    "views/marts/part_lines.toml",
    "views/marts/part_supply.sql",
    "views/marts/part_supply.toml",
    "views/marts/supplier_revenue_1996q1.sql",
    "views/marts/supplier_revenue_1996q1.toml",
    "views/queries/q01.sql",
    "views/queries/q01.toml",
    "views/queries/q02.sql",
    "views/queries/q03.sql",
    "views/queries/q03.toml",
    "views/queries/q04.sql",
    "views/queries/q05.sql",
    "views/queries/q05.toml",
    "views/queries/q06.sql",
    "views/queries/q07.sql",
    "views/queries/q07.toml",
    "views/queries/q08.sql",
    "views/queries/q09.sql",
    "views/queries/q09.toml",
    "views/queries/q10.sql",
    "views/queries/q10.toml",
    "views/queries/q11.sql",
    "views/queries/q11.toml",
    "views/queries/q12.sql",
    "views/queries/q13.sql",
    "views/queries/q13.toml",
    "views/queries/q14.sql",
    "views/queries/q15.sql",
    "views/queries/q15.toml",
    "views/queries/q16.sql",
    "views/queries/q16.toml",
    "views/queries/q17.sql",
    "views/queries/q18.sql",
    "views/queries/q19.sql",
    "views/queries/q20.sql",
    "views/queries/q21.sql",
    "views/queries/q21.toml",
    "views/queries/q22.sql",
];

/// A project with another name is somebody's work: adding our views to it would mix the two.
fn refuse_another_project(dir: &Path) -> Result<()> {
    let path = dir.join(CONFIGURATION);
    let Some(found) = read(&path)? else {
        return Ok(());
    };
    let is_ours = String::from_utf8_lossy(&found)
        .lines()
        .filter_map(|line| line.split_once('='))
        .any(|(key, value)| {
            key.trim() == "name" && value.trim().trim_matches(['"', '\'']) == "tpch"
        });
    if is_ours {
        return Ok(());
    }
    Err(
        Error::new(codes::FOREIGN_PROJECT, "the folder holds another project")
            .with("file", path.display())
            .with_help("choose a folder that is empty or not there yet"),
    )
}

fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(contents) => Ok(Some(contents)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("read", path, error)),
    }
}

fn write(path: &Path, contents: &str) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| failed("make", parent, error))?;
    }
    fs::write(path, contents).map_err(|error| failed("write", path, error))
}

fn failed(verb: &str, path: &Path, error: std::io::Error) -> Error {
    Error::new(
        codes::UNWRITABLE,
        format!("cannot {verb} `{}`: {error}", path.display()),
    )
    .with_help("choose a folder in which you may write")
    .with_source(error)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_view_in_the_folder_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut on_disk = BTreeSet::new();
        let mut folders = vec![root.join("views")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                    on_disk.insert(name.replace('\\', "/"));
                }
            }
        }
        let embedded: BTreeSet<String> = FILES
            .iter()
            .filter(|(path, _)| path.starts_with("views/"))
            .map(|(path, _)| (*path).to_owned())
            .collect();
        assert_eq!(embedded, on_disk);
    }

    #[test]
    fn the_project_of_somebody_else_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(
            dir.path().join(CONFIGURATION),
            "[project]\nname = \"shop\"\n",
        )
        .unwrap();
        let error = write_project(dir.path()).unwrap_err();
        assert_eq!(error.code(), codes::FOREIGN_PROJECT);
        assert!(!dir.path().join("views").exists());
    }
}

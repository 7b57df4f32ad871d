//! A project made from a folder of data and SQL files.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Component, Path, PathBuf};

use codeanatomy_vocab::{Error, Errors, Location};

use super::example::toml_text;
use super::names::{Names, quoted};
use super::scan::{Found, scan};
use crate::place::lexical;
use crate::toml::Findings;
use crate::{PROJECT_FILE, codes, text};

/// A dataset of the new project.
struct Dataset {
    name: String,
    location: String,
    format: &'static str,
}

/// The files of a project in `dir`, which must be free of links, that starts from the folder
/// `from`.
pub(super) fn files(name: &str, dir: &Path, from: &Path) -> Result<Vec<(PathBuf, String)>, Errors> {
    let source = from
        .canonicalize()
        .map_err(|error| text::unreadable(from, error))?;
    // What a project in this folder has written is not what it starts from.
    let skipped = BTreeSet::from([dir.join("out")]);
    let found = scan(&source, &skipped)?;
    if found.datasets.is_empty() && found.sql.is_empty() {
        return Err(Error::new(
            codes::NOTHING_FOUND,
            format!(
                "there are no datasets and no SQL files in `{}`",
                from.display()
            ),
        )
        .at(Location::file(from))
        .with_expected("Delta tables, or files that end in .parquet, .csv, .json, .jsonl or .sql")
        .with_help("name the folder that holds the data, or start with `codeanatomy init`")
        .into());
    }
    let mut names = Names::default();
    // What is in the project's own `views/` is a view already and keeps its name.
    let (in_place, to_copy): (Vec<&PathBuf>, Vec<&PathBuf>) = found
        .sql
        .iter()
        .partition(|path| path.starts_with(dir.join("views")));
    for path in in_place {
        names.take(stem(path), "view");
    }
    let datasets: Vec<Dataset> = found
        .datasets
        .iter()
        .map(|dataset| Dataset {
            name: names.take(stem(&dataset.named_by), "data"),
            location: relative(dir, &dataset.path),
            format: dataset.format.as_str(),
        })
        .collect();
    let mut files = vec![(
        PathBuf::from(PROJECT_FILE),
        project_file(name, &datasets, &found, &source),
    )];
    if found.sql.is_empty() {
        files.extend(datasets.iter().map(|dataset| starter(dataset, &mut names)));
    } else {
        files.extend(copied(&to_copy, &source, &mut names)?);
    }
    Ok(files)
}

/// `path` as it is, absolute and free of links, whether or not all of it is there yet.
pub(super) fn physical(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    for there in absolute.ancestors() {
        if let Ok(resolved) = there.canonicalize() {
            let rest = absolute.strip_prefix(there).unwrap_or(Path::new(""));
            return lexical(&resolved.join(rest));
        }
    }
    lexical(&absolute)
}

/// The way from the folder `from` to `to`, both absolute and free of links, with `/` between its
/// parts.
fn relative(from: &Path, to: &Path) -> String {
    let shared = from
        .components()
        .zip(to.components())
        .take_while(|(a, b)| a == b)
        .count();
    if shared == 0 {
        // Two drives of Windows: there is no way from one to the other.
        return to.to_string_lossy().into_owned();
    }
    let up = from.components().skip(shared).map(|_| "..".into());
    let down = to
        .components()
        .skip(shared)
        .map(|component| component.as_os_str().to_string_lossy());
    let way: Vec<std::borrow::Cow<'_, str>> = up.chain(down).collect();
    match way.join("/").as_str() {
        "" => ".".to_owned(),
        // A path that begins like this would be read as something else.
        way if way.starts_with('~') || way.contains("://") => format!("./{way}"),
        way => way.to_owned(),
    }
}

fn project_file(name: &str, datasets: &[Dataset], found: &Found, source: &Path) -> String {
    let mut text = String::new();
    // Writing into a `String` cannot fail.
    let _ = write!(
        text,
        "# A CodeAnatomy project. Views are plain SQL files below `views/`; this file says what they read.\n\
         \n\
         [project]\n\
         name = {}\n\
         # Where the tables of views with `cache = \"delta_output\"` go: <output>/<view name>.\n\
         output = \"out\"\n\
         \n\
         [session]\n\
         preset = \"default\" # default, dev, prod, cst_autoload or symtable\n\
         \n\
         [defaults]\n\
         # What becomes of a view whose sidecar (`views/x.toml` beside `views/x.sql`) says nothing:\n\
         # `none` computes it wherever it is needed, `delta_output` writes it to a Delta table.\n\
         cache = \"none\"\n",
        toml_text(name)
    );
    for dataset in datasets {
        let _ = write!(
            text,
            "\n[datasets.{}]\nlocation = {}\nformat = \"{}\"\n",
            dataset.name,
            toml_text(&dataset.location),
            dataset.format
        );
    }
    if !found.notes.is_empty() {
        text.push_str("\n# Left out:\n");
        for note in &found.notes {
            let note = note.replace(&format!("{}/", source.display()), "");
            let _ = writeln!(text, "# - {}", note.replace(char::is_control, "?"));
        }
    }
    text
}

fn starter(dataset: &Dataset, names: &mut Names) -> (PathBuf, String) {
    let view = names.take(&format!("all_{}", dataset.name), "view");
    let sql = format!(
        "-- Everything in the dataset `{0}`: a start.\nselect *\nfrom {1}\n",
        dataset.name,
        quoted(&dataset.name)
    );
    (Path::new("views").join(format!("{view}.sql")), sql)
}

/// The SQL files as views, in the folders in which they were found.
fn copied(
    sql_files: &[&PathBuf],
    source: &Path,
    names: &mut Names,
) -> Result<Vec<(PathBuf, String)>, Errors> {
    let mut findings = Findings::default();
    let mut views = Vec::new();
    for path in sql_files {
        let shown = path.strip_prefix(source).unwrap_or(path);
        let view = names.take(stem(path), "view");
        let parents = shown.parent().unwrap_or(Path::new(""));
        let mut target = PathBuf::from("views");
        // A folder `views` in the folder that is copied from is the same folder here.
        target.extend(
            parents
                .components()
                .filter(|part| matches!(part, Component::Normal(_)))
                .skip(usize::from(parents.starts_with("views"))),
        );
        target.push(format!("{view}.sql"));
        if let Some(sql) = findings.take(text::read(path, path)) {
            views.push((target, sql));
        }
    }
    Errors::check(findings.into_vec(), views)
}

fn stem(path: &Path) -> &str {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.unwrap_or_default();
    if path.is_dir() {
        return name;
    }
    name.split('.').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_to_the_data_goes_up_and_down() {
        let way = |from: &str, to: &str| relative(Path::new(from), Path::new(to));
        assert_eq!(way("/a/p", "/a/p/data/x.csv"), "data/x.csv");
        assert_eq!(way("/a/p", "/a/data/x.csv"), "../data/x.csv");
        assert_eq!(way("/a/p/q", "/b"), "../../../b");
        assert_eq!(way("/a", "/a"), ".");
        assert_eq!(way("/a", "/a/~b"), "./~b");
    }
}

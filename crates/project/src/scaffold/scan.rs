//! Looking for data and SQL files in a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use codeanatomy_vocab::Result;

use crate::DatasetFormat;
use crate::text::unreadable;

/// Folders deeper than this below the one that is scanned are not looked at.
const MAX_DEPTH: usize = 6;

/// How much of a JSON file is read to see whether it has one object on each line.
const PROBE_BYTES: u64 = 64 * 1024;

/// The lengths of the words of a UUID.
const UUID: [usize; 5] = [8, 4, 4, 4, 12];

/// What was found, each list in the order of paths.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) datasets: Vec<FoundDataset>,
    /// SQL files.
    pub(super) sql: Vec<PathBuf>,
    /// Sentences about what was left out.
    pub(super) notes: Vec<String>,
}

/// One file or folder that is a dataset.
#[derive(Debug)]
pub(super) struct FoundDataset {
    pub(super) path: PathBuf,
    /// The file or folder that has the better name: a folder, where its only file is `data.csv`.
    pub(super) named_by: PathBuf,
    pub(super) format: DatasetFormat,
}

/// One folder's entries, sorted by name.
#[derive(Default)]
struct Folder {
    folders: Vec<PathBuf>,
    data: BTreeMap<DatasetFormat, Vec<PathBuf>>,
    sql: Vec<PathBuf>,
    is_delta: bool,
}

/// Scans `folder`, which must be free of links, and leaves out the folders `skipped`.
pub(super) fn scan(folder: &Path, skipped: &BTreeSet<PathBuf>) -> Result<Found> {
    let mut found = Found::default();
    let top = Folder::read(folder, skipped, &mut found.notes)
        .map_err(|error| unreadable(folder, error))?;
    visit(folder, top, 0, skipped, &mut found);
    found.datasets.sort_by(|a, b| a.path.cmp(&b.path));
    found.sql.sort();
    Ok(found)
}

fn visit(
    path: &Path,
    folder: Folder,
    depth: usize,
    skipped: &BTreeSet<PathBuf>,
    found: &mut Found,
) {
    found.sql.extend(folder.sql);
    if folder.is_delta {
        found.push(path.to_path_buf(), DatasetFormat::Delta);
        return;
    }
    if let Some((format, files)) = one_table(&folder.data) {
        let location = match files {
            [file] => file,
            _ => path,
        };
        found.datasets.push(FoundDataset {
            path: location.to_path_buf(),
            named_by: path.to_path_buf(),
            format,
        });
    } else if folder.data.is_empty()
        && let Some(format) = partitions(&folder.folders, depth)
    {
        found.push(path.to_path_buf(), format);
        return;
    } else {
        for (format, files) in folder.data {
            for file in files {
                found.push(file, format);
            }
        }
    }
    for below in folder.folders {
        if depth == MAX_DEPTH {
            let note = format!("`{}` is too deep to be looked at", below.display());
            found.notes.push(note);
            continue;
        }
        match Folder::read(&below, skipped, &mut found.notes) {
            Ok(folder) => visit(&below, folder, depth + 1, skipped, found),
            Err(_) => {
                let note = format!("`{}` cannot be read", below.display());
                found.notes.push(note);
            }
        }
    }
}

impl Found {
    fn push(&mut self, path: PathBuf, format: DatasetFormat) {
        self.datasets.push(FoundDataset {
            named_by: path.clone(),
            path,
            format,
        });
    }
}

impl Folder {
    fn read(
        path: &Path,
        skipped: &BTreeSet<PathBuf>,
        notes: &mut Vec<String>,
    ) -> std::io::Result<Self> {
        let mut folder = Self::default();
        let mut paths = std::fs::read_dir(path)?
            .map(|entry| Ok(entry?.path()))
            .collect::<std::io::Result<Vec<_>>>()?;
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default();
            if name == "_delta_log" && path.is_dir() {
                folder.is_delta = true;
            }
            let is_hidden = matches!(name.as_encoded_bytes().first(), Some(b'.' | b'_'));
            if is_hidden || skipped.contains(&path) {
                continue;
            }
            if path.to_str().is_none() {
                notes.push(format!("the name of `{}` is not UTF-8", path.display()));
            } else if path.is_dir() {
                // A link to a folder could lead round in a circle.
                if path.is_symlink() {
                    notes.push(format!("`{}` is a link to a folder", path.display()));
                } else {
                    folder.folders.push(path);
                }
            } else if path.is_file() {
                folder.add_file(path, notes);
            }
        }
        Ok(folder)
    }

    fn add_file(&mut self, path: PathBuf, notes: &mut Vec<String>) {
        let is_sql = path
            .extension()
            .is_some_and(|ending| ending.eq_ignore_ascii_case("sql"));
        let format = DatasetFormat::of_file(&path);
        let is_empty = path.metadata().is_ok_and(|metadata| metadata.len() == 0);
        if is_empty && (is_sql || format.is_some()) {
            notes.push(format!("`{}` is empty", path.display()));
        } else if is_sql {
            self.sql.push(path);
        } else if let Some(format) = format {
            if format == DatasetFormat::Json && !has_object_per_line(&path) {
                notes.push(format!(
                    "`{}` has not one JSON object on each line",
                    path.display()
                ));
            } else {
                self.data.entry(format).or_default().push(path);
            }
        }
    }
}

/// The files of a folder, with their format, that are parts of one table: all of one format, their
/// names the same but for numbers, and more than one of them or a name that says nothing.
fn one_table(data: &BTreeMap<DatasetFormat, Vec<PathBuf>>) -> Option<(DatasetFormat, &[PathBuf])> {
    let (format, files) = data.first_key_value().filter(|_| data.len() == 1)?;
    let names: BTreeSet<String> = files.iter().map(|file| without_numbers(file)).collect();
    let (name, only) = (names.first()?, names.len() == 1);
    let says_nothing = ["", "part", "data", "file"].contains(&name.as_str());
    (only && (files.len() > 1 || says_nothing)).then_some((*format, files.as_slice()))
}

/// The format of the files in folders that are all named `column=value`.
fn partitions(folders: &[PathBuf], depth: usize) -> Option<DatasetFormat> {
    let is_partition = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.split_once('=')
            .is_some_and(|(column, _)| !column.is_empty())
    };
    if folders.is_empty() || depth >= 2 * MAX_DEPTH || !folders.iter().all(is_partition) {
        return None;
    }
    folders.iter().find_map(|path| {
        let folder = Folder::read(path, &BTreeSet::new(), &mut Vec::new()).ok()?;
        match folder.data.first_key_value() {
            Some((format, _)) => Some(*format),
            None => partitions(&folder.folders, depth + 1),
        }
    })
}

/// The stem of a file's name without what only tells the parts of a table apart: UUIDs, numbers
/// at the end of words, words with numbers in them, and what stands between words.
fn without_numbers(file: &Path) -> String {
    let stem = file.file_name().unwrap_or_default().to_string_lossy();
    let stem = stem.split('.').next().unwrap_or_default().to_lowercase();
    let mut words: Vec<&str> = stem.split(|c: char| !c.is_alphanumeric()).collect();
    while let Some(at) = words.windows(UUID.len()).position(is_uuid) {
        words.drain(at..at + UUID.len());
    }
    let words: Vec<&str> = words
        .into_iter()
        .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()))
        .filter(|word| !word.is_empty() && !word.contains(|c: char| c.is_ascii_digit()))
        .collect();
    words.join("_")
}

fn is_uuid(words: &[&str]) -> bool {
    let is_piece = |(word, length): (&&str, &usize)| {
        word.len() == *length && word.chars().all(|c| c.is_ascii_hexdigit())
    };
    words.iter().zip(&UUID).all(is_piece)
}

/// Whether the first line of a file is a whole object, as far as its brackets show.
fn has_object_per_line(path: &Path) -> bool {
    let mut bytes = Vec::new();
    let read =
        std::fs::File::open(path).and_then(|file| file.take(PROBE_BYTES).read_to_end(&mut bytes));
    if read.is_err() {
        return false;
    }
    let text = String::from_utf8_lossy(&bytes);
    let first = text.lines().find(|line| !line.trim().is_empty());
    let Some(first) = first.map(str::trim) else {
        return false;
    };
    // A line longer than the probe is not seen to its end.
    let is_cut = bytes.len() as u64 == PROBE_BYTES && !text.contains('\n');
    first.starts_with('{') && (first.ends_with('}') || is_cut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_one_table_are_told_from_tables() {
        let is_one = |names: &[&str]| {
            let files = names.iter().map(PathBuf::from).collect();
            one_table(&BTreeMap::from([(DatasetFormat::Parquet, files)])).is_some()
        };
        assert!(is_one(&["part-00000.parquet", "part-00001.parquet"]));
        assert!(is_one(&[
            "part-00000-a496f40c-e091-413a-85f9-b1b69d4b3b4e-c000.snappy.parquet",
            "part-00001-9d9d980b-c500-4f0b-bb96-771a515fbccc-c000.snappy.parquet",
        ]));
        assert!(is_one(&["sales_2024.parquet", "sales_2025.parquet"]));
        assert!(is_one(&["data.parquet"]));
        assert!(is_one(&["0.parquet"]));
        assert!(!is_one(&["orders.parquet"]));
        assert!(!is_one(&["orders.parquet", "customers.parquet"]));
    }
}

//! The data folder: what is in it, and how new tables take their place without a half-made state.
//!
//! A file `.tpch` says what the folder holds. It is written before the first table comes in, without
//! its last line, and again with it when all tables are there; so a folder with tables but without
//! the file is not ours, and one whose file lacks the last line is ours but incomplete.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use codeanatomy_vocab::{Error, Result};

use crate::generate::{Summary, TableSummary};
use crate::{Table, codes};

/// Raised when the same scale factor gives other tables than before.
const FORMAT: &str = "tpchgen 4, layout 1";
const MARKER: &str = ".tpch";
const LOCK: &str = ".tpch.lock";
const STAGING: &str = ".tpch.new";
const REPLACED: &str = ".tpch.old";
const COMPLETE: &str = "complete";

/// The data folder, locked against other generators until it is dropped.
#[derive(Debug)]
pub(crate) struct Store {
    dir: PathBuf,
    _lock: File,
}

impl Store {
    /// Makes the folder if it is not there, waits for its lock, and clears what an interrupted
    /// generator left behind.
    ///
    /// # Errors
    ///
    /// [`CA-TPCH-0004`](codes::UNWRITABLE).
    pub(crate) fn open(dir: &Path) -> Result<Self> {
        fs::create_dir_all(dir).map_err(|error| failed("make", dir, error))?;
        let dir = fs::canonicalize(dir).map_err(|error| failed("read", dir, error))?;
        let path = dir.join(LOCK);
        let lock = File::create(&path).map_err(|error| failed("write", &path, error))?;
        lock.lock().map_err(|error| failed("lock", &path, error))?;
        let store = Self { dir, _lock: lock };
        store.clear()?;
        Ok(store)
    }

    /// What the folder holds, if that is a complete set of tables at this scale factor.
    ///
    /// # Errors
    ///
    /// [`CA-TPCH-0002`](codes::FOREIGN_TABLES) when there are tables that no generator made,
    /// [`CA-TPCH-0004`](codes::UNWRITABLE).
    pub(crate) fn existing(&self, scale: f64) -> Result<Option<Summary>> {
        let marker = self.dir.join(MARKER);
        match fs::read_to_string(&marker) {
            Ok(text) => Ok(parsed(&text, scale).filter(|_| self.has_every_table())),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                for table in Table::ALL {
                    let folder = self.dir.join(table.name());
                    if folder.exists() {
                        return Err(Error::new(
                            codes::FOREIGN_TABLES,
                            format!("`{}` was not made by this generator", folder.display()),
                        )
                        .with_help("choose another folder, or move the tables out of this one"));
                    }
                }
                Ok(None)
            }
            Err(error) => Err(failed("read", &marker, error)),
        }
    }

    /// Where a table is built before it takes its place.
    pub(crate) fn staging(&self, table: Table) -> PathBuf {
        self.dir.join(STAGING).join(table.name())
    }

    /// Puts the staged tables in the place of those that were there.
    ///
    /// # Errors
    ///
    /// [`CA-TPCH-0004`](codes::UNWRITABLE). What is in the folder then counts as incomplete.
    pub(crate) fn publish(&self, summary: &Summary) -> Result<()> {
        let marker = self.dir.join(MARKER);
        let write = |text: String| {
            fs::write(&marker, text).map_err(|error| failed("write", &marker, error))
        };
        write(rendered(summary))?;
        let replaced = self.dir.join(REPLACED);
        fs::create_dir_all(&replaced).map_err(|error| failed("make", &replaced, error))?;
        for table in Table::ALL {
            let place = self.dir.join(table.name());
            if place.exists() {
                rename(&place, &replaced.join(table.name()))?;
            }
            rename(&self.staging(table), &place)?;
        }
        write(rendered(summary) + COMPLETE + "\n")?;
        self.clear()
    }

    /// Removes what is half made or replaced.
    pub(crate) fn clear(&self) -> Result<()> {
        // Writers of an interrupted call may be giving up their files at this moment.
        const TRIES: usize = 5;
        for leftover in [STAGING, REPLACED] {
            let path = self.dir.join(leftover);
            for attempt in 1..=TRIES {
                match fs::remove_dir_all(&path) {
                    Err(error) if error.kind() == ErrorKind::NotFound => break,
                    Err(error) if attempt == TRIES => return Err(failed("remove", &path, error)),
                    Ok(()) | Err(_) => {}
                }
            }
        }
        Ok(())
    }

    fn has_every_table(&self) -> bool {
        Table::ALL
            .iter()
            .all(|table| self.dir.join(table.name()).join("_delta_log").is_dir())
    }
}

/// The contents of the marker, up to its last line.
fn rendered(summary: &Summary) -> String {
    let mut text = format!("{FORMAT}\nscale {}\n", summary.scale);
    for table in &summary.tables {
        text.push_str(&format!(
            "{} {} rows {} files {} bytes\n",
            table.table, table.rows, table.files, table.bytes
        ));
    }
    text
}

/// The summary in a marker that is complete and of this scale factor.
fn parsed(text: &str, scale: f64) -> Option<Summary> {
    let mut lines = text.lines();
    let same = lines.next() == Some(FORMAT) && lines.next() == Some(&format!("scale {scale}"));
    let complete = text.lines().next_back() == Some(COMPLETE);
    if !(same && complete) {
        return None;
    }
    let tables = Table::ALL
        .iter()
        .zip(lines)
        .map(|(&table, line)| {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                [name, rows, "rows", files, "files", bytes, "bytes"] if name == table.name() => {
                    Some(TableSummary {
                        table,
                        rows: rows.parse().ok()?,
                        files: files.parse().ok()?,
                        bytes: bytes.parse().ok()?,
                    })
                }
                _ => None,
            }
        })
        .collect::<Option<Vec<_>>>()?;
    Some(Summary {
        scale,
        reused: true,
        tables,
    })
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|error| failed("move", from, error))
}

fn failed(verb: &str, path: &Path, error: std::io::Error) -> Error {
    Error::new(
        codes::UNWRITABLE,
        format!("cannot {verb} `{}`: {error}", path.display()),
    )
    .with_help("choose a folder in which you may write, on a disk with enough space")
    .with_source(error)
}

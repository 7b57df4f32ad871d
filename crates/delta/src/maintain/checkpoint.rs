//! Checkpoints: making them, and finding those that are torn.

use std::collections::BTreeMap;

use codeanatomy_vocab::{DeltaVersion, Error, Result};
use deltalake_core::{ObjectStoreError, Path};
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use serde::Serialize;
use serde_json::Value;

use super::{failed, library_table, readable_store};
use crate::error::{Access, guarded, store_error};
use crate::store::{Store, version_of};
use crate::{StoreOptions, TableLocation, codes};

/// What [`create_checkpoint`] made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckpointReport {
    /// The version that can be loaded from it.
    pub version: DeltaVersion,
}

/// The checkpoints of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckpointInspection {
    /// The version that `_last_checkpoint` names; `None` where it is missing or unreadable.
    pub last_checkpoint: Option<DeltaVersion>,
    /// All checkpoints, oldest first.
    pub checkpoints: Vec<CheckpointEntry>,
    /// What is wrong, in words; empty where all is well.
    pub problems: Vec<String>,
}

/// A checkpoint of one version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckpointEntry {
    /// The version.
    pub version: DeltaVersion,
    /// Its files, from `_delta_log`, sorted.
    pub files: Vec<String>,
    /// The size of these files in bytes.
    pub size_bytes: u64,
    /// What is wrong with it, in words.
    pub problem: Option<String>,
}

/// Makes a checkpoint of the newest version. One that is there already is written again.
///
/// # Errors
///
/// As [`open`](crate::open); [`CA-DELTA-0031`](codes::MAINTENANCE_FAILED) when it cannot be
/// written.
pub async fn create_checkpoint(
    location: &TableLocation,
    options: &StoreOptions,
) -> Result<CheckpointReport> {
    let store = readable_store(location, options).await?;
    let table = library_table(&store).await?;
    let made = deltalake_core::checkpoints::create_checkpoint(&table, None);
    guarded(location, made)
        .await?
        .map_err(|error| failed("a checkpoint", &store, error))?;
    let version = table.version().unwrap_or_default();
    Ok(CheckpointReport { version })
}

/// Looks at every checkpoint of a table: whether all of its parts are there, and whether each is a
/// whole file. The table itself need not be readable.
///
/// # Errors
///
/// [`CA-DELTA-0007`](codes::UNREADABLE) when the log cannot be read.
pub async fn inspect_checkpoints(
    location: &TableLocation,
    options: &StoreOptions,
) -> Result<CheckpointInspection> {
    inspect_in(&Store::open(location, options)?).await
}

pub(crate) async fn inspect_in(store: &Store) -> Result<CheckpointInspection> {
    let location = store.location();
    let mut found: BTreeMap<DeltaVersion, Vec<(String, u64)>> = BTreeMap::new();
    if store.has_folder("_delta_log").await? {
        let folder = Path::from("_delta_log");
        let files = store.files();
        let mut listing = files.list(Some(&folder));
        loop {
            match listing.try_next().await {
                Ok(None) | Err(ObjectStoreError::NotFound { .. }) => break,
                Err(error) => return Err(store_error(error, Access::Read, location)),
                Ok(Some(meta)) => {
                    let name = meta.location.filename().unwrap_or_default();
                    if meta.location.parts_count() == 2
                        && let Some((version, rest)) = version_of(name)
                        && rest.starts_with("checkpoint.")
                    {
                        let file = (name.to_owned(), meta.size);
                        found.entry(version).or_default().push(file);
                    }
                }
            }
        }
    }
    let mut checkpoints = Vec::with_capacity(found.len());
    for (version, mut files) in found {
        files.sort();
        checkpoints.push(CheckpointEntry {
            version,
            size_bytes: files.iter().map(|(_, size)| size).sum(),
            problem: problem(store, &files).await?,
            files: files.into_iter().map(|(name, _)| name).collect(),
        });
    }
    let last_checkpoint = last_checkpoint(store).await?;
    let mut problems: Vec<String> = checkpoints
        .iter()
        .filter_map(|entry| {
            let problem = entry.problem.as_ref()?;
            Some(format!(
                "the checkpoint of version {} {problem}",
                entry.version
            ))
        })
        .collect();
    if let Some(version) = last_checkpoint
        && !checkpoints.iter().any(|entry| entry.version == version)
    {
        problems.push(format!(
            "`_last_checkpoint` names version {version}, of which there is no checkpoint"
        ));
    }
    Ok(CheckpointInspection {
        last_checkpoint,
        checkpoints,
        problems,
    })
}

impl CheckpointInspection {
    /// The inspection as a verdict.
    ///
    /// # Errors
    ///
    /// [`CA-DELTA-0029`](codes::DAMAGED_CHECKPOINT) names the first problem and what to do.
    pub fn check(&self) -> Result<()> {
        let Some(problem) = self.problems.first() else {
            return Ok(());
        };
        Err(Error::new(codes::DAMAGED_CHECKPOINT, problem.clone())
            .with_expected("whole checkpoints, and a `_last_checkpoint` that names one")
            .with_help(
                "if the log has all commits from version 0 or an older whole checkpoint on, delete \
                 the damaged checkpoint's files and `_last_checkpoint`, then make a new one with \
                 `delta checkpoint create`; else restore the files",
            ))
    }
}

/// What is wrong with a checkpoint of these files.
async fn problem(store: &Store, files: &[(String, u64)]) -> Result<Option<String>> {
    for (name, size) in files {
        if !is_whole(store, name, *size).await? {
            return Ok(Some(format!("is torn: `{name}` is no whole file")));
        }
    }
    let mut parts: Vec<(u64, u64)> = files.iter().filter_map(|(name, _)| part_of(name)).collect();
    parts.sort_unstable();
    let Some((_, n_parts)) = parts.first().copied() else {
        return Ok(None);
    };
    let is_single = files.len() > parts.len();
    let has = (1..=n_parts)
        .filter(|part| parts.contains(&(*part, n_parts)))
        .count() as u64;
    Ok((has < n_parts && !is_single)
        .then(|| format!("is incomplete: {has} of {n_parts} parts are there")))
}

/// The number of a part, and how many there are, from the name of its file.
fn part_of(name: &str) -> Option<(u64, u64)> {
    let (_, rest) = version_of(name)?;
    let mut parts = rest.strip_prefix("checkpoint.")?.split('.');
    let (part, of, end) = (parts.next()?, parts.next()?, parts.next()?);
    if end != "parquet" || part.len() != 10 || of.len() != 10 {
        return None;
    }
    Some((part.parse().ok()?, of.parse().ok()?))
}

/// Whether a file ends as its format does. Files of other formats are not looked at.
async fn is_whole(store: &Store, name: &str, size: u64) -> Result<bool> {
    const END: &[u8] = b"PAR1";
    if !name.ends_with(".parquet") {
        return Ok(size > 0);
    }
    if size < 12 {
        return Ok(false);
    }
    let path = Path::from(format!("_delta_log/{name}"));
    let tail = store
        .files()
        .get_range(&path, size - 8..size)
        .await
        .map_err(|error| store_error(error, Access::Read, store.location()))?;
    let Some((length, end)) = tail.split_first_chunk::<4>() else {
        return Ok(false);
    };
    Ok(end == END && u64::from(u32::from_le_bytes(*length)) + 12 <= size)
}

async fn last_checkpoint(store: &Store) -> Result<Option<DeltaVersion>> {
    let path = Path::from("_delta_log/_last_checkpoint");
    let bytes = match store.files().get(&path).await {
        Ok(found) => found.bytes().await,
        Err(ObjectStoreError::NotFound { .. }) => return Ok(None),
        Err(error) => Err(error),
    };
    let bytes = bytes.map_err(|error| store_error(error, Access::Read, store.location()))?;
    let hint: Option<Value> = serde_json::from_slice(&bytes).ok();
    Ok(hint.and_then(|hint| hint.get("version")?.as_u64()))
}

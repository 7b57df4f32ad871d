//! Which version is read, and what is wrong where there is none.

use std::collections::{BTreeSet, HashMap};
use std::io::ErrorKind;

use codeanatomy_vocab::{DeltaVersion, DeltaVersionSelector, Error, Result, UnixMillis};
use deltalake_core::kernel::Snapshot;

use crate::active::{self, ActiveFile, FileKey, active_files};
use crate::error::{Chain, guarded, unreadable};
use crate::maintain::inspect_in;
use crate::replay::FileChange;
use crate::store::{Log, Store};
use crate::{TableLocation, codes, protocol};

/// Loads the snapshot of one version, or of the newest.
pub(crate) async fn load(store: &Store, version: Option<DeltaVersion>) -> Result<Snapshot> {
    let snapshot = Snapshot::try_new(store.log_store().as_ref(), version);
    let error = match guarded(store.location(), snapshot).await? {
        Ok(snapshot) => return Ok(snapshot),
        Err(error) => error,
    };
    // The library says little about what is wrong, so look again.
    let log = find_log(store).await?;
    if let Some(refusal) = protocol::refusal_in_log(store, &log).await {
        return Err(refusal);
    }
    match inspect_in(store).await.and_then(|found| found.check()) {
        Err(damage) if damage.code() == codes::DAMAGED_CHECKPOINT => Err(damage
            .with("table", store.location())
            .with_source(Chain::from(error))),
        Ok(()) | Err(_) => Err(store.log_error(error)),
    }
}

/// The version to load; `None` stands for the newest.
pub(crate) async fn resolve(
    store: &Store,
    selector: DeltaVersionSelector,
) -> Result<Option<DeltaVersion>> {
    let log = find_log(store).await?;
    match selector {
        DeltaVersionSelector::Latest => Ok(None),
        DeltaVersionSelector::Version(version) => {
            let (oldest, newest) = readable(store, &log)?;
            if version > newest {
                Err(no_version(
                    format!("has no version {version}: its newest is {newest}"),
                    format!("{oldest}..{newest}"),
                    store.location(),
                ))
            } else if version < oldest {
                Err(gone(store, &log, version, "was cleaned from the log").await)
            } else {
                Ok(Some(version))
            }
        }
        DeltaVersionSelector::Timestamp(time) => {
            let (oldest, _) = readable(store, &log)?;
            let mut commits = log.commits;
            commits.retain(|version, _| *version >= oldest);
            let times = store.commit_times(commits).await?;
            let mut selected = None;
            let mut latest_so_far = UnixMillis(i64::MIN);
            for (version, committed) in &times {
                latest_so_far = latest_so_far.max(*committed);
                if latest_so_far <= time {
                    selected = Some(*version);
                }
            }
            selected.map(Some).ok_or_else(|| {
                let first = times
                    .first_key_value()
                    .map_or(UnixMillis(0), |(_, time)| *time);
                let cleaned = if oldest == 0 {
                    ""
                } else {
                    " any more: older versions were cleaned from the log"
                };
                no_version(
                    format!(
                        "has no version committed at or before {}{cleaned}",
                        rfc3339(time)
                    ),
                    format!("{oldest}.., the first committed at {}", rfc3339(first)),
                    store.location(),
                )
            })
        }
    }
}

/// The oldest and the newest version that the log can rebuild.
pub(crate) fn readable(store: &Store, log: &Log) -> Result<(DeltaVersion, DeltaVersion)> {
    log.oldest_readable().zip(log.newest()).ok_or_else(|| {
        Error::new(
            codes::DAMAGED_TABLE,
            format!(
                "the log of the Delta table at {} has no version 0 and no checkpoint",
                store.location()
            ),
        )
        .with_help("restore the missing files of `_delta_log`, or write the table again")
    })
}

fn no_version(what: String, there_are: String, location: &TableLocation) -> Error {
    Error::new(
        codes::VERSION_NOT_FOUND,
        format!("the Delta table at {location} {what}"),
    )
    .with_expected(format!("a version of {there_are}"))
    .with_help(format!(
        "there are versions {there_are}; ask for one of these"
    ))
}

/// The error of a version that there was, with the oldest one that still works.
pub(crate) async fn gone(store: &Store, log: &Log, version: DeltaVersion, why: &str) -> Error {
    let location = store.location();
    let error = Error::new(
        codes::VERSION_NOT_FOUND,
        format!("version {version} of the Delta table at {location} {why}"),
    );
    match oldest_working(store, log).await {
        Ok(Some(oldest)) => error
            .with_expected(format!("a version from {oldest} on"))
            .with_help(format!(
                "the oldest version that still works is {oldest}: pin that one or a newer one"
            )),
        Ok(None) | Err(_) => {
            error.with_help("no version of the table can be read: write the table again")
        }
    }
}

/// The oldest version that the log can rebuild and whose files are all there.
///
/// This walks through the whole log, so it is for errors only.
async fn oldest_working(store: &Store, log: &Log) -> Result<Option<DeltaVersion>> {
    let (oldest, newest) = readable(store, log)?;
    let snapshot = load(store, Some(oldest)).await?;
    let mut seen: HashMap<(String, u64), bool> = HashMap::new();
    let mut missing: BTreeSet<FileKey> = BTreeSet::new();
    for file in active_files(store, &snapshot).await? {
        if !is_there(store, &file, &mut seen).await? {
            missing.insert(file.key());
        }
    }
    for version in oldest..=newest {
        if version > oldest {
            let Some(commit) = store.commit(version).await? else {
                continue;
            };
            for change in store.file_changes(version, &commit)? {
                match change {
                    FileChange::Add { file, .. } => {
                        if !is_there(store, &file, &mut seen).await? {
                            missing.insert(file.key());
                        }
                    }
                    FileChange::Remove { file, .. } => {
                        missing.remove(&file.key());
                    }
                }
            }
        }
        if missing.is_empty() {
            return Ok(Some(version));
        }
    }
    Ok(None)
}

async fn is_there(
    store: &Store,
    file: &ActiveFile,
    seen: &mut HashMap<(String, u64), bool>,
) -> Result<bool> {
    let key = (file.path.clone(), file.size_bytes);
    if let Some(is_there) = seen.get(&key) {
        return Ok(*is_there);
    }
    let is_there = active::check(store, std::slice::from_ref(file))
        .await
        .is_ok();
    seen.insert(key, is_there);
    Ok(is_there)
}

/// The log of a table, or what is there instead.
pub(crate) async fn find_log(store: &Store) -> Result<Log> {
    let log = store.log().await?;
    if log.newest().is_some() {
        return Ok(log);
    }
    let location = store.location();
    let missing =
        |message: String, help| Err(Error::new(codes::NOT_A_TABLE, message).with_help(help));
    let Some(path) = location.local_path() else {
        return missing(
            format!("there is no Delta table at {location}"),
            "correct the location, or create the table first",
        );
    };
    match tokio::fs::metadata(&path).await {
        Ok(metadata) if metadata.is_dir() => missing(
            format!("there is no Delta table at {location}: its `_delta_log` is missing or empty"),
            "correct the location, name another format, or create the table first",
        ),
        Ok(_) => missing(
            format!("{location} is a file, not the folder of a Delta table"),
            "name the folder that holds `_delta_log`",
        ),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            missing(
                format!("there is nothing at {location}"),
                "correct the location, or create the table first",
            )
        }
        Err(error) => Err(unreadable(&path, error)),
    }
}

pub(crate) fn rfc3339(time: UnixMillis) -> String {
    chrono::DateTime::from_timestamp_millis(time.0).map_or_else(
        || format!("{} ms", time.0),
        |time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
    )
}

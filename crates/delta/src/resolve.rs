//! Which version is read, and what is wrong where there is none.

use std::io::ErrorKind;

use codeanatomy_vocab::{DeltaVersion, DeltaVersionSelector, Error, Result, UnixMillis};
use deltalake_core::kernel::Snapshot;

use crate::error::{guarded, unreadable};
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
    match protocol::refusal_in_log(store, &log).await {
        Some(refusal) => Err(refusal),
        None => Err(store.log_error(error)),
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
            if (oldest..=newest).contains(&version) {
                Ok(Some(version))
            } else {
                Err(no_version(
                    format!("no version {version}"),
                    format!("{oldest}..{newest}"),
                    store.location(),
                ))
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
                no_version(
                    format!("no version committed at or before {}", rfc3339(time)),
                    format!("{oldest}.., the first committed at {}", rfc3339(first)),
                    store.location(),
                )
            })
        }
    }
}

fn readable(store: &Store, log: &Log) -> Result<(DeltaVersion, DeltaVersion)> {
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
        format!("the Delta table at {location} has {what}"),
    )
    .with_expected(format!("a version of {there_are}"))
    .with_help(format!(
        "there are versions {there_are}; ask for one of these"
    ))
}

/// The log of a table, or what is there instead.
async fn find_log(store: &Store) -> Result<Log> {
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

fn rfc3339(time: UnixMillis) -> String {
    chrono::DateTime::from_timestamp_millis(time.0).map_or_else(
        || format!("{} ms", time.0),
        |time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
    )
}

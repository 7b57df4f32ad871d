//! Windows of versions, from times too.

use codeanatomy_vocab::{DeltaVersion, Error, Result, UnixMillis};

use super::FeedWindow;
use crate::resolve::{find_log, readable, rfc3339};
use crate::store::Store;
use crate::{StoreOptions, TableLocation, codes};

/// An end of a window of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedBound {
    /// A version, itself inside.
    Version(DeltaVersion),
    /// A time: a start is the first version committed at or after it, an end the last one committed
    /// at or before it.
    Timestamp(UnixMillis),
}

/// Finds the versions between two bounds; without an end, up to the newest.
///
/// The time of a commit is the one it names itself, else that of its file, and never earlier than
/// that of the commit before.
///
/// # Errors
///
/// [`CA-DELTA-0026`](codes::FEED_OUT_OF_RANGE) for a start at a time whose commits are gone from the
/// log, and for an end before all of them; [`CA-DELTA-0027`](codes::FEED_BACKWARDS) for a time
/// window that ends before it starts; else as [`open`](crate::open). What remains is checked by
/// [`open_change_feed`](crate::open_change_feed).
pub async fn feed_window(
    location: &TableLocation,
    options: &StoreOptions,
    start: FeedBound,
    end: Option<FeedBound>,
    allow_out_of_range: bool,
) -> Result<FeedWindow> {
    let window = |starting_version, ending_version| FeedWindow {
        starting_version,
        ending_version,
        allow_out_of_range,
    };
    match (start, end) {
        (FeedBound::Version(start), None) => return Ok(window(start, None)),
        (FeedBound::Version(start), Some(FeedBound::Version(end))) => {
            return Ok(window(start, Some(end)));
        }
        (FeedBound::Timestamp(start), Some(FeedBound::Timestamp(end))) if end < start => {
            return Err(Error::new(
                codes::FEED_BACKWARDS,
                format!(
                    "the change feed ends at {}, before it starts at {}",
                    rfc3339(end),
                    rfc3339(start)
                ),
            )
            .with_help("give an end that is not before the start, or none"));
        }
        (FeedBound::Version(_) | FeedBound::Timestamp(_), _) => {}
    }
    let commits = committed(&Store::open(location, options)?).await?;
    let newest = commits.last().map_or(0, |(version, _)| *version);
    let starting_version = match start {
        FeedBound::Version(version) => version,
        FeedBound::Timestamp(time) => {
            // Commits before the first one of the log may have been at that time too.
            if let Some((version, first)) = commits.first()
                && *version > 0
                && time < *first
            {
                return Err(out_of_range(location, "start", time, *first));
            }
            let found = commits.iter().find(|(_, committed)| *committed >= time);
            found.map_or(newest + 1, |(version, _)| *version)
        }
    };
    let ending_version = match end {
        None => None,
        Some(FeedBound::Version(version)) => Some(version),
        Some(FeedBound::Timestamp(time)) => {
            let found = commits.iter().rfind(|(_, committed)| *committed <= time);
            let first = commits.first().map_or(time, |(_, first)| *first);
            let found = found.ok_or_else(|| out_of_range(location, "end", time, first))?;
            // Between two commits there is nothing: the window is empty, not backwards.
            if let FeedBound::Timestamp(_) = start
                && found.0 < starting_version
            {
                return Ok(FeedWindow {
                    starting_version: newest + 1,
                    ending_version: None,
                    allow_out_of_range: true,
                });
            }
            Some(found.0)
        }
    };
    Ok(window(starting_version, ending_version))
}

/// The readable versions with the times of their commits, which never fall.
async fn committed(store: &Store) -> Result<Vec<(DeltaVersion, UnixMillis)>> {
    let log = find_log(store).await?;
    let (oldest, _) = readable(store, &log)?;
    let mut commits = log.commits;
    commits.retain(|version, _| *version >= oldest);
    let mut latest = UnixMillis(i64::MIN);
    Ok(store
        .commit_times(commits)
        .await?
        .into_iter()
        .map(|(version, time)| {
            latest = latest.max(time);
            (version, latest)
        })
        .collect())
}

fn out_of_range(location: &TableLocation, end: &str, time: UnixMillis, first: UnixMillis) -> Error {
    Error::new(
        codes::FEED_OUT_OF_RANGE,
        format!(
            "the change feed of the Delta table at {location} cannot {end} at {}: the first commit of \
             its log is of {}",
            rfc3339(time),
            rfc3339(first)
        ),
    )
    .with_expected(format!("a time from {} on", rfc3339(first)))
    .with_help("give a later time; older changes are gone, so a cursor from there has to be reset")
}

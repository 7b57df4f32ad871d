//! Deleting what no reader needs any more.

use std::time::Duration;

use codeanatomy_vocab::{Clock, DeltaVersion, Error, Result};
use deltalake_core::Path;
use deltalake_core::operations::vacuum::VacuumMode;
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use serde::Serialize;

use super::{failed, inspect_checkpoints, library_table, quiet_commit, writable_store};
use crate::error::{Access, guarded, store_error};
use crate::resolve::find_log;
use crate::store::version_of;
use crate::{StoreOptions, TableLocation, codes};

/// How long the log is kept where the table does not say it.
const LOG_RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What is vacuumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VacuumSpec {
    /// Only says what would be deleted.
    pub dry_run: bool,
    /// Files that were removed longer ago than this are deleted; the table's own retention where
    /// none is given.
    pub retention: Option<Duration>,
    /// Allows a retention that is shorter than the table's own. Readers of older versions, and
    /// writers that are not done, may then miss files.
    pub force: bool,
    /// Deletes data files too that no commit ever named. Files that a writer has not yet
    /// committed are among them, so nothing may write at the time.
    pub unknown_files: bool,
}

/// What [`vacuum`] deleted, or would delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VacuumReport {
    /// Whether nothing was deleted.
    pub dry_run: bool,
    /// The newest version afterwards.
    pub version: DeltaVersion,
    /// The files, sorted.
    pub files: Vec<String>,
}

/// What [`cleanup_log`] deleted, or would delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CleanupReport {
    /// Whether nothing was deleted.
    pub dry_run: bool,
    /// The oldest version that can be read afterwards.
    pub oldest_version: Option<DeltaVersion>,
    /// Files of `_delta_log`, sorted.
    pub files: Vec<String>,
}

/// Deletes data files that the table no longer needs. Older versions that need them can no longer
/// be read.
///
/// # Errors
///
/// As [`open`](crate::open); [`CA-DELTA-0030`](codes::RETENTION_TOO_SHORT) for a retention below
/// the table's own without `force`; [`CA-DELTA-0031`](codes::MAINTENANCE_FAILED) when files cannot
/// be deleted.
pub async fn vacuum(
    location: &TableLocation,
    options: &StoreOptions,
    spec: VacuumSpec,
) -> Result<VacuumReport> {
    let store = writable_store(location, options).await?;
    let table = library_table(&store).await?;
    let own = Duration::from_secs(7 * 24 * 60 * 60);
    let own = property(&table, "delta.deletedFileRetentionDuration").unwrap_or(own);
    if let Some(retention) = spec
        .retention
        .filter(|retention| *retention < own && !spec.force)
    {
        return Err(Error::new(
            codes::RETENTION_TOO_SHORT,
            format!(
                "a retention of {} is shorter than that of the Delta table at {location}, {}",
                shown(retention),
                shown(own)
            ),
        )
        .with_expected(format!("at least {}", shown(own)))
        .with_help(
            "ask for a longer one, or force it if nobody reads older versions and nobody writes",
        ));
    }
    let mut vacuum = table
        .vacuum()
        .with_dry_run(spec.dry_run)
        .with_enforce_retention_duration(!spec.force)
        .with_mode(if spec.unknown_files {
            VacuumMode::Full
        } else {
            VacuumMode::Lite
        })
        .with_commit_properties(quiet_commit());
    if let Some(retention) = spec.retention {
        let retention = chrono::Duration::from_std(retention).unwrap_or(chrono::Duration::MAX);
        vacuum = vacuum.with_retention_period(retention);
    }
    let (table, metrics) = guarded(location, IntoFuture::into_future(vacuum))
        .await?
        .map_err(|error| failed("the vacuum", &store, error))?;
    let mut files = metrics.files_deleted;
    files.sort();
    Ok(VacuumReport {
        dry_run: spec.dry_run,
        version: table.version().unwrap_or_default(),
        files,
    })
}

/// Deletes commits and checkpoints that are older than the log's retention and that no younger
/// version needs: all of those before the last whole checkpoint at or before the oldest commit that
/// is still young. Older versions can no longer be read.
///
/// The retention is the table's own (`delta.logRetentionDuration`), 30 days where it has none.
///
/// # Errors
///
/// As [`open`](crate::open); [`CA-DELTA-0013`](codes::UNWRITABLE) when a file cannot be deleted.
pub async fn cleanup_log(
    location: &TableLocation,
    options: &StoreOptions,
    dry_run: bool,
    clock: &dyn Clock,
) -> Result<CleanupReport> {
    let store = writable_store(location, options).await?;
    let table = library_table(&store).await?;
    let retention = property(&table, "delta.logRetentionDuration").unwrap_or(LOG_RETENTION);
    let retention = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
    let cutoff = clock.now().0.saturating_sub(retention);
    let log = find_log(&store).await?;
    // The files' own times: whoever copies a log keeps it.
    let newest = log.newest().unwrap_or(0);
    let young = log
        .commits
        .iter()
        .find_map(|(version, time)| (time.0 >= cutoff).then_some(*version))
        .unwrap_or(newest);
    let whole = inspect_checkpoints(location, options).await?;
    let base = whole
        .checkpoints
        .iter()
        .filter(|entry| entry.problem.is_none() && entry.version <= young)
        .map(|entry| entry.version)
        .max();
    let mut files = Vec::new();
    if let Some(base) = base {
        let folder = Path::from("_delta_log");
        let listing = store.files();
        let metas: Vec<_> = listing
            .list(Some(&folder))
            .try_collect()
            .await
            .map_err(|error| store_error(error, Access::Read, location))?;
        for meta in metas {
            let name = meta.location.filename().unwrap_or_default().to_owned();
            let is_old = meta.location.parts_count() == 2
                && meta.last_modified.timestamp_millis() < cutoff
                && version_of(&name).is_some_and(|(version, rest)| {
                    version < base && (rest == "json" || rest.starts_with("checkpoint."))
                });
            if is_old {
                files.push(name);
            }
        }
    }
    files.sort();
    if !dry_run {
        for name in &files {
            let path = Path::from(format!("_delta_log/{name}"));
            store
                .files()
                .delete(&path)
                .await
                .map_err(|error| store_error(error, Access::Write, location))?;
        }
    }
    let oldest_version = if dry_run || files.is_empty() {
        log.oldest_readable()
    } else {
        base
    };
    Ok(CleanupReport {
        dry_run,
        oldest_version,
        files,
    })
}

/// A property of a table that is a time span: `interval 7 days`.
fn property(table: &deltalake_core::DeltaTable, key: &str) -> Option<Duration> {
    let snapshot = table.snapshot().ok()?;
    let text = snapshot.metadata().configuration().get(key)?;
    let text = text.trim().to_ascii_lowercase();
    let mut words = text
        .strip_prefix("interval")
        .unwrap_or(&text)
        .split_whitespace();
    let count: u64 = words.next()?.parse().ok()?;
    let unit = match words.next()?.trim_end_matches('s') {
        "week" => 7 * 24 * 60 * 60,
        "day" => 24 * 60 * 60,
        "hour" => 60 * 60,
        "minute" => 60,
        "second" => 1,
        _ => return None,
    };
    Some(Duration::from_secs(count.checked_mul(unit)?))
}

fn shown(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => "0".to_owned(),
        _ if seconds.is_multiple_of(86_400) => format!("{} days", seconds / 86_400),
        _ if seconds.is_multiple_of(3_600) => format!("{} hours", seconds / 3_600),
        _ => format!("{seconds} seconds"),
    }
}

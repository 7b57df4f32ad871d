//! The store of one table, and its log as text.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::sync::Arc;

use bytes::Bytes;
use codeanatomy_vocab::{DeltaVersion, Encoder, Error, Fingerprint, Result, UnixMillis};
use datafusion_catalog::Session;
use datafusion_common::{DataFusionError, Result as EngineResult};
use datafusion_execution::object_store::ObjectStoreUrl;
use deltalake_core::logstore::{LogStoreRef, StorageConfig, logstore_for};
use deltalake_core::{ObjectStore, ObjectStoreError, Path};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use serde_json::Value;
use url::{Position, Url};

use crate::error::{Access, log_error, store_error, unreadable};
use crate::{StoreOptions, TableLocation, codes, remote};

/// How many log files are read at a time.
const CONCURRENT_READS: usize = 16;

/// The action that says who made a commit, and when. Writers put it first.
const COMMIT_INFO: &str = "commitInfo";

/// The store of one table.
#[derive(Clone)]
pub(crate) struct Store {
    location: TableLocation,
    log_store: LogStoreRef,
}

/// The files of a log that stand for versions.
#[derive(Debug, Default)]
pub(crate) struct Log {
    /// Commits, with the time of their file.
    pub(crate) commits: BTreeMap<DeltaVersion, UnixMillis>,
    /// Versions that have a checkpoint, whole or in parts.
    pub(crate) checkpoints: BTreeMap<DeltaVersion, UnixMillis>,
}

/// One commit: its actions, each a JSON object with one key.
pub(crate) struct Commit {
    actions: Vec<(String, Value)>,
}

impl Store {
    /// Opens the store of `location`. Nothing is read yet.
    pub(crate) fn open(location: &TableLocation, options: &StoreOptions) -> Result<Self> {
        if location.local_path().is_none() {
            let log_store = remote::log_store(location, options)?;
            return Ok(Self::new(location.clone(), log_store));
        }
        let raw = options.expose();
        let log_store = StorageConfig::parse_options(raw)
            .and_then(|config| logstore_for(location.url().expose(), config))
            .map_err(|error| {
                Error::new(
                    codes::INVALID_LOCATION,
                    format!("no store can be opened at {location}"),
                )
                .with_source(crate::error::Chain::from(error))
                .with_help("correct the location or the store's options")
            })?;
        Ok(Self::new(location.clone(), log_store))
    }

    pub(crate) fn new(location: TableLocation, log_store: LogStoreRef) -> Self {
        Self {
            location,
            log_store,
        }
    }

    pub(crate) fn location(&self) -> &TableLocation {
        &self.location
    }

    pub(crate) fn log_store(&self) -> &LogStoreRef {
        &self.log_store
    }

    /// The files of the table, with paths from its folder.
    pub(crate) fn files(&self) -> Arc<dyn ObjectStore> {
        self.log_store.object_store(None)
    }

    /// As [`open`](Self::open), for commits: the store must be one in which they are atomic.
    pub(crate) async fn open_to_write(
        location: &TableLocation,
        options: &StoreOptions,
    ) -> Result<Self> {
        let store = Self::open(location, options)?;
        remote::honours_conditional_put(&store).await?;
        Ok(store)
    }

    /// Tells a session of the store; it knows the local one itself.
    pub(crate) fn register(&self, session: &dyn Session) -> EngineResult<()> {
        if self.location.local_path().is_none() {
            let (url, root) = self
                .root()
                .map_err(|error| DataFusionError::External(Box::new(error)))?;
            session
                .runtime_env()
                .register_object_store(url.as_ref(), root);
        }
        Ok(())
    }

    /// Where the engine finds this store, and the store itself from its root.
    pub(crate) fn root(&self) -> Result<(ObjectStoreUrl, Arc<dyn ObjectStore>)> {
        let url = self.location.url().expose();
        let url = &url[..Position::BeforePath];
        let url = ObjectStoreUrl::parse(url)
            .map_err(|error| crate::error::internal("naming a store", error))?;
        Ok((url, self.log_store.root_object_store(None)))
    }

    /// The path of a file of the table from the root of its store.
    ///
    /// # Errors
    ///
    /// [`CA-DELTA-0002`](codes::UNSUPPORTED_STORE) when it lies in another store.
    pub(crate) fn path_from_root(&self, path: &str) -> Result<Path> {
        let url = self.location.url().expose();
        let elsewhere = || {
            Error::new(
                codes::UNSUPPORTED_STORE,
                format!(
                    "a file of the Delta table at {} lies in another store",
                    self.location
                ),
            )
            .with_help("copy the table with its files to one store")
        };
        let damaged = |error| {
            Error::new(
                codes::DAMAGED_TABLE,
                format!(
                    "the log of the Delta table at {} names a file that cannot exist",
                    self.location
                ),
            )
            .with("file", path)
            .with_source(error)
            .with_help("correct the path in `_delta_log`, or write the table again")
        };
        match Url::parse(path) {
            Ok(file) if file.has_authority() => {
                let is_here = file.scheme() == url.scheme() && file.authority() == url.authority();
                if !is_here {
                    return Err(elsewhere());
                }
                Path::from_url_path(file.path()).map_err(damaged)
            }
            _ => {
                let folder = Path::from_url_path(url.path()).map_err(damaged)?;
                Path::parse(format!("{folder}/{path}")).map_err(damaged)
            }
        }
    }

    /// Whether a folder of the table is there; a store without folders has every one.
    ///
    /// The file store takes a path below a file, and one that may not be read, for broken.
    pub(crate) async fn has_folder(&self, name: &str) -> Result<bool> {
        let Some(path) = self.location.local_path() else {
            return Ok(true);
        };
        match tokio::fs::metadata(path.join(name)).await {
            Ok(metadata) => Ok(metadata.is_dir()),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(false)
            }
            Err(error) => Err(unreadable(&path, error)),
        }
    }

    /// What `_delta_log` holds; empty where there is none.
    pub(crate) async fn log(&self) -> Result<Log> {
        let mut log = Log::default();
        if !self.has_folder("_delta_log").await? {
            return Ok(log);
        }
        // The file store gives an empty listing of a folder that may not be read.
        if let Some(path) = self.location.local_path() {
            let path = path.join("_delta_log");
            let _listable = tokio::fs::read_dir(&path)
                .await
                .map_err(|error| unreadable(&path, error))?;
        }
        let folder = Path::from("_delta_log");
        let files = self.files();
        let mut listing = files.list(Some(&folder));
        while let Some(meta) = listing.next().await {
            let meta = match meta {
                Ok(meta) => meta,
                Err(ObjectStoreError::NotFound { .. }) => break,
                Err(error) => return Err(store_error(error, Access::Read, &self.location)),
            };
            // Sidecars and leftovers of other writers lie in folders below.
            if meta.location.parts_count() != 2 {
                continue;
            }
            let Some(name) = meta.location.filename() else {
                continue;
            };
            let time = UnixMillis(meta.last_modified.timestamp_millis());
            match version_of(name) {
                Some((version, "json")) => log.commits.insert(version, time),
                Some((version, rest)) if rest.starts_with("checkpoint.") => {
                    log.checkpoints.insert(version, time)
                }
                _ => None,
            };
        }
        Ok(log)
    }

    /// One commit, or `None` where its file is gone.
    pub(crate) async fn commit(&self, version: DeltaVersion) -> Result<Option<Commit>> {
        let bytes = self.commit_bytes(version).await?;
        bytes
            .map(|bytes| Commit::parse(&bytes, None))
            .transpose()
            .map_err(|error| self.damaged(version, error))
    }

    /// Some commits, in order, read at the same time; `None` where a file is gone.
    pub(crate) async fn commits(
        &self,
        versions: std::ops::RangeInclusive<DeltaVersion>,
    ) -> Result<Vec<(DeltaVersion, Option<Commit>)>> {
        let commits =
            versions.map(|version| async move { Ok((version, self.commit(version).await?)) });
        futures::stream::iter(commits)
            .buffered(CONCURRENT_READS)
            .try_collect()
            .await
    }

    /// The identity of a commit's bytes; `None` where its file is gone.
    pub(crate) async fn commit_fingerprint(
        &self,
        version: DeltaVersion,
    ) -> Result<Option<Fingerprint>> {
        let bytes = self.commit_bytes(version).await?;
        Ok(bytes.map(|bytes| {
            let mut encoder = Encoder::new("delta.commit", 1);
            encoder.bytes(&bytes);
            encoder.finish()
        }))
    }

    /// The time of a commit, by its own word; the rest of it is not looked at.
    pub(crate) async fn commit_time(&self, version: DeltaVersion) -> Result<Option<UnixMillis>> {
        let Some(bytes) = self.commit_bytes(version).await? else {
            return Ok(None);
        };
        let commit = Commit::parse(&bytes, Some(COMMIT_INFO))
            .map_err(|error| self.damaged(version, error))?;
        Ok(commit.time())
    }

    /// The times of commits, by their own word, else by their files'.
    pub(crate) async fn commit_times(
        &self,
        commits: BTreeMap<DeltaVersion, UnixMillis>,
    ) -> Result<BTreeMap<DeltaVersion, UnixMillis>> {
        let times = commits.into_iter().map(|(version, file_time)| async move {
            let time = self.commit_time(version).await?;
            Ok((version, time.unwrap_or(file_time)))
        });
        futures::stream::iter(times)
            .buffered(CONCURRENT_READS)
            .try_collect()
            .await
    }

    async fn commit_bytes(&self, version: DeltaVersion) -> Result<Option<Bytes>> {
        let path = Path::from(format!("_delta_log/{version:020}.json"));
        let bytes = match self.files().get(&path).await {
            Ok(found) => found.bytes().await,
            Err(ObjectStoreError::NotFound { .. }) => return Ok(None),
            Err(error) => Err(error),
        };
        bytes
            .map(Some)
            .map_err(|error| store_error(error, Access::Read, &self.location))
    }

    /// The error of a log that could not be read as one.
    pub(crate) fn log_error(&self, error: deltalake_core::DeltaTableError) -> Error {
        log_error(error, &self.location)
    }

    fn damaged(&self, version: DeltaVersion, error: serde_json::Error) -> Error {
        Error::new(
            codes::DAMAGED_TABLE,
            format!(
                "the commit of version {version} of the Delta table at {} is not valid JSON",
                self.location
            ),
        )
        .with_source(error)
        .with_help("restore the file in `_delta_log`, or write the table again")
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({})", self.location)
    }
}

impl Log {
    /// The newest version of which anything is left.
    pub(crate) fn newest(&self) -> Option<DeltaVersion> {
        let commit = self.commits.last_key_value().map(|(version, _)| *version);
        let checkpoint = self
            .checkpoints
            .last_key_value()
            .map(|(version, _)| *version);
        commit.max(checkpoint)
    }

    /// The oldest version that can be read: there is a checkpoint or version 0, and no gap from
    /// there to the newest version.
    pub(crate) fn oldest_readable(&self) -> Option<DeltaVersion> {
        let newest = self.newest()?;
        let mut first = newest + u64::from(!self.commits.contains_key(&newest));
        while first > 0 && self.commits.contains_key(&(first - 1)) {
            first -= 1;
        }
        if first == 0 {
            return Some(0);
        }
        self.checkpoints
            .range(first - 1..)
            .next()
            .map(|(version, _)| *version)
    }
}

impl Commit {
    /// Reads the actions, up to the first one of kind `until`.
    fn parse(bytes: &Bytes, until: Option<&str>) -> Result<Self, serde_json::Error> {
        let mut actions = Vec::new();
        for object in serde_json::Deserializer::from_slice(bytes)
            .into_iter::<serde_json::Map<String, Value>>()
        {
            let object = object?;
            let is_last = until.is_some_and(|kind| object.contains_key(kind));
            actions.extend(object);
            if is_last {
                break;
            }
        }
        Ok(Self { actions })
    }

    /// All actions, by kind.
    pub(crate) fn actions(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.actions
            .iter()
            .map(|(kind, action)| (kind.as_str(), action))
    }

    /// The first action of a kind.
    pub(crate) fn action(&self, kind: &str) -> Option<&Value> {
        self.actions()
            .find_map(|(found, action)| (found == kind).then_some(action))
    }

    /// The time of the commit, by its own word.
    pub(crate) fn time(&self) -> Option<UnixMillis> {
        let info = self.action(COMMIT_INFO)?;
        ["inCommitTimestamp", "timestamp"]
            .iter()
            .find_map(|key| info.get(key).and_then(Value::as_i64))
            .map(UnixMillis)
    }
}

/// The store of a location that is not on this machine, from its root, and the path of the location in
/// it.
///
/// # Errors
///
/// [`CA-DELTA-0035`](codes::INVALID_OPTION) and [`CA-DELTA-0036`](codes::NO_CREDENTIALS) for options with
/// which there is no store.
pub fn object_store(
    location: &TableLocation,
    options: &StoreOptions,
) -> Result<(Arc<dyn ObjectStore>, Path)> {
    let root = remote::root(location, options)?;
    let path = Path::from_url_path(location.url().expose().path())
        .map_err(|error| crate::error::internal("reading a path of a URL", error))?;
    Ok((root, path))
}

/// The version and what follows it in the name of a log file.
pub(crate) fn version_of(name: &str) -> Option<(DeltaVersion, &str)> {
    let (digits, rest) = name.split_once('.')?;
    if digits.len() != 20 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((digits.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(commits: &[u64], checkpoints: &[u64]) -> Log {
        let times = |versions: &[u64]| versions.iter().map(|v| (*v, UnixMillis(0))).collect();
        Log {
            commits: times(commits),
            checkpoints: times(checkpoints),
        }
    }

    #[test]
    fn the_oldest_readable_version_needs_a_base_and_no_gap() {
        assert_eq!(log(&[0, 1, 2], &[]).oldest_readable(), Some(0));
        assert_eq!(log(&[2, 3], &[2]).oldest_readable(), Some(2));
        assert_eq!(log(&[3, 4], &[2]).oldest_readable(), Some(2));
        assert_eq!(log(&[0, 1, 3, 4], &[3]).oldest_readable(), Some(3));
        assert_eq!(log(&[], &[7]).oldest_readable(), Some(7));
        assert_eq!(log(&[3, 4], &[]).oldest_readable(), None);
        assert_eq!(log(&[], &[]).oldest_readable(), None);
    }

    #[test]
    fn only_log_files_have_a_version() {
        assert_eq!(version_of("00000000000000000007.json"), Some((7, "json")));
        assert!(
            version_of("00000000000000000007.00000000000000000009.compacted.json")
                .is_some_and(|(_, rest)| rest != "json")
        );
        assert_eq!(version_of("_last_checkpoint"), None);
        assert_eq!(version_of("7.json"), None);
    }
}

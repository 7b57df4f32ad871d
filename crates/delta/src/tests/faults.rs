//! Stores that fail, and stores that only say so.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use deltalake_core::logstore::{StorageConfig, default_logstore};
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use tokio_util::sync::CancellationToken;

use super::support::{Output, session};
use crate::store::Store;
use crate::write::overwrite_in;
use crate::{Committed, codes};

/// What happens when a commit is put into the store.
#[derive(Debug, Clone, Copy)]
enum Fault {
    /// It is there, and the store says that it was there before.
    LandsAsExisting,
    /// It is there, and the store says that it failed.
    LandsAsFailed,
    /// It is not there, and the store says so.
    Fails,
    /// It is not there, and from then on the store cannot be read.
    FailsForGood,
}

#[derive(Debug)]
struct FaultyStore {
    inner: LocalFileSystem,
    fault: Fault,
    is_down: Arc<AtomicBool>,
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaultyStore")
    }
}

impl FaultyStore {
    fn failure() -> Error {
        Error::Generic {
            store: "faulty",
            source: "the line is dead".into(),
        }
    }

    fn check(&self) -> Result<()> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(Self::failure());
        }
        Ok(())
    }
}

#[async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        let is_commit = location.as_ref().contains("_delta_log/");
        if !is_commit {
            return self.inner.put_opts(location, payload, options).await;
        }
        match self.fault {
            Fault::LandsAsExisting => {
                self.inner.put_opts(location, payload, options).await?;
                Err(Error::AlreadyExists {
                    path: location.to_string(),
                    source: "a retry of the same request".into(),
                })
            }
            Fault::LandsAsFailed => {
                self.inner.put_opts(location, payload, options).await?;
                Err(Self::failure())
            }
            Fault::Fails => Err(Self::failure()),
            Fault::FailsForGood => {
                self.is_down.store(true, Ordering::SeqCst);
                Err(Self::failure())
            }
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.check()?;
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.check()?;
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.check() {
            Ok(()) => self.inner.list(prefix),
            Err(error) => Box::pin(futures::stream::once(async { Err(error) })),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.check()?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

async fn write_with(
    output: &Output,
    fault: Fault,
    sql: &str,
) -> codeanatomy_vocab::Result<Committed> {
    let folder = output.location.local_path().unwrap();
    std::fs::create_dir_all(&folder).unwrap();
    let is_down = Arc::new(AtomicBool::new(false));
    let faulty = |inner| FaultyStore {
        inner,
        fault,
        is_down: Arc::clone(&is_down),
    };
    let log_store = default_logstore(
        Arc::new(faulty(LocalFileSystem::new_with_prefix(&folder).unwrap())),
        Arc::new(faulty(LocalFileSystem::new())),
        output.location.url().expose(),
        &StorageConfig::default(),
    );
    let store = Store::new(output.location.clone(), log_store);
    let expected = output.state().await.map(|state| state.version);
    let session = session(2);
    let plan = session.sql(sql).await.unwrap();
    let plan = plan.create_physical_plan().await.unwrap();
    overwrite_in(
        &store,
        output.spec(plan.schema(), expected),
        plan,
        session.task_ctx(),
        Arc::new(|_, _| {}),
        None,
        CancellationToken::new(),
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_was_lost_is_a_success_and_there_once() {
    for fault in [Fault::LandsAsExisting, Fault::LandsAsFailed] {
        let output = Output::new();
        for (version, value) in [(0, 1), (1, 2)] {
            let sql = format!("select {value} as a");
            let committed = write_with(&output, fault, &sql).await.unwrap();
            assert_eq!(committed.version, version, "{fault:?}");
            assert_eq!(output.rows().await, [value.to_string()]);
        }
        let state = output.state().await.unwrap();
        assert_eq!(
            (state.version, state.txn_version),
            (1, Some(2)),
            "{fault:?}"
        );
        assert!(state.stamp.is_some());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_failed_leaves_the_old_rows_and_is_retried_by_the_next_build() {
    let output = Output::new();
    let error = write_with(&output, Fault::Fails, "select 1 as a")
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::UNWRITABLE);
    output.write("select 1 as a").await.unwrap();
    let error = write_with(&output, Fault::Fails, "select 2 as a")
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::UNWRITABLE);
    assert_eq!(output.rows().await, ["1"]);
    output.write("select 3 as a").await.unwrap();
    assert_eq!(output.rows().await, ["3"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_which_nothing_is_known_says_so() {
    let output = Output::new();
    output.write("select 0 as a").await.unwrap();
    let error = write_with(&output, Fault::FailsForGood, "select 1 as a")
        .await
        .unwrap_err();
    assert_eq!(error.code(), codes::COMMIT_UNKNOWN);
    assert!(error.is_retryable());
    // The files stay, because the commit may be there.
    let data = |file: &&String| file.ends_with(".parquet");
    assert_eq!(output.files().iter().filter(data).count(), 2);
}

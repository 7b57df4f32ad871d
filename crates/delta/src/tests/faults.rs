//! Stores that fail, and stores that only say so.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use deltalake_core::logstore::{StorageConfig, default_logstore};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::support::{Output, session};
use crate::store::Store;
use crate::write::write_in;
use crate::{Committed, WriteMode, codes};

/// What goes wrong in a store.
#[derive(Debug, Clone)]
enum Fault {
    /// A commit is there, and the store says that it was there before.
    LandsAsExisting,
    /// A commit is there, and the store says that it failed.
    LandsAsFailed,
    /// A commit is not there, and the store says so.
    Fails,
    /// A commit is not there, and from then on the store cannot be read.
    FailsForGood,
    /// Somebody else makes the first commit of this version, which changes no row.
    Overtaken,
    /// Call number `n` of all fails, or is never answered.
    Call {
        n: usize,
        lands: bool,
        hangs: bool,
        reached: Arc<Notify>,
    },
}

#[derive(Debug, Clone)]
struct FaultyStore {
    inner: Arc<LocalFileSystem>,
    fault: Fault,
    is_down: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
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

    /// Makes a call, which goes wrong if it is its turn.
    async fn call<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.check()?;
        let Fault::Call {
            n,
            lands,
            hangs,
            reached,
        } = &self.fault
        else {
            return work.await;
        };
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        if *n != number {
            return work.await;
        }
        if *lands {
            work.await?;
        }
        if *hangs {
            reached.notify_one();
            std::future::pending::<()>().await;
        }
        Err(Self::failure())
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
        let exists = || Error::AlreadyExists {
            path: location.to_string(),
            source: "a retry of the same request".into(),
        };
        match &self.fault {
            Fault::LandsAsExisting if is_commit => {
                self.inner.put_opts(location, payload, options).await?;
                Err(exists())
            }
            Fault::LandsAsFailed if is_commit => {
                self.inner.put_opts(location, payload, options).await?;
                Err(Self::failure())
            }
            Fault::Fails if is_commit => Err(Self::failure()),
            Fault::FailsForGood if is_commit => {
                self.is_down.store(true, Ordering::SeqCst);
                Err(Self::failure())
            }
            Fault::Overtaken if is_commit && self.calls.swap(1, Ordering::SeqCst) == 0 => {
                let other = PutPayload::from_static(b"{\"commitInfo\":{\"operation\":\"X\"}}");
                self.inner.put_opts(location, other, options).await?;
                Err(exists())
            }
            _ => {
                self.call(self.inner.put_opts(location, payload, options))
                    .await
            }
        }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.call(self.inner.put_multipart_opts(location, options))
            .await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.call(self.inner.get_opts(location, options)).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.call(self.inner.get_ranges(location, ranges)).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (store, prefix) = (self.clone(), prefix.cloned());
        let listed = async move {
            let inner = Arc::clone(&store.inner);
            store
                .call(async move { Ok(inner.list(prefix.as_ref())) })
                .await
        };
        futures::stream::once(listed).try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.call(self.inner.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.call(self.inner.copy_opts(from, to, options)).await
    }
}

/// Writes through a store with a fault, and says how many calls there were.
async fn write_counted(
    output: &Output,
    fault: Fault,
    mode: WriteMode,
    sql: &str,
) -> (codeanatomy_vocab::Result<Committed>, usize) {
    let folder = output.location.local_path().unwrap();
    std::fs::create_dir_all(&folder).unwrap();
    let is_down = Arc::new(AtomicBool::new(false));
    let calls = Arc::new(AtomicUsize::new(0));
    let faulty = |inner| FaultyStore {
        inner: Arc::new(inner),
        fault: fault.clone(),
        is_down: Arc::clone(&is_down),
        calls: Arc::clone(&calls),
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
    let result = write_in(
        &store,
        output.spec(plan.schema(), expected),
        mode,
        plan,
        session.task_ctx(),
        Arc::new(|_, _| {}),
        None,
        CancellationToken::new(),
    )
    .await;
    (result, calls.load(Ordering::SeqCst))
}

async fn write_with(
    output: &Output,
    fault: Fault,
    sql: &str,
) -> codeanatomy_vocab::Result<Committed> {
    write_counted(output, fault, WriteMode::Overwrite, sql)
        .await
        .0
}

/// Every call to the store fails once, before or after it did its work, or is never answered and
/// the writer dies: the table has the old rows or the new ones, and the next build completes.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_breaks_anywhere_leaves_the_old_or_the_new_rows() {
    const OLD: &str = "select * from (values ('a', 1), ('b', 2)) as v(p, n)";
    const NEW: &str = "select * from (values ('a', 3), ('c', 4)) as v(p, n)";
    let modes = [
        (WriteMode::Overwrite, vec!["a|3", "c|4"]),
        (WriteMode::Append, vec!["a|1", "a|3", "b|2", "c|4"]),
        (WriteMode::OverwritePartitions, vec!["a|3", "b|2", "c|4"]),
    ];
    let mut broken = 0;
    for (mode, new) in modes {
        let ways = [(false, false), (true, true), (true, false), (false, true)];
        let n_ways = if mode == WriteMode::Overwrite { 4 } else { 2 };
        for (lands, hangs) in ways.into_iter().take(n_ways) {
            for n in 1.. {
                let output = Output::partitioned_by(&["p"]);
                output.write(OLD).await.unwrap();
                let reached = Arc::new(Notify::new());
                let fault = Fault::Call {
                    n,
                    lands,
                    hangs,
                    reached: Arc::clone(&reached),
                };
                let place = format!("{mode:?}, call {n}, lands {lands}, hangs {hangs}");
                let result = tokio::select! {
                    (result, calls) = write_counted(&output, fault, mode, NEW) => {
                        if calls < n {
                            result.unwrap();
                            break;
                        }
                        Some(result)
                    }
                    () = reached.notified() => None,
                };
                broken += 1;
                let rows = output.rows().await;
                let is_old = rows == ["a|1", "b|2"];
                assert!(is_old || rows == new, "{place}: {rows:?}");
                match result {
                    Some(Ok(_)) => assert!(!is_old, "{place}: lost"),
                    Some(Err(error)) if error.code() != codes::COMMIT_UNKNOWN => {
                        assert!(is_old, "{place}: {error:?} of rows that are there");
                    }
                    Some(Err(_)) | None => {}
                }
                output.write(NEW).await.unwrap();
                assert_eq!(output.rows().await, ["a|3", "c|4"], "{place}");
            }
        }
    }
    assert!(broken > 100, "only {broken} calls broke");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_overtaken_is_tried_again_where_it_may_be() {
    let sql = "select 2 as a";
    let output = Output::new();
    output.write("select 1 as a").await.unwrap();
    let (result, _) = write_counted(&output, Fault::Overtaken, WriteMode::Append, sql).await;
    assert_eq!(result.unwrap().version, 2);
    assert_eq!(output.rows().await, ["1", "2"]);
    assert!(output.state().await.unwrap().stamp.is_some());
    let (result, _) = write_counted(&output, Fault::Overtaken, WriteMode::Overwrite, sql).await;
    assert_eq!(result.unwrap_err().code(), codes::CONFLICT);
    assert_eq!(output.rows().await, ["1", "2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_whose_answer_was_lost_is_a_success_and_there_once() {
    for fault in [Fault::LandsAsExisting, Fault::LandsAsFailed] {
        let output = Output::new();
        for (version, value) in [(0, 1), (1, 2)] {
            let sql = format!("select {value} as a");
            let committed = write_with(&output, fault.clone(), &sql).await.unwrap();
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

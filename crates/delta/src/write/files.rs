//! Data files: the partitions of a plan, encoded and stored at the same time.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::row::OwnedRow;
use arrow_schema::SchemaRef;
use bytes::Bytes;
use codeanatomy_vocab::{Clock, Error, Result, RunId};
use datafusion_common::DataFusionError;
use datafusion_execution::SendableRecordBatchStream;
use datafusion_execution::TaskContext;
use datafusion_execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion_physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use deltalake_core::{ObjectStore, ObjectStoreError, Path};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::SelectAll;
use object_store::ObjectStoreExt;
use object_store::buffered::BufWriter;
use parquet::arrow::AsyncArrowWriter;
use parquet::arrow::async_writer::AsyncFileWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::partition::{PartitionValues, Splitter, file_schema, folder};
use super::rules::Rules;
use super::{OutputLayout, RowHook, WriteProgress, stats};
use crate::codes;
use crate::error::{Access, internal, query_error, store_error};
use crate::schema::conform;
use crate::store::Store;

/// What the names of all data files start with.
const PREFIX: &str = "codeanatomy-";

/// A file is closed when it reaches this size, and the next one begun.
const TARGET_FILE_BYTES: usize = 256 << 20;

/// Rows of a row group, the engine's own choice.
const MAX_ROW_GROUP_ROWS: usize = 1 << 20;

/// Bytes of a row group in memory.
const MAX_ROW_GROUP_BYTES: usize = 128 << 20;

/// Files that a task keeps open at a time; beyond it, the largest is closed.
const MAX_OPEN_FILES: usize = 256;

/// Bytes that are handed to the store at a time.
const UPLOAD_BYTES: usize = 10 << 20;

/// All that the tasks of one write share.
pub(super) struct Job {
    pub(super) store: Store,
    /// The columns of the table.
    pub(super) schema: SchemaRef,
    /// What is kept beside the columns in the schema of each file.
    pub(super) metadata: HashMap<String, String>,
    /// What every row has to keep.
    pub(super) rules: Rules,
    pub(super) partition_by: Vec<String>,
    pub(super) layout: OutputLayout,
    pub(super) progress: WriteProgress,
    pub(super) hook: Option<Arc<dyn RowHook>>,
    pub(super) clock: Arc<dyn Clock>,
    /// Whether the table's folder is new, and goes when the write fails.
    pub(super) is_new: bool,
}

/// A data file that is ready to be committed.
#[derive(Debug)]
pub(super) struct WrittenFile {
    /// From the table's folder.
    pub(super) path: String,
    pub(super) size_bytes: u64,
    pub(super) n_rows: u64,
    pub(super) partition_values: PartitionValues,
    /// As the log holds them.
    pub(super) stats: String,
}

/// Whether a file has a name as this writer gives them.
pub(super) fn is_ours(path: &Path) -> bool {
    path.filename()
        .is_some_and(|name| name.starts_with(PREFIX) && name.ends_with(".parquet"))
}

impl Job {
    /// Runs the plan, writes its rows and asks the hook for their hash. On any error all files are
    /// gone again.
    pub(super) async fn write(
        self,
        plan: Arc<dyn ExecutionPlan>,
        task: Arc<TaskContext>,
        cancel: CancellationToken,
    ) -> Result<(Vec<WrittenFile>, Option<String>)> {
        let n_columns = plan.schema().fields().len();
        if n_columns != self.schema.fields().len() {
            return Err(internal(
                "matching a plan with its table",
                format!("{n_columns} columns for {}", self.schema.fields().len()),
            ));
        }
        let shared = Arc::new(Shared {
            file_schema: Arc::new(
                file_schema(&self.schema, &self.partition_by)
                    .as_ref()
                    .clone()
                    .with_metadata(self.metadata.clone()),
            ),
            properties: writer_properties(),
            target_file_bytes: self
                .layout
                .target_file_bytes
                .map_or(TARGET_FILE_BYTES, |bytes| {
                    usize::try_from(bytes.get()).unwrap_or(usize::MAX)
                }),
            nonce: RunId::generate(self.clock.now()),
            begun: Mutex::default(),
            rows: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            job: self,
        });
        let result = run(&shared, plan, task, cancel).await.and_then(|written| {
            let hook = shared.job.hook.as_ref();
            let result_hash = hook.map(|hook| hook.before_commit()).transpose()?;
            Ok((written, result_hash.flatten()))
        });
        if result.is_err() {
            shared.clean_up().await;
        }
        result
    }
}

struct Shared {
    job: Job,
    file_schema: SchemaRef,
    properties: WriterProperties,
    target_file_bytes: usize,
    /// Makes file names unlike those of any other write.
    nonce: RunId,
    /// Every file that was begun.
    begun: Mutex<Vec<Path>>,
    rows: AtomicU64,
    bytes: AtomicU64,
}

async fn run(
    shared: &Arc<Shared>,
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
    cancel: CancellationToken,
) -> Result<Vec<WrittenFile>> {
    let n_partitions = plan.output_partitioning().partition_count();
    let n_tasks = n_partitions
        .min(task.session_config().target_partitions())
        .max(1);
    // Every partition of a plan has to be polled, or others may wait for it for ever; a task that
    // has several takes from each as it comes.
    let mut inputs: Vec<SelectAll<SendableRecordBatchStream>> = Vec::new();
    inputs.resize_with(n_tasks, SelectAll::new);
    for partition in 0..n_partitions {
        let stream = plan
            .execute(partition, Arc::clone(&task))
            .map_err(query_error)?;
        inputs[partition % n_tasks].push(stream);
    }
    let stop = cancel.child_token();
    let mut tasks = JoinSet::new();
    for (index, input) in inputs.into_iter().enumerate() {
        let reservation =
            MemoryConsumer::new(format!("DeltaWriter[{index}]")).register(task.memory_pool());
        let writer = TaskWriter {
            shared: Arc::clone(shared),
            index,
            n_files: 0,
            open: HashMap::new(),
            reservation,
            done: Vec::new(),
        };
        tasks.spawn(writer.run(input, stop.clone()));
    }
    let mut files = Vec::new();
    let mut failure: Option<Error> = None;
    while let Some(joined) = tasks.join_next().await {
        let result = joined
            .map_err(|error| internal("writing rows", error))
            .and_then(std::convert::identity);
        match result {
            Ok(written) => files.extend(written),
            Err(error) => {
                // The first error is the cause; the others stop because of it.
                stop.cancel();
                failure.get_or_insert(error);
            }
        }
    }
    if cancel.is_cancelled() {
        return Err(interrupted());
    }
    match failure {
        Some(error) => Err(error),
        None => {
            files.sort_by(|a, b| a.path.cmp(&b.path));
            Ok(files)
        }
    }
}

/// Writes what some partitions of the plan give.
struct TaskWriter {
    shared: Arc<Shared>,
    index: usize,
    n_files: usize,
    /// Files that are being written, by partition.
    open: HashMap<Option<OwnedRow>, OpenFile>,
    reservation: MemoryReservation,
    done: Vec<WrittenFile>,
}

struct OpenFile {
    path: Path,
    partition_values: PartitionValues,
    writer: AsyncArrowWriter<StoreWriter>,
    /// Bytes that were counted as progress.
    counted: usize,
}

impl TaskWriter {
    async fn run(
        mut self,
        mut input: SelectAll<SendableRecordBatchStream>,
        stop: CancellationToken,
    ) -> Result<Vec<WrittenFile>> {
        let result = self.drain(&mut input, &stop).await;
        drop(input);
        if result.is_err() {
            for (_, file) in self.open.drain() {
                file.abandon().await;
            }
        }
        result.map(|()| self.done)
    }

    async fn drain(
        &mut self,
        input: &mut SelectAll<SendableRecordBatchStream>,
        stop: &CancellationToken,
    ) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let splitter = if shared.job.partition_by.is_empty() {
            None
        } else {
            Some(Splitter::new(&shared.job.schema, &shared.job.partition_by)?)
        };
        loop {
            let batch = tokio::select! {
                biased;
                () = stop.cancelled() => return Err(interrupted()),
                batch = input.next() => batch,
            };
            let Some(batch) = batch else {
                break;
            };
            let batch = batch.map_err(query_error)?;
            if batch.num_rows() == 0 {
                continue;
            }
            let batch = conform(&batch, &shared.job.schema)?;
            shared.job.rules.check(&batch)?;
            if let Some(hook) = &shared.job.hook {
                hook.rows(&batch)?;
            }
            match &splitter {
                None => self.write(None, PartitionValues::new, &batch).await?,
                Some(splitter) => {
                    for part in splitter.split(&batch)? {
                        let values = if self.open.contains_key(&Some(part.key.clone())) {
                            PartitionValues::new()
                        } else {
                            splitter.values(&batch, part.example)?
                        };
                        self.write(Some(part.key), || values, &part.rows).await?;
                    }
                }
            }
            self.reserve().await?;
            let n_rows = batch.num_rows() as u64;
            let rows = shared.rows.fetch_add(n_rows, Ordering::Relaxed) + n_rows;
            (shared.job.progress)(rows, shared.bytes.load(Ordering::Relaxed));
        }
        let mut open: Vec<OpenFile> = self.open.drain().map(|(_, file)| file).collect();
        open.sort_by(|a, b| a.path.cmp(&b.path));
        let mut open = open.into_iter();
        while let Some(file) = open.next() {
            let closed = if stop.is_cancelled() {
                file.abandon().await;
                Err(interrupted())
            } else {
                self.close(file).await
            };
            if let Err(error) = closed {
                for file in open {
                    file.abandon().await;
                }
                return Err(error);
            }
        }
        Ok(())
    }

    async fn write(
        &mut self,
        key: Option<OwnedRow>,
        values: impl FnOnce() -> PartitionValues,
        rows: &RecordBatch,
    ) -> Result<()> {
        if !self.open.contains_key(&key) {
            if self.open.len() >= MAX_OPEN_FILES {
                self.close_largest().await?;
            }
            let file = self.begin(values())?;
            self.open.insert(key.clone(), file);
        }
        let Some(file) = self.open.get_mut(&key) else {
            return Ok(());
        };
        file.writer
            .write(rows)
            .await
            .map_err(|error| self.shared.encode_error(error))?;
        let written = file.writer.bytes_written() + file.writer.in_progress_size();
        let new = written.saturating_sub(file.counted);
        file.counted = file.counted.max(written);
        self.shared.bytes.fetch_add(new as u64, Ordering::Relaxed);
        if written >= self.shared.target_file_bytes
            && let Some(file) = self.open.remove(&key)
        {
            self.close(file).await?;
        }
        Ok(())
    }

    /// Accounts for the memory of all open files; where there is not enough, the largest row
    /// group is written out first.
    async fn reserve(&mut self) -> Result<()> {
        loop {
            let needed = self
                .open
                .values()
                .map(|file| file.writer.memory_size())
                .sum();
            let Err(error) = self.reservation.try_resize(needed) else {
                return Ok(());
            };
            let largest = self
                .open
                .values_mut()
                .filter(|file| file.writer.in_progress_rows() > 0)
                .max_by_key(|file| file.writer.memory_size());
            let Some(largest) = largest else {
                return Err(query_error(error));
            };
            largest
                .writer
                .flush()
                .await
                .map_err(|error| self.shared.encode_error(error))?;
        }
    }

    async fn close_largest(&mut self) -> Result<()> {
        let largest = self
            .open
            .iter()
            .max_by_key(|(_, file)| file.writer.bytes_written() + file.writer.in_progress_size())
            .map(|(key, _)| key.clone());
        match largest.and_then(|key| self.open.remove(&key)) {
            Some(file) => self.close(file).await,
            None => Ok(()),
        }
    }

    fn begin(&mut self, partition_values: PartitionValues) -> Result<OpenFile> {
        let shared = &self.shared;
        let name = format!(
            "{}{PREFIX}{}-{:05}-{:05}.zstd.parquet",
            folder(&shared.job.partition_by, &partition_values),
            shared.nonce,
            self.index,
            self.n_files
        );
        self.n_files += 1;
        let path = Path::parse(&name).map_err(|error| internal("naming a data file", error))?;
        shared
            .begun
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(path.clone());
        let upload = BufWriter::with_capacity(shared.job.store.files(), path.clone(), UPLOAD_BYTES);
        let writer = AsyncArrowWriter::try_new(
            StoreWriter(upload),
            Arc::clone(&shared.file_schema),
            Some(shared.properties.clone()),
        )
        .map_err(|error| shared.encode_error(error))?;
        Ok(OpenFile {
            path,
            partition_values,
            writer,
            counted: 0,
        })
    }

    async fn close(&mut self, mut file: OpenFile) -> Result<()> {
        let metadata = match file.writer.finish().await {
            Ok(metadata) => metadata,
            Err(error) => return Err(self.shared.encode_error(error)),
        };
        let size_bytes = file.writer.bytes_written();
        let new = size_bytes.saturating_sub(file.counted);
        self.shared.bytes.fetch_add(new as u64, Ordering::Relaxed);
        self.done.push(WrittenFile {
            path: file.path.to_string(),
            size_bytes: size_bytes as u64,
            n_rows: u64::try_from(metadata.file_metadata().num_rows()).unwrap_or(0),
            stats: stats::file_stats(
                &metadata,
                &self.shared.file_schema,
                self.shared.job.layout.statistics_columns.as_deref(),
            ),
            partition_values: file.partition_values,
        });
        Ok(())
    }
}

impl OpenFile {
    /// Gives up an upload, so that the store keeps nothing of it.
    async fn abandon(self) {
        if let Err(error) = self.writer.into_inner().0.abort().await {
            tracing::debug!(%error, path = %self.path, "an upload could not be aborted");
        }
    }
}

impl Shared {
    /// Deletes every file that was begun, and folders that are empty then.
    async fn clean_up(&self) {
        let paths = std::mem::take(&mut *self.begun.lock().unwrap_or_else(PoisonError::into_inner));
        let store: Arc<dyn ObjectStore> = self.job.store.files();
        for path in &paths {
            match store.delete(path).await {
                Ok(()) | Err(ObjectStoreError::NotFound { .. }) => {}
                Err(error) => tracing::warn!(%error, %path, "a data file could not be deleted"),
            }
        }
        let Some(root) = self.job.store.location().local_path() else {
            return;
        };
        for path in &paths {
            let mut folder = root.join(path.as_ref());
            while folder.pop() && folder.starts_with(&root) && (folder != root || self.job.is_new) {
                // Fails where the folder is not empty, which is as it should be.
                if tokio::fs::remove_dir(&folder).await.is_err() {
                    break;
                }
            }
        }
    }

    fn encode_error(&self, error: ParquetError) -> Error {
        match error {
            ParquetError::External(source) => match source.downcast::<ObjectStoreError>() {
                Ok(error) => store_error(*error, Access::Write, self.job.store.location()),
                Err(source) => internal("encoding rows", source),
            },
            error => query_error(DataFusionError::ParquetError(Box::new(error))),
        }
    }
}

/// Hands encoded bytes to the store without a copy.
struct StoreWriter(BufWriter);

impl AsyncFileWriter for StoreWriter {
    fn write(&mut self, bytes: Bytes) -> BoxFuture<'_, parquet::errors::Result<()>> {
        Box::pin(async move {
            self.0
                .put(bytes)
                .await
                .map_err(|error| ParquetError::External(Box::new(error)))
        })
    }

    fn complete(&mut self) -> BoxFuture<'_, parquet::errors::Result<()>> {
        Box::pin(async move {
            self.0
                .shutdown()
                .await
                .map_err(|error| ParquetError::External(store_cause(error)))
        })
    }
}

/// The store's own error out of the one that its writer wraps around it.
fn store_cause(error: std::io::Error) -> Box<dyn std::error::Error + Send + Sync> {
    match error.downcast::<ObjectStoreError>() {
        Ok(error) => Box::new(error),
        Err(error) => Box::new(ObjectStoreError::Generic {
            store: "writer",
            source: error.into(),
        }),
    }
}

fn writer_properties() -> WriterProperties {
    // Half the time of the engine's default level for a few percent more bytes.
    let compression = Compression::ZSTD(ZstdLevel::default());
    WriterProperties::builder()
        .set_compression(compression)
        .set_max_row_group_row_count(Some(MAX_ROW_GROUP_ROWS))
        .set_max_row_group_bytes(Some(MAX_ROW_GROUP_BYTES))
        .set_created_by(concat!("codeanatomy ", env!("CARGO_PKG_VERSION")).to_owned())
        .build()
}

fn interrupted() -> Error {
    Error::new(
        codes::INTERRUPTED,
        "the write was interrupted; nothing was committed",
    )
    .with_help("build again: it starts where this one stopped")
}

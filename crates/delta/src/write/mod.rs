//! Putting the rows of a plan into a table, in one commit.

mod commit;
mod files;
mod layout;
mod partition;
mod rebase;
mod rules;
mod stats;
mod target;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow_schema::{FieldRef, Schema, SchemaRef};
use codeanatomy_vocab::{Clock, DeltaVersion, Error, Fingerprint, Result, RunId, ViewName};
use datafusion_execution::TaskContext;
use datafusion_physical_plan::ExecutionPlan;
use deltalake_core::kernel::Add;
use tokio_util::sync::CancellationToken;

pub use self::layout::OutputLayout;

use self::files::WrittenFile;
use self::target::Target;
use crate::output::{OutputStamp, Provenance};
use crate::schema::delta_schema;
use crate::store::Store;
use crate::{StoreOptions, TableLocation, codes};

/// What is written, where, and in whose name.
#[derive(Debug, Clone)]
pub struct OverwriteSpec {
    /// The folder of the table; it is created when it is missing.
    pub location: TableLocation,
    /// How its store is reached.
    pub options: StoreOptions,
    /// The view whose rows these are.
    pub view: ViewName,
    /// The columns of the plan's rows, in order. The table gets [`delta_schema`] of it, and the
    /// schema in each file its metadata.
    pub schema: SchemaRef,
    /// The columns by whose values the files are laid out; the names of columns of `schema`.
    pub partition_by: Vec<String>,
    /// How the table is laid out besides.
    pub layout: OutputLayout,
    /// The table's version when it was decided to build; `None` when there was no table.
    pub expected: Option<DeltaVersion>,
    /// The run that writes.
    pub run_id: RunId,
    /// The identity of the rows, as far as it is known before the query runs.
    pub result_key: Fingerprint,
    /// The identity of the plan.
    pub plan_fingerprint: Fingerprint,
    /// What the rows are made from.
    pub provenance: Provenance,
    /// Tells when the commit is made.
    pub clock: Arc<dyn Clock>,
}

/// What becomes of the rows that a table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WriteMode {
    /// All of them go.
    #[default]
    Overwrite,
    /// They stay, and the new ones come to them.
    Append,
    /// Those in partitions of which there are new rows go; the others stay.
    OverwritePartitions,
}

/// Told after each batch: rows written so far, and bytes of encoded data so far.
pub type WriteProgress = Arc<dyn Fn(u64, u64) + Send + Sync>;

/// Sees every row that is written, for example to hash them.
pub trait RowHook: Send + Sync {
    /// Sees the rows of one batch, with the table's columns. Batches come from several threads at
    /// a time and in no order.
    ///
    /// # Errors
    ///
    /// An error ends the write; nothing is committed.
    fn rows(&self, batch: &RecordBatch) -> Result<()>;

    /// After all rows and before the commit: the hash of the rows that goes into the stamp.
    ///
    /// # Errors
    ///
    /// An error ends the write; nothing is committed.
    fn before_commit(&self) -> Result<Option<String>>;
}

/// What a commit made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// The version that holds the rows.
    pub version: DeltaVersion,
    /// How many rows there are.
    pub rows: u64,
    /// How many data files hold them.
    pub files: usize,
    /// The size of these files.
    pub size_bytes: u64,
    /// The hash of the rows, where the hook made one.
    pub result_hash: Option<String>,
}

/// Runs a plan and puts its rows in place of the rows of a table, in one commit.
///
/// All partitions of the plan run at the same time. The commit holds the new files, the removal of
/// the old ones, the stamp ([`OutputStamp`]) and an application transaction; until it is there,
/// readers see the old rows. A plan without rows makes a table without files.
///
/// When the plan fails or `cancel` fires, the files written so far are deleted and nothing is
/// committed. Once the commit is being made, `cancel` is too late. After a failed commit the log is
/// read again: a commit that is there is a success, whatever the store answered. Files are never
/// deleted after a commit was tried.
///
/// # Errors
///
/// - [`CA-DELTA-0010`](crate::codes::UNSUPPORTED_TYPE),
///   [`-0011`](crate::codes::INVALID_COLUMN_NAME), [`-0012`](crate::codes::INVALID_PARTITION):
///   the columns cannot be those of a Delta table.
/// - [`CA-DELTA-0008`](crate::codes::FOREIGN_OUTPUT): there is something at the location that no
///   view wrote. It stays as it is.
/// - [`CA-DELTA-0009`](crate::codes::CONFLICT): the table is no longer at the expected version.
/// - [`CA-DELTA-0013`](crate::codes::UNWRITABLE): the location cannot be written.
/// - [`CA-DELTA-0014`](crate::codes::QUERY_FAILED),
///   [`-0015`](crate::codes::RESOURCES_EXHAUSTED): the plan failed. An error of this project that
///   comes out of the plan comes out as it is.
/// - [`CA-DELTA-0016`](crate::codes::INTERRUPTED): `cancel` fired.
/// - [`CA-DELTA-0017`](crate::codes::COMMIT_UNKNOWN): the store failed in the middle of the commit.
/// - [`CA-DELTA-0018`](crate::codes::UNREPRESENTABLE_VALUE): a value does not fit its column.
/// - [`CA-DELTA-0034`](crate::codes::INVALID_LAYOUT): the layout names a column that is not there, or a
///   property that cannot be kept.
/// - [`CA-DELTA-0019`](crate::codes::UNSUPPORTED_OUTPUT): the table was given features or rules
///   that the writer cannot keep.
/// - [`CA-DELTA-0038`](crate::codes::CONSTRAINT_BROKEN): a row breaks a CHECK constraint that the table
///   was given. Constraints stay with the table.
pub async fn overwrite(
    spec: OverwriteSpec,
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
    progress: WriteProgress,
    hook: Option<Arc<dyn RowHook>>,
    cancel: CancellationToken,
) -> Result<Committed> {
    write(
        spec,
        WriteMode::Overwrite,
        plan,
        task,
        progress,
        hook,
        cancel,
    )
    .await
}

/// As [`overwrite`], with a choice of what becomes of the rows that the table has.
///
/// Rows that come to others need the columns that the table has; there may be further ones that may
/// be null. When somebody else commits first, the cause decides. A compaction or rows of somebody
/// else elsewhere in the table are no obstacle: the commit is tried again on top of them, after a
/// pause that grows. New metadata, another protocol, a build of the same view, or rows in a
/// partition that is to be replaced are a conflict at once. An overwrite never is tried again.
///
/// A stamp of such a commit counts only if nobody else changed rows between the version that
/// the spec expected and the one that was made; see [`output_state`](crate::output_state).
///
/// # Errors
///
/// As [`overwrite`]; [`CA-DELTA-0032`](crate::codes::COLUMNS_DIFFER) when the rows cannot come to
/// those of the table; [`CA-DELTA-0012`](crate::codes::INVALID_PARTITION) when partitions are to
/// be replaced and there are no partition columns.
pub async fn write(
    spec: OverwriteSpec,
    mode: WriteMode,
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
    progress: WriteProgress,
    hook: Option<Arc<dyn RowHook>>,
    cancel: CancellationToken,
) -> Result<Committed> {
    let store = Store::open_to_write(&spec.location, &spec.options).await?;
    let view = spec.view.clone();
    let written = spec.clone();
    let committed = write_in(&store, spec, mode, plan, task, progress, hook, cancel)
        .await
        .map_err(|error| error.with("view", view))?;
    layout::arrange(&written).await;
    Ok(committed)
}

#[expect(
    clippy::too_many_arguments,
    reason = "the arguments of `write` and its store"
)]
pub(crate) async fn write_in(
    store: &Store,
    spec: OverwriteSpec,
    mode: WriteMode,
    plan: Arc<dyn ExecutionPlan>,
    task: Arc<TaskContext>,
    progress: WriteProgress,
    hook: Option<Arc<dyn RowHook>>,
    cancel: CancellationToken,
) -> Result<Committed> {
    let schema = delta_schema(&spec.schema).map_err(first)?;
    partition::check(&schema, &spec.partition_by)?;
    spec.layout.check(&schema, &spec.partition_by)?;
    if mode == WriteMode::OverwritePartitions && spec.partition_by.is_empty() {
        return Err(Error::new(
            codes::INVALID_PARTITION,
            "partitions are to be replaced, and there are no partition columns",
        )
        .with_help("name columns in `partition_by`, or replace all rows"));
    }
    let target = Target::examine(store, &spec, mode).await?;
    let columns = target.columns(store, &spec, mode, &schema)?;
    let schema = in_order_of(&schema, &columns);
    let rules = target.rules(store, &schema)?;
    let job = files::Job {
        store: store.clone(),
        schema: Arc::clone(&schema),
        metadata: spec.schema.metadata().clone(),
        rules,
        partition_by: spec.partition_by.clone(),
        layout: spec.layout.clone(),
        progress,
        hook,
        clock: Arc::clone(&spec.clock),
        is_new: target.is_new(),
    };
    let (written, result_hash) = job.write(plan, task, cancel).await?;

    let rows = written.iter().map(|file| file.n_rows).sum();
    let stamp = OutputStamp {
        format_version: OutputStamp::FORMAT_VERSION,
        view: spec.view.clone(),
        run_id: spec.run_id.clone(),
        result_key: spec.result_key,
        plan_fingerprint: spec.plan_fingerprint,
        rows,
        result_hash,
        layout: spec.layout.fingerprint(),
        based_on: match mode {
            WriteMode::Overwrite => None,
            WriteMode::Append | WriteMode::OverwritePartitions => spec.expected,
        },
        provenance: spec.provenance.clone(),
    };
    let size_bytes = written.iter().map(|file| file.size_bytes).sum();
    let n_files = written.len();
    let adds = written
        .into_iter()
        .map(|file| add(file, spec.clock.now().0))
        .collect();
    let version = commit::commit(store, &spec, mode, &columns, target, adds, &stamp).await?;
    tracing::debug!(view = %spec.view, version, rows, files = n_files, "wrote an output");
    Ok(Committed {
        version,
        rows,
        files: n_files,
        size_bytes,
        result_hash: stamp.result_hash,
    })
}

/// The columns of a table in the order in which the rows have them.
fn in_order_of(rows: &SchemaRef, columns: &SchemaRef) -> SchemaRef {
    let fields: Vec<FieldRef> = rows
        .fields()
        .iter()
        .map(|field| {
            let found = columns.fields().iter().find(|c| c.name() == field.name());
            FieldRef::clone(found.unwrap_or(field))
        })
        .collect();
    Arc::new(Schema::new(fields))
}

fn first(errors: codeanatomy_vocab::Errors) -> Error {
    let mut errors = errors.into_iter();
    match errors.next() {
        Some(error) => error,
        // There is never none.
        None => Error::new(codes::INTERNAL, "an empty list of errors"),
    }
}

fn add(file: WrittenFile, now_ms: i64) -> Add {
    let partition_values: BTreeMap<String, Option<String>> = file.partition_values;
    Add {
        path: file.path,
        partition_values: partition_values.into_iter().collect(),
        size: i64::try_from(file.size_bytes).unwrap_or(i64::MAX),
        modification_time: now_ms,
        data_change: true,
        stats: Some(file.stats),
        ..Add::default()
    }
}

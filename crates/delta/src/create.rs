//! A new table from streams of rows, for data that no view makes.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::row::{RowConverter, SortField};
use arrow_schema::{ArrowError, SchemaRef};
use codeanatomy_vocab::{Error, Result};
use deltalake_core::DeltaTableError;
use deltalake_core::datafile::writer::{DeltaWriter, WriterConfig};
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake_core::kernel::{Action, Add, StructType};
use deltalake_core::operations::create::CreateBuilder;
use futures::future::{BoxFuture, FutureExt, try_join_all};
use futures::stream::{BoxStream, StreamExt};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::{Chain, internal};
use crate::schema::{conform, delta_schema};
use crate::store::Store;
use crate::{StoreOptions, TableLocation, codes};

/// Rows of a row group. A writer holds the compressed pages of one row group in memory, and a
/// partitioned table has a writer for each of its partitions.
const ROW_GROUP_ROWS: usize = 1 << 17;
/// Batches that wait for a writer.
const WAITING: usize = 2;

/// A table that is not there yet.
#[derive(Debug, Clone)]
pub struct NewTable {
    /// Its folder, which is made if it is not there.
    pub location: TableLocation,
    /// Its columns; their types must be Delta's own, see [`delta_schema`].
    pub schema: SchemaRef,
    /// The columns by whose values the rows are divided into folders, outermost first.
    pub partition_by: Vec<String>,
}

/// What [`create_table`] wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CreatedTable {
    /// Rows.
    pub rows: u64,
    /// Data files.
    pub files: u64,
    /// Bytes in the data files.
    pub bytes: u64,
}

/// Creates a Delta table and its rows in one commit, version 0.
///
/// The rows come in parts. Without partition columns each part with rows becomes a file, and all are
/// written at the same time. With partition columns the parts are read one after the other, and
/// each combination of values becomes a file; these are encoded on as many threads as there are
/// cores. In every file the rows keep the order in which they came.
///
/// Memory holds a few batches, and the compressed row group of each file that is being written. An
/// error, or a future that is dropped, leaves no table, but perhaps data files without one. The parts
/// are polled by the caller's task; encoding needs a Tokio runtime.
///
/// # Errors
///
/// The first error of a part, as it is; [`CA-DELTA-0010`](codes::UNSUPPORTED_TYPE) or
/// [`CA-DELTA-0011`](codes::INVALID_COLUMN_NAME) for columns that Delta cannot hold,
/// [`CA-DELTA-0012`](codes::INVALID_PARTITION) for partition columns that are not there,
/// [`CA-DELTA-0018`](codes::UNREPRESENTABLE_VALUE) for values that the columns cannot hold,
/// [`CA-DELTA-0009`](codes::CONFLICT) when there is a table already, and
/// [`CA-DELTA-0013`](codes::UNWRITABLE) when the location cannot be written.
///
/// # Example: how does a batch become a table?
///
/// ```
/// use std::sync::Arc;
///
/// use arrow::array::{Int64Array, RecordBatch};
/// use codeanatomy_delta::{NewTable, TableLocation, create_table};
/// use futures::StreamExt;
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let folder = tempfile::tempdir().unwrap();
/// let numbers = Arc::new(Int64Array::from(vec![1, 2, 3]));
/// let batch = RecordBatch::try_from_iter([("n", numbers as _)]).unwrap();
/// let table = NewTable {
///     location: TableLocation::parse("numbers", folder.path()).unwrap(),
///     schema: batch.schema(),
///     partition_by: vec![],
/// };
/// let rows = futures::stream::iter([Ok(batch)]).boxed();
/// assert_eq!(create_table(table, vec![rows]).await.unwrap().rows, 3);
/// # });
/// ```
pub async fn create_table(
    table: NewTable,
    parts: Vec<BoxStream<'_, Result<RecordBatch>>>,
) -> Result<CreatedTable> {
    let store = Store::open(&table.location, &StoreOptions::new())?;
    if store.log().await?.newest().is_some() {
        return Err(exists(&table.location));
    }
    let schema = check(&table)?;
    let adds = if table.partition_by.is_empty() {
        let mut files: Vec<BoxFuture<'_, Result<Vec<Add>>>> = Vec::with_capacity(parts.len());
        for part in parts {
            let lane = Lane::start(&store, &schema, None);
            files.push(fill(vec![lane], part).boxed());
        }
        try_join_all(files).await?.concat()
    } else {
        let n_lanes = std::thread::available_parallelism().map_or(1, NonZero::get);
        let lanes = (0..n_lanes)
            .map(|index| {
                let share = Share::new(&schema, &table.partition_by, index, n_lanes)?;
                Ok(Lane::start(&store, &schema, Some(share)))
            })
            .collect::<Result<Vec<_>>>()?;
        let rows = futures::stream::iter(parts).flatten().boxed();
        fill(lanes, rows).await?
    };
    let created = adds
        .iter()
        .fold(CreatedTable::default(), |sum, add| CreatedTable {
            rows: sum.rows + n_rows(add),
            files: sum.files + 1,
            bytes: sum.bytes + u64::try_from(add.size).unwrap_or_default(),
        });
    commit(&store, &schema, &table.partition_by, adds).await?;
    Ok(created)
}

/// One writer with a task of its own.
struct Lane {
    sender: mpsc::Sender<Message>,
    writer: JoinHandle<Result<Vec<Add>>>,
}

/// What a lane is told. A lane whose sender goes away before `Finish` throws its files away.
enum Message {
    Rows(RecordBatch),
    Finish,
}

/// The partitions that one of several lanes writes: every `n_lanes`-th in the order in which they
/// first come. All lanes see all rows, so they agree on it without talking.
struct Share {
    partition_by: Vec<String>,
    columns: Vec<usize>,
    converter: RowConverter,
    owners: BTreeMap<Vec<u8>, usize>,
    index: usize,
    n_lanes: usize,
}

impl Lane {
    fn start(store: &Store, schema: &SchemaRef, share: Option<Share>) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let partition_by = share.as_ref().map(|share| share.partition_by.clone());
        let config = WriterConfig::new(
            Arc::clone(schema),
            partition_by.unwrap_or_default(),
            Some(properties()),
            None,
            None,
            Default::default(),
            None,
        );
        let writer = DeltaWriter::new(store.files(), config);
        let work = write(
            writer,
            receiver,
            Arc::clone(schema),
            share,
            store.location().clone(),
        );
        Self {
            sender,
            writer: tokio::spawn(work),
        }
    }
}

impl Share {
    fn new(
        schema: &SchemaRef,
        partition_by: &[String],
        index: usize,
        n_lanes: usize,
    ) -> Result<Self> {
        let columns = partition_by
            .iter()
            .map(|name| schema.index_of(name))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| internal("finding a partition column", error))?;
        let fields = columns
            .iter()
            .map(|&column| SortField::new(schema.field(column).data_type().clone()))
            .collect();
        let converter =
            RowConverter::new(fields).map_err(|error| internal("dividing rows", error))?;
        Ok(Self {
            partition_by: partition_by.to_vec(),
            columns,
            converter,
            owners: BTreeMap::new(),
            index,
            n_lanes,
        })
    }

    /// The rows of a batch that this lane writes.
    fn of(&mut self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let columns: Vec<ArrayRef> = self
            .columns
            .iter()
            .map(|&column| Arc::clone(batch.column(column)))
            .collect();
        let rows = self.converter.convert_columns(&columns)?;
        let mut mine = Vec::with_capacity(batch.num_rows());
        for (row, key) in (0..).zip(rows.iter()) {
            let owner = match self.owners.get(key.as_ref()) {
                Some(&owner) => owner,
                None => {
                    let next = self.owners.len() % self.n_lanes;
                    self.owners.insert(key.as_ref().to_vec(), next);
                    next
                }
            };
            if owner == self.index {
                mine.push(row);
            }
        }
        take_record_batch(batch, &UInt32Array::from(mine))
    }
}

/// Gives every batch to every lane, and collects the files.
async fn fill(lanes: Vec<Lane>, mut rows: BoxStream<'_, Result<RecordBatch>>) -> Result<Vec<Add>> {
    'rows: while let Some(batch) = rows.next().await {
        let batch = batch?;
        for lane in &lanes {
            if lane
                .sender
                .send(Message::Rows(batch.clone()))
                .await
                .is_err()
            {
                break 'rows;
            }
        }
    }
    let mut adds = Vec::new();
    for lane in &lanes {
        // A lane that is gone says why when it is joined.
        let _ = lane.sender.send(Message::Finish).await;
    }
    for lane in lanes {
        let written = lane
            .writer
            .await
            .map_err(|error| internal("writing rows", error))?;
        adds.extend(written?);
    }
    Ok(adds)
}

/// The work of a lane.
async fn write(
    mut writer: DeltaWriter,
    mut messages: mpsc::Receiver<Message>,
    schema: SchemaRef,
    mut share: Option<Share>,
    location: TableLocation,
) -> Result<Vec<Add>> {
    loop {
        let result = match messages.recv().await {
            Some(Message::Rows(batch)) => {
                let batch = conform(&batch, &schema).and_then(|batch| match &mut share {
                    Some(share) => share
                        .of(&batch)
                        .map_err(|error| internal("dividing rows", error)),
                    None => Ok(batch),
                });
                match batch {
                    Ok(batch) => writer
                        .write(&batch)
                        .await
                        .map_err(|error| write_error(error, &location)),
                    Err(error) => Err(error),
                }
            }
            Some(Message::Finish) => {
                let closed = writer.close().await;
                return closed.map_err(|error| write_error(error, &location));
            }
            None => Err(Error::new(codes::INTERRUPTED, "the rows ended early")),
        };
        if let Err(error) = result {
            // What cannot be removed is data without a table; the first error matters more.
            let _ = writer.abort().await;
            return Err(error);
        }
    }
}

async fn commit(
    store: &Store,
    schema: &SchemaRef,
    partition_by: &[String],
    adds: Vec<Add>,
) -> Result<()> {
    let columns: StructType = schema
        .as_ref()
        .try_into_kernel()
        .map_err(|error: ArrowError| internal("making the table's schema", error))?;
    CreateBuilder::new()
        .with_log_store(Arc::clone(store.log_store()))
        .with_columns(columns.fields().cloned())
        .with_partition_columns(partition_by)
        .with_actions(adds.into_iter().map(Action::Add))
        .await
        .map(drop)
        .map_err(|error| write_error(error, store.location()))
}

fn check(table: &NewTable) -> Result<SchemaRef> {
    let schema = delta_schema(&table.schema).map_err(|errors| {
        let first = errors.into_iter().next();
        first.unwrap_or_else(|| internal("checking a schema", "no error was given"))
    })?;
    for (position, column) in table.partition_by.iter().enumerate() {
        let repeated = table.partition_by[..position].contains(column);
        if repeated || schema.index_of(column).is_err() {
            let names = schema.fields().iter().map(|field| field.name().as_str());
            let why = if repeated {
                "appears twice"
            } else {
                "is no column"
            };
            return Err(Error::new(
                codes::INVALID_PARTITION,
                format!("the partition column `{column}` {why}"),
            )
            .with_nearest(codeanatomy_vocab::nearest(column, names))
            .with_help("name each partition column once, as the schema does"));
        }
    }
    Ok(schema)
}

fn properties() -> WriterProperties {
    WriterProperties::builder()
        .set_created_by(concat!("codeanatomy ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build()
}

fn n_rows(add: &Add) -> u64 {
    let stats = add.get_stats().ok().flatten();
    stats
        .and_then(|stats| u64::try_from(stats.num_records).ok())
        .unwrap_or_default()
}

fn exists(location: &TableLocation) -> Error {
    Error::new(
        codes::CONFLICT,
        format!("there is a Delta table at {location} already"),
    )
    .with_help("choose another location, or remove the table")
}

fn write_error(error: DeltaTableError, location: &TableLocation) -> Error {
    Error::new(codes::UNWRITABLE, format!("{location} cannot be written"))
        .with_source(Chain::from(error))
        .with_help("check that you may write the folder, and that its disk has space")
}

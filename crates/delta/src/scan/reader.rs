//! How a scan opens Parquet files: with a count of what is read, and blind to bounds of floats.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow_schema::Schema;
use bytes::Bytes;
use datafusion_common::Result as EngineResult;
use datafusion_datasource::PartitionedFile;
use datafusion_datasource_parquet::ParquetFileReaderFactory;
use datafusion_physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::path::Path as StorePath;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::AsyncFileReader;
use parquet::basic::{LogicalType, Type};
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::page_index::column_index::ColumnIndexMetaData;

/// What scans have read so far: files that were opened, and bytes of them that were fetched.
///
/// A file whose footer lies in a cache counts as opened all the same; what is left out without a
/// look at the file does not. Parts of one file that are read side by side are one file.
#[derive(Debug, Default)]
pub struct ReadCounter {
    files: Mutex<BTreeSet<StorePath>>,
    bytes: AtomicU64,
}

/// Opens files for a scan.
#[derive(Debug)]
pub(super) struct Readers {
    inner: Arc<dyn ParquetFileReaderFactory>,
    counter: Option<Arc<ReadCounter>>,
    hides_floats: bool,
}

struct Reader {
    inner: Box<dyn AsyncFileReader + Send>,
    path: StorePath,
    counter: Option<Arc<ReadCounter>>,
    hides_floats: bool,
}

impl ReadCounter {
    /// How many files were opened.
    pub fn n_files(&self) -> u64 {
        self.files().len() as u64
    }

    /// How many bytes were fetched from files.
    pub fn n_bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn opened(&self, path: &StorePath) {
        let mut files = self.files();
        if !files.contains(path) {
            files.insert(path.clone());
        }
    }

    fn fetched(&self, n_bytes: u64) {
        self.bytes.fetch_add(n_bytes, Ordering::Relaxed);
    }

    fn files(&self) -> std::sync::MutexGuard<'_, BTreeSet<StorePath>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Readers that show no minima and maxima of floating-point columns, whatever files say of them.
///
/// For scans of Parquet files that are no Delta table; the scans of this crate have them already.
pub fn readers_without_float_bounds(
    inner: Arc<dyn ParquetFileReaderFactory>,
) -> Arc<dyn ParquetFileReaderFactory> {
    Arc::new(Readers {
        inner,
        counter: None,
        hides_floats: true,
    })
}

impl Readers {
    /// Readers of files of a table with these columns.
    pub(super) fn new(
        inner: Arc<dyn ParquetFileReaderFactory>,
        file_schema: &Schema,
        counter: Option<Arc<ReadCounter>>,
    ) -> Self {
        let is_float = |field: &Arc<arrow_schema::Field>| field.data_type().is_floating();
        Self {
            inner,
            counter,
            hides_floats: file_schema.fields().iter().any(is_float),
        }
    }
}

impl ParquetFileReaderFactory for Readers {
    fn create_reader(
        &self,
        partition_index: usize,
        partitioned_file: PartitionedFile,
        metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> EngineResult<Box<dyn AsyncFileReader + Send>> {
        let path = partitioned_file.object_meta.location.clone();
        let inner = self.inner.create_reader(
            partition_index,
            partitioned_file,
            metadata_size_hint,
            metrics,
        )?;
        Ok(Box::new(Reader {
            inner,
            path,
            counter: self.counter.clone(),
            hides_floats: self.hides_floats,
        }))
    }
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        if let Some(counter) = &self.counter {
            counter.opened(&self.path);
            counter.fetched(range.end.saturating_sub(range.start));
        }
        self.inner.get_bytes(range)
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        if let Some(counter) = &self.counter {
            counter.opened(&self.path);
            let lengths = ranges.iter().map(|r| r.end.saturating_sub(r.start));
            counter.fetched(lengths.sum());
        }
        self.inner.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        if let Some(counter) = &self.counter {
            counter.opened(&self.path);
        }
        async move {
            let metadata = self.inner.get_metadata(options).await?;
            if self.hides_floats {
                without_float_bounds(&metadata)
            } else {
                Ok(metadata)
            }
        }
        .boxed()
    }
}

/// The metadata of a file without minima and maxima of floating-point columns.
///
/// Parquet leaves NaN out of them, and the engine takes NaN for the greatest number. So it would
/// leave out row groups and pages with rows that fulfil `f > 30`.
fn without_float_bounds(metadata: &Arc<ParquetMetaData>) -> ParquetResult<Arc<ParquetMetaData>> {
    let columns = metadata.file_metadata().schema_descr().columns();
    let floats: Vec<usize> = (0..columns.len())
        .filter(|leaf| {
            let column = &columns[*leaf];
            matches!(column.physical_type(), Type::FLOAT | Type::DOUBLE)
                || matches!(column.logical_type_ref(), Some(LogicalType::Float16))
        })
        .collect();
    if floats.is_empty() {
        return Ok(Arc::clone(metadata));
    }
    let mut builder = metadata.as_ref().clone().into_builder();
    let mut row_groups = builder.take_row_groups();
    for row_group in &mut row_groups {
        for leaf in &floats {
            let Some(column) = row_group.columns_mut().get_mut(*leaf) else {
                continue;
            };
            *column = without_bounds(column)?;
        }
    }
    let mut column_index = builder.take_column_index();
    for row_group in column_index.iter_mut().flatten() {
        for leaf in &floats {
            if let Some(column) = row_group.get_mut(*leaf) {
                *column = ColumnIndexMetaData::NONE;
            }
        }
    }
    let builder = builder
        .set_row_groups(row_groups)
        .set_column_index(column_index);
    Ok(Arc::new(builder.build()))
}

fn without_bounds(column: &ColumnChunkMetaData) -> ParquetResult<ColumnChunkMetaData> {
    column
        .clone()
        .into_builder()
        .clear_statistics()
        // The bounds of pages may be read later, from where the column says that they are.
        .set_column_index_offset(None)
        .set_column_index_length(None)
        .build()
}

//! From a scale factor to eight Delta tables.

use std::fmt;
use std::num::NonZero;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::RecordBatch;
use codeanatomy_delta::{NewTable, TableLocation, create_table};
use codeanatomy_vocab::{Error, Result};
use futures::stream::{self, BoxStream, StreamExt};

use crate::store::Store;
use crate::{Table, codes};

/// The scale factors that the generator is known to work with.
const SCALES: std::ops::RangeInclusive<f64> = 0.001..=1000.0;
/// Data files of a table that is not partitioned.
const FILES: u64 = 4;
/// Rows that are generated at once, roughly.
const BATCH_ROWS: u64 = 65_536;

/// How far the generation of a table is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The table that is being made.
    pub table: Table,
    /// Rows generated so far.
    pub rows: u64,
    /// Rows to generate; for `lineitem` an estimate until the last of them is there, and then equal to
    /// `rows`.
    pub total_rows: u64,
}

/// What the data folder holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// The scale factor.
    pub scale: f64,
    /// Whether the tables were there already.
    pub reused: bool,
    /// The tables, in the order of [`Table::ALL`].
    pub tables: Vec<TableSummary>,
}

/// The size of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableSummary {
    /// Which table.
    pub table: Table,
    /// Its rows.
    pub rows: u64,
    /// Its data files.
    pub files: u64,
    /// The bytes in its data files.
    pub bytes: u64,
}

/// Makes the eight TPC-H tables as Delta tables in `dir/<table>`.
///
/// The rows are those of the specification's own generator, in the order of the keys. `orders` and
/// `lineitem` are partitioned by month, with one file for each; the other tables have a few files. The
/// same scale factor gives the same rows and the same order in every file.
///
/// Tables that are there at this scale factor are used again, after a look at a small file `.tpch`
/// that says what the folder holds. Others of this generator are replaced, all at the end: an
/// interrupted call leaves the tables of before. Needs a Tokio runtime, best one with several threads,
/// and memory in the hundreds of megabytes at any scale factor.
///
/// # Errors
///
/// [`CA-TPCH-0001`](codes::INVALID_SCALE) for a scale factor outside of 0.001 to 1000,
/// [`CA-TPCH-0002`](codes::FOREIGN_TABLES) when the folder has tables of other origin,
/// [`CA-TPCH-0004`](codes::UNWRITABLE) and the errors of [`create_table`] when it cannot be written.
///
/// # Example: how many orders are there at scale factor 0.001?
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> codeanatomy_vocab::Result<()> {
/// use codeanatomy_tpch::{Table, generate};
///
/// let dir = tempfile::tempdir().unwrap();
/// let summary = generate(dir.path(), 0.001, &|_| {}).await?;
/// assert_eq!(summary.rows(Table::Orders), 1_500);
/// # Ok(())
/// # }
/// ```
pub async fn generate(
    dir: &Path,
    scale: f64,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Summary> {
    if !SCALES.contains(&scale) {
        return Err(Error::new(
            codes::INVALID_SCALE,
            format!("{scale} is not a scale factor"),
        )
        .with_expected(format!(
            "a number from {} to {}",
            SCALES.start(),
            SCALES.end()
        ))
        .with_help("0.1 makes about 35 MB of data, 1 ten times as much"));
    }
    let dir = dir.to_owned();
    let store = blocking(move || Store::open(&dir)).await?;
    if let Some(summary) = store.existing(scale)? {
        return Ok(summary);
    }
    let made = make(&store, scale, progress).await;
    // The staged tables are in nobody's way, but they may be large.
    let cleared = store.clear();
    let summary = made?;
    cleared?;
    Ok(summary)
}

impl Summary {
    /// The rows of one table.
    pub fn rows(&self, table: Table) -> u64 {
        self.tables
            .iter()
            .find(|summary| summary.table == table)
            .map_or(0, |summary| summary.rows)
    }

    /// The rows of all tables.
    pub fn total_rows(&self) -> u64 {
        self.tables.iter().map(|table| table.rows).sum()
    }

    /// The bytes in the data files of all tables.
    pub fn total_bytes(&self) -> u64 {
        self.tables.iter().map(|table| table.bytes).sum()
    }
}

impl fmt::Display for Summary {
    /// One line for people, for example `8 tables, 866602 rows, 34 MB at scale factor 0.1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} tables, {} rows, {} MB at scale factor {}",
            self.tables.len(),
            self.total_rows(),
            self.total_bytes().div_ceil(1_000_000),
            self.scale
        )
    }
}

async fn make(store: &Store, scale: f64, progress: &(dyn Fn(Progress) + Sync)) -> Result<Summary> {
    let mut tables = Vec::with_capacity(Table::ALL.len());
    for table in Table::ALL {
        let total = AtomicU64::new(0);
        let expected = table.rows(scale);
        let count = |rows: u64| {
            let rows = total.fetch_add(rows, Ordering::Relaxed) + rows;
            progress(Progress {
                table,
                rows,
                total_rows: expected.max(rows),
            });
        };
        let folder = store.staging(table);
        let created = create_table(
            NewTable {
                location: TableLocation::parse(&folder.to_string_lossy(), &folder)?,
                schema: table.schema(),
                partition_by: table.partition_by(),
            },
            parts(table, scale, &count),
        )
        .await?;
        progress(Progress {
            table,
            rows: created.rows,
            total_rows: created.rows,
        });
        tables.push(TableSummary {
            table,
            rows: created.rows,
            files: created.files,
            bytes: created.bytes,
        });
    }
    let summary = Summary {
        scale,
        reused: false,
        tables,
    };
    store.publish(&summary)?;
    Ok(summary)
}

/// The rows of a table, in parts of the same size that follow each other.
fn parts<'a>(
    table: Table,
    scale: f64,
    count: &'a (dyn Fn(u64) + Sync),
) -> Vec<BoxStream<'a, Result<RecordBatch>>> {
    let parts = if table.is_fixed() { 1 } else { FILES };
    let batches_of_part = table.rows(scale).div_ceil(BATCH_ROWS * parts).max(1);
    let n_batches = batches_of_part * parts;
    let ahead = std::thread::available_parallelism().map_or(1, NonZero::get);
    (0..parts)
        .map(|part| {
            let first = part * batches_of_part;
            stream::iter(first..first + batches_of_part)
                .map(move |batch| {
                    blocking(move || table.batch(scale, number(batch + 1)?, number(n_batches)?))
                })
                .buffered(ahead)
                .filter_map(move |batch| {
                    let batch = batch.transpose();
                    if let Some(Ok(batch)) = &batch {
                        count(batch.num_rows() as u64);
                    }
                    std::future::ready(batch)
                })
                .boxed()
        })
        .collect()
}

fn number(value: u64) -> Result<i32> {
    i32::try_from(value).map_err(|error| {
        Error::new(codes::INTERNAL, "the tables are cut into too many batches").with_source(error)
    })
}

/// Runs work that computes or waits for files on a thread of its own.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        Error::new(codes::INTERNAL, "the generator stopped unexpectedly").with_source(error)
    })?
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::sync::Mutex;

    use super::*;

    const SCALE: f64 = 0.001;

    /// The data files of a table, with their sizes.
    fn files(dir: &Path, table: Table) -> BTreeMap<String, u64> {
        let mut files = BTreeMap::new();
        let mut folders = vec![dir.join(table.name())];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path
                    .extension()
                    .is_some_and(|extension| extension == "parquet")
                {
                    let name = path.strip_prefix(dir).unwrap().display().to_string();
                    files.insert(name, fs::metadata(path).unwrap().len());
                }
            }
        }
        files
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn tables_have_several_files_and_orders_and_lines_one_for_each_month() {
        let dir = tempfile::tempdir().unwrap();
        // A caller may want to spawn the work.
        let work: Box<dyn Future<Output = _> + Send> =
            Box::new(generate(dir.path(), SCALE, &|_| {}));
        let summary = Box::into_pin(work).await.unwrap();
        for table in &summary.tables {
            let files = files(dir.path(), table.table);
            assert_eq!(files.len() as u64, table.files, "{}", table.table);
            assert_eq!(files.values().sum::<u64>(), table.bytes, "{}", table.table);
            assert!(table.files > 1 || table.table.is_fixed(), "{}", table.table);
        }
        let orders = files(dir.path(), Table::Orders);
        assert_eq!(orders.len(), 80);
        assert!(
            orders
                .keys()
                .any(|path| path.starts_with("orders/o_ordermonth=1996-02/"))
        );
    }

    #[tokio::test]
    async fn progress_ends_with_all_rows_of_every_table() {
        let dir = tempfile::tempdir().unwrap();
        let last = Mutex::new(BTreeMap::new());
        let progress = |progress: Progress| {
            last.lock().unwrap().insert(progress.table, progress);
        };
        let summary = generate(dir.path(), SCALE, &progress).await.unwrap();
        let last = last.into_inner().unwrap();
        for table in &summary.tables {
            let progress = last[&table.table];
            assert_eq!(
                (progress.rows, progress.total_rows),
                (table.rows, table.rows)
            );
        }
        assert_eq!(summary.rows(Table::Lineitem), 6_005);
    }

    #[tokio::test]
    async fn tables_are_used_again_at_the_same_scale_factor_and_replaced_at_another() {
        let dir = tempfile::tempdir().unwrap();
        let first = generate(dir.path(), SCALE, &|_| {}).await.unwrap();
        let files_of_first = files(dir.path(), Table::Part);
        let again = generate(dir.path(), SCALE, &|_| {}).await.unwrap();
        assert!(again.reused && !first.reused);
        assert_eq!(again.tables, first.tables);
        assert_eq!(files(dir.path(), Table::Part), files_of_first);

        let other = generate(dir.path(), 2.0 * SCALE, &|_| {}).await.unwrap();
        assert!(!other.reused);
        assert_eq!(other.rows(Table::Part), 2 * first.rows(Table::Part));
        let expected = other
            .tables
            .iter()
            .find(|table| table.table == Table::Part)
            .unwrap();
        assert_eq!(
            files(dir.path(), Table::Part).values().sum::<u64>(),
            expected.bytes
        );
    }

    #[tokio::test]
    async fn an_interrupted_generator_leaves_the_tables_of_before() {
        let dir = tempfile::tempdir().unwrap();
        generate(dir.path(), SCALE, &|_| {}).await.unwrap();
        let before = files(dir.path(), Table::Orders);
        let stop = tokio::sync::Notify::new();
        let interrupt = |progress: Progress| {
            if progress.table == Table::Orders {
                stop.notify_one();
            }
        };
        tokio::select! {
            biased;
            () = stop.notified() => {}
            _ = generate(dir.path(), 2.0 * SCALE, &interrupt) => panic!("was not interrupted"),
        }
        assert_eq!(files(dir.path(), Table::Orders), before);
        assert!(generate(dir.path(), SCALE, &|_| {}).await.unwrap().reused);
    }

    #[tokio::test]
    async fn tables_of_other_origin_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("orders")).unwrap();
        let error = generate(dir.path(), SCALE, &|_| {}).await.unwrap_err();
        assert_eq!(error.code(), codes::FOREIGN_TABLES);
        assert!(!dir.path().join("part").exists());
    }

    #[tokio::test]
    async fn a_scale_factor_that_is_no_size_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for scale in [0.0, -1.0, f64::NAN, f64::INFINITY, 0.0001] {
            let error = generate(dir.path(), scale, &|_| {}).await.unwrap_err();
            assert_eq!(error.code(), codes::INVALID_SCALE);
        }
    }
}

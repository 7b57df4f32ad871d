//! Commits of many kinds, on a table and on its model.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU64;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, new_null_array};
use arrow::datatypes::Int64Type;
use arrow_schema::{DataType, Field, Schema};
use datafusion::logical_expr::{col, lit};
use datafusion::prelude::SessionContext;
use deltalake_core::kernel::EagerSnapshot;
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake_core::kernel::{StructField, StructType};
use deltalake_core::operations::optimize::OptimizeType;
use deltalake_core::operations::update_table_metadata::TableMetadataUpdate;
use deltalake_core::protocol::SaveMode;
use deltalake_core::{DeltaResult, DeltaTable};
use serde_json::json;
use tempfile::TempDir;
use url::Url;

use super::model::{Model, Row};
use super::random::Random;
use super::vector::{inline_vector, write_commit};
/// The values of the partition column `p`.
pub const PARTITIONS: [&str; 3] = ["a", "b", "c"];

/// A kind of commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Rows are added.
    Append,
    /// All rows of a partition go.
    DeletePartition,
    /// Some rows of a partition go, and files are written anew.
    DeleteRows,
    /// A row goes without a rewrite of its file.
    DeletionVector,
    /// Rows of a partition get other numbers.
    Update,
    /// A merge that finds a row.
    MergeRewrite,
    /// A merge that finds none.
    MergeNothing,
    /// Files are put together.
    Optimize,
    /// Rows are laid out in another order.
    ZOrder,
    /// Files that no version needs any more are deleted.
    Vacuum,
    /// A checkpoint, which is no commit.
    Checkpoint,
    /// A property of the table.
    Property,
    /// A description of the table.
    Comment,
    /// A column that holds nulls.
    AddColumn,
    /// An earlier version's rows come back.
    Restore,
    /// All rows go, and others come.
    Overwrite,
}

impl Kind {
    /// Whether a commit of this kind changes no row, whatever it finds.
    pub fn keeps_rows(self) -> bool {
        match self {
            Self::MergeNothing
            | Self::Optimize
            | Self::ZOrder
            | Self::Vacuum
            | Self::Checkpoint
            | Self::Property
            | Self::Comment
            | Self::AddColumn => true,
            Self::Append
            | Self::DeletePartition
            | Self::DeleteRows
            | Self::DeletionVector
            | Self::Update
            | Self::MergeRewrite
            | Self::Restore
            | Self::Overwrite => false,
        }
    }

    /// All kinds.
    pub const ALL: [Self; 16] = [
        Self::Append,
        Self::DeletePartition,
        Self::DeleteRows,
        Self::DeletionVector,
        Self::Update,
        Self::MergeRewrite,
        Self::MergeNothing,
        Self::Optimize,
        Self::ZOrder,
        Self::Vacuum,
        Self::Checkpoint,
        Self::Property,
        Self::Comment,
        Self::AddColumn,
        Self::Restore,
        Self::Overwrite,
    ];
}

/// What a commit touches.
#[derive(Debug)]
pub enum Touch {
    /// No row.
    Nothing,
    /// Files of these partitions with numbers in these ranges.
    Files(Vec<(&'static str, i64, i64)>),
    /// Whatever there is.
    Anything,
}

/// A table with its model.
pub struct Table {
    /// Its folder.
    pub path: PathBuf,
    /// What its rows must be.
    pub model: Model,
    /// Columns `extra_0` and so on that were added, whose values are null.
    pub n_extra: usize,
    with_vectors: bool,
    _folder: Option<TempDir>,
}

impl Table {
    /// An empty table in a folder that goes with it. `with_vectors` lets it have deletion vectors.
    pub async fn create(with_vectors: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("table");
        let mut table = Self::create_at(&path, with_vectors).await;
        table._folder = Some(folder);
        table
    }

    /// An empty table at a path.
    pub async fn create_at(path: &Path, with_vectors: bool) -> Self {
        std::fs::create_dir_all(path).unwrap();
        let url = Url::from_directory_path(path).unwrap();
        let schema: StructType = (&schema(0)).try_into_kernel().unwrap();
        let property = |key: &str, value: &str| (key.to_owned(), Some(value.to_owned()));
        let mut properties = vec![property("delta.checkpointInterval", "1000")];
        if with_vectors {
            properties.push(property("delta.enableDeletionVectors", "true"));
        }
        DeltaTable::try_from_url(url)
            .await
            .unwrap()
            .create()
            .with_columns(schema.fields().cloned())
            .with_partition_columns(["p"])
            .with_configuration(properties)
            .await
            .unwrap();
        let mut table = Self {
            path: path.to_owned(),
            model: Model::default(),
            n_extra: 0,
            with_vectors,
            _folder: None,
        };
        table.model.history.insert(0, Vec::new());
        table
    }

    /// The table as the Delta library knows it.
    pub async fn library(&self) -> DeltaTable {
        deltalake_core::open_table(self.url()).await.unwrap()
    }

    fn url(&self) -> Url {
        Url::from_directory_path(&self.path).unwrap()
    }

    /// Makes a commit, and the same change of the model. `None` where the library cannot make it;
    /// then nothing happens.
    pub async fn commit(&mut self, kind: Kind, random: &mut Random) -> Option<Touch> {
        let before = self.library().await;
        let version = before.version().unwrap();
        let done = match kind {
            Kind::Append => self.append(before, random, SaveMode::Append).await,
            Kind::Overwrite => self.append(before, random, SaveMode::Overwrite).await,
            Kind::DeletePartition => self.delete_partition(before, random).await,
            Kind::DeleteRows => self.delete_rows(before, random).await,
            Kind::DeletionVector => return self.delete_with_vector(before, random).await,
            Kind::Update => self.update(before, random).await,
            Kind::MergeRewrite => self.merge(before, random, true).await,
            Kind::MergeNothing => self.merge(before, random, false).await,
            Kind::Optimize => self.optimize(before, OptimizeType::Compact).await,
            Kind::ZOrder => {
                let columns = vec!["n".to_owned(), "id".to_owned()];
                self.optimize(before, OptimizeType::ZOrder(columns)).await
            }
            Kind::Vacuum => self.vacuum(before, random).await,
            Kind::Checkpoint => {
                deltalake_core::protocol::checkpoints::create_checkpoint(&before, None)
                    .await
                    .map(|()| Touch::Nothing)
            }
            Kind::Property => {
                let value = random.below(100).to_string();
                let properties = HashMap::from([("delta.checkpointInterval".to_owned(), value)]);
                let properties = before.set_tbl_properties().with_properties(properties);
                properties.await.map(|_| Touch::Nothing)
            }
            Kind::Comment => {
                let update = TableMetadataUpdate {
                    name: None,
                    description: Some(format!("comment {}", random.below(1_000))),
                };
                let comment = before.update_table_metadata().with_update(update);
                comment.await.map(|_| Touch::Nothing)
            }
            Kind::AddColumn => self.add_column(before).await,
            Kind::Restore => self.restore(before, random).await,
        };
        match done {
            Ok(touch) => {
                self.remember(version).await;
                Some(touch)
            }
            Err(error) => {
                println!("    {kind:?} cannot be made: {error}");
                None
            }
        }
    }

    /// Appends one row for each partition and number, in one commit; each partition is a file.
    pub async fn append_rows(&mut self, rows: &[(&'static str, i64)]) {
        let table = self.library().await;
        let version = table.version().unwrap();
        let rows: Vec<Row> = rows.iter().map(|(p, n)| self.model.row(p, *n)).collect();
        let batch = batch(&rows, self.n_extra);
        table
            .write([batch])
            .with_save_mode(SaveMode::Append)
            .await
            .unwrap();
        self.model.rows.extend(rows);
        self.remember(version).await;
    }

    /// Removes the rows of a partition with numbers below `limit`, in one commit.
    pub async fn delete_below(&mut self, p: &'static str, limit: i64) {
        let table = self.library().await;
        let version = table.version().unwrap();
        let predicate = col("p").eq(lit(p)).and(col("n").lt(lit(limit)));
        table.delete().with_predicate(predicate).await.unwrap();
        self.model.rows.retain(|row| row.p != p || row.n >= limit);
        self.remember(version).await;
    }

    async fn append(
        &mut self,
        table: DeltaTable,
        random: &mut Random,
        mode: SaveMode,
    ) -> DeltaResult<Touch> {
        let mut rows = Vec::new();
        let low = random.pick(&[0, 40, 60, 200]);
        let partitions: Vec<&'static str> = match random.below(3) {
            0 => PARTITIONS.to_vec(),
            _ => vec![random.pick(&PARTITIONS)],
        };
        for _ in 0..=random.below(6) {
            let p = random.pick(&partitions);
            rows.push(self.model.row(p, low + random.below(20) as i64));
        }
        let batch = batch(&rows, self.n_extra);
        table.write([batch]).with_save_mode(mode).await?;
        if mode == SaveMode::Overwrite {
            self.model.rows = rows;
            return Ok(Touch::Anything);
        }
        let touch = Touch::Files(ranges(&rows));
        self.model.rows.extend(rows);
        Ok(touch)
    }

    async fn delete_partition(
        &mut self,
        table: DeltaTable,
        random: &mut Random,
    ) -> DeltaResult<Touch> {
        let p = random.pick(&PARTITIONS);
        table.delete().with_predicate(col("p").eq(lit(p))).await?;
        self.model.rows.retain(|row| row.p != p);
        Ok(in_partition(p))
    }

    async fn delete_rows(&mut self, table: DeltaTable, random: &mut Random) -> DeltaResult<Touch> {
        let p = random.pick(&PARTITIONS);
        let limit = random.below(100) as i64;
        let predicate = col("p").eq(lit(p)).and(col("n").lt(lit(limit)));
        table.delete().with_predicate(predicate).await?;
        self.model.rows.retain(|row| row.p != p || row.n >= limit);
        Ok(in_partition(p))
    }

    async fn update(&mut self, table: DeltaTable, random: &mut Random) -> DeltaResult<Touch> {
        let p = random.pick(&PARTITIONS);
        let least = random.below(80) as i64;
        table
            .update()
            .with_predicate(col("p").eq(lit(p)).and(col("n").gt_eq(lit(least))))
            .with_update("n", "n + 7")
            .await?;
        for row in &mut self.model.rows {
            if row.p == p && row.n >= least {
                row.n += 7;
            }
        }
        Ok(in_partition(p))
    }

    /// A merge by id, of rows of one partition or of none.
    async fn merge(
        &mut self,
        table: DeltaTable,
        random: &mut Random,
        finds: bool,
    ) -> DeltaResult<Touch> {
        let chosen = random.below(self.model.rows.len().max(1));
        let id = match self.model.rows.get(chosen) {
            Some(row) if finds => row.id,
            _ => -1,
        };
        let source = RecordBatch::try_from_iter([
            ("sid", Arc::new(Int64Array::from(vec![id])) as ArrayRef),
            ("sn", Arc::new(Int64Array::from(vec![500])) as ArrayRef),
        ])
        .unwrap();
        let source = SessionContext::new().read_batch(source).unwrap();
        table
            .merge(source, "target.id = source.sid")
            .with_source_alias("source")
            .with_target_alias("target")
            .when_matched_update(|update| update.update("n", "source.sn"))?
            .await?;
        let Some(row) = self.model.rows.iter_mut().find(|row| row.id == id) else {
            return Ok(Touch::Nothing);
        };
        row.n = 500;
        Ok(in_partition(row.p))
    }

    async fn optimize(&mut self, table: DeltaTable, how: OptimizeType) -> DeltaResult<Touch> {
        table
            .optimize()
            .with_type(how)
            .with_target_size(NonZeroU64::new(1 << 20).unwrap())
            .await?;
        Ok(Touch::Nothing)
    }

    async fn vacuum(&mut self, table: DeltaTable, random: &mut Random) -> DeltaResult<Touch> {
        table
            .vacuum()
            .with_retention_period(chrono::Duration::zero())
            .with_enforce_retention_duration(false)
            .with_dry_run(random.chance(30))
            .await?;
        Ok(Touch::Nothing)
    }

    async fn add_column(&mut self, table: DeltaTable) -> DeltaResult<Touch> {
        let name = format!("extra_{}", self.n_extra);
        let field = Field::new(name, DataType::Utf8, true);
        let field: StructField = (&field).try_into_kernel().unwrap();
        table.add_columns().with_fields([field]).await?;
        self.n_extra += 1;
        Ok(Touch::Nothing)
    }

    async fn restore(&mut self, table: DeltaTable, random: &mut Random) -> DeltaResult<Touch> {
        let versions: Vec<u64> = self.model.history.keys().copied().collect();
        let version = random.pick(&versions);
        let schema = |table: &DeltaTable| table.snapshot().map(|snapshot| snapshot.schema());
        let then = deltalake_core::open_table_with_version(self.url(), version).await?;
        if schema(&then)? != schema(&table)? {
            return Ok(Touch::Nothing);
        }
        table.restore().with_version_to_restore(version).await?;
        self.model.rows = self.model.history[&version].clone();
        Ok(Touch::Anything)
    }

    /// Keeps the rows of the versions after `before`.
    async fn remember(&mut self, before: u64) {
        let newest = self.library().await.version().unwrap();
        for version in before + 1..=newest {
            self.model.history.insert(version, self.model.rows.clone());
        }
    }

    /// Deletes a row of a file without a rewrite of the file.
    async fn delete_with_vector(
        &mut self,
        table: DeltaTable,
        random: &mut Random,
    ) -> Option<Touch> {
        if !self.with_vectors {
            return None;
        }
        let version = table.version().unwrap();
        let log_store = table.log_store();
        let snapshot = EagerSnapshot::try_new(log_store.as_ref(), Some(version))
            .await
            .unwrap();
        let mut files: Vec<_> = snapshot
            .try_log_data()
            .unwrap()
            .iter()
            .filter(|file| file.deletion_vector_descriptor().is_none())
            .filter(|file| file.num_records() > Some(1))
            .map(|file| {
                let values: BTreeMap<String, Option<String>> =
                    file.partition_values_map().into_iter().collect();
                (
                    file.path().into_owned(),
                    file.size(),
                    file.modification_time(),
                    file.stats().unwrap(),
                    values,
                )
            })
            .collect();
        files.sort();
        if files.is_empty() {
            return None;
        }
        let (path, size, modified, stats, values) = &files[random.below(files.len())];
        let ids = ids_of(&self.path.join(path));
        let place = random.below(ids.len());
        let deleted = ids[place];
        let mut stats: serde_json::Value = serde_json::from_str(stats).unwrap();
        stats["tightBounds"] = json!(false);
        let actions = [
            json!({"commitInfo": {"timestamp": 1_700_000_000_000_i64, "operation": "DELETE",
                "nonce": random.below(1 << 30)}}),
            json!({"remove": {"path": path, "dataChange": true,
                "deletionTimestamp": 1_700_000_000_000_i64, "extendedFileMetadata": true,
                "partitionValues": values, "size": size}}),
            json!({"add": {"path": path, "dataChange": true, "partitionValues": values,
                "size": size, "modificationTime": modified,
                "stats": stats.to_string(),
                "deletionVector": inline_vector(&[place as u16])}}),
        ];
        write_commit(&self.path.join("_delta_log"), version + 1, &actions);
        let row = self.model.rows.iter().position(|row| row.id == deleted)?;
        let row = self.model.rows.remove(row);
        self.remember(version).await;
        Some(in_partition(row.p))
    }
}

/// The columns of the table, with further ones at the end.
fn schema(n_extra: usize) -> Schema {
    let mut fields = vec![
        Field::new("id", DataType::Int64, true),
        Field::new("p", DataType::Utf8, true),
        Field::new("n", DataType::Int64, true),
        Field::new("s", DataType::Utf8, true),
    ];
    fields.extend((0..n_extra).map(|n| Field::new(format!("extra_{n}"), DataType::Utf8, true)));
    Schema::new(fields)
}

fn batch(rows: &[Row], n_extra: usize) -> RecordBatch {
    let numbers = |get: fn(&Row) -> i64| -> ArrayRef {
        Arc::new(
            rows.iter()
                .map(|row| Some(get(row)))
                .collect::<Int64Array>(),
        )
    };
    let texts = |get: fn(&Row) -> &str| -> ArrayRef {
        Arc::new(
            rows.iter()
                .map(|row| Some(get(row)))
                .collect::<StringArray>(),
        )
    };
    let mut columns = vec![
        numbers(|row| row.id),
        texts(|row| row.p),
        numbers(|row| row.n),
        texts(|row| &row.s),
    ];
    columns.extend((0..n_extra).map(|_| new_null_array(&DataType::Utf8, rows.len())));
    RecordBatch::try_new(Arc::new(schema(n_extra)), columns).unwrap()
}

fn in_partition(p: &'static str) -> Touch {
    Touch::Files(vec![(p, i64::MIN, i64::MAX)])
}

/// The ranges of numbers of the files that an append writes: one for each partition.
fn ranges(rows: &[Row]) -> Vec<(&'static str, i64, i64)> {
    let mut ranges: BTreeMap<&'static str, (i64, i64)> = BTreeMap::new();
    for row in rows {
        let range = ranges.entry(row.p).or_insert((row.n, row.n));
        *range = (range.0.min(row.n), range.1.max(row.n));
    }
    ranges
        .into_iter()
        .map(|(p, (low, high))| (p, low, high))
        .collect()
}

/// The ids of a file's rows, in their order.
fn ids_of(path: &Path) -> Vec<i64> {
    let file = std::fs::File::open(path).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .build()
        .unwrap();
    let mut ids = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let column = batch.column_by_name("id").unwrap();
        ids.extend(column.as_primitive::<Int64Type>().values());
    }
    ids
}

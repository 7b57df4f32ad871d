//! Commits of many kinds, on a table and on its model.

use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU64;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, new_null_array};
use arrow::datatypes::Int64Type;
use arrow_schema::{DataType, Field, Schema};
use codeanatomy_vocab::DeltaVersion;
use datafusion_expr::{col, lit};
use deltalake_core::kernel::engine::arrow_conversion::TryIntoKernel;
use deltalake_core::kernel::{StructField, StructType};
use deltalake_core::operations::optimize::OptimizeType;
use deltalake_core::operations::update_table_metadata::TableMetadataUpdate;
use deltalake_core::protocol::SaveMode;
use deltalake_core::{DeltaResult, DeltaTable};
use serde_json::json;
use tempfile::TempDir;

use super::model::{Model, Row};
use super::random::Random;
use super::vector::{inline_vector, write_commit};
use crate::tests::support::{location, session};
use crate::{PinnedTable, TableLocation};

pub(super) const PARTITIONS: [&str; 3] = ["a", "b", "c"];

/// A kind of commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Append,
    DeletePartition,
    DeleteRows,
    DeletionVector,
    Update,
    MergeRewrite,
    MergeNothing,
    Optimize,
    ZOrder,
    Vacuum,
    Checkpoint,
    Property,
    Comment,
    AddColumn,
    Restore,
    Overwrite,
}

impl Kind {
    pub(super) const ALL: [Self; 16] = [
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
pub(super) enum Touch {
    /// No row.
    Nothing,
    /// Files of these partitions with numbers in these ranges.
    Files(Vec<(&'static str, i64, i64)>),
    /// Whatever there is.
    Anything,
}

/// A table with its model.
pub(super) struct Table {
    pub(super) location: TableLocation,
    pub(super) model: Model,
    pub(super) n_extra: usize,
    with_vectors: bool,
    _folder: TempDir,
}

impl Table {
    pub(super) async fn create(with_vectors: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let location = location(&folder.path().join("table"));
        std::fs::create_dir_all(location.local_path().unwrap()).unwrap();
        let schema: StructType = (&schema(0)).try_into_kernel().unwrap();
        let property = |key: &str, value: &str| (key.to_owned(), Some(value.to_owned()));
        let mut properties = vec![property("delta.checkpointInterval", "1000")];
        if with_vectors {
            properties.push(property("delta.enableDeletionVectors", "true"));
        }
        DeltaTable::try_from_url(location.url().expose().clone())
            .await
            .unwrap()
            .create()
            .with_columns(schema.fields().cloned())
            .with_partition_columns(["p"])
            .with_configuration(properties)
            .await
            .unwrap();
        let mut table = Self {
            location,
            model: Model::default(),
            n_extra: 0,
            with_vectors,
            _folder: folder,
        };
        table.model.history.insert(0, Vec::new());
        table
    }

    pub(super) async fn library(&self) -> DeltaTable {
        deltalake_core::open_table(self.location.url().expose().clone())
            .await
            .unwrap()
    }

    /// Makes a commit, and the same change of the model. `None` where the library cannot make it;
    /// then nothing happens.
    pub(super) async fn commit(
        &mut self,
        kind: Kind,
        random: &mut Random,
        now: &PinnedTable,
    ) -> Option<Touch> {
        let before = self.library().await;
        let done = match kind {
            Kind::Append => self.append(before, random, SaveMode::Append).await,
            Kind::Overwrite => self.append(before, random, SaveMode::Overwrite).await,
            Kind::DeletePartition => self.delete_partition(before, random).await,
            Kind::DeleteRows => self.delete_rows(before, random).await,
            Kind::DeletionVector => return self.delete_with_vector(random, now),
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
            Ok(touch) => Some(touch),
            Err(error) => {
                println!("    {kind:?} cannot be made: {error}");
                None
            }
        }
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
        let source = session(1).read_batch(source).unwrap();
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
        let versions: Vec<DeltaVersion> = self.model.history.keys().copied().collect();
        let version = random.pick(&versions);
        let schema = |table: &DeltaTable| table.snapshot().map(|snapshot| snapshot.schema());
        let then =
            deltalake_core::open_table_with_version(self.location.url().expose().clone(), version)
                .await?;
        if schema(&then)? != schema(&table)? {
            return Ok(Touch::Nothing);
        }
        table.restore().with_version_to_restore(version).await?;
        self.model.rows = self.model.history[&version].clone();
        Ok(Touch::Anything)
    }

    /// Deletes a row of a file without a rewrite of the file.
    fn delete_with_vector(&mut self, random: &mut Random, now: &PinnedTable) -> Option<Touch> {
        if !self.with_vectors {
            return None;
        }
        let files: Vec<_> = now
            .files()
            .iter()
            .filter(|file| file.deletion_vector.is_none() && file.n_rows > Some(1))
            .collect();
        if files.is_empty() {
            return None;
        }
        let file = files[random.below(files.len())];
        let ids = ids_of(&file.local_path(&self.location).unwrap());
        let place = random.below(ids.len());
        let deleted = ids[place];
        let mut stats: serde_json::Value =
            serde_json::from_str(file.stats.as_deref().unwrap()).unwrap();
        stats["tightBounds"] = json!(false);
        let values: BTreeMap<_, _> = file.partition_values.iter().collect();
        let actions = [
            json!({"commitInfo": {"timestamp": 1_700_000_000_000_i64, "operation": "DELETE",
                "nonce": random.below(1 << 30)}}),
            json!({"remove": {"path": file.path, "dataChange": true,
                "deletionTimestamp": 1_700_000_000_000_i64, "extendedFileMetadata": true,
                "partitionValues": values, "size": file.size_bytes}}),
            json!({"add": {"path": file.path, "dataChange": true, "partitionValues": values,
                "size": file.size_bytes, "modificationTime": file.modified.0,
                "stats": stats.to_string(),
                "deletionVector": inline_vector(&[place as u16])}}),
        ];
        let log = self.location.local_path().unwrap().join("_delta_log");
        write_commit(&log, now.pin().version + 1, &actions);
        let row = self.model.rows.iter().position(|row| row.id == deleted)?;
        let row = self.model.rows.remove(row);
        Some(in_partition(row.p))
    }
}

/// The columns of the table, with further ones at the end.
pub(super) fn schema(n_extra: usize) -> Schema {
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
fn ids_of(path: &std::path::Path) -> Vec<i64> {
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

//! What others did since a write began, and whether the write may follow it.

use std::collections::HashSet;

use arrow_schema::{FieldRef, Schema, SchemaRef};
use codeanatomy_vocab::{DeltaVersion, Error, Result, UnixMillis};
use datafusion_common::ScalarValue;
use deltalake_core::kernel::{Add, Snapshot};

use super::target::{Target, conflict};
use super::{OverwriteSpec, WriteMode};
use crate::active::ActiveFile;
use crate::codes;
use crate::columns::Definitions;
use crate::file_values::FileValues;
use crate::output::txn_version;
use crate::placement::Placement;
use crate::schema::logical_schema;
use crate::store::Store;

/// Refuses to follow commits that change what a table is, or that are of the same view.
pub(super) async fn check(
    store: &Store,
    spec: &OverwriteSpec,
    since: DeltaVersion,
    newest: DeltaVersion,
) -> Result<()> {
    for (version, commit) in store.commits(since + 1..=newest).await? {
        let is_obstacle = commit.is_none_or(|commit| {
            txn_version(&commit, &spec.view).is_some()
                || commit
                    .actions()
                    .any(|(kind, _)| matches!(kind, "metaData" | "protocol"))
        });
        if is_obstacle {
            return Err(conflict(store, Some(since), Some(version)));
        }
    }
    Ok(())
}

impl Target {
    /// The target as others left it, where the write may follow what they did.
    pub(super) async fn rebased(
        self,
        store: &Store,
        spec: &OverwriteSpec,
        mode: WriteMode,
        schema: &SchemaRef,
        adds: &[Add],
    ) -> Result<Self> {
        let Some(since) = self.version() else {
            // Somebody made the table meanwhile.
            let newest = store.log().await?.newest();
            return Err(conflict(store, None, newest));
        };
        let expected = OverwriteSpec {
            expected: Some(since),
            ..spec.clone()
        };
        let target = Self::examine(store, &expected, mode).await?;
        target.columns(store, spec, mode, schema)?;
        target.check_partitions(store, mode, adds, since).await?;
        Ok(target)
    }

    /// Refuses to replace partitions in which somebody else changed rows since a version.
    pub(super) async fn check_partitions(
        &self,
        store: &Store,
        mode: WriteMode,
        adds: &[Add],
        since: DeltaVersion,
    ) -> Result<()> {
        let (Self::Existing(existing), WriteMode::OverwritePartitions) = (self, mode) else {
            return Ok(());
        };
        let replaced = Replaced::new(store, &existing.snapshot, adds)?;
        let newest = existing.snapshot.version();
        for (version, commit) in store.commits(since + 1..=newest).await? {
            let Some(commit) = commit else {
                return Err(conflict(store, Some(since), Some(version)));
            };
            let meets = store
                .file_changes(version, &commit)?
                .iter()
                .any(|change| change.data_change() && replaced.has_file(change.file()));
            if meets {
                return Err(conflict(store, Some(since), Some(version)));
            }
        }
        Ok(())
    }

    /// The columns of the table after the write. Rows that come to others leave the columns that
    /// are there as they are, and may bring further ones.
    pub(super) fn columns(
        &self,
        store: &Store,
        spec: &OverwriteSpec,
        mode: WriteMode,
        schema: &SchemaRef,
    ) -> Result<SchemaRef> {
        let (Self::Existing(existing), WriteMode::Append | WriteMode::OverwritePartitions) =
            (self, mode)
        else {
            return Ok(SchemaRef::clone(schema));
        };
        let has = logical_schema(&existing.snapshot.schema(), store.location())?;
        let by = existing.snapshot.metadata().partition_columns();
        let why = if by == spec.partition_by.as_slice() {
            misfit(&has, schema)
        } else {
            Some("they are partitioned by other columns".to_owned())
        };
        if let Some(why) = why {
            return Err(Error::new(
                codes::COLUMNS_DIFFER,
                format!(
                    "the rows cannot come to those at {}: {why}",
                    store.location()
                ),
            )
            .with_help("build all rows anew, which may change the columns"));
        }
        let new = schema
            .fields()
            .iter()
            .filter(|field| has.field_with_name(field.name()).is_err());
        let fields: Vec<FieldRef> = has.fields().iter().chain(new).cloned().collect();
        Ok(SchemaRef::new(Schema::new(fields)))
    }
}

/// Why rows with columns `new` cannot come to rows with columns `has`.
fn misfit(has: &Schema, new: &Schema) -> Option<String> {
    for field in has.fields() {
        let name = field.name();
        let Ok(found) = new.field_with_name(name) else {
            return Some(format!("the column `{name}` is missing"));
        };
        if found.data_type() != field.data_type() {
            return Some(format!(
                "the column `{name}` is {} there, and {} here",
                field.data_type(),
                found.data_type()
            ));
        }
        if found.is_nullable() && !field.is_nullable() {
            return Some(format!(
                "the column `{name}` may be null here, and not there"
            ));
        }
    }
    let mut added = new
        .fields()
        .iter()
        .filter(|field| has.field_with_name(field.name()).is_err());
    added.find(|field| !field.is_nullable()).map(|field| {
        format!(
            "the new column `{}` may not be null, and is in the rows that are there",
            field.name()
        )
    })
}

/// The partitions of which there are new rows.
pub(super) struct Replaced {
    placement: Placement,
    partitions: HashSet<Vec<ScalarValue>>,
}

impl Replaced {
    pub(super) fn new(store: &Store, snapshot: &Snapshot, adds: &[Add]) -> Result<Self> {
        let schema = logical_schema(&snapshot.schema(), store.location())?;
        let placement = Placement::new(
            store.location(),
            &schema,
            snapshot.metadata().partition_columns(),
            &Definitions::of(snapshot)?,
        )?;
        let partitions = adds
            .iter()
            .map(|add| {
                let file = ActiveFile::from(add.clone());
                placement.checked_partition_values(&file, store.location())
            })
            .collect::<Result<_>>()?;
        Ok(Self {
            placement,
            partitions,
        })
    }

    /// Whether files with these values go. Values that cannot be read are no reason to keep a file
    /// that may hold rows twice.
    pub(super) fn has(&self, partition_values: FileValues) -> bool {
        self.has_file(&ActiveFile {
            path: String::new(),
            size_bytes: 0,
            modified: UnixMillis(0),
            partition_values,
            stats: None,
            n_rows: None,
            deletion_vector: None,
        })
    }

    /// Whether a file is in one of the partitions, as far as it says where it is.
    fn has_file(&self, file: &ActiveFile) -> bool {
        let says_where = self
            .placement
            .beside
            .iter()
            .all(|placed| file.partition_values.contains_key(&placed.name));
        match self.placement.partition_values(file) {
            Ok(values) if says_where => self.partitions.contains(&values),
            Ok(_) | Err(_) => true,
        }
    }
}

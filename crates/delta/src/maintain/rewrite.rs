//! Laying rows out anew, and going back to an older version.

use std::num::NonZeroU64;

use codeanatomy_vocab::{DeltaVersion, DeltaVersionSelector, Error, Result, nearest};
use deltalake_core::operations::optimize::OptimizeType;
use serde::Serialize;

use super::{failed, library_table, quiet_commit, writable_store};
use crate::error::guarded;
use crate::resolve::{find_log, load, resolve};
use crate::schema::logical_schema;
use crate::store::Store;
use crate::{StoreOptions, TableLocation, codes};

/// How rows are laid out anew.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OptimizeSpec {
    /// Columns by whose values rows come close to each other; none just makes files larger.
    pub z_order_by: Vec<String>,
    /// The size that files should have, in bytes; that of the table's properties where none is
    /// given.
    pub target_file_bytes: Option<NonZeroU64>,
}

/// What [`optimize`] did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OptimizeReport {
    /// The newest version afterwards; that of before where there was nothing to do.
    pub version: DeltaVersion,
    /// Files that were written.
    pub files_added: u64,
    /// Their size in bytes.
    pub bytes_added: u64,
    /// Files that these replace.
    pub files_removed: u64,
    /// Their size in bytes.
    pub bytes_removed: u64,
}

/// What [`restore`] did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RestoreReport {
    /// The version whose rows the table has again.
    pub restored_version: DeltaVersion,
    /// The version that this made; the same one where it was the newest already.
    pub version: DeltaVersion,
    /// Files that belong to the table again.
    pub files_restored: usize,
    /// Files that belong to it no longer.
    pub files_removed: usize,
}

/// Lays the rows of a table out anew, without changing any.
///
/// # Errors
///
/// As [`open`](crate::open); [`CA-DELTA-0034`](codes::INVALID_LAYOUT) for columns by which rows cannot
/// be ordered; [`CA-DELTA-0031`](crate::codes::MAINTENANCE_FAILED) when the table has features that a rewrite cannot keep, or the location cannot be written.
pub async fn optimize(
    location: &TableLocation,
    options: &StoreOptions,
    spec: OptimizeSpec,
) -> Result<OptimizeReport> {
    let store = writable_store(location, options).await?;
    check_columns(&store, &spec.z_order_by).await?;
    let how = if spec.z_order_by.is_empty() {
        OptimizeType::Compact
    } else {
        OptimizeType::ZOrder(spec.z_order_by)
    };
    let mut optimize = library_table(&store)
        .await?
        .optimize()
        .with_type(how)
        .with_commit_properties(quiet_commit());
    if let Some(size) = spec.target_file_bytes {
        optimize = optimize.with_target_size(size);
    }
    let (table, metrics) = guarded(location, IntoFuture::into_future(optimize))
        .await?
        .map_err(|error| failed("the compaction", &store, error))?;
    let bytes = |total: i64| u64::try_from(total).unwrap_or(0);
    Ok(OptimizeReport {
        version: table.version().unwrap_or_default(),
        files_added: metrics.num_files_added,
        bytes_added: bytes(metrics.files_added.total_size),
        files_removed: metrics.num_files_removed,
        bytes_removed: bytes(metrics.files_removed.total_size),
    })
}

/// Refuses columns by which rows cannot be ordered.
async fn check_columns(store: &Store, columns: &[String]) -> Result<()> {
    if columns.is_empty() {
        return Ok(());
    }
    let snapshot = load(store, None).await?;
    let schema = logical_schema(&snapshot.schema(), store.location())?;
    let partition_by = snapshot.metadata().partition_columns();
    let refused = |column: &String, why: &str, help: &str| {
        Error::new(
            codes::INVALID_LAYOUT,
            format!("rows cannot be ordered by `{column}`: {why}"),
        )
        .with_help(help.to_owned())
    };
    for (index, column) in columns.iter().enumerate() {
        if partition_by.contains(column) {
            let why = "it is a partition column, so each file has one value of it";
            return Err(refused(column, why, "name other columns"));
        }
        if columns[..index].contains(column) {
            return Err(refused(
                column,
                "it is named twice",
                "name each column once",
            ));
        }
        let Ok(field) = schema.field_with_name(column) else {
            let names = schema.fields().iter().map(|field| field.name().as_str());
            return Err(refused(
                column,
                "the table has no such column",
                "name a column of the table",
            )
            .with_nearest(nearest(column, names)));
        };
        if field.data_type().is_nested() {
            let why = "values of its type have no order";
            return Err(refused(column, why, "name columns of plain types"));
        }
    }
    Ok(())
}

/// Gives a table the rows of an older version again, in a new version.
///
/// # Errors
///
/// As [`open`](crate::open), for a version that is not there any more too;
/// [`CA-DELTA-0031`](crate::codes::MAINTENANCE_FAILED) when a file of that version is gone, or the
/// location cannot be written.
pub async fn restore(
    location: &TableLocation,
    options: &StoreOptions,
    selector: DeltaVersionSelector,
) -> Result<RestoreReport> {
    let store = writable_store(location, options).await?;
    let newest = find_log(&store).await?.newest().unwrap_or_default();
    let version = resolve(&store, selector).await?.unwrap_or(newest);
    if version == newest {
        return Ok(RestoreReport {
            restored_version: version,
            version,
            files_restored: 0,
            files_removed: 0,
        });
    }
    let restore = library_table(&store)
        .await?
        .restore()
        .with_version_to_restore(version)
        .with_commit_properties(quiet_commit());
    let (table, metrics) = guarded(location, IntoFuture::into_future(restore))
        .await?
        .map_err(|error| failed("the restoration", &store, error))?;
    Ok(RestoreReport {
        restored_version: version,
        version: table.version().unwrap_or_default(),
        files_restored: metrics.num_restored_file,
        files_removed: metrics.num_removed_file,
    })
}

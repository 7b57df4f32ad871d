//! Looking after tables: what they say of themselves, and what keeps them small and quick.
//!
//! Every function answers with a plain report that can be written as JSON. Those that delete can be
//! asked first what they would delete. None touches a table that this version cannot read right.

mod checkpoint;
mod clean;
mod inspect;
mod rewrite;

use codeanatomy_vocab::{Error, Result};
use deltalake_core::kernel::transaction::CommitProperties;
use deltalake_core::{DeltaTable, DeltaTableError};

use crate::error::{Chain, first_line, guarded};
use crate::resolve::{find_log, load};
use crate::store::Store;
use crate::{StoreOptions, TableLocation, codes, protocol, remote};

pub(crate) use self::checkpoint::inspect_in;
pub use self::checkpoint::{
    CheckpointEntry, CheckpointInspection, CheckpointReport, create_checkpoint, inspect_checkpoints,
};
pub use self::clean::{CleanupReport, VacuumReport, VacuumSpec, cleanup_log, vacuum};
pub use self::inspect::{
    ColumnInfo, FileInfo, HistoryEntry, ProtocolInfo, TableInfo, newest_version, table_files,
    table_history, table_info, table_protocol,
};
pub use self::rewrite::{OptimizeReport, OptimizeSpec, RestoreReport, optimize, restore};

/// Opens the store of a table that this version can read right.
async fn readable_store(location: &TableLocation, options: &StoreOptions) -> Result<Store> {
    let store = Store::open(location, options)?;
    // Says what is there where there is no table.
    find_log(&store).await?;
    let snapshot = load(&store, None).await?;
    protocol::check(snapshot.protocol(), snapshot.metadata(), location)?;
    Ok(store)
}

/// As [`readable_store`], for commits.
async fn writable_store(location: &TableLocation, options: &StoreOptions) -> Result<Store> {
    let store = readable_store(location, options).await?;
    remote::honours_conditional_put(&store).await?;
    Ok(store)
}

/// The table as the library has it, at its newest version.
async fn library_table(store: &Store) -> Result<DeltaTable> {
    let mut table = DeltaTable::new(std::sync::Arc::clone(store.log_store()));
    guarded(store.location(), table.load())
        .await?
        .map_err(|error| store.log_error(error))?;
    Ok(table)
}

/// Properties of commits of maintenance: the log is cleaned when somebody asks for it.
fn quiet_commit() -> CommitProperties {
    CommitProperties::default()
        .with_create_checkpoint(true)
        .with_cleanup_expired_logs(Some(false))
}

/// The error of maintenance that the library refused or could not finish.
fn failed(what: &str, store: &Store, error: DeltaTableError) -> Error {
    Error::new(
        codes::MAINTENANCE_FAILED,
        format!(
            "{what} of the Delta table at {} failed: {}",
            store.location(),
            first_line(&error)
        ),
    )
    .with_source(Chain::from(error))
    .with_help("mend the cause and try again; the table is as it was or as it was to become, never between")
}

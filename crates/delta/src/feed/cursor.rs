//! How far a view has read the change feeds of its datasets.
//!
//! A cursor is an application transaction in the commit that holds the rows made from the changes,
//! so a crash neither loses a change nor gives one twice: either both are there or none is.

use std::collections::BTreeMap;

use codeanatomy_vocab::{Clock, DatasetName, DeltaVersion, Error, Result, ViewName};
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties};
use deltalake_core::kernel::{Action, EagerSnapshot, Transaction};
use deltalake_core::protocol::{DeltaOperation, SaveMode};

use crate::error::Chain;
use crate::resolve::load;
use crate::store::Store;
use crate::{StoreOptions, TableLocation, codes};

/// Stands for no version: the consumer has read nothing.
const NOTHING: i64 = -1;

/// How often a commit is tried when others come first.
const RETRIES: usize = 5;

/// What [`reset_feed_cursor`] did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct CursorReset {
    /// The version of the output that holds the reset.
    pub version: DeltaVersion,
    /// Where the cursor was.
    pub before: Option<DeltaVersion>,
    /// Where it is now.
    pub after: Option<DeltaVersion>,
}

/// The last versions of `datasets` whose changes are in the output of `view`; none where nothing
/// was read yet, or there is no output.
///
/// # Errors
///
/// As [`open`](crate::open).
pub async fn feed_cursors(
    location: &TableLocation,
    options: &StoreOptions,
    view: &ViewName,
    datasets: &[DatasetName],
) -> Result<BTreeMap<DatasetName, Option<DeltaVersion>>> {
    let store = Store::open(location, options)?;
    let mut cursors = BTreeMap::new();
    let newest = store.log().await?.newest();
    if newest.is_none() {
        cursors.extend(datasets.iter().map(|dataset| (dataset.clone(), None)));
        return Ok(cursors);
    }
    let snapshot = eager(&store).await?;
    for dataset in datasets {
        let version = cursor(&store, &snapshot, view, dataset).await?;
        cursors.insert(dataset.clone(), version);
    }
    Ok(cursors)
}

/// Moves a cursor by hand, in a commit of its own that changes no row: the next incremental build
/// reads the changes after `to`, or all of them.
///
/// # Errors
///
/// As [`open`](crate::open); [`CA-DELTA-0013`](codes::UNWRITABLE) when the commit fails.
pub async fn reset_feed_cursor(
    location: &TableLocation,
    options: &StoreOptions,
    view: &ViewName,
    dataset: &DatasetName,
    to: Option<DeltaVersion>,
    clock: &dyn Clock,
) -> Result<CursorReset> {
    let store = Store::open_to_write(location, options).await?;
    // Says what is wrong where there is no table.
    load(&store, None).await?;
    let snapshot = eager(&store).await?;
    let before = cursor(&store, &snapshot, view, dataset).await?;
    let operation = DeltaOperation::Write {
        mode: SaveMode::Append,
        partition_by: None,
        predicate: None,
    };
    let mut info = operation.get_commit_info();
    info.timestamp = Some(clock.now().0);
    info.operation = Some("SET CURSOR".to_owned());
    info.engine_info = Some(concat!("codeanatomy/", env!("CARGO_PKG_VERSION")).to_owned());
    let builder: CommitBuilder = CommitProperties::default()
        .with_application_transaction(transaction(view, dataset, to))
        .with_max_retries(RETRIES)
        .with_create_checkpoint(true)
        .with_cleanup_expired_logs(Some(false))
        .into();
    let committed = builder
        .with_actions(vec![Action::CommitInfo(info)])
        .build(
            Some(&snapshot),
            std::sync::Arc::clone(store.log_store()),
            operation,
        )
        .await
        .map_err(|error| {
            Error::new(
                codes::UNWRITABLE,
                format!("the cursor in {} cannot be moved", store.location()),
            )
            .with_source(Chain::from(error))
            .with_help("check that you may write the folder `_delta_log`, and try again")
        })?;
    Ok(CursorReset {
        version: committed.version(),
        before,
        after: to,
    })
}

/// The transactions that say how far `cursors` are.
pub(crate) fn cursor_transactions(
    view: &ViewName,
    cursors: &BTreeMap<DatasetName, DeltaVersion>,
) -> Vec<Transaction> {
    cursors
        .iter()
        .map(|(dataset, version)| transaction(view, dataset, Some(*version)))
        .collect()
}

fn transaction(view: &ViewName, dataset: &DatasetName, to: Option<DeltaVersion>) -> Transaction {
    let version = to.and_then(|version| i64::try_from(version).ok());
    // Without a time, so that no retention forgets it.
    Transaction::new(cursor_id(view, dataset), version.unwrap_or(NOTHING))
}

fn cursor_id(view: &ViewName, dataset: &DatasetName) -> String {
    format!("codeanatomy/{view}/feed/{dataset}")
}

async fn eager(store: &Store) -> Result<EagerSnapshot> {
    EagerSnapshot::try_new(store.log_store().as_ref(), None)
        .await
        .map_err(|error| store.log_error(error))
}

async fn cursor(
    store: &Store,
    snapshot: &EagerSnapshot,
    view: &ViewName,
    dataset: &DatasetName,
) -> Result<Option<DeltaVersion>> {
    let version = snapshot
        .transaction_version(store.log_store().as_ref(), cursor_id(view, dataset))
        .await
        .map_err(|error| store.log_error(error))?;
    Ok(version.and_then(|version| DeltaVersion::try_from(version).ok()))
}

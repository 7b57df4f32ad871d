//! What an output says of itself, in its own log.

use std::collections::BTreeMap;

use arrow_schema::SchemaRef;
use codeanatomy_vocab::{
    DatasetName, DeltaVersion, Fingerprint, Result, RunId, UnixMillis, ViewName,
};
use deltalake_core::kernel::{EagerSnapshot, Snapshot};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::active::{self, active_files};
use crate::footprint::ScanFootprint;
use crate::resolve::load;
use crate::schema::logical_schema;
use crate::store::{Commit, Store};
use crate::{StoreOptions, TableLocation, protocol};

/// The key of the stamp in the `commitInfo` of a commit.
const STAMP_KEY: &str = "codeanatomy";

/// How many commits are read in search of the newest stamp.
const MAX_WALK: DeltaVersion = 1_000;

/// What was built, and from what: written into the commit that holds the rows.
///
/// In the log it is the object `codeanatomy` of `commitInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputStamp {
    /// The version of this form; [`OutputStamp::FORMAT_VERSION`] for stamps written now.
    pub format_version: u32,
    /// The view whose rows these are.
    pub view: ViewName,
    /// The run that wrote them.
    pub run_id: RunId,
    /// The identity of the rows, as far as it was known before the query ran.
    pub result_key: Fingerprint,
    /// The identity of the plan that ran.
    pub plan_fingerprint: Fingerprint,
    /// How many rows there are.
    pub rows: u64,
    /// A hash of the rows, where the run made one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_hash: Option<String>,
    /// The layout that the table was given, where one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Fingerprint>,
    /// For rows that came to others: the version whose rows these were. The stamp counts only if
    /// nobody changed rows between that version and the stamped commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub based_on: Option<DeltaVersion>,
    /// What the rows were made from.
    #[serde(default)]
    pub provenance: Provenance,
}

/// What the rows of an output were made from, so that a later run can say what changed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Provenance {
    /// The components of the result key, by name.
    #[serde(default)]
    pub components: BTreeMap<String, Fingerprint>,
    /// What was read of each dataset that is a Delta table, so that a later run can prove that
    /// newer versions changed none of it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<DatasetName, ScanFootprint>,
    /// The last version of each dataset whose changes are in the rows, where they were made from a
    /// change feed. The commit keeps them as application transactions too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cursors: BTreeMap<DatasetName, DeltaVersion>,
    /// The outputs of other views that were read, and what they held.
    #[serde(default)]
    pub upstream: BTreeMap<ViewName, UpstreamStamp>,
    /// The views that were computed on the way, and their result keys.
    #[serde(default)]
    pub ephemeral: BTreeMap<ViewName, Fingerprint>,
    /// The contract that the rows were held against before the commit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validated: Option<Fingerprint>,
}

/// What the output of another view held when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamStamp {
    /// The version whose commit carried the stamp.
    pub version: DeltaVersion,
    /// The hash of the rows, where that commit had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result_hash: Option<String>,
}

/// What is at the place of an output.
#[derive(Debug, Clone)]
pub struct OutputState {
    /// The newest version of the table.
    pub version: DeltaVersion,
    /// The stamp that the rows of [`version`](Self::version) carry. `None` when they are not what a
    /// stamped commit wrote, or when that cannot be proved: the view has to be built.
    pub stamp: Option<OutputStamp>,
    /// The version that the stamped commit made; later ones did not change a row.
    pub stamp_version: Option<DeltaVersion>,
    /// When the stamped commit was made.
    pub stamped_at: Option<UnixMillis>,
    /// The columns of the newest version, as scans return them.
    pub schema: SchemaRef,
    /// The columns by which it is partitioned.
    pub partition_by: Vec<String>,
    /// The number of the view's last application transaction, counted from 1.
    pub txn_version: Option<i64>,
    /// Whether any view ever wrote the table; only then may it be overwritten.
    pub is_ours: bool,
}

impl OutputStamp {
    /// The version of the form that is written now, and the newest that is read.
    pub const FORMAT_VERSION: u32 = 1;
}

/// Reads the state of a view's output from the log of its table; `None` where there is no table.
///
/// The stamp is looked for from the newest commit backwards. A commit after it leaves it valid only
/// if it changes no row: a compaction, a checkpoint, new properties or features. After an append,
/// a delete, a change of columns or a commit that is gone from the log, there is no stamp. Neither
/// is there one further back than a thousand commits, one of another view, or one of rows whose
/// files are missing or have another size.
///
/// # Errors
///
/// As [`open`](crate::open).
pub async fn output_state(
    location: &TableLocation,
    options: &StoreOptions,
    view: &ViewName,
) -> Result<Option<OutputState>> {
    let store = Store::open(location, options)?;
    output_state_in(&store, view)
        .await
        .map_err(|error| error.with("view", view))
}

pub(crate) async fn output_state_in(store: &Store, view: &ViewName) -> Result<Option<OutputState>> {
    if store.log().await?.newest().is_none() {
        return Ok(None);
    }
    let snapshot = load(store, None).await?;
    protocol::check(snapshot.protocol(), snapshot.metadata(), store.location())?;
    let version = snapshot.version();
    let found = newest_stamp(store, &snapshot).await?;
    let mut state = OutputState {
        version,
        stamp: None,
        stamp_version: None,
        stamped_at: None,
        schema: logical_schema(&snapshot.schema(), store.location())?,
        partition_by: snapshot.metadata().partition_columns().to_vec(),
        txn_version: None,
        is_ours: true,
    };
    match found {
        Some(found)
            if found
                .stamp
                .as_ref()
                .is_some_and(|stamp| stamp.view == *view) =>
        {
            state.txn_version = txn_version(&found.commit, view);
            let files = active_files(store, &snapshot).await?;
            if active::check(store, &files).await.is_ok() {
                state.stamped_at = found.commit.time();
                state.stamp_version = Some(found.version);
                state.stamp = found.stamp;
            }
        }
        _ => {
            let eager = EagerSnapshot::try_new(store.log_store().as_ref(), Some(version))
                .await
                .map_err(|error| store.log_error(error))?;
            state.txn_version = last_txn_version(store, &eager, view).await?;
            state.is_ours = state.txn_version.is_some() || was_stamped(store, version).await?;
        }
    }
    Ok(Some(state))
}

/// The identity under which a view's commits carry application transactions.
pub(crate) fn app_id(view: &ViewName) -> String {
    format!("codeanatomy/{view}")
}

/// The stamp as a commit carries it.
pub(crate) fn stamp_entry(stamp: &OutputStamp) -> Result<(String, Value)> {
    let value = serde_json::to_value(stamp)
        .map_err(|error| crate::error::internal("writing a stamp as JSON", error))?;
    Ok((STAMP_KEY.to_owned(), value))
}

/// The stamp of a commit that has one; `Err` when it has one that cannot be read.
pub(crate) fn stamp_of(commit: &Commit) -> Option<Result<OutputStamp, ()>> {
    let stamp = commit.action("commitInfo")?.get(STAMP_KEY)?;
    Some(
        OutputStamp::deserialize(stamp)
            .ok()
            .filter(|stamp| stamp.format_version <= OutputStamp::FORMAT_VERSION)
            .ok_or(()),
    )
}

/// The number of a view's application transaction in a commit.
pub(crate) fn txn_version(commit: &Commit, view: &ViewName) -> Option<i64> {
    let app_id = app_id(view);
    commit
        .actions()
        .filter(|(kind, txn)| {
            *kind == "txn" && txn.get("appId") == Some(&Value::from(app_id.as_str()))
        })
        .find_map(|(_, txn)| txn.get("version")?.as_i64())
}

/// The number of a view's last application transaction; known also when its commit is gone.
pub(crate) async fn last_txn_version(
    store: &Store,
    snapshot: &EagerSnapshot,
    view: &ViewName,
) -> Result<Option<i64>> {
    snapshot
        .transaction_version(store.log_store().as_ref(), app_id(view))
        .await
        .map_err(|error| store.log_error(error))
}

/// Whether a commit that is still in the log carries a stamp of any view.
pub(crate) async fn was_stamped(store: &Store, newest: DeltaVersion) -> Result<bool> {
    for version in (newest.saturating_sub(MAX_WALK)..=newest).rev() {
        match store.commit(version).await? {
            None => return Ok(false),
            Some(commit) if stamp_of(&commit).is_some() => return Ok(true),
            Some(_) => {}
        }
    }
    Ok(false)
}

struct Found {
    version: DeltaVersion,
    commit: Commit,
    /// `None` for a stamp that cannot be read.
    stamp: Option<OutputStamp>,
}

/// The newest stamped commit, if no later one changed a row.
async fn newest_stamp(store: &Store, newest: &Snapshot) -> Result<Option<Found>> {
    let mut metadata_changed = false;
    let newest_version = newest.version();
    for version in (newest_version.saturating_sub(MAX_WALK)..=newest_version).rev() {
        let Some(commit) = store.commit(version).await? else {
            return Ok(None);
        };
        if let Some(stamp) = stamp_of(&commit) {
            let found = Found {
                version,
                commit,
                stamp: stamp.ok(),
            };
            let intact = (!metadata_changed || has_same_columns(store, newest, version).await?)
                && follows_its_base(store, &found).await?;
            return Ok(intact.then_some(found));
        }
        match effect(&commit) {
            Effect::None => {}
            Effect::Metadata => metadata_changed = true,
            Effect::Rows => return Ok(None),
        }
    }
    Ok(None)
}

/// Whether the rows to which those of a stamped commit came are the ones that it was made for.
async fn follows_its_base(store: &Store, found: &Found) -> Result<bool> {
    let Some(base) = found.stamp.as_ref().and_then(|stamp| stamp.based_on) else {
        return Ok(true);
    };
    if base >= found.version {
        return Ok(false);
    }
    for version in base + 1..found.version {
        match store.commit(version).await?.as_ref().map(effect) {
            Some(Effect::None) => {}
            Some(Effect::Metadata | Effect::Rows) | None => return Ok(false),
        }
    }
    Ok(true)
}

enum Effect {
    None,
    Metadata,
    Rows,
}

fn effect(commit: &Commit) -> Effect {
    let mut effect = Effect::None;
    for (kind, action) in commit.actions() {
        match kind {
            "commitInfo" | "txn" | "protocol" | "domainMetadata" | "checkpointMetadata" => {}
            "metaData" => effect = Effect::Metadata,
            "add" | "remove" if action.get("dataChange") == Some(&Value::Bool(false)) => {}
            _ => return Effect::Rows,
        }
    }
    effect
}

/// Whether two versions have the same columns, in name, order, type and nullability.
async fn has_same_columns(store: &Store, newest: &Snapshot, version: DeltaVersion) -> Result<bool> {
    // A version that can no longer be loaded proves nothing.
    let Ok(then) = load(store, Some(version)).await else {
        return Ok(false);
    };
    let columns = |snapshot: &Snapshot| logical_schema(&snapshot.schema(), store.location());
    Ok(columns(newest)? == columns(&then)?
        && newest.metadata().partition_columns() == then.metadata().partition_columns())
}

//! The change feed: which rows came, went and became others, version by version.

mod cursor;
mod scan;
mod window;

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use codeanatomy_vocab::{DatasetName, DeltaVersion, DeltaVersionSelector, Error, Result};
use datafusion_catalog::TableProvider;
use deltalake_core::DeltaTable;
use deltalake_core::kernel::Snapshot;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::scan::FeedScan;
use crate::error::guarded;
use crate::resolve::{find_log, load, readable, resolve};
use crate::schema::logical_schema;
use crate::store::Store;
use crate::{StoreOptions, TableLocation, codes, protocol};

pub(crate) use self::cursor::cursor_transactions;
pub use self::cursor::{CursorReset, feed_cursors, reset_feed_cursor};
pub use self::window::{FeedBound, feed_window};

/// The property that makes a table record its changes.
const ENABLED: &str = "delta.enableChangeDataFeed";

/// The versions whose changes are asked for, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedWindow {
    /// The first version.
    pub starting_version: DeltaVersion,
    /// The last version; the newest where none is given, or one beyond it.
    pub ending_version: Option<DeltaVersion>,
    /// Whether a start beyond the newest version gives no changes instead of an error. So a
    /// consumer that has seen everything need not look first.
    pub allow_out_of_range: bool,
}

/// A change feed over fixed versions.
#[derive(Debug)]
pub struct ChangeFeed {
    /// The dataset.
    pub dataset_name: DatasetName,
    /// The versions whose changes it gives, both ends included; `None` where there are none.
    pub versions: Option<(DeltaVersion, DeltaVersion)>,
    schema: SchemaRef,
    provider: Arc<dyn TableProvider>,
}

impl ChangeFeed {
    /// The columns of the table at the last version, then `_change_type` (`insert`, `delete`,
    /// `update_preimage`, `update_postimage`), `_commit_version` and `_commit_timestamp` in `UTC`.
    pub fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }

    /// The changes, as a table. The order of its rows is that of nothing.
    pub fn provider(&self) -> Arc<dyn TableProvider> {
        Arc::clone(&self.provider)
    }
}

/// Opens the change feed of a Delta table over a window of versions.
///
/// # Errors
///
/// Those of [`open`](crate::open), and:
///
/// - [`CA-DELTA-0026`](codes::FEED_OUT_OF_RANGE): the start is beyond the newest version, unless
///   the window allows it, or before the oldest that the log still has.
/// - [`CA-DELTA-0027`](codes::FEED_BACKWARDS): the end is before the start.
/// - [`CA-DELTA-0028`](codes::FEED_NOT_ENABLED): the table records no changes, or did not in some
///   version of the window; or its columns are mapped, which the feed cannot read.
pub async fn open_change_feed(
    name: &DatasetName,
    location: &TableLocation,
    window: FeedWindow,
    options: &StoreOptions,
) -> Result<ChangeFeed> {
    let store = Store::open(location, options)?;
    open_in(&store, name, window)
        .await
        .map_err(|error| error.with("dataset", name))
}

async fn open_in(store: &Store, name: &DatasetName, window: FeedWindow) -> Result<ChangeFeed> {
    let log = find_log(store).await?;
    let (oldest, newest) = readable(store, &log)?;
    let start = window.starting_version;
    if let Some(end) = window.ending_version.filter(|end| *end < start) {
        return Err(Error::new(
            codes::FEED_BACKWARDS,
            format!("the change feed ends at version {end}, before it starts at version {start}"),
        )
        .with_help("give an end that is not before the start, or none"));
    }
    let end = window.ending_version.unwrap_or(newest).min(newest);
    let newest_snapshot = load(store, Some(end)).await?;
    protocol::check(
        newest_snapshot.protocol(),
        newest_snapshot.metadata(),
        store.location(),
    )?;
    let schema = feed_schema(&newest_snapshot, store)?;
    if start > newest {
        if !window.allow_out_of_range {
            return Err(out_of_range(store, start, oldest, newest));
        }
        let empty = datafusion_catalog::MemTable::try_new(SchemaRef::clone(&schema), vec![vec![]])
            .map_err(|error| crate::error::internal("making an empty feed", error))?;
        return Ok(ChangeFeed {
            dataset_name: name.clone(),
            versions: None,
            schema,
            provider: Arc::new(empty),
        });
    }
    if start < oldest || !log.commits.contains_key(&start) {
        return Err(out_of_range(store, start, oldest, newest));
    }
    check_enabled(store, start, end).await?;
    let mut table = DeltaTable::new(Arc::clone(store.log_store()));
    guarded(store.location(), table.load_version(end))
        .await?
        .map_err(|error| store.log_error(error))?;
    let feed = table
        .scan_cdf()
        .with_starting_version(start)
        .with_ending_version(end);
    let provider = FeedScan::new(store, feed, SchemaRef::clone(&schema))?;
    Ok(ChangeFeed {
        dataset_name: name.clone(),
        versions: Some((start, end)),
        schema,
        provider: Arc::new(provider),
    })
}

fn feed_schema(snapshot: &Snapshot, store: &Store) -> Result<SchemaRef> {
    let table = logical_schema(&snapshot.schema(), store.location())?;
    let mut fields: Vec<Field> = table
        .fields()
        .iter()
        // Files of changes have no promise of what may be null.
        .map(|field| field.as_ref().clone().with_nullable(true))
        .collect();
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    fields.push(Field::new("_change_type", DataType::Utf8, true));
    fields.push(Field::new("_commit_version", DataType::Int64, true));
    fields.push(Field::new("_commit_timestamp", time, true));
    Ok(Arc::new(Schema::new(fields)))
}

/// Refuses a window in which a version recorded no changes.
async fn check_enabled(store: &Store, start: DeltaVersion, end: DeltaVersion) -> Result<()> {
    let refused = |message: String| {
        Err(Error::new(codes::FEED_NOT_ENABLED, message).with_help(format!(
            "set the property `{ENABLED}` of the table to true; changes are recorded from then on"
        )))
    };
    let location = store.location();
    resolve(store, DeltaVersionSelector::Version(start)).await?;
    let snapshot = load(store, Some(start)).await?;
    let configuration = snapshot.metadata().configuration();
    if configuration
        .get("delta.columnMapping.mode")
        .is_some_and(|mode| mode != "none")
    {
        return Err(Error::new(
            codes::FEED_NOT_ENABLED,
            format!(
                "the Delta table at {location} maps its columns, so its changes cannot be read"
            ),
        )
        .with_help("read the table itself, or write a copy of it without column mapping"));
    }
    if configuration
        .get(ENABLED)
        .is_none_or(|on| !on.eq_ignore_ascii_case("true"))
    {
        return refused(format!(
            "the Delta table at {location} did not record its changes in version {start}"
        ));
    }
    for (version, commit) in store.commits(start..=end).await? {
        let Some(commit) = commit else {
            return Err(out_of_range(store, start, version + 1, end));
        };
        let is_on = |metadata: &Value| {
            let value = metadata.get("configuration")?.get(ENABLED)?.as_str()?;
            Some(value.eq_ignore_ascii_case("true"))
        };
        let turned_off = commit
            .actions()
            .any(|(kind, action)| kind == "metaData" && is_on(action) != Some(true));
        if turned_off {
            return refused(format!(
                "the Delta table at {location} stopped recording its changes in version {version}"
            ));
        }
    }
    Ok(())
}

fn out_of_range(
    store: &Store,
    start: DeltaVersion,
    oldest: DeltaVersion,
    newest: DeltaVersion,
) -> Error {
    Error::new(
        codes::FEED_OUT_OF_RANGE,
        format!(
            "the change feed of the Delta table at {} cannot start at version {start}",
            store.location()
        ),
    )
    .with_expected(format!("a version of {oldest}..{newest}"))
    .with_help(
        "start at a version that the log has; `allow_out_of_range` makes a start beyond the \
         newest version an empty feed, and a cursor that is too old has to be reset",
    )
}

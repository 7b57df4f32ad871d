//! The rows of a change feed, in an order, as text and as JSON.

use codeanatomy_delta::{FeedWindow, open_change_feed};
use codeanatomy_session::{Machine, Preset, RuntimeProfile, Session};
use codeanatomy_vocab::{DeltaVersion, Error, Errors, Result, UnixMillis};
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::arrow::json::ArrayWriter;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::tables::TableRef;

/// The column that says what a change did.
const CHANGE_TYPE: &str = "_change_type";
/// The column of the version.
const COMMIT_VERSION: &str = "_commit_version";

/// The changes of a table over some versions.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// The first and the last version; `None` where there are none to read.
    pub versions: Option<(DeltaVersion, DeltaVersion)>,
    /// The names of the columns: those of the table, then those of the feed.
    pub columns: Vec<String>,
    /// How many changes there are of each kind, also beyond the limit.
    pub counts: ChangeCounts,
    /// The changes by version; in one version deletions, updates (before and after), insertions,
    /// each by the text of their values.
    pub rows: Vec<Change>,
}

/// How many changes there are of each kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ChangeCounts {
    /// New rows.
    pub inserted: u64,
    /// Rows that became others, each counted once.
    pub updated: u64,
    /// Rows that went.
    pub deleted: u64,
}

/// One row of a change feed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The values as text, in the order of the columns.
    pub cells: Vec<String>,
    /// The values by their columns' names; nulls as well.
    pub json: Map<String, Value>,
    version: i64,
    kind: u8,
}

/// Reads the change feed of a table, at most `limit` of its rows.
///
/// # Errors
///
/// Those of [`open_change_feed`]; `CA-DELTA-0014` when the changes cannot be read.
pub async fn read_changes(
    table: &TableRef,
    window: FeedWindow,
    limit: Option<usize>,
) -> Result<Changes, Errors> {
    let name = table.dataset_name()?;
    let feed = open_change_feed(&name, &table.location, window, &table.options).await?;
    let (profile, _) = RuntimeProfile::preset(Preset::default()).build(Machine::detect())?;
    // No query sees the time here.
    let session = Session::build(&profile, UnixMillis(0))?;
    let batches = session
        .context()
        .read_table(feed.provider())
        .map_err(unread)?
        .collect()
        .await
        .map_err(unread)?;
    let mut counts = ChangeCounts::default();
    let mut rows = Vec::new();
    for batch in &batches {
        rows.extend(changes(batch, &mut counts)?);
    }
    rows.sort_by(|a, b| (a.version, a.kind, &a.cells).cmp(&(b.version, b.kind, &b.cells)));
    if let Some(limit) = limit {
        rows.truncate(limit);
    }
    let schema = feed.schema();
    Ok(Changes {
        versions: feed.versions,
        columns: schema.fields().iter().map(|f| f.name().clone()).collect(),
        counts,
        rows,
    })
}

fn changes(batch: &RecordBatch, counts: &mut ChangeCounts) -> Result<Vec<Change>> {
    let options = FormatOptions::default().with_null("null");
    let columns: Vec<ArrayFormatter<'_>> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options))
        .collect::<Result<_, _>>()
        .map_err(|error| unread(error.into()))?;
    let kinds = batch
        .column_by_name(CHANGE_TYPE)
        .map(|c| c.as_string::<i32>());
    let versions = batch
        .column_by_name(COMMIT_VERSION)
        .map(|c| c.as_primitive::<Int64Type>());
    Ok(documents(batch)?
        .into_iter()
        .enumerate()
        .map(|(row, json)| {
            let kind = match kinds
                .filter(|kinds| kinds.is_valid(row))
                .map(|k| k.value(row))
            {
                Some("delete") => {
                    counts.deleted += 1;
                    0
                }
                Some("update_preimage") => 1,
                Some("update_postimage") => {
                    counts.updated += 1;
                    2
                }
                Some(_) | None => {
                    counts.inserted += 1;
                    3
                }
            };
            Change {
                cells: columns.iter().map(|c| c.value(row).to_string()).collect(),
                json,
                version: versions.map_or(0, |versions| versions.value(row)),
                kind,
            }
        })
        .collect())
}

/// Each row as a JSON object that names every column.
fn documents(batch: &RecordBatch) -> Result<Vec<Map<String, Value>>> {
    let mut bytes = Vec::new();
    let mut writer = ArrayWriter::new(&mut bytes);
    writer
        .write(batch)
        .and_then(|()| writer.finish())
        .map_err(|error| unread(error.into()))?;
    let rows: Vec<Map<String, Value>> = match bytes.is_empty() {
        true => Vec::new(),
        false => serde_json::from_slice(&bytes).map_err(|error| {
            unread(datafusion::error::DataFusionError::External(Box::new(
                error,
            )))
        })?,
    };
    let schema = batch.schema();
    Ok(rows
        .into_iter()
        .map(|mut row| {
            let values = schema.fields().iter().map(|field| {
                let value = row.remove(field.name()).unwrap_or(Value::Null);
                (field.name().clone(), value)
            });
            values.collect()
        })
        .collect())
}

fn unread(error: datafusion::error::DataFusionError) -> Error {
    codeanatomy_delta::query_error(error)
}

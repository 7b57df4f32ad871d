//! `codeanatomy delta cdf`

use codeanatomy::delta::{FeedBound, feed_window};
use codeanatomy::{ChangeCounts, Changes, read_changes};
use codeanatomy_vocab::{DeltaVersion, Errors, UnixMillis};
use serde::Serialize;
use serde_json::{Map, Value};

use super::super::Context;
use super::Document;
use crate::args::DeltaCdf;
use crate::exit::Exit;
use crate::render::{Align, Paint, Table, count, plain};

#[derive(Serialize)]
struct Feed<'a> {
    starting_version: Option<DeltaVersion>,
    ending_version: Option<DeltaVersion>,
    #[serde(flatten)]
    counts: ChangeCounts,
    columns: &'a [String],
    rows: Vec<&'a Map<String, Value>>,
}

pub(crate) fn run(args: &DeltaCdf, context: &Context) -> Result<Exit, Errors> {
    let table = context.table(&args.table)?;
    // The arguments are not taken without a start.
    let start = bound(args.from_version, args.from_timestamp).unwrap_or(FeedBound::Version(0));
    let end = bound(args.to_version, args.to_timestamp);
    let changes = context.work(async {
        let window = feed_window(
            &table.location,
            &table.options,
            start,
            end,
            args.allow_out_of_range,
        );
        read_changes(&table, window.await?, args.limit).await
    })?;
    let feed = Feed {
        starting_version: changes.versions.map(|(start, _)| start),
        ending_version: changes.versions.map(|(_, end)| end),
        counts: changes.counts,
        columns: &changes.columns,
        rows: changes.rows.iter().map(|row| &row.json).collect(),
    };
    let output = &context.output;
    output.result(&Document::new(&table, feed), || {
        text(&changes, output.paint())
    })?;
    Ok(Exit::Ok)
}

fn bound(version: Option<DeltaVersion>, time: Option<UnixMillis>) -> Option<FeedBound> {
    let version = version.map(FeedBound::Version);
    version.or(time.map(FeedBound::Timestamp))
}

fn text(changes: &Changes, paint: Paint) -> String {
    let Some((start, end)) = changes.versions else {
        return "there are no versions in the window, so there are no changes\n".to_owned();
    };
    let headings: Vec<(&str, Align)> = changes
        .columns
        .iter()
        .map(|column| (column.as_str(), Align::Left))
        .collect();
    let mut table = Table::new(&headings);
    for row in &changes.rows {
        table.row(row.cells.iter().map(|cell| plain(one_line(cell))));
    }
    let ChangeCounts {
        inserted,
        updated,
        deleted,
    } = changes.counts;
    format!(
        "{}versions {start} to {end}: {} inserted, {} updated, {} deleted\n",
        table.render(paint),
        count(inserted),
        count(updated),
        count(deleted)
    )
}

/// Text without line breaks and other characters that would move the cursor of a terminal.
fn one_line(text: &str) -> String {
    if text.contains(char::is_control) {
        text.escape_debug().to_string()
    } else {
        text.to_owned()
    }
}

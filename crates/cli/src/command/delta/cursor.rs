//! `codeanatomy delta cursor`

use codeanatomy::delta::maintain::newest_version;
use codeanatomy::delta::{feed_cursors, reset_feed_cursor};
use codeanatomy_vocab::{DatasetName, DeltaVersion, Error, Errors, SystemClock, ViewName, nearest};
use serde::Serialize;

use super::super::Context;
use crate::args::{DeltaCursorReset, DeltaCursorShow};
use crate::exit::Exit;
use crate::render::{Align, Paint, Table, plain};

#[derive(Serialize)]
struct ShowDocument {
    cursors: Vec<Cursor>,
}

#[derive(Serialize)]
struct Cursor {
    view: ViewName,
    dataset: DatasetName,
    /// The last version whose changes are in the view's output.
    version: DeltaVersion,
    /// The newest version of the dataset, where it can be read.
    newest_version: Option<DeltaVersion>,
}

#[derive(Serialize)]
struct ResetDocument<'a> {
    view: &'a ViewName,
    dataset: &'a DatasetName,
    /// The version of the output that holds the reset.
    version: DeltaVersion,
    before: Option<DeltaVersion>,
    after: Option<DeltaVersion>,
}

pub(crate) fn show(args: &DeltaCursorShow, context: &Context) -> Result<Exit, Errors> {
    let tables = context.tables(None)?;
    let views = match &args.view {
        Some(view) => vec![view.clone()],
        None => tables.stored_views(),
    };
    let datasets = tables.datasets();
    let cursors = context.work(async {
        let mut cursors = Vec::new();
        for view in views {
            let output = tables.output(&view)?;
            let found = feed_cursors(&output.location, &output.options, &view, &datasets).await?;
            for (dataset, version) in found {
                let Some(version) = version else {
                    continue;
                };
                let newest_version = match tables.find(dataset.as_str()) {
                    Ok(table) => newest_version(&table.location, &table.options).await.ok(),
                    Err(_) => None,
                };
                cursors.push(Cursor {
                    view: view.clone(),
                    dataset,
                    version,
                    newest_version,
                });
            }
        }
        Ok(cursors)
    })?;
    let output = &context.output;
    let document = ShowDocument { cursors };
    output.result(&document, || text(&document.cursors, output.paint()))?;
    Ok(Exit::Ok)
}

pub(crate) fn reset(args: &DeltaCursorReset, context: &Context) -> Result<Exit, Errors> {
    let tables = context.tables(None)?;
    let datasets = tables.datasets();
    if !datasets.contains(&args.dataset) {
        let known = datasets.iter().map(DatasetName::as_str);
        return Err(Error::new(
            codeanatomy::codes::UNKNOWN_TABLE,
            format!("there is no dataset `{}` in this project", args.dataset),
        )
        .with_nearest(nearest(args.dataset.as_str(), known))
        .with_help("name a dataset of codeanatomy.toml")
        .into());
    }
    let output = tables.output(&args.view)?;
    let reset = context.work(async {
        Ok(reset_feed_cursor(
            &output.location,
            &output.options,
            &args.view,
            &args.dataset,
            args.to_version,
            &SystemClock,
        )
        .await?)
    })?;
    let document = ResetDocument {
        view: &args.view,
        dataset: &args.dataset,
        version: reset.version,
        before: reset.before,
        after: reset.after,
    };
    context.output.result(&document, || {
        let place = |version: Option<DeltaVersion>| match version {
            Some(version) => format!("version {version}"),
            None => "the beginning".to_owned(),
        };
        format!(
            "the cursor of `{}` in `{}` moved from {} to {}\n",
            args.view,
            args.dataset,
            place(reset.before),
            place(reset.after)
        )
    })?;
    Ok(Exit::Ok)
}

fn text(cursors: &[Cursor], paint: Paint) -> String {
    if cursors.is_empty() {
        return "no view has read the changes of a dataset\n".to_owned();
    }
    let mut table = Table::new(&[
        ("VIEW", Align::Left),
        ("DATASET", Align::Left),
        ("VERSION", Align::Right),
        ("NEWEST", Align::Right),
        ("BEHIND", Align::Right),
    ]);
    for cursor in cursors {
        let newest = cursor.newest_version;
        let behind = newest.map(|newest| newest.saturating_sub(cursor.version));
        let shown = |version: Option<DeltaVersion>| version.map(|v| v.to_string());
        table.row([
            plain(cursor.view.to_string()),
            plain(cursor.dataset.to_string()),
            plain(cursor.version.to_string()),
            plain(shown(newest).unwrap_or_default()),
            plain(shown(behind).unwrap_or_default()),
        ]);
    }
    table.render(paint)
}

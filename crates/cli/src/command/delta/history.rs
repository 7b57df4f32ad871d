//! `codeanatomy delta history`

use codeanatomy::delta::maintain::{HistoryEntry, table_history};
use codeanatomy_vocab::Errors;
use serde::Serialize;

use super::super::Context;
use super::Document;
use crate::args::DeltaHistory;
use crate::exit::Exit;
use crate::render::{Align, Paint, Table, plain, timestamp};

#[derive(Serialize)]
struct Commits<'a> {
    commits: &'a [HistoryEntry],
}

pub(crate) fn run(args: &DeltaHistory, context: &Context) -> Result<Exit, Errors> {
    let table = context.table(&args.table)?;
    let commits = context
        .work(async { Ok(table_history(&table.location, &table.options, args.limit).await?) })?;
    let output = &context.output;
    let document = Document::new(&table, Commits { commits: &commits });
    output.result(&document, || text(&commits, args.limit, output.paint()))?;
    Ok(Exit::Ok)
}

fn text(commits: &[HistoryEntry], limit: usize, paint: Paint) -> String {
    if commits.is_empty() {
        return "the log holds no commit any more, only a checkpoint\n".to_owned();
    }
    let mut table = Table::new(&[
        ("VERSION", Align::Right),
        ("COMMITTED (UTC)", Align::Left),
        ("OPERATION", Align::Left),
        ("FILES", Align::Right),
        ("VIEW", Align::Left),
        ("ENGINE", Align::Left),
    ]);
    for commit in commits {
        let files = match (commit.files_added, commit.files_removed) {
            (0, 0) => String::new(),
            (added, removed) => format!("+{added} -{removed}"),
        };
        table.row([
            plain(commit.version.to_string()),
            plain(commit.committed_at.map(timestamp).unwrap_or_default()),
            plain(commit.operation.clone().unwrap_or_default()),
            plain(files),
            plain(
                commit
                    .view
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            ),
            plain(commit.engine.clone().unwrap_or_default()),
        ]);
    }
    let mut text = table.render(paint);
    let oldest = commits.last().map_or(0, |commit| commit.version);
    if commits.len() == limit && oldest > 0 {
        text.push_str(&paint.faint("older commits are left out; `--limit` shows more"));
        text.push('\n');
    }
    text
}

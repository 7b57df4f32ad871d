//! Tables that other writers made: each is read right, or refused by the name of what is missing.
//!
//! The folder with the tables is named by `CODEANATOMY_DELTA_TABLES`; without it there is nothing
//! to test.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use codeanatomy_vocab::{DatasetName, DeltaVersionSelector};
use deltalake_core::DeltaTableBuilder;
use futures::FutureExt;

use super::support::{location, query, rows};
use crate::{PinnedTable, StoreOptions, codes, open};

#[tokio::test(flavor = "multi_thread")]
async fn every_table_is_read_right_or_refused_by_name() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the tables are not part of the project"
    )]
    let Ok(folder) = std::env::var("CODEANATOMY_DELTA_TABLES") else {
        println!("skipped: CODEANATOMY_DELTA_TABLES names no folder");
        return;
    };
    let mut wrong = Vec::new();
    for table in tables(Path::new(&folder)) {
        let verdict = verdict(&table).await;
        let name = table.strip_prefix(&folder).unwrap().display().to_string();
        let (text, is_right) = match verdict {
            Ok(text) => (text, true),
            Err(text) => (format!("WRONG: {text}"), false),
        };
        println!("{name}: {text}");
        if !is_right {
            wrong.push(name);
        }
    }
    assert!(wrong.is_empty(), "wrong: {wrong:?}");
}

fn tables(folder: &Path) -> Vec<PathBuf> {
    let mut tables = Vec::new();
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    entries.sort();
    for entry in entries {
        let nested: Vec<PathBuf> = if entry.join("_delta_log").is_dir() {
            Vec::new()
        } else {
            tables_below(&entry)
        };
        if nested.is_empty() {
            tables.push(entry);
        } else {
            tables.extend(nested);
        }
    }
    tables
}

fn tables_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.join("_delta_log").is_dir() {
            found.push(path);
        } else if path.is_dir() {
            found.extend(tables_below(&path));
        }
    }
    found.sort();
    found
}

async fn verdict(folder: &Path) -> Result<String, String> {
    let name = DatasetName::new("t").unwrap();
    let opened = open(
        &name,
        &location(folder),
        DeltaVersionSelector::Latest,
        &StoreOptions::new(),
    )
    .await;
    let table = match opened {
        Ok(table) => table,
        Err(error) if error.code() == codes::INTERNAL => return Err(format!("{error:?}")),
        Err(error) => return Ok(format!("refused: {} {error}", error.code())),
    };
    let (count, all) = match read(&table).await {
        Ok(read) => read,
        Err(error) => return Err(error),
    };
    let schema = table.schema();
    let ours = rows(&all, &schema);
    if ours.len() != count {
        return Err(format!(
            "count(*) is {count}, select * gives {}",
            ours.len()
        ));
    }
    if table.n_rows().is_some_and(|n_rows| n_rows != count as u64) {
        return Err(format!(
            "count(*) is {count}, the log says {:?}",
            table.n_rows()
        ));
    }
    statistics_tell_the_truth(&table).await?;
    files_can_be_read_alone(&table, count).await?;
    let theirs = match AssertUnwindSafe(library_rows(folder)).catch_unwind().await {
        Ok(Ok(theirs)) => rows(&theirs, &schema),
        Ok(Err(error)) => return Ok(format!("{count} rows; the library fails: {error}")),
        Err(_) => return Ok(format!("{count} rows; the library panics")),
    };
    if ours != theirs && folder.ends_with("table_with_edge_timestamps") {
        // Times of 96 bits beyond the year 2262: the library lets them overflow.
        return Ok(format!("{count} rows; the library's times overflow"));
    }
    if ours != theirs {
        let differing = ours.iter().zip(&theirs).find(|(a, b)| a != b);
        return Err(format!(
            "{} rows, the library has {}; first difference {differing:?}",
            ours.len(),
            theirs.len()
        ));
    }
    Ok(format!(
        "{count} rows in {} files, version {}, as the library reads it{}",
        table.n_files(),
        table.pin().version,
        if table.n_rows().is_some() {
            ""
        } else {
            "; the log has no row counts"
        },
    ))
}

async fn read(table: &PinnedTable) -> Result<(usize, Vec<RecordBatch>), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let provider = || table.provider().map_err(|error| text(&error));
    let counted = query(provider()?, "select count(*) from t")
        .await
        .map_err(|error| format!("count(*): {error}"))?;
    let count = rows(&counted, &counted[0].schema())[0].parse().unwrap();
    let all = query(provider()?, "select * from t")
        .await
        .map_err(|error| format!("select *: {error}"))?;
    for batch in &all {
        let promised = table.schema();
        let got: Vec<_> = batch
            .schema()
            .fields()
            .iter()
            .map(|f| f.data_type().clone())
            .collect();
        let want: Vec<_> = promised
            .fields()
            .iter()
            .map(|f| f.data_type().clone())
            .collect();
        if got != want {
            return Err(format!("promised {want:?}, got {got:?}"));
        }
    }
    Ok((count, all))
}

/// A scan of each file alone gives all rows together, once.
async fn files_can_be_read_alone(table: &PinnedTable, count: usize) -> Result<(), String> {
    let paths = table
        .prune(&super::support::session(1).state(), &[])
        .candidate_paths;
    if paths.len() < 2 || paths.len() > 50 || count > 100_000 {
        return Ok(());
    }
    let mut sum = 0;
    for path in paths {
        let provider = table
            .provider_of(&[path])
            .map_err(|error| error.to_string())?;
        let batches = query(provider, "select * from t")
            .await
            .map_err(|error| format!("one file: {error}"))?;
        sum += batches.iter().map(RecordBatch::num_rows).sum::<usize>();
    }
    if sum != count {
        return Err(format!("{count} rows, and {sum} file by file"));
    }
    Ok(())
}

/// Minima, maxima and null counts are the same from statistics and from the rows.
async fn statistics_tell_the_truth(table: &PinnedTable) -> Result<(), String> {
    for field in table.schema().fields() {
        if field.data_type().is_nested() || field.data_type().is_null() {
            continue;
        }
        let column = format!("\"{}\"", field.name().replace('"', "\"\""));
        for function in ["min", "max", "count"] {
            let quick = format!("select {function}({column}) from t");
            // A filter that is always true and that nothing folds keeps statistics out.
            let slow = format!(
                "select {function}({column}) from (select {column}, random() as r from t) where r >= 0"
            );
            let mut answers = Vec::new();
            for sql in [quick, slow] {
                let provider = table.provider().map_err(|error| error.to_string())?;
                let batches = query(provider, &sql)
                    .await
                    .map_err(|error| format!("{sql}: {error}"))?;
                answers.push(rows(&batches, &batches[0].schema()));
            }
            if answers[0] != answers[1] {
                return Err(format!("{function}({column}): {answers:?}"));
            }
        }
    }
    Ok(())
}

async fn library_rows(folder: &Path) -> Result<Vec<RecordBatch>, String> {
    let url = url::Url::from_directory_path(folder).unwrap();
    let table = DeltaTableBuilder::from_url(url)
        .map_err(|error| error.to_string())?
        .load()
        .await
        .map_err(|error| error.to_string())?;
    let provider = table
        .table_provider()
        .await
        .map_err(|error| error.to_string())?;
    query(provider, "select * from t")
        .await
        .map_err(|error| error.to_string())
}

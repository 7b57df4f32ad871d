//! `delta_files`: the data files of a Delta table.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use datafusion_catalog::{MemTable, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion_common::{DataFusionError, Result};

use super::arguments::Arguments;
use super::delta_metadata::{batch, text_map, times};
use super::wait::wait;
use super::{DeltaFile, DeltaOpener};
use crate::{Docs, Entry};

const NAME: &str = "delta_files";

/// The line of the manifest.
pub(crate) fn entry(opener: &Arc<dyn DeltaOpener>) -> Entry {
    let opener = Arc::clone(opener);
    Entry::table(NAME, Arc::new(DeltaFilesScan { opener }), 1, DOCS)
}

const DOCS: Docs = Docs {
    section: "table",
    summary: "The data files of a Delta table at one version.",
    syntax: "delta_files(location[, version])",
    arguments: &[
        ("location", "a path or a URL."),
        (
            "version",
            "a number, or a time as text; the newest version by default.",
        ),
    ],
    returns: "`path`, `size_bytes`, `modified_at`, `partition_values` (a map, as the log writes them), \
              `n_rows` (deleted rows among them; null where the log does not say it), `n_deleted`.",
    notes: &["Sorted by path. A view cannot call it: its plan would not show what it reads."],
    examples: &[],
};

#[derive(Debug)]
struct DeltaFilesScan {
    opener: Arc<dyn DeltaOpener>,
}

impl TableFunctionImpl for DeltaFilesScan {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let arguments = Arguments::read(NAME, args.exprs(), 1, 2)?;
        let location = arguments.text(0, "location")?;
        let version = arguments.selector(1)?;
        let mut files = wait(async {
            let read = self.opener.files(location, version).await;
            read.map_err(|error| DataFusionError::External(Box::new(error)))
        })?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let batch = rows(&files)?;
        Ok(Arc::new(MemTable::try_new(
            batch.schema(),
            vec![vec![batch]],
        )?))
    }
}

fn rows(files: &[DeltaFile]) -> Result<RecordBatch> {
    let numbers = |value: fn(&DeltaFile) -> Option<u64>| -> ArrayRef {
        Arc::new(files.iter().map(value).collect::<UInt64Array>())
    };
    let mut partition_values = text_map();
    for file in files {
        for (key, value) in &file.partition_values {
            partition_values.keys().append_value(key);
            partition_values.values().append_option(value.as_deref());
        }
        partition_values.append(true)?;
    }
    let paths = files.iter().map(|file| Some(file.path.as_str()));
    batch(vec![
        ("path!", Arc::new(paths.collect::<StringArray>())),
        ("size_bytes!", numbers(|file| Some(file.size_bytes))),
        (
            "modified_at!",
            times(files.iter().map(|file| Some(file.modified_at.0))),
        ),
        ("partition_values!", Arc::new(partition_values.finish())),
        ("n_rows", numbers(|file| file.n_rows)),
        ("n_deleted!", numbers(|file| Some(file.n_deleted))),
    ])
}

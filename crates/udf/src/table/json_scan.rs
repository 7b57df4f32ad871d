//! `json_scan`: the rows of files with a JSON object in each line.

use std::sync::Arc;

use datafusion::datasource::file_format::json::JsonFormat;
use datafusion_catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion_common::Result;

use super::listing::scan;
use crate::{Docs, Entry};

const NAME: &str = "json_scan";

/// The line of the manifest.
pub(crate) fn entry() -> Entry {
    Entry::table(NAME, Arc::new(JsonScan), 1, DOCS)
}

const DOCS: Docs = Docs {
    section: "table",
    summary: "The rows of files with a JSON object in each line.",
    syntax: "json_scan(path, ...)",
    arguments: &[(
        "path",
        "a file, a folder (its own files that end with `.json`), or a pattern with `*`; a path or \
         a URL; several of them are read as one table.",
    )],
    returns: "A column for each key, by name; its type is found from the first 1,000 lines of each file.",
    notes: &[
        "The schema is read when the query is planned. A view cannot call it, because its plan would not \
         show what it reads: declare a dataset, which is pinned.",
    ],
    examples: &[],
};

#[derive(Debug)]
struct JsonScan;

impl TableFunctionImpl for JsonScan {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let format =
            JsonFormat::default().with_options(args.session().default_table_options().json);
        scan(NAME, Arc::new(format), ".json", &args)
    }
}

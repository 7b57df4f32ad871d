//! `parquet_scan`: the rows of Parquet files.

use std::sync::Arc;

use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion_catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion_common::Result;

use super::listing::scan;
use crate::{Docs, Entry};

const NAME: &str = "parquet_scan";

/// The line of the manifest.
pub(crate) fn entry() -> Entry {
    Entry::table(NAME, Arc::new(ParquetScan), 1, DOCS)
}

const DOCS: Docs = Docs {
    section: "table",
    summary: "The rows of Parquet files.",
    syntax: "parquet_scan(path, ...)",
    arguments: &[(
        "path",
        "a file, a folder (its own files that end with `.parquet`), or a pattern with `*`; a path \
         or a URL; several of them are read as one table.",
    )],
    returns: "The columns of all files, by name; a column that a file lacks is null there.",
    notes: &[
        "The schema is read when the query is planned. A view cannot call it, because its plan would not \
         show what it reads: declare a dataset, which is pinned.",
    ],
    examples: &[],
};

#[derive(Debug)]
struct ParquetScan;

impl TableFunctionImpl for ParquetScan {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let format =
            ParquetFormat::default().with_options(args.session().default_table_options().parquet);
        scan(NAME, Arc::new(format), ".parquet", &args)
    }
}

//! `delta_scan`: the rows of a Delta table.

use std::sync::Arc;

use datafusion_catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion_common::{DataFusionError, Result};

use super::DeltaOpener;
use super::arguments::Arguments;
use super::wait::wait;
use crate::{Docs, Entry};

const NAME: &str = "delta_scan";

/// The line of the manifest.
pub(crate) fn entry(opener: &Arc<dyn DeltaOpener>) -> Entry {
    let opener = Arc::clone(opener);
    Entry::table(NAME, Arc::new(DeltaScan { opener }), 1, DOCS)
}

const DOCS: Docs = Docs {
    section: "table",
    summary: "The rows of a Delta table at one version.",
    syntax: "delta_scan(location[, version])",
    arguments: &[
        ("location", "a path or a URL."),
        (
            "version",
            "a number, or a time as text: the newest version committed at or before it; the \
                     newest version by default.",
        ),
    ],
    returns: "The columns of the table.",
    notes: &[
        "The version is fixed when the query is planned. A view cannot call it, because its plan would not \
         show what it reads: declare a dataset, which is pinned.",
    ],
    examples: &[],
};

#[derive(Debug)]
struct DeltaScan {
    opener: Arc<dyn DeltaOpener>,
}

impl TableFunctionImpl for DeltaScan {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let arguments = Arguments::read(NAME, args.exprs(), 1, 2)?;
        let location = arguments.text(0, "location")?;
        let version = arguments.selector(1)?;
        wait(async {
            let opened = self.opener.scan(location, version).await;
            opened.map_err(|error| DataFusionError::External(Box::new(error)))
        })
    }
}

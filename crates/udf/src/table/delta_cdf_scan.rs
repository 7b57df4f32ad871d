//! `delta_cdf_scan`: what changed in a Delta table.

use std::sync::Arc;

use datafusion_catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion_common::{DataFusionError, Result, plan_err};

use super::arguments::Arguments;
use super::wait::wait;
use super::{ChangeWindow, DeltaOpener};
use crate::{Docs, Entry};

const NAME: &str = "delta_cdf_scan";

/// The line of the manifest.
pub(crate) fn entry(opener: &Arc<dyn DeltaOpener>) -> Entry {
    let opener = Arc::clone(opener);
    Entry::table(NAME, Arc::new(DeltaCdfScan { opener }), 1, DOCS)
}

const DOCS: Docs = Docs {
    section: "table",
    summary: "The rows that came, went and became others between versions of a Delta table.",
    syntax: "delta_cdf_scan(location, starting_version[, ending_version[, allow_out_of_range]])",
    arguments: &[
        ("location", "a path or a URL."),
        (
            "starting_version",
            "the first version whose changes are given.",
        ),
        ("ending_version", "the last one; the newest by default."),
        (
            "allow_out_of_range",
            "whether a start beyond the newest version gives no rows, and not an error; \
                                false by default.",
        ),
    ],
    returns: "The columns of the table, then `_change_type` (`insert`, `delete`, `update_preimage`, \
              `update_postimage`), `_commit_version` and `_commit_timestamp`.",
    notes: &[
        "The table must record its changes (`delta.enableChangeDataFeed`). A view cannot call it: its plan \
         would not show what it reads.",
    ],
    examples: &[],
};

#[derive(Debug)]
struct DeltaCdfScan {
    opener: Arc<dyn DeltaOpener>,
}

impl TableFunctionImpl for DeltaCdfScan {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let arguments = Arguments::read(NAME, args.exprs(), 2, 4)?;
        let location = arguments.text(0, "location")?;
        let Some(starting_version) = arguments.version(1, "starting version")? else {
            return plan_err!("the starting version of `{NAME}` must not be null");
        };
        let window = ChangeWindow {
            starting_version,
            ending_version: arguments.version(2, "ending version")?,
            allow_out_of_range: arguments.flag(3, "last argument")?,
        };
        wait(async {
            let opened = self.opener.changes(location, window).await;
            opened.map_err(|error| DataFusionError::External(Box::new(error)))
        })
    }
}

//! `codeanatomy delta optimize` and `codeanatomy delta restore`

use codeanatomy::delta::maintain::{OptimizeSpec, optimize as optimize_table, restore as go_back};
use codeanatomy_vocab::{DeltaVersionSelector, Errors};

use super::super::Context;
use super::Document;
use crate::args::{DeltaOptimize, DeltaRestore};
use crate::exit::Exit;
use crate::render::{bytes, plural};

pub(crate) fn optimize(args: &DeltaOptimize, context: &Context) -> Result<Exit, Errors> {
    let table = context.table(&args.table)?;
    let spec = OptimizeSpec {
        z_order_by: args.z_order.iter().map(|c| c.trim().to_owned()).collect(),
        target_file_bytes: args.target_size,
    };
    let report =
        context.work(async { Ok(optimize_table(&table.location, &table.options, spec).await?) })?;
    context.output.result(&Document::new(&table, &report), || {
        if report.files_removed == 0 {
            return format!("nothing to do: version {} is fine\n", report.version);
        }
        let files = |n: u64| plural(usize::try_from(n).unwrap_or(usize::MAX), "file");
        format!(
            "version {}: {} ({}) in place of {} ({})\n",
            report.version,
            files(report.files_added),
            bytes(report.bytes_added),
            files(report.files_removed),
            bytes(report.bytes_removed)
        )
    })?;
    Ok(Exit::Ok)
}

pub(crate) fn restore(args: &DeltaRestore, context: &Context) -> Result<Exit, Errors> {
    let table = context.table(&args.table)?;
    let selector = match (args.to_version, args.to_timestamp) {
        (Some(version), _) => DeltaVersionSelector::Version(version),
        (None, Some(time)) => DeltaVersionSelector::Timestamp(time),
        // The arguments are not taken without one of the two.
        (None, None) => DeltaVersionSelector::Latest,
    };
    let report =
        context.work(async { Ok(go_back(&table.location, &table.options, selector).await?) })?;
    context.output.result(&Document::new(&table, &report), || {
        if report.version == report.restored_version {
            return format!("nothing to do: version {} is the newest\n", report.version);
        }
        format!(
            "version {} has the rows of version {}: {} restored, {} removed\n",
            report.version,
            report.restored_version,
            plural(report.files_restored, "file"),
            report.files_removed
        )
    })?;
    Ok(Exit::Ok)
}

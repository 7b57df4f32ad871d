//! `codeanatomy fingerprints`

use codeanatomy_vocab::Errors;

use super::Context;
use crate::args::Fingerprints;
use crate::exit::Exit;
use crate::progress;
use crate::render::{Align, Table, plain};

pub(crate) fn run(args: &Fingerprints, context: &Context) -> Result<Exit, Errors> {
    let dir = context.project_dir()?;
    let observer = progress::observer(&context.output);
    let report = context.block_on(async {
        let planned = context.planned(&dir, &args.views, &observer).await?;
        Ok(planned.fingerprints())
    })?;
    drop(observer);
    context.output.result(&report, || {
        let mut table = Table::new(&[
            ("VIEW", Align::Left),
            ("PLAN FINGERPRINT", Align::Left),
            ("RESULT KEY", Align::Left),
            ("PLAN DIGEST", Align::Left),
        ]);
        for (name, view) in &report.views {
            table.row([
                plain(name.to_string()),
                plain(view.plan_fingerprint.short()),
                plain(view.result_key.short()),
                plain(view.plan_digest.short()),
            ]);
        }
        table.render(context.output.paint())
    })?;
    Ok(Exit::Ok)
}

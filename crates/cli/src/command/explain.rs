//! `codeanatomy explain`

use codeanatomy::ExplainKind;
use codeanatomy_vocab::Errors;
use serde_json::json;

use super::Context;
use crate::args::{Explain, PlanKind};
use crate::exit::Exit;
use crate::progress;

pub(crate) fn run(args: &Explain, context: &Context) -> Result<Exit, Errors> {
    let dir = context.project_dir()?;
    let observer = progress::observer(&context.output);
    let kind = match args.kind {
        PlanKind::Logical => ExplainKind::Logical,
        PlanKind::Optimized => ExplainKind::Optimized,
        PlanKind::Physical => ExplainKind::Physical,
        PlanKind::Dot => ExplainKind::Dot,
        PlanKind::Determinism => ExplainKind::Determinism,
        PlanKind::Substrait => ExplainKind::Substrait,
        PlanKind::Bundle => ExplainKind::Bundle,
    };
    let plan = context.block_on(async {
        let views = [args.view.clone()];
        let planned = context.planned(&dir, &views, &observer).await?;
        Ok(planned.explain(&args.view, kind).await?)
    })?;
    drop(observer);
    let json = json!({ "view": args.view, "kind": args.kind.as_str(), "plan": plan });
    context
        .output
        .result(&json, || format!("{}\n", plan.trim_end()))?;
    Ok(Exit::Ok)
}

//! `codeanatomy lineage`

mod dot;
mod tree;

use std::sync::Arc;

use codeanatomy::exec::{Direction, LineageTarget, unknown_table};
use codeanatomy_vocab::{Errors, ViewName};

use super::Context;
use crate::args::{Lineage, LineageKind};
use crate::exit::Exit;
use crate::progress;

pub(crate) fn run(args: &Lineage, context: &Context) -> Result<Exit, Errors> {
    let output = &context.output;
    let dir = context.project_dir()?;
    let configured = context.configured_in(&dir)?;
    let target = match &args.target {
        None => LineageTarget::Project,
        Some(text) => LineageTarget::parse(text),
    };
    let views = configured.definitions().keys().map(ViewName::as_str);
    let datasets: Vec<&str> = configured
        .datasets()
        .map(|spec| spec.name.as_str())
        .collect();
    let of_view = match target.table() {
        None => None,
        Some(table) => match ViewName::new(table) {
            Ok(view) if configured.definitions().contains_key(&view) => Some(view),
            _ if datasets.contains(&table) => None,
            _ => return Err(unknown_table(table, views.chain(datasets)).into()),
        },
    };
    let direction = match (args.upstream, args.downstream) {
        (_, true) => Direction::Downstream,
        (true, false) => Direction::Upstream,
        (false, false) if of_view.is_none() && target.table().is_some() => Direction::Downstream,
        (false, false) => Direction::Upstream,
    };
    // What is upstream of a view is planned with it; what is downstream may be anything.
    let selection: Vec<ViewName> = match direction {
        Direction::Upstream => of_view.into_iter().collect(),
        Direction::Downstream => Vec::new(),
    };
    let observer = progress::observer(output);
    let answer = context.block_on(async {
        let pinned = configured.pin(&selection, Arc::clone(&observer)).await?;
        let planned = pinned.plan(Arc::clone(&observer)).await?;
        Ok(planned.lineage().answer(&target, direction)?)
    })?;
    drop(observer);
    output.result(&answer, || {
        if args.dot || args.kind == Some(LineageKind::Dot) {
            dot::text(&answer)
        } else {
            tree::text(&answer, output.paint())
        }
    })?;
    Ok(Exit::Ok)
}

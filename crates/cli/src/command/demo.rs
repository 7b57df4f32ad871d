//! `codeanatomy demo`

use std::path::{Path, PathBuf};

use codeanatomy_project::PROJECT_FILE;
use codeanatomy_vocab::Errors;

use super::pipeline::unless_cancelled;
use super::{Context, build};
use crate::args::{Build, Demo, Format};
use crate::exit::Exit;
use crate::progress;
use crate::render::quoted;

/// Where the example is in a clone of the repository.
const IN_REPOSITORY: &str = "examples/tpch";
const ELSEWHERE: &str = "codeanatomy-demo";

pub(crate) fn run(args: &Demo, context: &Context) -> Result<Exit, Errors> {
    let output = &context.output;
    let dir = folder(args, context);
    let shown = output.paths.show(&dir);
    let written = codeanatomy_tpch::write_project(&dir)?;
    if !written.written.is_empty() {
        output.note(&format!("wrote the example project to {shown}"));
    }

    let cancel = context.interrupts.token();
    let tables = progress::Tables::new(output);
    let summary = context.block_on(unless_cancelled(&cancel, async {
        let show = |progress| tables.show(progress);
        Ok(codeanatomy_tpch::generate(&dir.join("data"), args.scale, &show).await?)
    }))?;
    drop(tables);
    let verb = if summary.reused { "found" } else { "made" };
    output.note(&format!("{verb} the data: {summary}"));

    let all = Build {
        views: Vec::new(),
        force: false,
        fail_fast: false,
        openlineage: None,
    };
    let exit = build::build(&all, &dir, context)?;
    if exit == Exit::Ok && output.format == Format::Text {
        output.note(&next(&shown, context));
    }
    Ok(exit)
}

fn folder(args: &Demo, context: &Context) -> PathBuf {
    let in_repository = context.absolute(Path::new(IN_REPOSITORY));
    match &args.dir {
        Some(dir) => context.absolute(dir),
        None if in_repository.join(PROJECT_FILE).is_file() => in_repository,
        None => context.absolute(Path::new(ELSEWHERE)),
    }
}

/// What to try next, with the program as the user called it.
fn next(dir: &str, context: &Context) -> String {
    let paint = context.output.stderr_paint();
    let program = &context.environment.program;
    let tries = [
        ("build", "build again: nothing changed, nothing is done"),
        ("plan", "what a build would do, and why"),
        ("explain q05", "how a query will be executed"),
        ("runs show", "what the last run did"),
        ("fingerprints", "the identity of every view"),
    ];
    let mut text = "\ntry next:\n".to_owned();
    for (command, meaning) in tries {
        let command = format!("{program} {command} --project {}", quoted(dir));
        text.push_str(&format!("  {}\n      {meaning}\n", paint.bold(&command)));
    }
    text.push_str(&format!(
        "then edit {dir}/views/queries/q16.sql and build again: only that view is built"
    ));
    text
}

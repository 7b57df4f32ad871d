//! `codeanatomy why` and `codeanatomy why-not`

use std::fmt::Write;
use std::path::Path;

use codeanatomy::exec::{Action, Cause, Decision, Reason, RunInputs, Why};
use codeanatomy::{PastRuns, Planned};
use codeanatomy_vocab::{Errors, RunId};
use serde::Serialize;

use super::Context;
use crate::args::Why as Args;
use crate::exit::Exit;
use crate::output::Output;
use crate::progress;

#[derive(Serialize)]
struct WhyDocument<'a> {
    #[serde(flatten)]
    why: &'a Why,
    from: &'a RunId,
    to: Option<&'a RunId>,
    action: Option<Action>,
    reasons: &'a [Reason],
}

/// The two sides of a comparison.
struct Sides {
    from: RunId,
    to: Option<RunId>,
    before: RunInputs,
    after: RunInputs,
    /// What a build would do now, where the later side is the project as it is.
    decision: Option<Decision>,
    planned: Option<Planned>,
}

impl Sides {
    fn compare(&self, dir: &Path, args: &Args, context: &Context) -> Result<Why, Errors> {
        let past = PastRuns::new(dir);
        let (view, before, after) = (&args.view, &self.before, &self.after);
        if let Some(planned) = &self.planned {
            let mut why = past.why(view, before, after)?;
            why.tell_changes(before, planned.views());
            return Ok(why);
        }
        // Only options of stores are taken from it; a project that is broken now has none to give.
        let configured = context.configured_in(dir).ok();
        context.block_on(async {
            let why = past.why_with_commits(view, before, after, configured.as_ref());
            Ok(why.await?)
        })
    }
}

pub(crate) fn why(args: &Args, context: &Context) -> Result<Exit, Errors> {
    let dir = context.project_dir()?;
    let sides = sides(args, &dir, context)?;
    let why = sides.compare(&dir, args, context)?;
    print(&why, &sides, context, changed_text)
}

pub(crate) fn why_not(args: &Args, context: &Context) -> Result<Exit, Errors> {
    let dir = context.project_dir()?;
    let sides = sides(args, &dir, context)?;
    let why = sides.compare(&dir, args, context)?;
    print(&why, &sides, context, unchanged_text)
}

fn print(
    why: &Why,
    sides: &Sides,
    context: &Context,
    text: fn(&Why, &Sides, &Output) -> String,
) -> Result<Exit, Errors> {
    let output = &context.output;
    let document = WhyDocument {
        why,
        from: &sides.from,
        to: sides.to.as_ref(),
        action: sides.decision.as_ref().map(|decision| decision.action),
        reasons: sides
            .decision
            .as_ref()
            .map(|decision| decision.reasons.as_slice())
            .unwrap_or_default(),
    };
    output.result(&document, || text(why, sides, output))?;
    Ok(Exit::Ok)
}

/// Without `--to` the later side is the project as it is; without `--from` the earlier one is the
/// run that made the view's output, else the newest run with the view.
fn sides(args: &Args, dir: &Path, context: &Context) -> Result<Sides, Errors> {
    let past = PastRuns::new(dir);
    if let Some(to) = &args.to {
        let after = past.inputs(to)?;
        let from = match &args.from {
            Some(from) => past.find(from)?,
            None => past.newest_before(to, &args.view)?,
        };
        return Ok(Sides {
            before: past.inputs(from.as_str())?,
            from,
            to: Some(past.find(to)?),
            after,
            decision: None,
            planned: None,
        });
    }
    let observer = progress::observer(&context.output);
    let selection = [args.view.clone()];
    let planned = context.block_on(context.planned(dir, &selection, &observer));
    drop(observer);
    let planned = planned?;
    let from = match &args.from {
        Some(from) => past.find(from)?,
        None => match planned.built_by(&args.view) {
            Some(run) if past.inputs(run.as_str()).is_ok() => run.clone(),
            _ => past.newest_with(&args.view)?,
        },
    };
    Ok(Sides {
        // Of the run only what the view reads is compared: the present was planned so.
        before: past.inputs(from.as_str())?.only(&args.view),
        from,
        to: None,
        after: planned.inputs(),
        decision: Some(planned.decision(&args.view)?),
        planned: Some(planned),
    })
}

fn changed_text(why: &Why, sides: &Sides, output: &Output) -> String {
    let paint = output.paint();
    let mut text = String::new();
    let since = since(sides);
    let headline = match (why.changed, why.identity_changed) {
        (true, _) => format!("`{}` changed {since}: its rows may differ", why.view),
        (false, true) => format!(
            "`{}` has the same rows {since}, but another plan or environment",
            why.view
        ),
        (false, false) => format!("`{}` did not change {since}", why.view),
    };
    let _ = writeln!(text, "{}", paint.bold(&headline));
    causes(&mut text, &why.causes, output);
    if let Some(note) = &why.note {
        let _ = writeln!(text, "note: {note}");
    }
    action(&mut text, sides);
    text
}

fn unchanged_text(why: &Why, sides: &Sides, output: &Output) -> String {
    let paint = output.paint();
    if why.changed {
        return changed_text(why, sides, output);
    }
    let mut text = String::new();
    let headline = format!("`{}` did not change {}", why.view, since(sides));
    let _ = writeln!(text, "{}", paint.bold(&headline));
    action(&mut text, sides);
    let elsewhere = why.causes.iter().chain(&why.unaffected);
    let elsewhere: Vec<Cause> = elsewhere.cloned().collect();
    if elsewhere.is_empty() {
        let _ = writeln!(text, "nothing that it could depend on changed");
    } else {
        let _ = writeln!(text, "changed without effect on its rows:");
        causes(&mut text, &elsewhere, output);
    }
    text
}

fn since(sides: &Sides) -> String {
    match &sides.to {
        Some(to) => format!("from run {} to run {to}", sides.from),
        None => format!("since run {}", sides.from),
    }
}

fn causes(text: &mut String, causes: &[Cause], output: &Output) {
    let paint = output.paint();
    for cause in causes {
        let place = match (&cause.file, cause.line) {
            (Some(file), Some(line)) => format!(" ({file}:{line})"),
            (Some(file), None) => format!(" ({file})"),
            (None, _) => String::new(),
        };
        let _ = writeln!(
            text,
            "  {}  {}{place}",
            paint.attention(&cause.component),
            cause.detail
        );
        for (sign, side) in [("-", &cause.before), ("+", &cause.after)] {
            if let Some(side) = side {
                let _ = writeln!(text, "      {sign} {side}");
            }
        }
    }
}

/// What a build would do now.
fn action(text: &mut String, sides: &Sides) {
    let Some(decision) = &sides.decision else {
        return;
    };
    let action = match decision.action {
        Action::Build => "would be built",
        Action::Skip => "would be skipped",
    };
    let reasons: Vec<&str> = decision
        .reasons
        .iter()
        .map(|reason| reason.detail.as_str())
        .collect();
    let _ = writeln!(text, "{action}: {}", reasons.join("; "));
}

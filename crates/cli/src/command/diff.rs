//! `codeanatomy diff`

use codeanatomy::{PastRuns, RunDiff, ViewDiff};
use codeanatomy_vocab::Errors;

use super::Context;
use crate::args::Diff;
use crate::exit::Exit;
use crate::output::Output;
use crate::render::{Align, Table, count, plain, plural};

pub(crate) fn run(args: &Diff, context: &Context) -> Result<Exit, Errors> {
    let dir = context.project_dir()?;
    let diff = PastRuns::new(&dir).diff(&args.before, &args.after)?;
    context
        .output
        .result(&diff, || text(&diff, &context.output))?;
    Ok(Exit::Ok)
}

fn text(diff: &RunDiff, output: &Output) -> String {
    let mut table = Table::new(&[
        ("VIEW", Align::Left),
        ("CHANGE", Align::Left),
        ("ROWS BEFORE", Align::Right),
        ("ROWS AFTER", Align::Right),
        ("RESULT", Align::Left),
        ("WHY", Align::Left),
    ]);
    let mut same = 0;
    for view in &diff.views {
        let change = change(view);
        if change == "same" {
            same += 1;
            continue;
        }
        let mut details = view.why.causes.iter().map(|cause| cause.detail.as_str());
        let rows = |side: usize| plain(view.rows[side].map(count).unwrap_or_default());
        table.row([
            plain(view.why.view.to_string()),
            plain(change),
            rows(0),
            rows(1),
            plain(result(view)),
            plain(details.next().unwrap_or_default()),
        ]);
        for detail in details {
            let mut row: [_; 6] = Default::default();
            row[5] = plain(detail);
            table.row(row);
        }
    }
    let mut text = String::new();
    if !table.is_empty() {
        text = table.render(output.paint());
    }
    let n_different = diff.views.len() - same;
    let verb = if n_different == 1 {
        "differs"
    } else {
        "differ"
    };
    text.push_str(&format!(
        "{} {verb}, {same} the same\n",
        plural(n_different, "view")
    ));
    text
}

fn change(view: &ViewDiff) -> &'static str {
    match (&view.why.before, &view.why.after) {
        (None, _) => "new",
        (_, None) => "gone",
        _ if view.why.changed => "rows may differ",
        _ if view.why.identity_changed => "other plan",
        _ if result(view) == "differs" => "rebuilt",
        _ => "same",
    }
}

fn result(view: &ViewDiff) -> &'static str {
    match &view.result_hash {
        [Some(before), Some(after)] if before == after => "same rows",
        [Some(_), Some(_)] => "differs",
        _ => "",
    }
}

//! `codeanatomy init`

use codeanatomy_project::scaffold::{self, ScaffoldOptions};
use codeanatomy_vocab::Errors;
use serde_json::json;

use super::Context;
use crate::args::Init;
use crate::exit::Exit;
use crate::render::{plural, quoted};

pub(crate) fn run(args: &Init, context: &Context) -> Result<Exit, Errors> {
    let output = &context.output;
    let dir = match &args.dir {
        Some(dir) => context.absolute(dir),
        None => context.environment.current_dir.clone(),
    };
    let options = ScaffoldOptions {
        name: None,
        from: args.from.as_deref().map(|from| context.absolute(from)),
    };
    let files = scaffold::init(&dir, &options)?;
    scaffold::write(&dir, &files)?;

    let paths: Vec<String> = files
        .iter()
        .map(|(path, _)| path.display().to_string())
        .collect();
    let json = json!({ "project": dir.display().to_string(), "files": paths });
    output.result(&json, || {
        let shown = output.paths.show(&dir);
        let mut text = format!(
            "made a project in {shown}: {}\n",
            plural(paths.len(), "file")
        );
        for path in &paths {
            text.push_str(&format!("  {path}\n"));
        }
        let project = match shown.as_str() {
            "." => String::new(),
            dir => format!(" --project {}", quoted(dir)),
        };
        text.push_str("\nnext:\n");
        for command in ["build", "plan"] {
            let command = format!("{} {command}{project}", context.environment.program);
            text.push_str(&format!("  {}\n", output.paint().bold(&command)));
        }
        text
    })?;
    Ok(Exit::Ok)
}

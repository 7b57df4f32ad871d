//! `codeanatomy completions`

use clap::CommandFactory;
use codeanatomy_vocab::Errors;
use serde_json::json;

use super::Context;
use crate::args::{Cli, Completions};
use crate::exit::Exit;

pub(crate) fn run(args: &Completions, context: &Context) -> Result<Exit, Errors> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "codeanatomy", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let json = json!({ "shell": args.shell.to_string(), "script": script });
    context.output.result(&json, || script)?;
    Ok(Exit::Ok)
}

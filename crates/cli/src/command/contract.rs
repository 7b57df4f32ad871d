//! `codeanatomy contract`

use std::sync::Arc;

use codeanatomy_vocab::Errors;
use serde_json::json;

use super::Context;
use crate::args::ContractInit;
use crate::exit::Exit;
use crate::progress;

pub(crate) fn init(args: &ContractInit, context: &Context) -> Result<Exit, Errors> {
    let output = &context.output;
    let dir = context.project_dir()?;
    let configured = context.configured_in(&dir)?;
    let observer = progress::observer(output);
    let written = context.block_on(configured.init_contract(
        &args.name,
        args.evolution,
        args.force,
        Arc::clone(&observer),
    ))?;
    drop(observer);
    let file = written.path.display().to_string();
    let json = json!({
        "name": args.name,
        "file": file,
        "section": written.section,
        "contract": written.text,
    });
    output.result(&json, || {
        format!("{}\nwritten to {file}\n", written.text.trim_end())
    })?;
    Ok(Exit::Ok)
}

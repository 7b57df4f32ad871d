//! `codeanatomy version`

use codeanatomy::session::{Machine, Preset, RuntimeProfile};
use codeanatomy_vocab::Errors;
use serde_json::json;

use super::Context;
use crate::exit::Exit;

pub(crate) fn run(context: &Context) -> Result<Exit, Errors> {
    let version = env!("CARGO_PKG_VERSION");
    let (profile, _) = RuntimeProfile::preset(Preset::default()).build(Machine::detect())?;
    let engine = profile.engine_version();
    let json = json!({ "version": version, "engine": { "datafusion": engine } });
    let text = || format!("codeanatomy {version} (datafusion {engine})\n");
    context.output.result(&json, text)?;
    Ok(Exit::Ok)
}

//! Profiles and sessions as their users see them.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests do not count as tests for clippy"
)]

mod limits;
mod planning;
mod profile;
mod session;

use codeanatomy_session::{Machine, Preset, RuntimeProfile, Session, SettingSource};
use codeanatomy_vocab::UnixMillis;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::DataFrame;

/// A machine that fits every preset.
const LARGE: Machine = Machine {
    cores: 64,
    memory_bytes: 256 << 30,
};

/// 2023-11-14T22:13:20.123Z.
const RUN_TIME: UnixMillis = UnixMillis(1_700_000_000_123);

fn profile(settings: &[(&str, &str)]) -> RuntimeProfile {
    profile_on(LARGE, settings)
}

fn profile_on(machine: Machine, settings: &[(&str, &str)]) -> RuntimeProfile {
    let mut builder = RuntimeProfile::preset(Preset::Dev);
    for (key, value) in settings {
        builder.set(key, value, SettingSource::Caller).unwrap();
    }
    builder.build(machine).unwrap().0
}

fn session(settings: &[(&str, &str)]) -> Session {
    Session::build(&profile(settings), RUN_TIME).unwrap()
}

/// The answer to `sql` as a table, planned and run by a state of the session.
async fn answer(session: &Session, sql: &str) -> datafusion::error::Result<String> {
    let state = session.planning_state();
    let plan = state.create_logical_plan(sql).await?;
    let batches = DataFrame::new(state, plan).collect().await?;
    Ok(pretty_format_batches(&batches)?.to_string())
}

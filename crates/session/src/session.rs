//! The runtime handle: a DataFusion session made from a profile.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use codeanatomy_vocab::{Error, Fingerprint, Result, UnixMillis};
use datafusion::common::config::ConfigOptions;
use datafusion::execution::context::SQLOptions;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::codes::{ENGINE_VERSION, SETTING_LOST};
use crate::rulepack::rules_of;
use crate::run_time::{instant, pin_clock_functions};
use crate::runtime::runtime_env;
use crate::{RuleId, RuntimeProfile, functions, keys};

/// A DataFusion session for one run: its planner, catalog, functions, memory and spill files.
///
/// It is cheap to clone, and clones are the same session. Registered tables and functions are seen
/// by every state that is made afterwards. Caches of file listings and of file metadata live as
/// long as the session, so make one per run: a listing is then never older than the run.
///
/// # Example: how is a query planned and run?
///
/// ```
/// use codeanatomy_session::{Machine, Preset, RuntimeProfile, Session, sql_options};
/// use codeanatomy_vocab::UnixMillis;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let machine = Machine { cores: 2, memory_bytes: 8 << 30 };
/// let (profile, _) = RuntimeProfile::preset(Preset::Dev).build(machine)?;
/// let session = Session::build(&profile, UnixMillis(1_700_000_000_000))?;
///
/// let state = session.planning_state();
/// let plan = state.create_logical_plan("select current_date as today").await.unwrap();
/// sql_options().verify_plan(&plan).unwrap();
/// let plan = state.optimize(&plan).unwrap();
/// assert!(plan.to_string().contains("2023-11-14"));
/// # Ok::<(), codeanatomy_vocab::Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Session {
    context: SessionContext,
    run_time: DateTime<Utc>,
}

impl Session {
    /// Makes a session with the settings of `profile`, for a run that takes place at `run_time`.
    ///
    /// # Errors
    ///
    /// - `CA-SESSION-0004`: the spill folder cannot be made or written.
    /// - `CA-SESSION-0005`: the profile was recorded with another version of the engine.
    /// - `CA-SESSION-0006`: the run time is out of range.
    /// - `CA-SESSION-0002`: a recorded profile holds a value that the engine does not take.
    pub fn build(profile: &RuntimeProfile, run_time: UnixMillis) -> Result<Self> {
        Self::build_with(profile, run_time, |builder| builder)
    }

    /// Like [`build`](Self::build), with a chance to add rules, planners, codecs or functions.
    ///
    /// What `extend` sets as configuration, runtime or execution properties is replaced afterwards
    /// by that of the profile.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    pub fn build_with(
        profile: &RuntimeProfile,
        run_time: UnixMillis,
        extend: impl FnOnce(SessionStateBuilder) -> SessionStateBuilder,
    ) -> Result<Self> {
        let run_time = instant(run_time)?;
        let options = config_options(profile)?;
        let runtime = runtime_env(profile)?;
        let mut state = extend(SessionStateBuilder::new_with_default_features())
            .with_config(SessionConfig::from(options))
            .with_runtime_env(runtime)
            .with_execution_props(ExecutionProps::new())
            .build();
        pin_clock_functions(&mut state, run_time)
            .map_err(|source| lost("now").with_source(source))?;
        Ok(Self {
            context: SessionContext::new_with_state(state),
            run_time,
        })
    }

    /// The context, for registering tables and functions.
    ///
    /// To plan, use [`planning_state`](Self::planning_state): a context accepts DDL unless it is
    /// given [`sql_options`], and its states carry the time of each statement, not that of the run.
    /// The SQL functions of the clock read the time of the run on either way.
    pub fn context(&self) -> SessionContext {
        self.context.clone()
    }

    /// A state for planning one view, on any thread.
    ///
    /// Its queries start at the time of the run, and names that the planner makes up
    /// (`__correlated_sq_1`) are counted from 1. So a plan depends neither on what else was planned
    /// before it nor on the thread: take a new state for each view.
    pub fn planning_state(&self) -> SessionState {
        let mut state = self.context.state_ref().read().clone();
        let config = Arc::clone(state.config().options());
        let props = state.execution_props_mut();
        let var_providers = props.var_providers.take();
        *props = ExecutionProps::new().with_query_execution_start_time(self.run_time);
        props.config_options = Some(config);
        props.var_providers = var_providers;
        state
    }

    /// A state for looking up and running things; the same as a
    /// [`planning_state`](Self::planning_state).
    pub fn state(&self) -> SessionState {
        self.planning_state()
    }

    /// Memory pool, spill files, caches and object stores of the session.
    pub fn runtime_env(&self) -> Arc<RuntimeEnv> {
        self.context.runtime_env()
    }

    /// The time of the run.
    pub fn run_time(&self) -> UnixMillis {
        UnixMillis(self.run_time.timestamp_millis())
    }

    /// The rules that plans go through: analyzer, optimizer, then physical, each in its order.
    pub fn rulepack(&self) -> Vec<RuleId> {
        rules_of(&self.context.state_ref().read())
    }

    /// A digest of all functions of the session: kind, name, aliases, signature and volatility, by
    /// name. The order of registration does not reach it.
    pub fn function_registry(&self) -> Fingerprint {
        functions::digest(&self.context.state_ref().read())
    }

    /// The version of DataFusion that this program is built with.
    pub const fn engine_version() -> &'static str {
        datafusion::DATAFUSION_VERSION
    }
}

/// What SQL of a view may do: read. DDL, DML (with `COPY`) and statements such as `SET` are refused.
///
/// # Example: can a view write a file?
///
/// ```
/// use codeanatomy_session::sql_options;
/// use datafusion::prelude::SessionContext;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let sql = "copy (select 1) to 'out.csv'";
/// let refused = SessionContext::new().sql_with_options(sql, sql_options()).await;
/// assert!(refused.is_err());
/// # });
/// ```
pub fn sql_options() -> SQLOptions {
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
}

/// The engine's options with the values of the profile, checked to have arrived.
fn config_options(profile: &RuntimeProfile) -> Result<ConfigOptions> {
    let engine_version = Session::engine_version();
    if profile.engine_version() != engine_version {
        let message = format!(
            "the profile is for DataFusion {}, this program has {engine_version}",
            profile.engine_version()
        );
        return Err(Error::new(ENGINE_VERSION, message).with_help(
            "make the profile anew, or use the version of the program that recorded it",
        ));
    }
    let mut values: Vec<(&'static str, Option<&str>)> = profile
        .values()
        .iter()
        .filter(|(key, _)| {
            !key.starts_with(keys::RUNTIME_PREFIX) && !key.starts_with(keys::SESSION_PREFIX)
        })
        .map(|(key, value)| Ok((keys::resolve(key)?, value.value.as_deref())))
        .collect::<Result<_>>()?;
    // Setting this key sets others with it, which must keep their own values.
    values.sort_by_key(|(key, _)| *key != keys::DYNAMIC_FILTERS);
    let mut options = ConfigOptions::default();
    let mut taken = entries(&options);
    for (key, value) in &values {
        keys::check_unlocked(key, *value)?;
        let Some(value) = value else { continue };
        if taken.get(*key).and_then(Option::as_deref) == Some(value) {
            continue;
        }
        keys::canonical(key, value)?;
        options
            .set(key, value)
            .map_err(|source| lost(key).with_source(source))?;
        if *key == keys::DYNAMIC_FILTERS {
            taken = entries(&options);
        }
    }
    let taken = entries(&options);
    let wanted: BTreeMap<String, Option<String>> = values
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.map(str::to_owned)))
        .collect();
    match taken
        .keys()
        .chain(wanted.keys())
        .find(|key| taken.get(*key) != wanted.get(*key))
    {
        Some(key) => Err(lost(key)),
        None => Ok(options),
    }
}

fn entries(options: &ConfigOptions) -> BTreeMap<String, Option<String>> {
    let entries = options.entries().into_iter();
    entries.map(|entry| (entry.key, entry.value)).collect()
}

fn lost(what: &str) -> Error {
    let message = format!("the engine did not take `{what}` as the profile has it");
    Error::new(SETTING_LOST, message)
        .with_help("make the profile anew from its preset; if that does not help, report this")
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.context.session_id())
            .field("run_time", &self.run_time)
            .finish_non_exhaustive()
    }
}

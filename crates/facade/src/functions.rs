//! The functions that views can call.

use codeanatomy_exec::open_session;
use codeanatomy_obs::RunRecorder;
use codeanatomy_session::{Machine, Preset, RuntimeProfile, Session, on_planning_stack};
use codeanatomy_udf::factory::Macros;
use codeanatomy_udf::{Snapshot, snapshot};
use codeanatomy_vocab::{Errors, Result, UnixMillis};

use crate::{Configured, Planned};

impl Configured {
    /// The functions that views of the project can call: those of the engine, of the function library as
    /// the settings let it in, and the project's SQL macros.
    ///
    /// # Errors
    ///
    /// Those of making a session, and what is wrong with macros.
    pub fn functions(&self) -> Result<Snapshot, Errors> {
        let run_time = self.as_of.unwrap_or_else(|| self.clock.now());
        let session = open_session(&self.profile, run_time)?;
        let macros = on_planning_stack(|| self.planned_macros(&session))?;
        Ok(snapshot(&session.state()).with_macros(&macros))
    }

    /// The macros, planned for a session; none where the settings do not let them in.
    pub(crate) fn planned_macros(&self, session: &Session) -> Result<Macros, Errors> {
        if !self.profile.udf_settings().enable_function_factory {
            return Ok(Macros::default());
        }
        self.macros.plan(&session.planning_state())
    }
}

impl Planned {
    /// Records what functions the session has, and for each view whether it has those that it needs.
    pub(crate) fn record_functions(&self, recorder: &RunRecorder) {
        let snapshot = snapshot(&self.session.state());
        recorder.artifact("rust_udf_snapshot_v1.json", &snapshot.without_engine());
        let needs = self.views().iter().map(|view| {
            let bundle = view.bundle();
            (
                view.name().as_str(),
                &bundle.required_udfs,
                &bundle.required_rewrite_tags,
            )
        });
        recorder.artifact("view_udf_parity_v1.json", &snapshot.parities(needs));
    }
}

/// The functions of a session with the default settings, outside of any project.
///
/// # Errors
///
/// Those of making a session.
///
/// # Example: is there a function of this name?
///
/// ```
/// let functions = codeanatomy::default_functions()?;
/// assert!(functions.get("stable_id").is_some());
/// # Ok::<(), codeanatomy::vocab::Error>(())
/// ```
pub fn default_functions() -> Result<Snapshot> {
    let (profile, _) = RuntimeProfile::preset(Preset::Default).build(Machine::detect())?;
    let session = open_session(&profile, UnixMillis(0))?;
    Ok(snapshot(&session.state()).as_ref().clone())
}

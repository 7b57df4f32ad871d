//! Runtime profiles and the DataFusion sessions made from them.
//!
//! A [`RuntimeProfile`] is every setting of a session as plain data, each with its source and its
//! class: can it change the answer, its order, or only the time it takes? A [`Session`] is the
//! handle made from it for one run: its clock stands still, its memory is limited, and plans made
//! by it do not depend on threads or on what was planned before.
//!
//! # Example: how does a run get its session?
//!
//! ```
//! use codeanatomy_session::{Machine, Preset, RuntimeProfile, Session, SettingSource};
//! use codeanatomy_vocab::{Clock, ManualClock, UnixMillis};
//!
//! let clock = ManualClock::new(UnixMillis(1_700_000_000_000));
//! let mut builder = RuntimeProfile::preset(Preset::Dev);
//! let line = SettingSource::ConfigFile { path: "codeanatomy.toml".to_owned(), line: Some(7) };
//! builder.set("batch_size", "4096", line)?;
//! let (profile, notices) = builder.build(Machine::detect())?;
//! for notice in &notices {
//!     eprintln!("{notice}");
//! }
//! let session = Session::build(&profile, clock.now())?;
//! assert_eq!(session.planning_state().config().batch_size(), 4096);
//! # Ok::<(), codeanatomy_vocab::Error>(())
//! ```

// Settings as data.
mod builder;
mod classify;
mod keys;
mod machine;
mod preset;
mod profile;
mod setting;
mod units;

// The session made from them.
mod functions;
mod rulepack;
mod run_time;
mod runtime;
mod session;

// Threads to plan on.
mod planning;

// Errors.
pub mod codes;

pub use self::builder::{Notice, ProfileBuilder};
pub use self::classify::{classification_reason, classify};
pub use self::machine::Machine;
pub use self::planning::{PLANNING_STACK_BYTES, on_planning_stack, parallel_map};
pub use self::preset::Preset;
pub use self::profile::{
    MemoryPoolKind, RuntimeProfile, SettingChange, UdfSettings, pinned_settings,
};
pub use self::rulepack::{RuleId, RuleStage};
pub use self::session::{Session, sql_options};
pub use self::setting::{Setting, SettingClass, SettingSource};

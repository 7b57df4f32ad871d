//! What happened in a run: events as they come, and the record that stays.
//!
//! **The law of this crate:** it never names a type of the engine, and nothing in it can fail a
//! run. A sink that breaks is left out; a run folder that cannot be written becomes a warning that
//! the caller may show. The record is a diary: deleting it costs history, never data.
//!
//! # Example: what did a run do?
//!
//! ```
//! use codeanatomy_obs::{Collector, Observer, Outcome, RunEvent};
//!
//! let collector = Collector::new(100);
//! collector.observe(&RunEvent::ViewFinished {
//!     view: "by_region".parse()?,
//!     outcome: Outcome::Built,
//!     rows: Some(5),
//!     delta_version: Some(0),
//!     elapsed_ms: 12,
//!     detail: None,
//! });
//! assert_eq!(collector.events().len(), 1);
//! # Ok::<(), codeanatomy_vocab::Error>(())
//! ```

// What happens, as it happens.
mod event;

// Who is told.
mod collector;
mod observer;

// What stays: one folder per run.
mod envelope;
mod files;
mod recorder;
mod store;

pub mod codes;

pub use self::collector::Collector;
pub use self::envelope::{
    PinSummary, RUN_FORMAT_VERSION, RecordedError, RunEnvelope, RunState, ViewSummary,
};
pub use self::event::{Outcome, Phase, RunEvent, RunStatus};
pub use self::observer::{Fanout, NoObserver, Observer};
pub use self::recorder::{FinishedRun, RunRecorder, RunStart};
pub use self::store::{DamagedRun, RecordedEvent, RunList, RunStore};

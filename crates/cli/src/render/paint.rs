//! Colours.

use codeanatomy::obs::{Outcome, RunState};

/// Colours text, or leaves it as it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    pub(crate) fn new(on: bool) -> Self {
        Self { on }
    }

    pub(crate) fn is_on(self) -> bool {
        self.on
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    pub(crate) fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    pub(crate) fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    pub(crate) fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    pub(crate) fn attention(self, text: &str) -> String {
        self.with("33", text)
    }

    /// Colours `text` by what became of a view.
    pub(crate) fn outcome(self, outcome: Outcome, text: &str) -> String {
        match outcome {
            Outcome::Built => self.good(text),
            Outcome::Skipped | Outcome::Reused => self.faint(text),
            Outcome::Failed => self.bad(text),
            Outcome::Blocked => self.attention(text),
        }
    }

    /// Colours `text` by where a run stands.
    pub(crate) fn state(self, state: RunState, text: &str) -> String {
        match state {
            RunState::Ok => self.good(text),
            RunState::Running => self.bold(text),
            RunState::Failed => self.bad(text),
            RunState::Interrupted | RunState::Killed => self.attention(text),
        }
    }

    fn with(self, code: &str, text: &str) -> String {
        if self.on {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

//! What came of building one view, its contract included.

use codeanatomy_delta::Committed;
use codeanatomy_schema::codes::ROWS_VIOLATE;
use codeanatomy_vocab::{Error, Result, ViewName};

use super::{Guard, ViewValidation};
use crate::ScanResult;

/// What came of building one view.
pub(crate) struct Outcomes {
    /// The commit, or why there is none.
    pub(crate) committed: Result<Committed>,
    /// Errors beside the first.
    pub(crate) further: Vec<Error>,
    /// What holding the rows against the contract gave, if all of them were seen.
    pub(crate) validation: Option<ViewValidation>,
    /// What was read, where rows were committed.
    pub(crate) scans: Vec<ScanResult>,
}

impl Outcomes {
    /// That nothing was written.
    pub(crate) fn failed(error: Error) -> Self {
        Self {
            committed: Err(error),
            further: Vec::new(),
            validation: None,
            scans: Vec::new(),
        }
    }

    /// Puts what a guard saw beside what became of the rows.
    pub(crate) fn settle(
        guard: Option<&Guard>,
        committed: Result<Committed>,
        view: &ViewName,
    ) -> Self {
        let (Some(guard), false) = (guard, failed_otherwise(&committed)) else {
            return Self {
                committed,
                further: Vec::new(),
                validation: None,
                scans: Vec::new(),
            };
        };
        let validation = Some(guard.found());
        let Err(refused) = committed else {
            return Self {
                committed,
                further: Vec::new(),
                validation,
                scans: Vec::new(),
            };
        };
        let errors = guard.errors().into_iter();
        let mut errors = errors.map(|error| error.with("view", view));
        Self {
            committed: Err(errors.next().unwrap_or(refused)),
            further: errors.collect(),
            validation,
            scans: Vec::new(),
        }
    }
}

/// Whether something went wrong before all rows were seen.
fn failed_otherwise(committed: &Result<Committed>) -> bool {
    match committed {
        Ok(_) => false,
        Err(error) => error.code() != ROWS_VIOLATE,
    }
}

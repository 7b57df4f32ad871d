//! Why an identity changed: the smallest set of changes that explains it, found by planning again.
//!
//! Between two records of what planning took in, every single change is a *factor*: a view's text,
//! a parameter, a setting, the columns or the rows of a dataset, the time. The views are planned
//! with some of the factors changed and the others as they were. A set of factors is *sufficient*
//! when changing just these gives the later key, and *minimal* when no factor of it can be left
//! out. So a cause is not guessed from what looks different but checked against the key itself.

mod cause;
mod factor;
mod logs;
mod minimal;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use codeanatomy_delta::FootprintChange;
use codeanatomy_session::{RuntimeProfile, Session, on_planning_stack};
use codeanatomy_vocab::{
    DatasetName, DeltaVersion, Error, Fingerprint, Result, UnixMillis, ViewName, nearest,
};
use serde::Serialize;

use self::factor::{Factor, factors, mixed};
use self::minimal::minimal;
use crate::footprint::{InputChange, instant};
use crate::{PlannedView, PlannedViews, RunInputs, ViewFingerprints, codes, open_session};

/// Why a view's identity differs between two points in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Why {
    /// The view.
    pub view: ViewName,
    /// Whether the result key differs: whether the rows could differ.
    pub changed: bool,
    /// Whether the plan fingerprint differs, with or without the result key.
    pub identity_changed: bool,
    /// The identities before; none for a view that is new.
    pub before: Option<ViewFingerprints>,
    /// The identities after; none for a view that is gone.
    pub after: Option<ViewFingerprints>,
    /// The causes: sufficient and minimal where `proven`. Of the result key where it differs, else
    /// of the plan fingerprint. Sorted by kind.
    pub causes: Vec<Cause>,
    /// Whether planning again, with the causes and without each of them, has shown that they are
    /// sufficient and minimal.
    pub proven: bool,
    /// Where it could not be shown, why not.
    pub note: Option<String>,
    /// What else changed and is no cause, each with the reason.
    pub unaffected: Vec<Cause>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// The component of the identity that it is in.
    pub component: String,
    /// Which one, where there are several of a component: a dataset, a setting, a parameter.
    pub subject: Option<String>,
    /// The view that it is in, where it is in one. Another one than the view in question is an
    /// upstream view of it.
    pub view: Option<ViewName>,
    /// What it was; none where it was not there.
    pub before: Option<String>,
    /// What it is; none where it is gone.
    pub after: Option<String>,
    /// The change in words.
    pub detail: String,
    /// The file to look at.
    pub file: Option<String>,
    /// The line in that file, from 1.
    pub line: Option<usize>,
    /// Of a Delta table with other rows, the first commit that may have changed a row that the view
    /// reads, where the log still tells.
    pub commit: Option<ChangingCommit>,
}

/// A commit to a Delta table that changed what a view reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangingCommit {
    /// The version that it made.
    pub version: DeltaVersion,
    /// What it says that it did.
    pub operation: Option<String>,
    /// When it was made, as RFC 3339 writes it.
    pub committed_at: Option<String>,
}

impl Why {
    /// Adds what the logs of tables say of their changes since the earlier side, where the outputs
    /// of `planned` were made from the versions that `before` recorded.
    pub fn tell_changes(&mut self, before: &RunInputs, planned: &PlannedViews) {
        let views: Vec<&PlannedView> = before
            .closure(&self.view)
            .iter()
            .filter_map(|name| planned.view(name).ok())
            .collect();
        let of_table = |cause: &Cause| -> Option<&InputChange> {
            let table = cause.subject.as_deref()?;
            let was = before.datasets.get(table)?.version();
            let changes = views
                .iter()
                .filter_map(|view| view.inputs().get(table)?.change.as_ref())
                .filter(|change| was == Some(change.since_version));
            // The view's own change says more than that of what it reads; a change more than none.
            changes.min_by_key(|change| change.is_unchanged())
        };
        for cause in &mut self.causes {
            if cause.component != "input_footprint" {
                continue;
            }
            if let Some(change) = of_table(cause) {
                cause.detail = format!("{}: {change}", cause.detail);
                cause.commit = ChangingCommit::of(change);
            }
        }
        for cause in &mut self.unaffected {
            let is_of_table = ["input_footprint", "input_identity"];
            if is_of_table.contains(&cause.component.as_str())
                && let Some(change) = of_table(cause).filter(|change| change.is_unchanged())
            {
                cause.detail = format!("{}: {change}", cause.detail);
            }
        }
    }
}

impl ChangingCommit {
    fn of(change: &InputChange) -> Option<Self> {
        match &change.verdict {
            FootprintChange::Changed {
                version,
                operation,
                committed_at,
                ..
            } => Some(Self {
                version: *version,
                operation: operation.clone(),
                committed_at: committed_at.map(instant),
            }),
            FootprintChange::Unchanged(_) | FootprintChange::Unknown { .. } => None,
        }
    }
}

/// Two records, to be compared view by view.
#[derive(Debug)]
pub struct Comparison<'a> {
    root: &'a Path,
    before: &'a RunInputs,
    after: &'a RunInputs,
    factors: Vec<Factor>,
    /// The last session that was made, since most factors are no settings.
    session: RefCell<Option<(RuntimeProfile, UnixMillis, Session)>>,
}

impl<'a> Comparison<'a> {
    /// Compares two records of the project in `root`.
    pub fn new(root: &'a Path, before: &'a RunInputs, after: &'a RunInputs) -> Self {
        Self {
            root,
            before,
            after,
            factors: factors(before, after),
            session: RefCell::new(None),
        }
    }

    /// All views of either record, by name.
    pub fn views(&self) -> BTreeSet<&ViewName> {
        let before = self.before.views.keys();
        before.chain(self.after.views.keys()).collect()
    }

    /// Why the identity of `view` differs, or that it does not.
    ///
    /// Plans the view and everything upstream of it about `k log n` times for `k` causes among `n`
    /// changes.
    ///
    /// # Errors
    ///
    /// [`NOT_IN_RUN`](codes::NOT_IN_RUN) for a view of neither record.
    pub fn why(&self, view: &ViewName) -> Result<Why> {
        let side = |inputs: &RunInputs| inputs.views.get(view).map(|recorded| recorded.keys);
        let (before, after) = (side(self.before), side(self.after));
        let differ = |key: fn(&ViewFingerprints) -> Fingerprint| {
            before.as_ref().map(key) != after.as_ref().map(key)
        };
        let mut why = Why {
            view: view.clone(),
            changed: differ(|keys| keys.result_key),
            identity_changed: differ(|keys| keys.plan_fingerprint),
            before,
            after,
            causes: Vec::new(),
            proven: true,
            note: None,
            unaffected: Vec::new(),
        };
        let mut causes: Vec<&Factor> = Vec::new();
        match (before, after) {
            (None, None) => return Err(self.not_in_run(view)),
            (Some(before), Some(after)) if why.identity_changed => {
                let key = |keys: &ViewFingerprints| match why.changed {
                    true => keys.result_key,
                    false => keys.plan_fingerprint,
                };
                let found = self.find(view, key(&before), key(&after), key);
                (causes, why.proven, why.note) = (found.causes, found.proven, found.note);
            }
            (Some(_), Some(_)) => {}
            (None, Some(_)) | (Some(_), None) => {
                let query = Factor::Query(view.clone());
                causes = self.factors.iter().filter(|f| **f == query).collect();
            }
        }
        let reads = Reads::of(self.after, view);
        why.unaffected = self
            .factors
            .iter()
            .filter(|factor| !causes.contains(factor) && is_news(factor, &causes))
            .map(|factor| self.unaffected(factor, view, &reads))
            .collect();
        why.causes = causes
            .into_iter()
            .map(|factor| self.describe(factor, view))
            .collect();
        Ok(why)
    }

    fn not_in_run(&self, view: &ViewName) -> Error {
        let known = self.views().into_iter().map(ViewName::as_str);
        Error::new(
            codes::NOT_IN_RUN,
            format!("no view `{view}` was planned then or is there now"),
        )
        .with_nearest(nearest(view.as_str(), known))
        .with_help("`codeanatomy plan` lists the views; `codeanatomy runs show` those of a run")
    }

    fn find(
        &self,
        view: &ViewName,
        recorded_before: Fingerprint,
        recorded_after: Fingerprint,
        key: impl Fn(&ViewFingerprints) -> Fingerprint,
    ) -> Found<'_> {
        let closure: BTreeSet<ViewName> = self
            .before
            .closure(view)
            .into_iter()
            .chain(self.after.closure(view))
            .collect();
        let all: Vec<&Factor> = self
            .factors
            .iter()
            .filter(|factor| factor.view().is_none_or(|view| closure.contains(view)))
            .collect();
        let planned = |chosen: &[&Factor]| -> Option<Fingerprint> {
            let mix = mixed(self.before, self.after, chosen).ok()?;
            self.keys(&mix, view, &closure).map(|keys| key(&keys))
        };
        let goal = planned(&all);
        let reproduced = planned(&[]) == Some(recorded_before) && goal == Some(recorded_after);
        let other_engine = self.before.engine_version != Session::engine_version()
            || self.after.engine_version != Session::engine_version();
        let causes = match goal {
            Some(goal) => minimal(&all, |chosen| {
                let chosen: Vec<&Factor> = chosen.iter().map(|factor| **factor).collect();
                planned(&chosen) == Some(goal)
            }),
            None => None,
        };
        match causes {
            Some(causes) if reproduced => Found {
                causes: causes.into_iter().copied().collect(),
                proven: true,
                note: None,
            },
            Some(causes) if other_engine && !causes.is_empty() => Found {
                causes: causes.into_iter().copied().collect(),
                proven: false,
                note: Some(
                    "the other engine cannot plan again here; this engine planned both sides"
                        .to_owned(),
                ),
            },
            _ => Found {
                causes: all,
                proven: false,
                note: Some(
                    "planning again does not give the recorded identities; these are all changes"
                        .to_owned(),
                ),
            },
        }
    }

    /// The identities of `view` in a mixture; none where it cannot be planned.
    fn keys(
        &self,
        inputs: &RunInputs,
        view: &ViewName,
        closure: &BTreeSet<ViewName>,
    ) -> Option<ViewFingerprints> {
        let mut last = self.session.borrow_mut();
        let fits = last.as_ref().is_some_and(|(profile, run_time, _)| {
            *run_time == inputs.run_time && *profile == inputs.profile
        });
        if !fits {
            let session = open_session(&inputs.profile, inputs.run_time).ok()?;
            *last = Some((inputs.profile.clone(), inputs.run_time, session));
        }
        let (_, _, session) = last.as_ref()?;
        let planned = on_planning_stack(|| inputs.plan_in(self.root, closure, session)).ok()?;
        planned.view(view).ok().map(ViewFingerprints::of)
    }
}

/// Whether it is worth a word that `factor` is no cause: time always goes on, and that a dataset
/// with other rows has another version goes without saying.
fn is_news(factor: &Factor, causes: &[&Factor]) -> bool {
    match factor {
        Factor::RunTime => false,
        Factor::Version(dataset) => !causes.contains(&&Factor::Rows(dataset.clone())),
        _ => true,
    }
}

/// What a view reads, directly or not, itself included.
struct Reads {
    views: BTreeSet<ViewName>,
    datasets: BTreeSet<DatasetName>,
}

impl Reads {
    fn of(inputs: &RunInputs, view: &ViewName) -> Self {
        let views = inputs.closure(view);
        let datasets = inputs.datasets_of(&views);
        Self { views, datasets }
    }
}

struct Found<'a> {
    causes: Vec<&'a Factor>,
    proven: bool,
    note: Option<String>,
}

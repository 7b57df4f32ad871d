//! What has to be done, and why.

use std::collections::{BTreeMap, BTreeSet};

use codeanatomy_delta::{FootprintChange, OutputState, UpstreamStamp};
use codeanatomy_plan::{Component, ComponentClass};
use codeanatomy_vocab::{Errors, Fingerprint, ViewName};
use futures::StreamExt;
use serde::Serialize;

use crate::footprint::InputChange;
use crate::{PlannedView, PlannedViews, ViewDefinition};

/// What a run does with a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Compute it.
    Build,
    /// Leave its output as it is: it provably holds the rows that a build would write.
    Skip,
}

/// One reason for an action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// The part of the view's identity, or of its output, that the reason is about.
    pub component: String,
    /// The reason in words.
    pub detail: String,
    /// The file to look at.
    pub file: Option<String>,
    /// The line in that file, from 1.
    pub line: Option<usize>,
}

/// A decision with its reasons; there is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What is done.
    pub action: Action,
    /// Why: for a build every cause, for a skip the proof.
    pub reasons: Vec<Reason>,
}

/// The decisions of one run.
///
/// The truth about an output is read from its own log, so a decision depends on nothing that a
/// person could delete without touching the output. A stored view is skipped only if all of this
/// holds:
///
/// 1. the newest commit that changed its table's content carries this view's stamp;
/// 2. the stamp's result key equals the view's;
/// 3. neither the view nor anything that it reads calls a volatile function;
/// 4. each stored view that it reads is skipped too, and its table still holds what this view's
///    last build read: the same commit, or the same result hash;
/// 5. the output is laid out as the project asks;
/// 6. its rows were held against the view's contract as it is, where only the rows can tell whether
///    they keep it.
///
/// An ephemeral view is built where a stored view that computes it is built and last computed
/// something else; otherwise it is skipped, though it may be computed again.
#[derive(Debug)]
pub struct Decisions(BTreeMap<ViewName, Decision>);

impl Decisions {
    /// Decides for all of `planned`. `states` holds the state of each stored view's output, where
    /// there is a table. Views of `forced` are built whatever their state.
    pub fn make(
        planned: &PlannedViews,
        states: &BTreeMap<ViewName, OutputState>,
        forced: &BTreeSet<ViewName>,
    ) -> Self {
        let mut decisions = BTreeMap::new();
        for view in planned.iter().filter(|view| view.is_stored()) {
            let mut causes = match states.get(view.name()) {
                None => vec![reason("output", "there is no output table yet")],
                Some(state) => causes(view, state, planned, states, &decisions),
            };
            if forced.contains(view.name()) {
                causes.insert(0, reason("force", "the build was forced"));
            }
            let decision = if causes.is_empty() {
                Decision {
                    action: Action::Skip,
                    reasons: proof(view, states),
                }
            } else {
                Decision {
                    action: Action::Build,
                    reasons: causes,
                }
            };
            decisions.insert(view.name().clone(), decision);
        }
        decide_ephemeral(planned, states, &mut decisions);
        Self(decisions)
    }

    /// The decision for a view; `None` for a name that was not planned.
    pub fn get(&self, view: &ViewName) -> Option<&Decision> {
        self.0.get(view)
    }

    /// Whether a view is to be computed.
    pub fn builds(&self, view: &ViewName) -> bool {
        self.get(view)
            .is_some_and(|decision| decision.action == Action::Build)
    }

    /// Whether anything is to be computed.
    pub fn changes(&self) -> bool {
        self.0
            .values()
            .any(|decision| decision.action == Action::Build)
    }
}

/// Reads the state of each stored view's output from its own log, `concurrency` at a time. Views
/// without a table are left out.
///
/// # Errors
///
/// All at once: outputs whose logs cannot be read.
pub async fn output_states<'a>(
    views: impl IntoIterator<Item = &'a ViewDefinition>,
    concurrency: usize,
) -> Result<BTreeMap<ViewName, OutputState>, Errors> {
    let stored = views.into_iter().filter_map(|view| {
        let output = view.output.as_ref()?;
        Some((view.spec.name(), output))
    });
    let read = futures::stream::iter(stored)
        .map(|(name, output)| async move {
            (
                name,
                codeanatomy_delta::output_state(&output.location, &output.options, name).await,
            )
        })
        .buffered(concurrency.max(1));
    let mut states = BTreeMap::new();
    let mut errors = Vec::new();
    for (name, state) in read.collect::<Vec<_>>().await {
        match state {
            Ok(Some(state)) => {
                states.insert(name.clone(), state);
            }
            Ok(None) => {}
            Err(error) => errors.push(error.with("view", name)),
        }
    }
    Errors::check(errors, states)
}

/// The stored views that `view` reads, directly or through ephemeral ones.
pub(crate) fn stored_upstream<'a>(
    view: &'a PlannedView,
    planned: &'a PlannedViews,
) -> BTreeSet<&'a ViewName> {
    let mut stored = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut open: Vec<&ViewName> = view.upstream().iter().collect();
    while let Some(name) = open.pop() {
        if !seen.insert(name) {
            continue;
        }
        if let Ok(upstream) = planned.view(name) {
            if upstream.is_stored() {
                stored.insert(upstream.name());
            } else {
                open.extend(upstream.upstream());
            }
        }
    }
    stored
}

/// Why a stored view with an output table must be built; empty when it need not.
fn causes(
    view: &PlannedView,
    state: &OutputState,
    planned: &PlannedViews,
    states: &BTreeMap<ViewName, OutputState>,
    decisions: &BTreeMap<ViewName, Decision>,
) -> Vec<Reason> {
    let Some(stamp) = &state.stamp else {
        return vec![reason(
            "output",
            "somebody else changed the output table, or its log no longer holds the view's commit",
        )];
    };
    let mut causes = Vec::new();
    if stamp.result_key != view.bundle().result_key {
        causes.extend(changed_components(view, &stamp.provenance.components));
    }
    if let Some(contract) = view.to_validate()
        && stamp.provenance.validated != Some(contract)
    {
        causes.push(reason(
            "schema_contract",
            "the rows of the output were not held against the view's contract as it is",
        ));
    }
    if !view.volatile().is_empty() {
        let functions: Vec<&str> = view.volatile().iter().map(String::as_str).collect();
        causes.push(reason(
            "determinism",
            &format!(
                "{} may return other values in each run",
                functions.join(", ")
            ),
        ));
    }
    if let Some(output) = &view.definition().output
        && output.partition_by != state.partition_by
    {
        causes.push(reason(
            "layout",
            &format!(
                "the output is partitioned by [{}] and is to be partitioned by [{}]",
                state.partition_by.join(", "),
                output.partition_by.join(", ")
            ),
        ));
    }
    if let Some(output) = &view.definition().output
        && output.layout.fingerprint() != stamp.layout
    {
        causes.push(reason(
            "layout",
            "the output is to be laid out in another way than when it was written",
        ));
    }
    for upstream in stored_upstream(view, planned) {
        let built = decisions
            .get(upstream)
            .is_some_and(|d| d.action == Action::Build);
        let read = stamp.provenance.upstream.get(upstream);
        let holds = states.get(upstream).and_then(upstream_stamp);
        if built {
            causes.push(reason(
                "upstream",
                &format!("the view `{upstream}` is built"),
            ));
        } else if !same_content(read, holds.as_ref()) {
            causes.push(reason(
                "upstream",
                &format!("the output of `{upstream}` was rebuilt since this view read it"),
            ));
        }
    }
    causes
}

/// What a consumer's stamp says of an upstream output in this state.
pub(crate) fn upstream_stamp(state: &OutputState) -> Option<UpstreamStamp> {
    let stamp = state.stamp.as_ref()?;
    Some(UpstreamStamp {
        version: state.stamp_version?,
        result_hash: stamp.result_hash.clone(),
    })
}

fn same_content(read: Option<&UpstreamStamp>, holds: Option<&UpstreamStamp>) -> bool {
    match (read, holds) {
        (Some(read), Some(holds)) => {
            read.version == holds.version
                || (read.result_hash.is_some() && read.result_hash == holds.result_hash)
        }
        _ => false,
    }
}

/// The semantic components of a view's identity, by label, as its output's stamp keeps them.
pub(crate) fn semantic_components(view: &PlannedView) -> BTreeMap<String, Fingerprint> {
    view.bundle()
        .components
        .iter()
        .filter(|component| component.class == ComponentClass::Semantic)
        .map(|component| (label(component), component.hash))
        .collect()
}

/// `input_footprint orders` for the component of that name about that table.
fn label(component: &Component) -> String {
    match &component.subject {
        Some(subject) => format!("{} {subject}", component.name),
        None => component.name.to_owned(),
    }
}

/// The semantic components that differ from the ones at the last build.
fn changed_components(view: &PlannedView, before: &BTreeMap<String, Fingerprint>) -> Vec<Reason> {
    let mut changed: Vec<Reason> = Vec::new();
    let now = semantic_components(view);
    for component in &view.bundle().components {
        let label = label(component);
        let (Some(hash), was) = (now.get(&label), before.get(&label)) else {
            continue;
        };
        if was == Some(hash) {
            continue;
        }
        let cause = match (component.name, &component.subject) {
            ("plan_digest", _) => Reason {
                file: Some(view.definition().spec.path().display().to_string()),
                line: Some(1),
                ..reason(component.name, "the query changed")
            },
            ("input_footprint", Some(table)) if was.is_some() && change(view, table).is_some() => {
                let change = change(view, table);
                let verb = match change.map(|change| &change.verdict) {
                    Some(FootprintChange::Changed { .. }) | None => "changed",
                    Some(FootprintChange::Unchanged(_) | FootprintChange::Unknown { .. }) => {
                        "may give other rows"
                    }
                };
                let change = change.map(ToString::to_string).unwrap_or_default();
                reason(component.name, &format!("`{table}` {verb}: {change}"))
            }
            ("input_footprint", Some(table)) => {
                let verb = if was.is_some() {
                    "changed"
                } else {
                    "is new to the view"
                };
                reason(
                    component.name,
                    &format!("`{table}` {verb}: {}", component.detail),
                )
            }
            (name, _) => reason(
                name,
                &format!("changed to {}", first_line(&component.detail)),
            ),
        };
        changed.push(cause);
    }
    for label in before.keys().filter(|label| !now.contains_key(*label)) {
        changed.push(reason(label, "no longer part of the view"));
    }
    // A query that asks for something else comes before what it asks.
    changed.sort_by_key(|reason| reason.component != "plan_digest");
    if changed.is_empty() {
        changed.push(reason("result_key", "the way result keys are made changed"));
    }
    changed
}

/// How a dataset compares with what the view's output was made from.
fn change<'a>(view: &'a PlannedView, table: &str) -> Option<&'a InputChange> {
    view.inputs().get(table)?.change.as_ref()
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// Why nothing has to be done: the same key, and of each table that moved on why it is the same.
fn proof(view: &PlannedView, states: &BTreeMap<ViewName, OutputState>) -> Vec<Reason> {
    let version = states
        .get(view.name())
        .and_then(|state| state.stamp_version);
    let version = version
        .map(|version| format!(" (version {version})"))
        .unwrap_or_default();
    let mut reasons = vec![reason(
        "result_key",
        &format!(
            "the output's own commit{version} carries the same result key {}",
            view.bundle().result_key.short()
        ),
    )];
    for (dataset, input) in view.inputs() {
        if let Some(change) = &input.change
            && change.version != change.since_version
        {
            let detail = format!("`{dataset}` holds the same rows for the view: {change}");
            reasons.push(reason("input_footprint", &detail));
        }
    }
    reasons
}

/// The ephemeral views that `view` reads, directly or through others of them; downstream first.
pub(crate) fn ephemeral_upstream<'a>(
    view: &'a PlannedView,
    planned: &'a PlannedViews,
) -> impl Iterator<Item = &'a PlannedView> {
    let mut names = BTreeSet::new();
    let mut open: Vec<&ViewName> = view.upstream().iter().collect();
    while let Some(name) = open.pop() {
        if let Ok(upstream) = planned.view(name)
            && !upstream.is_stored()
            && names.insert(name)
        {
            open.extend(upstream.upstream());
        }
    }
    planned
        .iter()
        .rev()
        .filter(move |view| names.contains(view.name()))
}

/// The ephemeral views that are computed inside a stored view, with the identity of their queries.
pub(crate) fn ephemeral_keys(
    view: &PlannedView,
    planned: &PlannedViews,
) -> BTreeMap<ViewName, Fingerprint> {
    ephemeral_upstream(view, planned)
        .map(|upstream| (upstream.name().clone(), upstream.query_key()))
        .collect()
}

/// Whether something that an ephemeral view reads differs from what the output of `reader` was
/// made from, by the stamp of that output.
fn reads_changed(
    ephemeral: &PlannedView,
    reader: &PlannedView,
    before: &BTreeMap<String, Fingerprint>,
    planned: &PlannedViews,
) -> bool {
    let now = semantic_components(reader);
    let upstream = ephemeral_upstream(ephemeral, planned);
    std::iter::once(ephemeral)
        .chain(upstream)
        .flat_map(PlannedView::datasets)
        .map(|dataset| format!("input_footprint {dataset}"))
        .any(|label| before.get(&label) != now.get(&label))
}

/// An ephemeral view is built where a stored view that computes it is built, and either never was
/// or last computed something else, or over other rows.
fn decide_ephemeral(
    planned: &PlannedViews,
    states: &BTreeMap<ViewName, OutputState>,
    decisions: &mut BTreeMap<ViewName, Decision>,
) {
    // For each ephemeral view the built views that compute it: all of them, and those for which it
    // is new.
    let mut computed: BTreeMap<ViewName, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
    for view in planned.iter().filter(|view| view.is_stored()) {
        if decisions
            .get(view.name())
            .is_none_or(|decision| decision.action == Action::Skip)
        {
            continue;
        }
        let stamp = states
            .get(view.name())
            .and_then(|state| state.stamp.as_ref());
        for (name, key) in ephemeral_keys(view, planned) {
            let last = stamp.and_then(|stamp| stamp.provenance.ephemeral.get(&name));
            let is_new = match (planned.view(&name), stamp) {
                (Ok(ephemeral), Some(stamp)) => {
                    let before = &stamp.provenance.components;
                    !ephemeral.volatile().is_empty()
                        || reads_changed(ephemeral, view, before, planned)
                }
                _ => true,
            };
            let (all, new) = computed.entry(name).or_default();
            all.push(view.name().as_str());
            if is_new || last != Some(&key) {
                new.push(view.name().as_str());
            }
        }
    }
    for view in planned.iter().filter(|view| !view.is_stored()) {
        let (action, detail) = match computed.get(view.name()) {
            Some((_, new)) if !new.is_empty() => (
                Action::Build,
                format!("computed inside {}", new.join(" and ")),
            ),
            Some((all, _)) => (
                Action::Skip,
                format!("unchanged; computed again inside {}", all.join(" and ")),
            ),
            None => (
                Action::Skip,
                "the view is not stored (cache = \"none\") and no view that reads it is built"
                    .to_owned(),
            ),
        };
        let reasons = vec![reason("cache_policy", &detail)];
        decisions.insert(view.name().clone(), Decision { action, reasons });
    }
}

fn reason(component: &str, detail: &str) -> Reason {
    Reason {
        component: component.to_owned(),
        detail: detail.to_owned(),
        file: None,
        line: None,
    }
}

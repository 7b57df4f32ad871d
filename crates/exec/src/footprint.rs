//! What the result key of a view holds of a dataset: the footprint of what its scans read.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use codeanatomy_delta::{
    FootprintChange, FootprintProof, OutputState, PinnedTable, ProofKind, ScanFootprint,
};
use codeanatomy_session::Session;
use codeanatomy_vocab::{
    DatasetName, DeltaVersion, Encoder, Error, Fingerprint, Result, UnixMillis, ViewName,
};
use datafusion::execution::SessionState;
use tokio::runtime::Handle;

use crate::reads::DatasetRead;
use crate::recorded::RecordedDataset;
use crate::{PinnedDataset, RunInputs, codes};

/// What a view depends on in a dataset.
#[derive(Debug, Clone)]
pub struct InputFootprint {
    /// What stands for it in the result key.
    pub hash: Fingerprint,
    /// What the scans read, for a Delta table; its hash is [`hash`](Self::hash).
    pub scan: Option<ScanFootprint>,
    /// How that compares with what the view's output was made from, where that is known.
    pub change: Option<InputChange>,
}

/// A Delta table, seen from the output of a view that was made from it.
#[derive(Debug, Clone)]
pub struct InputChange {
    /// The version that the output was made from.
    pub since_version: DeltaVersion,
    /// The version that is pinned.
    pub version: DeltaVersion,
    /// Whether the rows that the view reads are the same.
    pub verdict: FootprintChange,
    /// Why equal rows in other files do not do for the view, where they do not.
    pub depends_on_layout: Option<String>,
}

/// Where the footprints of datasets are found: in the tables, or in a record.
pub trait FootprintSource: Sync {
    /// What `view`, whose plan reads `dataset` so, depends on in it. Asked on a thread that may
    /// block.
    ///
    /// # Errors
    ///
    /// Those of reading the table's log.
    fn input(
        &self,
        view: &ViewName,
        dataset: &DatasetName,
        read: &DatasetRead,
    ) -> Result<InputFootprint>;
}

/// The footprints of pinned datasets, carried over from outputs whose inputs provably still hold
/// the same rows.
///
/// To be asked on threads that may block, while a runtime runs.
#[derive(Debug)]
pub struct PinnedFootprints {
    datasets: BTreeMap<DatasetName, Arc<PinnedDataset>>,
    /// What each output was made from.
    since: BTreeMap<ViewName, BTreeMap<DatasetName, ScanFootprint>>,
    state: SessionState,
    runtime: Handle,
    /// Views often read a table in the same way.
    known: Mutex<HashMap<(DatasetName, Fingerprint), ScanFootprint>>,
}

/// The footprints that a record holds.
pub(crate) struct RecordedFootprints<'a>(pub(crate) &'a BTreeMap<DatasetName, RecordedDataset>);

impl PinnedFootprints {
    /// The footprints of `datasets` for views whose outputs are in `states`. Must be called in a
    /// Tokio runtime, which reads logs later.
    pub fn new(
        session: &Session,
        datasets: BTreeMap<DatasetName, Arc<PinnedDataset>>,
        states: &BTreeMap<ViewName, OutputState>,
    ) -> Self {
        let since = states
            .iter()
            .filter_map(|(view, state)| {
                let stamp = state.stamp.as_ref()?;
                Some((view.clone(), stamp.provenance.inputs.clone()))
            })
            .collect();
        Self::since(session, datasets, since)
    }

    /// The footprints of `datasets`, for views that are compared with a record.
    pub(crate) fn since_record(
        session: &Session,
        datasets: BTreeMap<DatasetName, Arc<PinnedDataset>>,
        before: &RunInputs,
    ) -> Self {
        let mut since: BTreeMap<ViewName, BTreeMap<DatasetName, ScanFootprint>> = BTreeMap::new();
        for (name, dataset) in &before.datasets {
            for read in &dataset.reads {
                let inputs = since.entry(read.view.clone()).or_default();
                inputs.insert(name.clone(), read.scan.clone());
            }
        }
        Self::since(session, datasets, since)
    }

    fn since(
        session: &Session,
        datasets: BTreeMap<DatasetName, Arc<PinnedDataset>>,
        since: BTreeMap<ViewName, BTreeMap<DatasetName, ScanFootprint>>,
    ) -> Self {
        Self {
            datasets,
            since,
            state: session.planning_state(),
            runtime: Handle::current(),
            known: Mutex::default(),
        }
    }

    pub(crate) fn has(&self, dataset: &DatasetName) -> bool {
        self.datasets.contains_key(dataset)
    }

    fn now(
        &self,
        name: &DatasetName,
        table: &PinnedTable,
        read: &DatasetRead,
    ) -> Result<ScanFootprint> {
        let key = (name.clone(), ScanFootprint::scope_of(&read.scopes));
        if let Some(known) = self.known().get(&key) {
            return Ok(known.clone());
        }
        let now = self
            .runtime
            .block_on(table.scan_footprint(&self.state, &read.scopes))?;
        self.known().insert(key, now.clone());
        Ok(now)
    }

    fn known(
        &self,
    ) -> std::sync::MutexGuard<'_, HashMap<(DatasetName, Fingerprint), ScanFootprint>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FootprintSource for PinnedFootprints {
    fn input(
        &self,
        view: &ViewName,
        dataset: &DatasetName,
        read: &DatasetRead,
    ) -> Result<InputFootprint> {
        let pinned = self
            .datasets
            .get(dataset)
            .ok_or_else(|| not_pinned(dataset))?;
        let Some(table) = pinned.table() else {
            return Ok(InputFootprint::whole(pinned.identity().footprint));
        };
        let now = self.now(dataset, table, read)?;
        let since = self.since.get(view).and_then(|inputs| inputs.get(dataset));
        let Some(since) = since else {
            return Ok(InputFootprint::scan(now, None));
        };
        let verdict = match same_files(since, &now) {
            Some(proof) => FootprintChange::Unchanged(proof),
            None => self
                .runtime
                .block_on(table.footprint_change(&self.state, since, &read.scopes)),
        };
        let change = InputChange {
            since_version: since.version,
            version: now.version,
            verdict,
            depends_on_layout: read.depends_on_layout.clone(),
        };
        // A view that looks at the layout keeps to the footprint of the files themselves: the hash
        // that was carried over once may be that of other files.
        let now = match change.verdict.proof() {
            Some(_) if change.depends_on_layout.is_none() => now.carried_from(since),
            _ => now,
        };
        Ok(InputFootprint::scan(now, Some(change)))
    }
}

impl FootprintSource for RecordedFootprints<'_> {
    fn input(
        &self,
        view: &ViewName,
        dataset: &DatasetName,
        read: &DatasetRead,
    ) -> Result<InputFootprint> {
        let recorded = self.0.get(dataset).ok_or_else(|| not_pinned(dataset))?;
        if recorded.reads.is_empty() {
            return Ok(InputFootprint::whole(recorded.footprint));
        }
        let scope = ScanFootprint::scope_of(&read.scopes);
        let same = || {
            recorded
                .reads
                .iter()
                .filter(|read| read.scan.scope == scope)
        };
        let found = same()
            .find(|read| read.view == *view)
            .or_else(|| same().next());
        if let Some(found) = found {
            return Ok(InputFootprint::scan(found.scan.clone(), None));
        }
        // Nobody read it so. Whatever that would have read, it depends on these.
        let mut encoder = Encoder::new("codeanatomy.unrecorded-read", 1);
        encoder.fingerprint(&scope);
        encoder.fingerprint(&recorded.footprint);
        Ok(InputFootprint::whole(encoder.finish()))
    }
}

impl InputFootprint {
    fn whole(hash: Fingerprint) -> Self {
        Self {
            hash,
            scan: None,
            change: None,
        }
    }

    fn scan(scan: ScanFootprint, change: Option<InputChange>) -> Self {
        Self {
            hash: scan.hash,
            scan: Some(scan),
            change,
        }
    }
}

impl InputChange {
    /// Whether the rows that the view reads are provably the ones that its output was made from, as
    /// far as the view cares.
    pub fn is_unchanged(&self) -> bool {
        match self.verdict.proof() {
            Some(proof) => proof.kind == ProofKind::SameFiles || self.depends_on_layout.is_none(),
            None => false,
        }
    }
}

impl fmt::Display for InputChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (since, version) = (self.since_version, self.version);
        match &self.verdict {
            FootprintChange::Unchanged(proof) => {
                proof.fmt(f)?;
                match &self.depends_on_layout {
                    Some(why) if proof.kind == ProofKind::SameRows => {
                        write!(f, "; but they may come in another order, and {why}")
                    }
                    _ => Ok(()),
                }
            }
            FootprintChange::Changed {
                version: changed,
                operation,
                committed_at,
                why,
            } => {
                match operation {
                    Some(operation) => write!(f, "{operation} in version {changed}")?,
                    None => write!(f, "version {changed}")?,
                }
                if let Some(time) = committed_at {
                    write!(f, " at {}", instant(*time))?;
                }
                write!(
                    f,
                    " {why}; the output was made from version {since}, now it is {version}"
                )
            }
            FootprintChange::Unknown { reason } => {
                write!(
                    f,
                    "{reason}; the output was made from version {since}, now it is {version}"
                )
            }
        }
    }
}

/// A time as RFC 3339 writes it; of a time that no calendar has, its milliseconds.
pub(crate) fn instant(time: UnixMillis) -> String {
    match chrono::DateTime::from_timestamp_millis(time.0) {
        Some(instant) => instant.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
        None => format!("{} ms since 1970", time.0),
    }
}

/// The proof that needs no look at the log.
fn same_files(since: &ScanFootprint, now: &ScanFootprint) -> Option<FootprintProof> {
    let same = since.format_version == now.format_version
        && since.scope == now.scope
        && since.table_id == now.table_id
        && since.columns == now.columns
        && since.files == now.files;
    same.then_some(FootprintProof {
        kind: ProofKind::SameFiles,
        since_version: since.version,
        version: now.version,
        commits: 0,
        rearranging: 0,
        elsewhere: 0,
        n_files: now.n_files,
    })
}

fn not_pinned(dataset: &DatasetName) -> Error {
    Error::new(codes::INTERNAL, "a dataset that a view reads is not pinned")
        .with("dataset", dataset)
        .with_help("this is a defect of CodeAnatomy: please report it")
}

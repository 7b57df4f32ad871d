//! The proof that newer commits left a footprint as it was, or the commit that did not.

use std::collections::{HashMap, HashSet};
use std::fmt;

use codeanatomy_vocab::{DeltaVersion, UnixMillis};
use datafusion_catalog::Session;
use serde::Serialize;
use serde_json::Value;

use super::scope::{ScanFootprint, ScanScope, Scope};
use super::window::{NoWindow, Step, Window};
use crate::PinnedTable;
use crate::active::{ActiveFile, FileKey, active_files};
use crate::columns::Definitions;
use crate::resolve::load;

/// Whether the rows that a scan reads are the same as at another version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum FootprintChange {
    /// They are the same, as a multiset.
    Unchanged(FootprintProof),
    /// They may be others.
    Changed {
        /// The version of the first commit that may have changed them; that of the table, where
        /// no single commit can be named.
        version: DeltaVersion,
        /// What that commit says that it did.
        operation: Option<String>,
        /// When it was made.
        committed_at: Option<UnixMillis>,
        /// What it did.
        why: String,
    },
    /// It cannot be known. Who must not be wrong takes this for a change.
    Unknown {
        /// What is missing.
        reason: String,
    },
}

/// Why rows are the same. `Display` writes it for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FootprintProof {
    /// What is the same.
    pub kind: ProofKind,
    /// The version with which was compared.
    pub since_version: DeltaVersion,
    /// The version that was looked at.
    pub version: DeltaVersion,
    /// Commits between the two that were read; 0 where the files are the same.
    pub commits: usize,
    /// Commits of these that only laid rows out anew.
    pub rearranging: usize,
    /// Commits of these that changed rows, of which the scan reads none.
    pub elsewhere: usize,
    /// How many files the scan reads.
    pub n_files: usize,
}

/// What is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofKind {
    /// The files that the scan reads. So the order of the rows is the same too.
    SameFiles,
    /// The rows, though they may lie in other files and come in another order.
    SameRows,
}

impl FootprintChange {
    /// The proof, where there is one.
    pub fn proof(&self) -> Option<&FootprintProof> {
        match self {
            Self::Unchanged(proof) => Some(proof),
            Self::Changed { .. } | Self::Unknown { .. } => None,
        }
    }

    fn unknown(reason: impl Into<String>) -> Self {
        Self::Unknown {
            reason: reason.into(),
        }
    }

    fn by(step: &Step, why: String) -> Self {
        Self::Changed {
            version: step.version,
            operation: step.operation(),
            committed_at: step.committed_at(),
            why,
        }
    }
}

impl fmt::Display for FootprintChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unchanged(proof) => proof.fmt(f),
            Self::Changed {
                version,
                operation,
                why,
                ..
            } => match operation {
                Some(operation) => write!(f, "{operation} in version {version} {why}"),
                None => write!(f, "version {version} {why}"),
            },
            Self::Unknown { reason } => f.write_str(reason),
        }
    }
}

impl fmt::Display for FootprintProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (since, version) = (self.since_version, self.version);
        match self.kind {
            ProofKind::SameFiles if since == version => {
                write!(
                    f,
                    "still at version {version}, the same {} files",
                    self.n_files
                )
            }
            ProofKind::SameFiles => write!(
                f,
                "version {version} gives the scan the same {} files as version {since}",
                self.n_files
            ),
            ProofKind::SameRows => write!(
                f,
                "of the {} commits between versions {since} and {version}, {} only rearranged \
                 rows, {} changed rows that the scan does not read, and {} changed none",
                self.commits,
                self.rearranging,
                self.elsewhere,
                self.commits - self.rearranging - self.elsewhere
            ),
        }
    }
}

impl PinnedTable {
    /// Whether the rows of `scans` are the same in this version as when `since` was made, earlier
    /// or later.
    ///
    /// They are when the scans read the same files, or when every commit between the two versions
    /// is of one of these kinds:
    ///
    /// - it has no files: a property, a comment, a column that the scans do not read, a vacuum;
    /// - it lays rows out anew: a compaction, by its own word (`dataChange` is false), if it also
    ///   puts files in the place of others and the numbers of rows agree where they are known;
    /// - the files that it adds and removes cannot hold a row of the scans, by partition values
    ///   and statistics;
    /// - other commits undo it: what is added is removed again, or the other way around.
    ///
    /// A change of the definition of a column that the scans read, or another table at the same
    /// place, is a change. A log that does not reach back to `since`, or holds something unknown,
    /// proves nothing. The cost is one small read for each commit, and one snapshot where rows
    /// that the scans may read came or went, or where a removal says too little.
    ///
    /// Rows of equal multisets may come in another order unless the proof is
    /// [`SameFiles`](ProofKind::SameFiles).
    pub async fn footprint_change(
        &self,
        session: &dyn Session,
        since: &ScanFootprint,
        scans: &[ScanScope],
    ) -> FootprintChange {
        let scope = Scope::of(scans);
        if since.format_version != ScanFootprint::FORMAT_VERSION
            || since.scope != scope.fingerprint()
        {
            return FootprintChange::unknown("the scan asks for something else than before");
        }
        let now = match self.scan_footprint(session, scans).await {
            Ok(now) => now,
            Err(error) => return FootprintChange::unknown(error.to_string()),
        };
        let comparison = Comparison {
            table: self,
            session,
            scope,
            since,
            now,
        };
        comparison.verdict().await
    }
}

struct Comparison<'a> {
    table: &'a PinnedTable,
    session: &'a dyn Session,
    scope: Scope,
    since: &'a ScanFootprint,
    now: ScanFootprint,
}

impl Comparison<'_> {
    async fn verdict(&self) -> FootprintChange {
        let (since, now) = (self.since, &self.now);
        if since.table_id != now.table_id {
            return self.changed_somewhere("holds another table than before");
        }
        if since.columns == now.columns && since.files == now.files {
            return FootprintChange::Unchanged(self.proof(ProofKind::SameFiles, &[], &[]));
        }
        match self.is_same_history().await {
            Ok(()) => {}
            Err(reason) => return FootprintChange::unknown(reason),
        }
        let (from, to) = if since.version <= now.version {
            (since.version, now.version)
        } else {
            (now.version, since.version)
        };
        let window = match Window::read(self.table.store(), from, to).await {
            Ok(window) => window,
            Err(NoWindow::Gone(version)) => {
                return FootprintChange::unknown(format!(
                    "the files are others than at version {}, and the log no longer holds the \
                     commit of version {version}",
                    since.version
                ));
            }
            Err(NoWindow::UnknownAction(version, kind)) => {
                return FootprintChange::unknown(format!(
                    "version {version} holds an action `{kind}`, of which nothing is known"
                ));
            }
            Err(NoWindow::Unreadable(error)) => {
                return FootprintChange::unknown(error.to_string());
            }
        };
        if let Some(change) = self.metadata_change(&window) {
            return change;
        }
        if since.columns != now.columns {
            return self.changed_somewhere("defines a column that the scan reads in another way");
        }
        self.rows(&window, from).await
    }

    /// Whether the log still is the one in which `since` was made.
    async fn is_same_history(&self) -> Result<(), String> {
        let version = self.since.version;
        let known = self.since.commit.as_ref();
        let found = self.table.store().commit_fingerprint(version).await;
        match (known, found) {
            (Some(known), Ok(Some(found))) if *known == found => Ok(()),
            (Some(_), Ok(Some(_))) => Err(format!(
                "the commit of version {version} is another one than when the scan last read it"
            )),
            (_, Err(error)) => Err(error.to_string()),
            (None, Ok(_)) | (Some(_), Ok(None)) => Err(format!(
                "the files are others than at version {version}, and the log no longer holds its \
                 commit"
            )),
        }
    }

    fn metadata_change(&self, window: &Window) -> Option<FootprintChange> {
        window.steps.iter().find_map(|step| {
            let metadata = step
                .commit
                .actions()
                .filter_map(|(kind, action)| (kind == "metaData").then_some(action));
            let why = metadata
                .filter_map(|action| self.broken_by(action))
                .next()?;
            Some(FootprintChange::by(step, why))
        })
    }

    /// What a `metaData` action does to the scan.
    fn broken_by(&self, action: &Value) -> Option<String> {
        if action.get("id").and_then(Value::as_str) != Some(self.since.table_id.as_str()) {
            return Some("made another table at the same place".to_owned());
        }
        match Definitions::of_action(action) {
            None => Some("holds metadata that cannot be read".to_owned()),
            Some(definitions)
                if definitions.fingerprint(&self.scope.columns) != self.since.columns =>
            {
                Some("changed the definition of a column that the scan reads".to_owned())
            }
            Some(_) => None,
        }
    }

    /// The verdict over a window that changes no definition.
    async fn rows(&self, window: &Window, from: DeltaVersion) -> FootprintChange {
        let mut before: Option<HashMap<FileKey, ActiveFile>> = None;
        let added = window.added_files();
        let counting: Vec<(usize, &ActiveFile, bool)> = window
            .changes()
            .filter(|(_, change)| change.counts)
            .map(|(place, change)| (place, change.file.as_ref(), change.is_add))
            .collect();
        // A removal says little of its file, and the addition of the file much.
        let known: Vec<Option<&ActiveFile>> = counting
            .iter()
            .map(|(_, file, is_add)| match added.get(&file.key()) {
                _ if *is_add => Some(*file),
                Some(added) => Some(*added),
                None => self.says_enough(file).then_some(*file),
            })
            .collect();
        let mut survives = self.survives(&known);
        let needs_more = |place: usize| {
            let (_, file, is_add) = counting[place];
            !is_add && survives[place] && !added.contains_key(&file.key()) && file.stats.is_none()
        };
        let open: Vec<usize> = (0..counting.len()).filter(|i| needs_more(*i)).collect();
        if !open.is_empty() {
            before = self.files_at(from).await;
            if let Some(before) = &before {
                let better: Vec<Option<&ActiveFile>> = open
                    .iter()
                    .map(|place| before.get(&counting[*place].1.key()))
                    .collect();
                for (place, better) in open.iter().zip(self.survives(&better)) {
                    survives[*place] = better;
                }
            }
        }
        let relevant: HashSet<FileKey> = counting
            .iter()
            .zip(&survives)
            .filter(|(_, survives)| **survives)
            .map(|((_, file, _), _)| file.key())
            .collect();
        let counting_steps: HashSet<usize> = counting.iter().map(|(place, ..)| *place).collect();
        if relevant.is_empty() {
            return self.same_rows(window, &counting_steps);
        }
        if before.is_none() {
            before = self.files_at(from).await;
        }
        let first = counting
            .iter()
            .zip(&survives)
            .find_map(|((place, file, is_add), survives)| {
                survives.then_some((*place, *file, *is_add))
            });
        let Some(before) = before else {
            return self.changed_at(window, first);
        };
        let keys = before.keys().cloned().collect();
        let effect = window.net_effect(&relevant, &keys);
        if effect.is_empty() {
            return self.same_rows(window, &counting_steps);
        }
        let first = counting
            .iter()
            .find(|(_, file, _)| effect.contains_key(&file.key()))
            .copied();
        self.changed_at(window, first)
    }

    /// Whether a removal tells enough of its file to judge it.
    fn says_enough(&self, file: &ActiveFile) -> bool {
        self.table
            .placement()
            .beside
            .iter()
            .all(|placed| file.partition_values.contains_key(&placed.name))
    }

    /// For each file, whether the scans may read a row of it; one that is not known may be read.
    fn survives(&self, files: &[Option<&ActiveFile>]) -> Vec<bool> {
        let known: Vec<&ActiveFile> = files.iter().flatten().copied().collect();
        let mut survives = self
            .scope
            .survivors(self.session, self.table, &known)
            .into_iter();
        files
            .iter()
            .map(|file| file.is_none() || survives.next().unwrap_or(true))
            .collect()
    }

    /// The files of another version; `None` where it cannot be rebuilt any more.
    async fn files_at(&self, version: DeltaVersion) -> Option<HashMap<FileKey, ActiveFile>> {
        let store = self.table.store();
        let files = if version == self.table.pin().version {
            self.table
                .files()
                .iter()
                .map(|f| f.as_ref().clone())
                .collect()
        } else {
            let snapshot = load(store, Some(version)).await.ok()?;
            active_files(store, &snapshot).await.ok()?
        };
        Some(files.into_iter().map(|file| (file.key(), file)).collect())
    }

    fn same_rows(&self, window: &Window, counting: &HashSet<usize>) -> FootprintChange {
        let rearranging: Vec<usize> = (0..window.steps.len())
            .filter(|place| !counting.contains(place) && !window.steps[*place].changes.is_empty())
            .collect();
        let elsewhere: Vec<usize> = counting.iter().copied().collect();
        let mut proof = self.proof(ProofKind::SameRows, &rearranging, &elsewhere);
        proof.commits = window.steps.len();
        FootprintChange::Unchanged(proof)
    }

    fn proof(&self, kind: ProofKind, rearranging: &[usize], elsewhere: &[usize]) -> FootprintProof {
        FootprintProof {
            kind,
            since_version: self.since.version,
            version: self.now.version,
            commits: 0,
            rearranging: rearranging.len(),
            elsewhere: elsewhere.len(),
            n_files: self.now.n_files,
        }
    }

    fn changed_somewhere(&self, why: &str) -> FootprintChange {
        FootprintChange::Changed {
            version: self.now.version,
            operation: None,
            committed_at: self.table.pin().committed_at,
            why: why.to_owned(),
        }
    }

    fn changed_at(
        &self,
        window: &Window,
        first: Option<(usize, &ActiveFile, bool)>,
    ) -> FootprintChange {
        let Some((place, file, is_add)) = first else {
            return FootprintChange::unknown("the commits contradict each other");
        };
        let verb = if is_add { "adds" } else { "removes" };
        let rows = match file.n_live_rows() {
            Some(1) => "1 row".to_owned(),
            Some(n_rows) => format!("{n_rows} rows"),
            None => "rows".to_owned(),
        };
        FootprintChange::by(
            &window.steps[place],
            format!("{verb} {rows} that the scan may read, in `{}`", file.path),
        )
    }
}

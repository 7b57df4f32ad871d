//! The commits between two versions, and what they do to files.

use std::collections::{BTreeMap, HashMap, HashSet};

use codeanatomy_vocab::{DeltaVersion, Error, Result, UnixMillis};

use crate::active::{ActiveFile, FileKey};
use crate::replay::FileChange;
use crate::store::{Commit, Store};

/// One commit of a window.
pub(super) struct Step {
    pub(super) version: DeltaVersion,
    pub(super) commit: Commit,
    /// Its changes, removals first: a file that is removed and added again stays.
    pub(super) changes: Vec<Change>,
}

/// A file that a commit adds or removes.
pub(super) struct Change {
    pub(super) file: Box<ActiveFile>,
    pub(super) is_add: bool,
    /// Whether rows come or go with the file. What only lays rows out anew does not count.
    pub(super) counts: bool,
}

/// All commits after one version up to another, in order.
pub(super) struct Window {
    pub(super) steps: Vec<Step>,
}

/// Why a window cannot be looked at.
pub(super) enum NoWindow {
    /// The commit of this version is no longer in the log.
    Gone(DeltaVersion),
    /// A commit holds an action of a kind that is not known.
    UnknownAction(DeltaVersion, String),
    /// The log cannot be read.
    Unreadable(Error),
}

impl Window {
    /// Reads the commits of `after + 1 ..= to`.
    pub(super) async fn read(
        store: &Store,
        after: DeltaVersion,
        to: DeltaVersion,
    ) -> Result<Self, NoWindow> {
        let commits = store
            .commits(after + 1..=to)
            .await
            .map_err(NoWindow::Unreadable)?;
        let mut steps = Vec::with_capacity(commits.len());
        for (version, commit) in commits {
            let commit = commit.ok_or(NoWindow::Gone(version))?;
            if let Some(kind) = unknown_kind(&commit) {
                return Err(NoWindow::UnknownAction(version, kind.to_owned()));
            }
            let changes = store
                .file_changes(version, &commit)
                .map_err(NoWindow::Unreadable)?;
            steps.push(Step::new(version, commit, changes));
        }
        Ok(Self { steps })
    }

    /// All changes with the place of their commit.
    pub(super) fn changes(&self) -> impl Iterator<Item = (usize, &Change)> {
        self.steps
            .iter()
            .enumerate()
            .flat_map(|(place, step)| step.changes.iter().map(move |change| (place, change)))
    }

    /// What the commits say of files when they add them.
    pub(super) fn added_files(&self) -> HashMap<FileKey, &ActiveFile> {
        self.changes()
            .filter(|(_, change)| change.is_add)
            .map(|(_, change)| (change.file.key(), change.file.as_ref()))
            .collect()
    }

    /// Of `keys`, those whose rows come or go over the whole window, with the place of the last
    /// commit that did it. `before` holds the files of the version before the window.
    ///
    /// Commits that lay rows out anew neither bring nor take any, whatever they do to files. So
    /// what the window does to the rows is the sum of what the other commits do, and a file
    /// whose rows came as often as they went does not count.
    pub(super) fn net_effect(
        &self,
        keys: &HashSet<FileKey>,
        before: &HashSet<FileKey>,
    ) -> BTreeMap<FileKey, usize> {
        let mut effects: HashMap<FileKey, (bool, i64, usize)> = keys
            .iter()
            .map(|key| (key.clone(), (before.contains(key), 0, 0)))
            .collect();
        for (place, change) in self.changes() {
            let Some((is_active, net, last)) = effects.get_mut(&change.file.key()) else {
                continue;
            };
            if *is_active == change.is_add {
                continue;
            }
            *is_active = change.is_add;
            if change.counts {
                *net += if change.is_add { 1 } else { -1 };
                *last = place;
            }
        }
        effects
            .into_iter()
            .filter_map(|(key, (_, net, last))| (net != 0).then_some((key, last)))
            .collect()
    }
}

impl Step {
    fn new(version: DeltaVersion, commit: Commit, changes: Vec<FileChange>) -> Self {
        let rearranges = keeps_rows(&changes);
        let mut changes: Vec<Change> = changes
            .into_iter()
            .map(|change| {
                let counts = change.data_change() || !rearranges;
                let is_add = matches!(change, FileChange::Add { .. });
                Change {
                    file: change.into_file(),
                    is_add,
                    counts,
                }
            })
            .collect();
        changes.sort_by_key(|change| change.is_add);
        Self {
            version,
            commit,
            changes,
        }
    }

    pub(super) fn operation(&self) -> Option<String> {
        let info = self.commit.action("commitInfo")?;
        info.get("operation")?.as_str().map(str::to_owned)
    }

    pub(super) fn committed_at(&self) -> Option<UnixMillis> {
        self.commit.time()
    }
}

/// Whether the changes that say that they change no data can be believed: they take files away
/// and put others in their place, and where the numbers of rows are known they are the same.
fn keeps_rows(changes: &[FileChange]) -> bool {
    let quiet = || changes.iter().filter(|change| !change.data_change());
    let is_add = |change: &&FileChange| matches!(change, FileChange::Add { .. });
    let n_rows = |adds: bool| -> Option<u64> {
        quiet()
            .filter(|change| is_add(change) == adds)
            .map(|change| change.file().n_live_rows())
            .sum()
    };
    let has_both = quiet().any(|c| is_add(&c)) && quiet().any(|c| !is_add(&c));
    let differs = n_rows(true).zip(n_rows(false)).is_some_and(|(a, r)| a != r);
    has_both && !differs
}

/// The first kind of action that nothing is known of.
fn unknown_kind(commit: &Commit) -> Option<&str> {
    commit.actions().map(|(kind, _)| kind).find(|kind| {
        !matches!(
            *kind,
            "commitInfo"
                | "txn"
                | "protocol"
                | "metaData"
                | "domainMetadata"
                | "checkpointMetadata"
                | "sidecar"
                | "cdc"
                | "add"
                | "remove"
        )
    })
}

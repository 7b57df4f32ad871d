//! The part of a version that a scan reads.

use std::collections::BTreeSet;

use codeanatomy_vocab::{DeltaVersion, Encoder, Fingerprint, Result};
use datafusion_catalog::Session;
use datafusion_expr::Expr;
use serde::{Deserialize, Serialize};

use super::table::files_fingerprint;
use crate::PinnedTable;
use crate::active::ActiveFile;
use crate::prune::{column_names, conjuncts, survivors};

/// What one scan asks of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScanScope {
    /// The columns that are read, by name. A struct column is read whole.
    pub columns: BTreeSet<String>,
    /// What is asked of the rows; all must hold. As the analyzed plan has it: columns of this
    /// table alone, types that fit. Rows that fulfil them not may be read all the same.
    pub filters: Vec<Expr>,
}

/// The identity of what scans read of one version: plain data, made to be stored in the stamp of
/// what was made from it.
///
/// It covers the definitions of the columns that the scans read or filter by, and the files that
/// pruning by their filters leaves, with their deletion vectors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanFootprint {
    /// The version of this form.
    pub format_version: u32,
    /// The identity that belongs into a result key: equal hashes, equal rows. It is that of
    /// `columns` and `files`, or one that was [carried over](Self::carried_from).
    pub hash: Fingerprint,
    /// The version of the table.
    pub version: DeltaVersion,
    /// The table's id.
    pub table_id: String,
    /// The identity of the commit that made the version; `None` where the log had it no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Fingerprint>,
    /// The identity of what the scans ask: their columns and filters.
    pub scope: Fingerprint,
    /// The identity of the columns' definitions.
    pub columns: Fingerprint,
    /// The identity of the files that are left.
    pub files: Fingerprint,
    /// How many files are left.
    pub n_files: usize,
}

impl ScanFootprint {
    /// The form that is written now.
    pub const FORMAT_VERSION: u32 = 1;

    /// The identity of what scans ask, as [`scope`](Self::scope) holds it; no table is looked at.
    pub fn scope_of(scans: &[ScanScope]) -> Fingerprint {
        Scope::of(scans).fingerprint()
    }

    /// The same footprint under the hash of an older one, of which it was proved that its rows
    /// are the same. So a result key outlives a compaction, which renames every file.
    #[must_use]
    pub fn carried_from(self, older: &Self) -> Self {
        Self {
            hash: older.hash,
            ..self
        }
    }
}

/// All that scans ask of a table, taken together.
pub(super) struct Scope {
    /// The columns that are read or filtered by.
    pub(super) columns: BTreeSet<String>,
    /// For each scan the parts of its filters that can be asked of a file.
    filters: Vec<Vec<Expr>>,
}

impl Scope {
    pub(super) fn of(scans: &[ScanScope]) -> Self {
        let mut columns = BTreeSet::new();
        let mut filters = Vec::with_capacity(scans.len());
        for scan in scans {
            columns.extend(scan.columns.iter().cloned());
            for filter in &scan.filters {
                columns.extend(column_names(filter));
            }
            filters.push(conjuncts(&scan.filters));
        }
        Self { columns, filters }
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        let mut scans: Vec<Vec<String>> = self
            .filters
            .iter()
            .map(|filters| {
                let mut texts: Vec<String> = filters.iter().map(Expr::to_string).collect();
                texts.sort();
                texts.dedup();
                texts
            })
            .collect();
        scans.sort();
        scans.dedup();
        let mut encoder = Encoder::new("delta.scope", 1);
        encoder.seq(self.columns.iter(), |encoder, column| encoder.str(column));
        encoder.seq(scans.iter(), |encoder, filters| {
            encoder.seq(filters.iter(), |encoder, text| encoder.str(text));
        });
        encoder.finish()
    }

    /// For each file, whether any of the scans may read a row of it.
    pub(super) fn survivors(
        &self,
        session: &dyn Session,
        table: &PinnedTable,
        files: &[&ActiveFile],
    ) -> Vec<bool> {
        let mut survives = vec![false; files.len()];
        for filters in &self.filters {
            let kept = survivors(session, table.placement(), filters, files);
            for (survives, kept) in survives.iter_mut().zip(kept) {
                *survives |= kept;
            }
        }
        survives
    }
}

impl PinnedTable {
    /// The footprint of all scans of this table in one query.
    ///
    /// Equal footprints read the same rows, in the same order. A commit that touches neither the
    /// columns nor a file that the filters leave keeps the footprint; one that only lays the rows
    /// out anew does not, and [`footprint_change`](Self::footprint_change) is for that.
    ///
    /// No scan at all reads nothing. `session` gives functions and settings to the filters.
    ///
    /// # Errors
    ///
    /// [`CA-DELTA-0007`](crate::codes::UNREADABLE) when the commit of the version cannot be read.
    pub async fn scan_footprint(
        &self,
        session: &dyn Session,
        scans: &[ScanScope],
    ) -> Result<ScanFootprint> {
        let scope = Scope::of(scans);
        let version = self.pin().version;
        let commit = self.store().commit_fingerprint(version).await?;
        let columns = self.definitions().fingerprint(&scope.columns);
        let all: Vec<&ActiveFile> = self.files().iter().map(AsRef::as_ref).collect();
        let survives = scope.survivors(session, self, &all);
        let left: Vec<&ActiveFile> = all
            .into_iter()
            .zip(survives)
            .filter_map(|(file, survives)| survives.then_some(file))
            .collect();
        let files = files_fingerprint(&left);
        let mut encoder = Encoder::new("delta.scan-footprint", 1);
        encoder.fingerprint(&columns);
        encoder.fingerprint(&files);
        Ok(ScanFootprint {
            format_version: ScanFootprint::FORMAT_VERSION,
            hash: encoder.finish(),
            version,
            table_id: self.pin().table_id.clone(),
            commit,
            scope: scope.fingerprint(),
            columns,
            files,
            n_files: left.len(),
        })
    }
}

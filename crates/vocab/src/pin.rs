//! Pinned Delta inputs.

use serde::{Deserialize, Serialize};

use crate::{DatasetName, Fingerprint, UnixMillis};

/// The version of a Delta table: the number of its commit, from 0.
pub type DeltaVersion = u64;

/// Which version of a Delta table a project asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeltaVersionSelector {
    /// The newest version when the run starts, the same for all views of the run.
    #[default]
    Latest,
    /// Exactly this version.
    Version(DeltaVersion),
    /// The newest version committed at or before this time.
    Timestamp(UnixMillis),
}

/// One Delta table at one version, fixed for a run.
///
/// A function that needs a fixed table asks for this type, so an unpinned dataset cannot reach it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeltaInputPin {
    /// The dataset's name in the project.
    pub dataset_name: DatasetName,
    /// The pinned version.
    pub version: DeltaVersion,
    /// When that version was committed, by its own commit's word.
    pub committed_at: Option<UnixMillis>,
    /// The table's id from its metadata action; a table made anew at the same place has another.
    pub table_id: String,
    /// The table's minimal reader version.
    pub min_reader_version: u32,
    /// The table's minimal writer version.
    pub min_writer_version: u32,
    /// Reader features, sorted.
    pub reader_features: Vec<String>,
    /// Writer features, sorted.
    pub writer_features: Vec<String>,
    /// A hash of the storage options that were used; never the options themselves.
    pub storage_options_hash: Fingerprint,
}

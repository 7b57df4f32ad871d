//! What commits do to the files of a table.

use codeanatomy_vocab::{DeltaVersion, Error, Result, UnixMillis};
use deltalake_core::kernel::{Add, Remove};
use serde_json::Value;

use crate::active::{ActiveFile, DeletionVector, n_rows_of};
use crate::codes;
use crate::store::{Commit, Store};

/// One file that a commit adds or removes.
#[derive(Debug, Clone)]
pub(crate) enum FileChange {
    /// The file belongs to the table from here on.
    Add {
        file: Box<ActiveFile>,
        data_change: bool,
    },
    /// It does so no longer.
    Remove {
        /// All that the action says of the file; statistics only where the writer put them there.
        file: Box<ActiveFile>,
        data_change: bool,
    },
}

impl FileChange {
    pub(crate) fn data_change(&self) -> bool {
        match self {
            Self::Add { data_change, .. } | Self::Remove { data_change, .. } => *data_change,
        }
    }

    pub(crate) fn file(&self) -> &ActiveFile {
        match self {
            Self::Add { file, .. } | Self::Remove { file, .. } => file,
        }
    }

    pub(crate) fn into_file(self) -> Box<ActiveFile> {
        match self {
            Self::Add { file, .. } | Self::Remove { file, .. } => file,
        }
    }
}

impl Store {
    /// The files that a commit adds and removes, in its order.
    ///
    /// # Errors
    ///
    /// [`CA-DELTA-0006`](codes::DAMAGED_TABLE) when an action has not the form that it must have.
    pub(crate) fn file_changes(
        &self,
        version: DeltaVersion,
        commit: &Commit,
    ) -> Result<Vec<FileChange>> {
        commit
            .actions()
            .filter_map(|(kind, action)| match kind {
                "add" => Some(added(action)),
                "remove" => Some(removed(action)),
                _ => None,
            })
            .collect::<Result<_, _>>()
            .map_err(|error| {
                Error::new(
                    codes::DAMAGED_TABLE,
                    format!(
                        "the commit of version {version} of the Delta table at {} holds an action \
                         that is none",
                        self.location()
                    ),
                )
                .with_source(error)
                .with_help("restore the file in `_delta_log`, or write the table again")
            })
    }
}

fn added(action: &Value) -> Result<FileChange, serde_json::Error> {
    let add: Add = serde_json::from_value(action.clone())?;
    Ok(FileChange::Add {
        data_change: add.data_change,
        file: Box::new(add.into()),
    })
}

fn removed(action: &Value) -> Result<FileChange, serde_json::Error> {
    let remove: Remove = serde_json::from_value(action.clone())?;
    let stats = action.get("stats").and_then(Value::as_str);
    let file = ActiveFile {
        path: remove.path,
        size_bytes: remove
            .size
            .and_then(|size| u64::try_from(size).ok())
            .unwrap_or(0),
        modified: UnixMillis(0),
        partition_values: remove
            .partition_values
            .unwrap_or_default()
            .into_iter()
            .collect(),
        n_rows: stats.and_then(n_rows_of),
        stats: stats.map(Box::from),
        deletion_vector: remove.deletion_vector.as_ref().map(DeletionVector::new),
    };
    Ok(FileChange::Remove {
        file: Box::new(file),
        data_change: remove.data_change,
    })
}

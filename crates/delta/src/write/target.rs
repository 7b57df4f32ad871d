//! What is at the place of the output, and whether it may be overwritten.

use arrow_schema::SchemaRef;
use codeanatomy_vocab::{DeltaVersion, Error, Result};
use deltalake_core::kernel::{Add, EagerSnapshot, Metadata, Remove, Snapshot};
use deltalake_core::{ObjectStoreError, Path};
use futures::TryStreamExt;
use serde_json::Value;

use super::files::is_ours;
use super::rebase::{self, Replaced};
use super::rules::Rules;
use super::{OverwriteSpec, WriteMode};
use crate::active;
use crate::error::{Access, store_error};
use crate::output::{last_txn_version, was_stamped};
use crate::remote::is_probe;
use crate::resolve::load;
use crate::store::Store;
use crate::{codes, protocol};

/// The place of an output.
pub(super) enum Target {
    /// Nothing, or nothing that counts.
    New,
    /// A table that a view wrote, at the expected version.
    Existing(Box<Existing>),
}

pub(super) struct Existing {
    pub(super) eager: EagerSnapshot,
    pub(super) snapshot: Snapshot,
    /// The number of the view's last application transaction.
    pub(super) txn_version: Option<i64>,
}

impl Target {
    pub(super) async fn examine(
        store: &Store,
        spec: &OverwriteSpec,
        mode: WriteMode,
    ) -> Result<Self> {
        if store.log().await?.newest().is_none() {
            if let Some(expected) = spec.expected {
                return Err(conflict(store, Some(expected), None));
            }
            refuse_foreign_files(store).await?;
            return Ok(Self::New);
        }
        let snapshot = load(store, None).await?;
        let version = snapshot.version();
        let eager = EagerSnapshot::try_new(store.log_store().as_ref(), Some(version))
            .await
            .map_err(|error| store.log_error(error))?;
        let txn_version = last_txn_version(store, &eager, &spec.view).await?;
        if txn_version.is_none() && !was_stamped(store, version).await? {
            return Err(Error::new(
                codes::FOREIGN_OUTPUT,
                format!(
                    "{} holds a Delta table that no view wrote",
                    store.location()
                ),
            )
            .with_help("give the view another `location`, or remove the table yourself"));
        }
        match spec.expected {
            Some(expected) if expected == version => {}
            Some(expected) if expected < version && mode != WriteMode::Overwrite => {
                rebase::check(store, spec, expected, version).await?;
            }
            _ => return Err(conflict(store, spec.expected, Some(version))),
        }
        protocol::check(snapshot.protocol(), snapshot.metadata(), store.location())?;
        refuse_rules(store, snapshot.metadata())?;
        Ok(Self::Existing(Box::new(Existing {
            eager,
            snapshot,
            txn_version,
        })))
    }

    /// What every row of the table has to keep.
    pub(super) fn rules(&self, store: &Store, columns: &SchemaRef) -> Result<Rules> {
        match self {
            Self::New => Ok(Rules::default()),
            Self::Existing(existing) => {
                Rules::read(existing.snapshot.metadata(), columns, store.location())
            }
        }
    }

    pub(super) fn is_new(&self) -> bool {
        matches!(self, Self::New)
    }

    /// The version on which the commit builds.
    pub(super) fn version(&self) -> Option<DeltaVersion> {
        match self {
            Self::New => None,
            Self::Existing(existing) => Some(existing.snapshot.version()),
        }
    }
}

impl Existing {
    /// Actions that remove the files whose rows go.
    pub(super) async fn removes(
        &self,
        store: &Store,
        mode: WriteMode,
        adds: &[Add],
        now_ms: i64,
    ) -> Result<Vec<Remove>> {
        let replaced = match mode {
            WriteMode::Append => return Ok(Vec::new()),
            WriteMode::Overwrite => None,
            WriteMode::OverwritePartitions => Some(Replaced::new(store, &self.snapshot, adds)?),
        };
        // The log tells files apart by their paths as they are written there, and the library
        // writes a path anew from its decoded form. Where that is another text, the removal would
        // not be seen as one.
        for (path, raw) in active::raw_paths(store, &self.snapshot).await? {
            if !survives(&path, &raw) {
                return Err(Error::new(
                    codes::UNSUPPORTED_OUTPUT,
                    format!(
                        "the table at {} names a file in a way that cannot be removed again",
                        store.location()
                    ),
                )
                .with("file", path)
                .with_help("remove the table; the view is then written anew"));
            }
        }
        self.eager
            .file_views(store.log_store().as_ref(), None)
            .try_filter(|view| {
                let values = || view.partition_values_map().into_iter().collect();
                let goes = replaced
                    .as_ref()
                    .is_none_or(|replaced| replaced.has(values()));
                std::future::ready(goes)
            })
            .map_ok(|view| Remove {
                deletion_timestamp: Some(now_ms),
                ..view.remove_action(true)
            })
            .try_collect()
            .await
            .map_err(|error| store.log_error(error))
    }
}

/// The error of a table that somebody else moved on.
pub(super) fn conflict(
    store: &Store,
    expected: Option<DeltaVersion>,
    found: Option<DeltaVersion>,
) -> Error {
    let location = store.location();
    let message = match (expected, found) {
        (Some(expected), Some(found)) => format!(
            "another build wrote the table at {location}: it is at version {found}, not {expected}"
        ),
        (None, Some(found)) => format!(
            "another build wrote the table at {location}: it is at version {found}, and was not there before"
        ),
        (_, None) => format!("the table at {location} was removed meanwhile"),
    };
    Error::new(codes::CONFLICT, message)
        .with_help("build again: the new state is then looked at first")
}

/// Refuses a folder that holds files of somebody else. Files of ours are left over from a build
/// that was killed.
async fn refuse_foreign_files(store: &Store) -> Result<()> {
    if !store.has_folder("").await? {
        return Ok(());
    }
    let files = store.files();
    let mut listing = files.list(None);
    loop {
        match listing.try_next().await {
            Ok(None) | Err(ObjectStoreError::NotFound { .. }) => return Ok(()),
            Ok(Some(meta))
                if is_ours(&meta.location)
                    || is_commit_draft(&meta.location)
                    || is_probe(&meta.location) => {}
            Ok(Some(meta)) => {
                // Another build may have made the table since its log was looked at.
                return match store.log().await?.newest() {
                    Some(found) => Err(conflict(store, None, Some(found))),
                    None => Err(foreign_file(store, &meta.location)),
                };
            }
            Err(error) => return Err(store_error(error, Access::Read, store.location())),
        }
    }
}

/// Whether the file is a commit that is about to get its name, or never got it.
fn is_commit_draft(path: &Path) -> bool {
    path.as_ref().starts_with("_delta_log/_commit_") && path.as_ref().ends_with(".tmp")
}

fn foreign_file(store: &Store, path: &Path) -> Error {
    Error::new(
        codes::FOREIGN_OUTPUT,
        format!(
            "the folder {} is not empty, and holds no Delta table",
            store.location()
        ),
    )
    .with("file", path)
    .with_help("give the view another `location`, or empty the folder yourself")
}

/// Refuses a table with rules for its rows that the writer does not check.
fn refuse_rules(store: &Store, metadata: &Metadata) -> Result<()> {
    let is_on = |value: &str| value.eq_ignore_ascii_case("true");
    let property = metadata
        .configuration()
        .iter()
        .filter(|(key, value)| match key.as_str() {
            "delta.appendOnly"
            | "delta.enableRowTracking"
            | "delta.enableInCommitTimestamps"
            | "delta.enableIcebergCompatV1"
            | "delta.enableIcebergCompatV2" => is_on(value),
            "delta.columnMapping.mode" => *value != "none",
            _ => false,
        })
        .map(|(key, _)| key.as_str())
        .min();
    let schema = serde_json::to_value(metadata)
        .ok()
        .and_then(|metadata| metadata.get("schemaString")?.as_str().map(str::to_owned))
        .and_then(|schema| serde_json::from_str::<Value>(&schema).ok());
    let rule = property.or_else(|| schema.as_ref().and_then(column_rule));
    let Some(rule) = rule else {
        return Ok(());
    };
    Err(Error::new(
        codes::UNSUPPORTED_OUTPUT,
        format!(
            "the table at {} was given `{rule}`, which a rewrite cannot keep",
            store.location()
        ),
    )
    .with_help("take the property away, or remove the table; the view is then written anew"))
}

fn column_rule(schema: &Value) -> Option<&'static str> {
    const RULES: [&str; 4] = [
        "delta.invariants",
        "delta.generationExpression",
        "delta.identity.start",
        "delta.columnMapping.physicalName",
    ];
    let fields = schema.get("fields")?.as_array()?;
    RULES.into_iter().find(|rule| {
        fields.iter().any(|field| {
            field
                .get("metadata")
                .is_some_and(|metadata| metadata.get(rule).is_some())
        })
    })
}

/// Whether a path gets its form in the log again when it is written there.
fn survives(path: &str, raw: &str) -> bool {
    let action = Remove {
        path: path.to_owned(),
        data_change: true,
        ..Remove::default()
    };
    serde_json::to_value(action)
        .is_ok_and(|again| again.get("path").and_then(Value::as_str) == Some(raw))
}

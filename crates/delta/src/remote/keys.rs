//! The keys of options: which are known, which are ours, and which are refused.

use codeanatomy_vocab::{Error, Result};

use super::Kind;
use crate::{StoreOptions, TableLocation, codes};

/// How commits become atomic. There is one way that is safe everywhere: the store itself refuses to
/// write a commit that is there.
pub(super) const LOG_STORE: &str = "log_store";

/// The values of [`LOG_STORE`]; both mean the same.
const LOG_STORES: [&str; 2] = ["conditional_put", "default"];

/// Keys of other programs that ask for commits that are not atomic, or that are made so by a table of
/// locks which this program does not keep.
const REFUSED: [(&str, &str); 7] = [
    (
        "aws_s3_allow_unsafe_rename",
        "it lets two writers make the same commit",
    ),
    (
        "allow_unsafe_rename",
        "it lets two writers make the same commit",
    ),
    (
        "aws_s3_locking_provider",
        "commits are made by conditional put, not under a lock",
    ),
    (
        "locking_provider",
        "commits are made by conditional put, not under a lock",
    ),
    (
        "delta_dynamo_table_name",
        "commits are made by conditional put, not under a lock",
    ),
    (
        "mount_allow_unsafe_rename",
        "it lets two writers make the same commit",
    ),
    (
        "hdfs_allow_unsafe_rename",
        "it lets two writers make the same commit",
    ),
];

/// Refuses what would take the safety of commits away.
pub(super) fn check_policy(
    kind: Kind,
    location: &TableLocation,
    options: &StoreOptions,
) -> Result<()> {
    for (key, value) in options.expose() {
        let folded = key.to_ascii_lowercase();
        if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == folded) {
            return Err(refused(&key, location, why));
        }
        if folded == LOG_STORE && !LOG_STORES.contains(&value.as_str()) {
            return Err(Error::new(
                codes::INVALID_OPTION,
                format!("there is no log store `{value}` for {location}"),
            )
            .with_expected(format!("`{}`", LOG_STORES[0]))
            .with_help("remove `log_store`: commits are made by conditional put"));
        }
        let is_conditional = folded.trim_start_matches("aws_") == "conditional_put";
        if kind == Kind::S3 && is_conditional && value != "etag" {
            return Err(refused(
                &key,
                location,
                "without it two writers can make the same commit",
            ));
        }
    }
    Ok(())
}

fn refused(key: &str, location: &TableLocation, why: &str) -> Error {
    Error::new(
        codes::INVALID_OPTION,
        format!("the option `{key}` of the store at {location} is refused: {why}"),
    )
    .with_help(format!("remove `{key}`"))
}

/// The error of a key that no store of this kind has.
#[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
pub(super) fn unknown(key: &str, location: &TableLocation, known: &[&str]) -> Error {
    Error::new(
        codes::INVALID_OPTION,
        format!("the store at {location} has no option `{key}`"),
    )
    .with_nearest(codeanatomy_vocab::nearest(key, known.iter().copied()))
    .with_help("correct the key; docs/stores.md lists those that are mostly needed")
}

/// Whether a key is one of ours, and no driver is asked for it.
#[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
pub(super) fn is_ours(folded: &str) -> bool {
    folded == LOG_STORE || folded == "credentials"
}

//! Whether a store refuses to write what is there, on which commits rest.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use codeanatomy_vocab::{Error, Result, RunId, UnixMillis};
use deltalake_core::{ObjectStore, ObjectStoreError, Path};
use object_store::{ObjectStoreExt, PutMode, PutOptions};

use crate::codes;
use crate::error::{Access, store_error};
use crate::store::Store;

/// Stores that passed, by scheme and host.
static PASSED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The folder and the beginning of the name of what is written to find out.
const PROBE: &str = "_delta_log/_probe_";

/// Whether a file was written to find out, and perhaps never deleted.
pub(crate) fn is_probe(path: &Path) -> bool {
    path.as_ref().starts_with(PROBE)
}

/// Finds out once for each store whether it honours a conditional put. Some that speak the protocol
/// of S3 ignore the condition, and two writers would then both make the same commit.
pub(crate) async fn honours_conditional_put(store: &Store) -> Result<()> {
    let url = store.location().url().expose();
    if store.location().local_path().is_some() || url.scheme() == "memory" {
        return Ok(());
    }
    let name = format!("{}://{}", url.scheme(), url.authority());
    if PASSED
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .contains(&name)
    {
        return Ok(());
    }
    let files = store.files();
    // Only the part that is random counts, so no clock is needed.
    let path = Path::from(format!("{PROBE}{}", RunId::generate(UnixMillis(0))));
    let first = put(files.as_ref(), &path).await;
    let second = match &first {
        Ok(()) => put(files.as_ref(), &path).await,
        Err(_) => Ok(()),
    };
    if let Err(error) = files.delete(&path).await {
        tracing::debug!(%error, %path, "the file of a probe could not be deleted");
    }
    match (first, second) {
        (
            Ok(()),
            Err(ObjectStoreError::AlreadyExists { .. } | ObjectStoreError::Precondition { .. }),
        ) => {
            PASSED
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(name);
            Ok(())
        }
        // A retry of a request whose answer was lost sees its own object.
        (Err(ObjectStoreError::AlreadyExists { .. }), _) => Ok(()),
        (Ok(()), Ok(())) | (Err(ObjectStoreError::NotImplemented { .. }), _) => Err(Error::new(
            codes::NO_CONDITIONAL_PUT,
            format!(
                "the store at {} does not refuse to write what is there, so that two writers could \
                 make the same commit",
                store.location()
            ),
        )
        .with_help(
            "write to a store that honours `If-None-Match: *`; reading from this one is safe",
        )),
        (Ok(()), Err(error)) | (Err(error), _) => {
            Err(store_error(error, Access::Write, store.location()))
        }
    }
}

async fn put(files: &dyn ObjectStore, path: &Path) -> Result<(), ObjectStoreError> {
    let options = PutOptions::from(PutMode::Create);
    files
        .put_opts(path, bytes::Bytes::from_static(b"probe").into(), options)
        .await
        .map(|_| ())
}

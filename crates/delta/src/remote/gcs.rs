//! Google Cloud Storage.

use std::sync::Arc;

use codeanatomy_vocab::Result;
use deltalake_core::ObjectStore;
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use url::Url;

use super::{keys, retry, unusable};
use crate::{StoreOptions, TableLocation};

/// Keys that are mostly needed; the nearest to a misspelt one is named.
const KNOWN: [&str; 5] = [
    "application_credentials",
    "base_url",
    "log_store",
    "service_account",
    "service_account_key",
];

/// Opens what the URL names.
pub(super) fn open(
    url: &Url,
    location: &TableLocation,
    options: &StoreOptions,
) -> Result<Arc<dyn ObjectStore>> {
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_retry(retry())
        .with_url(url.as_str());
    for (key, value) in options.expose() {
        let folded = key.to_ascii_lowercase();
        if !keys::is_ours(&folded) {
            let known: GoogleConfigKey = folded
                .parse()
                .map_err(|_| keys::unknown(&key, location, &KNOWN))?;
            builder = builder.with_config(known, value);
        }
    }
    let store = builder.build().map_err(|error| unusable(error, location))?;
    Ok(Arc::new(store))
}

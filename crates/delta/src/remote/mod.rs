//! Stores over the network: one policy makes the store that the engine reads from and that commits go to.
//!
//! Nothing but the options decides how a store is reached. In particular no variable of the
//! environment is looked at unless an option names it.

#[cfg(feature = "azure")]
mod azure;
#[cfg(feature = "gcs")]
mod gcs;
mod keys;
mod probe;
#[cfg(feature = "s3")]
mod s3;

use std::sync::Arc;

use codeanatomy_vocab::{Error, Result};
use deltalake_core::ObjectStore;
use deltalake_core::logstore::{LogStoreRef, StorageConfig, default_logstore};
use url::Url;

use crate::error::Chain;
use crate::{StoreOptions, TableLocation, codes};

pub(crate) use self::probe::{honours_conditional_put, is_probe};

/// The kinds of stores, by the schemes of their URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    S3,
    Azure,
    Gcs,
}

impl Kind {
    /// The kind that a scheme stands for.
    pub(crate) fn of(scheme: &str) -> Option<Self> {
        match scheme {
            "s3" | "s3a" => Some(Self::S3),
            "az" | "azure" | "abfs" | "abfss" => Some(Self::Azure),
            "gs" => Some(Self::Gcs),
            _ => None,
        }
    }

    /// The feature that builds it in.
    pub(crate) const fn feature(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Azure => "azure",
            Self::Gcs => "gcs",
        }
    }

    pub(crate) const fn is_built_in(self) -> bool {
        match self {
            Self::S3 => cfg!(feature = "s3"),
            Self::Azure => cfg!(feature = "azure"),
            Self::Gcs => cfg!(feature = "gcs"),
        }
    }
}

/// The log store of a table that is not on this machine. Nothing is read yet.
pub(crate) fn log_store(location: &TableLocation, options: &StoreOptions) -> Result<LogStoreRef> {
    let root = root(location, options)?;
    let url = location.url().expose();
    let config = StorageConfig::default();
    let of_table = config
        .decorate_store(Arc::clone(&root), url)
        .map_err(|error| invalid(location).with_source(Chain::from(error)))?;
    Ok(default_logstore(Arc::new(of_table), root, url, &config))
}

/// The store of a location, from its root.
pub(crate) fn root(
    location: &TableLocation,
    options: &StoreOptions,
) -> Result<Arc<dyn ObjectStore>> {
    let url = location.url().expose();
    let Some(kind) = Kind::of(url.scheme()) else {
        return Err(invalid(location));
    };
    keys::check_policy(kind, location, options)?;
    open(kind, url, location, options)
}

fn open(
    kind: Kind,
    url: &Url,
    location: &TableLocation,
    options: &StoreOptions,
) -> Result<Arc<dyn ObjectStore>> {
    // Without any of the features nobody takes these.
    let _ = (url, options);
    match kind {
        #[cfg(feature = "s3")]
        Kind::S3 => s3::open(url, location, options),
        #[cfg(feature = "azure")]
        Kind::Azure => azure::open(url, location, options),
        #[cfg(feature = "gcs")]
        Kind::Gcs => gcs::open(url, location, options),
        #[cfg(not(all(feature = "s3", feature = "azure", feature = "gcs")))]
        kind => Err(not_built_in(kind, location)),
    }
}

/// The error of a store that this program was built without.
pub(crate) fn not_built_in(kind: Kind, location: impl std::fmt::Display) -> Error {
    let feature = kind.feature();
    Error::new(
        codes::UNSUPPORTED_STORE,
        format!("this program was built without the stores of {location}"),
    )
    .with_help(format!(
        "build it with the feature `{feature}` (`cargo build --features {feature}`), or copy the data to \
         a local folder"
    ))
}

fn invalid(location: &TableLocation) -> Error {
    Error::new(
        codes::INVALID_LOCATION,
        format!("no store can be opened at {location}"),
    )
    .with_help("correct the location or the store's options")
}

/// How long a request is tried. A build that waits for minutes looks like one that hangs.
#[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
fn retry() -> object_store::RetryConfig {
    object_store::RetryConfig {
        max_retries: 8,
        retry_timeout: std::time::Duration::from_secs(60),
        ..object_store::RetryConfig::default()
    }
}

/// The error of options with which no store can be made.
#[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
fn unusable(error: object_store::Error, location: &TableLocation) -> Error {
    Error::new(
        codes::INVALID_OPTION,
        format!("the options of the store at {location} do not fit together: {error}"),
    )
    .with_help("correct `options` of the dataset or of the store")
}

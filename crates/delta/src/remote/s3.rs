//! S3 and stores that speak its protocol.

use std::sync::Arc;

use codeanatomy_vocab::{Error, Result, SecretRef};
use deltalake_core::ObjectStore;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use url::Url;

use super::{keys, retry, unusable};
use crate::{StoreOptions, TableLocation, codes};

/// Keys that are mostly needed; the nearest to a misspelt one is named.
const KNOWN: [&str; 13] = [
    "access_key_id",
    "allow_http",
    "aws_access_key_id",
    "aws_region",
    "aws_secret_access_key",
    "aws_session_token",
    "credentials",
    "endpoint",
    "log_store",
    "region",
    "secret_access_key",
    "skip_signature",
    "virtual_hosted_style_request",
];

/// The variables of `credentials = "environment"`, with the keys that they stand for.
const VARIABLES: [(&str, AmazonS3ConfigKey); 6] = [
    ("AWS_ACCESS_KEY_ID", AmazonS3ConfigKey::AccessKeyId),
    ("AWS_SECRET_ACCESS_KEY", AmazonS3ConfigKey::SecretAccessKey),
    ("AWS_SESSION_TOKEN", AmazonS3ConfigKey::Token),
    (
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        AmazonS3ConfigKey::WebIdentityTokenFile,
    ),
    ("AWS_ROLE_ARN", AmazonS3ConfigKey::RoleArn),
    (
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        AmazonS3ConfigKey::ContainerCredentialsRelativeUri,
    ),
];

/// Keys that say who asks, or that nobody does.
const WHO: [AmazonS3ConfigKey; 5] = [
    AmazonS3ConfigKey::AccessKeyId,
    AmazonS3ConfigKey::WebIdentityTokenFile,
    AmazonS3ConfigKey::ContainerCredentialsRelativeUri,
    AmazonS3ConfigKey::ContainerCredentialsFullUri,
    AmazonS3ConfigKey::SkipSignature,
];

/// Opens a bucket.
pub(super) fn open(
    url: &Url,
    location: &TableLocation,
    options: &StoreOptions,
) -> Result<Arc<dyn ObjectStore>> {
    let bucket = url.host_str().unwrap_or_default();
    let mut builder = AmazonS3Builder::new()
        .with_retry(retry())
        .with_bucket_name(bucket);
    let mut credentials = None;
    let mut says_who = false;
    for (key, value) in options.expose() {
        let folded = key.to_ascii_lowercase();
        if folded == "credentials" {
            credentials = Some(value);
        } else if !keys::is_ours(&folded) {
            let known: AmazonS3ConfigKey = folded
                .parse()
                .map_err(|_| keys::unknown(&key, location, &KNOWN))?;
            if known == AmazonS3ConfigKey::Bucket && value != bucket {
                return Err(Error::new(
                    codes::INVALID_OPTION,
                    format!("the option `{key}` names another bucket than {location}"),
                )
                .with_help(format!("remove `{key}`: the location names the bucket")));
            }
            says_who |= WHO.contains(&known);
            builder = builder.with_config(known, value);
        }
    }
    match credentials.as_deref() {
        Some("environment") => {
            for (variable, key) in VARIABLES {
                // One that is not set is not needed, or the store will say so.
                if let Ok(value) = SecretRef::Env(variable.to_owned()).resolve() {
                    says_who |= WHO.contains(&key);
                    builder = builder.with_config(key, value.expose());
                }
            }
        }
        // The builder asks the machine when it is told nothing.
        Some("instance") => says_who = true,
        Some(other) => {
            return Err(Error::new(
                codes::INVALID_OPTION,
                format!("there are no credentials `{other}` for {location}"),
            )
            .with_expected("`environment` or `instance`")
            .with_help("correct `credentials`, or give keys by reference"));
        }
        None => {}
    }
    if !says_who {
        return Err(Error::new(
            codes::NO_CREDENTIALS,
            format!("there are no credentials for {location}"),
        )
        .with_help(
            "in `options` write `aws_access_key_id` and `aws_secret_access_key` as `{ env = \"NAME\" }`, \
             or `credentials = \"environment\"` for the usual variables, `credentials = \"instance\"` \
             for those of the machine, `skip_signature = true` for a public bucket",
        ));
    }
    let store = builder.build().map_err(|error| unusable(error, location))?;
    Ok(Arc::new(store))
}

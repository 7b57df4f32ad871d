//! Secrets, and URLs that may hold them.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{Error, codes};
use crate::{Location, Result};

/// A secret value. It has no `Display` and no `Serialize`, and `Debug` hides it.
///
/// ```compile_fail
/// let secret = codeanatomy_vocab::Secret::new("hunter2");
/// println!("{secret}");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// Where a secret is found; the reference may be stored, the value may not.
///
/// In TOML: `{ env = "NAME" }` or `{ file = "path" }`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum SecretRef {
    /// An environment variable.
    Env(String),
    /// A file; one trailing line break is not part of the secret.
    File(PathBuf),
}

/// A URL whose user name, password and query are hidden by `Display` and `Debug`.
///
/// # Example: what does a log show?
///
/// ```
/// use codeanatomy_vocab::SafeUrl;
///
/// let url: SafeUrl = "s3://key:secret@bucket/t?X-Amz-Signature=abc".parse().unwrap();
/// assert_eq!(url.to_string(), "s3://****@bucket/t?****");
/// assert_eq!(url.expose().password(), Some("secret"));
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SafeUrl(url::Url);

impl Secret {
    /// Takes a secret value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value, for the one call that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(****)")
    }
}

impl SecretRef {
    /// Reads the secret.
    ///
    /// # Errors
    ///
    /// [`CA-VOCAB-0003`](codes::SECRET_NOT_FOUND) when the variable is not set or the file cannot
    /// be read as UTF-8.
    #[expect(
        clippy::disallowed_methods,
        reason = "a secret is read where it is used, once"
    )]
    pub fn resolve(&self) -> Result<Secret> {
        match self {
            Self::Env(name) => std::env::var(name).map(Secret).map_err(|_| {
                Error::new(
                    codes::SECRET_NOT_FOUND,
                    format!("the environment variable `{name}` is not set"),
                )
                .with_help(format!("set `{name}` before the command"))
            }),
            Self::File(path) => std::fs::read_to_string(path)
                .map(|text| {
                    let value = text.strip_suffix('\n').unwrap_or(&text);
                    Secret(value.strip_suffix('\r').unwrap_or(value).to_owned())
                })
                .map_err(|error| {
                    Error::new(codes::SECRET_NOT_FOUND, "the secret's file cannot be read")
                        .at(Location::file(path))
                        .with_source(error)
                        .with_help("create the file, or correct the reference")
                }),
        }
    }
}

impl SafeUrl {
    /// The URL itself, with everything it holds.
    pub fn expose(&self) -> &url::Url {
        &self.0
    }
}

impl From<url::Url> for SafeUrl {
    fn from(url: url::Url) -> Self {
        Self(url)
    }
}

impl std::str::FromStr for SafeUrl {
    type Err = url::ParseError;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

impl fmt::Display for SafeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = &self.0;
        write!(f, "{}:", url.scheme())?;
        if url.has_authority() {
            f.write_str("//")?;
            if !url.username().is_empty() || url.password().is_some() {
                f.write_str("****@")?;
            }
            f.write_str(url.host_str().unwrap_or_default())?;
            if let Some(port) = url.port() {
                write!(f, ":{port}")?;
            }
        }
        f.write_str(url.path())?;
        if url.query().is_some() {
            f.write_str("?****")?;
        }
        Ok(())
    }
}

impl fmt::Debug for SafeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SafeUrl({self})")
    }
}

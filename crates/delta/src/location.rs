//! Where a table is: a directory URL.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use codeanatomy_vocab::{Error, Result, SafeUrl};
use url::Url;

use crate::codes;

/// The directory of a table, as a URL that ends with a slash.
///
/// `Display` writes the path of a local folder, and the URL of any other.
///
/// # Example: where is a relative location?
///
/// ```
/// use std::path::Path;
///
/// use codeanatomy_delta::TableLocation;
///
/// let location = TableLocation::parse("data/../out/by region", Path::new("/shop")).unwrap();
/// assert_eq!(location.url().to_string(), "file:///shop/out/by%20region/");
/// assert_eq!(location.local_path().unwrap(), Path::new("/shop/out/by region"));
/// assert_eq!(location.to_string(), "/shop/out/by region");
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableLocation {
    url: SafeUrl,
}

impl TableLocation {
    /// Reads a path, relative to `base`, or a `file://` URL. `.` and `..` are resolved by name,
    /// without a look at the file system; nothing has to exist.
    ///
    /// # Errors
    ///
    /// [`CA-DELTA-0001`](codes::INVALID_LOCATION) for empty text, a relative `base`, or a URL that
    /// is none; [`CA-DELTA-0002`](codes::UNSUPPORTED_STORE) for a URL of another store.
    pub fn parse(text: &str, base: &Path) -> Result<Self> {
        let invalid = |why: &str| {
            Error::new(
                codes::INVALID_LOCATION,
                format!("the location `{}` {why}", redacted(text)),
            )
            .with_help(
                "write a path relative to the project folder, an absolute path or a file:// URL",
            )
        };
        if text.is_empty() {
            return Err(invalid("is empty"));
        }
        let path = match text.split_once("://") {
            Some((scheme, _)) if is_scheme(scheme) => {
                let url =
                    Url::parse(text).map_err(|error| invalid("is not a URL").with_source(error))?;
                if url.scheme() != "file" {
                    return Err(Error::new(
                        codes::UNSUPPORTED_STORE,
                        format!("`{}://` is not available in this version", url.scheme()),
                    )
                    .with("location", SafeUrl::from(url))
                    .with_help("copy the table to a local folder, or mount the store"));
                }
                url.to_file_path()
                    .map_err(|()| invalid("is not a path of this machine"))?
            }
            _ => base.join(text),
        };
        if !path.is_absolute() {
            return Err(invalid("is relative to a folder that is relative itself"));
        }
        Url::from_directory_path(resolved(&path))
            .map(|url| Self { url: url.into() })
            .map_err(|()| invalid("has no form as a URL"))
    }

    /// The URL, with a slash at its end.
    pub fn url(&self) -> &SafeUrl {
        &self.url
    }

    /// The folder on this machine, where the store is the local file system.
    pub fn local_path(&self) -> Option<PathBuf> {
        let url = self.url.expose();
        match url.scheme() {
            "file" => url.to_file_path().ok().map(|path| resolved(&path)),
            _ => None,
        }
    }
}

impl fmt::Display for TableLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.local_path() {
            Some(path) => path.display().fmt(f),
            None => self.url.fmt(f),
        }
    }
}

impl fmt::Debug for TableLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TableLocation({})", self.url)
    }
}

fn is_scheme(text: &str) -> bool {
    text.len() > 1
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

/// The text without what may be a secret in it.
fn redacted(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) if url.has_authority() => SafeUrl::from(url).to_string(),
        _ => text.split(['?', '@']).next().unwrap_or_default().to_owned(),
    }
}

fn resolved(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                resolved.pop();
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                resolved.push(component);
            }
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<TableLocation> {
        TableLocation::parse(text, Path::new("/shop"))
    }

    #[test]
    fn a_path_with_special_characters_survives_the_way_there_and_back() {
        for name in ["a b", "100%25", "ä/ö", "a#b", "a?b", "x=1", "[z]"] {
            let location = parse(name).unwrap();
            assert!(location.url().expose().path().ends_with('/'));
            assert_eq!(
                location.local_path().unwrap(),
                Path::new("/shop").join(name)
            );
        }
    }

    #[test]
    fn a_path_and_its_url_are_the_same_location() {
        assert_eq!(
            parse("out/x").unwrap(),
            parse("file:///shop/out/x").unwrap()
        );
        assert_eq!(parse("out/x/").unwrap(), parse("/shop/./out/x").unwrap());
    }

    #[test]
    fn a_store_that_is_not_available_is_named_without_its_secrets() {
        let error = parse("s3://key:hunter2@bucket/t?X-Amz-Signature=abc").unwrap_err();
        assert_eq!(error.code(), codes::UNSUPPORTED_STORE);
        let text = format!("{error:?}");
        assert!(text.contains("s3://") && !text.contains("hunter2") && !text.contains("abc"));
    }

    #[test]
    fn empty_text_is_no_location() {
        assert_eq!(parse("").unwrap_err().code(), codes::INVALID_LOCATION);
    }
}

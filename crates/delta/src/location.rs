//! Where a table is: a directory URL.

use std::fmt;
use std::path::{Component, Path as FilePath, PathBuf};

use codeanatomy_vocab::{Error, Result, SafeUrl};
use deltalake_core::Path;
use url::Url;

use crate::codes;
use crate::remote::{Kind, not_built_in};

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
    /// Reads a path, relative to `base`, a `file://` URL, or one of a store that this program is built
    /// with: `s3://bucket/path` (feature `s3`), `az://` and `abfss://` (`azure`), `gs://` (`gcs`). `.`
    /// and `..` are resolved by name, without a look at any store; nothing has to exist.
    ///
    /// # Errors
    ///
    /// [`CA-DELTA-0001`](codes::INVALID_LOCATION) for empty text, a relative `base`, or a URL that
    /// is none or holds more than a place; [`CA-DELTA-0002`](codes::UNSUPPORTED_STORE) for a URL of
    /// another store, or of one that this program is built without.
    pub fn parse(text: &str, base: &FilePath) -> Result<Self> {
        let invalid = |why: &str| {
            Error::new(
                codes::INVALID_LOCATION,
                format!("the location `{}` {why}", redacted(text)),
            )
            .with_help("write a path relative to the project folder, an absolute path or a URL")
        };
        if text.is_empty() {
            return Err(invalid("is empty"));
        }
        let path = match text.split_once("://") {
            Some((scheme, _)) if is_scheme(scheme) => {
                let url =
                    Url::parse(text).map_err(|error| invalid("is not a URL").with_source(error))?;
                if url.scheme() != "file" {
                    return remote(url);
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

/// A folder of a store over the network.
fn remote(mut url: Url) -> Result<TableLocation> {
    let shown = SafeUrl::from(url.clone());
    let Some(kind) = Kind::of(url.scheme()) else {
        return Err(Error::new(
            codes::UNSUPPORTED_STORE,
            format!("`{}://` is no store that this version knows", url.scheme()),
        )
        .with("location", shown)
        .with_expected("a path, or a URL of `s3`, `az`, `abfss` or `gs`")
        .with_help("copy the data to a local folder, or mount the store"));
    };
    if !kind.is_built_in() {
        return Err(not_built_in(kind, shown));
    }
    let invalid = |why: &str, help: &str| {
        Error::new(
            codes::INVALID_LOCATION,
            format!("the location {shown} {why}"),
        )
        .with_help(help)
    };
    // The user's part of an Azure URL is the name of a container.
    let has_user = !url.username().is_empty() && kind != Kind::Azure;
    if has_user || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(invalid(
            "holds more than a place",
            "give credentials and other options in `options`, by reference",
        ));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(invalid("names no bucket", "write `scheme://bucket/path`"));
    }
    if url.scheme() == "s3a" && url.set_scheme("s3").is_err() {
        return Err(invalid(
            "has no form as `s3://`",
            "write `s3://bucket/path`",
        ));
    }
    let path = format!("{}/", url.path().trim_end_matches('/'));
    if Path::from_url_path(&path).is_err() {
        return Err(invalid(
            "names a folder that cannot exist",
            "remove repeated slashes from the path",
        ));
    }
    url.set_path(&path);
    Ok(TableLocation { url: url.into() })
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

fn resolved(path: &FilePath) -> PathBuf {
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
        TableLocation::parse(text, FilePath::new("/shop"))
    }

    #[test]
    fn a_path_with_special_characters_survives_the_way_there_and_back() {
        for name in ["a b", "100%25", "ä/ö", "a#b", "a?b", "x=1", "[z]"] {
            let location = parse(name).unwrap();
            assert!(location.url().expose().path().ends_with('/'));
            assert_eq!(
                location.local_path().unwrap(),
                FilePath::new("/shop").join(name)
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
        let error = parse("ftp://key:hunter2@host/t?signature=abc").unwrap_err();
        assert_eq!(error.code(), codes::UNSUPPORTED_STORE);
        let text = format!("{error:?}");
        assert!(text.contains("ftp://") && !text.contains("hunter2") && !text.contains("abc"));
    }

    #[cfg(feature = "s3")]
    #[test]
    fn the_url_of_a_bucket_is_a_place_and_nothing_else() {
        let location = parse("s3a://lake/raw/../by%20region").unwrap();
        assert_eq!(location.to_string(), "s3://lake/by%20region/");
        assert_eq!(location.local_path(), None);
        assert_eq!(parse("s3://lake").unwrap(), parse("s3://lake/").unwrap());
        for wrong in [
            "s3://key:hunter2@lake/t",
            "s3://lake/t?X-Amz-Signature=hunter2",
            "s3://lake/t#hunter2",
            "s3:///t",
            "s3://lake//t",
        ] {
            let error = parse(wrong).unwrap_err();
            assert_eq!(error.code(), codes::INVALID_LOCATION, "{wrong}");
            assert!(!format!("{error:?}").contains("hunter2"), "{wrong}");
        }
    }

    #[cfg(not(feature = "gcs"))]
    #[test]
    fn a_store_that_is_not_built_in_names_its_feature() {
        let error = parse("gs://lake/t").unwrap_err();
        assert_eq!(error.code(), codes::UNSUPPORTED_STORE);
        assert!(error.help().is_some_and(|help| help.contains("`gcs`")));
    }

    #[test]
    fn empty_text_is_no_location() {
        assert_eq!(parse("").unwrap_err().code(), codes::INVALID_LOCATION);
    }
}

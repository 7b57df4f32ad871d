//! Locations as they are written, made into paths and URLs.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use codeanatomy_vocab::{Error, Result, SafeUrl};

use crate::codes;
use crate::secrecy::url_holds_secret;

/// Where data is: a path of this machine, or a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A path without `.` and `..`; absolute when the project's root is.
    Local(PathBuf),
    /// A URL of any scheme but `file`.
    Url(SafeUrl),
}

impl Place {
    /// Reads a location as `codeanatomy.toml` and view files write it.
    ///
    /// Text with `://` is a URL; `file://` URLs become paths. All else is a path, and a relative
    /// one starts at `root`. Nothing is looked up.
    ///
    /// # Errors
    ///
    /// [`CA-PROJECT-0006`](codes::INVALID_VALUE) for text that is neither, and
    /// [`CA-PROJECT-0008`](codes::PLAIN_SECRET) for a URL that holds a secret.
    ///
    /// # Example: where is this dataset?
    ///
    /// ```
    /// use std::path::Path;
    /// use codeanatomy_project::Place;
    ///
    /// # fn main() -> codeanatomy_vocab::Result<()> {
    /// let place = Place::parse(Path::new("/srv/shop"), "../lake/orders")?;
    /// assert_eq!(place, Place::Local("/srv/lake/orders".into()));
    /// assert!(Place::parse(Path::new("/srv/shop"), "s3://key:secret@bucket/orders").is_err());
    /// # Ok(())
    /// # }
    /// ```
    pub fn parse(root: &Path, location: &str) -> Result<Self> {
        let invalid = |why: &str, help: &str| {
            Error::new(codes::INVALID_VALUE, format!("the location {why}")).with_help(help)
        };
        if location.trim().is_empty() {
            return Err(invalid("is empty", "write a path or a URL"));
        }
        if location.contains('\0') {
            return Err(invalid(
                "holds a zero character",
                "write a path or a URL without it",
            ));
        }
        if location == "~" || location.starts_with("~/") {
            return Err(invalid(
                "starts with `~`, which is not replaced",
                "write the path in full, or relative to the project folder",
            ));
        }
        if !location.contains("://") {
            return Ok(Self::Local(lexical(&root.join(location))));
        }
        if url_holds_secret(location) {
            return Err(
                Error::new(codes::PLAIN_SECRET, "the location holds a secret").with_help(
                    "take it out of the URL and give it in `options` as `{ env = \"NAME\" }`",
                ),
            );
        }
        let url: SafeUrl = location.parse().map_err(|error| {
            invalid("is not a valid URL", "write `scheme://host/path`").with_source(error)
        })?;
        if url.expose().scheme() != "file" {
            return Ok(Self::Url(url));
        }
        match url.expose().to_file_path() {
            Ok(path) => Ok(Self::Local(lexical(&path))),
            Err(()) => Err(invalid(
                "names a file of another machine",
                "write `file:///path`, or a path",
            )),
        }
    }

    /// The place one level below: `name` as a folder or file in this one.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        match self {
            Self::Local(path) => Self::Local(path.join(name)),
            Self::Url(url) => {
                let mut url = url.expose().clone();
                if let Ok(mut segments) = url.path_segments_mut() {
                    segments.pop_if_empty().push(name);
                }
                Self::Url(url.into())
            }
        }
    }

    /// Whether `other` is this place or lies below it, by their spelling.
    pub fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Local(this), Self::Local(other)) => other.starts_with(this),
            (Self::Url(this), Self::Url(other)) => {
                let (this, other) = (this.expose(), other.expose());
                let same_store = this.scheme() == other.scheme()
                    && this.username() == other.username()
                    && this.host_str() == other.host_str()
                    && this.port_or_known_default() == other.port_or_known_default();
                same_store && Path::new(other.path()).starts_with(this.path())
            }
            (Self::Local(_), Self::Url(_)) | (Self::Url(_), Self::Local(_)) => false,
        }
    }
}

impl fmt::Display for Place {
    /// Writes the path, or the URL without anything secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => write!(f, "{}", path.display()),
            Self::Url(url) => write!(f, "{url}"),
        }
    }
}

/// `path` without `.` and `..`, by its spelling.
pub(crate) fn lexical(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match plain.components().next_back() {
                Some(Component::Normal(_)) => {
                    plain.pop();
                }
                // Above the root there is nothing; above a relative path there is.
                Some(Component::RootDir | Component::Prefix(_)) => {}
                Some(Component::ParentDir | Component::CurDir) | None => plain.push(".."),
            },
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => {
                plain.push(component);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(location: &str) -> Place {
        Place::parse(Path::new("/p"), location).unwrap()
    }

    #[test]
    fn paths_start_at_the_project_and_lose_their_dots() {
        assert_eq!(place("./a/../b"), Place::Local("/p/b".into()));
        assert_eq!(place("/x/./y"), Place::Local("/x/y".into()));
        assert_eq!(place("../../../.."), Place::Local("/".into()));
        assert_eq!(place("file:///x/y%20z"), Place::Local("/x/y z".into()));
        assert_eq!(lexical(Path::new("a/../../b")), PathBuf::from("../b"));
        assert_eq!(lexical(Path::new("../../b")), PathBuf::from("../../b"));
    }

    #[test]
    fn a_place_contains_what_lies_below_it() {
        assert!(place("out").contains(&place("out/a")));
        assert!(place("out").contains(&place("out")));
        assert!(!place("out/a").contains(&place("out")));
        assert!(!place("out").contains(&place("output")));
        assert!(place("s3://b/out/").contains(&place("s3://b/out/a")));
        assert!(!place("s3://b/out").contains(&place("s3://c/out/a")));
        assert!(!place("s3://b/out").contains(&place("out")));
        let container = "abfss://data@account.dfs.core.windows.net/t";
        assert!(!place(container).contains(&place(&container.replace("data", "logs"))));
    }

    #[test]
    fn joining_a_name_keeps_the_scheme() {
        assert_eq!(place("s3://b/out/").join("x"), place("s3://b/out/x"));
        assert_eq!(place("s3://b").join("x").to_string(), "s3://b/x");
        assert_eq!(place("out").join("x"), place("out/x"));
    }
}

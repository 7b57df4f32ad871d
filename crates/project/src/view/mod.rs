//! View files and their sidecars.

mod config;
mod discover;
mod layout;

use std::path::PathBuf;
use std::sync::Arc;

use codeanatomy_vocab::{Location, ViewName};

pub(crate) use self::config::Defaults;
pub use self::config::{CachePolicy, ParamConfig, ViewConfig};
pub(crate) use self::discover::{discover, discover_macros};
pub use self::layout::LayoutSection;

/// One view: a file of SQL and what its sidecar says about it.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewFile {
    /// The stem of the file's name.
    pub name: ViewName,
    /// The file, relative to the project's root.
    pub path: PathBuf,
    /// The file's text, without a byte-order mark. It holds more than white space; beyond that
    /// nobody has looked at it.
    pub sql: Arc<str>,
    /// The sidecar's settings, or those of a view without one.
    pub config: ViewConfig,
    /// The sidecar, relative to the project's root, if there is one.
    pub config_path: Option<PathBuf>,
}

/// A file of `CREATE FUNCTION` statements: SQL macros that views call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MacroFile {
    /// The file, relative to the project's root.
    pub path: PathBuf,
    /// The file's text, without a byte-order mark. Nobody has looked at it.
    pub sql: Arc<str>,
}

impl ViewFile {
    /// The file as a place, for errors about the whole view.
    pub fn location(&self) -> Location {
        Location::file(self.path.clone())
    }

    /// Where the sidecar says `key`, such as `location` or `params.since`; else the view's file.
    pub fn location_of(&self, key: &str) -> Location {
        let declared = self.config.locations.get(key);
        declared.cloned().unwrap_or_else(|| self.location())
    }
}

//! The configuration file of a user, for all of their projects.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use codeanatomy_vocab::{Error, Errors};

use crate::codes;
use crate::diagnostics::DiagnosticsSection;
use crate::session::SessionSection;
use crate::text;
use crate::toml::{Findings, TomlFile};

const KEYS: [&str; 2] = ["session", "diagnostics"];

/// Keys of a project's file that would make a project mean different things to different users.
const PROJECT_KEYS: [&str; 3] = ["project", "datasets", "defaults"];

/// What a user sets for all of their projects: the session and diagnostics, nothing else.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UserConfig {
    /// The section `[session]`.
    pub session: SessionSection,
    /// The section `[diagnostics]`.
    pub diagnostics: DiagnosticsSection,
}

impl UserConfig {
    /// Where the file is: `$XDG_CONFIG_HOME/codeanatomy/config.toml`, else
    /// `$HOME/.config/codeanatomy/config.toml`; nowhere when neither is an absolute path.
    pub fn path(env: &BTreeMap<String, String>) -> Option<PathBuf> {
        let folder = |name: &str| {
            let path = Path::new(env.get(name)?);
            path.is_absolute().then(|| path.to_path_buf())
        };
        let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")))?;
        Some(config.join("codeanatomy").join("config.toml"))
    }

    /// Reads the file that [`path`](Self::path) names; nothing is set when there is none.
    ///
    /// # Errors
    ///
    /// All that is wrong with the file, with the codes of [`codes`](crate::codes).
    pub fn load(env: &BTreeMap<String, String>) -> Result<Self, Errors> {
        match Self::path(env) {
            Some(path) if path.exists() => Self::read(&path),
            _ => Ok(Self::default()),
        }
    }

    fn read(path: &Path) -> Result<Self, Errors> {
        let text = text::read(path, path)?;
        let file = TomlFile::parse(path.to_path_buf(), &text)?;
        let root = file.root();
        let mut findings = Findings::default();
        let known: Vec<&str> = KEYS.into_iter().chain(PROJECT_KEYS).collect();
        root.check_keys(&known, &mut findings);
        for entry in PROJECT_KEYS.iter().filter_map(|key| root.get(key)) {
            findings.push(
                Error::new(
                    codes::UNKNOWN_KEY,
                    format!("`[{}]` belongs to a project, not to a user", entry.key()),
                )
                .at(entry.key_at())
                .with_help("move it to the project's codeanatomy.toml"),
            );
        }
        let config = Self {
            session: SessionSection::read(&root, &mut findings),
            diagnostics: DiagnosticsSection::read(&root, &mut findings),
        };
        Errors::check(findings.into_vec(), config)
    }
}

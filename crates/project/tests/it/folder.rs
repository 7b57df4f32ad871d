//! A project folder for one test.

use std::path::{Path, PathBuf};

use codeanatomy_project::Project;
use codeanatomy_vocab::{Code, Error};
use tempfile::TempDir;

/// A folder that goes away with the test.
pub(crate) struct Folder(TempDir);

impl Folder {
    /// A folder without anything in it.
    pub(crate) fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// A project with this `codeanatomy.toml` and the view `a`.
    pub(crate) fn with_toml(toml: &str) -> Self {
        Self::empty()
            .file("codeanatomy.toml", toml)
            .file("views/a.sql", "select 1 as n")
    }

    /// A project with this sidecar beside its view `a`.
    pub(crate) fn with_sidecar(toml: &str) -> Self {
        Self::with_toml("").file("views/a.toml", toml)
    }

    pub(crate) fn file(self, path: &str, contents: impl AsRef<[u8]>) -> Self {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
        self
    }

    #[cfg(unix)]
    pub(crate) fn link(self, path: &str, target: impl AsRef<Path>) -> Self {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn join(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    pub(crate) fn load(&self) -> Project {
        Project::load(self.path()).unwrap_or_else(|errors| panic!("{errors}"))
    }

    /// All errors of the folder.
    pub(crate) fn errors(&self) -> Vec<Error> {
        match Project::load(self.path()) {
            Ok(project) => panic!("loaded: {project:?}"),
            Err(errors) => errors.into_iter().collect(),
        }
    }

    /// The folder's only error, which must have this code and say what to do.
    pub(crate) fn error(&self, code: Code) -> Error {
        let mut errors = self.errors();
        assert_eq!(errors.len(), 1, "{errors:#?}");
        let error = errors.remove(0);
        assert_eq!(error.code(), code, "{error:?}");
        assert!(error.location().is_some(), "no place: {error:?}");
        assert!(error.help().is_some(), "no help: {error:?}");
        let message = error.to_string();
        assert!(!message.ends_with('.'), "{message}");
        assert!(
            !message.starts_with(char::is_uppercase) || message.starts_with("SQL"),
            "{message}"
        );
        error
    }
}

/// Where an error is, as `file:line:column`.
pub(crate) fn place(error: &Error) -> String {
    error.location().unwrap().to_string()
}

/// The text that an error marks.
pub(crate) fn marked(error: &Error) -> &str {
    let (text, span) = error.location().unwrap().snippet().unwrap();
    &text[span]
}

//! The repository as the checks see it: text files and the crates that cargo knows.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use cargo_metadata::{DependencyKind, MetadataCommand};
use serde::Deserialize;

/// Files of these kinds are read and checked; others (data, images) are not.
const TEXT: [&str; 5] = ["md", "rs", "sh", "sql", "toml"];

/// Text files without an extension that are checked too.
const TEXT_NAMES: [&str; 3] = [".gitignore", "LICENSE", "run"];

/// Everything the checks look at, read once. A check never touches the disk itself, so that its
/// tests can hand it a small repository.
#[derive(Debug, Default)]
pub(crate) struct Repository {
    /// Text files that git does not ignore, sorted by path.
    pub(crate) files: Vec<TextFile>,
    /// Paths of all files and folders that git does not ignore, sorted.
    pub(crate) paths: Vec<String>,
    /// The crates in the order of the root manifest.
    pub(crate) packages: Vec<Package>,
    /// `Cargo.lock`: name and version of every package.
    pub(crate) locked: Vec<LockedPackage>,
}

/// A text file.
#[derive(Debug, Clone)]
pub(crate) struct TextFile {
    /// Path from the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A crate of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Folder from the root, with `/`.
    pub(crate) folder: String,
    /// What the library or program itself needs: no development or build dependencies.
    pub(crate) dependencies: Vec<Dependency>,
}

/// A normal dependency of a crate.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) optional: bool,
}

/// A package of the lock file.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct LockedPackage {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// The root of the repository that this program was built from.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

impl Repository {
    /// Reads the repository that this program was built from.
    pub(crate) fn here() -> anyhow::Result<Self> {
        let root = root();
        let ignore = Ignore::parse(&read(&root.join(".gitignore"))?)?;
        let mut repository = Self {
            packages: packages(root)?,
            locked: locked(&read(&root.join("Cargo.lock"))?)?,
            ..Self::default()
        };
        repository.walk(root, "", &ignore)?;
        repository.files.sort_by(|a, b| a.path.cmp(&b.path));
        repository.paths.sort();
        Ok(repository)
    }

    /// The text of one file.
    pub(crate) fn text(&self, path: &str) -> anyhow::Result<&str> {
        match self.files.iter().find(|file| file.path == path) {
            Some(file) => Ok(&file.text),
            None => bail!("there is no file {path}"),
        }
    }

    fn walk(&mut self, root: &Path, folder: &str, ignore: &Ignore) -> anyhow::Result<()> {
        let full = root.join(folder);
        let entries =
            std::fs::read_dir(&full).with_context(|| format!("cannot list {}", full.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {}", full.display()))?;
            let Ok(name) = entry.file_name().into_string() else {
                bail!("{} holds a name that is not UTF-8", full.display());
            };
            let path = if folder.is_empty() {
                name.clone()
            } else {
                format!("{folder}/{name}")
            };
            let kind = entry.file_type().with_context(|| path.clone())?;
            if kind.is_dir() {
                if name != ".git" && !ignore.covers(&path) {
                    self.walk(root, &path, ignore)?;
                    self.paths.push(path);
                }
            } else {
                let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
                if TEXT.contains(&extension) || TEXT_NAMES.contains(&name.as_str()) {
                    let text = read(&entry.path())?;
                    self.files.push(TextFile {
                        path: path.clone(),
                        text,
                    });
                }
                self.paths.push(path);
            }
        }
        Ok(())
    }
}

impl TextFile {
    /// Whether the name ends with `.extension`.
    pub(crate) fn is(&self, extension: &str) -> bool {
        self.path
            .rsplit_once('.')
            .is_some_and(|(_, found)| found == extension)
    }

    /// Whether a whole Rust file is about tests or benchmarks.
    pub(crate) fn is_test(&self) -> bool {
        self.path
            .split('/')
            .any(|name| matches!(name, "tests" | "tests.rs" | "benches"))
    }

    /// The lines of a Rust file that are code of the product, with their numbers from 1: neither
    /// comments, nor an in-file test module, which by convention comes last.
    pub(crate) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut rest = self.lines().peekable();
        std::iter::from_fn(move || {
            let (number, line) = rest.next()?;
            let opens_tests = line.trim() == "#[cfg(test)]"
                && rest
                    .peek()
                    .is_some_and(|(_, next)| next.starts_with("mod") && next.ends_with('{'));
            (!opens_tests).then_some((number, line))
        })
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
    }

    /// All lines, with their numbers from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .zip(1..)
            .map(|(line, number)| (number, line))
    }
}

/// The folders that `.gitignore` names. Only the forms that this repository uses are understood:
/// `/a/*/b/` counts from the root, `name/` holds anywhere, `*` stands for one name.
#[derive(Debug)]
struct Ignore {
    anchored: Vec<Vec<String>>,
    anywhere: Vec<String>,
}

impl Ignore {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut ignore = Self {
            anchored: Vec::new(),
            anywhere: Vec::new(),
        };
        for line in text.lines() {
            let line = line.trim();
            let pattern = line.trim_end_matches('/');
            if line.is_empty() || line.starts_with('#') {
                continue;
            } else if let Some(anchored) = pattern.strip_prefix('/') {
                ignore
                    .anchored
                    .push(anchored.split('/').map(str::to_owned).collect());
            } else if line.ends_with('/') && !pattern.contains(['/', '*', '!']) {
                ignore.anywhere.push(pattern.to_owned());
            } else {
                bail!(
                    ".gitignore: xtask does not understand `{line}`; write `/path/` or `name/`, \
                     or teach xtask/src/repository.rs"
                );
            }
        }
        Ok(ignore)
    }

    fn covers(&self, folder: &str) -> bool {
        let names: Vec<&str> = folder.split('/').collect();
        self.anywhere
            .iter()
            .any(|name| names.last() == Some(&name.as_str()))
            || self.anchored.iter().any(|pattern| {
                pattern.len() == names.len()
                    && pattern
                        .iter()
                        .zip(&names)
                        .all(|(pattern, name)| pattern == "*" || pattern == name)
            })
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn locked(text: &str) -> anyhow::Result<Vec<LockedPackage>> {
    #[derive(Deserialize)]
    struct Lock {
        package: Vec<LockedPackage>,
    }
    let lock: Lock = toml_edit::de::from_str(text).context("cannot read Cargo.lock")?;
    Ok(lock.package)
}

fn packages(root: &Path) -> anyhow::Result<Vec<Package>> {
    #[derive(Deserialize)]
    struct Root {
        workspace: Members,
    }
    #[derive(Deserialize)]
    struct Members {
        members: Vec<String>,
    }
    let manifest: Root = toml_edit::de::from_str(&read(&root.join("Cargo.toml"))?)
        .context("cannot read Cargo.toml")?;
    let metadata = MetadataCommand::new()
        .cargo_path(PathBuf::from(env!("CARGO")))
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("`cargo metadata` failed")?;
    manifest
        .workspace
        .members
        .into_iter()
        .map(|folder| {
            let path = root.join(&folder).join("Cargo.toml");
            let Some(package) = metadata
                .packages
                .iter()
                .find(|package| package.manifest_path.as_std_path() == path)
            else {
                bail!("cargo knows no crate in {folder}; name each member by its folder");
            };
            let dependencies = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind == DependencyKind::Normal)
                .map(|dependency| Dependency {
                    name: dependency.name.clone(),
                    optional: dependency.optional,
                })
                .collect();
            Ok(Package {
                name: package.name.to_string(),
                folder,
                dependencies,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_folders_are_those_that_git_ignores() {
        let ignore = Ignore::parse("# build\n/target\n.cache/\n/examples/*/out/\n").unwrap();
        for folder in ["target", "a/b/.cache", "examples/tpch/out"] {
            assert!(ignore.covers(folder), "{folder}");
        }
        for folder in [
            "crates/target",
            "examples/tpch",
            "examples/tpch/out/x",
            "out",
        ] {
            assert!(!ignore.covers(folder), "{folder}");
        }
    }

    #[test]
    fn a_pattern_that_is_not_understood_is_not_skipped() {
        assert!(Ignore::parse("*.log\n").is_err());
        assert!(Ignore::parse("!keep/\n").is_err());
    }

    #[test]
    fn comments_and_tests_are_not_code_of_the_product() {
        let file = TextFile {
            path: "a.rs".to_owned(),
            text: "//! doc\n#[cfg(test)]\nmod tests;\nfn a() {}\n    // note\n\
                   #[cfg(test)]\nmod more {\nfn b() {}\n}\n"
                .to_owned(),
        };
        let code: Vec<_> = file.code_lines().collect();
        assert_eq!(
            code,
            [(2, "#[cfg(test)]"), (3, "mod tests;"), (4, "fn a() {}")]
        );
    }
}

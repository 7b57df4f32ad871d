//! Paths as a person would write them.

use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Shows paths relative to the current folder where that is shorter to read.
///
/// Clones share what they know of the project.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    current_dir: PathBuf,
    project_dir: Arc<OnceLock<PathBuf>>,
}

impl Paths {
    pub(crate) fn new(current_dir: &Path) -> Self {
        Self {
            current_dir: current_dir.to_owned(),
            project_dir: Arc::default(),
        }
    }

    /// From now on relative paths start at this folder. The first one counts.
    pub(crate) fn start_at(&self, project_dir: &Path) {
        self.project_dir.get_or_init(|| project_dir.to_owned());
    }

    /// The path below the current folder, or up to three folders above it, else as it is.
    pub(crate) fn show(&self, path: &Path) -> String {
        const MAX_STEPS_UP: usize = 3;
        let path = match self.project_dir.get() {
            Some(project_dir) => &project_dir.join(path),
            None => path,
        };
        if !path.is_absolute() {
            return plain(path).display().to_string();
        }
        for (steps, ancestor) in self
            .current_dir
            .ancestors()
            .take(MAX_STEPS_UP + 1)
            .enumerate()
        {
            // Below the root everything is, which helps nobody.
            if ancestor.parent().is_none() {
                break;
            }
            if let Ok(rest) = path.strip_prefix(ancestor) {
                let up: PathBuf = std::iter::repeat_n(Component::ParentDir, steps).collect();
                let shown = up.join(rest);
                return if shown.as_os_str().is_empty() {
                    ".".to_owned()
                } else {
                    shown.display().to_string()
                };
            }
        }
        path.display().to_string()
    }

    /// Shows the paths in a text the way [`show`](Self::show) does, where they lie in the project.
    pub(crate) fn show_in(&self, text: &str) -> String {
        match self.project_folder() {
            Some((dir, folder)) => replace_folder(text, folder, &self.show(dir)),
            None => text.to_owned(),
        }
    }

    /// Shows the paths in a text the way [`in_project`](Self::in_project) does.
    pub(crate) fn in_project_in(&self, text: &str) -> String {
        match self.project_folder() {
            Some((_, folder)) => replace_folder(text, folder, "."),
            None => text.to_owned(),
        }
    }

    /// The project's folder as path and as text; none for the root, which is in every path.
    fn project_folder(&self) -> Option<(&Path, &str)> {
        let dir = self.project_dir.get()?;
        dir.parent()?;
        Some((dir, dir.to_str()?))
    }

    /// The path from the project's folder, where it is in there: the same wherever the command
    /// is run.
    pub(crate) fn in_project(&self, path: &Path) -> String {
        let project_dir = self.project_dir.get();
        let inside = project_dir.and_then(|project_dir| path.strip_prefix(project_dir).ok());
        plain(inside.unwrap_or(path)).display().to_string()
    }
}

/// Replaces a folder wherever `text` names it or something in it.
fn replace_folder(text: &str, folder: &str, shown: &str) -> String {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(folder) {
        let (before, after) = (&rest[..at], &rest[at + folder.len()..]);
        let begins = !before.ends_with(|c: char| is_name(c) || c == '/');
        replaced.push_str(before);
        match after.strip_prefix('/') {
            Some(inside) if begins && inside.starts_with(is_name) => {
                if shown != "." {
                    replaced.push_str(shown);
                    replaced.push('/');
                }
                rest = inside;
            }
            _ => {
                let ends = !after.starts_with(|c: char| is_name(c) || c == '/');
                replaced.push_str(if begins && ends { shown } else { folder });
                rest = after;
            }
        }
    }
    replaced.push_str(rest);
    replaced
}

/// A path as a shell takes it.
pub(crate) fn quoted(path: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+');
    if path.chars().all(is_plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', r"'\''"))
    }
}

/// Without steps that lead nowhere: `./a/./b` is `a/b`.
fn plain(path: &Path) -> PathBuf {
    let plain: PathBuf = path
        .components()
        .filter(|part| *part != Component::CurDir)
        .collect();
    if plain.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_near_the_current_folder_are_shown_relative_to_it() {
        let paths = Paths::new(Path::new("/home/me/code/shop/views"));
        for (path, shown) in [
            ("/home/me/code/shop/views/a.sql", "a.sql"),
            ("/home/me/code/shop/views", "."),
            ("/home/me/code/shop/codeanatomy.toml", "../codeanatomy.toml"),
            ("/home/me/code/data", "../../data"),
            ("/etc/passwd", "/etc/passwd"),
            ("views/./a.sql", "views/a.sql"),
            ("./a.sql", "a.sql"),
            (".", "."),
        ] {
            assert_eq!(paths.show(Path::new(path)), shown);
        }
        assert_eq!(Paths::new(Path::new("/a")).show(Path::new("/b/c")), "/b/c");
    }

    #[test]
    fn paths_in_messages_are_shown_like_other_paths() {
        let paths = Paths::new(Path::new("/home/me"));
        let message = "nothing at `/home/me/shop/orders.csv`";
        assert_eq!(paths.show_in(message), message);
        paths.start_at(Path::new("/home/me/shop"));
        for (text, shown, in_project) in [
            (
                message,
                "nothing at `shop/orders.csv`",
                "nothing at `orders.csv`",
            ),
            ("in `/home/me/shop`", "in `shop`", "in `.`"),
            ("/home/me/shop/", "/home/me/shop/", "/home/me/shop/"),
            ("/home/me/shop2/x", "/home/me/shop2/x", "/home/me/shop2/x"),
            (
                "/a/home/me/shop/x",
                "/a/home/me/shop/x",
                "/a/home/me/shop/x",
            ),
            ("/home/me/shop/a /home/me/shop/b", "shop/a shop/b", "a b"),
        ] {
            assert_eq!(paths.show_in(text), shown);
            assert_eq!(paths.in_project_in(text), in_project);
        }
    }

    #[test]
    fn a_path_can_be_pasted_into_a_shell() {
        assert_eq!(quoted("examples/tpch"), "examples/tpch");
        assert_eq!(quoted("my shop's"), r"'my shop'\''s'");
    }

    #[test]
    fn paths_of_a_project_are_shown_from_where_the_user_stands() {
        let paths = Paths::new(Path::new("/home/me/code"));
        paths.start_at(Path::new("/home/me/code/shop"));
        assert_eq!(paths.show(Path::new("views/a.sql")), "shop/views/a.sql");
        assert_eq!(paths.show(Path::new("/home/me/code/x")), "x");
        for path in ["views/a.sql", "/home/me/code/shop/views/a.sql"] {
            assert_eq!(paths.in_project(Path::new(path)), "views/a.sql");
        }
        assert_eq!(paths.in_project(Path::new("/etc/x")), "/etc/x");
    }
}

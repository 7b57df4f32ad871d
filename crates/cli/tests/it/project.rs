//! A project in a temporary folder, and the program run in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A project that is deleted when the test ends.
pub(crate) struct Project {
    folder: TempDir,
}

/// What the program printed, and how it ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

const ORDERS: &str = "id,region,amount\n1,north,7\n2,south,5\n3,north,1\n";

impl Project {
    /// A folder without anything.
    pub(crate) fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A project with the dataset `orders`, and the stored view `by_region` that reads it.
    pub(crate) fn new() -> Self {
        Self::empty()
            .with(
                "codeanatomy.toml",
                "[project]\nname = \"shop\"\n\n[datasets.orders]\nlocation = \"orders.csv\"\n",
            )
            .with("orders.csv", ORDERS)
            .with(
                "views/by_region.sql",
                "select region, sum(amount) as total\nfrom orders\ngroup by region\n",
            )
            .with("views/by_region.toml", "cache = \"delta_output\"\n")
    }

    /// Writes a file.
    pub(crate) fn with(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.write(path, content);
        self
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Runs the program in the project's folder, to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_in("", args)
    }

    /// Runs the program in a folder below the project's.
    pub(crate) fn run_in(&self, folder: &str, args: &[&str]) -> Ran {
        let mut command = self.command(args);
        let output = command.current_dir(self.path(folder)).output().unwrap();
        Ran::new(output)
    }

    /// Runs the program with an environment variable, to its end.
    pub(crate) fn run_with(&self, (name, value): (&str, &str), args: &[&str]) -> Ran {
        Ran::new(self.command(args).env(name, value).output().unwrap())
    }

    /// Runs the program with some environment variables, to its end.
    pub(crate) fn run_with_all(&self, variables: &[(&str, &str)], args: &[&str]) -> Ran {
        let variables = variables.iter().copied();
        Ran::new(self.command(args).envs(variables).output().unwrap())
    }

    /// Runs the program and reads the JSON document it prints.
    pub(crate) fn json(&self, args: &[&str]) -> (i32, Value) {
        let args: Vec<&str> = args.iter().chain(&["--format", "json"]).copied().collect();
        let ran = self.run(&args);
        let document = serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", ran.stdout, ran.stderr));
        (ran.code, document)
    }

    /// Starts the program and does not wait for it.
    pub(crate) fn start(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// The outcome of each view of a build, as `name: outcome`.
    pub(crate) fn build(&self, args: &[&str]) -> Vec<String> {
        let args: Vec<&str> = ["build"].iter().chain(args).copied().collect();
        let (code, document) = self.json(&args);
        assert_eq!(code, 0, "{document:#}");
        outcomes(&document)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_codeanatomy"));
        command
            .args(args)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .env_clear()
            .env("HOME", self.folder.path());
        command
    }
}

impl Ran {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// All of it, for a snapshot.
    pub(crate) fn shown(&self) -> String {
        let mut text = format!("exit {}\n", self.code);
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                text.push_str(&format!("--- {name}\n{stream}"));
            }
        }
        text
    }
}

/// `name: outcome` for each view of a build's document, in its order.
pub(crate) fn outcomes(document: &Value) -> Vec<String> {
    let views = document["views"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    views
        .iter()
        .map(|view| format!("{}: {}", text(&view["name"]), text(&view["outcome"])))
        .collect()
}

/// All files below a folder, relative to it, sorted.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// Compares with what was printed before, whatever the times, ids and folders.
macro_rules! assert_shown {
    ($ran:expr, @$expected:literal) => {
        insta::with_settings!({
            filters => vec![
                (r"/(private/)?(var|tmp)/[^\s`]*?\.tmp\w+", "[FOLDER]"),
                (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "[RUN]"),
                (r"\b\d+(\.\d)? (ms|s)\b", "[TIME]"),
                (r" +(\[TIME\]|TOOK)", " $1"),
                (r"\b[0-9a-f]{12}\b", "[KEY]"),
            ],
        }, { insta::assert_snapshot!($ran.shown(), @$expected) })
    };
}
pub(crate) use assert_shown;

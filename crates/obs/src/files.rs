//! Names and files of a run folder.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The summary.
pub(crate) const ENVELOPE: &str = "run.json";
/// The events, one JSON object in each line.
pub(crate) const EVENTS: &str = "events.jsonl";
/// Held locked by the process that runs; tells a run at work from one that was killed.
pub(crate) const LOCK: &str = "lock";

/// The folder that may be deleted at any time.
pub(crate) fn cache_folder(project_dir: &Path) -> PathBuf {
    project_dir.join(".codeanatomy")
}

/// The folder of all runs.
pub(crate) fn runs_folder(project_dir: &Path) -> PathBuf {
    cache_folder(project_dir).join("runs")
}

/// Writes a file so that a reader sees all of it or the file that was there before.
///
/// The content is not forced to disk: after a loss of power the file may be empty, which a reader
/// of a record reports.
pub(crate) fn write_atomically(path: &Path, content: &[u8]) -> io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(
        ".{name}.{}-{}.tmp",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    ));
    let written = fs::File::create(&temporary)
        .and_then(|mut file| file.write_all(content))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // Nothing depends on it: the name is never read.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// Whether an artifact may have this name: a relative path of plain parts, not one of our own.
pub(crate) fn is_artifact_name(name: &str) -> bool {
    let plain = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
    };
    name.len() <= 512 && name.split('/').all(plain) && ![ENVELOPE, EVENTS, LOCK].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifact_names_stay_inside_the_run_folder() {
        for good in ["plan/by_region.json", "graph.dot", "a/b-c/d_1.bin"] {
            assert!(is_artifact_name(good), "{good}");
        }
        for bad in [
            "", "/etc/x", "../x", "a/../b", "a//b", "a/", ".x", "a\\b", "run.json", "lock", "é",
        ] {
            assert!(!is_artifact_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_failed_write_leaves_no_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("taken");
        fs::create_dir_all(taken.join("inner")).unwrap();
        assert!(write_atomically(&taken, b"x").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

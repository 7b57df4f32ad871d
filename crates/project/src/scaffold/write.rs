//! Writing new files, and never over old ones.

use std::io::Write;
use std::path::{Path, PathBuf};

use codeanatomy_vocab::{Error, Errors, Location};

use crate::PROJECT_FILE;
use crate::codes;
use crate::toml::Findings;

/// Writes the files of a plan of [`init`](super::init) into the folder `dir`, which is made if it
/// is not there.
///
/// A file appears whole or not at all, and `codeanatomy.toml` last, so that what an interruption
/// leaves behind is no project yet. A file that is there already with the same contents counts as
/// written.
///
/// # Errors
///
/// [`CA-PROJECT-0022`](codes::FILE_EXISTS) for every file that is there already, before anything
/// is written; [`CA-PROJECT-0024`](codes::UNWRITABLE) when a file cannot be written.
pub fn write(dir: &Path, files: &[(PathBuf, String)]) -> Result<(), Errors> {
    let mut findings = Findings::default();
    let mut missing = Vec::new();
    for (path, contents) in files {
        let target = dir.join(path);
        if target.symlink_metadata().is_err() {
            missing.push((target, contents, path == Path::new(PROJECT_FILE)));
        } else if path == Path::new(PROJECT_FILE)
            || !std::fs::read(&target).is_ok_and(|found| found == contents.as_bytes())
        {
            findings.push(exists(&target));
        }
    }
    Errors::check(findings.into_vec(), ())?;
    missing.sort_by_key(|(_, _, is_last)| *is_last);
    for (target, contents, _) in missing {
        write_one(&target, contents)?;
    }
    Ok(())
}

fn write_one(target: &Path, contents: &str) -> Result<(), Error> {
    let unwritable = |error: std::io::Error| {
        Error::new(
            codes::UNWRITABLE,
            format!("`{}` cannot be written", target.display()),
        )
        .at(Location::file(target))
        .with_source(error)
        .with_help("check that the disk has room and that you may write there")
    };
    let folder = match target.parent() {
        Some(folder) if folder != Path::new("") => folder,
        Some(_) | None => Path::new("."),
    };
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    let mut file = temporary(folder).map_err(unwritable)?;
    file.write_all(contents.as_bytes())
        .and_then(|()| file.as_file().sync_all())
        .map_err(unwritable)?;
    match file.persist_noclobber(target) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(exists(target))
        }
        Err(error) => Err(unwritable(error.error)),
    }
}

pub(super) fn temporary(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".codeanatomy-init-");
    // A temporary file is its owner's alone unless told otherwise; the umask still has its say.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

fn exists(target: &Path) -> Error {
    Error::new(
        codes::FILE_EXISTS,
        format!("`{}` is there already", target.display()),
    )
    .at(Location::file(target))
    .with_help("nothing is overwritten: move it away, or name another folder")
}

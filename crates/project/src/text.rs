//! Reading the files of a project, and only those.

use std::path::Path;

use codeanatomy_vocab::{Error, Location, Result};

use crate::codes;
use crate::secrecy;

/// A view or a configuration file larger than this was not written by a person.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// The text of the file `shown` in the folder `root`, without a byte-order mark.
///
/// `root` must be free of links. A link is followed only where it stays in `root`.
pub(crate) fn read_in_project(root: &Path, shown: &Path) -> Result<String> {
    let path = root.join(shown);
    stays_inside(root, &path, shown)?;
    read(&path, shown)
}

/// The text of the file at `path`, shown in errors as `shown`, without a byte-order mark.
pub(crate) fn read(path: &Path, shown: &Path) -> Result<String> {
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(shown, error))?;
    if !metadata.is_file() {
        return Err(Error::new(
            codes::UNREADABLE,
            format!("`{}` is not a file", shown.display()),
        )
        .at(Location::file(shown))
        .with_help("put a plain text file there, or remove the entry"));
    }
    if metadata.len() > MAX_FILE_BYTES {
        return Err(Error::new(
            codes::UNREADABLE,
            format!(
                "`{}` has {} bytes, more than the {MAX_FILE_BYTES} that are read",
                shown.display(),
                metadata.len()
            ),
        )
        .at(Location::file(shown))
        .with_help("split the file; data belongs in a dataset"));
    }
    let bytes = std::fs::read(path).map_err(|error| unreadable(shown, error))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let lossy = String::from_utf8_lossy(error.as_bytes());
        // The text before the bad byte is as it was, so the offset fits the repaired text too.
        let end = offset + lossy[offset..].chars().next().map_or(0, char::len_utf8);
        let location = Location::span(shown, secrecy::mask_lines(&lossy), offset..end);
        let line = location.position().map_or(1, |position| position.line);
        Error::new(
            codes::NOT_UTF8,
            format!(
                "`{}` is not UTF-8: the byte at offset {offset}, in line {line}, begins no character",
                shown.display()
            ),
        )
        .at(location)
        .with_label("not UTF-8 from here")
        .with_help("save the file as UTF-8")
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// Refuses a `path` whose links lead out of `root`.
pub(crate) fn stays_inside(root: &Path, path: &Path, shown: &Path) -> Result<()> {
    let target = path
        .canonicalize()
        .map_err(|error| unreadable(shown, error))?;
    if target.starts_with(root) {
        return Ok(());
    }
    Err(Error::new(
        codes::BAD_LINK,
        format!(
            "`{}` is a link that leaves the project folder",
            shown.display()
        ),
    )
    .at(Location::file(shown))
    .with("target", target.display())
    .with_help("copy the file into the project"))
}

pub(crate) fn unreadable(shown: &Path, error: std::io::Error) -> Error {
    Error::new(
        codes::UNREADABLE,
        format!("`{}` cannot be read", shown.display()),
    )
    .at(Location::file(shown))
    .with_source(error)
    .with_help("check that it is there and that you may read it")
}

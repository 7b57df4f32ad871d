//! Places in the files that a person wrote.

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A place in a text: line and column, both from 1, the column counted in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// A file, and where it is known the range of its text that an error is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    path: PathBuf,
    text: Option<Arc<str>>,
    span: Option<std::ops::Range<usize>>,
}

impl Location {
    /// A whole file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            text: None,
            span: None,
        }
    }

    /// A byte range of a file's `text`. A range that does not fit the text is cut to it.
    pub fn span(
        path: impl Into<PathBuf>,
        text: impl Into<Arc<str>>,
        span: std::ops::Range<usize>,
    ) -> Self {
        let text = text.into();
        let floor = |mut at: usize| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = floor(span.start);
        let end = floor(span.end).max(start);
        Self {
            path: path.into(),
            text: Some(text),
            span: Some(start..end),
        }
    }

    /// The range that starts at `position` and covers the word there (letters, digits, `_`), or
    /// one character.
    pub fn word(path: impl Into<PathBuf>, text: impl Into<Arc<str>>, position: Position) -> Self {
        let text = text.into();
        let start = byte_offset(&text, position);
        let word: usize = text[start..]
            .chars()
            .take_while(|c| c.is_alphanumeric() || *c == '_')
            .map(char::len_utf8)
            .sum();
        let one = text[start..].chars().next().map_or(0, char::len_utf8);
        let end = start + word.max(one);
        Self::span(path, text, start..end)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's text and the byte range in it, where known.
    pub fn snippet(&self) -> Option<(&str, std::ops::Range<usize>)> {
        Some((self.text.as_deref()?, self.span.clone()?))
    }

    /// Line and column of the range's start, where known.
    pub fn position(&self) -> Option<Position> {
        let (text, span) = self.snippet()?;
        let before = &text[..span.start];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Some(Position {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        })
    }
}

impl std::fmt::Display for Location {
    /// Writes `path`, or `path:line:column` where the place is known.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(Position { line, column }) = self.position() {
            write!(f, ":{line}:{column}")?;
        }
        Ok(())
    }
}

/// The byte offset of `position`, cut to the text.
fn byte_offset(text: &str, position: Position) -> usize {
    let line_start = match position.line.checked_sub(2) {
        None => 0,
        Some(skip) => match text.match_indices('\n').nth(skip) {
            Some((at, _)) => at + 1,
            None => return text.len(),
        },
    };
    let line = text[line_start..].split('\n').next().unwrap_or_default();
    let column = line
        .chars()
        .take(position.column.saturating_sub(1))
        .map(char::len_utf8);
    line_start + column.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_and_offset_agree_on_text_that_is_not_ascii() {
        let text = "select 'é', x\nfrom ordrès o";
        let location = Location::word("v.sql", text, Position { line: 2, column: 6 });
        assert_eq!(
            location.snippet().map(|(text, span)| &text[span]),
            Some("ordrès")
        );
        assert_eq!(location.to_string(), "v.sql:2:6");
    }

    #[test]
    fn a_range_outside_the_text_is_cut() {
        assert_eq!(
            Location::span("v.sql", "é", 1..90).snippet(),
            Some(("é", 0..2))
        );
        let beyond = Location::word("v.sql", "a\nb", Position { line: 9, column: 9 });
        assert_eq!(beyond.to_string(), "v.sql:2:2");
    }
}

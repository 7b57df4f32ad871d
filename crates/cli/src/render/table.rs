//! Columns of text.

/// On which side a column's text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// Rows of cells under a heading, each column as wide as its widest cell.
///
/// A column without any text is left out, heading and all.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    columns: Vec<(&'a str, Align)>,
    rows: Vec<Vec<Cell>>,
}

#[derive(Debug)]
struct Cell {
    painted: String,
    width: usize,
}

impl<'a> Table<'a> {
    pub(crate) fn new(columns: &[(&'a str, Align)]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row of cells: the text, and the same text with colours.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = (String, String)>) {
        let cell = |(text, painted): (String, String)| Cell {
            width: text.chars().count(),
            painted,
        };
        self.rows.push(cells.into_iter().map(cell).collect());
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The rows under their heading, each line ended; nothing at all without rows.
    pub(crate) fn render(&self, paint: super::Paint) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        let widest = |index: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(index));
            cells.map(|cell| cell.width).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|index| match widest(index) {
                0 => 0,
                width => width.max(self.columns[index].0.chars().count()),
            })
            .collect();
        let headings: Vec<Cell> = self
            .columns
            .iter()
            .map(|(heading, _)| Cell {
                width: heading.chars().count(),
                painted: paint.faint(heading),
            })
            .collect();
        let mut text = String::new();
        for row in std::iter::once(&headings).chain(&self.rows) {
            let mut line = String::new();
            let mut owed = 0;
            for ((cell, (_, align)), width) in row.iter().zip(&self.columns).zip(&widths) {
                if *width == 0 {
                    continue;
                }
                let padding = width - cell.width;
                let (before, after) = match align {
                    Align::Left => (0, padding),
                    Align::Right => (padding, 0),
                };
                // Spaces are written only before text, so that no line ends with some.
                if cell.width > 0 {
                    line.push_str(&" ".repeat(owed + before));
                    line.push_str(&cell.painted);
                    owed = after + 2;
                } else {
                    owed += width + 2;
                }
            }
            text.push_str(&line);
            text.push('\n');
        }
        text
    }
}

/// Facts under each other, their names lined up; those without a value are left out.
pub(crate) fn facts(facts: &[(&str, String)], paint: super::Paint) -> String {
    let shown = || facts.iter().filter(|(_, value)| !value.is_empty());
    let width = shown().map(|(name, _)| name.chars().count()).max();
    let width = width.unwrap_or(0);
    shown()
        .map(|(name, value)| format!("{} {value}\n", paint.faint(&format!("{name:<width$}"))))
        .collect()
}

/// A cell without colours.
pub(crate) fn plain(text: impl Into<String>) -> (String, String) {
    let text = text.into();
    (text.clone(), text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Paint;

    #[test]
    fn columns_line_up_lines_have_no_trailing_spaces_and_empty_columns_vanish() {
        let mut table = Table::new(&[
            ("VIEW", Align::Left),
            ("NOTHING", Align::Left),
            ("ROWS", Align::Right),
            ("WHY", Align::Left),
        ]);
        table.row(["by_region", "", "5", ""].map(plain));
        table.row(["é", "", "", "changed"].map(plain));
        assert_eq!(
            table.render(Paint::new(false)),
            "VIEW       ROWS  WHY\n\
             by_region     5\n\
             é                changed\n"
        );
    }

    #[test]
    fn colours_do_not_count_as_width() {
        let mut table = Table::new(&[("A", Align::Left), ("B", Align::Left)]);
        table.row([
            ("x".to_owned(), "\u{1b}[1mx\u{1b}[0m".to_owned()),
            plain("y"),
        ]);
        assert_eq!(
            table.render(Paint::new(false)),
            "A  B\n\u{1b}[1mx\u{1b}[0m  y\n"
        );
    }
}

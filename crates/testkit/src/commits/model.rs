//! A plain table in memory: what the rows must be.

use std::collections::BTreeMap;

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Its number, its own.
    pub id: i64,
    /// Its partition.
    pub p: &'static str,
    /// A number.
    pub n: i64,
    /// A text, sometimes empty.
    pub s: String,
}

/// The rows of a table, at each of its versions.
#[derive(Debug, Default)]
pub struct Model {
    /// The rows now.
    pub rows: Vec<Row>,
    /// The rows of each version.
    pub history: BTreeMap<u64, Vec<Row>>,
    next_id: i64,
}

impl Model {
    /// A row with an id of its own.
    pub(super) fn row(&mut self, p: &'static str, n: i64) -> Row {
        self.next_id += 1;
        let s = if self.next_id % 5 == 0 {
            String::new()
        } else {
            format!("text {}", self.next_id % 7)
        };
        Row {
            id: self.next_id,
            p,
            n,
            s,
        }
    }

    /// All rows as text, sorted, with as many further columns that are null.
    pub fn as_text(&self, n_extra: usize) -> Vec<String> {
        let mut rows: Vec<String> = self
            .rows
            .iter()
            .map(|row| {
                let extra = "|NULL".repeat(n_extra);
                format!("{}|{}|{}|{}{extra}", row.id, row.p, row.n, row.s)
            })
            .collect();
        rows.sort();
        rows
    }
}

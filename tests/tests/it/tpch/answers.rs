//! The answers that the specification publishes for scale factor 1, in `tests/answers`.

use std::fmt::Write as _;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::rows::{Rows, Value};

/// One published answer.
struct Answer {
    /// All rows, or the first of them.
    rows: Vec<Vec<String>>,
    /// The number of all rows.
    n_rows: usize,
    /// The hash of all rows.
    sha256: String,
}

/// The first difference between our rows and the published answer; none if they agree.
///
/// The rules are stricter than the specification's (clause 2.1.3.5) where they can be. Keys, counts and
/// text: the same. Sums and averages of decimals: the same to the cent, whichever way half a cent was
/// rounded. Divisions in floating point (queries 14 and 17): within 100 units and one percent.
pub(crate) fn difference(number: u32, ours: &Rows) -> Option<String> {
    let published = published(number);
    if ours.rows.len() != published.n_rows {
        return Some(format!(
            "{} rows, not {}",
            ours.rows.len(),
            published.n_rows
        ));
    }
    let first = published.rows.iter().zip(&ours.rows).enumerate().find_map(
        |(row, (published, ours_row))| {
            let column = published
                .iter()
                .zip(ours_row)
                .position(|(published, ours)| !agree(ours, published))?;
            Some(format!(
                "row {}, column {}: {}, not {}",
                row + 1,
                ours.columns[column],
                ours_row[column],
                published[column]
            ))
        },
    );
    if first.is_some() || published.rows.len() == published.n_rows {
        return first;
    }
    let sha256 = sha256(&ours.rows);
    (sha256 != published.sha256).then(|| {
        format!(
            "a row after the first {} differs: the hash is {sha256}, not {}",
            published.rows.len(),
            published.sha256
        )
    })
}

fn agree(ours: &Value, published: &str) -> bool {
    match ours {
        Value::Approximate(value) => {
            let published: f64 = published.parse().unwrap();
            let difference = ((value * 100.0).round() / 100.0 - published).abs();
            difference <= 100.0 && difference <= published.abs() / 100.0
        }
        Value::Text(text) => text.trim_end() == published,
        Value::Exact { units, scale } if *scale > 2 => {
            let cents: i128 = published.replacen('.', "", 1).parse().unwrap();
            let cent = 10_i128.pow(scale - 2);
            2 * (units - cents * cent).abs() <= cent
        }
        Value::Null | Value::Exact { .. } => ours.to_string() == published,
    }
}

fn published(number: u32) -> Answer {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("answers/q{number:02}.txt"));
    let text = std::fs::read_to_string(path).unwrap();
    let fact = |name: &str| {
        let prefix = format!("# {name} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&prefix));
        line.unwrap().to_owned()
    };
    Answer {
        rows: text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.split('|').map(str::to_owned).collect())
            .collect(),
        n_rows: fact("rows").parse().unwrap(),
        sha256: fact("sha256"),
    }
}

fn sha256(rows: &[Vec<Value>]) -> String {
    let mut hasher = Sha256::new();
    for row in rows {
        let cells: Vec<String> = row.iter().map(ToString::to_string).collect();
        hasher.update(cells.join("|"));
        hasher.update("\n");
    }
    hasher
        .finalize()
        .iter()
        .fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").unwrap();
            hex
        })
}

//! Scans, and what the model says that they give.

use std::collections::BTreeSet;

use codeanatomy_testkit::commits::{Row, Touch};
use datafusion_expr::{Expr, col, lit};

use crate::ScanScope;

/// A scan with the answer that it must have.
pub(super) struct Consumer {
    pub(super) name: &'static str,
    columns: &'static [&'static str],
    filter: fn() -> Option<Expr>,
    matches: fn(&Row) -> bool,
    /// Whether rows of the partition with numbers in the range may fulfil the filter, as far as
    /// partition values and statistics can tell.
    may_match: fn(&str, i64, i64) -> bool,
}

pub(super) const CONSUMERS: [Consumer; 7] = [
    Consumer {
        name: "everything",
        columns: &["id", "p", "n", "s"],
        filter: || None,
        matches: |_| true,
        may_match: |_, _, _| true,
    },
    Consumer {
        name: "p = 'a'",
        columns: &["id"],
        filter: || Some(col("p").eq(lit("a"))),
        matches: |row| row.p == "a",
        may_match: |p, _, _| p == "a",
    },
    Consumer {
        name: "n < 50",
        columns: &["id", "n"],
        filter: || Some(col("n").lt(lit(50_i64))),
        matches: |row| row.n < 50,
        may_match: |_, low, _| low < 50,
    },
    Consumer {
        name: "p = 'b' and n >= 50",
        columns: &["s"],
        filter: || Some(col("p").eq(lit("b")).and(col("n").gt_eq(lit(50_i64)))),
        matches: |row| row.p == "b" && row.n >= 50,
        may_match: |p, _, high| p == "b" && high >= 50,
    },
    Consumer {
        name: "count of p in ('a', 'c')",
        columns: &[],
        filter: || Some(col("p").in_list(vec![lit("a"), lit("c")], false)),
        matches: |row| row.p == "a" || row.p == "c",
        may_match: |p, _, _| p == "a" || p == "c",
    },
    Consumer {
        name: "n + 1 > 10",
        columns: &["n"],
        filter: || Some((col("n") + lit(1_i64)).gt(lit(10_i64))),
        matches: |row| row.n + 1 > 10,
        may_match: |_, _, _| true,
    },
    Consumer {
        name: "p = 'a' or n between 20 and 30",
        columns: &["id", "s"],
        filter: || {
            let range = col("n").between(lit(20_i64), lit(30_i64));
            Some(col("p").eq(lit("a")).or(range))
        },
        matches: |row| row.p == "a" || (20..=30).contains(&row.n),
        may_match: |_, _, _| true,
    },
];

impl Consumer {
    pub(super) fn scope(&self) -> ScanScope {
        ScanScope {
            columns: self
                .columns
                .iter()
                .map(|column| (*column).to_owned())
                .collect::<BTreeSet<_>>(),
            filters: (self.filter)().into_iter().collect(),
        }
    }

    /// The rows that the scan gives, as a sorted multiset.
    pub(super) fn answer(&self, rows: &[Row]) -> Vec<String> {
        let mut answer: Vec<String> = rows
            .iter()
            .filter(|row| (self.matches)(row))
            .map(|row| {
                let value = |column: &&str| match *column {
                    "id" => row.id.to_string(),
                    "p" => row.p.to_owned(),
                    "n" => row.n.to_string(),
                    _ => row.s.clone(),
                };
                let values: Vec<String> = self.columns.iter().map(value).collect();
                values.join("|")
            })
            .collect();
        answer.sort();
        answer
    }

    /// Whether a commit with this touch provably changes nothing of the scan.
    pub(super) fn is_spared_by(&self, touch: &Touch) -> bool {
        match touch {
            Touch::Nothing => true,
            Touch::Anything => false,
            Touch::Files(files) => files
                .iter()
                .all(|(p, low, high)| !(self.may_match)(p, *low, *high)),
        }
    }
}

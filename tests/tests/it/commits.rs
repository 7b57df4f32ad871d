//! Random sequences of commits to a Delta table: after each, what a build skips and what it builds
//! against a plain model of the rows.
//!
//! `CODEANATOMY_SEQUENCES` and `CODEANATOMY_COMMITS` say how many sequences there are, and how many
//! commits each has.

use std::collections::BTreeMap;

use codeanatomy::exec::Action;
use codeanatomy_testkit::commits::{Kind, Random, Row, Table};

use crate::lake::{Lake, plan_of};

/// A stored view, with the rows that it has by the model.
struct View {
    name: &'static str,
    sql: &'static str,
    answer: fn(&[Row]) -> Vec<String>,
}

const VIEWS: [View; 7] = [
    View {
        name: "everything",
        sql: "select id, p, n, s from t",
        answer: |rows| {
            texts(
                rows,
                |_| true,
                |r| format!("{}|{}|{}|{}", r.id, r.p, r.n, r.s),
            )
        },
    },
    View {
        name: "part",
        sql: "select id, n from t where p = 'a'",
        answer: |rows| texts(rows, |r| r.p == "a", |r| format!("{}|{}", r.id, r.n)),
    },
    View {
        name: "small",
        sql: "select id from t where n < 50",
        answer: |rows| texts(rows, |r| r.n < 50, |r| r.id.to_string()),
    },
    View {
        name: "staged_b",
        sql: "select p, count(*) as rows, sum(n) as total from staged where p = 'b' group by p",
        answer: |rows| {
            let of_b: Vec<i64> = rows.iter().filter(|r| r.p == "b").map(|r| r.n).collect();
            match of_b.len() {
                0 => Vec::new(),
                n => vec![format!("b|{n}|{}", of_b.iter().sum::<i64>())],
            }
        },
    },
    View {
        name: "over",
        sql: "select count(*) as rows, coalesce(sum(n), 0) as total from part",
        answer: |rows| {
            let of_a: Vec<i64> = rows.iter().filter(|r| r.p == "a").map(|r| r.n).collect();
            vec![format!("{}|{}", of_a.len(), of_a.iter().sum::<i64>())]
        },
    },
    View {
        name: "two_scans",
        sql: "select x.id from t x join staged y on x.id = y.id where x.p = 'a' and y.n < 60",
        answer: |rows| texts(rows, |r| r.p == "a" && r.n < 60, |r| r.id.to_string()),
    },
    View {
        name: "latest",
        sql: "select id, n from t where p = 'c' order by n desc, id limit 2",
        answer: |rows| {
            let mut of_c: Vec<&Row> = rows.iter().filter(|r| r.p == "c").collect();
            of_c.sort_by_key(|r| (-r.n, r.id));
            let mut found: Vec<String> = of_c
                .iter()
                .take(2)
                .map(|r| format!("{}|{}", r.id, r.n))
                .collect();
            found.sort();
            found
        },
    },
];

fn texts(rows: &[Row], keep: fn(&Row) -> bool, text: fn(&Row) -> String) -> Vec<String> {
    let mut texts: Vec<String> = rows.iter().filter(|row| keep(row)).map(text).collect();
    texts.sort();
    texts
}

#[derive(Default)]
struct Tally {
    commits: BTreeMap<Kind, usize>,
    skipped: usize,
    built: usize,
    /// Views that were built though their rows were the same.
    careful: usize,
}

#[test]
fn a_build_skips_what_did_not_change_and_nothing_else() {
    let n_sequences = number("CODEANATOMY_SEQUENCES", 2);
    let n_commits = number("CODEANATOMY_COMMITS", 8);
    let mut total = Tally::default();
    // A few at a time: each has a runtime, a session and a folder of its own.
    for first in (1..=n_sequences).step_by(2) {
        let tallies: Vec<Tally> = std::thread::scope(|scope| {
            let seeds = first..(first + 2).min(n_sequences + 1);
            let threads: Vec<_> = seeds
                .map(|seed| scope.spawn(move || run(seed, n_commits)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        for tally in tallies {
            for (kind, n) in tally.commits {
                *total.commits.entry(kind).or_default() += n;
            }
            total.skipped += tally.skipped;
            total.built += tally.built;
            total.careful += tally.careful;
        }
    }
    println!(
        "{n_sequences} sequences: {} skipped and {} built, of these {} with the same rows; {:?}",
        total.skipped, total.built, total.careful, total.commits
    );
    assert!(total.skipped > 0 && total.built > 0);
}

fn run(seed: u64, n_commits: u64) -> Tally {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(16 << 20)
        .enable_all()
        .build()
        .unwrap()
        .block_on(sequence(seed, n_commits))
}

async fn sequence(seed: u64, n_commits: u64) -> Tally {
    let mut random = Random::new(seed);
    let lake = Lake::new("");
    let mut table = Table::create_at(&lake.table(), random.chance(40)).await;
    table
        .append_rows(&[("a", 1), ("b", 2), ("c", 3), ("c", 90)])
        .await;
    lake.view("staged", "select id, p, n from t where n >= 0", "");
    for view in &VIEWS {
        lake.stored(view.name, view.sql);
    }
    lake.build().await;
    let mut tally = Tally::default();
    let mut answers = answers_of(&table);
    // Whether commits that may have changed rows wait for a build.
    let mut is_behind = false;
    for step in 0..n_commits {
        // Every kind in turn, from another one on in each sequence.
        let kind = Kind::ALL[(seed as usize * 5 + step as usize * 3) % Kind::ALL.len()];
        let Some(_) = table.commit(kind, &mut random).await else {
            continue;
        };
        *tally.commits.entry(kind).or_default() += 1;
        let place = format!("seed {seed}, step {step}, {kind:?}");
        // Sometimes a build is left for later, so that the next proof is about more commits.
        if !kind.keeps_rows() && random.chance(25) {
            is_behind = true;
            continue;
        }
        let plan = lake.plan().await;
        let now = answers_of(&table);
        for ((view, before), now) in VIEWS.iter().zip(&answers).zip(&now) {
            let planned = plan_of(&plan, view.name);
            match planned.action {
                Action::Skip => {
                    tally.skipped += 1;
                    assert_eq!(before, now, "{place}: `{}` is wrongly skipped", view.name);
                }
                Action::Build => {
                    tally.built += 1;
                    tally.careful += usize::from(before == now);
                    let is_spared = kind.keeps_rows() && !is_behind;
                    assert!(
                        !is_spared,
                        "{place}: `{}` is built: {:?}",
                        view.name, planned.reasons
                    );
                }
            }
        }
        is_behind = false;
        lake.build().await;
        for (view, now) in VIEWS.iter().zip(&now) {
            assert_eq!(&lake.rows(view.name).await, now, "{place}: `{}`", view.name);
        }
        answers = now;
    }
    tally
}

fn answers_of(table: &Table) -> Vec<Vec<String>> {
    let rows = &table.model.rows;
    VIEWS.iter().map(|view| (view.answer)(rows)).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long the test runs is asked of its caller"
)]
fn number(variable: &str, default: u64) -> u64 {
    let text = std::env::var(variable).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

//! Random sequences of commits against a model: what is said to be unchanged is.

mod consumer;

use std::collections::{BTreeMap, BTreeSet};

use codeanatomy_testkit::commits::{Kind, Random, Table};
use codeanatomy_vocab::{DatasetName, DeltaVersionSelector};

use self::consumer::{CONSUMERS, Consumer};
use super::support::{location, query, rows, session};
use crate::{FootprintChange, PinnedTable, ScanFootprint, StoreOptions, open};

const SEQUENCES: u64 = 50;
const COMMITS: usize = 11;

/// What a scan read when it was last built, and whether anything since may have changed it.
struct Built {
    footprint: ScanFootprint,
    answer: Vec<String>,
    /// Whether every commit since then provably leaves the scan as it is.
    is_spared: bool,
}

#[derive(Default)]
struct Tally {
    commits: BTreeMap<Kind, usize>,
    unchanged: usize,
    changed: usize,
    /// Said to be changed, or not known, though the rows are the same.
    careful: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_be_unchanged_is() {
    let mut tasks = tokio::task::JoinSet::new();
    for seed in 1..=SEQUENCES {
        tasks.spawn(sequence(seed));
    }
    let mut total = Tally::default();
    while let Some(done) = tasks.join_next().await {
        let tally = done.unwrap();
        for (kind, n) in tally.commits {
            *total.commits.entry(kind).or_default() += n;
        }
        total.unchanged += tally.unchanged;
        total.changed += tally.changed;
        total.careful += tally.careful;
    }
    println!(
        "unchanged {}, changed {}, of these with the same rows {}; {:?}",
        total.unchanged, total.changed, total.careful, total.commits
    );
    let kinds: BTreeSet<Kind> = total.commits.keys().copied().collect();
    assert_eq!(kinds, BTreeSet::from(Kind::ALL), "every kind was made");
    assert!(total.unchanged > 500 && total.changed > 500);
}

async fn sequence(seed: u64) -> Tally {
    let mut random = Random::new(seed);
    let mut table = Table::create(random.chance(50)).await;
    let mut tally = Tally::default();
    let mut pinned = pin(&table).await;
    let mut built = Vec::new();
    for consumer in &CONSUMERS {
        built.push(build(consumer, &table, &pinned).await);
    }
    for step in 0..COMMITS {
        // Rows first, so that there is something to change.
        let kind = if step < 2 {
            Kind::Append
        } else {
            random.pick(&Kind::ALL)
        };
        let Some(touch) = table.commit(kind, &mut random).await else {
            continue;
        };
        *tally.commits.entry(kind).or_default() += 1;
        pinned = pin(&table).await;
        let place = format!("seed {seed}, step {step}, {kind:?}");
        check_model(&table, &pinned, &place).await;
        for (consumer, built) in CONSUMERS.iter().zip(&mut built) {
            built.is_spared &= consumer.is_spared_by(&touch);
            let place = format!("{place}, scan of {}", consumer.name);
            let changed = check(consumer, built, &table, &pinned, &place, &mut tally).await;
            // Sometimes a change is left for later, so that the next proof is about more commits.
            if changed && random.chance(60) {
                *built = build(consumer, &table, &pinned).await;
            }
        }
    }
    tally
}

async fn pin(table: &Table) -> PinnedTable {
    let name = DatasetName::new("t").unwrap();
    let latest = DeltaVersionSelector::Latest;
    open(&name, &location(&table.path), latest, &StoreOptions::new())
        .await
        .unwrap()
}

async fn build(consumer: &Consumer, table: &Table, pinned: &PinnedTable) -> Built {
    let session = session(1);
    let scopes = [consumer.scope()];
    Built {
        footprint: pinned
            .scan_footprint(&session.state(), &scopes)
            .await
            .unwrap(),
        answer: consumer.answer(&table.model.rows),
        is_spared: true,
    }
}

/// The generator is right: the table holds what the model does.
async fn check_model(table: &Table, pinned: &PinnedTable, place: &str) {
    let batches = query(pinned.provider().unwrap(), "select * from t")
        .await
        .unwrap();
    let found = rows(&batches, &pinned.schema());
    assert_eq!(found, table.model.as_text(table.n_extra), "{place}");
}

/// Asks for the verdict, and compares it with the model.
async fn check(
    consumer: &Consumer,
    built: &mut Built,
    table: &Table,
    pinned: &PinnedTable,
    place: &str,
    tally: &mut Tally,
) -> bool {
    let session = session(1);
    let scopes = [consumer.scope()];
    let verdict = pinned
        .footprint_change(&session.state(), &built.footprint, &scopes)
        .await;
    let is_same = consumer.answer(&table.model.rows) == built.answer;
    match &verdict {
        FootprintChange::Unchanged(_) => {
            tally.unchanged += 1;
            assert!(is_same, "{place}: wrongly unchanged: {verdict}");
            false
        }
        FootprintChange::Changed { .. } | FootprintChange::Unknown { .. } => {
            tally.changed += 1;
            tally.careful += usize::from(is_same);
            assert!(!built.is_spared, "{place}: needlessly changed: {verdict}");
            true
        }
    }
}

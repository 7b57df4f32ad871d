//! What the lists of refactorings and mutants say, asked of the engine: queries of one digest are
//! run over random rows and give the same.

use std::collections::BTreeMap;

use codeanatomy_plan::Determinism;

use crate::corpus::{Corpus, Rows};
use crate::{mutants, refactors};

#[test]
fn queries_of_one_digest_give_the_same_rows() {
    let refactored = refactors::PAIRS
        .iter()
        .flat_map(|(_, one, other)| [*one, *other]);
    let mutated = mutants::groups().flat_map(|(_, queries)| *queries);
    let queries: Vec<&str> = refactored
        .chain(mutated.copied())
        // Some of those over random rows have no end.
        .filter(|sql| !sql.contains("RECURSIVE"))
        .collect();
    let mut n_shared = 0;
    for seed in [1, 7, 42] {
        let corpus = Corpus::random(seed);
        let mut results: BTreeMap<String, (&str, Rows)> = BTreeMap::new();
        for sql in &queries {
            // These tables have fewer columns than those of the lists.
            let Some(bundle) = corpus.bundle(sql) else {
                continue;
            };
            if bundle.determinism >= Determinism::D2 {
                continue;
            }
            let Ok(rows) = corpus.run(&bundle.optimized) else {
                continue;
            };
            let digest = bundle.digest.digest.to_hex();
            match results.get(&digest) {
                Some((other, known)) => {
                    assert_eq!(*known, rows, "seed {seed}\n{other}\n{sql}");
                    n_shared += usize::from(other != sql);
                }
                None => {
                    results.insert(digest, (sql, rows));
                }
            }
        }
    }
    assert!(n_shared >= 150, "{n_shared}");
}

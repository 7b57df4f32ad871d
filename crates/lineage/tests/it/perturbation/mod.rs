//! The proof by experiment: whatever output changes when a table column does, has an edge from it.

mod data;
mod generate;
mod oracle;

use crate::tpch;
pub(crate) use data::{MakeColumn, Random, Table};
use oracle::{Experiment, Tally};

/// Queries that are generated; some of them the engine cannot run, and some more are tried for them.
const QUERIES: u64 = 200;

#[tokio::test]
async fn whatever_changes_in_generated_queries_has_an_edge() {
    let mut tally = Tally::default();
    let mut seed = 0;
    while tally.queries < QUERIES {
        seed += 1;
        assert!(
            seed < 2 * QUERIES,
            "the engine runs less than half of the queries: {tally}"
        );
        let mut random = Random::new(seed);
        let sql = generate::query(&mut random);
        // Where nothing is found, hardly a change shows: try other tables too.
        let mut experiment = Experiment::new(&sql, data::tables(&mut random), &[]).await;
        for _ in 0..3 {
            if experiment
                .as_ref()
                .is_some_and(|experiment| !experiment.has_rows())
            {
                experiment = Experiment::new(&sql, data::tables(&mut random), &[]).await;
            }
        }
        if let Some(experiment) = experiment {
            experiment.run(&mut random, 2, &mut tally).await;
        }
    }
    tally.report("generated queries");
}

#[tokio::test]
async fn whatever_changes_in_tpch_queries_has_an_edge() {
    let mut tally = Tally::default();
    let mut random = Random::new(22);
    for (name, sql) in tpch::queries() {
        let tables = tpch::tables(&mut random);
        let experiment = Experiment::new(&sql, tables, &tpch::views()).await;
        let experiment = experiment.unwrap_or_else(|| panic!("{name} runs"));
        experiment.run(&mut random, 1, &mut tally).await;
    }
    assert_eq!(tally.queries, 22);
    tally.report("TPC-H queries");
}

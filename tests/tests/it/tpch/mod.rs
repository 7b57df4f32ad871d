//! The 22 queries of the TPC-H example, run by the product and compared with answers of others.

mod answers;
mod rows;
mod run;
mod sqlite;

use std::path::Path;

use rows::Rows;
use run::Pipeline;
pub(crate) use run::block_on;

const QUERIES: std::ops::RangeInclusive<u32> = 1..=22;

#[test]
fn tpch_answers_at_scale_factor_0_01_are_those_of_sqlite_over_the_same_rows() {
    const SCALE: f64 = 0.01;
    let dir = tempfile::tempdir().unwrap();
    let theirs = std::thread::spawn(|| {
        let database = sqlite::load(SCALE);
        QUERIES
            .map(|number| sqlite::answer(&database, number, SCALE))
            .collect::<Vec<_>>()
    });
    let ours = run_queries(dir.path(), SCALE);
    let theirs = theirs.join().unwrap();

    let differences: Vec<String> = QUERIES
        .zip(ours.iter().zip(&theirs))
        .filter_map(|(number, (ours, theirs))| {
            rows::difference(ours, theirs).map(|difference| format!("query {number}: {difference}"))
        })
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));

    // A comparison of nothing with nothing would prove nothing.
    let empty = ours.iter().filter(|rows| rows.rows.is_empty()).count();
    assert!(
        empty <= 2,
        "{empty} queries have no rows at this scale factor"
    );
}

#[test]
#[ignore = "takes minutes without --release, and a gigabyte of disk"]
fn tpch_answers_at_scale_factor_1_are_those_of_the_specification() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tpch-1");
    let ours = run_queries(&dir, 1.0);
    let differences: Vec<String> = QUERIES
        .zip(&ours)
        .filter_map(|(number, ours)| {
            answers::difference(number, ours)
                .map(|difference| format!("query {number}: {difference}"))
        })
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Makes the project and its data in `dir`, and runs all queries.
fn run_queries(dir: &Path, scale: f64) -> Vec<Rows> {
    block_on(|| async {
        codeanatomy_tpch::write_project(dir).unwrap();
        codeanatomy_tpch::generate(&dir.join("data"), scale, &|_| {})
            .await
            .unwrap();
        let pipeline = Pipeline::build(dir).await;
        let mut answers = Vec::new();
        for number in QUERIES {
            let batches = pipeline.query(&format!("q{number:02}")).await;
            answers.push(Rows::from_batches(&batches));
        }
        answers
    })
}

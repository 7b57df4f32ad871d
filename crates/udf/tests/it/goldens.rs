//! Hashes, compared with values that other programs computed.

use crate::support::{rows, session};

#[test]
fn hashes_are_those_of_an_independent_implementation() {
    let context = session();
    let cases: Vec<(&str, &str)> = include_str!("../goldens/hash_1.tsv")
        .lines()
        .map(|line| line.split_once('\t').unwrap())
        .collect();
    assert!(cases.len() > 100);
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(call, expected)| {
            let found = rows(&context, &format!("SELECT {call}"));
            (found != [*expected]).then(|| format!("{call}: {found:?}, not {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

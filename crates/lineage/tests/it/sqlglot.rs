//! Our lineage beside that of another tool, for every output column of the TPC-H queries.
//!
//! sqlglot says from which columns a value is made, and not how. Whatever it names, we name too. What
//! it does not tell apart are the conditions that only choose between values; what it leaves out are
//! conditions on rows.

use std::collections::{BTreeMap, BTreeSet};

use codeanatomy_lineage::{EdgeKind, LineageGraph};

use crate::tpch;

/// Where sqlglot names a source that does not go into the value, with the kind of edge that we have
/// instead.
const CHOOSES_ONLY: [(&str, &str, EdgeKind); 5] = [
    // CASE WHEN s_nation = 'BRAZIL' THEN l_revenue ELSE 0 END
    ("q08.mkt_share", "nation.n_name", EdgeKind::Conditional),
    // CASE WHEN o_orderpriority ... THEN 1 ELSE 0 END: the value itself is a constant.
    (
        "q12.high_line_count",
        "orders.o_orderpriority",
        EdgeKind::Conditional,
    ),
    (
        "q12.low_line_count",
        "orders.o_orderpriority",
        EdgeKind::Conditional,
    ),
    // count(o_orderkey) FILTER (WHERE o_comment NOT LIKE ...)
    ("q13.c_count", "orders.o_comment", EdgeKind::Filter),
    // CASE WHEN p_type LIKE 'PROMO%' THEN l_revenue ELSE 0 END
    ("q14.promo_revenue", "part.p_type", EdgeKind::Conditional),
];

#[tokio::test]
async fn every_difference_to_sqlglot_is_explained() {
    let graph = LineageGraph::compose(tpch::lineages(false).await);
    let mut explained = BTreeSet::new();
    let recorded = recorded();
    for (output, theirs) in &recorded {
        let (query, column) = output.split_once('.').unwrap();
        let sources = graph.upstream(query, column).unwrap();
        let direct = sources.iter().filter(|source| source.value.any_direct());
        let ours: BTreeSet<String> = direct.map(|source| source.source.to_string()).collect();
        let missing: Vec<&String> = ours.difference(theirs).collect();
        assert!(missing.is_empty(), "{output}: sqlglot lacks {missing:?}");
        for source in theirs.difference(&ours) {
            let reason = CHOOSES_ONLY
                .iter()
                .find(|(of, from, _)| of == output && from == source);
            let (_, _, kind) = reason.unwrap_or_else(|| panic!("{output}: we lack {source}"));
            let edge = sources
                .iter()
                .find(|edge| edge.source.to_string() == *source)
                .unwrap();
            assert!(
                edge.value.contains(*kind),
                "{output} from {source}: {}",
                edge.value
            );
            explained.insert((output.clone(), source.clone()));
        }
    }
    assert_eq!(
        explained.len(),
        CHOOSES_ONLY.len(),
        "each explanation is needed"
    );
    let ours: usize = tpch::queries()
        .iter()
        .map(|(name, _)| graph.lineage(name).unwrap().columns.len())
        .sum();
    assert_eq!(recorded.len(), ours, "every output column is compared");
}

/// The recorded answers: `query.column: table.column ...`.
fn recorded() -> BTreeMap<String, BTreeSet<String>> {
    let lines = include_str!("sqlglot.txt")
        .lines()
        .filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (output, sources) = line.split_once(':').unwrap();
            (
                output.to_owned(),
                sources.split_whitespace().map(str::to_owned).collect(),
            )
        })
        .collect()
}

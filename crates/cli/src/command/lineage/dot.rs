//! Lineage as a Graphviz graph: a box for each view and dataset, an arrow for each edge.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use codeanatomy::exec::{ALL_ROWS, LineageAnswer};

pub(super) fn text(answer: &LineageAnswer) -> String {
    let mut tables: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut arrows: BTreeMap<(String, String), BTreeSet<(&str, &str)>> = BTreeMap::new();
    let mut arrow = |from: (&str, &str), to: (&str, &str), kind| {
        let ends = (id(from), id(to));
        arrows.entry(ends).or_default().insert(kind);
    };
    for edge in answer.edges.iter().filter(|edge| !edge.across_views) {
        let from = (edge.source.as_str(), edge.source_column.as_str());
        let to = (edge.view.as_str(), edge.column.as_str());
        for (table, column) in [from, to] {
            tables.entry(table).or_default().insert(column);
        }
        arrow(from, to, (edge.class, edge.subtype));
    }
    for row in &answer.rows {
        let (from, to) = (
            (row.source.as_str(), ALL_ROWS),
            (row.view.as_str(), row.column.as_str()),
        );
        for (table, column) in [from, to] {
            tables.entry(table).or_default().insert(column);
        }
        arrow(from, to, ("INDIRECT", "ROWS"));
    }
    let mut text = String::from("digraph lineage {\n  rankdir=LR;\n  node [shape=box];\n");
    for (number, (table, columns)) in tables.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  subgraph cluster_{number} {{\n    label={};",
            quoted(table)
        );
        for column in columns {
            let label = if *column == ALL_ROWS {
                "(rows)"
            } else {
                column
            };
            let _ = writeln!(
                text,
                "    {} [label={}];",
                quoted(&id((table, column))),
                quoted(label)
            );
        }
        text.push_str("  }\n");
    }
    for ((from, to), kinds) in &arrows {
        let label: Vec<&str> = kinds.iter().map(|(_, kind)| *kind).collect();
        let style = if kinds.iter().any(|(class, _)| *class == "DIRECT") {
            "solid"
        } else {
            "dashed"
        };
        let _ = writeln!(
            text,
            "  {} -> {} [label={}, style={style}];",
            quoted(from),
            quoted(to),
            quoted(&label.join(", "))
        );
    }
    text.push_str("}\n");
    text
}

fn id((table, column): (&str, &str)) -> String {
    format!("{table}.{column}")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

//! Lineage as a tree of text.

use std::collections::{BTreeMap, BTreeSet};

use codeanatomy::exec::{Direction, LineageAnswer, LineageEdge, LineageImpact};

use crate::render::{Paint, plural};

/// A column of a view or dataset.
type Column<'a> = (&'a str, &'a str);

pub(super) fn text(answer: &LineageAnswer, paint: Paint) -> String {
    let mut text = match (&answer.target, answer.direction) {
        (None, _) => project(answer, paint),
        (Some(target), Direction::Upstream) => upstream(target, answer, paint),
        (Some(target), Direction::Downstream) => downstream(target, answer, paint),
    };
    for finding in &answer.findings {
        let mark = paint.attention("not seen through");
        text.push_str(&format!("{mark}: {}: {}\n", finding.view, finding.message));
    }
    text
}

/// What a column comes from: each source once, with all its kinds.
type Sources<'a> = BTreeMap<Column<'a>, BTreeSet<(&'a str, &'a str)>>;

/// The edges that each view's own plan makes.
fn steps(edges: &[LineageEdge]) -> BTreeMap<Column<'_>, Sources<'_>> {
    let mut steps: BTreeMap<Column<'_>, Sources<'_>> = BTreeMap::new();
    for edge in edges.iter().filter(|edge| !edge.across_views) {
        steps
            .entry((&edge.view, &edge.column))
            .or_default()
            .entry((&edge.source, &edge.source_column))
            .or_default()
            .insert((edge.class, edge.subtype));
    }
    steps
}

/// The tables whose number of rows counts for each column.
fn row_sources(answer: &LineageAnswer) -> BTreeMap<Column<'_>, Vec<&str>> {
    let mut rows: BTreeMap<Column<'_>, Vec<&str>> = BTreeMap::new();
    for row in &answer.rows {
        let column = (row.view.as_str(), row.column.as_str());
        rows.entry(column).or_default().push(&row.source);
    }
    rows
}

/// Every column, with what its view reads and no further.
fn project(answer: &LineageAnswer, paint: Paint) -> String {
    let steps = steps(&answer.edges);
    let rows = row_sources(answer);
    let mut columns: Vec<Column<'_>> = Vec::new();
    let mut seen = BTreeSet::new();
    let of_edges = answer
        .edges
        .iter()
        .map(|edge| (edge.view.as_str(), edge.column.as_str()));
    let of_rows = answer
        .rows
        .iter()
        .map(|row| (row.view.as_str(), row.column.as_str()));
    for column in of_edges.chain(of_rows) {
        if seen.insert(column) {
            columns.push(column);
        }
    }
    if columns.is_empty() {
        return "no view reads anything\n".to_owned();
    }
    let mut text = String::new();
    for column in columns {
        text.push_str(&format!("{}\n", paint.bold(&name(column))));
        let tree = Tree {
            steps: &steps,
            rows: &rows,
            paint,
            deep: false,
        };
        tree.children(column, "", &mut BTreeSet::new(), &mut text);
    }
    text
}

fn upstream(target: &str, answer: &LineageAnswer, paint: Paint) -> String {
    let steps = steps(&answer.edges);
    let rows = row_sources(answer);
    let roots: Vec<Column<'_>> = match target.split_once('.') {
        Some(column) => vec![column],
        None => {
            let all = steps.keys().chain(rows.keys()).copied();
            let own: BTreeSet<Column<'_>> = all
                .filter(|(view, column)| *view == target && *column != ROWS)
                .collect();
            own.into_iter().collect()
        }
    };
    if !roots
        .iter()
        .any(|root| steps.contains_key(root) || rows.contains_key(root))
    {
        return format!("{target} comes from nothing else\n");
    }
    let tree = Tree {
        steps: &steps,
        rows: &rows,
        paint,
        deep: true,
    };
    let mut text = String::new();
    let mut seen = BTreeSet::new();
    for root in roots {
        text.push_str(&format!("{}\n", paint.bold(&name(root))));
        tree.children(root, "", &mut seen, &mut text);
    }
    text
}

const ROWS: &str = codeanatomy::exec::ALL_ROWS;

/// What a tree is drawn from.
struct Tree<'t, 'a> {
    steps: &'t BTreeMap<Column<'a>, Sources<'a>>,
    rows: &'t BTreeMap<Column<'a>, Vec<&'a str>>,
    paint: Paint,
    /// Whether sources that are views are followed.
    deep: bool,
}

impl<'a> Tree<'_, 'a> {
    /// Draws what a column comes from. A column that was drawn before is only named.
    fn children(
        &self,
        column: Column<'a>,
        indent: &str,
        seen: &mut BTreeSet<Column<'a>>,
        text: &mut String,
    ) {
        let mut children: Vec<(Column<'a>, String)> = Vec::new();
        for (source, kinds) in self.steps.get(&column).into_iter().flatten() {
            let kinds: Vec<&str> = kinds.iter().map(|(_, kind)| *kind).collect();
            children.push((*source, kinds.join(", ")));
        }
        for table in self.rows.get(&column).into_iter().flatten() {
            let known = children.iter().any(|((source, _), _)| source == table);
            if !known {
                children.push(((table, ROWS), "number of rows".to_owned()));
            }
        }
        let last = children.len();
        for (number, (child, kinds)) in children.into_iter().enumerate() {
            let is_last = number + 1 == last;
            let branch = if is_last { "└── " } else { "├── " };
            let follows =
                self.deep && (self.steps.contains_key(&child) || self.rows.contains_key(&child));
            let again = follows && seen.contains(&child);
            let mark = if again { " (see above)" } else { "" };
            text.push_str(&format!(
                "{indent}{branch}{}  {}{mark}\n",
                name(child),
                self.paint.faint(&kinds)
            ));
            if follows && !again {
                seen.insert(child);
                let deeper = if is_last { "    " } else { "│   " };
                self.children(child, &format!("{indent}{deeper}"), seen, text);
            }
        }
    }
}

fn downstream(target: &str, answer: &LineageAnswer, paint: Paint) -> String {
    if answer.impact.is_empty() {
        return format!("nothing depends on {target}\n");
    }
    let mut views: Vec<(&str, Vec<&LineageImpact>)> = Vec::new();
    for impact in &answer.impact {
        match views.last_mut() {
            Some((view, columns)) if *view == impact.view => columns.push(impact),
            _ => views.push((&impact.view, vec![impact])),
        }
    }
    let mut text = format!("{}\n", paint.bold(target));
    let n_views = views.len();
    let n_columns = answer.impact.len();
    let width = answer
        .impact
        .iter()
        .map(|impact| impact.column.chars().count())
        .max()
        .unwrap_or_default();
    for (number, (view, columns)) in views.into_iter().enumerate() {
        let is_last = number + 1 == n_views;
        let (branch, deeper) = if is_last {
            ("└── ", "    ")
        } else {
            ("├── ", "│   ")
        };
        let table = target.split_once('.').map_or(target, |(table, _)| table);
        let through: BTreeSet<&str> = answer
            .edges
            .iter()
            .filter(|edge| edge.view == view && !edge.across_views && edge.source != table)
            .map(|edge| edge.source.as_str())
            .collect();
        let through: Vec<&str> = through.into_iter().collect();
        let through = match through.is_empty() {
            true => String::new(),
            false => paint.faint(&format!("  through {}", through.join(", "))),
        };
        text.push_str(&format!("{branch}{}{through}\n", paint.bold(view)));
        let last = columns.len();
        for (number, impact) in columns.into_iter().enumerate() {
            let branch = if number + 1 == last {
                "└── "
            } else {
                "├── "
            };
            let mut kinds = impact.value.clone();
            kinds.extend(
                impact
                    .rows
                    .iter()
                    .filter(|kind| !impact.value.contains(*kind)),
            );
            let line = format!(
                "{deeper}{branch}{:width$}  {}  {}",
                impact.column,
                impact.classes.join(", "),
                paint.faint(&kinds.join(", ")),
            );
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text.push_str(&format!(
        "{} of {} can change\n",
        plural(n_columns, "column"),
        plural(n_views, "view")
    ));
    text
}

fn name((table, column): Column<'_>) -> String {
    match column {
        ROWS => format!("rows of {table}"),
        column => format!("{table}.{column}"),
    }
}

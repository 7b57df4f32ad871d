//! Downstream: what a change can reach.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use super::reach::kinds_of;
use super::{EdgeKinds, LineageGraph};
use crate::{ColumnRef, EdgeKind};

/// A column of a view that a change can reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impact {
    /// The view.
    pub view: Arc<str>,
    /// Its column.
    pub column: Arc<str>,
    /// What can become of the column.
    pub classes: BTreeSet<ImpactClass>,
    /// In which ways its values depend on what changes.
    pub value: EdgeKinds,
    /// In which ways the view's rows depend on what changes.
    pub rows: EdgeKinds,
}

/// What can become of a column when something upstream changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImpactClass {
    /// Other values there can give other values here.
    Value,
    /// Other values there can give more or fewer rows here, or another order.
    RowSet,
    /// Another type there can give another type here.
    Type,
    /// Without it, this cannot be computed.
    Removed,
}

/// What of a relation is reached: columns by name, and the rows.
#[derive(Default)]
struct Touched<'g> {
    columns: HashMap<&'g str, EdgeKinds>,
    rows: EdgeKinds,
}

impl LineageGraph {
    /// Every column of every view that can change when `column` of `table` does, upstream views
    /// first, columns in their order. Without a column: when the rows of `table` do, or it is
    /// removed as a whole.
    ///
    /// `table` is a dataset or a view. Nothing comes back for names that nobody reads.
    pub fn impact(&self, table: &str, column: Option<&str>) -> Vec<Impact> {
        let mut touched: HashMap<&str, Touched<'_>> = HashMap::new();
        let start = touched.entry(table).or_default();
        match column {
            Some(column) => {
                start
                    .columns
                    .insert(column, EdgeKinds::of(EdgeKind::Identity));
            }
            None => start.rows = EdgeKinds::ROWS,
        }
        let mut impacts = Vec::new();
        for view in &self.views {
            if view.name.as_ref() == table {
                continue;
            }
            let found = {
                let columns = |source: &ColumnRef| {
                    let of_table = touched.get(source.table.as_ref());
                    let kinds = of_table.and_then(|it| it.columns.get(source.column.as_ref()));
                    kinds.copied().unwrap_or_default()
                };
                let rows =
                    |name: &str| touched.get(name).map_or(EdgeKinds::default(), |it| it.rows);
                let lineage = &view.lineage;
                let mut found = Touched {
                    rows: kinds_of(&lineage.rows.edges, &lineage.rows.tables, columns, rows),
                    ..Touched::default()
                };
                for output in &lineage.columns {
                    let kinds = kinds_of(&output.edges, &output.tables, columns, rows);
                    if !kinds.nothing() || !found.rows.nothing() {
                        impacts.push(Impact {
                            view: Arc::clone(&view.name),
                            column: output.name.as_str().into(),
                            classes: classes(kinds, found.rows, column.is_some()),
                            value: kinds.shown(),
                            rows: found.rows.shown(),
                        });
                    }
                    let known = found.columns.entry(&output.name).or_default();
                    *known = known.union(kinds);
                }
                found
            };
            touched.insert(&view.name, found);
        }
        impacts
    }
}

impl ImpactClass {
    /// The class as it is written in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::RowSet => "row set",
            Self::Type => "type",
            Self::Removed => "removed",
        }
    }
}

impl fmt::Display for ImpactClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn classes(value: EdgeKinds, rows: EdgeKinds, of_column: bool) -> BTreeSet<ImpactClass> {
    let mut classes = BTreeSet::from([ImpactClass::Removed]);
    if !value.nothing() {
        classes.insert(ImpactClass::Value);
    }
    if !rows.nothing() {
        classes.insert(ImpactClass::RowSet);
    }
    // The type of `count(x)` or of a comparison stays, but which functions keep it is not known here.
    if of_column && value.any_direct() {
        classes.insert(ImpactClass::Type);
    }
    classes
}

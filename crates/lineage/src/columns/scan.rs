//! What a scan yields.

use std::rc::Rc;
use std::sync::Arc;

use datafusion_expr::{DmlStatement, Expr, TableScan, TableSource};

use super::builder::{At, Builder, Place};
use super::graph::{Dep, NodeId, SourceId, Vertex};
use super::lineage::{EdgeKind, FindingKind};
use super::relation::Relation;
use crate::expr::for_each;
use crate::parts::subplan;
use crate::walk::table_function;

impl<'p> Builder<'p> {
    pub(super) fn scan(&mut self, scan: &'p TableScan, at: At, node: NodeId) -> Relation<'p> {
        let (columns, rows): (Rc<[Vertex]>, Vertex) =
            if let Some(work_table) = self.work_table(scan, at.place) {
                work_table
            } else if let Some(view) = self.view(scan) {
                let view = self.relation(view, Place::default());
                (view.columns, view.rows)
            } else {
                if let Some(function) = table_function(&scan.table_name) {
                    let message = format!("table function `{function}`");
                    self.found(FindingKind::TableFunction, message);
                }
                let table = self.graph.table(&scan.table_name.to_string());
                let columns = self.table_columns(table, scan.source.as_ref(), node);
                (columns, self.graph.table_rows(table))
            };
        let projected = match &scan.projection {
            None => Some(Rc::clone(&columns)),
            Some(positions) => {
                let columns = positions.iter().map(|&at| columns.get(at).copied());
                columns.collect::<Option<Rc<[Vertex]>>>()
            }
        };
        let projected = projected.filter(|it| it.len() == scan.projected_schema.fields().len());
        let mut deps = vec![Dep::same(rows, node)];
        let projected = projected.unwrap_or_else(|| {
            let message = format!("scan of `{}` with other columns", scan.table_name);
            self.found(FindingKind::Mismatch, message);
            let how = EdgeKind::Transformation;
            let all: Vec<Dep> = columns.iter().map(|&on| Dep { on, how, node }).collect();
            let everything = self.graph.vertex(&all);
            let fields = scan.projected_schema.fields().iter();
            fields.map(|_| everything).collect()
        });
        for filter in &scan.filters {
            self.scan_filter(filter, scan, &columns, at, node, &mut deps);
        }
        let rows = self.graph.vertex(&deps);
        Relation::new(&scan.projected_schema, projected, rows)
    }

    /// All columns and the rows of the table that a statement changes.
    pub(super) fn target(&mut self, dml: &'p DmlStatement, node: NodeId) -> Relation<'p> {
        let table = self.graph.table(&dml.table_name.to_string());
        let columns = self.table_columns(table, dml.target.as_ref(), node);
        Relation::new(&dml.output_schema, columns, self.graph.table_rows(table))
    }

    fn table_columns(
        &mut self,
        table: SourceId,
        source: &dyn TableSource,
        node: NodeId,
    ) -> Rc<[Vertex]> {
        let schema = source.schema();
        let fields = schema.fields().iter();
        fields
            .map(|field| self.graph.table_column(table, field.name(), node))
            .collect()
    }

    /// A filter of a scan names any column of the table, also those that the scan does not yield,
    /// and with any qualifier.
    fn scan_filter(
        &mut self,
        filter: &'p Expr,
        scan: &TableScan,
        columns: &[Vertex],
        at: At,
        node: NodeId,
        deps: &mut Vec<Dep>,
    ) {
        let schema = scan.source.schema();
        let how = EdgeKind::Filter;
        let mut used = Vec::new();
        for_each(filter, |expr| match expr {
            Expr::Column(column) => {
                match schema
                    .index_of(&column.name)
                    .ok()
                    .and_then(|at| columns.get(at))
                {
                    Some(&on) => used.push(on),
                    None => {
                        let name = column.flat_name();
                        let message = format!("column `{name}`, which no input has");
                        self.found(FindingKind::UnknownColumn, message);
                        used.extend(columns);
                    }
                }
            }
            Expr::OuterReferenceColumn(_, column) => {
                used.extend(self.outer_columns(column, at.place));
            }
            // All others look at columns through the expressions in them.
            other => {
                if let Some(subquery) = subplan(other).map(Arc::as_ref) {
                    let subquery = self.relation(subquery, at.inner);
                    used.extend(subquery.columns.iter().copied().chain([subquery.rows]));
                }
            }
        });
        deps.extend(used.into_iter().map(|on| Dep { on, how, node }));
    }
}

//! What the text of a view holds, found in one walk over its syntax tree.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use codeanatomy_vocab::Position;
use datafusion_sql::parser::Statement;
use datafusion_sql::planner::object_name_to_table_reference;
use datafusion_sql::sqlparser::ast::{self, ObjectName, TableFactor, Visit, Visitor};

/// Every kind of visitor makes the compiler write the walk over all of SQL anew, so there is one.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// The first part that would write something.
    pub(crate) write: Option<&'static str>,
    /// How deep expressions are nested.
    pub(crate) depth: usize,
    /// The tables in `FROM` that are read.
    pub(crate) read: BTreeSet<String>,
    /// The tables in `FROM` that are called.
    pub(crate) called: BTreeSet<String>,
    /// Where each relation is named first.
    pub(crate) positions: BTreeMap<String, Position>,
    open_expressions: usize,
}

impl Survey {
    pub(crate) fn of(statement: &Statement) -> Self {
        let mut survey = Self::default();
        if let Statement::Statement(statement) = statement {
            let _: ControlFlow<()> = statement.visit(&mut survey);
        }
        survey
    }

    fn writes(&mut self, what: &'static str) {
        self.write.get_or_insert(what);
    }
}

impl Visitor for Survey {
    type Break = ();

    fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<()> {
        match query.body.as_ref() {
            ast::SetExpr::Insert(_) => self.writes("INSERT"),
            ast::SetExpr::Update(_) => self.writes("UPDATE"),
            ast::SetExpr::Delete(_) => self.writes("DELETE"),
            ast::SetExpr::Merge(_) => self.writes("MERGE"),
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &ast::Select) -> ControlFlow<()> {
        if select.into.is_some() {
            self.writes("SELECT INTO");
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, _: &ast::Expr) -> ControlFlow<()> {
        self.open_expressions += 1;
        self.depth = self.depth.max(self.open_expressions);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, _: &ast::Expr) -> ControlFlow<()> {
        self.open_expressions -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, args, .. } = factor
            && let Ok(table) = object_name_to_table_reference(name.clone(), true)
        {
            let names = match args {
                Some(_) => &mut self.called,
                None => &mut self.read,
            };
            names.insert(table.to_string());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        let spelled = object_name_to_table_reference(relation.clone(), true);
        let start = relation
            .0
            .first()
            .and_then(|part| part.as_ident())
            .map(|ident| ident.span.start)
            .filter(|start| start.line > 0);
        if let (Ok(table), Some(start)) = (spelled, start) {
            let position = Position {
                line: usize::try_from(start.line).unwrap_or(1),
                column: usize::try_from(start.column).unwrap_or(1),
            };
            self.positions.entry(table.to_string()).or_insert(position);
        }
        ControlFlow::Continue(())
    }
}

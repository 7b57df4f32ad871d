//! What a node yields, as far as lineage is concerned.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;

use datafusion_common::{Column, DFSchema};

use super::graph::Vertex;

/// With more columns than this, names are looked up in an index.
const FEW: usize = 8;

/// The columns and the rows that a node yields.
#[derive(Clone)]
pub(super) struct Relation<'p> {
    pub(super) names: Rc<Names<'p>>,
    /// As many as the schema has fields.
    pub(super) columns: Rc<[Vertex]>,
    pub(super) rows: Vertex,
}

/// The names of columns. Nodes that change none share them.
pub(super) struct Names<'p> {
    schema: &'p DFSchema,
    positions: OnceCell<HashMap<&'p str, Vec<usize>>>,
}

impl<'p> Relation<'p> {
    pub(super) fn new(schema: &'p DFSchema, columns: Rc<[Vertex]>, rows: Vertex) -> Self {
        Self {
            names: Rc::new(Names {
                schema,
                positions: OnceCell::new(),
            }),
            columns,
            rows,
        }
    }

    /// The same columns under the names of another schema.
    pub(super) fn renamed(&self, schema: &'p DFSchema) -> Self {
        Self::new(schema, Rc::clone(&self.columns), self.rows)
    }

    /// The same columns with other rows.
    pub(super) fn with_rows(&self, rows: Vertex) -> Self {
        Self {
            rows,
            ..self.clone()
        }
    }

    pub(super) fn schema(&self) -> &'p DFSchema {
        self.names.schema
    }

    /// The column that the engine means by `column`.
    pub(super) fn find(&self, column: &Column) -> Option<Vertex> {
        let position = self.names.position(column)?;
        self.columns.get(position).copied()
    }
}

impl<'p> Names<'p> {
    /// As [`DFSchema::maybe_index_of_column`], without a search through all fields.
    fn position(&self, column: &Column) -> Option<usize> {
        if self.schema.fields().len() <= FEW {
            return self.schema.maybe_index_of_column(column);
        }
        let positions = self.positions.get_or_init(|| {
            let mut positions: HashMap<&'p str, Vec<usize>> = HashMap::new();
            for (position, field) in self.schema.fields().iter().enumerate() {
                positions.entry(field.name()).or_default().push(position);
            }
            positions
        });
        let candidates = positions.get(column.name.as_str())?.iter().copied();
        let mut meant = candidates.filter(|&position| {
            let (qualifier, _) = self.schema.qualified_field(position);
            match (&column.relation, qualifier) {
                (Some(wanted), Some(qualifier)) => wanted.resolved_eq(qualifier),
                (Some(_), None) => false,
                (None, _) => true,
            }
        });
        meant.next()
    }
}

//! Where a column reference points: the ordinals of a node's inputs.

use std::cell::OnceCell;
use std::collections::HashMap;

use datafusion_common::{Column, DFSchema, DFSchemaRef};

use super::Node;
use super::class::Class;
use super::layout::Layout;

/// Below this width a scan of the names is as fast as an index.
const INDEXED_WIDTH: usize = 24;

/// The inputs against which the expressions of one node are resolved.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    columns: Vec<Columns>,
    /// Columns stand for the fields of a table, not for ordinals.
    by_field: bool,
}

/// The columns of one input, found by name.
#[derive(Debug)]
struct Columns {
    schema: DFSchemaRef,
    layout: Layout,
    index: OnceCell<HashMap<String, Vec<usize>>>,
}

/// One place where a column was found: the input and the ordinal in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) input: usize,
    pub(super) ordinal: usize,
}

impl Inputs {
    /// One or more inputs, in the order of the node.
    pub(super) fn new(schemas: impl IntoIterator<Item = DFSchemaRef>) -> Self {
        let schemas = schemas.into_iter();
        Self::laid_out(schemas.map(|schema| {
            let layout = Layout::plain(schema.fields().len());
            (schema, layout)
        }))
    }

    /// The inputs of a node, each with its layout.
    pub(super) fn of_nodes<'n>(nodes: impl IntoIterator<Item = &'n Node>) -> Self {
        let nodes = nodes.into_iter();
        Self::laid_out(nodes.map(|node| (DFSchemaRef::clone(&node.schema), node.layout.clone())))
    }

    fn laid_out(inputs: impl Iterator<Item = (DFSchemaRef, Layout)>) -> Self {
        let columns = inputs
            .map(|(schema, layout)| Columns {
                schema,
                layout,
                index: OnceCell::new(),
            })
            .collect();
        Self {
            columns,
            by_field: false,
        }
    }

    /// The full schema of a table, whose columns are known by their fields.
    pub(super) fn of_source(schema: DFSchemaRef) -> Self {
        Self {
            by_field: true,
            ..Self::new([schema])
        }
    }

    /// Whether columns stand for the fields of a table.
    pub(super) fn by_field(&self) -> bool {
        self.by_field
    }

    /// The schema of an input.
    pub(super) fn schema(&self, input: usize) -> &DFSchema {
        &self.columns[input].schema
    }

    /// Every input that has the column, with its place there.
    pub(super) fn find(&self, column: &Column) -> Vec<Place> {
        self.columns
            .iter()
            .enumerate()
            .filter_map(|(input, columns)| {
                let ordinal = columns.layout.place(columns.find(column)?);
                Some(Place { input, ordinal })
            })
            .collect()
    }

    /// What is known about the type of a column that one input alone has.
    pub(super) fn class(&self, column: &Column) -> Class {
        let mut found = self.columns.iter().filter_map(|columns| {
            let ordinal = columns.find(column)?;
            Some(Class::of(columns.schema.field(ordinal).data_type()))
        });
        match (found.next(), found.next()) {
            (Some(class), None) => class,
            (None, _) | (Some(_), Some(_)) => Class::Other,
        }
    }
}

impl Columns {
    /// The first match, as `DFSchema::maybe_index_of_column` finds it.
    fn find(&self, column: &Column) -> Option<usize> {
        if self.schema.fields().len() < INDEXED_WIDTH {
            return self.schema.maybe_index_of_column(column);
        }
        let ordinals = self.index().get(&column.name)?;
        match &column.relation {
            None => ordinals.first().copied(),
            Some(relation) => ordinals.iter().copied().find(|ordinal| {
                self.schema
                    .qualified_field(*ordinal)
                    .0
                    .is_some_and(|qualifier| relation.resolved_eq(qualifier))
            }),
        }
    }

    fn index(&self) -> &HashMap<String, Vec<usize>> {
        self.index.get_or_init(|| {
            let mut index: HashMap<String, Vec<usize>> = HashMap::new();
            for (ordinal, field) in self.schema.fields().iter().enumerate() {
                index.entry(field.name().clone()).or_default().push(ordinal);
            }
            index
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion_common::TableReference;
    use datafusion_common::arrow::datatypes::{DataType, Field};

    use super::*;

    #[test]
    fn wide_and_narrow_schemas_find_the_same_columns() {
        for width in [3, INDEXED_WIDTH + 3] {
            let fields = (0..width)
                .flat_map(|number| {
                    let field = |name: String| Arc::new(Field::new(name, DataType::Int64, true));
                    [
                        (Some(TableReference::bare("t")), field(format!("c{number}"))),
                        (
                            Some(TableReference::partial("s", "u")),
                            field(format!("c{number}")),
                        ),
                        (None, field(format!("d{number}"))),
                    ]
                })
                .collect();
            let schema = Arc::new(DFSchema::new_with_metadata(fields, Default::default()).unwrap());
            let inputs = Inputs::new([Arc::clone(&schema)]);
            for relation in [
                None,
                Some(TableReference::bare("t")),
                Some(TableReference::bare("u")),
                Some(TableReference::partial("s", "u")),
                Some(TableReference::partial("x", "u")),
            ] {
                for name in ["c0", "c2", "d1", "e"] {
                    let column = Column::new(relation.clone(), name);
                    let found = inputs.find(&column).first().map(|place| place.ordinal);
                    assert_eq!(found, schema.maybe_index_of_column(&column), "{column}");
                }
            }
        }
    }
}

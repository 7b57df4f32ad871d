//! Plan nodes that rows come from, and those that the engine treats apart: scans, constants,
//! recursive queries, unnesting and extensions.

use std::collections::btree_map::Entry;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use codeanatomy_schema::encode_field;
use codeanatomy_vocab::{Encoder, Result};
use datafusion_common::{
    Column, DFSchema, NullHandling, RecursionUnnestOption, TableReference, UnnestOptions,
};
use datafusion_expr::logical_plan::{
    ColumnUnnestList, EmptyRelation, Extension, RecursiveQuery, TableScan, Unnest, Values,
};
use datafusion_expr::{TableType, UNNAMED_TABLE};

use super::columns::Inputs;
use super::expr::Scope;
use super::plan::Draft;
use super::tag::node as tag;
use super::{
    Frame, Node, Walker, encode_qualified_schema, encode_reference, encode_unnamed_schema,
};
use crate::error::unresolved;

/// The line that an extension node writes about itself.
struct Explained<'a>(&'a Extension);

impl fmt::Display for Explained<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.node.fmt_for_explain(f)
    }
}

impl Walker<'_> {
    /// A table is its name and the fields that the plan reads; whose rows they are is for the
    /// inputs of the key to say.
    #[inline(never)]
    pub(super) fn table_scan(&mut self, scan: &TableScan) -> Result<Node> {
        let TableScan {
            table_name,
            source,
            projection,
            projected_schema,
            filters,
            fetch,
            statistics_requests: _,
        } = scan;
        let source_schema = if filters.is_empty() {
            DFSchema::empty()
        } else {
            DFSchema::try_from_qualified_schema(table_name.clone(), &source.schema()).map_err(
                |source| unresolved("schema of the table", table_name).with_source(source),
            )?
        };
        let work_table = self.work_table(table_name, source.table_type());
        let (mut draft, inputs) = match work_table {
            Some(number) => {
                self.outermost_frame = self.outermost_frame.min(number);
                let mut draft = Draft::new(tag::WORK_TABLE);
                draft.encoder.len(self.frames.len() - number);
                draft
                    .encoder
                    .option(projection.as_ref(), |encoder, ordinals| {
                        encoder.seq(ordinals.iter(), |encoder, ordinal| encoder.len(*ordinal));
                    });
                encode_unnamed_schema(&mut draft.encoder, projected_schema);
                (draft, Inputs::new([Arc::new(source_schema)]))
            }
            None => {
                let mut draft = Draft::new(tag::TABLE_SCAN);
                encode_reference(&mut draft.encoder, table_name);
                draft
                    .encoder
                    .seq(projected_schema.fields().iter(), |encoder, field| {
                        encode_field(encoder, field);
                    });
                draft.volatile = self.note_table(table_name)?;
                (draft, Inputs::of_source(Arc::new(source_schema)))
            }
        };
        let inputs = Rc::new(inputs);
        draft.exprs(&self.conditions(filters, Scope::new(&inputs))?);
        draft.encoder.option(*fetch, Encoder::len);
        Ok(draft.finish(projected_schema))
    }

    /// The frame of the recursive query whose work table this is.
    fn work_table(&self, name: &TableReference, table_type: TableType) -> Option<usize> {
        if table_type != TableType::Temporary {
            return None;
        }
        self.frames.iter().rposition(|frame| match frame {
            Frame::WorkTable(work_table) => work_table == name,
            Frame::Outer(_) => false,
        })
    }

    /// Notes a table, and says whether its rows are hidden from every identity: a table function
    /// keeps its arguments, and a table without a name its rows, where no plan shows them.
    fn note_table(&mut self, name: &TableReference) -> Result<bool> {
        let text = name.to_string();
        if is_hidden_table(&text) {
            self.found.opaque.insert(text.clone());
            self.found.volatile.insert(text);
            return Ok(true);
        }
        match self.found.tables.entry(text) {
            Entry::Vacant(entry) => {
                entry.insert(name.clone());
            }
            Entry::Occupied(entry) if entry.get() == name => {}
            Entry::Occupied(entry) => {
                return Err(unresolved("table reference", entry.key())
                    .with_expected("two tables whose references differ as text"));
            }
        }
        Ok(false)
    }

    #[inline(never)]
    pub(super) fn values(&mut self, values: &Values) -> Result<Node> {
        let Values { schema, values } = values;
        let inputs = Rc::new(Inputs::default());
        let mut draft = Draft::new(tag::VALUES);
        encode_unnamed_schema(&mut draft.encoder, schema);
        draft.encoder.len(values.len());
        for row in values {
            draft.exprs(&self.exprs(row, Scope::new(&inputs))?);
        }
        Ok(draft.finish(schema))
    }

    /// A node that the engine does not know: all that it shows, with all names.
    #[inline(never)]
    pub(super) fn extension(&mut self, extension: &Extension) -> Result<Node> {
        let Extension { node } = extension;
        self.found.opaque.insert(node.name().to_owned());
        let mut draft = Draft::new(tag::EXTENSION);
        draft.encoder.str(node.name());
        draft.encoder.str(&Explained(extension).to_string());
        encode_qualified_schema(&mut draft.encoder, node.schema());
        let inputs: Vec<_> = node
            .inputs()
            .into_iter()
            .map(|input| Ok(self.plan(input)?.settled()))
            .collect::<Result<_>>()?;
        draft.encoder.len(inputs.len());
        for input in &inputs {
            encode_qualified_schema(&mut draft.encoder, &input.schema);
            draft.input(input);
        }
        let inputs = Rc::new(Inputs::new(inputs.into_iter().map(|input| input.schema)));
        let exprs = node.expressions();
        let outside = std::mem::replace(&mut self.in_temporary, true);
        let exprs = self.exprs(&exprs, Scope::foreign(&inputs));
        self.in_temporary = outside;
        draft.exprs(&exprs?);
        Ok(draft.finish(node.schema()))
    }

    #[inline(never)]
    pub(super) fn unnest(&mut self, unnest: &Unnest) -> Result<Node> {
        let Unnest {
            input,
            exec_columns,
            list_type_columns,
            struct_type_columns,
            dependency_indices,
            schema,
            options:
                UnnestOptions {
                    null_handling,
                    recursions,
                },
        } = unnest;
        let input = self.plan(input)?.settled();
        let ordinal = |column: &Column| {
            input
                .schema
                .maybe_index_of_column(column)
                .ok_or_else(|| unresolved("column", column))
        };
        let mut draft = Draft::new(tag::UNNEST);
        draft.input(&input);
        encode_unnamed_schema(&mut draft.encoder, schema);
        draft.encoder.len(exec_columns.len());
        for column in exec_columns {
            draft.encoder.len(ordinal(column)?);
        }
        draft.encoder.len(list_type_columns.len());
        for (column, list) in list_type_columns {
            let ColumnUnnestList {
                output_column: _,
                depth,
            } = list;
            draft.encoder.len(*column);
            draft.encoder.len(*depth);
        }
        for ordinals in [struct_type_columns, dependency_indices] {
            draft.encoder.len(ordinals.len());
            for ordinal in ordinals {
                draft.encoder.len(*ordinal);
            }
        }
        draft.encoder.tag(match null_handling {
            NullHandling::Drop => 0,
            NullHandling::Preserve => 1,
            NullHandling::PreserveAndExpandEmpty => 2,
        });
        draft.encoder.len(recursions.len());
        for recursion in recursions {
            let RecursionUnnestOption {
                input_column,
                output_column: _,
                depth,
            } = recursion;
            draft.encoder.len(ordinal(input_column)?);
            draft.encoder.len(*depth);
        }
        Ok(draft.finish(schema))
    }

    #[inline(never)]
    pub(super) fn recursive_query(&mut self, query: &RecursiveQuery) -> Result<Node> {
        let RecursiveQuery {
            name,
            static_term,
            recursive_term,
            is_distinct,
            schema,
        } = query;
        let static_term = self.plan(static_term)?.settled();
        let work_table = TableReference::from(name.as_str());
        self.frames.push(Frame::WorkTable(work_table));
        let recursive_term = self.plan(recursive_term);
        self.frames.pop();
        let mut draft = Draft::new(tag::RECURSIVE_QUERY);
        draft.encoder.bool(*is_distinct);
        encode_unnamed_schema(&mut draft.encoder, schema);
        draft.input(&static_term);
        draft.input(&recursive_term?.settled());
        Ok(draft.finish(schema))
    }
}

pub(super) fn empty_relation(empty: &EmptyRelation) -> Node {
    let EmptyRelation {
        produce_one_row,
        schema,
    } = empty;
    let mut draft = Draft::new(tag::EMPTY_RELATION);
    draft.encoder.bool(*produce_one_row);
    encode_unnamed_schema(&mut draft.encoder, schema);
    draft.finish(schema)
}

/// The planner names a call of a table function after the function, with empty parentheses.
fn is_hidden_table(name: &str) -> bool {
    name == UNNAMED_TABLE || name.ends_with("()")
}

//! The canonical walk: one digest per plan node and expression, each made of its tag, its fields
//! and the digests of its children.
//!
//! `docs/specs/fingerprint.md` is the normative description. The walk visits a shared subtree
//! once, takes time linear in the size of the plan, and grows its stack on the heap where a plan
//! is deep.

mod call;
mod case;
mod class;
mod columns;
mod expr;
mod functions;
mod grouping;
mod join;
mod layout;
mod name;
mod operator;
mod plan;
mod scalar;
mod source;
mod tag;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use codeanatomy_schema::{encode_data_type, encode_field};
use codeanatomy_vocab::{Encoder, Fingerprint, Result};
use datafusion_common::arrow::datatypes::Field;
use datafusion_common::{DFSchema, DFSchemaRef, TableReference};
use datafusion_expr::LogicalPlan;

use self::columns::Inputs;
use self::layout::Layout;
use crate::Determinism;

/// What a walk found besides the digest.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Tables by the text of their reference; no tables that a recursive query makes for itself.
    pub(crate) tables: BTreeMap<String, TableReference>,
    /// Functions of every kind, by name.
    pub(crate) functions: BTreeSet<String>,
    /// Functions and variables whose value is not a function of the inputs.
    pub(crate) volatile: BTreeSet<String>,
    /// Nodes whose inside the engine does not show.
    pub(crate) opaque: BTreeSet<String>,
}

/// The state of one walk.
#[derive(Debug)]
pub(crate) struct Walker<'p> {
    /// The plan that is walked.
    root: &'p LogicalPlan,
    pub(crate) found: Found,
    /// What the names inside the current plan may refer to, outermost first.
    frames: Vec<Frame>,
    /// The outermost frame that something in the current node referred to.
    outermost_frame: usize,
    /// Nodes that refer to no frame around them, by address. The addresses stay valid because the
    /// plan is borrowed for the whole walk.
    closed: HashMap<usize, Node>,
    /// Inside values that die before the walk ends, whose addresses may come again.
    in_temporary: bool,
    /// Whether nothing in the plan depends on the order in which rows arrive, once somebody asked.
    order_free: Option<bool>,
}

/// The digest of a plan node.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) digest: Fingerprint,
    pub(crate) schema: DFSchemaRef,
    /// Whether two runs of it over the same rows may differ.
    pub(crate) volatile: bool,
    /// Where the columns of the schema are in what the digest stands for.
    layout: Layout,
}

/// Something around a plan that it may refer to.
#[derive(Debug)]
enum Frame {
    /// The inputs of an outer query's node.
    Outer(Rc<Inputs>),
    /// The work table of a recursive query, by its name.
    WorkTable(TableReference),
}

/// Walks a plan. The digest in the answer covers no names of the root's columns.
pub(crate) fn walk(plan: &LogicalPlan) -> Result<(Node, Found)> {
    let mut walker = Walker {
        root: plan,
        found: Found::default(),
        frames: Vec::new(),
        outermost_frame: usize::MAX,
        closed: HashMap::new(),
        in_temporary: false,
        order_free: None,
    };
    let node = walker.plan(plan)?.settled();
    Ok((node, walker.found))
}

impl Walker<'_> {
    fn is_order_free(&mut self) -> bool {
        let root = self.root;
        *self
            .order_free
            .get_or_insert_with(|| crate::determinism(root).0 <= Determinism::D1)
    }
}

/// Writes a table reference part by part: a dot in a name is no separator.
fn encode_reference(encoder: &mut Encoder, reference: &TableReference) {
    match reference {
        TableReference::Bare { table } => {
            encoder.tag(1);
            encoder.str(table);
        }
        TableReference::Partial { schema, table } => {
            encoder.tag(2);
            encoder.str(schema);
            encoder.str(table);
        }
        TableReference::Full {
            catalog,
            schema,
            table,
        } => {
            encoder.tag(3);
            encoder.str(catalog);
            encoder.str(schema);
            encoder.str(table);
        }
    }
}

/// Writes sorted metadata.
fn encode_metadata<'m>(
    encoder: &mut Encoder,
    metadata: impl ExactSizeIterator<Item = (&'m String, &'m String)>,
) {
    encoder.seq(metadata, |encoder, (key, value)| {
        encoder.str(key);
        encoder.str(value);
    });
}

/// Writes all of a field but its name.
fn encode_unnamed_field(encoder: &mut Encoder, field: &Field) {
    encoder.bool(field.is_nullable());
    encoder.bool(field.dict_is_ordered() == Some(true));
    let metadata: BTreeMap<&String, &String> = field.metadata().iter().collect();
    encode_metadata(encoder, metadata.into_iter());
    encode_data_type(encoder, field.data_type());
}

/// Writes the types of a schema without any name.
fn encode_unnamed_schema(encoder: &mut Encoder, schema: &DFSchema) {
    encoder.seq(schema.fields().iter(), |encoder, field| {
        encode_unnamed_field(encoder, field);
    });
}

/// Writes a schema with the qualifiers and names of its fields.
fn encode_qualified_schema(encoder: &mut Encoder, schema: &DFSchema) {
    encoder.len(schema.fields().len());
    for (qualifier, field) in schema.iter() {
        encoder.option(qualifier, encode_reference);
        encode_field(encoder, field);
    }
}

//! OpenLineage's column-lineage facet, version 1-2-0, as values.
//!
//! A facet hangs under `facets.columnLineage` of an output dataset of a run event. Sending events is
//! not the business of this crate.
//!
//! # Example: what does a catalog get to see?
//!
//! ```
//! use codeanatomy_lineage::openlineage::{ColumnLineageFacet, DatasetName};
//! use codeanatomy_lineage::column_lineage;
//! # use datafusion_common::arrow::datatypes::{DataType, Field, Schema};
//! # use datafusion_expr::logical_plan::table_scan;
//!
//! let schema = Schema::new(vec![Field::new("id", DataType::Int64, false)]);
//! let plan = table_scan(Some("orders"), &schema, None)?.build()?;
//! let facet = ColumnLineageFacet::new(&column_lineage(&plan), "https://example.org/demo", |table| DatasetName {
//!     namespace: "file".to_owned(),
//!     name: format!("/lake/{table}"),
//! });
//! let json = serde_json::to_value(&facet)?;
//! assert_eq!(json["fields"]["id"]["inputFields"][0]["name"], "/lake/orders");
//! assert_eq!(json["fields"]["id"]["inputFields"][0]["transformations"][0]["subtype"], "IDENTITY");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    ColumnEdge, ColumnLineage, ColumnRef, EdgeKinds, LineageGraph, PlanNode, SourceColumn,
};

/// Where the schema of the facet is published.
pub const SCHEMA_URL: &str = "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet";

/// The facet of one output dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ColumnLineageFacet {
    /// Who made the facet, as a URI.
    #[serde(rename = "_producer")]
    pub producer: String,
    /// The schema that the facet follows.
    #[serde(rename = "_schemaURL")]
    pub schema_url: &'static str,
    /// The columns of the output, each with what its values depend on.
    pub fields: BTreeMap<String, OutputField>,
    /// What the rows of the output, and with them all its columns, depend on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub dataset: Vec<InputField>,
}

/// What a column of the output depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputField {
    /// The columns of inputs, sorted; none for a constant.
    pub input_fields: Vec<InputField>,
}

/// A column of an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InputField {
    /// Where the dataset lives.
    pub namespace: String,
    /// What the dataset is called there.
    pub name: String,
    /// The column.
    pub field: String,
    /// In which ways it is used.
    pub transformations: Vec<Transformation>,
}

/// One way in which a column is used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Transformation {
    /// `DIRECT` or `INDIRECT`.
    pub r#type: &'static str,
    /// The kind of the edge, for example `GROUP_BY`.
    pub subtype: &'static str,
    /// The plan node that uses it so; empty where the way goes through several plans.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Whether the value is hidden on the way. No plan says that; always false.
    pub masking: bool,
}

/// A dataset as OpenLineage names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DatasetName {
    /// Where the dataset lives, for example `s3://bucket` or `file`.
    pub namespace: String,
    /// What it is called there.
    pub name: String,
}

impl ColumnLineageFacet {
    /// The facet of an output with this lineage. `producer` is the URI of the program; `dataset`
    /// gives the name of a table of the plan, which must hold no secret.
    ///
    /// Columns of one name share an entry. That a column depends on the number of a table's rows
    /// has no place in the facet.
    pub fn new(
        lineage: &ColumnLineage,
        producer: impl Into<String>,
        dataset: impl Fn(&str) -> DatasetName,
    ) -> Self {
        let mut fields: BTreeMap<String, Vec<&ColumnEdge>> = BTreeMap::new();
        for column in &lineage.columns {
            fields
                .entry(column.name.clone())
                .or_default()
                .extend(&column.edges);
        }
        let inputs = |edges: Vec<&ColumnEdge>| input_fields(&edges, &lineage.nodes, &dataset);
        Self {
            producer: producer.into(),
            schema_url: SCHEMA_URL,
            fields: fields
                .into_iter()
                .map(|(name, edges)| {
                    let input_fields = inputs(edges);
                    (name, OutputField { input_fields })
                })
                .collect(),
            dataset: inputs(lineage.rows.edges.iter().collect()),
        }
    }
}

impl ColumnLineageFacet {
    /// The facet of a view's output, with views of `graph` that it reads looked through. A table that
    /// is no view of `graph` is a dataset. `None` if there is no such view.
    pub fn composed(
        graph: &LineageGraph,
        view: &str,
        producer: impl Into<String>,
        dataset: impl Fn(&str) -> DatasetName,
    ) -> Option<Self> {
        let lineage = graph.lineage(view)?;
        let mut fields = BTreeMap::new();
        let mut rows = Vec::new();
        for column in &lineage.columns {
            let sources = graph.upstream(view, &column.name)?;
            // What concerns the rows is the same for all columns.
            rows = composed_fields(&sources, |source| source.rows, &dataset);
            let input_fields = composed_fields(&sources, |source| source.value, &dataset);
            fields.insert(column.name.clone(), OutputField { input_fields });
        }
        Some(Self {
            producer: producer.into(),
            schema_url: SCHEMA_URL,
            fields,
            dataset: rows,
        })
    }
}

fn composed_fields(
    sources: &[SourceColumn],
    kinds: impl Fn(&SourceColumn) -> EdgeKinds,
    dataset: &impl Fn(&str) -> DatasetName,
) -> Vec<InputField> {
    let used = sources.iter().filter(|source| !kinds(source).is_empty());
    let fields = used.map(|source| {
        let DatasetName { namespace, name } = dataset(&source.source.table);
        let transformations = kinds(source).iter().map(|kind| Transformation {
            r#type: kind.class(),
            subtype: kind.as_str(),
            description: String::new(),
            masking: false,
        });
        InputField {
            namespace,
            name,
            field: source.source.column.to_string(),
            transformations: transformations.collect(),
        }
    });
    fields.collect()
}

fn input_fields(
    edges: &[&ColumnEdge],
    nodes: &[PlanNode],
    dataset: &impl Fn(&str) -> DatasetName,
) -> Vec<InputField> {
    let mut by_source: BTreeMap<&ColumnRef, Vec<Transformation>> = BTreeMap::new();
    for edge in edges {
        let node = nodes.get(edge.node);
        by_source
            .entry(&edge.source)
            .or_default()
            .push(Transformation {
                r#type: edge.kind.class(),
                subtype: edge.kind.as_str(),
                description: node.map(ToString::to_string).unwrap_or_default(),
                masking: false,
            });
    }
    by_source
        .into_iter()
        .map(|(source, mut transformations)| {
            transformations.sort_unstable();
            transformations.dedup();
            let DatasetName { namespace, name } = dataset(&source.table);
            InputField {
                namespace,
                name,
                field: source.column.to_string(),
                transformations,
            }
        })
        .collect()
}

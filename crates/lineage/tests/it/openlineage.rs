//! What a catalog is sent.

use codeanatomy_lineage::openlineage::{ColumnLineageFacet, DatasetName, SCHEMA_URL};
use codeanatomy_lineage::{ColumnLineage, column_lineage};
use serde_json::{Value, json};

use crate::support::session;
use crate::tpch;

fn facet(lineage: &ColumnLineage) -> Value {
    let dataset = |table: &str| DatasetName {
        namespace: "file".to_owned(),
        name: format!("/lake/{table}"),
    };
    let facet = ColumnLineageFacet::new(lineage, "https://example.org/codeanatomy/0.1", dataset);
    serde_json::to_value(&facet).unwrap()
}

/// What the published schema of the facet (1-2-0) asks for, and of every dataset facet: in our words,
/// and stricter, for it also refuses keys that the schema does not know.
fn schema() -> Value {
    let transformation = json!({
        "type": "object",
        "required": ["type"],
        "properties": {
            "type": {"enum": ["DIRECT", "INDIRECT"]},
            "subtype": {"type": "string"},
            "description": {"type": "string"},
            "masking": {"type": "boolean"},
        },
        "additionalProperties": false,
    });
    let input = json!({
        "type": "object",
        "required": ["namespace", "name", "field"],
        "properties": {
            "namespace": {"type": "string"},
            "name": {"type": "string"},
            "field": {"type": "string"},
            "transformations": {"type": "array", "items": transformation},
        },
        "additionalProperties": false,
    });
    let output = json!({
        "type": "object",
        "required": ["inputFields"],
        "properties": {"inputFields": {"type": "array", "items": input}},
        "additionalProperties": false,
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["_producer", "_schemaURL", "fields"],
        "properties": {
            "_producer": {"type": "string", "format": "uri"},
            "_schemaURL": {"const": SCHEMA_URL},
            "fields": {"type": "object", "additionalProperties": output},
            "dataset": {"type": "array", "items": input},
        },
        "additionalProperties": false,
    })
}

#[tokio::test]
async fn direct_and_indirect_edges_stand_where_openlineage_wants_them() {
    let sql = "SELECT customer, sum(price) AS total FROM orders WHERE day > 3 GROUP BY customer";
    let plan = session().state().create_logical_plan(sql).await.unwrap();
    let facet = facet(&column_lineage(&plan));
    assert_eq!(
        facet["fields"]["customer"]["inputFields"],
        json!([{
            "namespace": "file",
            "name": "/lake/orders",
            "field": "customer",
            "transformations": [
                {"type": "DIRECT", "subtype": "IDENTITY", "description": "TableScan: orders", "masking": false}
            ],
        }])
    );
    let kinds = |fields: &Value| {
        let fields = fields.as_array().unwrap().iter();
        let kinds = fields.map(|field| {
            let kinds = field["transformations"].as_array().unwrap().iter();
            let kinds: Vec<&str> = kinds
                .map(|kind| kind["subtype"].as_str().unwrap())
                .collect();
            format!("{} {}", field["field"].as_str().unwrap(), kinds.join("+"))
        });
        kinds.collect::<Vec<_>>()
    };
    assert_eq!(
        kinds(&facet["fields"]["total"]["inputFields"]),
        ["day FILTER", "price AGGREGATION"]
    );
    assert_eq!(
        kinds(&facet["dataset"]),
        ["customer GROUP_BY", "day FILTER"]
    );
}

#[tokio::test]
async fn the_facets_of_all_tpch_queries_follow_the_schema() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for (name, lineage) in tpch::lineages(false).await {
        let facet = facet(&lineage);
        let errors: Vec<String> = validator
            .iter_errors(&facet)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        assert!(!facet["fields"].as_object().unwrap().is_empty());
    }
}

//! Runs as OpenLineage tells of them: an event when a view begins, and one when its fate is known.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};
use codeanatomy_lineage::openlineage::{ColumnLineageFacet, DatasetName};
use codeanatomy_lineage::{LineageGraph, column_lineage};
use codeanatomy_obs::{Outcome, RunEvent};
use codeanatomy_vocab::{Clock, RunId, SafeUrl, UnixMillis, ViewName};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use serde_json::{Map, Value, json};

use crate::decide::stored_upstream;
use crate::{BoundViews, PlannedView};

/// The program, as events name it.
const PRODUCER: &str = concat!(
    "https://github.com/codeanatomy/codeanatomy/tree/v",
    env!("CARGO_PKG_VERSION")
);

/// The schema of an event.
const EVENT_SCHEMA: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";

/// The events of one run, one view a job.
///
/// Only views that are stored are jobs: they read datasets and outputs of other views, through
/// views that are not stored, and write an output. A view that is skipped tells nothing.
#[derive(Debug)]
pub struct OpenLineageEvents {
    namespace: String,
    parent: Value,
    views: BTreeMap<ViewName, Job>,
}

/// What is known of a view before it runs.
#[derive(Debug)]
struct Job {
    run_id: RunId,
    sql: String,
    inputs: Vec<Value>,
    output: Map<String, Value>,
}

impl OpenLineageEvents {
    /// Prepares the events of the run `run_id` of the project of this name.
    pub fn new(
        bound: &BoundViews,
        namespace: &str,
        project: &str,
        run_id: &RunId,
        clock: &dyn Clock,
    ) -> Self {
        let planned = bound.planned();
        let stored = planned.iter().filter(|view| view.is_stored());
        let views = stored
            .map(|view| (view.name().clone(), Job::new(bound, view, clock)))
            .collect();
        Self {
            namespace: namespace.to_owned(),
            parent: facet(
                "facets/1-0-1/ParentRunFacet",
                json!({
                    "run": { "runId": run_id.as_str() },
                    "job": { "namespace": namespace, "name": project },
                }),
            ),
            views,
        }
    }

    /// The event that tells of `event`, if one does.
    pub fn event(&self, event: &RunEvent, now: UnixMillis) -> Option<Value> {
        match event {
            RunEvent::ViewStarted { view } => self.of(view, "START", now, None, None),
            RunEvent::ViewFinished {
                view,
                outcome,
                rows,
                delta_version,
                detail,
                elapsed_ms,
            } => match outcome {
                Outcome::Built => {
                    let written = rows.zip(*delta_version);
                    self.of(view, "COMPLETE", now, None, written)
                }
                Outcome::Failed => {
                    let message = detail.as_deref().unwrap_or("the view failed");
                    self.of(view, "FAIL", now, Some(message), None)
                }
                // One that was stopped had started.
                Outcome::Blocked if *elapsed_ms > 0 => self.of(view, "ABORT", now, None, None),
                Outcome::Blocked | Outcome::Skipped | Outcome::Reused => None,
            },
            _ => None,
        }
    }

    fn of(
        &self,
        view: &ViewName,
        kind: &str,
        now: UnixMillis,
        failure: Option<&str>,
        written: Option<(u64, u64)>,
    ) -> Option<Value> {
        let job = self.views.get(view)?;
        let mut run_facets = json!({
            "parent": self.parent,
            "processing_engine": facet(
                "facets/1-1-1/ProcessingEngineRunFacet",
                json!({
                    "version": codeanatomy_session::Session::engine_version(),
                    "name": "datafusion",
                }),
            ),
        });
        if let Some(message) = failure {
            run_facets["errorMessage"] = facet(
                "facets/1-0-1/ErrorMessageRunFacet",
                json!({ "message": message, "programmingLanguage": "SQL" }),
            );
        }
        let mut output = job.output.clone();
        if let Some((rows, version)) = written {
            if let Some(facets) = output.get_mut("facets") {
                facets["version"] = facet(
                    "facets/1-0-1/DatasetVersionDatasetFacet",
                    json!({ "datasetVersion": version.to_string() }),
                );
            }
            let statistics = facet(
                "facets/1-0-2/OutputStatisticsOutputDatasetFacet",
                json!({ "rowCount": rows }),
            );
            let facets = json!({ "outputStatistics": statistics });
            output.insert("outputFacets".to_owned(), facets);
        }
        Some(json!({
            "eventType": kind,
            "eventTime": time(now),
            "producer": PRODUCER,
            "schemaURL": EVENT_SCHEMA,
            "run": { "runId": job.run_id.as_str(), "facets": run_facets },
            "job": {
                "namespace": self.namespace,
                "name": view.as_str(),
                "facets": {
                    "sql": facet("facets/1-0-1/SQLJobFacet", json!({ "query": job.sql })),
                    "jobType": facet(
                        "facets/2-0-3/JobTypeJobFacet",
                        json!({
                            "processingType": "BATCH",
                            "integration": "CODEANATOMY",
                            "jobType": "VIEW",
                        }),
                    ),
                },
            },
            "inputs": job.inputs,
            "outputs": [output],
        }))
    }
}

impl Job {
    fn new(bound: &BoundViews, view: &PlannedView, clock: &dyn Clock) -> Self {
        let planned = bound.planned();
        let ephemeral = ephemeral_upstream(bound, view);
        let mut datasets: BTreeSet<&str> = BTreeSet::new();
        for view in ephemeral.iter().copied().chain([view]) {
            datasets.extend(view.datasets().iter().map(AsRef::as_ref));
        }
        let mut inputs: BTreeMap<DatasetName, Schema> = BTreeMap::new();
        for &name in &datasets {
            if let Some(schema) = bound.dataset_schema(name) {
                inputs.insert(name_of(bound, name), schema.as_ref().clone());
            }
        }
        for name in stored_upstream(view, planned) {
            if let Ok(upstream) = planned.view(name) {
                let schema = upstream.schema().as_ref().clone();
                inputs.insert(name_of(bound, name.as_str()), schema);
            }
        }
        let lineages = ephemeral
            .iter()
            .copied()
            .chain([view])
            .map(|view| (view.name().to_string(), column_lineage(view.analyzed())));
        let graph = LineageGraph::compose(lineages.collect::<Vec<_>>());
        let column_lineage =
            ColumnLineageFacet::composed(&graph, view.name().as_str(), PRODUCER, |table| {
                name_of(bound, table)
            });
        let mut facets = json!({ "schema": schema_facet(view.schema()) });
        if let Ok(lineage) = serde_json::to_value(&column_lineage)
            && column_lineage.is_some()
        {
            facets["columnLineage"] = lineage;
        }
        let DatasetName { namespace, name } = name_of(bound, view.name().as_str());
        let mut output = Map::new();
        output.insert("namespace".to_owned(), namespace.into());
        output.insert("name".to_owned(), name.into());
        output.insert("facets".to_owned(), facets);
        Self {
            run_id: RunId::generate(clock.now()),
            sql: view.definition().spec.sql().to_string(),
            inputs: inputs
                .into_iter()
                .map(|(DatasetName { namespace, name }, schema)| {
                    json!({
                        "namespace": namespace,
                        "name": name,
                        "facets": { "schema": schema_facet(&schema) },
                    })
                })
                .collect(),
            output,
        }
    }
}

/// The views that are not stored and that `view` reads, directly or through others.
fn ephemeral_upstream<'a>(bound: &'a BoundViews, view: &'a PlannedView) -> Vec<&'a PlannedView> {
    let planned = bound.planned();
    let mut found: BTreeMap<&ViewName, &PlannedView> = BTreeMap::new();
    let mut open: Vec<&ViewName> = view.upstream().iter().collect();
    while let Some(name) = open.pop() {
        if let Ok(upstream) = planned.view(name)
            && !upstream.is_stored()
            && found.insert(upstream.name(), upstream).is_none()
        {
            open.extend(upstream.upstream());
        }
    }
    found.into_values().collect()
}

/// What OpenLineage calls a dataset or the output of a view: by its place.
fn name_of(bound: &BoundViews, table: &str) -> DatasetName {
    let place = bound.place_of(table).unwrap_or_else(|| table.to_owned());
    match place.parse::<SafeUrl>() {
        // A path on Windows begins like a URL of one letter.
        Ok(url) if place.contains("://") && url.expose().scheme() != "file" => {
            let url = url.expose();
            let host = url.host_str().unwrap_or_default();
            let port = url
                .port()
                .map(|port| format!(":{port}"))
                .unwrap_or_default();
            DatasetName {
                namespace: format!("{}://{host}{port}", url.scheme()),
                name: url.path().trim_matches('/').to_owned(),
            }
        }
        _ => DatasetName {
            namespace: "file".to_owned(),
            name: place.trim_start_matches("file://").to_owned(),
        },
    }
}

fn facet(schema: &str, mut content: Value) -> Value {
    let name = schema.rsplit('/').next().unwrap_or_default();
    content["_producer"] = PRODUCER.into();
    content["_schemaURL"] =
        format!("https://openlineage.io/spec/{schema}.json#/$defs/{name}").into();
    content
}

fn schema_facet(schema: &Schema) -> Value {
    let fields: Vec<Value> = schema.fields().iter().map(|it| field(it)).collect();
    facet(
        "facets/1-1-1/SchemaDatasetFacet",
        json!({ "fields": fields }),
    )
}

/// A column, with its fields where it has some.
fn field(field_of: &Field) -> Value {
    let mut told = json!({
        "name": field_of.name(),
        "type": field_of.data_type().to_string(),
    });
    if let DataType::Struct(fields) = field_of.data_type() {
        told["fields"] = fields.iter().map(|it| field(it)).collect();
    }
    told
}

fn time(UnixMillis(millis): UnixMillis) -> String {
    let time: DateTime<Utc> = DateTime::from_timestamp_millis(millis).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

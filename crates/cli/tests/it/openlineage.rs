//! What a catalog is told of a run.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};

use crate::project::Project;

/// What the published schemas of a run event (2-0-2) and of its facets ask for, in our words, and
/// stricter: keys that they do not know are refused.
fn schema() -> Value {
    let facet = |properties: Value, required: &[&str]| {
        let mut all = json!({
            "_producer": {"type": "string", "format": "uri", "pattern": "^https://"},
            "_schemaURL": {
                "type": "string",
                "pattern": r"^https://openlineage\.io/spec/facets/\d+-\d+-\d+/(\w+)\.json#/\$defs/\w+$",
            },
        });
        let more = properties.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(more);
        let required: Vec<&str> = ["_producer", "_schemaURL"]
            .iter()
            .chain(required)
            .copied()
            .collect();
        json!({"type": "object", "properties": all, "required": required, "additionalProperties": false})
    };
    let object = |properties: Value, required: &[&str]| json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
    let text = json!({"type": "string", "minLength": 1});
    let uuid = json!({"type": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"});
    let job_name = json!({"namespace": text, "name": text});
    let input_field = object(
        json!({
            "namespace": text, "name": text, "field": text,
            "transformations": {"type": "array", "minItems": 1, "items": object(
                json!({
                    "type": {"enum": ["DIRECT", "INDIRECT"]},
                    "subtype": text, "description": text, "masking": {"type": "boolean"},
                }),
                &["type"],
            )},
        }),
        &["namespace", "name", "field"],
    );
    let columns = facet(
        json!({
            "fields": {"type": "object", "additionalProperties": object(
                json!({"inputFields": {"type": "array", "items": input_field}}), &["inputFields"],
            )},
            "dataset": {"type": "array", "items": input_field},
        }),
        &["fields"],
    );
    let fields = facet(
        json!({"fields": {"type": "array", "items": object(
            json!({"name": text, "type": text, "fields": {"type": "array"}}), &["name"],
        )}}),
        &["fields"],
    );
    let dataset = |more: Value| {
        let mut properties = json!({
            "namespace": text, "name": text,
            "facets": object(json!({
                "schema": fields,
                "columnLineage": columns,
                "version": facet(json!({"datasetVersion": text}), &["datasetVersion"]),
            }), &["schema"]),
        });
        properties
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        object(properties, &["namespace", "name"])
    };
    let counts = facet(json!({"rowCount": {"type": "integer", "minimum": 0}}), &[]);
    object(
        json!({
            "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
            "eventTime": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"},
            "producer": {"type": "string", "pattern": "^https://"},
            "schemaURL": {"const": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"},
            "run": object(json!({"runId": uuid, "facets": object(json!({
                "parent": facet(json!({
                    "run": object(json!({"runId": uuid}), &["runId"]),
                    "job": object(job_name.clone(), &["namespace", "name"]),
                }), &["run", "job"]),
                "processing_engine": facet(json!({"version": text, "name": text}), &["version"]),
                "errorMessage": facet(
                    json!({"message": text, "programmingLanguage": text}),
                    &["message", "programmingLanguage"],
                ),
            }), &[])}), &["runId"]),
            "job": object(json!({"namespace": text, "name": text, "facets": object(json!({
                "sql": facet(json!({"query": text}), &["query"]),
                "jobType": facet(
                    json!({"processingType": text, "integration": text, "jobType": text}),
                    &["processingType", "integration"],
                ),
            }), &[])}), &["namespace", "name"]),
            "inputs": {"type": "array", "items": dataset(json!({}))},
            "outputs": {"type": "array", "items": dataset(json!({
                "outputFacets": object(json!({"outputStatistics": counts}), &[]),
            }))},
        }),
        &["eventTime", "producer", "schemaURL", "run", "job"],
    )
}

fn check(events: &[Value]) {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    for event in events {
        let problems: Vec<String> = validator
            .iter_errors(event)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(problems.is_empty(), "{problems:#?}\n{event:#}");
    }
    match std::env::var_os("OPENLINEAGE_SPEC") {
        Some(folder) => check_with_published(events, Path::new(&folder)),
        None => eprintln!(
            "not held against the published schemas: set OPENLINEAGE_SPEC to the folder `spec` of \
             a clone of OpenLineage"
        ),
    }
}

/// The published schemas, at whatever version the folder has.
struct Published(PathBuf);

impl jsonschema::Retrieve for Published {
    fn retrieve(
        &self,
        uri: &jsonschema::Uri<String>,
    ) -> Result<Value, Box<dyn std::error::Error + Send + Sync>> {
        let path = uri.path().as_str();
        let file = path.rsplit('/').next().unwrap_or(path);
        let folder = match path.contains("/facets/") {
            true => self.0.join("facets"),
            false => self.0.clone(),
        };
        Ok(serde_json::from_slice(&std::fs::read(folder.join(file))?)?)
    }
}

/// Holds events, and every facet in them, against the schemas that they name themselves.
fn check_with_published(events: &[Value], folder: &Path) {
    let holds = |url: &str, value: &Value| {
        let validator = jsonschema::options()
            .with_retriever(Published(folder.to_owned()))
            .build(&json!({ "$ref": url }))
            .unwrap_or_else(|error| panic!("{url}: {error}"));
        let problems: Vec<String> = validator
            .iter_errors(value)
            .map(|e| e.to_string())
            .collect();
        assert!(problems.is_empty(), "{url}: {problems:#?}\n{value:#}");
    };
    let mut n_facets = 0;
    for event in events {
        holds(event["schemaURL"].as_str().unwrap(), event);
        let mut open = vec![event];
        while let Some(value) = open.pop() {
            if let Some(url) = value.get("_schemaURL").and_then(Value::as_str) {
                holds(url, value);
                n_facets += 1;
            }
            match value {
                Value::Object(entries) => open.extend(entries.values()),
                Value::Array(items) => open.extend(items),
                _ => {}
            }
        }
    }
    assert!(n_facets > 0);
}

/// `TYPE job` of each event.
fn told(events: &[Value]) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    events
        .iter()
        .map(|event| {
            format!(
                "{} {}",
                text(&event["eventType"]),
                text(&event["job"]["name"])
            )
        })
        .collect()
}

fn project() -> Project {
    Project::new()
        .with("views/paid.sql", "select * from orders where amount > 2\n")
        .with("views/paid.toml", "")
        .with(
            "views/by_region.sql",
            "select region, sum(amount) as total from paid group by region\n",
        )
}

fn events_in(project: &Project, file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(project.path(file)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn a_build_tells_what_it_read_and_wrote_and_where_columns_come_from() {
    let project = project();
    project.write(
        "codeanatomy.toml",
        "[project]\nname = \"shop\"\n[datasets.orders]\nlocation = \"orders.csv\"\n\
         [openlineage]\nfile = \"told/events.jsonl\"\n",
    );
    let (_, document) = project.json(&["build"]);
    let events = events_in(&project, "told/events.jsonl");
    check(&events);
    assert_eq!(told(&events), ["START by_region", "COMPLETE by_region"]);
    let (start, complete) = (&events[0], &events[1]);
    assert_eq!(start["run"]["runId"], complete["run"]["runId"]);
    assert_eq!(
        complete["run"]["facets"]["parent"]["run"]["runId"],
        document["run_id"]
    );
    assert_eq!(complete["job"]["namespace"], "shop");
    let orders = std::fs::canonicalize(project.path("orders.csv")).unwrap();
    let orders = orders.to_str().unwrap();
    assert_eq!(complete["inputs"][0]["name"], orders);
    assert_eq!(complete["inputs"].as_array().unwrap().len(), 1);
    let output = &complete["outputs"][0];
    assert!(output["name"].as_str().unwrap().ends_with("/out/by_region"));
    assert_eq!(
        output["outputFacets"]["outputStatistics"]["rowCount"],
        json!(2)
    );
    // Through the view that is not stored, to the file.
    let total = &output["facets"]["columnLineage"]["fields"]["total"]["inputFields"][0];
    assert_eq!(
        (&total["name"], &total["field"]),
        (&json!(orders), &json!("amount"))
    );
    assert_eq!(total["transformations"][0]["subtype"], "AGGREGATION");

    // A view that is skipped does not run. One that fails says so, in the same file.
    assert_eq!(project.run(&["build", "-q"]).code, 0);
    project.write(
        "views/by_region.sql",
        "select region, 1 / (id - id) as total from paid\n",
    );
    assert_eq!(project.run(&["build", "-q"]).code, 6);
    let events = events_in(&project, "told/events.jsonl");
    check(&events);
    assert_eq!(told(&events)[2..], ["START by_region", "FAIL by_region"]);
    assert!(events[3]["run"]["facets"]["errorMessage"]["message"].is_string());
}

#[test]
fn events_go_to_an_endpoint_with_its_key_and_in_order() {
    let project = project();
    let (url, requests) = receiver("HTTP/1.1 201 Created");
    project.write(
        "codeanatomy.toml",
        "[datasets.orders]\nlocation = \"orders.csv\"\n\
         [openlineage]\nurl = \"http://elsewhere.invalid\"\nnamespace = \"ours\"\n\
         api_key = { file = \"key.txt\" }\n",
    );
    project.write("key.txt", "s3cret\n");
    // A flag wins over the file.
    let ran = project.run(&["build", "-q", "--openlineage", &url]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    let requests: Vec<(String, String, Value)> = requests.try_iter().collect();
    let events: Vec<Value> = requests.iter().map(|(_, _, event)| event.clone()).collect();
    check(&events);
    assert_eq!(told(&events), ["START by_region", "COMPLETE by_region"]);
    for (line, key, event) in &requests {
        assert_eq!(line, "POST /api/v1/lineage HTTP/1.1");
        assert_eq!(key, "Bearer s3cret");
        assert_eq!(event["job"]["namespace"], "ours");
    }
    let log = project.path(".codeanatomy");
    for file in crate::project::files_below(&log) {
        let bytes = std::fs::read(log.join(&file)).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        assert!(!text.contains("s3cret"), "{}", file.display());
    }
}

#[test]
fn an_endpoint_that_is_away_or_unwilling_is_a_warning_and_no_failure() {
    let project = project();
    let unwilling = receiver("HTTP/1.1 503 Service Unavailable").0;
    // A port that was just free.
    let away = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for url in [unwilling, format!("http://{away}")] {
        let ran = project.run_with(("OPENLINEAGE_URL", &url), &["build", "--force", "-q"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stderr.contains("CA-EXEC-0043"), "{}", ran.stderr);
    }
    let off = project.run_with(
        ("OPENLINEAGE_DISABLED", "true"),
        &["build", "--force", "-q"],
    );
    assert_eq!((off.code, off.stderr.as_str()), (0, ""));
    let wrong = project.run(&["build", "-q", "--openlineage", "ftp://catalog"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("CA-EXEC-0042"), "{}", wrong.stderr);
}

/// A server on this machine that answers every request with a status and hands it on: the first line,
/// the key, and the body.
fn receiver(status: &'static str) -> (String, Receiver<(String, String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (sender, requests) = channel();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let Ok(mut connection) = connection else {
                continue;
            };
            let mut reader = BufReader::new(connection.try_clone().unwrap());
            loop {
                let mut first = String::new();
                if reader.read_line(&mut first).unwrap_or(0) == 0 {
                    break;
                }
                let (mut length, mut key) = (0, String::new());
                loop {
                    let mut header = String::new();
                    reader.read_line(&mut header).unwrap();
                    let Some((name, value)) = header.trim().split_once(": ") else {
                        break;
                    };
                    match name.to_ascii_lowercase().as_str() {
                        "content-length" => length = value.parse().unwrap(),
                        "authorization" => key = value.to_owned(),
                        _ => {}
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let event = serde_json::from_slice(&body).unwrap();
                let _ = sender.send((first.trim().to_owned(), key, event));
                let answer = format!("{status}\r\ncontent-length: 0\r\n\r\n");
                connection.write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    (url, requests)
}

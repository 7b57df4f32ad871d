//! `codeanatomy delta`: looking at tables and after them.

mod changes;
mod maintenance;
mod tables;

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::project::Project;

/// A project whose view `by_region` was built from three states of its dataset.
fn built() -> Project {
    let project = Project::new();
    for n in 0..3 {
        project.write(
            "orders.csv",
            format!("id,region,amount\n1,north,{n}\n2,south,5\n"),
        );
        project.build(&[]);
    }
    project
}

fn log_file(project: &Project, version: u64) -> PathBuf {
    project.path(&format!("out/by_region/_delta_log/{version:020}.json"))
}

/// The actions of a commit.
fn actions(project: &Project, version: u64) -> Vec<Value> {
    let text = fs::read_to_string(log_file(project, version)).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn action(project: &Project, version: u64, kind: &str) -> Value {
    let actions = actions(project, version);
    let found = actions
        .into_iter()
        .find(|action| action.get(kind).is_some());
    found.unwrap()[kind].clone()
}

/// Makes a commit as another program would.
fn commit(project: &Project, version: u64, actions: &[Value]) {
    let info = json!({ "commitInfo": {
        "timestamp": 1_900_000_000_000_i64 + i64::try_from(version).unwrap(),
        "operation": "OTHER",
    }});
    let lines = std::iter::once(&info).chain(actions);
    let text: Vec<String> = lines.map(Value::to_string).collect();
    fs::write(log_file(project, version), text.join("\n")).unwrap();
}

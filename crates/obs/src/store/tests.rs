//! Records written and read again.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use codeanatomy_vocab::{Code, Error, ErrorKind, ManualClock, RunId, Stage, UnixMillis};

use crate::{
    DamagedRun, FinishedRun, Observer, Outcome, PinSummary, RunEvent, RunRecorder, RunStart,
    RunState, RunStatus, RunStore, codes,
};

const BOOM: Code = Code::new("CA-TEST-0001", ErrorKind::Data, Stage::Execution);

fn recorder(project: &Path, at: i64) -> RunRecorder {
    let clock = Arc::new(ManualClock::new(UnixMillis(at)));
    let start = RunStart {
        run_id: RunId::generate(UnixMillis(at)),
        project: "shop".into(),
        label: Some("nightly".into()),
        product_version: "0.1.0".into(),
        engine_version: "datafusion 55.2.0".into(),
        metadata: Default::default(),
    };
    RunRecorder::start(project, start, clock)
}

fn finished(view: &str, outcome: Outcome) -> RunEvent {
    RunEvent::ViewFinished {
        view: view.parse().unwrap(),
        outcome,
        rows: Some(7),
        delta_version: Some(2),
        elapsed_ms: 30,
        detail: None,
    }
}

fn recorded(project: &Path, at: i64) -> FinishedRun {
    recorder(project, at).finish(RunStatus::Ok)
}

#[test]
fn a_run_is_recorded_from_its_first_moment_and_read_back_whole() {
    let project = tempfile::tempdir().unwrap();
    let store = RunStore::new(project.path());
    let recorder = recorder(project.path(), 1_700_000_000_000);
    assert_eq!(
        store.list(None).unwrap().runs[0].status,
        RunState::Running,
        "listed before anything is done"
    );

    recorder.pins(vec![PinSummary {
        dataset: "orders".parse().unwrap(),
        format: "delta".into(),
        version: Some(12),
        table_id: Some("t".into()),
        content: None,
        protocol: None,
        storage_options_hash: None,
    }]);
    recorder.observe(&finished("b", Outcome::Failed));
    recorder.observe(&finished("a", Outcome::Built));
    recorder.error(Some(&"b".parse().unwrap()), &Error::new(BOOM, "no luck"));
    recorder.artifact("plan/a.json", &serde_json::json!({ "rows": 7 }));
    recorder.artifact_bytes("graph.dot", b"digraph {}");
    let folder = recorder.folder().to_owned();
    let run = recorder.finish(RunStatus::Failed);
    assert!(run.warnings.is_empty(), "{:?}", run.warnings);

    let read = store.load(run.envelope.run_id.as_str()).unwrap();
    assert_eq!(read, run.envelope);
    assert_eq!(read.status, RunState::Failed);
    assert_eq!(read.elapsed_ms(), Some(0));
    assert_eq!(read.pins[0].version, Some(12));
    assert_eq!(
        read.views
            .iter()
            .map(|v| v.view.as_str())
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
    let error = read.views[1].error.as_ref().unwrap();
    assert_eq!(
        (error.code.as_str(), error.message.as_str()),
        ("CA-TEST-0001", "no luck")
    );
    assert_eq!(read.count(Outcome::Built), 1);
    assert!(read.artifacts.contains("plan/a.json"));
    assert_eq!(fs::read(folder.join("graph.dot")).unwrap(), b"digraph {}");
    assert_eq!(store.events(read.run_id.as_str()).unwrap().len(), 2);
    assert_eq!(
        fs::read_to_string(project.path().join(".codeanatomy/.gitignore")).unwrap(),
        "*\n"
    );
}

#[test]
fn a_run_whose_process_went_away_is_listed_as_killed_with_what_it_finished() {
    let project = tempfile::tempdir().unwrap();
    let recorder = recorder(project.path(), 1_700_000_000_000);
    recorder.observe(&finished("a", Outcome::Built));
    let events = recorder.folder().join("events.jsonl");
    drop(recorder);
    // The last line was cut by the crash.
    let mut text = fs::read(&events).unwrap();
    text.extend(b"{\"recorded_at\":1,\"event\":\"view_st");
    fs::write(&events, text).unwrap();

    let run = RunStore::new(project.path())
        .list(None)
        .unwrap()
        .runs
        .remove(0);
    assert_eq!(run.status, RunState::Killed);
    assert_eq!(run.ended_at, None);
    assert_eq!(run.views.len(), 1);
    assert_eq!(run.views[0].outcome, Outcome::Built);
}

#[test]
fn runs_are_listed_newest_first_and_only_as_many_as_asked_for() {
    let project = tempfile::tempdir().unwrap();
    let store = RunStore::new(project.path());
    assert!(store.list(None).unwrap().runs.is_empty());
    for at in [2, 1, 3] {
        recorded(project.path(), 1_700_000_000_000 + at);
    }
    let times = |limit| {
        let list = store.list(limit).unwrap();
        list.runs
            .iter()
            .map(|run| run.started_at.0 - 1_700_000_000_000)
            .collect::<Vec<_>>()
    };
    assert_eq!(times(None), [3, 2, 1]);
    assert_eq!(times(Some(2)), [3, 2]);
}

#[test]
fn damaged_records_are_named_and_do_not_hide_the_others() {
    let project = tempfile::tempdir().unwrap();
    let store = RunStore::new(project.path());
    let good = recorded(project.path(), 1_700_000_000_000).envelope;
    let empty = recorded(project.path(), 1_700_000_001_000);
    fs::write(empty.folder.join("run.json"), "").unwrap();
    let missing = recorded(project.path(), 1_700_000_002_000);
    fs::remove_file(missing.folder.join("run.json")).unwrap();
    let newer = recorded(project.path(), 1_700_000_003_000);
    fs::write(newer.folder.join("run.json"), r#"{"format_version":99}"#).unwrap();
    let other = recorded(project.path(), 1_700_000_004_000);
    fs::copy(
        store.folder.join(good.run_id.as_str()).join("run.json"),
        other.folder.join("run.json"),
    )
    .unwrap();
    fs::create_dir(store.folder.join("notes")).unwrap();

    let list = store.list(None).unwrap();
    assert_eq!(list.runs, [good]);
    let code = |damaged: &DamagedRun| damaged.error.code();
    assert_eq!(
        list.damaged.iter().map(code).collect::<Vec<_>>(),
        [
            codes::DAMAGED_RUN,
            codes::NEWER_RUN_FORMAT,
            codes::DAMAGED_RUN,
            codes::DAMAGED_RUN
        ]
    );
}

#[test]
fn a_run_is_found_by_the_beginning_of_its_id_if_no_other_begins_so() {
    let project = tempfile::tempdir().unwrap();
    let store = RunStore::new(project.path());
    let run = recorded(project.path(), 1_700_000_000_000).envelope;
    recorded(project.path(), 1_800_000_000_000);
    let id = run.run_id.as_str();
    assert_eq!(store.load(&id[..8]).unwrap(), run);
    assert_eq!(store.load(&id.to_uppercase()).unwrap(), run);
    assert_eq!(store.load("01").unwrap_err().code(), codes::AMBIGUOUS_RUN);
    assert_eq!(store.load("").unwrap_err().code(), codes::UNKNOWN_RUN);
    assert_eq!(store.load("../..").unwrap_err().code(), codes::UNKNOWN_RUN);
}

#[test]
fn a_run_folder_that_cannot_be_written_gives_one_warning_and_no_failure() {
    let project = tempfile::tempdir().unwrap();
    fs::write(project.path().join(".codeanatomy"), "not a folder").unwrap();
    let recorder = recorder(project.path(), 1_700_000_000_000);
    recorder.observe(&finished("a", Outcome::Built));
    recorder.artifact("plan/a.json", &1);
    let run = recorder.finish(RunStatus::Ok);
    assert_eq!(run.envelope.views.len(), 1);
    assert_eq!(run.warnings.len(), 1);
    assert_eq!(run.warnings[0].code(), codes::RUN_NOT_WRITABLE);
}

#[test]
fn a_run_folder_that_goes_away_in_the_middle_gives_one_warning() {
    let project = tempfile::tempdir().unwrap();
    let recorder = recorder(project.path(), 1_700_000_000_000);
    fs::remove_dir_all(project.path().join(".codeanatomy")).unwrap();
    fs::write(project.path().join(".codeanatomy"), "not a folder").unwrap();
    recorder.artifact("plan/a.json", &1);
    recorder.artifact("plan/b.json", &1);
    let run = recorder.finish(RunStatus::Ok);
    assert_eq!(run.warnings.len(), 1, "{:?}", run.warnings);
    assert_eq!(run.envelope.status, RunState::Ok);
}

#[test]
fn an_artifact_with_an_unsafe_name_is_refused_with_a_warning() {
    let project = tempfile::tempdir().unwrap();
    let recorder = recorder(project.path(), 1_700_000_000_000);
    recorder.artifact("../../escape.json", &1);
    recorder.artifact("run.json", &1);
    let run = recorder.finish(RunStatus::Ok);
    assert_eq!(run.warnings.len(), 2);
    assert!(run.envelope.artifacts.is_empty());
    assert!(!project.path().join(".codeanatomy/escape.json").exists());
}

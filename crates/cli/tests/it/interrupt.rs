//! Ctrl-C in the middle of a build.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::project::{Project, files_below};

/// Longer than anybody waits: 8 * 10^11 pairs.
const N_ROWS: usize = 9_500;

#[test]
fn ctrl_c_stops_a_build_leaves_nothing_half_written_and_the_next_build_completes() {
    let project = slow_project();
    assert_eq!(project.build(&["quick"]), ["quick: built"]);

    let mut build = project.start(&["build", "--format", "json"]);
    wait_for("building slow", &mut build);
    let asked = Instant::now();
    signal("INT", &build);
    let (code, stdout) = end(build);
    assert_eq!(code, 130);
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "{:?}",
        asked.elapsed()
    );
    let document: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(document["status"], "interrupted");

    let left = files_below(&project.path("out/slow"));
    assert!(left.is_empty(), "{left:?}");
    let (_, runs) = project.json(&["runs", "list"]);
    assert_eq!(runs["runs"][0]["status"], "interrupted");

    project.write("numbers.csv", numbers(3));
    let (code, document) = project.json(&["build"]);
    assert_eq!(code, 0, "{document:#}");
    let mut outcomes = crate::project::outcomes(&document);
    outcomes.sort();
    assert_eq!(outcomes, ["quick: skipped", "slow: built"]);
}

#[test]
fn a_request_to_terminate_stops_a_build_too_and_the_second_one_at_once() {
    let project = slow_project();
    let mut build = project.start(&["build"]);
    wait_for("building slow", &mut build);
    signal("TERM", &build);
    signal("TERM", &build);
    let (code, _) = end(build);
    assert_eq!(code, 130);
    assert!(files_below(&project.path("out/slow/_delta_log")).is_empty());
}

#[test]
fn a_build_that_was_killed_is_listed_as_killed() {
    let project = slow_project();
    let mut build = project.start(&["build"]);
    wait_for("building slow", &mut build);
    signal("KILL", &build);
    end(build);
    let (_, runs) = project.json(&["runs", "list"]);
    assert_eq!(runs["runs"][0]["status"], "killed");

    project.write("numbers.csv", numbers(3));
    assert_eq!(project.run(&["build", "-q"]).code, 0);
}

fn slow_project() -> Project {
    let stored = "cache = \"delta_output\"\n";
    Project::empty()
        .with(
            "codeanatomy.toml",
            "[datasets.numbers]\nlocation = \"numbers.csv\"\n\n\
             [datasets.few]\nlocation = \"few.csv\"\n",
        )
        .with("numbers.csv", numbers(N_ROWS))
        .with("few.csv", numbers(3))
        .with(
            "views/slow.sql",
            "select count(*) as n\nfrom numbers a, numbers b, numbers c\n\
             where a.n * b.n % 7 = c.n % 5\n",
        )
        .with("views/slow.toml", stored)
        .with("views/quick.sql", "select n from few\n")
        .with("views/quick.toml", stored)
}

fn numbers(n: usize) -> String {
    (0..n).fold("n\n".to_owned(), |text, n| text + &n.to_string() + "\n")
}

/// Reads standard error up to a line, and goes on reading it so that nothing blocks.
fn wait_for(line: &str, child: &mut Child) {
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut seen = String::new();
    for next in lines.by_ref() {
        let next = next.unwrap();
        if next == line {
            std::thread::spawn(move || lines.for_each(drop));
            return;
        }
        seen.push_str(&next);
        seen.push('\n');
    }
    panic!("the program ended before {line:?}:\n{seen}");
}

fn signal(name: &str, child: &Child) {
    let sent = Command::new("kill")
        .args([format!("-{name}"), child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// The exit code and standard output.
fn end(mut child: Child) -> (i32, String) {
    let mut stdout = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut stdout)
        .unwrap();
    let status = child.wait().unwrap();
    (status.code().unwrap_or(-1), stdout)
}

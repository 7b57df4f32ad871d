//! Builds that are killed, and builds that meet.

use std::collections::BTreeMap;
use std::process::Child;
use std::time::{Duration, Instant};

use crate::project::{Project, Ran, files_below};

/// How often a build is killed.
const KILLS: u32 = 8;

/// A project whose view writes enough rows for a build to be interrupted in the middle.
fn writing() -> Project {
    let project = Project::empty()
        .with(
            "codeanatomy.toml",
            "[datasets.seed]\nlocation = \"seed.csv\"\n",
        )
        .with("seed.csv", "n\n0\n")
        .with(
            "views/many.sql",
            "select n, value, md5(cast(value + n as text)) as noise, value % 7 as part\n\
             from seed, unnest(range(1, 20001)) as t(value)\n",
        )
        .with(
            "views/many.toml",
            "cache = \"delta_output\"\npartition_by = [\"part\"]\n",
        );
    project.build(&[]);
    project
}

/// What the table says of its newest version: number, rows, and the value of `n` in all of them.
fn state(project: &Project) -> (u64, u64, String) {
    let (code, info) = project.json(&["delta", "info", "many"]);
    assert_eq!(code, 0, "{info:#}");
    let (_, files) = project.json(&["delta", "files", "many"]);
    let seeds: BTreeMap<String, usize> = files["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| (file["statistics"]["minValues"]["n"].to_string(), 0))
        .collect();
    assert_eq!(
        seeds.len(),
        1,
        "rows of two builds in one version: {seeds:?}"
    );
    let seed = seeds.into_keys().next().unwrap();
    (
        info["version"].as_u64().unwrap(),
        info["n_rows"].as_u64().unwrap(),
        seed,
    )
}

fn end(child: Child) -> Ran {
    Ran::new(child.wait_with_output().unwrap())
}

#[test]
fn a_build_that_is_killed_leaves_the_old_version_or_the_new_one() {
    let seed = std::process::id();
    println!("seed {seed}");
    let project = writing();
    // As long as a build takes when nobody kills it.
    project.write("seed.csv", "n\n1\n");
    let began = Instant::now();
    project.build(&[]);
    let whole = began.elapsed();
    let mut random = u64::from(seed) | 1;
    for round in 0..KILLS {
        let n = round + 2;
        let before = state(&project);
        project.write("seed.csv", format!("n\n{n}\n"));
        let mut child = project.start(&["build", "-q"]);
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let share = u32::try_from(random % 1000).unwrap();
        std::thread::sleep(whole * share / 1000 + Duration::from_millis(5));
        child.kill().unwrap();
        child.wait().unwrap();
        let after = state(&project);
        assert_eq!(after.1, 20_000, "round {round}");
        let is_old = after == before;
        let is_new = after.0 == before.0 + 1 && after.2 == n.to_string();
        assert!(
            is_old || is_new,
            "round {round}: {before:?} became {after:?}"
        );
    }
    let last = project.build(&[]);
    assert!(
        last == ["many: built"] || last == ["many: skipped"],
        "{last:?}"
    );
    assert_eq!(state(&project).2, (KILLS + 1).to_string());
    assert_eq!(project.build(&[]), ["many: skipped"]);
    // What is left over belongs to no version, and goes when it is asked for.
    let args = [
        "delta",
        "vacuum",
        "many",
        "--full",
        "--retention",
        "0s",
        "--force",
    ];
    assert_eq!(project.run(&args).code, 0);
    let (_, files) = project.json(&["delta", "files", "many"]);
    let data = files_below(&project.path("out/many"));
    let is_data = |file: &&std::path::PathBuf| {
        !file.starts_with("_delta_log") && file.extension().is_some_and(|e| e == "parquet")
    };
    assert_eq!(
        files["n_files"].as_u64().unwrap(),
        data.iter().filter(is_data).count() as u64
    );
}

#[test]
fn of_two_builds_at_once_one_wins_and_no_row_is_there_twice() {
    let project = writing();
    for n in 1..4_u64 {
        let before = state(&project);
        project.write("seed.csv", format!("n\n{n}\n"));
        let both = [project.start(&["build"]), project.start(&["build"])].map(end);
        let won = both.iter().filter(|ran| ran.code == 0).count();
        for ran in both.iter().filter(|ran| ran.code != 0) {
            assert_eq!(ran.code, 6, "{}", ran.stderr);
            assert!(ran.stderr.contains("CA-DELTA-0009"), "{}", ran.stderr);
        }
        // The second may also come so late that there is nothing left to do.
        assert!(won >= 1, "{}\n{}", both[0].stderr, both[1].stderr);
        let after = state(&project);
        assert_eq!(
            (after.0, after.1, after.2),
            (before.0 + 1, 20_000, n.to_string())
        );
        assert_eq!(project.build(&[]), ["many: skipped"]);
    }
}

//! A project whose data and outputs are in a store that speaks the protocol of S3.

use codeanatomy_testkit::s3::{ACCESS_KEY_ID, S3Server, SECRET_ACCESS_KEY};

use crate::project::{Project, files_below};

const OPTIONS: &str = "aws_access_key_id = { env = \"LAKE_KEY_ID\" }\n\
                       aws_secret_access_key = { env = \"LAKE_SECRET\" }\n\
                       allow_http = true\n";

/// A project with a Delta table, Parquet files and a CSV file in one bucket, and outputs in another.
fn project(server: &S3Server) -> Project {
    seed(server);
    let endpoint = server.endpoint();
    let store = |name: &str, url: &str| {
        format!(
            "[stores.{name}]\nurl = \"{url}\"\nregion = \"eu-central-1\"\n\
             [stores.{name}.options]\nendpoint = \"{endpoint}\"\n{OPTIONS}\n"
        )
    };
    let datasets: String = ["sales", "raw", "regions"]
        .map(|name| {
            let location = match name {
                "regions" => "regions.csv",
                other => other,
            };
            format!("[datasets.{name}]\nlocation = \"s3://lake/data/{location}\"\n\n")
        })
        .concat();
    Project::empty()
        .with(
            "codeanatomy.toml",
            format!(
                "[project]\nname = \"lake\"\noutput = \"s3://marts/out\"\n\n{}{}{datasets}",
                store("lake", "s3://lake/"),
                store("marts", "s3://marts/"),
            ),
        )
        .with(
            "views/by_region.sql",
            "select r.name, sum(s.total) as total, count(w.region) as n_raw\nfrom sales s\n\
             join regions r on r.region = s.region\nleft join raw w on w.region = s.region\n\
             group by r.name\n",
        )
        .with("views/by_region.toml", "cache = \"delta_output\"\n")
}

/// Puts the outputs of a small local project into the bucket.
fn seed(server: &S3Server) {
    let local = Project::new();
    local.write(
        "views/by_region.toml",
        "cache = \"delta_output\"\npartition_by = [\"region\"]\n",
    );
    local.write("views/raw.sql", "select region, id from orders\n");
    local.write("views/raw.toml", "cache = \"delta_output\"\n");
    local.build(&[]);
    for (folder, to) in [("out/by_region", "sales"), ("out/raw", "raw")] {
        for file in files_below(&local.path(folder)) {
            // Of the second only the files count: it is plain Parquet.
            if to == "raw" && file.starts_with("_delta_log") {
                continue;
            }
            let content = std::fs::read(local.path(folder).join(&file)).unwrap();
            server.put("lake", &format!("data/{to}/{}", file.display()), &content);
        }
    }
    let regions = "region,name\nnorth,The North\nsouth,The South\n";
    server.put("lake", "data/regions.csv", regions.as_bytes());
}

fn run(project: &Project, args: &[&str]) -> crate::project::Ran {
    let variables = [
        ("LAKE_KEY_ID", ACCESS_KEY_ID),
        ("LAKE_SECRET", SECRET_ACCESS_KEY),
        // Whatever the shell has must not count.
        ("AWS_ACCESS_KEY_ID", "AKIDOFSOMEBODYELSE"),
        ("AWS_SECRET_ACCESS_KEY", "wrong"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_REGION", "nowhere"),
    ];
    project.run_with_all(&variables, args)
}

#[test]
fn a_project_is_built_from_a_bucket_into_a_bucket() {
    let server = S3Server::start(&["lake", "marts"]);
    let project = project(&server);
    let built = run(&project, &["build"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let keys = server.keys("marts");
    let commit = "out/by_region/_delta_log/00000000000000000000.json";
    assert!(keys.iter().any(|key| key == commit), "{keys:?}");
    assert!(files_below(&project.path("out")).is_empty());
    let again = run(&project, &["build"]);
    assert!(
        again.stdout.starts_with("nothing to do"),
        "{}\n{}",
        again.stdout,
        again.stderr
    );

    // A file that is written anew with the same content changes nothing; another content does.
    let regions = server.get("lake", "data/regions.csv").unwrap();
    server.put("lake", "data/regions.csv", &regions);
    assert!(
        run(&project, &["build"])
            .stdout
            .starts_with("nothing to do")
    );
    let other = "region,name\nnorth,N\nsouth,S\n";
    server.put("lake", "data/regions.csv", other.as_bytes());
    let third = run(&project, &["build"]);
    assert!(
        third.stdout.contains("1 built"),
        "{}\n{}",
        third.stdout,
        third.stderr
    );

    for args in [
        &["delta", "info", "by_region"][..],
        &["delta", "history", "s3://marts/out/by_region"][..],
        &["delta", "files", "sales"][..],
        &["delta", "checkpoint", "create", "by_region"][..],
        &["replay", "--verify"][..],
        &["why", "by_region"][..],
    ] {
        let mut args = args.to_vec();
        let (_, runs) = project.json(&["runs", "list"]);
        let newest = runs["runs"][0]["run_id"].as_str().unwrap().to_owned();
        if args[0] == "replay" {
            args.push(&newest);
        }
        let ran = run(&project, &args);
        assert_eq!(ran.code, 0, "{args:?}: {}\n{}", ran.stdout, ran.stderr);
    }
}

#[test]
fn no_secret_is_kept_in_records_or_outputs() {
    let server = S3Server::start(&["lake", "marts"]);
    let project = project(&server);
    assert_eq!(run(&project, &["build", "-vvv"]).code, 0);
    let mut kept: Vec<Vec<u8>> = files_below(&project.path(".codeanatomy"))
        .iter()
        .map(|file| std::fs::read(project.path(".codeanatomy").join(file)).unwrap())
        .collect();
    assert!(!kept.is_empty());
    kept.extend(
        server
            .keys("marts")
            .iter()
            .filter_map(|key| server.get("marts", key)),
    );
    for text in kept {
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(!text.contains(SECRET_ACCESS_KEY), "{text}");
    }
}

#[test]
fn missing_credentials_and_unsafe_options_are_named() {
    let server = S3Server::start(&["lake", "marts"]);
    let project = project(&server);
    let ran = project.run(&["build"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("`LAKE_KEY_ID` is not set"),
        "{}",
        ran.stderr
    );
    let table = "s3://elsewhere/t";
    let ran = run(&project, &["delta", "info", table]);
    assert!(ran.stderr.contains("CA-DELTA-0036"), "{}", ran.stderr);
    let option = "AWS_S3_ALLOW_UNSAFE_RENAME=true";
    let ran = run(&project, &["delta", "info", "sales", "--option", option]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("CA-DELTA-0035"), "{}", ran.stderr);
    let ran = run(&project, &["delta", "info", "gs://lake/t"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("`gcs`"), "{}", ran.stderr);
}

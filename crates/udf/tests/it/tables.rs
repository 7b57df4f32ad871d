//! Table functions: what they read, and what they refuse.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use codeanatomy_udf::table::{ChangeWindow, DeltaFile, DeltaMetadata, DeltaOpener};
use codeanatomy_udf::{Library, Platform, PlatformOptions};
use codeanatomy_vocab::{DeltaVersionSelector, Result, UnixMillis};
use datafusion::arrow::array::{Int64Array, RecordBatch};
use datafusion::catalog::TableProvider;
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::datasource::MemTable;
use datafusion::prelude::SessionContext;

use crate::support::{error, rows, run, session};

/// Remembers what it was asked for.
#[derive(Debug, Default)]
struct Fake(Mutex<Vec<String>>);

impl Fake {
    fn asked(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }
}

fn numbers() -> Arc<dyn TableProvider> {
    let values = Arc::new(Int64Array::from(vec![1, 2, 3]));
    let batch = RecordBatch::try_from_iter([("n", values as _)]).unwrap();
    Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap())
}

#[async_trait]
impl DeltaOpener for Fake {
    async fn scan(
        &self,
        at: &str,
        version: DeltaVersionSelector,
    ) -> Result<Arc<dyn TableProvider>> {
        self.asked(format!("scan {at} {version:?}"));
        Ok(numbers())
    }

    async fn changes(&self, at: &str, window: ChangeWindow) -> Result<Arc<dyn TableProvider>> {
        let ChangeWindow {
            starting_version,
            ending_version,
            allow_out_of_range,
        } = window;
        self.asked(format!(
            "changes {at} {starting_version} {ending_version:?} {allow_out_of_range}"
        ));
        Ok(numbers())
    }

    async fn metadata(&self, at: &str) -> Result<DeltaMetadata> {
        self.asked(format!("metadata {at}"));
        Ok(DeltaMetadata {
            id: "x".to_owned(),
            name: None,
            description: Some("sales".to_owned()),
            version: 3,
            oldest_version: 1,
            created_at: Some(UnixMillis(1_700_000_000_000)),
            columns: vec![("n".to_owned(), "Int64".to_owned(), true)],
            partition_by: vec!["n".to_owned()],
            properties: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
            n_files: 2,
            size_bytes: 7,
            n_rows: None,
            min_reader_version: 1,
            min_writer_version: 2,
            reader_features: Vec::new(),
            writer_features: vec!["appendOnly".to_owned()],
        })
    }

    async fn files(&self, at: &str, version: DeltaVersionSelector) -> Result<Vec<DeltaFile>> {
        self.asked(format!("files {at} {version:?}"));
        let file = |path: &str, n_rows| DeltaFile {
            path: path.to_owned(),
            size_bytes: 5,
            modified_at: UnixMillis(0),
            partition_values: BTreeMap::from([("p".to_owned(), None)]),
            n_rows,
            n_deleted: 1,
        };
        Ok(vec![file("b", None), file("a", Some(4))])
    }
}

fn with_delta(opener: &Arc<Fake>) -> SessionContext {
    let context = SessionContext::new();
    let opener: Arc<dyn DeltaOpener> = Arc::<Fake>::clone(opener);
    let library = Library::builtin().with_delta(&opener);
    let platform = Platform::new(PlatformOptions::default()).with_library(library);
    assert_eq!(platform.register_context(&context).unwrap(), []);
    context
}

#[test]
fn delta_tables_are_read_by_whoever_can() {
    let fake = Arc::new(Fake::default());
    let context = with_delta(&fake);
    for (sql, expected) in [
        ("select sum(n) from delta_scan('t')", "6"),
        ("select count(*) from delta_scan('t', 2)", "3"),
        ("select count(*) from delta_scan('t', '2026-01-15T10:30:00Z')", "3"),
        ("select max(n) from delta_cdf_scan('t', 1)", "3"),
        ("select max(n) from delta_cdf_scan('t', 1, 5, true)", "3"),
        (
            "select id, name, version, columns[1]['type'], properties['a'], n_rows, writer_features, created_at
             from delta_metadata('t')",
            "x | NULL | 3 | Int64 | b | NULL | [appendOnly] | 2023-11-14T22:13:20Z",
        ),
    ] {
        assert_eq!(rows(&context, sql), [expected], "{sql}");
    }
    let files = rows(
        &context,
        "select path, n_rows, n_deleted, partition_values from delta_files('t', 0)",
    );
    assert_eq!(
        files,
        ["a | 4 | 1 | {p: }", "b | NULL | 1 | {p: }"].map(|row| row.replace("p: ", "p: NULL"))
    );
    let asked = fake.0.lock().unwrap();
    let mut asked: Vec<&str> = asked.iter().map(String::as_str).collect();
    asked.dedup();
    assert_eq!(
        asked,
        [
            "scan t Latest",
            "scan t Version(2)",
            "scan t Timestamp(UnixMillis(1768473000000))",
            "changes t 1 None false",
            "changes t 1 Some(5) true",
            "metadata t",
            "files t Version(0)",
        ]
    );
}

#[test]
fn wrong_arguments_are_refused() {
    let context = with_delta(&Arc::new(Fake::default()));
    for (call, message) in [
        ("delta_scan()", "`delta_scan` takes 1 to 2 arguments, not 0"),
        ("delta_scan(1)", "the location of `delta_scan` is a text"),
        ("delta_scan('')", "the location of `delta_scan` is a text"),
        ("delta_scan('t', -1)", "a version from 0, not -1"),
        ("delta_scan('t', 'yesterday')", "a time such as"),
        ("delta_scan(cast(random() as varchar))", "are constants"),
        ("delta_cdf_scan('t')", "takes 2 to 4 arguments"),
        ("delta_cdf_scan('t', null)", "must not be null"),
        ("delta_cdf_scan('t', 1, 2, 3)", "is true or false, not 3"),
        (
            "delta_metadata('t', 1)",
            "`delta_metadata` takes 1 argument, not 2",
        ),
        ("parquet_scan('/nowhere/at-all.parquet')", "finds no file"),
        (
            "json_scan('/nowhere/')",
            "finds no file that ends with .json",
        ),
    ] {
        let found = error(&context, &format!("select * from {call}"));
        assert!(found.contains(message), "{call}: {found}");
    }
}

#[test]
fn without_a_reader_the_remedy_is_named() {
    let found = error(&session(), "select * from delta_scan('t')");
    assert!(found.contains("no reader for Delta tables"), "{found}");
}

#[test]
fn files_are_tables_one_by_one_and_together() {
    let folder = tempfile::tempdir().unwrap();
    let context = session();
    let path = |name: &str| folder.path().join(name).display().to_string();
    run(async {
        for (name, sql) in [
            ("p/a", "select 1 as n, 'x' as t"),
            ("p/b", "select 2 as n, 3 as m"),
        ] {
            let frame = context.sql(sql).await.unwrap();
            let to = path(&format!("{name}.parquet"));
            frame
                .write_parquet(&to, DataFrameWriteOptions::new(), None)
                .await
                .unwrap();
        }
    });
    std::fs::write(
        path("lines.jsonl"),
        "{\"n\": 5}\n{\"n\": 6, \"t\": \"y\"}\n",
    )
    .unwrap();
    std::fs::create_dir(path("j")).unwrap();
    std::fs::write(path("j/a.json"), "{\"n\": 7}\n").unwrap();
    for (sql, expected) in [
        (
            format!(
                "select n, t, m from parquet_scan('{}') order by n",
                path("p")
            ),
            vec!["1 | x | NULL", "2 | NULL | 3"],
        ),
        (
            format!("select * from parquet_scan('{}')", path("p/a.parquet")),
            vec!["1 | x"],
        ),
        (
            format!("select n from parquet_scan('{}')", path("p/b*.parquet")),
            vec!["2"],
        ),
        (
            format!(
                "select n from parquet_scan('{}', '{}') order by n",
                path("p/a.parquet"),
                path("p/b.parquet")
            ),
            vec!["1", "2"],
        ),
        (
            format!(
                "select n, t from json_scan('{}') order by n",
                path("lines.jsonl")
            ),
            vec!["5 | NULL", "6 | y"],
        ),
        (
            format!("select n from json_scan('{}')", path("j")),
            vec!["7"],
        ),
    ] {
        assert_eq!(rows(&context, &sql), expected, "{sql}");
    }
}

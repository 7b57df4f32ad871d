//! Which files scans read: planned, and counted while they run.

use codeanatomy::Overrides;
use codeanatomy::delta::PinRequest;
use codeanatomy::vocab::{DatasetName, DeltaVersionSelector, ErrorKind};
use codeanatomy_testkit::commits::{Kind, Random, Table};

use crate::lake::{Lake, plan_of, result_of};

/// Four files: `a` with small and with large numbers, `b`, `c`.
async fn table(lake: &Lake) -> Table {
    let mut table = Table::create_at(&lake.table(), false).await;
    table.append_rows(&[("a", 1), ("a", 2), ("b", 10)]).await;
    table.append_rows(&[("a", 100), ("a", 101), ("c", 7)]).await;
    table
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_reads_the_files_that_the_plan_shows() {
    let lake = Lake::new("");
    table(&lake).await;
    // The predicates of a query over an ephemeral view reach the scan inside of it.
    lake.view("in_a", "select id, n, p from t where p = 'a'", "");
    lake.stored("large", "select id from in_a where n > 50");
    lake.stored("all_rows", "select * from t");
    lake.stored("no_rows", "select id from t where p = 'z'");
    // Two scans of one table ask for other rows.
    lake.stored(
        "both",
        "select x.id from t x join t y on x.n < y.n where x.p = 'b' and y.p = 'a' and y.n >= 100",
    );
    let plan = lake.plan().await;
    let figures = |view: &str| -> Vec<(u64, u64)> {
        let scans = &plan_of(&plan, view).scans;
        scans
            .iter()
            .map(|scan| (scan.files, scan.total_files))
            .collect()
    };
    assert_eq!(figures("large"), [(1, 4)]);
    assert_eq!(figures("all_rows"), [(4, 4)]);
    assert_eq!(figures("no_rows"), [(0, 4)]);
    let mut both = figures("both");
    both.sort_unstable();
    assert_eq!(both, [(1, 4), (1, 4)]);
    let large = plan_of(&plan, "large");
    assert_eq!(large.files, 1);
    assert_eq!(large.scans[0].version, Some(2));
    assert!(large.bytes < large.scans[0].total_bytes);
    assert_eq!(
        large.scans[0].filters.len(),
        2,
        "{:?}",
        large.scans[0].filters
    );

    let built = lake.build().await;
    for view in ["large", "all_rows", "no_rows", "both"] {
        let result = result_of(&built, view);
        let planned: Vec<_> = result.scans.iter().map(|scan| &scan.planned).collect();
        assert_eq!(
            planned,
            plan_of(&plan, view).scans.iter().collect::<Vec<_>>()
        );
        for scan in &result.scans {
            assert_eq!(scan.files_read, Some(scan.planned.files), "{view}");
            // Columns of one value are known from statistics, and footers may lie in a cache.
            let bytes = scan.bytes_read.unwrap();
            assert!(bytes > 0 || view == "both" || view == "no_rows", "{view}");
        }
    }
    assert_eq!(lake.rows("large").await.len(), 2);
    assert_eq!(lake.rows("both").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pruning_policy_is_part_of_the_dataset_and_of_every_identity() {
    let lake = Lake::new("");
    let mut table = table(&lake).await;
    lake.stored("numbers", "select n from t");
    lake.build().await;
    let toml = |policy: &str| {
        let text = "[project]\nname = 'lake'\n[datasets.t]\nlocation = 'data/t'\n";
        lake.write("codeanatomy.toml", &format!("{text}{policy}"));
    };
    toml(
        "[datasets.t.pruning]\n\
         partition_filters = [{ column = 'p', op = 'in', values = ['a', 'b'] }]\n\
         statistics_filters = [{ column = 'n', op = '<', value = 100 }]\n",
    );
    let report = lake.plan().await;
    let plan = plan_of(&report, "numbers");
    assert_eq!(
        plan.reasons[0].component, "plan_digest",
        "{:?}",
        plan.reasons
    );
    assert_eq!((plan.scans[0].files, plan.scans[0].total_files), (2, 4));
    lake.build().await;
    assert_eq!(lake.rows("numbers").await, ["1", "10", "2"]);
    // In whatever files the rows lie.
    table.commit(Kind::Optimize, &mut Random::new(1)).await;
    lake.stored("numbers", "select n, n + 0 as m from t");
    lake.build().await;
    assert_eq!(lake.rows("numbers").await, ["10|10", "1|1", "2|2"]);

    toml("[datasets.t.pruning]\npartition_filters = [{ column = 'q', op = '=', value = 1 }]\n");
    let errors = lake.planned_with(Overrides::default()).await.unwrap_err();
    let error = errors.iter().next().unwrap();
    assert_eq!(error.code().id(), "CA-DELTA-0022");
    assert_eq!(error.location().unwrap().position().unwrap().line, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_path_of_a_file_is_a_column_that_depends_on_the_layout() {
    let lake = Lake::new("scan = { file_column = 'file', parquet_pushdown = true }\n");
    let mut table = table(&lake).await;
    lake.stored("files", "select file, count(*) as n from t group by file");
    lake.stored("rows", "select count(*) as n from t");
    lake.build().await;
    assert_eq!(lake.rows("files").await.len(), 4);
    table.commit(Kind::Optimize, &mut Random::new(1)).await;
    let plan = lake.plan().await;
    let reason = &plan_of(&plan, "files").reasons[0].detail;
    assert!(
        reason.contains("the view reads the paths of files"),
        "{reason}"
    );
    assert_eq!(
        plan_of(&plan, "rows").action,
        codeanatomy::exec::Action::Skip
    );
    lake.build().await;
    assert_eq!(lake.rows("files").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_read_as_wider_types_and_still_pruned() {
    let schema = |types: &str| format!("scan = {{ schema = {{ {types} }} }}\n");
    let plain = Lake::new("");
    table(&plain).await;
    let lake = Lake::new(&schema(
        "n = 'Decimal128(30, 2)', p = 'Dictionary(Int32, Utf8)'",
    ));
    table(&lake).await;
    for lake in [&plain, &lake] {
        lake.stored(
            "large",
            "select n, p, arrow_typeof(n) as kind from t where n >= 100",
        );
        lake.stored("others", "select id from t");
        lake.build().await;
    }
    let numbers = |rows: Vec<String>| -> Vec<(f64, String)> {
        rows.iter()
            .map(|row| {
                let mut values = row.split('|');
                let n = values.next().unwrap().parse().unwrap();
                (n, values.next().unwrap().to_owned())
            })
            .collect()
    };
    let rows = lake.rows("large").await;
    assert!(rows[0].ends_with("Decimal128(30, 2)"), "{rows:?}");
    assert_eq!(numbers(rows), numbers(plain.rows("large").await));
    let [before, after] = [plain.plan().await, lake.plan().await];
    let files = |report, view| plan_of(report, view).scans[0].files;
    assert_eq!(files(&after, "large"), files(&before, "large"));
    assert!(files(&after, "large") < files(&after, "others"));
    let key = |report, view| plan_of(report, view).plan_fingerprint;
    assert_ne!(key(&before, "large"), key(&after, "large"));

    for (types, expected) in [
        ("n = 'Int8'", "does not hold every value of it"),
        ("m = 'Int64'", "no column `m`"),
        ("n = 'Number'", "`Number` is not a type"),
    ] {
        let wrong = Lake::new(&schema(types));
        table(&wrong).await;
        wrong.stored("others", "select id from t");
        let errors = wrong.planned_with(Overrides::default()).await.unwrap_err();
        let error = errors.iter().next().unwrap();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.location().unwrap().position().unwrap().line, 5);
    }
}

fn request(dataset: &str, selector: DeltaVersionSelector) -> PinRequest {
    PinRequest {
        dataset: DatasetName::new(dataset).unwrap(),
        selector,
        place: format!("--pin {dataset}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pin_of_the_caller_is_one_version_for_all_views() {
    let lake = Lake::new("[datasets.old]\nlocation = 'data/t'\nversion = 1\n");
    table(&lake).await;
    lake.stored("now", "select n from t");
    lake.stored("then", "select n from old");
    let with = |pins: Vec<PinRequest>| Overrides {
        pins,
        ..Overrides::default()
    };
    // Two datasets may be one table at two versions.
    let versions = |planned: &codeanatomy::Planned| -> Vec<Option<u64>> {
        let report = planned.report(&Default::default()).unwrap();
        ["now", "then"]
            .map(|view| plan_of(&report, view).scans[0].version)
            .to_vec()
    };
    assert_eq!(versions(&lake.planned().await), [Some(2), Some(1)]);
    let pinned = with(vec![request("t", DeltaVersionSelector::Version(1))]);
    let planned = lake.planned_with(pinned).await.unwrap();
    assert_eq!(versions(&planned), [Some(1), Some(1)]);
    let inputs = planned.inputs();
    let pin = inputs.datasets["t"].pin.as_ref().unwrap();
    assert_eq!((pin.version, pin.min_reader_version), (1, 1));

    let conflict = with(vec![request("old", DeltaVersionSelector::Version(2))]);
    let errors = lake.planned_with(conflict).await.unwrap_err();
    let error = errors.iter().next().unwrap();
    assert_eq!(error.code().id(), "CA-DELTA-0021");
    let text = error.to_string();
    assert!(
        text.contains("codeanatomy.toml:7:11") && text.contains("--pin old"),
        "{text}"
    );
    // Equal wishes do not conflict.
    let same = with(vec![request("old", DeltaVersionSelector::Version(1))]);
    lake.planned_with(same).await.unwrap();

    let unknown = with(vec![request("tt", DeltaVersionSelector::Version(1))]);
    let errors = lake.planned_with(unknown).await.unwrap_err();
    let error = errors.iter().next().unwrap();
    assert_eq!(
        (error.code().id(), error.nearest()),
        ("CA-EXEC-0009", Some("t"))
    );

    let absent = with(vec![request("t", DeltaVersionSelector::Version(9))]);
    let errors = lake.planned_with(absent).await.unwrap_err();
    assert_eq!(errors.iter().next().unwrap().kind(), ErrorKind::Drifted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_without_its_files_is_refused_before_anything_runs() {
    let lake = Lake::new("version = 1\n");
    let mut table = table(&lake).await;
    lake.stored("numbers", "select n from t");
    table.commit(Kind::Overwrite, &mut Random::new(3)).await;
    let mut random = Random::new(1);
    // Some seeds only look.
    for _ in 0..8 {
        table.commit(Kind::Vacuum, &mut random).await;
    }
    let errors = lake.planned_with(Overrides::default()).await.unwrap_err();
    let error = errors.iter().next().unwrap();
    assert_eq!(error.code().id(), "CA-DELTA-0004");
    assert!(error.to_string().contains("vacuumed"), "{error}");
    let help = error.help().unwrap();
    assert!(
        help.contains("the oldest version that still works"),
        "{help}"
    );
    assert_eq!(error.location().unwrap().position().unwrap().line, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_project_says_which_tables_are_let_in() {
    let lake = Lake::new("gate = { min_reader_version = 3 }\n");
    table(&lake).await;
    lake.stored("numbers", "select n from t");
    let refusal = async |toml: &str| {
        let text = "[project]\nname = 'lake'\n";
        lake.write(
            "codeanatomy.toml",
            &format!("{text}{toml}[datasets.t]\nlocation = 'data/t'\n"),
        );
        match lake.planned_with(Overrides::default()).await {
            Ok(_) => None,
            Err(errors) => errors.into_iter().next(),
        }
    };
    let errors = lake.planned_with(Overrides::default()).await.unwrap_err();
    let error = errors.iter().next().unwrap();
    assert_eq!(error.code().id(), "CA-DELTA-0025");
    assert!(
        error.to_string().contains("reader version 3 (it has 1)"),
        "{error}"
    );

    let error = refusal("[delta]\nmax_reader_version = 0\n").await.unwrap();
    assert_eq!(error.code().id(), "CA-DELTA-0024");
    assert!(error.to_string().contains("reader version 1"), "{error}");
    assert!(error.expected().unwrap().contains("reader version 0"));
    assert!(error.help().unwrap().contains("protocol_mode"));
    for mode in ["warn", "permissive"] {
        let toml = format!("[delta]\nmax_reader_version = 0\nprotocol_mode = '{mode}'\n");
        assert!(refusal(&toml).await.is_none(), "{mode}");
    }
}

/// Writes a file of Parquet with a NaN beside small numbers, and times of the evening beside those
/// of the day, each in a row group of its own.
async fn misleading_parquet(path: &std::path::Path) {
    let context = datafusion::prelude::SessionContext::new();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let sql = format!(
        "copy (select value as id, \
            case when value = 3 then arrow_cast('NaN', 'Float64') else value / 10.0 end as f, \
            to_timestamp_micros(value * 79200000000) as at \
          from generate_series(1, 4) order by value) \
         to '{}' stored as parquet options ('format.max_row_group_size' '2')",
        path.display()
    );
    context.sql(&sql).await.unwrap().collect().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn bounds_that_lead_the_engine_astray_lose_no_row_of_plain_files() {
    let lake = Lake::new("[datasets.plain]\nlocation = 'data/plain/a.parquet'\n");
    table(&lake).await;
    misleading_parquet(&lake.root().join("data/plain/a.parquet")).await;
    lake.view("above", "select id from plain where f > 30", "");
    lake.view("highest", "select max(f) as f from plain", "");
    lake.view(
        "evening",
        "select id from plain where cast(at as time) > time '21:00:00'",
        "",
    );
    assert_eq!(lake.rows("above").await, ["3"]);
    assert_eq!(lake.rows("highest").await, ["NaN"]);
    assert_eq!(lake.rows("evening").await, ["1"]);
}

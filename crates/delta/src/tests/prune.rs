//! Files that are left out hold no row that is asked for.

use std::sync::Arc;

use arrow::array::RecordBatch;
use codeanatomy_vocab::DeltaVersionSelector;
use datafusion::prelude::SessionContext;
use datafusion_common::DFSchema;
use datafusion_expr::Expr;

use super::support::{Output, query, rows, session};
use crate::{PartitionFilter, PartitionOperator, PinnedTable, PruningPolicy, StatisticsFilter};
use crate::{ScanConfig, StatisticsOperator, codes};

/// A filter over the columns of a table, from SQL.
fn filter(session: &SessionContext, table: &PinnedTable, sql: &str) -> Expr {
    let schema = DFSchema::try_from(table.schema()).unwrap();
    session.parse_sql_expr(sql, &schema).unwrap()
}

const VALUES: &str = "
    select n % 4 as p, n,
        case when n % 7 = 0 then null else n * 3 - 50 end as nullable,
        case when n between 40 and 60 then arrow_cast('NaN', 'Float64') else n / 3.0 end as f,
        concat(repeat('long ', n % 10), arrow_cast(n, 'Utf8')) as s,
        case when n < 30 then null when n % 2 = 0 then 'x' else '' end as t,
        arrow_cast(1000000000001 * n + 500, 'Timestamp(Microsecond, Some(\"UTC\"))') as at,
        date '2026-01-01' + arrow_cast(n, 'Int32') as day,
        arrow_cast(n * 1.25, 'Decimal128(12, 3)') as d,
        arrow_cast(n * 1.25, 'Decimal128(30, 3)') as wide,
        n % 3 = 0 as b,
        named_struct('x', n) as nested
    from (select arrow_cast(value, 'Int32') as n from generate_series(0, 99))
    order by n";

/// Files of ten rows each, with the values in some order.
async fn spread(partitioned: bool) -> Output {
    let output = if partitioned {
        Output::partitioned_by(&["p"])
    } else {
        Output::new()
    };
    output.write(&format!("{VALUES} limit 10")).await.unwrap();
    for start in 1..10 {
        let batches = session(1)
            .sql(&format!("{VALUES} limit 10 offset {}", start * 10))
            .await
            .unwrap()
            .collect()
            .await
            .unwrap();
        output.library_table().await.write(batches).await.unwrap();
    }
    output
}

const FILTERS: [&str; 44] = [
    "n = 17",
    "n != 17",
    "n < 12 or n > 95",
    "n between 33 and 38",
    "n in (3, 71)",
    "n not in (3, 71)",
    "n + 1 = 18",
    "-n < -90",
    "nullable is null",
    "nullable is not null and n < 3",
    "nullable > 240",
    "nullable is distinct from 1",
    "nullable is not distinct from null",
    "f > 30",
    "f < 2",
    "f = arrow_cast('NaN', 'Float64')",
    "f >= 33 and f <= 40",
    "s = '17'",
    "s like 'long long %'",
    "s like 'long long long long long long long long long %'",
    "s not like 'long %'",
    "s > 'long long long long long long long long long 9'",
    "s >= 'm'",
    "t is null",
    "t = ''",
    "t != 'x'",
    "at = arrow_cast(17000000000517, 'Timestamp(Microsecond, Some(\"UTC\"))')",
    "at > arrow_cast(98000000000597, 'Timestamp(Microsecond, Some(\"UTC\"))')",
    "cast(at as date) = date '1970-07-16'",
    "cast(at as time) > time '20:00:00'",
    "day >= date '2026-04-08'",
    "extract(month from day) = 3",
    "d = 21.25",
    "d > 122",
    "wide < 1.5",
    "cast(d as int) = 62",
    "b",
    "not b",
    "cast(n - 20 as boolean)",
    "p = 3",
    "p in (1, 2) and n > 80",
    "p = 3 or n = 0",
    "nested['x'] > 90",
    "random() > 2",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_row_that_fulfils_a_filter_is_in_a_file_that_is_left_out() {
    let context = session(1);
    let mut pruned = 0;
    for partitioned in [false, true] {
        let output = spread(partitioned).await;
        let table = output.open().await;
        let all = query(table.provider().unwrap(), "select * from t")
            .await
            .unwrap();
        for sql in FILTERS {
            let filters = [filter(&context, &table, sql)];
            let pruning = table.prune(&context.state(), &filters);
            assert_eq!(
                pruning.candidate_count + pruning.pruned_count,
                pruning.total_files
            );
            pruned += pruning.pruned_count;
            let provider = table.provider_of(&pruning.candidate_paths).unwrap();
            let left = query(Arc::clone(&provider), "select * from t")
                .await
                .unwrap();
            // The engine leaves out row groups and pages on its own, so it is also asked for all
            // rows and filters them in memory.
            let ask = format!("select * from t where {sql}");
            let found = in_memory(&table, left, &ask).await;
            let expected = in_memory(&table, all.clone(), &ask).await;
            let schema = table.schema();
            let expected = rows(&expected, &schema);
            assert_eq!(rows(&found, &schema), expected, "{sql}");
            let asked = query(provider, &ask).await.unwrap();
            assert_eq!(
                rows(&asked, &schema),
                expected,
                "{sql}, by the engine's own scan"
            );
        }
    }
    assert!(pruned > 400, "only {pruned} files were left out");
}

/// The answer over the rows in memory, where nothing can be left out.
async fn in_memory(table: &PinnedTable, rows: Vec<RecordBatch>, sql: &str) -> Vec<RecordBatch> {
    let rows = datafusion::datasource::MemTable::try_new(table.schema(), vec![rows]).unwrap();
    query(Arc::new(rows), sql).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_which_little_is_known_is_kept() {
    let output = Output::new();
    output
        .write("select * from (values (5, 'a', 1.5), (null, null, null)) as v(n, s, f)")
        .await
        .unwrap();
    let log = output.location.local_path().unwrap();
    let commit = log.join("_delta_log/00000000000000000000.json");
    let text = std::fs::read_to_string(&commit).unwrap();
    let add = text.lines().find(|line| line.contains("\"add\"")).unwrap();
    let context = session(1);
    for (stats, sql, is_kept) in [
        (
            r#"{"numRecords":2,"minValues":{"n":5},"maxValues":{"n":5},"nullCount":{"n":1}}"#,
            "n = 6",
            false,
        ),
        (
            r#"{"numRecords":2,"minValues":{"n":5},"maxValues":{"n":5},"nullCount":{"n":1}}"#,
            "n is null",
            true,
        ),
        (
            r#"{"numRecords":2,"minValues":{"n":5},"maxValues":{"n":5}}"#,
            "n is null",
            true,
        ),
        (
            r#"{"numRecords":2,"minValues":{"n":5},"maxValues":{"n":4}}"#,
            "n = 6",
            true,
        ),
        (
            r#"{"numRecords":2,"minValues":{"n":5},"nullCount":{"n":3}}"#,
            "n = 1",
            true,
        ),
        (r#"{"numRecords":2,"minValues":{"n":5}}"#, "n = 6", true),
        (r#"{"numRecords":2,"minValues":{"n":5}}"#, "n = 4", false),
        (
            r#"{"numRecords":2,"minValues":{"n":"5"},"maxValues":{"n":"5"}}"#,
            "n = 6",
            true,
        ),
        (r#"{"numRecords":2,"nullCount":{"n":2}}"#, "n = 6", false),
        (
            r#"{"numRecords":2,"nullCount":{"n":2},"tightBounds":false}"#,
            "n = 6",
            true,
        ),
        (
            r#"{"minValues":{"f":1.5},"maxValues":{"f":1.5},"numRecords":2}"#,
            "f > 7",
            true,
        ),
        ("{}", "n = 6", true),
    ] {
        let mut action: serde_json::Value = serde_json::from_str(add).unwrap();
        action["add"]["stats"] = stats.into();
        let changed = text.replace(add, &action.to_string());
        std::fs::write(&commit, changed).unwrap();
        let table = output.open().await;
        let pruning = table.prune(&context.state(), &[filter(&context, &table, sql)]);
        assert_eq!(pruning.candidate_count == 1, is_kept, "{stats} {sql}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_chooses_files_and_a_provider_reads_no_others() {
    let output = Output::partitioned_by(&["p"]);
    output
        .write("select * from (values ('a', 1), ('b', 2), (null, 3), ('d', 40)) as v(p, n)")
        .await
        .unwrap();
    let table = output.open().await;
    let context = session(1);
    let value = |text: &str| Some(text.to_owned());
    let partition = |op, values: Vec<Option<String>>| PruningPolicy {
        partition_filters: vec![PartitionFilter {
            column: "p".to_owned(),
            op,
            values,
        }],
        statistics_filters: Vec::new(),
    };
    let mut less = PruningPolicy::default();
    less.statistics_filters.push(StatisticsFilter {
        column: "n".to_owned(),
        op: StatisticsOperator::Less,
        value: "3".to_owned(),
    });
    for (policy, expected) in [
        (
            partition(PartitionOperator::Equal, vec![value("a")]),
            vec!["a|1"],
        ),
        (
            partition(PartitionOperator::Equal, vec![None]),
            vec!["NULL|3"],
        ),
        (
            partition(PartitionOperator::NotEqual, vec![value("a")]),
            vec!["NULL|3", "b|2", "d|40"],
        ),
        (
            partition(PartitionOperator::In, vec![value("b"), None]),
            vec!["NULL|3", "b|2"],
        ),
        (
            partition(PartitionOperator::NotIn, vec![value("b"), None]),
            vec!["a|1", "d|40"],
        ),
        (less, vec!["a|1", "b|2"]),
    ] {
        let filters = policy
            .filters(&table.schema(), table.partition_by())
            .unwrap();
        let pruning = table.prune(&context.state(), &filters);
        let provider = table.provider_of(&pruning.candidate_paths).unwrap();
        let batches = query(provider, "select * from t").await.unwrap();
        assert_eq!(rows(&batches, &table.schema()), expected, "{policy:?}");
        assert_eq!(pruning.candidate_count, expected.len());
        assert!(pruning.candidate_bytes < pruning.total_bytes);
    }
    let error = table
        .provider_of(&["other.parquet".to_owned()])
        .unwrap_err();
    assert_eq!(error.code(), codes::NO_SUCH_FILE);
    assert_eq!(
        output
            .open_at(DeltaVersionSelector::Latest)
            .await
            .unwrap()
            .n_files(),
        4
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_can_say_where_its_rows_are() {
    let output = Output::partitioned_by(&["p"]);
    output
        .write("select * from (values ('a', 1), ('b', 2)) as v(p, n)")
        .await
        .unwrap();
    let table = output.open().await;
    let config = ScanConfig {
        file_column: Some("file".to_owned()),
        parquet_pushdown: Some(true),
        ..ScanConfig::default()
    };
    let provider = table.provider_with(&config).unwrap();
    let sql = "select n, file from t where file like 'p=b/%' and n > 0";
    let batches = query(Arc::clone(&provider), sql).await.unwrap();
    let found = rows(&batches, &batches[0].schema());
    assert!(
        found.len() == 1 && found[0].starts_with("2|p=b/codeanatomy-"),
        "{found:?}"
    );
    let sql = "select count(*), count(distinct file), min(file) < max(file) from t";
    let batches = query(provider, sql).await.unwrap();
    assert_eq!(rows(&batches, &batches[0].schema()), ["2|2|true"]);
    let config = ScanConfig {
        file_column: Some("n".to_owned()),
        ..ScanConfig::default()
    };
    let error = table.provider_with(&config).unwrap_err();
    assert_eq!(error.code(), codes::INVALID_SCAN);
}

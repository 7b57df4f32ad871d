//! Planning: on many threads, in any order, on deep plans.

use std::sync::Arc;

use codeanatomy_session::{Session, on_planning_stack, parallel_map};
use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::datasource::MemTable;
use datafusion::physical_plan::displayable;

use crate::session;

/// Queries whose plans hold names that the planner makes up.
const QUERIES: [&str; 6] = [
    "select a from t where exists (select 1 from u where u.a = t.a and u.b = 'x')",
    "select a, (select max(u.a) from u where u.b = t.b) as m from t",
    "select a from t where a in (select a from u where u.b <> t.b) \
     and not exists (select 1 from u where u.a = t.a + 1)",
    "select t.a + u.a as s, count(*) as n from t join u on t.b = u.b group by t.a + u.a",
    "select a, now() as n, row_number() over (partition by b order by a) as r from t",
    "select sum(a * a + 1) as x, avg(a * a + 1) as y from t where a * a + 1 > 3 union all \
     select 1, 2.0",
];

fn with_tables(settings: &[(&str, &str)]) -> Session {
    let session = session(settings);
    let rows = |n: i64| {
        let a: ArrayRef = Arc::new(Int64Array::from_iter_values(0..n));
        let b: ArrayRef = Arc::new(StringArray::from_iter_values(
            (0..n).map(|i| (i % 7).to_string()),
        ));
        RecordBatch::try_from_iter([("a", a), ("b", b)]).unwrap()
    };
    for (name, n) in [("t", 1_000), ("u", 100)] {
        let batch = rows(n);
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).unwrap();
        session
            .context()
            .register_table(name, Arc::new(table))
            .unwrap();
    }
    session
}

/// The plan of a query in all its forms, made in a new state.
fn plans(session: &Session, sql: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let state = session.planning_state();
    runtime.block_on(async {
        let plan = state.create_logical_plan(sql).await.unwrap();
        let optimized = state.optimize(&plan).unwrap();
        let planner = state.query_planner();
        let physical = planner
            .create_physical_plan(&optimized, &state)
            .await
            .unwrap();
        format!(
            "{}\n{}\n{}",
            plan.display_indent_schema(),
            optimized.display_indent_schema(),
            displayable(physical.as_ref()).indent(true)
        )
    })
}

#[test]
fn plans_are_the_same_on_many_threads_in_any_order_and_session() {
    let session = with_tables(&[]);
    let expected: Vec<String> = QUERIES.iter().map(|sql| plans(&session, sql)).collect();
    assert!(expected[0].contains("__correlated_sq_1"), "{}", expected[0]);

    let mut items: Vec<usize> = (0..QUERIES.len()).cycle().take(24).collect();
    for n_threads in [1, 2, 8] {
        let made = parallel_map(n_threads, items.clone(), |item| {
            plans(&session, QUERIES[item])
        });
        for (item, made) in items.iter().zip(made) {
            assert_eq!(made, expected[*item]);
        }
        items.reverse();
    }

    let other = with_tables(&[]);
    for (sql, expected) in QUERIES.iter().zip(&expected).rev() {
        assert_eq!(&plans(&other, sql), expected);
    }
}

#[test]
fn a_state_that_is_used_twice_counts_on_which_is_why_each_view_gets_its_own() {
    let session = with_tables(&[]);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let state = session.planning_state();
    let plan_with = |state: &datafusion::execution::SessionState| {
        let plan = runtime
            .block_on(state.create_logical_plan(QUERIES[0]))
            .unwrap();
        state.optimize(&plan).unwrap().to_string()
    };
    assert!(plan_with(&state).contains("__correlated_sq_1"));
    assert!(!plan_with(&state).contains("__correlated_sq_1"));
    assert!(!plan_with(&state.clone()).contains("__correlated_sq_1"));
    assert!(plan_with(&session.planning_state()).contains("__correlated_sq_1"));
}

#[test]
fn the_tasks_that_plan_a_query_do_not_change_its_plan() {
    let [one, many] = ["1", "16"].map(|tasks| with_tables(&[("planning_concurrency", tasks)]));
    for sql in QUERIES {
        assert_eq!(plans(&one, sql), plans(&many, sql));
    }
}

#[test]
fn thousands_of_ors_are_planned_on_a_planning_stack() {
    let session = with_tables(&[]);
    let terms: Vec<String> = (0..3_000).map(|i| format!("a = {i}")).collect();
    let sql = format!("select a from t where {}", terms.join(" or "));
    let plan = on_planning_stack(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let state = session.planning_state();
        let plan = runtime.block_on(state.create_logical_plan(&sql)).unwrap();
        plan.to_string()
    });
    assert!(plan.contains("t.a = Int64(2999)"));
}

#[test]
fn nesting_beyond_the_limit_is_refused_and_not_a_crash() {
    let session = with_tables(&[]);
    let sql = format!("select {}1{}", "(".repeat(20_000), ")".repeat(20_000));
    let refused = on_planning_stack(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let state = session.planning_state();
        runtime.block_on(state.create_logical_plan(&sql)).is_err()
    });
    assert!(refused);
}

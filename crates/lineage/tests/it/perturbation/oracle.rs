//! Runs a query again and again on changed tables, and holds its lineage against what changes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use codeanatomy_lineage::{ColumnLineage, column_lineage};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::datasource::MemTable;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use datafusion_expr::LogicalPlan;

use super::data::{Random, Table};

/// A query that runs, with its tables.
pub(super) struct Experiment {
    sql: String,
    tables: Vec<Table>,
    stored: Vec<Arc<MemTable>>,
    ctx: SessionContext,
    optimized: LogicalPlan,
    /// The lineage of the plan as it was written, and of the optimized one.
    lineages: [ColumnLineage; 2],
    /// The values of each output column, sorted.
    before: Vec<Vec<String>>,
}

/// What was tried and found.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) queries: u64,
    runs: u64,
    /// Changes of a table column that changed an output column.
    shown: u64,
    /// Pairs of a table column and an output column with an edge in the optimized plan, and those of
    /// them where a change showed.
    edges: u64,
    confirmed: u64,
}

impl Experiment {
    /// `None` if the engine cannot plan or run the query.
    pub(super) async fn new(
        sql: &str,
        tables: Vec<Table>,
        views: &[(String, String)],
    ) -> Option<Self> {
        let ctx = SessionContext::new_with_state(state());
        let mut stored = Vec::new();
        for table in &tables {
            let memory = MemTable::try_new(table.schema(), vec![vec![table.batch()]]).unwrap();
            stored.push(Arc::new(memory));
            let memory = Arc::clone(stored.last().unwrap());
            ctx.register_table(table.name, memory).unwrap();
        }
        for (name, sql) in views {
            let view = format!("CREATE VIEW {name} AS {sql}");
            ctx.sql(&view).await.unwrap();
        }
        let state = ctx.state();
        let plan = state.create_logical_plan(sql).await.ok()?;
        let optimized = state.optimize(&plan).ok()?;
        let lineages = [&plan, &optimized].map(column_lineage);
        let mut experiment = Self {
            sql: sql.to_owned(),
            tables,
            stored,
            ctx,
            optimized,
            lineages,
            before: Vec::new(),
        };
        experiment.before = experiment.outcome().await?;
        Some(experiment)
    }

    /// Whether the query finds any row.
    pub(super) fn has_rows(&self) -> bool {
        self.before.iter().any(|values| !values.is_empty())
    }

    /// Changes each column of each table, `times` times, and looks at the output.
    pub(super) async fn run(&self, random: &mut Random, times: usize, tally: &mut Tally) {
        tally.queries += 1;
        let mut confirmed: BTreeSet<(String, usize)> = BTreeSet::new();
        let edges = self.edges();
        for lineage in &self.lineages {
            assert_eq!(lineage.columns.len(), self.before.len(), "{}", self.sql);
        }
        let mut silent = Vec::new();
        for (table, of_table) in self.tables.iter().enumerate() {
            for column in 0..of_table.columns.len() {
                let source = format!("{}.{}", of_table.name, of_table.columns[column].0);
                if edges.iter().all(|edges| !edges.contains_key(&source)) {
                    silent.push((table, column));
                    continue;
                }
                for _ in 0..times {
                    for output in self.changed(&[(table, column)], random, tally).await {
                        tally.shown += 1;
                        for (edges, form) in edges.iter().zip(["planned", "optimized"]) {
                            let reached = edges.get(&source);
                            assert!(
                                reached.is_some_and(|outputs| outputs.contains(&output)),
                                "no edge in the {form} plan from {source} to output {output} of\n{}\n{}",
                                self.sql,
                                self.optimized.display_indent(),
                            );
                        }
                        confirmed.insert((source.clone(), output));
                    }
                }
            }
        }
        // Columns without any edge may change all at once, and nothing shows.
        if !silent.is_empty() {
            for _ in 0..times {
                let changed = self.changed(&silent, random, tally).await;
                let sources = silent.iter().map(|(table, column)| {
                    let table = &self.tables[*table];
                    (table.name, table.columns[*column].0)
                });
                let sources: Vec<_> = sources.collect();
                assert!(
                    changed.is_empty(),
                    "one of {sources:?} shows in\n{}",
                    self.sql
                );
            }
        }
        tally.edges += edges[1]
            .values()
            .map(|outputs| outputs.len() as u64)
            .sum::<u64>();
        let [_, edges] = edges;
        let known = |(source, output): &&(String, usize)| edges[source].contains(output);
        tally.confirmed += confirmed.iter().filter(known).count() as u64;
    }

    /// For each table column the positions of the output columns that have an edge from it.
    fn edges(&self) -> [BTreeMap<String, BTreeSet<usize>>; 2] {
        [0, 1].map(|form| {
            let lineage = &self.lineages[form];
            let mut reached: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
            for output in 0..lineage.columns.len() {
                for edge in lineage.edges(output) {
                    reached
                        .entry(edge.source.to_string())
                        .or_default()
                        .insert(output);
                }
            }
            reached
        })
    }

    /// The positions of the output columns that change with some table columns.
    async fn changed(
        &self,
        columns: &[(usize, usize)],
        random: &mut Random,
        tally: &mut Tally,
    ) -> Vec<usize> {
        for &(table, column) in columns {
            let current = self.stored[table].batches[0].read().await[0]
                .columns()
                .to_vec();
            let mut changed = self.tables[table].with_new(column, random);
            for (position, values) in current.into_iter().enumerate() {
                if position != column {
                    changed.values[position] = values;
                }
            }
            *self.stored[table].batches[0].write().await = vec![changed.batch()];
        }
        tally.runs += 1;
        let after = self.outcome().await;
        for &(table, _) in columns {
            *self.stored[table].batches[0].write().await = vec![self.tables[table].batch()];
        }
        // A query that fails on other data shows nothing.
        let Some(after) = after else {
            return Vec::new();
        };
        let outputs = self.before.iter().zip(&after).enumerate();
        let differing = outputs.filter(|(_, (before, after))| before != after);
        differing.map(|(output, _)| output).collect()
    }

    async fn outcome(&self) -> Option<Vec<Vec<String>>> {
        let state = self.ctx.state();
        let plan = state
            .query_planner()
            .create_physical_plan(&self.optimized, &state)
            .await
            .ok()?;
        let batches = datafusion::physical_plan::collect(plan, self.ctx.task_ctx())
            .await
            .ok()?;
        let width = self.optimized.schema().fields().len();
        Some((0..width).map(|column| values(&batches, column)).collect())
    }
}

/// A session whose physical plans are right, and not the best ones: planning takes most of the time.
fn state() -> SessionState {
    const NEEDED: [&str; 2] = ["OutputRequirements", "EnsureRequirements"];
    let config = SessionConfig::new().with_target_partitions(1);
    let state = SessionStateBuilder::new_with_default_features()
        .with_config(config)
        .build();
    let rules = state.physical_optimizers().iter();
    let needed = rules.filter(|rule| NEEDED.contains(&rule.name())).cloned();
    let needed = needed.collect();
    SessionStateBuilder::new_from_existing(state)
        .with_physical_optimizer_rules(needed)
        .build()
}

fn values(batches: &[RecordBatch], column: usize) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let mut values = Vec::new();
    for batch in batches {
        let formatter = ArrayFormatter::try_new(batch.column(column), &options).unwrap();
        values.extend((0..batch.num_rows()).map(|row| formatter.value(row).to_string()));
    }
    values.sort_unstable();
    values
}

impl Tally {
    pub(super) fn report(&self, what: &str) {
        println!("{what}: {self}");
        // If hardly any change shows, the experiments prove nothing.
        assert!(4 * self.confirmed > self.edges, "{what}: {self}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            queries,
            runs,
            shown,
            edges,
            confirmed,
        } = self;
        let percent = 100 * confirmed / (*edges).max(1);
        write!(
            f,
            "{queries} queries, {runs} runs on changed tables, {shown} changes of output columns, 0 without an edge; \
             {confirmed} of {edges} edges ({percent} %) showed a change"
        )
    }
}

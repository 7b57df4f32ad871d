//! Sessions for whole corpora of queries: random ones over random rows, and the TPC-H views.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use codeanatomy_plan::forms::{FormKind, PlanForms, plan_forms, restore_plan};
use codeanatomy_plan::{IdentityInputs, InputIdentity, InputKind, PlanBundle};
use codeanatomy_testkit::queries::tables;
use codeanatomy_views::SchemaSource;
use codeanatomy_vocab::{Fingerprint, ViewName};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::Transformed;
use datafusion::datasource::provider_as_source;
use datafusion::datasource::{MemTable, empty::EmptyTable};
use datafusion::execution::SessionState;
use datafusion::logical_expr::logical_plan::TableScan;
use datafusion::logical_expr::{LogicalPlan, ScalarUDF, TableSource};
use datafusion::physical_plan::collect;
use datafusion::prelude::{SessionConfig, SessionContext};

/// A planning session over schemas, and rows to run its plans on.
pub(crate) struct Corpus {
    ctx: SessionContext,
    pub(crate) state: SessionState,
    pub(crate) sources: BTreeMap<String, Arc<dyn TableSource>>,
    data: BTreeMap<String, Arc<dyn TableProvider>>,
    identities: IdentityInputs,
    runtime: tokio::runtime::Runtime,
}

/// A view of the TPC-H example.
pub(crate) struct View {
    pub(crate) name: String,
    pub(crate) sql: String,
    pub(crate) bundle: PlanBundle,
}

/// The rows of a result as text, sorted.
pub(crate) type Rows = Vec<String>;

impl Corpus {
    /// Over the tables of the random queries.
    pub(crate) fn random(seed: u64) -> Self {
        let data = tables().into_iter().enumerate().map(|(number, table)| {
            let n_rows = 9 - 2 * number;
            let batch = table.random_batch(seed + number as u64, n_rows).unwrap();
            let provider = MemTable::try_new(table.schema, vec![vec![batch]]).unwrap();
            (
                table.name.to_owned(),
                Arc::new(provider) as Arc<dyn TableProvider>,
            )
        });
        Self::over(data.collect())
    }

    /// Over the tables of TPC-H and the views between, without rows; with the bundles of all views.
    pub(crate) fn tpch() -> (Self, Vec<View>) {
        let mut corpus = Self::over(tpch_tables());
        let mut views = Vec::new();
        let mut waiting = tpch_views();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|(name, sql)| match corpus.bundle(sql) {
                Some(bundle) => {
                    corpus.add_table(name, &bundle.schema);
                    views.push(View {
                        name: name.clone(),
                        sql: sql.clone(),
                        bundle,
                    });
                    false
                }
                None => true,
            });
            assert!(waiting.len() < before, "these have no plan: {waiting:?}");
        }
        (corpus, views)
    }

    fn add_table(&mut self, name: &str, schema: &SchemaRef) {
        let table = Arc::new(EmptyTable::new(Arc::clone(schema)));
        self.ctx.register_table(name, table).unwrap();
        self.state = self.ctx.state();
        let source: Arc<dyn TableSource> = Arc::new(SchemaSource::new(Arc::clone(schema)));
        self.sources.insert(name.to_owned(), source);
        self.identities.inputs.insert(name.to_owned(), identity());
    }

    /// Adds a function to the session.
    pub(crate) fn register(&mut self, function: ScalarUDF) {
        self.ctx.register_udf(function);
        self.state = self.ctx.state();
    }

    fn over(data: BTreeMap<String, Arc<dyn TableProvider>>) -> Self {
        let config = SessionConfig::new()
            .with_target_partitions(1)
            .set_bool(
                "datafusion.optimizer.enable_aggregate_dynamic_filter_pushdown",
                false,
            )
            .set_str("datafusion.execution.time_zone", "+00:00");
        let ctx = SessionContext::new_with_config(config);
        let names = data.keys().map(|name| (name.clone(), identity()));
        let identities = IdentityInputs {
            inputs: names.collect(),
            ..IdentityInputs::default()
        };
        let sources = data
            .iter()
            .map(|(name, provider)| {
                ctx.register_table(name, Arc::clone(provider)).unwrap();
                let source: Arc<dyn TableSource> = Arc::new(SchemaSource::new(provider.schema()));
                (name.clone(), source)
            })
            .collect();
        Self {
            state: ctx.state(),
            ctx,
            sources,
            identities,
            data,
            runtime: tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap(),
        }
    }

    /// The bundle of a query; `None` where the engine refuses it.
    pub(crate) fn bundle(&self, sql: &str) -> Option<PlanBundle> {
        let (analyzed, optimized) = self.plan(sql)?;
        self.bundle_of(analyzed, optimized).ok()
    }

    pub(crate) fn bundle_of(
        &self,
        analyzed: LogicalPlan,
        optimized: LogicalPlan,
    ) -> codeanatomy_vocab::Result<PlanBundle> {
        let view = ViewName::new("random").unwrap();
        PlanBundle::new(&view, analyzed, optimized, &self.identities)
    }

    /// The analyzed and the optimized plan.
    pub(crate) fn plan(&self, sql: &str) -> Option<(LogicalPlan, LogicalPlan)> {
        let logical = self
            .runtime
            .block_on(self.state.create_logical_plan(sql))
            .ok()?;
        let logical = with_sources(logical, |scan| {
            self.sources.get(scan.table_name.table()).map(Arc::clone)
        });
        let analyzed = self
            .state
            .analyzer()
            .execute_and_check(logical, self.state.config_options(), |_, _| {})
            .ok()?;
        let optimized = self
            .state
            .optimizer()
            .optimize(analyzed.clone(), &self.state, |_, _| {})
            .ok()?;
        Some((analyzed, optimized))
    }

    pub(crate) fn forms(&self, bundle: &PlanBundle) -> PlanForms {
        plan_forms(bundle, &self.sources, &self.state)
    }

    pub(crate) fn restore(
        &self,
        kind: FormKind,
        bytes: &[u8],
        digest: Fingerprint,
    ) -> codeanatomy_vocab::Result<LogicalPlan> {
        restore_plan(kind, bytes, &self.sources, &self.state, digest)
    }

    /// Runs a plan over the rows; the error as text where it fails.
    pub(crate) fn run(&self, plan: &LogicalPlan) -> Result<Rows, String> {
        let plan = with_sources(plan.clone(), |scan| {
            let provider = self.data.get(scan.table_name.table())?;
            Some(provider_as_source(Arc::clone(provider)))
        });
        let work = || {
            self.runtime.block_on(async {
                let planner = self.state.query_planner();
                let plan = planner.create_physical_plan(&plan, &self.state).await?;
                collect(plan, self.state.task_ctx()).await
            })
        };
        // Some functions of the engine panic on some rows.
        catch_unwind(AssertUnwindSafe(work))
            .map_err(|_| "the engine panicked".to_owned())?
            .map(|batches| rows_of(&batches))
            .map_err(|error| error.strip_backtrace())
    }
}

fn identity() -> InputIdentity {
    InputIdentity {
        kind: InputKind::Dataset,
        identity: Fingerprint::from_bytes([1; 32]),
        footprint: Fingerprint::from_bytes([2; 32]),
        detail: String::new(),
    }
}

fn with_sources(
    plan: LogicalPlan,
    source: impl Fn(&TableScan) -> Option<Arc<dyn TableSource>>,
) -> LogicalPlan {
    plan.transform_up_with_subqueries(|node| match node {
        LogicalPlan::TableScan(scan) => Ok(match source(&scan) {
            Some(source) => Transformed::yes(LogicalPlan::TableScan(TableScan { source, ..scan })),
            None => Transformed::no(LogicalPlan::TableScan(scan)),
        }),
        other => Ok(Transformed::no(other)),
    })
    .unwrap()
    .data
}

fn rows_of(batches: &[RecordBatch]) -> Rows {
    let options = FormatOptions::default().with_null("<null>");
    let mut rows = Vec::new();
    for batch in batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = columns
                .iter()
                .map(|column| column.value(row).to_string())
                .collect();
            rows.push(cells.join(" | "));
        }
    }
    rows.sort_unstable();
    rows
}

/// The tables that the TPC-H queries read, and the views that stand between.
fn tpch_tables() -> BTreeMap<String, Arc<dyn TableProvider>> {
    let of = |name: &str, data_type| Field::new(name, data_type, true);
    let int = |name: &str| of(name, DataType::Int64);
    let text = |name: &str| of(name, DataType::Utf8);
    let money = |name: &str| of(name, DataType::Decimal128(15, 2));
    let date = |name: &str| of(name, DataType::Date32);
    let schemas = [
        (
            "region",
            vec![int("r_regionkey"), text("r_name"), text("r_comment")],
        ),
        (
            "nation",
            vec![
                int("n_nationkey"),
                text("n_name"),
                int("n_regionkey"),
                text("n_comment"),
            ],
        ),
        (
            "supplier",
            vec![
                int("s_suppkey"),
                text("s_name"),
                text("s_address"),
                int("s_nationkey"),
                text("s_phone"),
                money("s_acctbal"),
                text("s_comment"),
            ],
        ),
        (
            "customer",
            vec![
                int("c_custkey"),
                text("c_name"),
                text("c_address"),
                int("c_nationkey"),
                text("c_phone"),
                money("c_acctbal"),
                text("c_mktsegment"),
                text("c_comment"),
            ],
        ),
        (
            "part",
            vec![
                int("p_partkey"),
                text("p_name"),
                text("p_mfgr"),
                text("p_brand"),
                text("p_type"),
                of("p_size", DataType::Int32),
                text("p_container"),
                money("p_retailprice"),
                text("p_comment"),
            ],
        ),
        (
            "partsupp",
            vec![
                int("ps_partkey"),
                int("ps_suppkey"),
                of("ps_availqty", DataType::Int32),
                money("ps_supplycost"),
                text("ps_comment"),
            ],
        ),
        (
            "orders",
            vec![
                int("o_orderkey"),
                int("o_custkey"),
                text("o_orderstatus"),
                money("o_totalprice"),
                date("o_orderdate"),
                text("o_orderpriority"),
                text("o_clerk"),
                of("o_shippriority", DataType::Int32),
                text("o_comment"),
            ],
        ),
        (
            "lineitem",
            vec![
                int("l_orderkey"),
                int("l_partkey"),
                int("l_suppkey"),
                of("l_linenumber", DataType::Int32),
                money("l_quantity"),
                money("l_extendedprice"),
                money("l_discount"),
                money("l_tax"),
                text("l_returnflag"),
                text("l_linestatus"),
                date("l_shipdate"),
                date("l_commitdate"),
                date("l_receiptdate"),
                text("l_shipinstruct"),
                text("l_shipmode"),
                text("l_comment"),
            ],
        ),
    ];
    schemas
        .into_iter()
        .map(|(name, fields)| {
            let table: Arc<dyn TableProvider> =
                Arc::new(EmptyTable::new(Arc::new(Schema::new(fields))));
            (name.to_owned(), table)
        })
        .collect()
}

/// Every view of the TPC-H example as (name, SQL).
fn tpch_views() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/tpch/views");
    let mut views = Vec::new();
    for folder in ["staging", "marts", "queries"] {
        let mut files: Vec<_> = std::fs::read_dir(root.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|ext| ext == "sql"))
            .collect();
        files.sort();
        for file in files {
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            views.push((name, std::fs::read_to_string(&file).unwrap()));
        }
    }
    views
}

//! A session over a few empty tables, and plans made in it.

use std::sync::Arc;

use codeanatomy_plan::{PlanDigest, plan_digest};
use codeanatomy_vocab::Fingerprint;
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use datafusion::datasource::empty::EmptyTable;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::prelude::{SessionConfig, SessionContext};

/// A planning session.
pub(crate) struct Session {
    /// One state for all plans, so that its counters go on from plan to plan.
    pub(crate) state: SessionState,
    runtime: tokio::runtime::Runtime,
}

impl Session {
    /// A session over the tables `t`, `u` and `v`.
    pub(crate) fn new() -> Self {
        Self::with_config(SessionConfig::new().with_target_partitions(2))
    }

    /// A session whose SQL has lambdas, which the default dialect has not.
    pub(crate) fn with_lambdas() -> Self {
        Self::with_config(
            SessionConfig::new().set_str("datafusion.sql_parser.dialect", "databricks"),
        )
    }

    pub(crate) fn with_config(config: SessionConfig) -> Self {
        let ctx = SessionContext::new_with_config(config);
        for (name, schema) in tables() {
            ctx.register_table(name, Arc::new(EmptyTable::new(Arc::new(schema))))
                .unwrap();
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let state = ctx.state();
        Self { state, runtime }
    }

    /// The plan as the query says it.
    pub(crate) fn logical(&self, sql: &str) -> LogicalPlan {
        self.runtime
            .block_on(self.state.create_logical_plan(sql))
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The plan with types and functions resolved, before any optimization.
    pub(crate) fn analyzed(&self, sql: &str) -> LogicalPlan {
        let options = self.state.config_options();
        self.state
            .analyzer()
            .execute_and_check(self.logical(sql), options, |_, _| {})
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The optimized plan.
    pub(crate) fn plan(&self, sql: &str) -> LogicalPlan {
        self.state
            .optimize(&self.logical(sql))
            .unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// The optimized plan, if there is one.
    pub(crate) fn try_plan(&self, sql: &str) -> datafusion::common::Result<LogicalPlan> {
        let logical = self.runtime.block_on(self.state.create_logical_plan(sql))?;
        self.state.optimize(&logical)
    }

    pub(crate) fn plan_digest(&self, sql: &str) -> PlanDigest {
        plan_digest(&self.plan(sql)).unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    pub(crate) fn digest(&self, sql: &str) -> Fingerprint {
        self.plan_digest(sql).digest
    }
}

/// What both sides of a comparison look like, for the message of a failed test.
pub(crate) fn side_by_side(session: &Session, one: &str, other: &str) -> String {
    let text = |sql| codeanatomy_plan::plan_text(&session.plan(sql));
    format!("{one}\n{}\n\n{other}\n{}", text(one), text(other))
}

fn tables() -> Vec<(&'static str, Schema)> {
    let field = |name: &str, data_type| Field::new(name, data_type, true);
    let key = |name: &str| Field::new(name, DataType::Int64, false);
    let text = || DataType::Utf8;
    let t = Schema::new(vec![
        field("a", DataType::Int64),
        field("b", DataType::Int64),
        field("c", text()),
        field("d", DataType::Float64),
        field("e", DataType::Decimal128(15, 2)),
        field("ts", DataType::Timestamp(TimeUnit::Microsecond, None)),
        field(
            "tz",
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        ),
        field("day", DataType::Date32),
        field("flag", DataType::Boolean),
        field("list", DataType::new_list(DataType::Int64, true)),
        field(
            "s",
            DataType::Struct(Fields::from(vec![
                field("x", DataType::Int64),
                field("y", text()),
            ])),
        ),
        key("k"),
    ]);
    let u = Schema::new(vec![
        field("a", DataType::Int64),
        field("b", DataType::Int64),
        field("c", text()),
        key("k"),
    ]);
    let v = Schema::new(vec![key("id"), field("parent", DataType::Int64)]);
    vec![("t", t), ("u", u), ("v", v)]
}

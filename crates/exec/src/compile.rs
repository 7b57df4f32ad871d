//! From the text of one view to its plans.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use codeanatomy_session::Session;
use codeanatomy_udf::factory::{Macros, inline};
use codeanatomy_udf::recorded_planners;
use codeanatomy_views::{SchemaSource, compile_error};
use codeanatomy_vocab::{Error, Location, Result, nearest};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::metadata::ScalarAndMetadata;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, DataFusionError, ParamValues};
use datafusion::execution::SessionState;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, TableSource, cast};
use datafusion::sql::planner::{ParserOptions, SqlToRel};

use crate::ViewDefinition;
use crate::codes;
use crate::context::PlanningContext;

/// A view's plans against the schemas of what it reads.
#[derive(Debug)]
pub(crate) struct Compiled {
    /// After the analyzer: all names and types are resolved, nothing is moved. Upstream plans can
    /// be put in place of its scans.
    pub(crate) analyzed: LogicalPlan,
    /// After the optimizer.
    pub(crate) optimized: LogicalPlan,
    /// The parameters that the query uses, without the `$`.
    pub(crate) parameters: BTreeSet<String>,
    /// The named planners that made something of the query's text.
    pub(crate) planned_with: BTreeSet<String>,
}

/// A table as a view's text finds it.
#[derive(Debug)]
pub(crate) struct Readable<'a> {
    /// Its columns.
    pub(crate) schema: SchemaRef,
    /// Its columns as scans return them.
    pub(crate) stored: &'a SchemaRef,
    /// Conditions on its rows; those that fulfil them not are not seen.
    pub(crate) filters: &'a [Expr],
}

/// Plans a view. `tables` holds everything that its text refers to. What it calls of `macros` is
/// not in its plans: their bodies are.
pub(crate) fn compile(
    session: &Session,
    view: &ViewDefinition,
    tables: &BTreeMap<String, Readable<'_>>,
    macros: &Macros,
) -> Result<Compiled> {
    let mut state = session.planning_state();
    macros.register(&mut state).map_err(|source| {
        Error::new(codes::INTERNAL, "the session does not take the macros")
            .with_source(source)
            .with_help("report this with the version of the engine")
    })?;
    let state = state;
    let failed = |error: DataFusionError| plan_error(&error, view, &state);
    let sources: BTreeMap<String, Arc<dyn TableSource>> = tables
        .iter()
        .map(|(name, table)| {
            let schema = Arc::clone(&table.schema);
            let source: Arc<dyn TableSource> = Arc::new(SchemaSource::new(schema));
            (name.clone(), source)
        })
        .collect();
    let (planners, used) = recorded_planners(&state);
    let context = PlanningContext::new(&state, &sources, planners);
    let plan = SqlToRel::new_with_options(&context, parser_options(&state))
        .statement_to_plan(view.spec.statement().clone())
        .map_err(failed)?;
    let (plan, parameters) = bind_parameters(plan, view)?;
    let analyzed = state
        .analyzer()
        .execute_and_check(plan, state.config_options(), |_, _| {})
        .and_then(|plan| as_stored(plan, tables))
        .map_err(failed)?;
    let inlined = inline(analyzed).map_err(failed)?;
    let analyzed = if inlined.transformed {
        state
            .analyzer()
            .execute_and_check(inlined.data, state.config_options(), |_, _| {})
            .map_err(failed)?
    } else {
        inlined.data
    };
    check_columns(&analyzed, view)?;
    let optimized = state
        .optimizer()
        .optimize(analyzed.clone(), &state, |_, _| {})
        .map_err(failed)?;
    Ok(Compiled {
        analyzed,
        optimized,
        parameters,
        planned_with: used.tags(),
    })
}

/// Scans tables as they are stored, puts their conditions over the scans, and the types over these
/// that the text sees. The optimizer treats all of it like the text.
fn as_stored(
    plan: LogicalPlan,
    tables: &BTreeMap<String, Readable<'_>>,
) -> Result<LogicalPlan, DataFusionError> {
    let is_plain = |table: &Readable<'_>| table.filters.is_empty() && table.schema == *table.stored;
    if tables.values().all(is_plain) {
        return Ok(plan);
    }
    plan.transform_up_with_subqueries(|node| {
        let LogicalPlan::TableScan(scan) = &node else {
            return Ok(Transformed::no(node));
        };
        let table = match tables.get(scan.table_name.table()) {
            Some(table) if scan.source.is::<SchemaSource>() && !is_plain(table) => table,
            _ => return Ok(Transformed::no(node)),
        };
        let name = scan.table_name.clone();
        let source = Arc::new(SchemaSource::new(Arc::clone(table.stored)));
        let mut plan = LogicalPlanBuilder::scan(name.clone(), source, None)?;
        if let Some(filter) = conjunction(table.filters.iter().cloned()) {
            plan = plan.filter(filter)?;
        }
        if table.schema != *table.stored {
            let fields = table.schema.fields().iter().zip(table.stored.fields());
            plan = plan.project(fields.map(|(seen, stored)| {
                let column = Expr::from(Column::new(Some(name.clone()), stored.name()));
                if seen.data_type() == stored.data_type() {
                    column
                } else {
                    cast(column, seen.data_type().clone())
                        .alias_qualified(Some(name.clone()), seen.name())
                }
            }))?;
        }
        plan.build().map(Transformed::yes)
    })
    .map(|transformed| transformed.data)
}

fn parser_options(state: &SessionState) -> ParserOptions {
    let options = &state.config_options().sql_parser;
    ParserOptions {
        parse_float_as_decimal: options.parse_float_as_decimal,
        enable_ident_normalization: options.enable_ident_normalization,
        enable_options_value_normalization: options.enable_options_value_normalization,
        support_varchar_with_length: options.support_varchar_with_length,
        map_string_types_to_utf8view: options.map_string_types_to_utf8view,
        collect_spans: options.collect_spans,
        default_null_ordering: options.default_null_ordering.as_str().into(),
    }
}

/// The plan with values in the place of its parameters, and the names of these.
fn bind_parameters(
    plan: LogicalPlan,
    view: &ViewDefinition,
) -> Result<(LogicalPlan, BTreeSet<String>)> {
    let failed = |error: DataFusionError| {
        Error::new(
            codes::UNKNOWN_PARAMETER,
            format!("a parameter cannot be bound: {error}"),
        )
        .at(Location::file(view.spec.path()))
        .with("view", view.spec.name())
        .with_help("declare it under [params] in the .toml beside the view")
    };
    let used: BTreeSet<String> = plan
        .get_parameter_names()
        .map_err(failed)?
        .into_iter()
        .map(|name| name.trim_start_matches('$').to_owned())
        .collect();
    if used.is_empty() {
        return Ok((plan, used));
    }
    for name in &used {
        if !view.params.contains_key(name) {
            return Err(Error::new(
                codes::UNKNOWN_PARAMETER,
                format!("the parameter `${name}` is not declared"),
            )
            .at(text_location(view, &format!("${name}")))
            .with_nearest(nearest(name, view.params.keys().map(String::as_str)))
            .with("view", view.spec.name())
            .with_help(format!(
                "add `{name} = {{ type = \"...\", default = ... }}` under [params] in the .toml beside the view"
            )));
        }
    }
    let values = view
        .params
        .iter()
        .map(|(name, value)| {
            (
                name.clone(),
                ScalarAndMetadata::new(value.value.clone(), None),
            )
        })
        .collect();
    let plan = plan
        .with_param_values(ParamValues::Map(values))
        .map_err(failed)?;
    Ok((plan, used))
}

/// Where the view's text first holds `text`.
fn text_location(view: &ViewDefinition, text: &str) -> Location {
    let sql = view.spec.sql();
    match sql.find(text) {
        Some(at) => Location::span(view.spec.path(), Arc::clone(sql), at..at + text.len()),
        None => Location::file(view.spec.path()),
    }
}

/// Every output column has a name of its own, without regard to case: Delta and most readers do
/// not tell them apart by case.
fn check_columns(plan: &LogicalPlan, view: &ViewDefinition) -> Result<()> {
    let mut seen = BTreeSet::new();
    for field in plan.schema().fields() {
        if !seen.insert(field.name().to_lowercase()) {
            return Err(Error::new(
                codes::DUPLICATE_COLUMN,
                format!("the view has more than one column `{}`", field.name()),
            )
            .at(text_location(view, field.name()))
            .with("view", view.spec.name())
            .with_help("give each column a name of its own with AS"));
        }
    }
    Ok(())
}

/// What a view does in place of a table function.
fn instead_of(function: &str) -> String {
    match function {
        "generate_series" | "range" => {
            "for a series write `select unnest(generate_series(1, 10)) as n`".to_owned()
        }
        "delta_scan" | "parquet_scan" | "json_scan" => {
            "declare the data under [datasets] in codeanatomy.toml, where it is pinned, and name the \
             dataset in FROM"
                .to_owned()
        }
        "delta_cdf_scan" => "read the feed with `codeanatomy delta cdf`, write it to files, and declare \
                             these under [datasets]"
            .to_owned(),
        "delta_metadata" => "look with `codeanatomy delta info`".to_owned(),
        "delta_files" => "look with `codeanatomy delta files`".to_owned(),
        "udf_registry" => "look with `codeanatomy udf list`".to_owned(),
        _ => "declare the data under [datasets] in codeanatomy.toml, and name the dataset in FROM".to_owned(),
    }
}

fn plan_error(error: &DataFusionError, view: &ViewDefinition, state: &SessionState) -> Error {
    if let DataFusionError::Plan(text) = error.find_root()
        && let Some(name) = text
            .strip_prefix("table function '")
            .and_then(|t| t.strip_suffix('\''))
    {
        return Error::new(
            codes::TABLE_FUNCTION,
            format!(
                "the table function `{name}` cannot be used in a view: a plan does not show what it reads"
            ),
        )
        .at(text_location(view, name))
        .with("view", view.spec.name())
        .with_help(instead_of(name));
    }
    let mut functions: Vec<&str> = state
        .scalar_functions()
        .keys()
        .chain(state.aggregate_functions().keys())
        .chain(state.window_functions().keys())
        .map(String::as_str)
        .collect();
    functions.sort_unstable();
    compile_error(error, &view.spec, functions)
}

//! The plan bundle: a view's plan with its identity.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use codeanatomy_vocab::{Encoder, Error, Fingerprint, Result, ViewName, nearest};
use datafusion_common::arrow::datatypes::SchemaRef;
use datafusion_expr::LogicalPlan;

use crate::component::{plan_fingerprint, result_key};
use crate::determinism::schema_of;
use crate::error::codes;
use crate::{
    Component, ComponentClass, Determinism, FINGERPRINT_FORMAT, IdentityInputs, InputIdentity,
    PlanDigest, determinism, plan_digest, required_functions,
};

/// The engine's functions that return the time of the run; aliases count under these names.
const CLOCK_FUNCTIONS: [&str; 3] = ["current_date", "current_time", "now"];

/// A view's plan, what it is identified by, and what is known about it.
///
/// A handle for the running program. [`artifact`](Self::artifact) makes the form that is kept.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PlanBundle {
    /// The view.
    pub view: ViewName,
    /// The plan as the query says it.
    pub logical: LogicalPlan,
    /// The plan after the optimizer; the digest is taken over this one.
    pub optimized: LogicalPlan,
    /// The canonical digest of the optimized plan.
    pub digest: PlanDigest,
    /// Is this the same plan, in the same environment, on the same inputs?
    pub plan_fingerprint: Fingerprint,
    /// Could the rows differ? Equal keys mean equal rows, unless `digest.volatile` has an entry.
    pub result_key: Fingerprint,
    /// All components of both keys, and those of none; sorted by name and subject.
    pub components: Vec<Component>,
    /// How far two runs over the same inputs agree.
    pub determinism: Determinism,
    /// The node that decides [`determinism`](Self::determinism).
    pub determinism_reason: String,
    /// The functions of every kind that either plan calls, by name.
    pub required_udfs: BTreeSet<String>,
    /// The rewrites that took part in making the plan from its text, and those that its functions need.
    pub required_rewrite_tags: BTreeSet<String>,
    /// The output's columns: those of the optimized plan.
    pub schema: SchemaRef,
}

impl PlanBundle {
    /// Makes the bundle of a view from its plans and the identities of all that it may depend on.
    ///
    /// A volatile plan has keys too; whoever decides about reuse looks at `digest.volatile`.
    ///
    /// # Errors
    ///
    /// [`CA-PLAN-0003`](codes::INPUT_WITHOUT_IDENTITY) when the optimized plan reads a table that
    /// `inputs` does not know, and the errors of [`plan_digest`].
    pub fn new(
        view: &ViewName,
        logical: LogicalPlan,
        optimized: LogicalPlan,
        inputs: &IdentityInputs,
    ) -> Result<Self> {
        let digest = plan_digest(&optimized).map_err(|error| error.with("view", view))?;
        let mut required_udfs = required_functions(&logical);
        required_udfs.extend(digest.functions.iter().cloned());
        let required_rewrite_tags = required_rewrite_tags(&required_udfs, inputs);
        let components = components(&digest, &required_udfs, &required_rewrite_tags, inputs)
            .map_err(|error| error.with("view", view))?;
        let (determinism, determinism_reason) = determinism(&optimized);
        Ok(Self {
            view: view.clone(),
            plan_fingerprint: plan_fingerprint(&components),
            result_key: result_key(&components),
            components,
            determinism,
            determinism_reason,
            required_udfs,
            required_rewrite_tags,
            schema: Arc::clone(schema_of(&optimized).inner()),
            digest,
            logical,
            optimized,
        })
    }
}

/// What made the plan, and what its functions need.
fn required_rewrite_tags(
    required_udfs: &BTreeSet<String>,
    inputs: &IdentityInputs,
) -> BTreeSet<String> {
    let of_functions = required_udfs
        .iter()
        .filter_map(|name| inputs.rewrite_tags.get(name))
        .flatten();
    let tags = inputs.planned_with.iter().chain(of_functions);
    tags.cloned().collect()
}

/// All components, sorted by name and subject.
fn components(
    digest: &PlanDigest,
    required_udfs: &BTreeSet<String>,
    required_rewrite_tags: &BTreeSet<String>,
    inputs: &IdentityInputs,
) -> Result<Vec<Component>> {
    let IdentityInputs {
        engine_version,
        planning_env,
        semantic_settings,
        identity_settings,
        performance_settings,
        rulepack,
        parameters,
        run_time_unix_ms,
        function_registry,
        functions,
        udf_snapshot,
        rewrite_tags: _,
        planned_with: _,
        rewrites,
        contract,
        inputs,
        through,
    } = inputs;
    use ComponentClass::{Identity, Performance, Semantic};

    let mut components = vec![
        Component::new(
            "plan_digest",
            Semantic,
            digest.digest,
            format!("format {FINGERPRINT_FORMAT}"),
        ),
        Component::new(
            "engine_version",
            Semantic,
            text_hash("codeanatomy.engine_version", engine_version),
            engine_version,
        ),
        map_component("df_settings_semantic", Semantic, semantic_settings),
        map_component("df_settings_identity", Identity, identity_settings),
        map_component("df_settings_performance", Performance, performance_settings),
        map_component("planning_env", Identity, planning_env),
        Component::new(
            "rulepack",
            Identity,
            rulepack_hash(rulepack),
            rulepack.join(", "),
        ),
    ];
    for table in &digest.tables {
        let input = inputs
            .get(table)
            .ok_or_else(|| input_without_identity(table, inputs))?;
        let InputIdentity {
            kind,
            identity,
            footprint,
            schema,
            store_policy,
            detail,
        } = input;
        let detail = format!("{} {detail}", kind.as_str());
        components.push(
            Component::new("information_schema", Identity, *schema, "all its columns").of(table),
        );
        if let Some(policy) = store_policy {
            components.push(
                Component::new(
                    "delta_store_policy",
                    Identity,
                    *policy,
                    "its store's options",
                )
                .of(table),
            );
        }
        components.push(Component::new("input_identity", Identity, *identity, &detail).of(table));
        components.push(Component::new("input_footprint", Semantic, *footprint, detail).of(table));
    }
    let unread = through
        .iter()
        .filter(|(table, _)| !digest.tables.contains(*table));
    for (table, input) in unread {
        let detail = format!("{} {}", input.kind.as_str(), input.detail);
        components
            .push(Component::new("input_footprint", Semantic, input.footprint, detail).of(table));
    }
    for (name, value) in parameters {
        let hash = text_hash("codeanatomy.parameter", value);
        components.push(Component::new("parameter", Semantic, hash, value).of(name));
    }
    if let Some(unix_ms) = run_time_unix_ms
        && CLOCK_FUNCTIONS
            .iter()
            .any(|name| required_udfs.contains(*name))
    {
        let text = format!("{unix_ms} ms since 1970");
        let hash = text_hash("codeanatomy.run_time", &text);
        components.push(Component::new("run_time", Semantic, hash, text));
    }
    if let Some(hash) = function_registry {
        let detail = "all functions of the session";
        components.push(Component::new("function_registry", Identity, *hash, detail));
    }
    for name in required_udfs {
        if let Some(hash) = functions.get(name) {
            components.push(Component::new("function", Semantic, *hash, name).of(name));
        }
    }
    if let Some(hash) = udf_snapshot {
        let detail = "all functions and rewrites of the session";
        components.push(Component::new("udf_snapshot", Identity, *hash, detail));
    }
    for tag in required_rewrite_tags {
        // A rewrite without a digest is known by its name alone.
        let named = || text_hash("codeanatomy.rewrite_tag", tag);
        let hash = rewrites.get(tag).copied().unwrap_or_else(named);
        components.push(Component::new("rewrite_tag", Semantic, hash, tag).of(tag));
    }
    if let Some(contract) = contract {
        let class = if contract.alters_rows {
            Semantic
        } else {
            Identity
        };
        components.push(Component::new(
            "schema_contract",
            class,
            contract.hash,
            &contract.detail,
        ));
    }
    components.sort_by(|a, b| (a.name, &a.subject).cmp(&(b.name, &b.subject)));
    Ok(components)
}

fn input_without_identity(table: &str, inputs: &BTreeMap<String, InputIdentity>) -> Error {
    Error::new(
        codes::INPUT_WITHOUT_IDENTITY,
        format!("the plan reads the table `{table}`, but its identity is not known"),
    )
    .with_nearest(nearest(table, inputs.keys().map(String::as_str)))
    .with_help("report this with the query and the list of datasets")
}

fn map_component(
    name: &'static str,
    class: ComponentClass,
    map: &BTreeMap<String, String>,
) -> Component {
    let mut encoder = Encoder::new("codeanatomy.settings", FINGERPRINT_FORMAT);
    encoder.seq(map.iter(), |encoder, (key, value)| {
        encoder.str(key);
        encoder.str(value);
    });
    let lines: Vec<String> = map
        .iter()
        .map(|(key, value)| format!("{key} = {value}"))
        .collect();
    Component::new(name, class, encoder.finish(), lines.join("\n"))
}

fn rulepack_hash(rules: &[String]) -> Fingerprint {
    let mut encoder = Encoder::new("codeanatomy.rulepack", FINGERPRINT_FORMAT);
    encoder.seq(rules.iter(), |encoder, rule| encoder.str(rule));
    encoder.finish()
}

fn text_hash(domain: &str, text: &str) -> Fingerprint {
    let mut encoder = Encoder::new(domain, FINGERPRINT_FORMAT);
    encoder.str(text);
    encoder.finish()
}

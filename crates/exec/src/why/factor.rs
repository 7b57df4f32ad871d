//! The single changes between two records that an identity can depend on.

use std::collections::BTreeSet;
use std::sync::Arc;

use codeanatomy_vocab::{DatasetName, Errors, ViewName};

use crate::recorded::RecordedDataset;
use crate::{RecordedRead, RunInputs};

/// One thing that differs between two records and can be changed by itself.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Factor {
    /// The engine's version.
    Engine,
    /// The rules of the session.
    RulePack,
    /// The functions of the session, called or not.
    FunctionRegistry,
    /// What one function does.
    Function(String),
    /// The rewrites that take part in planning, and which functions need them.
    Rewrites,
    /// The text of an SQL macro, or that there is such a macro.
    Macro(String),
    /// The preset that settings start from.
    Preset,
    /// A setting, by its full key.
    Setting(String),
    /// The time of the run.
    RunTime,
    /// The text of a view, or that there is such a view.
    Query(ViewName),
    /// A parameter of a view.
    Parameter(ViewName, String),
    /// Whether a view is stored.
    CachePolicy(ViewName),
    /// The contract of a view.
    Contract(ViewName),
    /// The columns of a dataset, or that there is such a dataset.
    Schema(DatasetName),
    /// The conditions that a project puts on the rows of a dataset.
    Pruning(DatasetName),
    /// The rows of a dataset.
    Rows(DatasetName),
    /// Which version or table a dataset is, apart from its rows.
    Version(DatasetName),
    /// How a dataset's store is reached.
    StorePolicy(DatasetName),
}

/// Everything that differs between two records.
pub(super) fn factors(before: &RunInputs, after: &RunInputs) -> Vec<Factor> {
    let mut found = Vec::new();
    let mut differs = |differs: bool, factor: Factor| {
        if differs {
            found.push(factor);
        }
    };
    differs(
        before.engine_version != after.engine_version,
        Factor::Engine,
    );
    differs(before.rulepack != after.rulepack, Factor::RulePack);
    differs(
        before.function_registry != after.function_registry
            || before.udf_snapshot != after.udf_snapshot,
        Factor::FunctionRegistry,
    );
    differs(
        before.rewrites != after.rewrites || before.rewrite_tags != after.rewrite_tags,
        Factor::Rewrites,
    );
    let functions: BTreeSet<&String> = before
        .functions
        .keys()
        .chain(after.functions.keys())
        .collect();
    for name in functions {
        differs(
            before.functions.get(name) != after.functions.get(name),
            Factor::Function(name.clone()),
        );
    }
    let macros: BTreeSet<&String> = before.macros.keys().chain(after.macros.keys()).collect();
    for name in macros {
        let sql = |inputs: &RunInputs| inputs.macros.get(name).map(|file| Arc::clone(&file.sql));
        differs(sql(before) != sql(after), Factor::Macro(name.clone()));
    }
    differs(
        before.profile.base_preset() != after.profile.base_preset(),
        Factor::Preset,
    );
    for change in before.profile.changes(&after.profile) {
        differs(true, Factor::Setting(change.key));
    }
    differs(before.run_time != after.run_time, Factor::RunTime);
    view_factors(before, after, &mut differs);
    dataset_factors(before, after, &mut differs);
    found
}

fn view_factors(before: &RunInputs, after: &RunInputs, differs: &mut impl FnMut(bool, Factor)) {
    let names: BTreeSet<&ViewName> = before.views.keys().chain(after.views.keys()).collect();
    for name in names {
        let (Some(was), Some(is)) = (before.views.get(name), after.views.get(name)) else {
            differs(true, Factor::Query(name.clone()));
            continue;
        };
        differs(was.sql != is.sql, Factor::Query(name.clone()));
        let params: BTreeSet<&String> = was.params.keys().chain(is.params.keys()).collect();
        for param in params {
            differs(
                was.params.get(param) != is.params.get(param),
                Factor::Parameter(name.clone(), param.clone()),
            );
        }
        differs(
            was.output.is_some() != is.output.is_some(),
            Factor::CachePolicy(name.clone()),
        );
        differs(was.contract != is.contract, Factor::Contract(name.clone()));
    }
}

fn dataset_factors(before: &RunInputs, after: &RunInputs, differs: &mut impl FnMut(bool, Factor)) {
    let names: BTreeSet<&DatasetName> = before
        .datasets
        .keys()
        .chain(after.datasets.keys())
        .collect();
    for name in names {
        let (Some(was), Some(is)) = (before.datasets.get(name), after.datasets.get(name)) else {
            differs(true, Factor::Schema(name.clone()));
            continue;
        };
        differs(was.schema != is.schema, Factor::Schema(name.clone()));
        differs(was.pruning != is.pruning, Factor::Pruning(name.clone()));
        differs(rows_differ(was, is), Factor::Rows(name.clone()));
        differs(was.identity != is.identity, Factor::Version(name.clone()));
        differs(
            was.store_policy != is.store_policy,
            Factor::StorePolicy(name.clone()),
        );
    }
}

/// Whether a dataset holds other rows, or stands under another hash where the same was read.
fn rows_differ(was: &RecordedDataset, is: &RecordedDataset) -> bool {
    let hash_differs = |read: &RecordedRead| {
        is.reads.iter().any(|other| {
            other.view == read.view
                && other.scan.scope == read.scan.scope
                && other.scan.hash != read.scan.hash
        })
    };
    was.footprint != is.footprint || was.reads.iter().any(hash_differs)
}

/// `before` with the changes of `chosen` made.
///
/// # Errors
///
/// Settings that do not go together.
pub(super) fn mixed(
    before: &RunInputs,
    after: &RunInputs,
    chosen: &[&Factor],
) -> Result<RunInputs, Errors> {
    let mut mix = before.clone();
    // Of a table that is the same on both sides, what either side read is known.
    for (name, dataset) in &mut mix.datasets {
        if let Some(is) = after.datasets.get(name)
            && !rows_differ(dataset, is)
        {
            dataset.reads.extend(is.reads.iter().cloned());
        }
    }
    let mut settings = Vec::new();
    for factor in chosen {
        match factor {
            Factor::Engine => mix.engine_version.clone_from(&after.engine_version),
            Factor::RulePack => mix.rulepack.clone_from(&after.rulepack),
            Factor::FunctionRegistry => {
                mix.function_registry = after.function_registry;
                mix.udf_snapshot = after.udf_snapshot;
            }
            Factor::Rewrites => {
                mix.rewrites.clone_from(&after.rewrites);
                mix.rewrite_tags.clone_from(&after.rewrite_tags);
            }
            Factor::Function(name) => match after.functions.get(name) {
                Some(hash) => {
                    mix.functions.insert(name.clone(), *hash);
                }
                None => {
                    mix.functions.remove(name);
                }
            },
            Factor::Macro(name) => match after.macros.get(name) {
                Some(file) => {
                    mix.macros.insert(name.clone(), file.clone());
                }
                None => {
                    mix.macros.remove(name);
                }
            },
            Factor::Preset => mix.profile = mix.profile.with_preset_of(&after.profile),
            Factor::Setting(key) => settings.push(key.as_str()),
            Factor::RunTime => mix.run_time = after.run_time,
            Factor::Query(view) => match (mix.views.get_mut(view), after.views.get(view)) {
                (Some(mixed), Some(is)) => {
                    mixed.sql.clone_from(&is.sql);
                    mixed.path.clone_from(&is.path);
                }
                (None, Some(is)) => {
                    mix.views.insert(view.clone(), is.clone());
                }
                (_, None) => {
                    mix.views.remove(view);
                }
            },
            Factor::Parameter(view, name) => {
                let is = after.views.get(view).and_then(|view| view.params.get(name));
                if let Some(mixed) = mix.views.get_mut(view) {
                    match is {
                        Some(value) => {
                            mixed.params.insert(name.clone(), value.clone());
                        }
                        None => {
                            mixed.params.remove(name);
                        }
                    }
                }
            }
            Factor::CachePolicy(view) => {
                if let (Some(mixed), Some(is)) = (mix.views.get_mut(view), after.views.get(view)) {
                    mixed.output.clone_from(&is.output);
                }
            }
            Factor::Contract(view) => {
                if let (Some(mixed), Some(is)) = (mix.views.get_mut(view), after.views.get(view)) {
                    mixed.contract = is.contract;
                    mixed.altering.clone_from(&is.altering);
                }
            }
            Factor::Schema(dataset) => {
                match (mix.datasets.get_mut(dataset), after.datasets.get(dataset)) {
                    (Some(mixed), Some(is)) => {
                        mixed.schema.clone_from(&is.schema);
                        mixed.partition_by.clone_from(&is.partition_by);
                        mixed.scan.clone_from(&is.scan);
                    }
                    (None, Some(is)) => {
                        mix.datasets.insert(dataset.clone(), is.clone());
                    }
                    (_, None) => {
                        mix.datasets.remove(dataset);
                    }
                }
            }
            Factor::Pruning(dataset) => {
                if let (Some(mixed), Some(is)) =
                    (mix.datasets.get_mut(dataset), after.datasets.get(dataset))
                {
                    mixed.pruning.clone_from(&is.pruning);
                }
            }
            Factor::Rows(dataset) => {
                if let (Some(mixed), Some(is)) =
                    (mix.datasets.get_mut(dataset), after.datasets.get(dataset))
                {
                    mixed.footprint = is.footprint;
                    mixed.reads.clone_from(&is.reads);
                }
            }
            Factor::Version(dataset) => {
                if let (Some(mixed), Some(is)) =
                    (mix.datasets.get_mut(dataset), after.datasets.get(dataset))
                {
                    mixed.identity = is.identity;
                    mixed.pin.clone_from(&is.pin);
                }
            }
            Factor::StorePolicy(dataset) => {
                if let (Some(mixed), Some(is)) =
                    (mix.datasets.get_mut(dataset), after.datasets.get(dataset))
                {
                    mixed.store_policy = is.store_policy;
                }
            }
        }
    }
    mix.profile = mix.profile.with_values_of(&after.profile, settings)?;
    Ok(mix)
}

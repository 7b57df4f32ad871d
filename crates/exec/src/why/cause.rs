//! Changes in words.

use codeanatomy_session::{RuntimeProfile, SettingClass, SettingSource};
use codeanatomy_vocab::{DatasetName, Fingerprint, ViewName};
use datafusion::arrow::datatypes::Schema;

use super::{Cause, Comparison, Factor, Reads};
use crate::RunInputs;
use crate::footprint::instant;
use crate::recorded::{RecordedDataset, RecordedView};

impl Factor {
    /// The component of the identity, as bundles name it.
    fn component(&self) -> &'static str {
        match self {
            Self::Engine => "engine_version",
            Self::RulePack => "rulepack",
            Self::FunctionRegistry => "function_registry",
            Self::Function(_) => "function",
            Self::Rewrites => "rewrite_tag",
            Self::Preset => "planning_env",
            Self::Setting(_) => "df_settings",
            Self::RunTime => "run_time",
            Self::Query(_) | Self::Macro(_) | Self::Pruning(_) => "plan_digest",
            Self::Parameter(..) => "parameter",
            Self::CachePolicy(_) => "cache_policy",
            Self::Contract(_) => "schema_contract",
            Self::Schema(_) => "information_schema",
            Self::Rows(_) => "input_footprint",
            Self::Version(_) => "input_identity",
            Self::StorePolicy(_) => "delta_store_policy",
        }
    }

    /// The view that the change is in.
    pub(super) fn view(&self) -> Option<&ViewName> {
        match self {
            Self::Query(view)
            | Self::Parameter(view, _)
            | Self::CachePolicy(view)
            | Self::Contract(view) => Some(view),
            Self::Engine
            | Self::RulePack
            | Self::FunctionRegistry
            | Self::Function(_)
            | Self::Rewrites
            | Self::Macro(_)
            | Self::Preset
            | Self::Setting(_)
            | Self::RunTime
            | Self::Schema(_)
            | Self::Pruning(_)
            | Self::Rows(_)
            | Self::Version(_)
            | Self::StorePolicy(_) => None,
        }
    }

    fn subject(&self) -> Option<String> {
        match self {
            Self::Function(name)
            | Self::Macro(name)
            | Self::Setting(name)
            | Self::Parameter(_, name) => Some(name.clone()),
            Self::Query(view) | Self::CachePolicy(view) | Self::Contract(view) => {
                Some(view.to_string())
            }
            Self::Schema(dataset)
            | Self::Pruning(dataset)
            | Self::Rows(dataset)
            | Self::Version(dataset)
            | Self::StorePolicy(dataset) => Some(dataset.to_string()),
            Self::Engine
            | Self::RulePack
            | Self::FunctionRegistry
            | Self::Rewrites
            | Self::Preset
            | Self::RunTime => None,
        }
    }
}

/// Both sides of a change in words, and where it was made.
#[derive(Default)]
struct Sides {
    before: Option<String>,
    after: Option<String>,
    detail: String,
    file: Option<String>,
    line: Option<usize>,
}

impl Comparison<'_> {
    /// A change, seen from `view`.
    pub(super) fn describe(&self, factor: &Factor, view: &ViewName) -> Cause {
        let Sides {
            before,
            after,
            mut detail,
            file,
            line,
        } = self.sides(factor);
        if let Some(upstream) = factor.view().filter(|other| *other != view) {
            detail = format!("{detail}, in the upstream view `{upstream}`");
        }
        Cause {
            component: factor.component().to_owned(),
            subject: factor.subject(),
            view: factor.view().cloned(),
            before,
            after,
            detail,
            file,
            line,
            commit: None,
        }
    }

    /// A change that is no cause for `view`, with the reason why it is none.
    pub(super) fn unaffected(&self, factor: &Factor, view: &ViewName, reads: &Reads) -> Cause {
        let mut cause = self.describe(factor, view);
        cause.detail = format!("{}; {}", cause.detail, why_not(factor, view, reads));
        cause
    }

    fn sides(&self, factor: &Factor) -> Sides {
        let (before, after) = (self.before, self.after);
        match factor {
            Factor::Engine => Sides {
                before: Some(format!("datafusion {}", before.engine_version)),
                after: Some(format!("datafusion {}", after.engine_version)),
                detail: "another version of the engine".to_owned(),
                ..Sides::default()
            },
            Factor::RulePack => rule_sides(&before.rulepack, &after.rulepack),
            Factor::FunctionRegistry => Sides {
                before: Some(before.function_registry.short().to_string()),
                after: Some(after.function_registry.short().to_string()),
                detail: "functions were added, removed or declared otherwise".to_owned(),
                ..Sides::default()
            },
            Factor::Function(name) => Sides {
                before: before.functions.get(name).map(short),
                after: after.functions.get(name).map(short),
                detail: format!("another implementation of the function `{name}`"),
                ..Sides::default()
            },
            Factor::Rewrites => {
                let tags = |inputs: &RunInputs| {
                    let tags: Vec<&str> = inputs.rewrites.keys().map(String::as_str).collect();
                    (!tags.is_empty()).then(|| tags.join(", "))
                };
                Sides {
                    before: tags(before),
                    after: tags(after),
                    detail: "other expression planners or rewrite rules".to_owned(),
                    ..Sides::default()
                }
            }
            Factor::Macro(name) => macro_sides(name, before, after),
            Factor::Preset => Sides {
                before: Some(before.profile.base_preset().to_string()),
                after: Some(after.profile.base_preset().to_string()),
                detail: "another preset".to_owned(),
                ..Sides::default()
            },
            Factor::Setting(key) => setting_sides(key, &before.profile, &after.profile),
            Factor::RunTime => Sides {
                before: Some(instant(before.run_time)),
                after: Some(instant(after.run_time)),
                detail: "another time of the run".to_owned(),
                ..Sides::default()
            },
            Factor::Query(view) => query_sides(before.views.get(view), after.views.get(view)),
            Factor::Parameter(view, name) => {
                let value = |inputs: &RunInputs| {
                    let parameter = inputs.views.get(view)?.params.get(name)?;
                    Some(format!("{} {}", parameter.type_name, parameter.value))
                };
                Sides {
                    before: value(before),
                    after: value(after),
                    detail: format!("another value of the parameter `${name}`"),
                    file: file_of(after.views.get(view)).map(|file| sidecar(&file)),
                    line: None,
                }
            }
            Factor::CachePolicy(view) => {
                let kept = |inputs: &RunInputs| {
                    let view = inputs.views.get(view)?;
                    Some(match view.output {
                        Some(_) => "delta_output".to_owned(),
                        None => "none".to_owned(),
                    })
                };
                Sides {
                    before: kept(before),
                    after: kept(after),
                    detail: "another cache policy, and with it other types".to_owned(),
                    file: file_of(after.views.get(view)).map(|file| sidecar(&file)),
                    line: None,
                }
            }
            Factor::Contract(view) => {
                let hash =
                    |inputs: &RunInputs| inputs.views.get(view)?.contract.as_ref().map(short);
                Sides {
                    before: hash(before),
                    after: hash(after),
                    detail: "another contract".to_owned(),
                    file: file_of(after.views.get(view)).map(|file| sidecar(&file)),
                    line: None,
                }
            }
            Factor::Schema(dataset) => {
                schema_sides(before.datasets.get(dataset), after.datasets.get(dataset))
            }
            Factor::Pruning(dataset) => {
                let policy = |inputs: &RunInputs| {
                    let policy = &inputs.datasets.get(dataset)?.pruning;
                    serde_json::to_string(policy).ok()
                };
                Sides {
                    before: policy(before),
                    after: policy(after),
                    detail: format!("another pruning policy of `{dataset}`"),
                    ..Sides::default()
                }
            }
            Factor::Rows(dataset) => dataset_sides(before, after, dataset, "other rows"),
            Factor::Version(dataset) => dataset_sides(before, after, dataset, "another version"),
            Factor::StorePolicy(dataset) => {
                dataset_sides(before, after, dataset, "other options of the store")
            }
        }
    }
}

/// Why a change is no cause for `view`, which reads `reads`.
fn why_not(factor: &Factor, view: &ViewName, reads: &Reads) -> &'static str {
    match factor {
        Factor::Setting(key) => match codeanatomy_session::classify(key) {
            Some(SettingClass::Performance) => "it changes neither plan nor rows",
            Some(SettingClass::Determinism) => "it can change the order of rows, not the rows",
            Some(SettingClass::Semantic) | None => "the key is the same without it",
        },
        Factor::Preset | Factor::RulePack | Factor::FunctionRegistry => {
            "the plan is the same with it"
        }
        Factor::Engine | Factor::Function(_) | Factor::Rewrites => "the key is the same without it",
        Factor::Macro(_) => "the plan is the same with it",
        Factor::RunTime => "the view does not ask for the time",
        Factor::Query(changed) if changed == view => "only the spelling changed",
        Factor::Query(changed)
        | Factor::Parameter(changed, _)
        | Factor::CachePolicy(changed)
        | Factor::Contract(changed) => {
            if reads.views.contains(changed) {
                "the key is the same without it"
            } else {
                "the view does not read it"
            }
        }
        Factor::Schema(dataset)
        | Factor::Pruning(dataset)
        | Factor::Rows(dataset)
        | Factor::Version(dataset)
        | Factor::StorePolicy(dataset) => {
            if !reads.datasets.contains(dataset) {
                "the view does not read it"
            } else if matches!(factor, Factor::Version(_)) {
                "the files that the view reads are the same"
            } else {
                "no column that the view reads is affected"
            }
        }
    }
}

fn short(fingerprint: &Fingerprint) -> String {
    fingerprint.short().to_string()
}

fn file_of(view: Option<&RecordedView>) -> Option<String> {
    view.map(|view| view.path.display().to_string())
}

/// The file beside a view that says more of it.
fn sidecar(file: &str) -> String {
    match file.strip_suffix(".sql") {
        Some(stem) => format!("{stem}.toml"),
        None => file.to_owned(),
    }
}

fn rule_sides(before: &[String], after: &[String]) -> Sides {
    let at = before
        .iter()
        .zip(after)
        .position(|(before, after)| before != after)
        .unwrap_or(before.len().min(after.len()));
    Sides {
        before: before.get(at).cloned(),
        after: after.get(at).cloned(),
        detail: format!("other rules: the first difference is rule {}", at + 1),
        ..Sides::default()
    }
}

fn setting_sides(key: &str, before: &RuntimeProfile, after: &RuntimeProfile) -> Sides {
    let Some(change) = before.changes(after).into_iter().find(|c| c.key == key) else {
        return Sides::default();
    };
    let source = |side: &Option<(String, SettingSource)>| match side {
        Some((_, source)) => source.to_string(),
        None => "nothing".to_owned(),
    };
    let (file, line) = match &change.after {
        Some((_, SettingSource::ConfigFile { path, line })) => (Some(path.clone()), *line),
        _ => (None, None),
    };
    Sides {
        detail: format!(
            "another value of `{key}`: from {}, before from {}",
            source(&change.after),
            source(&change.before)
        ),
        before: change.before.map(|(value, _)| value),
        after: change.after.map(|(value, _)| value),
        file,
        line,
    }
}

fn query_sides(before: Option<&RecordedView>, after: Option<&RecordedView>) -> Sides {
    match (before, after) {
        (None, after) => Sides {
            detail: "the view is new".to_owned(),
            file: file_of(after),
            line: Some(1),
            ..Sides::default()
        },
        (before, None) => Sides {
            detail: "the view is gone".to_owned(),
            file: file_of(before),
            ..Sides::default()
        },
        (Some(before), Some(after)) => {
            let (was, is): (Vec<&str>, Vec<&str>) =
                (before.sql.lines().collect(), after.sql.lines().collect());
            let at = was
                .iter()
                .zip(&is)
                .position(|(was, is)| was != is)
                .unwrap_or(was.len().min(is.len()));
            let text = |lines: &[&str]| lines.get(at).map(|line| line.trim().to_owned());
            Sides {
                before: text(&was),
                after: text(&is),
                detail: "the query changed".to_owned(),
                file: Some(after.path.display().to_string()),
                line: Some(at.min(is.len().saturating_sub(1)) + 1),
            }
        }
    }
}

fn macro_sides(name: &str, before: &RunInputs, after: &RunInputs) -> Sides {
    let text = |inputs: &RunInputs| inputs.macros.get(name).map(|file| file.sql.to_string());
    let file = after.macros.get(name).or_else(|| before.macros.get(name));
    let what = match (
        before.macros.contains_key(name),
        after.macros.contains_key(name),
    ) {
        (true, true) => "the macro changed",
        (true, false) => "the macro is gone",
        (false, _) => "the macro is new",
    };
    Sides {
        before: text(before),
        after: text(after),
        detail: format!("{what}: `{name}`"),
        file: file.map(|file| file.path.display().to_string()),
        line: None,
    }
}

fn schema_sides(before: Option<&RecordedDataset>, after: Option<&RecordedDataset>) -> Sides {
    match (before, after) {
        (None, after) => Sides {
            after: after.map(|dataset| dataset.detail.clone()),
            detail: "the dataset is new".to_owned(),
            ..Sides::default()
        },
        (before, None) => Sides {
            before: before.map(|dataset| dataset.detail.clone()),
            detail: "the dataset is gone".to_owned(),
            ..Sides::default()
        },
        (Some(before), Some(after)) => {
            let changes: Vec<String> = codeanatomy_schema::diff(&before.schema, &after.schema)
                .iter()
                .map(ToString::to_string)
                .collect();
            Sides {
                before: Some(columns(&before.schema)),
                after: Some(columns(&after.schema)),
                detail: match changes.is_empty() {
                    true => "columns in another order, or other metadata".to_owned(),
                    false => changes.join("; "),
                },
                ..Sides::default()
            }
        }
    }
}

fn columns(schema: &Schema) -> String {
    let n = schema.fields().len();
    format!("{n} columns")
}

fn dataset_sides(
    before: &RunInputs,
    after: &RunInputs,
    dataset: &DatasetName,
    detail: &str,
) -> Sides {
    let side = |inputs: &RunInputs| {
        let dataset = inputs.datasets.get(dataset)?;
        Some(dataset.detail.clone())
    };
    Sides {
        before: side(before),
        after: side(after),
        detail: format!("{detail} of `{dataset}`"),
        ..Sides::default()
    }
}

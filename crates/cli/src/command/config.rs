//! `codeanatomy config`

use codeanatomy::Configured;
use codeanatomy::session::{Notice, Setting, SettingClass, SettingSource};
use codeanatomy_vocab::Errors;
use serde::Serialize;

use super::Context;
use crate::args::ConfigShow;
use crate::exit::Exit;
use crate::output::Output;
use crate::render::{Align, Table, plain, plural};

#[derive(Serialize)]
struct ShowDocument<'a> {
    project: &'a str,
    root: String,
    output: &'a str,
    settings: Vec<ShownSetting<'a>>,
    notices: &'a [Notice],
}

#[derive(Serialize)]
struct ShownSetting<'a> {
    key: &'a str,
    value: Option<&'a str>,
    class: SettingClass,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a SettingSource>,
}

#[derive(Serialize)]
struct ValidDocument<'a> {
    project: &'a str,
    root: String,
    valid: bool,
    n_views: usize,
    n_datasets: usize,
}

pub(crate) fn show(args: &ConfigShow, context: &Context) -> Result<Exit, Errors> {
    let output = &context.output;
    let configured = context.configured()?;
    let settings = configured.profile().settings_payload();
    let document = ShowDocument {
        project: &configured.project().name,
        root: configured.project().root.display().to_string(),
        output: &configured.project().output,
        settings: settings
            .iter()
            .map(|setting| shown(setting, args))
            .collect(),
        notices: configured.notices(),
    };
    output.result(&document, || text(&settings, args, &configured, output))?;
    Ok(Exit::Ok)
}

pub(crate) fn validate(context: &Context) -> Result<Exit, Errors> {
    let configured = context.configured()?;
    let project = configured.project();
    let document = ValidDocument {
        project: &project.name,
        root: project.root.display().to_string(),
        valid: true,
        n_views: project.views.len(),
        n_datasets: project.datasets.len(),
    };
    context.output.result(&document, || {
        format!(
            "{} is valid: {}, {}\n",
            project.name,
            plural(document.n_views, "view"),
            plural(document.n_datasets, "dataset")
        )
    })?;
    Ok(Exit::Ok)
}

fn shown<'a>(setting: &'a Setting, args: &ConfigShow) -> ShownSetting<'a> {
    ShownSetting {
        key: &setting.key,
        value: (setting.value != Setting::UNSET).then_some(setting.value.as_str()),
        class: setting.class,
        source: args.with_sources.then_some(&setting.source),
    }
}

fn text(
    settings: &[Setting],
    args: &ConfigShow,
    configured: &Configured,
    output: &Output,
) -> String {
    let paint = output.paint();
    let mut table = Table::new(&[
        ("SETTING", Align::Left),
        ("VALUE", Align::Left),
        ("SOURCE", Align::Left),
    ]);
    for setting in settings {
        let source = if args.with_sources {
            setting.source.to_string()
        } else {
            String::new()
        };
        let key = if setting.source.is_explicit() {
            paint.bold(&setting.key)
        } else {
            setting.key.clone()
        };
        table.row([
            (setting.key.clone(), key),
            plain(setting.value.clone()),
            plain(source),
        ]);
    }
    let mut text = table.render(paint);
    for notice in configured.notices() {
        text.push_str(&format!("\n{}: {notice}\n", paint.attention("note")));
    }
    text
}

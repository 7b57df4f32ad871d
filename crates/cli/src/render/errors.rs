//! Errors, for people and for programs.

use std::collections::BTreeMap;

use annotate_snippets::{
    AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str,
};
use clap::error::{ContextKind, ContextValue};
use codeanatomy_vocab::{Error, ErrorKind, Errors};
use serde::Serialize;

use super::{Paint, Paths, plural};
use crate::codes;
use crate::output::Verbosity;

/// The JSON document of a command that failed.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorDocument {
    error: Vec<JsonError>,
}

/// One error in JSON. All keys are always there.
#[derive(Debug, Serialize)]
pub(crate) struct JsonError {
    code: &'static str,
    kind: &'static str,
    message: String,
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    expected: Option<String>,
    nearest: Option<String>,
    help: Option<String>,
    context: BTreeMap<&'static str, String>,
}

/// All errors of a pass, each with its snippet, and how many they are.
pub(crate) fn errors<'a>(
    errors: impl IntoIterator<Item = &'a Error>,
    paint: Paint,
    paths: &Paths,
    verbosity: Verbosity,
) -> String {
    let mut shown: Vec<String> = errors
        .into_iter()
        .map(|error| render(Level::ERROR, error, paint, paths, verbosity))
        .collect();
    if shown.len() > 1 {
        shown.push(format!("{}\n", paint.bad(&plural(shown.len(), "error"))));
    }
    // A blank line between errors.
    shown.join("\n")
}

/// Something that went wrong without doing harm.
pub(crate) fn warning(error: &Error, paint: Paint, paths: &Paths, verbosity: Verbosity) -> String {
    render(Level::WARNING, error, paint, paths, verbosity)
}

impl ErrorDocument {
    pub(crate) fn new(errors: &Errors, paths: &Paths) -> Self {
        Self {
            error: errors.iter().map(|e| JsonError::new(e, paths)).collect(),
        }
    }
}

impl JsonError {
    pub(crate) fn new(error: &Error, paths: &Paths) -> Self {
        let position = error.location().and_then(|location| location.position());
        let text = |text: &str| paths.in_project_in(text);
        let context = context(error)
            .into_iter()
            .map(|(key, value)| (key, text(value)));
        Self {
            code: error.code().id(),
            kind: kind(error.kind()),
            message: text(&error.to_string()),
            file: error
                .location()
                .map(|location| paths.in_project(location.path())),
            line: position.map(|position| position.line),
            column: position.map(|position| position.column),
            expected: error.expected().map(text),
            nearest: error.nearest().map(str::to_owned),
            help: error.help().map(text),
            context: context.collect(),
        }
    }
}

/// Keys and values; of two values for one key that of the innermost caller, who knows best.
fn context(error: &Error) -> Vec<(&'static str, &str)> {
    let mut context: Vec<(&'static str, &str)> = Vec::new();
    for (key, value) in error.context() {
        if !context.iter().any(|(known, _)| known == key) {
            context.push((key, value));
        }
    }
    context
}

fn render(
    level: Level<'static>,
    error: &Error,
    paint: Paint,
    paths: &Paths,
    verbosity: Verbosity,
) -> String {
    let note = |name: &'static str, text: &str| {
        let level = Level::NOTE.with_name(name);
        Element::from(level.message(normalize_untrusted_str(&paths.show_in(text))))
    };
    let help = |text: &str| {
        let text = normalize_untrusted_str(&paths.show_in(text));
        Element::from(Level::HELP.message(text))
    };
    let message = error.to_string();

    let mut elements: Vec<Element<'_>> = Vec::new();
    if let Some(location) = error.location() {
        let path = paths.show(location.path());
        elements.push(match location.snippet() {
            Some((text, span)) => {
                let mark = AnnotationKind::Primary.span(span).label(error.label());
                Snippet::source(text).path(path).annotation(mark).into()
            }
            None => Origin::path(path).into(),
        });
    }
    elements.extend(error.expected().map(|expected| note("expected", expected)));
    for (key, value) in context(error) {
        // What the message says already need not be said again.
        if !message.contains(&format!("`{value}`")) {
            elements.push(note(key, value));
        }
    }
    if verbosity >= Verbosity::Verbose {
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            elements.push(note("caused by", &cause.to_string()));
            source = cause.source();
        }
    }
    if let Some(nearest) = error.nearest() {
        elements.push(help(&format!("did you mean `{nearest}`?")));
    }
    elements.extend(error.help().map(help));

    let title = level
        .primary_title(paths.show_in(&message))
        .id(error.code().id());
    let report = [Group::with_title(title).elements(elements)];
    let renderer = if paint.is_on() {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut text = renderer.render(&report);
    text.push('\n');
    text
}

/// What is wrong with the arguments, as one of our errors.
pub(crate) fn usage(usage: &clap::Error) -> Error {
    let text = usage.render().to_string();
    let mut paragraphs = text.split("\n\n");
    let message = paragraphs.next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(message).trim();
    let nearest = usage
        .context()
        .find_map(|(kind, value)| match (kind, value) {
            (
                ContextKind::SuggestedSubcommand
                | ContextKind::SuggestedArg
                | ContextKind::SuggestedValue,
                ContextValue::String(name),
            ) => Some(name.clone()),
            (
                ContextKind::SuggestedSubcommand
                | ContextKind::SuggestedArg
                | ContextKind::SuggestedValue,
                ContextValue::Strings(names),
            ) => names.first().cloned(),
            _ => None,
        });
    Error::new(codes::USAGE, message)
        .with_nearest(nearest.as_deref())
        .with_help("`codeanatomy --help` shows what there is")
}

fn kind(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Invalid => "invalid",
        ErrorKind::Drifted => "drifted",
        ErrorKind::Unsupported => "unsupported",
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::Conflict => "conflict",
        ErrorKind::Data => "data",
        ErrorKind::Resource => "resource",
        ErrorKind::Interrupted => "interrupted",
        // Also for a kind that this program does not know of.
        ErrorKind::Internal | _ => "internal",
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use codeanatomy_vocab::{Code, Location, Position, Stage};
    use insta::assert_snapshot;

    use super::*;

    const UNKNOWN_TABLE: Code = Code::new("CA-TEST-0001", ErrorKind::Invalid, Stage::Compile);

    fn unknown_table() -> Error {
        let sql = "select region, sum(amount) as total\nfrom ordres\ngroup by region\n";
        let place = Location::word("/shop/views/v.sql", sql, Position { line: 2, column: 6 });
        Error::new(UNKNOWN_TABLE, "there is no table `ordres`")
            .at(place)
            .with_label("neither a dataset nor a view")
            .with("view", "by_region")
            .with_nearest(Some("orders"))
            .with_expected("a dataset of codeanatomy.toml or a view")
            .with_help("add the dataset, or correct the name")
            .with_source(std::io::Error::other("the resolver gave up"))
    }

    fn shown(error: impl Into<Errors>, verbosity: Verbosity) -> String {
        let paths = Paths::new(Path::new("/shop"));
        errors(error.into().iter(), Paint::new(false), &paths, verbosity)
    }

    #[test]
    fn an_error_shows_its_place_what_was_expected_and_what_to_do() {
        assert_snapshot!(shown(unknown_table(), Verbosity::Normal), @r#"
        error[CA-TEST-0001]: there is no table `ordres`
         --> views/v.sql:2:6
          |
        2 | from ordres
          |      ^^^^^^ neither a dataset nor a view
          |
          = expected: a dataset of codeanatomy.toml or a view
          = view: by_region
          = help: did you mean `orders`?
          = help: add the dataset, or correct the name
        "#);
    }

    #[test]
    fn causes_are_shown_to_those_who_ask_for_more() {
        assert!(!shown(unknown_table(), Verbosity::Normal).contains("gave up"));
        assert!(
            shown(unknown_table(), Verbosity::Verbose).contains("caused by: the resolver gave up")
        );
    }

    #[test]
    fn all_errors_of_a_pass_are_shown_and_counted() {
        let whole_file = Error::new(UNKNOWN_TABLE, "the file is empty")
            .at(Location::file("/shop/views/w.sql"))
            .with_help("write a query");
        let nowhere = Error::new(UNKNOWN_TABLE, "first line\nsecond line");
        let several = Errors::check(vec![whole_file, nowhere], ()).unwrap_err();
        assert_snapshot!(shown(several, Verbosity::Normal), @r#"
        error[CA-TEST-0001]: the file is empty
        --> views/w.sql
         = help: write a query

        error[CA-TEST-0001]: first line
                             second line

        2 errors
        "#);
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let text = "select '\u{1b}[2J'";
        let error = Error::new(UNKNOWN_TABLE, "bad \u{1b}[31m name")
            .at(Location::span("v.sql", text, 7..text.len()))
            .with("view", "\u{1b}]0;title\u{7}")
            .with_help("\u{1b}[1m");
        let shown = shown(error, Verbosity::Normal);
        assert!(
            !shown.contains('\u{1b}') && !shown.contains('\u{7}'),
            "{shown}"
        );
    }

    #[test]
    fn a_mark_at_the_very_end_of_a_file_is_shown() {
        for text in ["select 1 from", "select 1 from\n", "", "é"] {
            let error = Error::new(UNKNOWN_TABLE, "expected a table").at(Location::span(
                "v.sql",
                text,
                text.len()..text.len(),
            ));
            assert!(
                shown(error, Verbosity::Normal).contains("v.sql:"),
                "{text:?}"
            );
        }
    }

    #[test]
    fn an_error_in_json_has_every_key() {
        let paths = Paths::new(Path::new("/shop"));
        let document = ErrorDocument::new(&unknown_table().into(), &paths);
        assert_snapshot!(serde_json::to_string_pretty(&document).unwrap(), @r#"
        {
          "error": [
            {
              "code": "CA-TEST-0001",
              "kind": "invalid",
              "message": "there is no table `ordres`",
              "file": "/shop/views/v.sql",
              "line": 2,
              "column": 6,
              "expected": "a dataset of codeanatomy.toml or a view",
              "nearest": "orders",
              "help": "add the dataset, or correct the name",
              "context": {
                "view": "by_region"
              }
            }
          ]
        }
        "#);
    }
}

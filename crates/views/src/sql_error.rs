//! The engine's parse and plan errors, as ours: with code, place, nearest name and remedy.

use std::path::Path;
use std::sync::Arc;

use codeanatomy_vocab::{Error, Location, Position, nearest};
use datafusion_common::{DataFusionError, SchemaError};
use datafusion_sql::sqlparser::parser::ParserError;

use crate::{ViewSpec, codes};

/// Turns an error of planning `view` into one of ours.
///
/// `functions` are the names that the session knows, for the nearest name.
pub fn compile_error<'a>(
    error: &DataFusionError,
    view: &ViewSpec,
    functions: impl IntoIterator<Item = &'a str>,
) -> Error {
    let span = error.diagnostic().and_then(|diagnostic| diagnostic.span);
    let position = span.map(|span| Position {
        line: usize::try_from(span.start.line).unwrap_or(1).max(1),
        column: usize::try_from(span.start.column).unwrap_or(1).max(1),
    });
    let root = error.find_root();
    let message = plain_message(root);
    let compiled = match root {
        DataFusionError::SchemaError(schema_error, _) => schema_message(schema_error),
        DataFusionError::NotImplemented(_) => {
            Error::new(codes::NOT_SUPPORTED, message).with_help("write the query in another form")
        }
        DataFusionError::Plan(text) if text.starts_with("Invalid function") => {
            unknown_function(text, functions)
        }
        DataFusionError::SQL(parser_error, _) => {
            return parse_error_of(parser_error, view.path(), view.sql()).with("view", view.name());
        }
        _ => Error::new(codes::NOT_PLANNABLE, message)
            .with_help("correct the query; `codeanatomy explain` shows a plan once it compiles"),
    };
    let place = position
        .or_else(|| name_position(root, view.sql()))
        .map_or_else(
            || Location::file(view.path()),
            |position| view.location(position),
        );
    compiled.at(place).with("view", view.name())
}

/// A parse error of the engine.
pub(crate) fn parse_error(error: &DataFusionError, path: &Path, sql: &Arc<str>) -> Error {
    match error.find_root() {
        DataFusionError::SQL(parser_error, _) => parse_error_of(parser_error, path, sql),
        other => syntax(&plain_message(other), None, path, sql),
    }
}

/// A syntax error at `position`, or over the whole file.
pub(crate) fn syntax(
    message: &str,
    position: Option<Position>,
    path: &Path,
    sql: &Arc<str>,
) -> Error {
    let location = position.map_or_else(
        || Location::file(path),
        |position| Location::word(path, Arc::clone(sql), position),
    );
    Error::new(
        codes::SQL_SYNTAX,
        lower_first(message.trim_end_matches('.')),
    )
    .at(location)
    .with_help("correct the SQL at the marked place")
}

fn parse_error_of(error: &ParserError, path: &Path, sql: &Arc<str>) -> Error {
    match error {
        ParserError::RecursionLimitExceeded => {
            Error::new(codes::TOO_COMPLEX, "the query nests too deeply")
                .at(Location::file(path))
                .with_help("move inner queries into views of their own")
        }
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => {
            let (message, position) = split_position(text);
            // At the end of the text the parser names no place.
            let position = position.or_else(|| text.ends_with("found: EOF").then(|| end_of(sql)));
            syntax(message, position, path, sql)
        }
    }
}

/// Splits `... at Line: 3, Column: 7` off a parser's message.
fn split_position(text: &str) -> (&str, Option<Position>) {
    let Some((message, place)) = text.rsplit_once(" at Line: ") else {
        return (text, None);
    };
    let numbers = place.split_once(", Column: ").and_then(|(line, column)| {
        Some(Position {
            line: line.trim().parse().ok()?,
            column: column.trim().parse().ok()?,
        })
    });
    match numbers {
        Some(position) if position.line > 0 => (message, Some(position)),
        _ => (message, None),
    }
}

/// The place after the last character that is not white space.
fn end_of(sql: &str) -> Position {
    let text = sql.trim_end();
    let last_line = text.rsplit('\n').next().unwrap_or_default();
    Position {
        line: text.matches('\n').count() + 1,
        column: last_line.chars().count() + 1,
    }
}

fn schema_message(error: &SchemaError) -> Error {
    match error {
        SchemaError::FieldNotFound {
            field,
            valid_fields,
        } => {
            let names: Vec<&str> = valid_fields
                .iter()
                .filter(|column| field.relation.is_none() || column.relation == field.relation)
                .map(|column| column.name.as_str())
                .collect();
            let table = field
                .relation
                .as_ref()
                .map(|relation| format!(" in `{relation}`"))
                .unwrap_or_default();
            let error = Error::new(
                codes::UNKNOWN_COLUMN,
                format!("there is no column `{}`{table}", field.name),
            )
            .with_nearest(nearest(&field.name, names.iter().copied()));
            if names.is_empty() {
                error.with_help("name a table in FROM that has the column")
            } else {
                let mut shown: Vec<&str> = names.iter().copied().take(12).collect();
                if names.len() > shown.len() {
                    shown.push("...");
                }
                error.with_help(format!("the columns in scope are {}", shown.join(", ")))
            }
        }
        SchemaError::AmbiguousReference { field } => Error::new(
            codes::AMBIGUOUS_COLUMN,
            format!("more than one table in scope has a column `{}`", field.name),
        )
        .with_help(format!(
            "write the table before it, for example `t.{}`",
            field.name
        )),
        SchemaError::DuplicateQualifiedField { qualifier, name } => Error::new(
            codes::AMBIGUOUS_COLUMN,
            format!("the column `{name}` of `{qualifier}` appears twice"),
        )
        .with_help("give each table of a self join an alias, and each column one name"),
        SchemaError::DuplicateUnqualifiedField { name } => Error::new(
            codes::AMBIGUOUS_COLUMN,
            format!("the column `{name}` appears twice"),
        )
        .with_help("give each column a name of its own with AS"),
    }
}

fn unknown_function<'a>(text: &str, functions: impl IntoIterator<Item = &'a str>) -> Error {
    let name = text.split('\'').nth(1).unwrap_or_default();
    Error::new(
        codes::UNKNOWN_FUNCTION,
        format!("there is no function `{name}`"),
    )
    .with_nearest(nearest(name, functions))
    .with_help("use a built-in function; `codeanatomy explain` shows the ones a plan uses")
}

/// Where the text first names the function or column of an error that carries no place.
fn name_position(error: &DataFusionError, sql: &str) -> Option<Position> {
    let name = match error {
        DataFusionError::SchemaError(schema_error, _) => match schema_error.as_ref() {
            SchemaError::FieldNotFound { field, .. }
            | SchemaError::AmbiguousReference { field } => field.name.as_str(),
            SchemaError::DuplicateQualifiedField { name, .. }
            | SchemaError::DuplicateUnqualifiedField { name } => name.as_str(),
        },
        DataFusionError::Plan(text) => text.split('\'').nth(1)?,
        _ => return None,
    };
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let lower = sql.to_ascii_lowercase();
    let name = name.to_ascii_lowercase();
    let at = lower.match_indices(&name).map(|(at, _)| at).find(|at| {
        !lower[..*at].ends_with(is_word) && !lower[at + name.len()..].starts_with(is_word)
    })?;
    let before = &sql[..at];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    Some(Position {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    })
}

fn plain_message(error: &DataFusionError) -> String {
    let text = error.message();
    let text = text.trim().trim_end_matches('.');
    lower_first(text)
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        // A word in capitals, such as SQL's own, stays.
        (Some(first), Some(second)) if first.is_uppercase() && !second.is_uppercase() => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}
